package matrix

import (
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"maturitybot/survey/readability"
)

// situation is something that an area may be like, with the level that fits.
type situation struct {
	Level     string
	Situation string
	Because   string // words of that level's descriptor, which are true
	Missing   string // words of the next level's descriptor, which are not; none at the last level
}

// TestSituations checks the table of situations: a reader can dispute each, because it names one
// level and quotes the words that decide, of that level and of the next one. Whether the level is
// right is for people to judge.
func TestSituations(t *testing.T) {
	raw, err := os.ReadFile("testdata/situations.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var table map[string][]situation
	if err := yaml.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	m := Editions()[0]
	seen := map[string]bool{}
	for _, e := range m.Elements() {
		count := map[string]int{}
		for _, s := range table[e.ID] {
			level := m.level(s.Level)
			if level < 0 {
				t.Errorf("%s: there is no level %q", e.ID, s.Level)
				continue
			}
			count[s.Level]++
			if len(strings.Fields(s.Situation)) < 12 {
				t.Errorf("%s, %s: too short to argue with: %s", e.ID, s.Level, s.Situation)
			}
			if seen[s.Situation] {
				t.Errorf("%s, %s: this situation is there twice: %s", e.ID, s.Level, s.Situation)
			}
			seen[s.Situation] = true
			descriptor := e.Descriptors[level].In(English)
			if s.Because == "" || !strings.Contains(descriptor, s.Because) {
				t.Errorf("%s: %q are no words of %s: %s", e.ID, s.Because, s.Level, descriptor)
			}
			if level+1 == len(m.Levels) {
				if s.Missing != "" {
					t.Errorf("%s: no level is above %s to miss %q", e.ID, s.Level, s.Missing)
				}
				continue
			}
			above := e.Descriptors[level+1].In(English)
			if s.Missing == "" || !strings.Contains(above, s.Missing) {
				t.Errorf("%s, %s: %q are no words of the next level: %s", e.ID, s.Level, s.Missing, above)
			}
		}
		for _, l := range m.Levels {
			if count[l.ID] == 0 {
				t.Errorf("%s has no situation at %s", e.ID, l.ID)
			}
		}
		if count["early"] < 2 {
			t.Errorf("%s has %d situations at early, want one for each condition that can fail",
				e.ID, count["early"])
		}
		delete(table, e.ID)
	}
	for id := range table {
		t.Errorf("there is no element %q", id)
	}
}

// cue is something in the form of a descriptor that may give its level away.
type cue struct {
	level string
	form  *regexp.Regexp
}

// guess returns the level of the first cue that the descriptor has, or else substantial.
func guess(cues []cue, descriptor string) string {
	for _, c := range cues {
		if c.form.MatchString(descriptor) {
			return c.level
		}
	}
	return "substantial"
}

// TestLevelsNotGivenAwayByForm: people should weigh what a descriptor says. When these cues sort
// nearly all descriptors, people can answer by tone alone.
func TestLevelsNotGivenAwayByForm(t *testing.T) {
	const most = 60 // of 68
	all := map[string][]cue{
		"openings": {
			{"mature", regexp.MustCompile(`other areas`)},
			{"basic", regexp.MustCompile(`^(Partners|Leaders) (agree|say)|have agreed to`)},
			{"early", regexp.MustCompile(`\b(yet|still)\b`)},
		},
		"anywhere": {
			{"basic", regexp.MustCompile(`(Partners|Leaders|They) (agree|say|want)|have promised`)},
			{"early", regexp.MustCompile(`, or |\b(yet|still)\b`)},
			{"mature", regexp.MustCompile(`other areas|every year|each year|yearly|carr(y|ies) on`)},
		},
		"amounts": {
			{"basic", regexp.MustCompile(`\b([Nn]o|[Nn]obody|[Nn]one|[Oo]nly)\b|^Each`)},
			{"early", regexp.MustCompile(`^(Some|At least|An?)\b|, or `)},
			{"mature", regexp.MustCompile(`[Ee]very (few )?year|each year|yearly|carr(y|ies) on|[Nn]ew staff`)},
		},
	}
	for _, m := range Editions() {
		for name, cues := range all {
			score, total := 0, 0
			for _, e := range m.Elements() {
				for i, d := range e.Descriptors {
					total++
					if guess(cues, d.In(English)) == m.Levels[i].ID {
						score++
					}
				}
			}
			t.Logf("%s, cues %s: %d of %d", m.ID, name, score, total)
			if score > most {
				t.Errorf("%s: the cues %s sort %d of %d descriptors, want at most %d",
					m.ID, name, score, total, most)
			}
		}
	}
}

// Limits of the Flesch-Kincaid grade: nine years of school.
const (
	gradeOfGroup    = 9.0
	gradeOfQuestion = 9.0
)

// TestReadingGrade holds the English texts to grade 9: each question alone, other texts as a group.
func TestReadingGrade(t *testing.T) {
	for _, m := range Editions() {
		groups := map[string][]float64{}
		for _, e := range m.Elements() {
			question := readability.Grade(e.Question.In(English))
			if question > gradeOfQuestion {
				t.Errorf("%s, question of %s: grade %.1f: %s", m.ID, e.ID, question, e.Question.In(English))
			}
			groups["question"] = append(groups["question"], question)
			groups["help"] = append(groups["help"], readability.Grade(e.Help.In(English)))
			for i, d := range e.Descriptors {
				level := m.Levels[i].ID
				groups[level] = append(groups[level], readability.Grade(d.In(English)))
			}
		}
		groups["about"] = []float64{readability.Grade(m.About.In(English))}
		for name, grades := range groups {
			sum := 0.0
			for _, g := range grades {
				sum += g
			}
			mean := sum / float64(len(grades))
			t.Logf("%s, %s: mean grade %.1f, highest %.1f", m.ID, name, mean, slices.Max(grades))
			if mean > gradeOfGroup {
				t.Errorf("%s, %s: mean grade %.1f, want at most %.1f", m.ID, name, mean, gradeOfGroup)
			}
		}
	}
}

// TestReadingGradeOfKnownTexts compares with syllables counted by hand. The npm package syllable 5.0
// gives the same means for the editions within 0.2.
func TestReadingGradeOfKnownTexts(t *testing.T) {
	for text, want := range map[string]float64{
		"How far do partners use research and local figures when they decide what to do?":               6.0,
		"How well do partners know who uses support, who misses out, and what it is like for families?": 7.2,
		"How well do services work as one team around a family that needs extra help?":                  6.8,
		"How far do families here get programmes that careful research has shown to work?":              5.9,
		"The main partners share one needs assessment. Some have brought their figures together.":       4.2,
	} {
		if got := readability.Grade(text); math.Abs(got-want) > 0.5 {
			t.Errorf("grade %.1f, want %.1f: %s", got, want, text)
		}
	}
}
