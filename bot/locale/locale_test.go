package locale

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// forms are the plural forms that CLDR gives each language (cldr/common/supplemental/plurals.xml).
var forms = map[string][]string{
	"en": {"one", "other"},
	"cy": {"zero", "one", "two", "few", "many", "other"},
}

// sentences reads a file into key -> plural form ("" for none) -> text.
func sentences(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	raw, err := os.ReadFile(lang + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	var walk func(key string, node any)
	walk = func(key string, node any) {
		switch x := node.(type) {
		case string:
			all[key] = map[string]string{"": x}
		case map[string]any:
			if _, plural := x["other"]; plural {
				all[key] = map[string]string{}
				for form, text := range x {
					all[key][form], _ = text.(string)
				}
				return
			}
			for name, child := range x {
				walk(strings.TrimPrefix(key+"."+name, "."), child)
			}
		default:
			t.Errorf("%s: %s is %T, want text", lang, key, node)
		}
	}
	walk("", tree)
	return all
}

var place = regexp.MustCompile(`\{\{\.?(\w+)\}\}|\{(\w+)\}`)

func places(texts map[string]string) []string {
	var names []string
	for _, text := range texts {
		for _, m := range place.FindAllString(text, -1) {
			if m != "{{.n}}" && !slices.Contains(names, m) { // a form may say its number in words
				names = append(names, m)
			}
		}
	}
	slices.Sort(names)
	return names
}

func TestLanguagesHaveSameKeys(t *testing.T) {
	en, cy := sentences(t, "en"), sentences(t, "cy")
	for key := range cy {
		if en[key] == nil {
			t.Errorf("%s is in cy.yaml only", key)
		}
	}
	for key, texts := range en {
		other := cy[key]
		if other == nil {
			t.Errorf("%s is in en.yaml only", key)
			continue
		}
		if a, b := places(texts), places(other); !slices.Equal(a, b) {
			t.Errorf("%s fills in %v in English and %v in Welsh", key, a, b)
		}
		if _, plural := texts[""]; plural != hasNoForms(other) {
			t.Errorf("%s has plural forms in one language only", key)
		}
	}
}

func hasNoForms(texts map[string]string) bool { _, plain := texts[""]; return plain }

func TestPluralFormsAreComplete(t *testing.T) {
	for lang, want := range forms {
		for key, texts := range sentences(t, lang) {
			for form, text := range texts {
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s: %s %s is empty", lang, key, form)
				}
				if form != "" && !slices.Contains(want, form) {
					t.Errorf("%s: %s has a form %q", lang, key, form)
				}
			}
			for _, form := range want {
				if !hasNoForms(texts) && texts[form] == "" {
					t.Errorf("%s: %s lacks the form %q", lang, key, form)
				}
			}
		}
	}
}

func TestSayAndCount(t *testing.T) {
	words := New()
	en, cy := words.In("en"), words.In("cy")
	for _, c := range []struct{ got, want string }{
		{en.Say("element.step", "i", 3, "n", 17), "3 of 17"},
		{cy.Say("element.step", "i", 3, "n", 17), "3 o 17"},
		{en.Count("invite.sent", 1), "I am inviting 1 person. The message is on its way."},
		{en.Count("invite.sent", 0), "I am inviting 0 people. The messages are on their way."},
		{cy.Count("invite.sent", 0), "Doedd neb newydd i'w wahodd."},
		{cy.Count("invite.sent", 1), "Rydw i'n gwahodd 1 person. Mae'r neges ar ei ffordd."},
		{cy.Count("invite.sent", 2), "Rydw i'n gwahodd 2 berson. Mae'r negeseuon ar eu ffordd."},
		{cy.Count("invite.sent", 3), "Rydw i'n gwahodd 3 pherson. Mae'r negeseuon ar eu ffordd."},
		{cy.Count("invite.sent", 6), "Rydw i'n gwahodd 6 pherson. Mae'r negeseuon ar eu ffordd."},
		{cy.Count("invite.sent", 17), "Rydw i'n gwahodd 17 o bobl. Mae'r negeseuon ar eu ffordd."},
		{words.In("fr").Say("button.back"), "‹ Back"},
		{en.Say("no.such"), "⟦no.such⟧"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestLookup(t *testing.T) {
	words := New()
	if said, ok := words.In("cy").Lookup("button.save"); !ok || said != "Cadw" {
		t.Errorf("got %q, %v", said, ok)
	}
	if said, ok := words.In("cy").Lookup("no.such"); ok || said != "" {
		t.Errorf("a key that does not exist: got %q, %v", said, ok)
	}
}

func TestUserTextIsNotTemplate(t *testing.T) {
	words := New()
	const nasty = `{{.n}} {{template "x"}} <b>%s</b>`
	if got := words.In("en").Say("detail.note", "text", nasty); got != "Comment: "+nasty {
		t.Errorf("got %q", got)
	}
}

// TestSentenceLengths holds the texts of forms and buttons to what both platforms take (see
// chat.Limits: a form's title 24, a field's label 45, its hint 100), and buttons to what is still
// read on a phone.
func TestSentenceLengths(t *testing.T) {
	places := []struct {
		keys  *regexp.Regexp
		limit int
	}{
		{
			regexp.MustCompile(
				`^(new|invite|extend|team|detail|plan|posts)\.title$|^button\.(save|cancel|continue|invite)$`,
			),
			24,
		},
		{
			regexp.MustCompile(
				`^new\.(area|matrix|languages|closes|closes_time|workshop|workshop_time|place|time_zone|min_group|agreed|far)$|^plan\.(before_close|before_workshop|hour|spec|posts|digest)$|^invite\.(people|role|channel|list)$|_label$|^team\.people$`,
			),
			45,
		},
		{regexp.MustCompile(`_hint$|\.hint$|^command\.(about|option|\w+\.about)`), 100},
		{regexp.MustCompile(`^command\.app$`), 140},
		{regexp.MustCompile(`^button\.|^answer\.(dont_know|not_applicable)$`), 40},
		{regexp.MustCompile(`^erase\.ask$|^close\.confirm$`), 300},
		{regexp.MustCompile(`^(erase|close)\.(yes|no)$`), 30},
		{regexp.MustCompile(`^table\.sheets\.`), 31},
	}
	for _, lang := range []string{"en", "cy"} {
		for key, texts := range sentences(t, lang) {
			for _, p := range places {
				text := strings.ReplaceAll(texts[""], "{{.limit}}", "500")
				if n := len([]rune(text)); p.keys.MatchString(key) && n > p.limit {
					t.Errorf(
						"%s: %s has %d characters, at most %d: %s",
						lang,
						key,
						n,
						p.limit,
						text,
					)
				}
			}
		}
	}
}
