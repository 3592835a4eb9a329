package locale

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"maturitybot/survey/readability"
)

// readers groups the sentences by what they are for; the first group that has the key counts.
var readers = []struct {
	group       string
	stakeholder bool
	keys        *regexp.Regexp
}{
	{"command line and areas", false, regexp.MustCompile(`^(terminal|try|areas)\.`)},
	{"notice", true, regexp.MustCompile(`^notice\.`)},
	{"invitation", true, regexp.MustCompile(`^(invitation|declined|withdrawn|call|language)\.`)},
	{"reminders", true, regexp.MustCompile(`^(reminder|tomorrow|quiet)\.|^workshop\.soon`)},
	{"survey cards", true, regexp.MustCompile(`^(over|me|scope|organisation|element|saved|answers?|` +
		`detail|list|levels|review|receipt|kept|erase|fresh|home|help)\.`)},
	{"errors", true, regexp.MustCompile(`^(error|input)\.`)},
	{"results and files", false, regexp.MustCompile(`^(results|agenda|chart|table|export)\.`)},
	{"coordinator", false, regexp.MustCompile(`.`)},
}

// example fills the places of a sentence with words like those that come there.
var example = strings.NewReplacer(
	"{{.area}}", "Northshire", "{{.closes}}", "5pm on Friday 11 December",
	"{{.closed}}", "5pm on Friday 11 December", "{{.when}}", "10am on Friday 18 December",
	"{{.until}}", "Saturday 11 December", "{{.day}}", "Monday 7 December", "{{.place}}", "",
	"{{.min}}", "5", "{{.limit}}", "500", "{{.n}}", "17", "{{.done}}", "3", "{{.from}}", "15",
	"{{.to}}", "18", "{{.answer}}", "Early progress", "{{.element}}", "A shared vision",
)

// graded returns the English sentences of a group, filled in. Labels and lists have no full stop;
// they are not sentences.
func graded(t *testing.T) map[string]map[string]string {
	groups := map[string]map[string]string{}
	for key, texts := range sentences(t, "en") {
		for form, text := range texts {
			if form == "one" || !strings.HasSuffix(text, ".") || strings.HasPrefix(key, "time.") {
				continue
			}
			for _, r := range readers {
				if r.keys.MatchString(key) {
					if groups[r.group] == nil {
						groups[r.group] = map[string]string{}
					}
					groups[r.group][key] = example.Replace(text)
					break
				}
			}
		}
	}
	return groups
}

// TestReadingGrades holds each text for a stakeholder to nine years of school, and each other
// group to that on average. With -v it prints the groups.
func TestReadingGrades(t *testing.T) {
	const most = 9.0
	groups := graded(t)
	for _, r := range readers {
		texts := groups[r.group]
		hardest, highest, sum := "", -10.0, 0.0
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			grade := readability.Grade(texts[key])
			sum += grade
			if grade > highest {
				hardest, highest = key, grade
			}
			if r.stakeholder && grade > most {
				t.Errorf("%s: grade %.1f, want at most %.0f: %s", key, grade, most, texts[key])
			}
		}
		mean := sum / float64(max(len(texts), 1))
		t.Logf("%-24s %3d texts, mean grade %4.1f, highest %4.1f (%s)",
			r.group, len(texts), mean, highest, hardest)
		if mean > most {
			t.Errorf("%s: mean grade %.1f, want at most %.0f", r.group, mean, most)
		}
	}
}

// banned are words of another kind of English or Welsh than people speak, by language.
var banned = map[string]*regexp.Regexp{
	"en": regexp.MustCompile(`(?i)\b(by itself|mend|mended|steer|stand|stands|whoever|whom|name no|` +
		`talk(ed)? about|hear of|takes no|in any case|erased?|per cent|need not|somebody|` +
		`anybody|everybody)\b|nobody.*can be told|may not\b|\bto nobody\b`),
	// What a formal Welsh would say, calques, and what a number can mutate. "llai na 5" is written
	// like this before every number.
	"cy": regexp.MustCompile(`(?i)\bni (fydd|ch|wahodd|chof|all\b|roddir)|\biddynt\b|\barnynt\b|` +
		`\bohonynt\b|\bRwyf\b|\bnid oes\b|\bohono'i hun\b|\bpwy bynnag\b|\bbeth bynnag\b|` +
		`\bgohiri|\bsut mae pethau'n mynd|\bni? ellir\b|\bo'r diwedd\b|\bdim ond os\b|` +
		`[^i] na \{\{|\bcaiff\b|\bcânt\b|(?-i:[A-Z]\w*wyd\b)`),
}

// please are the sentences in which the bot asks a favour.
var please = []string{
	"invitation.how", "tomorrow.closes", "workshop.unheard",
}

// TestWording holds every sentence to the words that CONTRIBUTING asks for.
func TestWording(t *testing.T) {
	for lang, wrong := range banned {
		for key, texts := range sentences(t, lang) {
			for _, text := range texts {
				if found := wrong.FindString(text); found != "" {
					t.Errorf("%s: %s says %q: %s", lang, key, found, text)
				}
				favour := regexp.MustCompile(`(?i)\bplease\b|os gwelwch yn dda`).MatchString(text)
				if favour && !slices.Contains(please, key) {
					t.Errorf("%s: %s says please, and asks no favour: %s", lang, key, text)
				}
				if strings.Contains(text, ";") {
					t.Errorf("%s: %s has a semicolon: %s", lang, key, text)
				}
			}
		}
	}
}

// TestSentencesAreShort allows 25 words in a sentence, and five in brackets.
func TestSentencesAreShort(t *testing.T) {
	ends := regexp.MustCompile(`[.?!:](\s|$)| · `)
	brackets := regexp.MustCompile(`\(([^)]*)\)`)
	for lang := range forms {
		for key, texts := range sentences(t, lang) {
			for _, text := range texts {
				for _, sentence := range ends.Split(example.Replace(text), -1) {
					if n := len(strings.Fields(sentence)); n > 25 {
						t.Errorf("%s: %s has a sentence of %d words: %s", lang, key, n, sentence)
					}
				}
				for _, b := range brackets.FindAllStringSubmatch(text, -1) {
					if n := len(strings.Fields(b[1])); n > 5 {
						t.Errorf("%s: %s has %d words in brackets: %s", lang, key, n, text)
					}
				}
			}
		}
	}
}
