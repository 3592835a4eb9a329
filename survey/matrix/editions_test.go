package matrix

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// rows are the key elements in the order of the report's appendix B.
var rows = []string{
	"Strategy: vision, strategy & plan", "Strategy: population needs", "Commissioning / resources", "Workforce planning",
	"Partnership", "Leadership", "Community engagement", "Community assets",
	"Quality", "Evidence-based programmes", "Co-ordinated working", "Sharing personal data", "Information for families",
	"Outcomes framework", "Family access and experience", "Using evidence well", "Local evaluation",
}

// rolesOf are the rows of the report's table 1 that a nation has.
var rolesOf = map[string][]string{
	"england": {
		"Public health strategist", "Director of children's services / social care / education", "Local authority commissioning",
		"Local authority manager / team leader", "Local authority practitioner", "Health visitor", "Midwife / maternity",
		"Speech & language therapist", "Clinical commissioning group", "Other health leaders", "Voluntary & community organisations",
		"Children's centre / Family centre / Flying Start", "Schools (incl. school nurseries)", "Other early years settings", "Parents",
	},
	"wales": {
		"Public health strategist", "Director of children's services / social care / education",
		"Local authority manager / team leader", "Local authority practitioner", "Health visitor", "Midwife / maternity",
		"Speech & language therapist", "Other health leaders", "Voluntary & community organisations",
		"Children's centre / Family centre / Flying Start", "Schools (incl. school nurseries)", "Other early years settings", "Parents",
		"Families First",
	},
}

// wording is one text of a matrix: where it stands, and how long the editions let it be.
type wording struct {
	where string
	most  int
	text  Text
}

func wordings(m *Matrix) []wording {
	all := []wording{{"nation", 70, m.Nation}, {"name", 150, m.Name}, {"about", 300, m.About}}
	add := func(most int, t Text, where string, args ...any) {
		all = append(all, wording{fmt.Sprintf(where, args...), most, t})
	}
	for _, l := range m.Levels {
		add(22, l.Name, "level %s", l.ID)
		add(22, l.Short, "short %s", l.ID)
		add(160, l.Meaning, "meaning %s", l.ID)
	}
	for _, d := range m.Dimensions {
		add(20, d.Name, "dimension %s", d.ID)
		add(160, d.About, "about %s", d.ID)
		for i, c := range d.CoreElements {
			add(80, c.Name, "core element %d of %s", i+1, d.ID)
			for _, e := range c.Elements {
				add(60, e.Name, "name of %s", e.ID)
				add(200, e.Question, "question of %s", e.ID)
				add(160, e.Help, "help of %s", e.ID)
				for i, t := range e.Descriptors {
					add(260, t, "%s of %s", m.Levels[i].ID, e.ID)
				}
			}
		}
	}
	for _, g := range m.RoleGroups {
		add(70, g.Name, "role group %s", g.ID)
		for _, role := range g.Roles {
			add(70, role.Name, "role %s", role.ID)
		}
	}
	for _, k := range m.Information {
		add(70, k.Name, "information %s", k.ID)
	}
	return all
}

func TestEditions(t *testing.T) {
	all := Editions()
	if len(all) != 2 || all[0].ID != "england" || all[1].ID != "wales" {
		t.Fatalf("editions %v, want england and wales", all)
	}
	for _, m := range all {
		t.Run(m.ID, func(t *testing.T) {
			var found []string
			for _, e := range m.Elements() {
				found = append(found, e.Also...)
			}
			if !slices.Equal(found, rows) {
				t.Errorf("elements\n%q\nwant\n%q", found, rows)
			}
			count := []int{4, 4, 5, 4} // Plan, Lead, Deliver, Evaluate
			for i, d := range m.Dimensions {
				if i >= len(count) || len(d.Elements()) != count[i] {
					t.Errorf("dimension %s has %d elements, want %v", d.ID, len(d.Elements()), count)
				}
			}
			if !slices.Equal(m.Languages, []Lang{English, Welsh}) {
				t.Errorf("languages %v", m.Languages)
			}
			var levels, groups, roles []string
			for _, l := range m.Levels {
				levels = append(levels, l.ID)
			}
			if !slices.Equal(levels, []string{"basic", "early", "substantial", "mature"}) {
				t.Errorf("levels %q", levels)
			}
			for _, g := range m.RoleGroups {
				groups = append(groups, g.ID)
				for _, r := range g.Roles {
					roles = append(roles, r.Also[0]) // the others are names that earlier versions had
				}
			}
			if !slices.Equal(groups, []string{"health", "council", "education", "community"}) {
				t.Errorf("role groups %q", groups)
			}
			want := slices.Sorted(slices.Values(rolesOf[m.ID]))
			if slices.Sort(roles); !slices.Equal(roles, want) {
				t.Errorf("roles\n%q\nwant\n%q", roles, want)
			}
			if len(m.Information) == 0 {
				t.Error("no kinds of information")
			}
		})
	}
}

// What is the same in both editions goes by the same id, so that areas of both nations can be read
// together.
func TestEditionsShareIDs(t *testing.T) {
	all := Editions()
	ids := func(m *Matrix) (out []string) {
		for _, e := range m.Elements() {
			out = append(out, e.ID)
		}
		for _, k := range m.Information {
			out = append(out, k.ID)
		}
		return out
	}
	if a, b := ids(all[0]), ids(all[1]); !slices.Equal(a, b) {
		t.Errorf("england\n%q\nwales\n%q", a, b)
	}
	for _, role := range all[0].Roles() {
		for _, other := range all[1].Roles() {
			if (role.Also[0] == other.Also[0]) != (role.ID == other.ID) {
				t.Errorf("role %s %q of England and %s %q of Wales", role.ID, role.Also, other.ID, other.Also)
			}
		}
	}
}

// TestEditionsStayAsPublished: rounds keep the fingerprint of the edition they opened with. An edition
// that was released is not changed; a new version is. A change of how a fingerprint is made would have
// the bot refuse to start.
func TestEditionsStayAsPublished(t *testing.T) {
	want := map[string]string{
		"england 1": "75192e7d993a6344",
		"england 2": "90868bfab16af8da",
		"wales 1":   "00eac46173333d9e",
		"wales 2":   "6a3e84ef8ef71f96",
	}
	for _, m := range slices.Concat(Editions(), EarlierEditions()) {
		name := fmt.Sprintf("%s %d", m.ID, m.Version)
		if got := m.Fingerprint(); got != want[name] {
			t.Errorf("%s has the fingerprint %s, want %s", name, got, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is gone", name)
	}
}

// TestEditionsReadEarlierNames: lists and tables that people keep hold the names of earlier versions.
func TestEditionsReadEarlierNames(t *testing.T) {
	before := EarlierEditions()
	for i, m := range Editions() {
		v := NewVocabulary(m)
		for _, role := range before[i].Roles() {
			for _, name := range role.Names() {
				if id, err := v.Role(name); err != nil || id != role.ID {
					t.Errorf("%s: the role %q is %q, %v; want %s", m.ID, name, id, err, role.ID)
				}
			}
		}
		for _, e := range before[i].Elements() {
			for _, name := range e.Names() {
				if id, err := v.Element(name); err != nil || id != e.ID {
					t.Errorf("%s: the element %q is %q, %v; want %s", m.ID, name, id, err, e.ID)
				}
			}
		}
	}
}

// An edition uses the words of its nation.
func TestEditionsWords(t *testing.T) {
	banned := map[string]*regexp.Regexp{
		"england": regexp.MustCompile(`(?i)families first|teuluoedd yn gyntaf|flying start|dechrau'n deg`),
		"wales":   regexp.MustCompile(`(?i)commission|[cg]?h?omisiyn|family hub|integrated care board|children's centre`),
	}
	english := regexp.MustCompile(`(?i)\b(the|and|with|of)\b`)
	for _, m := range Editions() {
		for _, w := range wordings(m) {
			for lang, s := range w.text {
				if word := banned[m.ID].FindString(s); word != "" {
					t.Errorf("%s, %s in %s: %q is not a word of this nation: %s", m.ID, w.where, lang, word, s)
				}
			}
			if word := english.FindString(w.text[Welsh]); word != "" {
				t.Errorf("%s, %s: the Welsh holds %q: %s", m.ID, w.where, word, w.text[Welsh])
			}
		}
	}
}

func TestEditionsTexts(t *testing.T) {
	for _, m := range Editions() {
		for _, w := range wordings(m) {
			for lang, s := range w.text {
				if n := utf8.RuneCountInString(s); n > w.most {
					t.Errorf("%s, %s in %s: %d characters, want at most %d: %s", m.ID, w.where, lang, n, w.most, s)
				}
			}
			if w.text[English] == w.text[Welsh] {
				t.Errorf("%s, %s: the Welsh is the English: %s", m.ID, w.where, w.text[Welsh])
			}
		}
		for _, e := range m.Elements() {
			for lang := range e.Question {
				seen := map[string]bool{}
				for _, d := range e.Descriptors {
					if words := strings.Join(onlyLetters(d[lang]), " "); seen[words] {
						t.Errorf("%s, %s in %s: two descriptors alike: %s", m.ID, e.ID, lang, d[lang])
					} else {
						seen[words] = true
					}
				}
				if !strings.HasSuffix(e.Question[lang], "?") {
					t.Errorf("%s, %s in %s: no question: %s", m.ID, e.ID, lang, e.Question[lang])
				}
			}
		}
	}
}

var notLetters = regexp.MustCompile(`[^\p{L}]+`)

// onlyLetters returns the words of a text in lower case.
func onlyLetters(s string) []string {
	return strings.Fields(notLetters.ReplaceAllString(strings.ToLower(s), " "))
}

// shingle is how many words in a row make a sentence recognisable.
const shingle = 7

func shingles(s string) []string {
	words := onlyLetters(s)
	var all []string
	for i := 0; i+shingle <= len(words); i++ {
		all = append(all, strings.Join(words[i:i+shingle], " "))
	}
	return all
}

// The report's licence lets us use its facts, not its sentences. Its text is not part of this
// repository.
func TestEditionsAreOwnWords(t *testing.T) {
	report, err := os.ReadFile("../../../shared/reference/eif-report.txt")
	switch {
	case errors.Is(err, fs.ErrNotExist) && os.Getenv("MATURITYBOT_REQUIRE_SPECS") != "1":
		t.Skip("not checked: the report's text is not at ../shared/reference/eif-report.txt beside the repository")
	case err != nil:
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, s := range shingles(string(report)) {
		known[s] = true
	}
	if len(known) < 10_000 {
		t.Fatalf("the report has %d runs of %d words only", len(known), shingle)
	}
	for _, m := range Editions() {
		for _, w := range wordings(m) {
			for lang, s := range w.text {
				for _, words := range shingles(s) {
					if known[words] {
						t.Errorf("%s, %s in %s: the report says %q", m.ID, w.where, lang, words)
					}
				}
			}
		}
	}
}

// TestRolesStandBesideTheReport: every role of an edition has its percentage of the report's Table
// 1.
func TestRolesStandBesideTheReport(t *testing.T) {
	editions := Editions()
	want := map[string]map[string]int{
		"england": {"public-health": 30, "director": 30, "manager": 100, "health-visitor": 60, "voluntary": 90, "parent": 10},
		"wales":   {"public-health": 10, "director": 0, "manager": 100, "health-visitor": 70, "voluntary": 60, "parent": 0},
	}
	for _, m := range editions {
		for _, role := range m.Roles() {
			if role.Workshops == nil {
				t.Errorf("%s: %s has no figure", m.ID, role.ID)
			} else if v, ok := want[m.ID][role.ID]; ok && *role.Workshops != v {
				t.Errorf("%s: %s has %d, want %d", m.ID, role.ID, *role.Workshops, v)
			}
			delete(want[m.ID], role.ID)
		}
		if len(want[m.ID]) > 0 {
			t.Errorf("%s lacks the roles %v", m.ID, want[m.ID])
		}
	}
}
