package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"maturitybot/survey/plaintext"
)

var update = flag.Bool("update", false, "write the golden files anew")

// small is the smallest valid matrix in two languages. The tests below contain its line numbers.
const small = `id: small
version: 2
nation: {en: England, cy: Lloegr}
name: {en: Small, cy: Bach}
about: {en: About, cy: Amdano}
languages: [en, cy]
levels:
  - id: low
    also: [Bottom]
    name: {en: Low, cy: Isel}
    meaning: {en: It is low., cy: Mae'n isel.}
  - id: high
    name: {en: High, cy: Uchel}
    short: {en: Hi, cy: Uch}
    meaning: {en: It is high., cy: Mae'n uchel.}
dimensions:
  - id: only
    name: {en: Only, cy: Unig}
    about: {en: Only one, cy: Dim ond un}
    core_elements:
      - name: {en: Core, cy: Craidd}
        elements:
          - id: one
            also: [Row one]
            name: {en: One, cy: Un}
            question: {en: "How far?", cy: "Pa mor bell?"}
            help: {en: Look., cy: Edrychwch.}
            descriptors:
              low: {en: Low one., cy: Un isel.}
              high: {en: High one., cy: Un uchel.}
role_groups:
  - id: people
    name: {en: People, cy: Pobl}
    roles:
      - id: anybody
        name: {en: Anybody, cy: Unrhyw un}
information:
  - id: own-view
    name: {en: My view, cy: Fy marn i}
`

func load(t *testing.T, src string) (*Matrix, plaintext.Faults) {
	t.Helper()
	m, err := Load("f.yaml", strings.NewReader(src))
	var faults plaintext.Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("an error that is no Faults: %v", err)
	}
	if (m == nil) == (err == nil) {
		t.Fatalf("matrix %v and error %v", m, err)
	}
	return m, faults
}

func loadFile(t *testing.T, path string) (*Matrix, plaintext.Faults) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(src))
}

// TestMatrixInUTF16 reads a matrix that an editor saved as "Unicode".
func TestMatrixInUTF16(t *testing.T) {
	src, err := os.ReadFile("testdata/eight.yaml")
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(src)
	if err != nil {
		t.Fatal(err)
	}
	if m, faults := load(t, string(wide)); faults != nil || m.ID != "playground" {
		t.Errorf("got %v", faults)
	}
	// In another encoding, one fault for all its lines.
	_, faults := load(t, strings.ReplaceAll(string(src), "a", "\xe2"))
	if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), "f.yaml:1: the text is not UTF-8 (") {
		t.Errorf("got %v", faults)
	}
}

// TestDuplicateNames covers names that would be ambiguous in a file of answers.
func TestDuplicateNames(t *testing.T) {
	_, faults := loadFile(t, "testdata/also-number-clash.yaml")
	want := `f.yaml:12: a level has a number as a name: "0", "1", "2", "3", "4" (5 times: lines 12, 17, 21, 26, 31); expected words: in files, a level goes by its own number, 1 for the lowest`
	if faults.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", faults, want)
	}
	replace := func(old, new string) string {
		if !strings.Contains(small, old) {
			t.Fatalf("small has no %q", old)
		}
		return strings.Replace(small, old, new, 1)
	}
	for want, src := range map[string]string{
		"":                                         replace("also: [Bottom]", "also: [\"1\", Isel, low]"), // its own number, name and id
		`the name "LOW" is there already`:          replace("short: {en: Hi, cy: Uch}", "short: {en: LOW, cy: Uch}"),
		`the name "Isel" is there already`:         replace("short: {en: Hi, cy: Uch}", "also: [Isel]"),
		`the name "BOTTOM" is there already`:       replace("short: {en: Hi, cy: Uch}", "also: [BOTTOM]"),
		`the name "low" is there already`:          replace("short: {en: Hi, cy: Uch}", "also: [low]"),
		`a level has a number as a name: "2.0"`:    replace("also: [Bottom]", `also: ["2.0"]`),
		`has a meaning of its own in files: "N/A"`: replace("also: [Bottom]", `also: ["N/A"]`),
	} {
		_, faults := load(t, src)
		if (want == "") != (faults == nil) || !strings.Contains(faults.Error(), want) {
			t.Errorf("got %v, want %q", faults, want)
		}
	}
}

func TestAnotherMatrix(t *testing.T) {
	m, faults := loadFile(t, "testdata/eight.yaml")
	if faults != nil {
		t.Fatal(faults)
	}
	if n := len(m.Elements()); n != 8 || len(m.Dimensions) != 3 || len(m.Levels) != 5 || !slices.Equal(m.Languages, []Lang{"en"}) {
		t.Errorf("%d elements, %d dimensions, %d levels, languages %v", n, len(m.Dimensions), len(m.Levels), m.Languages)
	}
	if !slices.Equal(m.Levels[0].Also, []string{"Nothing yet"}) {
		t.Errorf("level 1 is also %q", m.Levels[0].Also)
	}
	want := Level{ID: "aware", Name: Text{"en": "Aware"}, Short: Text{"en": "Aware"},
		Meaning: Text{"en": "Somebody has noticed and said so. Nothing has been done."}}
	if !reflect.DeepEqual(m.Levels[1], want) {
		t.Errorf("level 2 is %+v, want %+v", m.Levels[1], want)
	}
	e, i, _ := m.Element("friends")
	if i != 7 || e.Descriptors[1].In("en") != "Some neighbours have offered help. Nobody has replied." || len(e.Descriptors) != 5 {
		t.Errorf("element %d is %+v", i, e)
	}
	if r, g, ok := m.Role("parks"); !ok || g.ID != "council" || !slices.Equal(r.Also, []string{"Parks & gardens"}) {
		t.Errorf("role %+v of group %q", r, g.ID)
	}
}

// TestFaults changes the small matrix in one place for each case, and lists every fault that
// follows.
func TestFaults(t *testing.T) {
	long := strings.Repeat("ŵ", 1000)
	cases := []struct{ name, old, new, want string }{
		{"unknown key", "version: 2", "version: 2\nnaton: x", `3: the matrix has no key "naton"; did you mean "nation"?`},
		{"far-off key", "version: 2", "version: 2\ncolour: x", `3: the matrix has no key "colour"; expected one of id, version, nation, name, about, languages, levels, dimensions, role_groups, information`},
		{"key that is a list", "version: 2", "version: 2\n? [a]\n: b", `3: the matrix has no key ""; expected one of id, version, nation, name, about, languages, levels, dimensions, role_groups, information`},
		{"key twice", "version: 2", "version: 2\nversion: 3", `3: the matrix has the key "version" twice; expected it once`},
		{"key missing", "version: 2\n", "", `1: the matrix lacks version; expected the key "version"`},
		{"version", "version: 2", "version: two", `2: version is the text "two"; expected a whole number from 1 up`},
		{"version nought", "version: 2", "version: 0", `2: version is the text "0"; expected a whole number from 1 up`},
		{"language missing", "{en: Small, cy: Bach}", "{en: Small}", `4: name lacks cy; expected the key "cy"`},
		{"language not declared", "{en: Small, cy: Bach}", "{en: Small, cy: Bach, fr: Petit}", `4: name has no key "fr"; expected one of en, cy`},
		{"string for two languages", "{en: Small, cy: Bach}", "Small", `4: name is the text "Small"; expected a text in each of en, cy`},
		{"empty text", "{en: Small, cy: Bach}", `{en: Small, cy: ""}`, `4: name in cy is empty; expected a text`},
		{"null text", "{en: Small, cy: Bach}", `{en: Small, cy: }`, `4: name in cy is empty; expected a text`},
		{"list for a text", "{en: Small, cy: Bach}", `{en: Small, cy: [a]}`, `4: name in cy is a list; expected a text`},
		{"space at the end", "cy: Bach", `cy: "Bach "`, `4: name in cy begins or ends with a space or a line end; expected none (a folded text ends without one when it begins with >-)`},
		{"control character", "cy: Bach", `cy: "Ba\x07ch"`, `4: name in cy holds the character U+0007; expected one line of visible text`},
		{"direction mark", "cy: Bach", `cy: "Ba\u202Ech"`, `4: name in cy holds the character U+202E; expected one line of visible text`},
		{"two lines", "cy: Bach", `cy: "Ba\nch"`, `4: name in cy holds the character U+000A; expected one line of visible text`},
		{"language code", "[en, cy]", "[en, Welsh]", `6: the language "Welsh" is no code; expected a code of two or three lower-case letters, such as en or cy`},
		{"language twice", "[en, cy]", "[en, cy, en]", `6: the language "en" is there already, on line 6; expected one that nothing else of its kind has`},
		{"id form", "id: own-view", "id: Own view", `38: the id of information 1 is "Own view"; expected lower-case letters, digits and single hyphens, a letter first`},
		{"id length", "id: own-view", "id: abcdefghijklmnopq", `38: the id of information "abcdefghijklmnopq" has 17 characters; at most 16 (Discord: 100 bytes of a button's id)`},
		{"id reserved", "id: people", "id: everyone", `32: the id "everyone" of role group "everyone" has a meaning of its own; expected another than all, dk, everyone, na, none, not-stated`},
		{"id twice", "id: high", "id: low", `12: the id "low" is there already, on line 8; expected one that nothing else of its kind has`},
		{"other name twice", "    short: {en: Hi, cy: Uch}", "    short: {en: Hi, cy: Uch}\n    also: [Bottom]", `15: the name "Bottom" is there already, on line 9; expected one that nothing else of its kind goes by`},
		{"descriptor missing", "              high: {en: High one., cy: Un uchel.}\n", "", `29: descriptors of element "one" lacks high; expected the key "high"`},
		{"descriptor of no level", "              high: {en", "              hihg: {en", `29: descriptors of element "one" lacks high; expected the key "high"
30: descriptors of element "one" has no key "hihg"; did you mean "high"?`},
		{"descriptors alike", "cy: Un uchel.", "cy: Un isel.", `30: descriptors "low" and "high" of element "one" are the same in cy; expected words that tell them apart`},
		{"anchor", "version: 2", "version: &v 2", `2: the anchor &v cannot be used; expected the text itself, written out`},
		{"alias", "version: 2", "version: &v 2\nextra: *v", `2: the anchor &v cannot be used; expected the text itself, written out
3: the alias *v cannot be used; expected the text itself, written out`},
		{"tag", "version: 2", "version: !!int 2", `2: the tag "!!int" cannot be used; expected the text itself, written out`},
		{"one level only", small[strings.Index(small, "  - id: high"):strings.Index(small, "dimensions:")], "", `8: levels has 1 entry; at least 2
26: descriptors of element "one" has no key "high"; expected one of low`},
		{"short of a name too long", "name: {en: Low, cy: Isel}", "name: {en: Low, cy: " + long[:62] + "}", `10: name of level "low" in cy has 31 characters, too many for a button; expected the key "short", at most 28 (Slack: what a button shows of its text, after a tick)`},
		{"several at once, by line", "version: 2\nnation: {en: England, cy: Lloegr}\nname: {en: Small, cy: Bach}", "version: x\nnation: {en: England}\nname: {en: Small, cy: ' '}", `2: version is the text "x"; expected a whole number from 1 up
3: nation lacks cy; expected the key "cy"
4: name in cy is empty; expected a text`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(small, c.old) != 1 {
				t.Fatalf("%q is not there once", c.old)
			}
			_, faults := load(t, strings.Replace(small, c.old, c.new, 1))
			if got := strings.ReplaceAll(faults.Error(), "f.yaml:", ""); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestNotYAML(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"empty", "", "f.yaml:1: the file is empty; expected a matrix"},
		{"a comment", "# nothing\n", "f.yaml:1: the file is empty; expected a matrix"},
		{"a text", "hello", `f.yaml:1: the matrix is the text "hello"; expected the keys id, version, nation, name, about, languages, levels, dimensions, role_groups, information`},
		{"an open quote", "id: x\nname: 'abc\n", "f.yaml:3: while scanning a quoted scalar that begins on line 2: found unexpected end of stream; expected YAML"},
		{"a tab", "id:\n\tx: y\n", "f.yaml:2: while scanning for the next token: found character that cannot start any token; expected YAML"},
		{"two documents", small + "---\n" + small, "f.yaml:40: a second document begins; expected one matrix a file"},
		{"a broken second document", "id: x\n--- [\n", "f.yaml:3: while parsing a flow node: did not find expected node content; expected YAML"},
		{"another encoding", "id: x\nname: caf\xe9\n", "f.yaml:2: the text is not UTF-8; expected a file in UTF-8"},
		{"a control character", "id: x\nname: a\x1bb\n", "f.yaml:2: the line holds the character U+001B; expected text only"},
		{"no character", "id: x\nname: a\ufffeb\n", "f.yaml:2: the line holds the character U+FFFE; expected text only"},
		{"no such anchor", "id: x\nname: *nobody\n", "f.yaml:2: unknown anchor 'nobody' referenced; expected YAML"},
		{"too deep", strings.Repeat("[", 100_000), "f.yaml:1: while increasing flow level: exceeded max depth of 10000; expected YAML"},
		{"too large", small + strings.Repeat("#", MaxBytes), "f.yaml:1: the file is too large; at most 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, faults := load(t, c.src); faults.Error() != c.want {
				t.Errorf("got\n%s\nwant\n%s", faults, c.want)
			}
		})
	}
}

// TestAliasBomb: a few hundred bytes that mean a hundred million texts are refused, not expanded.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c <= 'i'; c++ {
		fmt.Fprintf(&b, "%c: &%c [%s]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10))
	}
	m, faults := load(t, b.String())
	if m != nil || len(faults) != 9+80 {
		t.Errorf("%d faults, want one for each of 9 anchors and 80 aliases", len(faults))
	}
}

type broken struct{ error }

func (b broken) Read([]byte) (int, error) { return 0, b.error }

func TestUnreadable(t *testing.T) {
	torn := errors.New("torn")
	if _, err := Load("f.yaml", broken{torn}); !errors.Is(err, torn) {
		t.Errorf("got %v", err)
	}
}

// largest is a matrix at every limit that does not exclude another one.
func largest() *Matrix {
	langs := []Lang{"en", "cy", "fr"}
	text := func(n int, word string) Text {
		t := Text{}
		for _, l := range langs {
			s := string(l) + word
			t[l] = s + strings.Repeat("ŵ", max(0, n-len(s)))
		}
		return t
	}
	m := &Matrix{ID: "abcdefghijklmn-9", Version: 1, Nation: text(75, "n"), Name: text(150, "n"), About: text(300, "a"), Languages: langs}
	for i := range 7 {
		m.Levels = append(m.Levels, Level{ID: fmt.Sprint("l", i), Name: text(40, fmt.Sprint("n", i)), Short: text(28, fmt.Sprint("s", i)), Meaning: text(300, "m")})
	}
	for i := range 10 {
		m.Information = append(m.Information, InformationType{ID: fmt.Sprint("k", i), Name: text(75, "n")})
	}
	for i := range 10 {
		d := Dimension{ID: fmt.Sprint("d", i), Name: text(75, "n"), About: text(300, "a"), CoreElements: []CoreElement{{Name: text(150, "c")}}}
		for j := range 10 {
			e := Element{ID: fmt.Sprintf("e%d-%d", i, j), Name: text(0, fmt.Sprint("n", i, j)), Question: text(0, "q"), Help: text(0, "h")}
			if i+j == 0 { // a hundred of these would be more than a file takes
				e.Name, e.Question, e.Help = text(73, "n"), text(600, "q"), text(297, "h")
			}
			for k := range 7 {
				n := 0
				if i+j == 0 {
					n = 115
				}
				e.Descriptors = append(e.Descriptors, text(n, fmt.Sprint("d", k)))
			}
			d.CoreElements[0].Elements = append(d.CoreElements[0].Elements, e)
		}
		m.Dimensions = append(m.Dimensions, d)
	}
	for i := range 10 {
		g := RoleGroup{ID: fmt.Sprint("g", i), Name: text(75, "n")}
		for j := range 10 {
			g.Roles = append(g.Roles, Role{ID: fmt.Sprintf("r%d-%d", i, j), Name: text(9, fmt.Sprint("r", i, j))})
		}
		m.RoleGroups = append(m.RoleGroups, g)
	}
	return m
}

// TestLimits: a matrix at its limits is valid. One more of anything is a fault that names the
// platform, the limit and what was found.
func TestLimits(t *testing.T) {
	grow := func(t Text, n int) { t["cy"] += strings.Repeat("y", n) }
	one := func() Text { return Text{"en": "x", "cy": "x", "fr": "x"} }
	called := func(name string) Text { return Text{"en": name, "cy": name, "fr": name} }
	first := func(m *Matrix) *Element { return &m.Dimensions[0].CoreElements[0].Elements[0] }
	cases := []struct {
		name   string
		change func(*Matrix)
		want   []string
	}{
		{"everything at its limit", func(*Matrix) {}, nil},
		{"nation", func(m *Matrix) { grow(m.Nation, 1) }, []string{"nation in cy has 76 characters; at most 75 (Slack: "}},
		{"name", func(m *Matrix) { grow(m.Name, 1) }, []string{"name in cy has 151 characters; at most 150 (Slack: "}},
		{"about", func(m *Matrix) { grow(m.About, 1) }, []string{"about in cy has 301 characters; at most 300 (Slack: "}},
		{"level name", func(m *Matrix) { first(m).Help = one(); grow(m.Levels[6].Name, 1) }, []string{`name of level "l6" in cy has 41 characters; at most 40 (Slack: `}},
		{"short", func(m *Matrix) { grow(m.Levels[6].Short, 1) }, []string{`short of level "l6" in cy has 29 characters; at most 28 (Slack: `}},
		{"meaning", func(m *Matrix) { grow(m.Levels[6].Meaning, 1) }, []string{`meaning of level "l6" in cy has 301 characters; at most 300 (Slack: `}},
		{"dimension about", func(m *Matrix) { grow(m.Dimensions[9].About, 1) }, []string{`about of dimension "d9" in cy has 301 characters; at most 300 (Slack: `}},
		{"core element", func(m *Matrix) { grow(m.Dimensions[9].CoreElements[0].Name, 1) }, []string{`name of core element 1 of dimension "d9" in cy has 151 characters; at most 150 (Slack: `}},
		{"the whole card", func(m *Matrix) { grow(first(m).Descriptors[0], 1) }, []string{`the card of element "e0-0" in cy, with its dimension, levels and kinds of information, has 2901 characters; at most 2900 (Discord: `}},
		{"a descriptor", func(m *Matrix) {
			first(m).Question, first(m).Help = one(), one()
			grow(first(m).Descriptors[0], 486)
		}, []string{`descriptor "l0" of element "e0-0" in cy has 601 characters; at most 600 (Discord: `}},
		{"a question", func(m *Matrix) {
			first(m).Help = one()
			grow(first(m).Question, 1)
		}, []string{`question of element "e0-0" in cy has 601 characters; at most 600 (Discord: `}},
		{"an element's name", func(m *Matrix) {
			first(m).Help = one()
			grow(first(m).Name, 1)
		}, []string{`name of element "e0-0" in cy has 74 characters; at most 73 (Slack: `}},
		{"role names", func(m *Matrix) { grow(m.RoleGroups[0].Roles[0].Name, 1) }, []string{"the names of all roles in cy have 1201 characters together; at most 1200 (Discord: "}},
		{"roles of a group", func(m *Matrix) {
			g := &m.RoleGroups[0]
			m.RoleGroups = m.RoleGroups[:1]
			for i := len(g.Roles); i < 25; i++ {
				g.Roles = append(g.Roles, Role{ID: fmt.Sprint("x", i), Name: g.Name})
			}
			for i := range g.Roles {
				g.Roles[i].Name = called(fmt.Sprint("x", i))
			}
		}, []string{`roles of role group "g0" has 25 entries; at most 24 (Discord: `}},
		{"groups", func(m *Matrix) {
			m.RoleGroups[0].Roles = m.RoleGroups[0].Roles[:1]
			m.RoleGroups = append(m.RoleGroups, RoleGroup{ID: "more", Name: m.Name, Roles: []Role{{ID: "more", Name: called("more")}}})
			m.RoleGroups[10].Name = m.RoleGroups[0].Name
		}, []string{"role_groups has 11 entries; at most 10 (Discord: "}},
		{"kinds of information", func(m *Matrix) {
			for i := range m.Information {
				m.Information[i].Name = one()
			}
			m.Information = append(m.Information, InformationType{ID: "more", Name: m.Information[0].Name})
		}, []string{"information has 11 entries; at most 10 (Slack and Discord: "}},
		{"elements of a dimension, and of all", func(m *Matrix) {
			c := &m.Dimensions[0].CoreElements[0]
			for i := range 16 {
				e := c.Elements[0]
				e.ID = fmt.Sprint("more", i)
				e.Name = called(e.ID)
				c.Elements = append(c.Elements, e)
			}
		}, []string{"all dimensions together have 116 elements; at most 100 (Slack and Discord: ", `dimension "d0" has 26 elements; at most 25 (Discord: `}},
		{"dimensions", func(m *Matrix) {
			d := m.Dimensions[0]
			d.ID, d.CoreElements = "more", []CoreElement{{Name: m.Name, Elements: slices.Clone(d.CoreElements[0].Elements[9:])}}
			m.Dimensions[0].CoreElements[0].Elements = m.Dimensions[0].CoreElements[0].Elements[:9]
			m.Dimensions = append(m.Dimensions, d)
		}, []string{"dimensions has 11 entries; at most 10 (Discord: "}},
		{"levels", func(m *Matrix) {
			m.Levels = append(m.Levels, Level{ID: "more", Name: one(), Short: one(), Meaning: one()})
			for i := range m.Dimensions {
				for j := range m.Dimensions[i].CoreElements[0].Elements {
					e := &m.Dimensions[i].CoreElements[0].Elements[j]
					e.Help = one()
					e.Descriptors = append(e.Descriptors, one())
				}
			}
		}, []string{"levels has 8 entries; at most 7 (Discord: "}},
		{"languages", func(m *Matrix) { m.Languages = append(m.Languages, "de") }, []string{"languages has 4 entries; at most 3 (Discord: "}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := largest()
			c.change(m)
			raw, err := JSON(m, All)
			if err != nil {
				t.Fatal(err)
			}
			_, faults := load(t, string(raw))
			if c.name == "languages" {
				faults = slices.DeleteFunc(faults, func(f plaintext.Fault) bool { return strings.HasSuffix(f.What, " lacks de") })
			}
			if len(faults) != len(c.want) {
				t.Fatalf("%d faults, want %d: %.2000v", len(faults), len(c.want), faults)
			}
			for i, w := range c.want {
				if got := faults[i].What + "; " + faults[i].Want; !strings.HasPrefix(got, w) {
					t.Errorf("got %q, want %q", got, w)
				}
			}
		})
	}
}

func TestGolden(t *testing.T) {
	eight, faults := loadFile(t, "testdata/eight.yaml")
	if faults != nil {
		t.Fatal(faults)
	}
	two, faults := load(t, small)
	if faults != nil {
		t.Fatal(faults)
	}
	asJSON := func(m *Matrix, lang Lang) string {
		raw, err := JSON(m, lang)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for name, got := range map[string]string{
		"eight.txt":       PlainText(eight, "en"),
		"eight.json":      asJSON(eight, All),
		"small-cy.txt":    PlainText(two, "cy"),
		"small-cy.json":   asJSON(two, "cy"),
		"small-both.json": asJSON(two, All),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s has changed; when that is meant, run go test ./survey/matrix -update and read the difference. Now:\n%s", name, got)
		}
	}
	if _, err := JSON(two, "fr"); err == nil {
		t.Error("JSON wrote a language that the matrix is not in")
	}
}

func TestTextFits(t *testing.T) {
	for _, m := range append(Editions(), largest()) {
		for _, lang := range m.Languages {
			for line := range strings.Lines(PlainText(m, lang)) {
				line = strings.TrimSuffix(line, "\n")
				words := strings.Fields(line)
				if n := len([]rune(line)); n > 80 && !slices.ContainsFunc(words, func(w string) bool { return len([]rune(w)) > 60 }) {
					t.Errorf("%d characters: %q", n, line)
				}
				if strings.HasSuffix(line, " ") {
					t.Errorf("a space at the end of %q", line)
				}
			}
		}
	}
}

// TestJSONLoads: what JSON writes loads as the same matrix, in all languages or in one.
func TestJSONLoads(t *testing.T) {
	for _, m := range Editions() {
		sameAfterJSON(t, m)
		raw, err := JSON(m, "cy")
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(raw) {
			t.Error("not JSON")
		}
		welsh, faults := load(t, string(raw))
		if faults != nil {
			t.Fatal(faults)
		}
		if got, want := PlainText(welsh, "cy"), strings.Replace(PlainText(m, "cy"), "en, cy", "cy", 1); got != want {
			t.Error("a matrix written in Welsh alone reads otherwise")
		}
	}
}

func sameAfterJSON(t *testing.T, m *Matrix) {
	t.Helper()
	raw, err := JSON(m, All)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > MaxBytes {
		return
	}
	back, faults := load(t, string(raw))
	if faults != nil {
		t.Fatal(faults)
	}
	if !reflect.DeepEqual(m, back) {
		t.Errorf("got\n%+v\nwant\n%+v", back, m)
	}
}

// FuzzLoad: Load returns a matrix that can be shown and written, or faults that can be printed.
func FuzzLoad(f *testing.F) {
	eight, err := os.ReadFile("testdata/eight.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(eight), small, "", "---", "--- &a\n", "a: *a", "&a [*a]", "? ? ? a", "<<: {id: x}", "[", "{", "- - -", "%YAML 1.2\n---\n", "id: |\n  x\n", "\"\u2029\u2029", "\"\u2028", "0\x00@\x00\x00",
		"\ufeff" + small, strings.ReplaceAll(small, "\n", "\r\n"), "levels: {id: {}}", "dimensions: [[], {}, 1, ~, {core_elements: [{elements: [{descriptors: []}]}]}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, faults := load(t, string(src))
		lines := bytes.Count(src, []byte("\n")) + bytes.Count(src, []byte("\r")) + 2
		for i, fault := range faults {
			if fault.Line < 1 || fault.Line > lines {
				t.Errorf("line %d of %d: %v", fault.Line, lines, fault)
			}
			if i > 0 && faults[i-1].Line > fault.Line {
				t.Errorf("line %d after line %d", fault.Line, faults[i-1].Line)
			}
			if s := fault.Error(); fault.What == "" || fault.Want == "" || strings.ContainsFunc(s, unseen) {
				t.Errorf("a fault that cannot be printed: %q", s)
			}
		}
		if m == nil {
			return
		}
		for _, lang := range m.Languages {
			if PlainText(m, lang) == "" {
				t.Error("nothing to read")
			}
		}
		sameAfterJSON(t, m)
	})
}
