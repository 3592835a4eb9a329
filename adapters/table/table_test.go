package table

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
)

var update = flag.Bool("update", false, "write the golden files")

func both(en, cy string) matrix.Text { return matrix.Text{matrix.English: en, matrix.Welsh: cy} }

func element(id, en, cy string) matrix.Element { return matrix.Element{ID: id, Name: both(en, cy)} }

var sixty = 60

func testMatrix() *matrix.Matrix {
	return &matrix.Matrix{
		ID: "made-up", Version: 1, Languages: []matrix.Lang{matrix.English, matrix.Welsh},
		Levels: []matrix.Level{
			{ID: "basic", Name: both("Basic", "Sylfaenol")},
			{ID: "early", Name: both("Early progress", "Cynnydd cynnar")},
			{ID: "substantial", Name: both("Substantial progress", "Cynnydd sylweddol")},
			{ID: "mature", Name: both("Mature", "Aeddfed")},
		},
		Dimensions: []matrix.Dimension{
			{ID: "plan", Name: both("Plan", "Cynllunio"), CoreElements: []matrix.CoreElement{{Elements: []matrix.Element{
				element("vision", "Vision, strategy and plan", "Gweledigaeth, strategaeth a chynllun"),
				element("needs", "Understanding what families need", "Deall yr hyn sydd ei angen ar deuluoedd â phlant o dan saith ŵyr"),
			}}}},
			{ID: "lead", Name: both("Lead", "Arwain"), CoreElements: []matrix.CoreElement{{Elements: []matrix.Element{
				element("partnership", "Partnership", "Partneriaeth"),
				element("assets", "Community assets", "Asedau cymunedol"),
			}}}},
		},
		RoleGroups: []matrix.RoleGroup{
			{ID: "health", Name: both("Health", "Iechyd"), Roles: []matrix.Role{{ID: "midwife", Name: both("Midwife", "Bydwraig"), Workshops: &sixty}}},
			{ID: "council", Name: both("Council", "Cyngor"), Roles: []matrix.Role{{ID: "manager", Name: both("Manager", "Rheolwr")}}},
			{ID: "settings", Name: both("Education and settings", "Addysg a lleoliadau")},
			{ID: "family", Name: both("Voluntary and family", "Gwirfoddol a theulu")},
		},
		Information: []matrix.InformationType{{ID: "data", Name: both("Figures", "Ffigurau")}, {ID: "stories", Name: both("What families say", "Barn teuluoedd")}},
	}
}

// published is 34 people; too few rated the last element, and nobody of the last group the third.
func published(area string, notes ...string) results.Published {
	tally := results.NewTally(testMatrix())
	rng := rand.New(rand.NewPCG(34, 17))
	person := 0
	for g, n := range []int{12, 11, 8, 3} {
		group := []string{"health", "council", "settings", "family"}[g]
		for range n {
			r := results.Response{Group: group, Answers: map[string]results.Answer{}}
			for e, id := range []string{"vision", "needs", "partnership", "assets"} {
				a := results.Answer{Rating: matrix.Rating(min(max(int(math.Round(rng.NormFloat64()*0.7+1.5+float64(e)*0.5)), 1), 4))}
				if e == 2 && g == 3 || e == 3 && person > 3 {
					a.Rating = matrix.DontKnow
				}
				if e == 0 && person < len(notes) {
					a.Detail = results.Detail{Note: notes[person], Barrier: "=" + notes[person], Information: []string{"data"}}
				}
				r.Answers[id] = a
			}
			person++
			tally.Add(r)
		}
	}
	tally.SetTurnout(results.Turnout{
		Invited: 40, Started: 1, Finished: 36, Declined: 2, Withdrawn: 1,
		Roles:    []results.RoleCount{{Role: "midwife", Invited: 14, Finished: 12}, {Role: "manager", Invited: 20, Finished: 19}},
		Unstated: results.RoleCount{Invited: 5, Finished: 5},
	})
	return results.Publish(tally, results.Context{
		Round: "r1", Area: area, MinGroup: 5, Consensus: results.Consensus{Percent: 70},
	})
}

var english = Words{
	Title: "Results for Llanwnog", Facts: []Fact{{"Local area", "Llanwnog"}, {"Minimum group", "5"}},
	Above:     []string{"[c] hidden: fewer than 5 people, or it would tell of fewer than 5. [x] not available. [z] does not apply."},
	Below:     []string{"Percentages are of those who rated (n), rounded half to even.", "Agreed: 70 % or more on one level and no far minority."},
	Dimension: "Dimension", Element: "Key element", Group: "Role group", Rated: "Rated", DontKnow: "Don't know", NotApplicable: "Not applicable",
	NotAnswered: "Not answered", Mode: "Most common level", ModeShare: "Share on it", Median: "Median", WithinOne: "Within one level of the median",
	Agreement: "Agreement", FarMinority: "Far minority", Result: "Result", Role: "Role", Invited: "Invited", Finished: "Finished", Workshops: "In the report (%)", Kind: "Kind", Text: "Text",
	ShortRated: "n", ShortAgreement: "A", Consensus: "consensus", Close: "close", Split: "split", Yes: "yes", No: "no", Everyone: "Everyone", NotStated: "Not stated",
	Comment: "Comment", Barrier: "Barrier", CountInvited: "Invited", CountStarted: "Started", CountFinished: "Finished", CountDeclined: "Declined",
	CountWithdrawn: "Withdrawn", CountRespondents: "Answered anything", Agenda: "Agenda: most disagreement first", Held: "Held:",
	Sheets: SheetTitles{"Summary", "Elements", "Role groups", "Comments", "Representation", "Notes"},
}

func golden(t *testing.T, name, got string) {
	t.Helper()
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
		t.Errorf("%s differs: run with -update and read what changed. Got:\n%s", path, got)
	}
}

func TestText(t *testing.T) {
	p := published("Llanwnog")
	golden(t, "everyone.txt", Text(p, matrix.English, english, 72))
	golden(t, "narrow.txt", Text(p, matrix.Welsh, english, 56))
	golden(t, "groups.txt", GroupText(p, matrix.English, english, 72))
}

func TestTextKeepsToItsWidth(t *testing.T) {
	p := published("Llanwnog")
	for _, lang := range []matrix.Lang{matrix.English, matrix.Welsh} {
		for _, width := range []int{52, 60, 72, 100} {
			for _, text := range []string{Text(p, lang, english, width), GroupText(p, lang, english, width)} {
				for line := range strings.Lines(text) {
					if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
						t.Errorf("%d characters of %d: %q", n, width, line)
					}
				}
			}
		}
	}
	if text := Text(p, matrix.Welsh, Words{}, 10); !strings.Contains(text, "Gweledigae") {
		t.Errorf("too narrow, names are gone:\n%s", text)
	}
}

func TestCSV(t *testing.T) {
	b, err := CSV(published("Llanwnog"), matrix.Welsh, english)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "results.csv", string(b))
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + (4+2)*5; len(records) != want {
		t.Errorf("%d rows, want %d", len(records), want)
	}
}

var formulas = []string{
	"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "\x00=1", "=HYPERLINK(\"http://x\",\"y\")", "fine, \"quoted\"\nand more", "'=1",
}

func TestCSVHoldsNoFormula(t *testing.T) {
	for _, text := range formulas {
		p := published(text)
		p.Matrix.Dimensions[0].CoreElements[0].Elements[0].Name = both(text, text)
		p.Matrix.RoleGroups[0].Name = both(text, text)
		words := english
		words.Everyone = text
		b, err := CSV(p, matrix.English, words)
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records[1:] {
			for i, field := range record {
				numeric := records[0][i] == "agreement" // may be below zero
				if start := strings.TrimLeft(field, " \u00a0"); !numeric && start != "" && strings.ContainsAny(start[:1], "=+-@\t\r\n\x00") || strings.HasPrefix(field, "＝") {
					t.Errorf("%q: %s is %q", text, records[0][i], field)
				}
			}
		}
	}
	if got := rows.Safe("Llanwnog"); got != "Llanwnog" {
		t.Errorf("a plain text became %q", got)
	}
}

func open(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	if dir := os.Getenv("TABLE_DIR"); dir != "" { // to look at
		if err := os.WriteFile(filepath.Join(dir, "results.xlsx"), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestXLSX(t *testing.T) {
	b, err := XLSX(published("Llanwnog", "Da iawn", "Good"), matrix.English, english)
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, b)
	var all strings.Builder
	for _, sheet := range f.GetSheetList() {
		lines, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "== %s\n", sheet)
		for _, line := range lines {
			fmt.Fprintln(&all, strings.Join(line, " | "))
		}
	}
	golden(t, "results.xlsx.txt", all.String())
	for cell, want := range map[string]excelize.CellType{"C6": excelize.CellTypeUnset, "A6": excelize.CellTypeSharedString} {
		if got, err := f.GetCellType("Elements", cell); err != nil || got != want {
			v, _ := f.GetCellValue("Elements", cell)
			t.Errorf("%s (%s) is of type %v, %v", cell, v, got, err)
		}
	}
}

func TestXLSXEscaping(t *testing.T) {
	p := published("=cmd", formulas...)
	words := english
	words.Facts = nil
	for _, text := range formulas {
		words.Facts = append(words.Facts, Fact{text, text})
	}
	b, err := XLSX(p, matrix.English, words)
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, b)
	found := map[string]bool{}
	for _, sheet := range f.GetSheetList() {
		lines, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for y, line := range lines {
			for x, value := range line {
				at, _ := excelize.CoordinatesToCellName(x+1, y+1)
				if formula, err := f.GetCellFormula(sheet, at); err != nil || formula != "" {
					t.Errorf("%s %s is the formula %q, %v", sheet, at, formula, err)
				}
				kind, err := f.GetCellType(sheet, at)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(value, "1") && kind == excelize.CellTypeSharedString {
					found[value] = true
				}
			}
		}
	}
	for _, text := range formulas {
		want := plaintext.Clean(text)
		if strings.Contains(text, "1") && !found[want] {
			t.Errorf("%q is not there as it was written", want)
		}
	}
}

func TestSheetsPrintOnePageWide(t *testing.T) {
	raw, err := XLSX(published("Llanwnog"), matrix.English, english)
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, raw)
	for _, sheet := range f.GetSheetList() {
		props, err := f.GetSheetProps(sheet)
		if err != nil {
			t.Fatal(err)
		}
		layout, err := f.GetPageLayout(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if !*props.FitToPage || *layout.Orientation != "landscape" || *layout.FitToWidth != 1 {
			t.Errorf("%s: fit %v, %s, %d wide", sheet, *props.FitToPage, *layout.Orientation, *layout.FitToWidth)
		}
	}
}

func TestSheetNames(t *testing.T) {
	words := english
	long := strings.Repeat("Cynrychiolaeth ", 4)
	words.Sheets = SheetTitles{"a/b:c[d]", "", "'Elements'", "elements", long, long}
	b, err := XLSX(published("Llanwnog"), matrix.English, words)
	if err != nil {
		t.Fatal(err)
	}
	names := open(t, b).GetSheetList()
	if got := strings.Join(names, "|"); got != "abcd|Elements|Elements 2|elements 3|Cynrychiolaeth Cynrychiolaeth C|Cynrychiolaeth Cynrychiolaeth 2" {
		t.Errorf("sheets %s", got)
	}
}

func BenchmarkXLSX(b *testing.B) {
	p := published("Llanwnog", "a note")
	for b.Loop() {
		if _, err := XLSX(p, matrix.English, english); err != nil {
			b.Fatal(err)
		}
	}
}

// A phone shows 30 characters of a line, whatever the number of levels.
func TestSharesKeepToAPhone(t *testing.T) {
	for n := 2; n <= 7; n++ {
		m := testMatrix()
		m.Levels = nil
		for i := range n {
			m.Levels = append(m.Levels, matrix.Level{ID: fmt.Sprint("l", i), Name: both(fmt.Sprint("Level number ", i+1), fmt.Sprint("Lefel rhif ", i+1))})
		}
		tally := results.NewTally(m)
		for range 6 {
			tally.Add(results.Response{Group: "health", Answers: map[string]results.Answer{"vision": {Rating: matrix.Rating(n)}}})
		}
		p := results.Publish(tally, results.Context{Round: "r1", Area: "A", MinGroup: 5, Consensus: results.Consensus{Percent: 70}})
		text := Shares(p, matrix.Welsh, 30)
		if want := strings.Repeat("   0", n-1) + " 100\n"; !strings.Contains(text, want) {
			t.Errorf("%d levels: %q is not in\n%s", n, want, text)
		}
		if !strings.Contains(text, strings.Repeat(" [c]", n)) {
			t.Errorf("%d levels: what is hidden is not said\n%s", n, text)
		}
		for line := range strings.Lines(text) {
			if width := utf8.RuneCountInString(strings.TrimRight(line, "\n")); width > 30 {
				t.Errorf("%d levels: %d characters: %s", n, width, line)
			}
		}
	}
}

// TestLegendIsWrapped checks that the explanation above each table can be read as a whole.
func TestLegendIsWrapped(t *testing.T) {
	words := english
	words.Above = []string{strings.Repeat("what the symbols mean ", 24)}
	raw, err := XLSX(published("Llanwnog"), matrix.English, words)
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, raw)
	for _, sheet := range f.GetSheetList() {
		text, err := f.GetCellValue(sheet, "A2")
		if err != nil || !strings.HasPrefix(text, "what the symbols mean ") {
			continue
		}
		id, err := f.GetCellStyle(sheet, "A2")
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil || style.Alignment == nil || !style.Alignment.WrapText {
			t.Errorf("%s: A2 is not wrapped, %v", sheet, err)
		}
		height, err := f.GetRowHeight(sheet, 2)
		if err != nil || sheet != words.Sheets.Notes && height < 4*15 {
			t.Errorf("%s: the row of A2 has a height of %v, %v", sheet, height, err)
		}
	}
}
