package card

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// surveyed returns the published results of a matrix. ratings returns the ratings of one element by
// everybody who answered.
func surveyed(
	m *matrix.Matrix, turnout results.Turnout, ratings func(element int) []matrix.Rating,
) results.Published {
	tally := results.NewTally(m)
	var people []map[string]results.Answer
	for i, e := range m.Elements() {
		for n, rating := range ratings(i) {
			if n == len(people) {
				people = append(people, map[string]results.Answer{})
			}
			people[n][e.ID] = results.Answer{Rating: rating}
		}
	}
	for _, answers := range people {
		tally.Add(results.Response{Group: m.RoleGroups[0].ID, Answers: answers})
	}
	tally.SetTurnout(turnout)
	return results.Publish(tally, results.Context{
		Round: "abcdefghij", Area: "Northshire", MinGroup: 5,
		Consensus: results.Consensus{Percent: 70},
	})
}

// rated returns that many ratings on each level, lowest first.
func rated(counts ...int) []matrix.Rating {
	var all []matrix.Rating
	for level, n := range counts {
		for range n {
			all = append(all, matrix.Rating(level+1))
		}
	}
	return all
}

// results draws the results post in a language, and checks that it fits the platforms.
func (f fixture) results(t *testing.T, lang string, p results.Published) string {
	t.Helper()
	r := f.part.Round
	r.State = survey.Closed
	c := Results(f.words.In(lang), r, p, func(verb, lang string) chat.Action {
		return chat.NewAction(verb, string(r.ID), lang)
	})
	if err := c.Check(); err != nil {
		t.Fatalf("%v:\n%s", err, c)
	}
	return c.String()
}

// line returns the line of a text that holds the words.
func line(t *testing.T, text, words string) string {
	t.Helper()
	for l := range strings.Lines(text) {
		if strings.Contains(l, words) {
			return strings.TrimSpace(l)
		}
	}
	t.Fatalf("no line with %q in:\n%s", words, text)
	return ""
}

// TestResultsSayWhoWasNotHeardFrom: a role that is hidden with a small one stands beside it. Without it, readers could tell
// which of the hidden roles is the large one, and by that how many of the small one finished.
func TestResultsSayWhoWasNotHeardFrom(t *testing.T) {
	f := setUp(t)
	turnout := results.Turnout{Invited: 9, Finished: 6, Roles: []results.RoleCount{
		{Role: "midwife", Invited: 6, Finished: 5},
		{Role: "health-visitor", Invited: 3, Finished: 1},
		{Role: "parent"},
	}}
	p := surveyed(f.m, turnout, func(int) []matrix.Rating { return rated(2, 2, 3) })
	got := f.results(t, "en", p)
	for words, want := range map[string]string{
		"invited people": "7 of 9 invited people answered. This includes people who stopped before the end.",
		"hear more":      "Roles to hear more from, or not shown (minimum 5 people): Midwife · Health visitor",
		"nobody was":     "Roles that nobody was invited for, according to the list: Parent",
	} {
		if l := line(t, got, words); l != want {
			t.Errorf("got  %s\nwant %s", l, want)
		}
	}
}

func TestResultsCountCommentsAndBarriers(t *testing.T) {
	f := setUp(t)
	tally := results.NewTally(f.m)
	for n := range 6 {
		answers := map[string]results.Answer{}
		for i, e := range f.m.Elements() {
			a := results.Answer{Rating: matrix.Rating(1 + n%3)}
			if n <= 2*i { // 1, 3 and 5 comments; the last element has barriers as well
				a.Detail.Note = fmt.Sprint("note ", n)
			}
			if i == 2 && n < 2 {
				a.Detail.Barrier = fmt.Sprint("barrier ", n)
			}
			answers[e.ID] = a
		}
		tally.Add(results.Response{Answers: answers})
	}
	p := results.Publish(tally, results.Context{MinGroup: 5})
	want := "Comments: 9. Barriers to doing better: 2. " +
		"They are in the spreadsheet whose name begins with “maturity”. " +
		"Read them before you share it, because they may name people. " +
		"Most are on: Home visits (7), Money for it (3)."
	if got := line(t, f.results(t, "en", p), "Comments"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestResultsOfferToSetTheWorkshop(t *testing.T) {
	f := setUp(t)
	p := surveyed(f.m, results.Turnout{}, func(int) []matrix.Rating { return rated(2, 2, 3) })
	if got := f.results(t, "en", p); !strings.Contains(got, "[Set the workshop]") {
		t.Errorf("no button:\n%s", got)
	}
	f.part.Round.Workshop = survey.Workshop{
		At: time.Date(2026, 12, 18, 14, 0, 0, 0, time.UTC), Place: "Library",
	}
	got := f.results(t, "en", p)
	if strings.Contains(got, "[Set the workshop]") || !strings.Contains(line(t, got, "Library"), "18") {
		t.Errorf("no date, or a button to set it again:\n%s", got)
	}
}

// TestResultsOfEditionsAreWhole: the post of an edition lists every element with its whole
// distribution and every role that was not heard from, in the longest case.
func TestResultsOfEditionsAreWhole(t *testing.T) {
	f := setUp(t)
	editions := matrix.Editions()
	f.part.Round.Area = strings.Repeat("ŵ", survey.MaxAreaRunes)
	f.part.Round.Workshop = survey.Workshop{
		At:    time.Date(2026, 12, 18, 14, 0, 0, 0, time.UTC),
		Place: strings.Repeat("ŷ", survey.MaxPlaceRunes),
	}
	for _, m := range editions {
		var turnout results.Turnout
		for i, role := range m.Roles() {
			turnout.Roles = append(turnout.Roles, results.RoleCount{Role: role.ID, Invited: 12 * (i % 2)})
		}
		groups := [][]matrix.Rating{rated(30, 30, 30, 11), rated(60, 30, 10, 1), rated(71, 10, 10, 2)}
		p := surveyed(m, turnout, func(i int) []matrix.Rating { return groups[i%3] })
		for _, lang := range m.Languages {
			got := f.results(t, string(lang), p)
			v := f.words.In(string(lang))
			for _, e := range m.Elements() {
				if l := line(t, got, e.Name.In(lang)); strings.Count(l, "%") != len(m.Levels) {
					t.Errorf("%s, %s: %s", m.ID, lang, l)
				}
			}
			for _, role := range m.Roles() {
				line(t, got, role.Name.In(lang))
			}
			t.Logf("%s, %s: %d of %d characters", m.ID, lang, len([]rune(got)), chat.MaxCardText)
			if more, _, _ := strings.Cut(v.Count("agenda.more", 2), "2"); strings.Contains(got, " "+more+"2 ") {
				t.Errorf("%s, %s: something is left out:\n%s", m.ID, lang, got)
			}
		}
	}
}

// TestResultsOfAnyMatrixFit draws posts of invented matrices of all sizes, up to the limits of the
// loader, with texts as long as they may be.
func TestResultsOfAnyMatrixFit(t *testing.T) {
	words := locale.New()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		m := inventedMatrix(rng)
		r := survey.Round{
			ID: "abcdefghij", Area: strings.Repeat("ŵ", survey.MaxAreaRunes), State: survey.Closed,
			TimeZone: "Europe/London", Languages: []matrix.Lang{"cy", "en", "de"},
		}
		f := fixture{words: words, m: m, part: survey.Participation{Round: r}}
		turnout := results.Turnout{Invited: 10_000, Finished: 9}
		for i, role := range m.Roles() {
			turnout.Roles = append(turnout.Roles,
				results.RoleCount{Role: role.ID, Invited: 1000 * (i % 3), Finished: 5 * (i % 4 / 3)})
		}
		p := surveyed(m, turnout, func(int) []matrix.Rating {
			counts := make([]int, len(m.Levels))
			for range rng.IntN(40) {
				counts[rng.IntN(len(counts))]++
			}
			return rated(counts...)
		})
		if NothingShown(p) {
			continue
		}
		split := 0
		for _, e := range p.Elements {
			if e.Everyone().AgendaGroup() == results.Split {
				split++
			}
		}
		for _, lang := range []string{"en", "cy"} {
			got := f.results(t, lang, p)
			v := words.In(lang)
			if split > 0 && !strings.Contains(got, v.Say("agenda.split", "n", split)+"\n1. ") {
				t.Errorf("no split element is listed:\n%s", got)
			}
			eve := Of(Agenda(v, p)...)
			if err := eve.Check(); err != nil {
				t.Errorf("before the workshop: %v", err)
			}
			reading := Reading(v, m, 5, results.Consensus{Percent: 70})
			if err := reading.Check(); err != nil {
				t.Errorf("reading: %v", err)
			}
		}
	}
}

// inventedMatrix returns a matrix of a random size within the limits of the loader, with names as
// long as they may be.
func inventedMatrix(rng *rand.Rand) *matrix.Matrix {
	text := func(n int, id string) matrix.Text {
		s := string([]rune(id + strings.Repeat("ŷ", n))[:n])
		return matrix.Text{"en": s, "cy": s}
	}
	m := &matrix.Matrix{ID: "sixteen-letters-", Languages: []matrix.Lang{"cy", "en", "de"}}
	for l := range 2 + rng.IntN(6) {
		id := fmt.Sprint("l", l)
		m.Levels = append(m.Levels, matrix.Level{
			ID: id, Name: text(40, id), Short: text(28, id), Meaning: text(300, id),
		})
	}
	dimensions := 1 + rng.IntN(10)
	for d := range dimensions {
		var elements []matrix.Element
		for e := range 1 + rng.IntN(100/dimensions) {
			id := fmt.Sprintf("e%d-%d", d, e)
			elements = append(elements, matrix.Element{ID: id, Name: text(73, id)})
		}
		m.Dimensions = append(m.Dimensions, matrix.Dimension{
			ID: fmt.Sprint("d", d), Name: text(75, fmt.Sprint("d", d)),
			CoreElements: []matrix.CoreElement{{Elements: elements}},
		})
	}
	groups := 1 + rng.IntN(10)
	for g := range groups {
		group := matrix.RoleGroup{ID: fmt.Sprint("g", g), Name: text(75, fmt.Sprint("g", g))}
		for r := range 1 + rng.IntN(5) {
			id := fmt.Sprintf("r%d-%d", g, r)
			group.Roles = append(group.Roles, matrix.Role{ID: id, Name: text(24, id)})
		}
		m.RoleGroups = append(m.RoleGroups, group)
	}
	return m
}

// TestReadingCarriesTheRules: the button of a post explains the rules that the post was made with.
func TestReadingCarriesTheRules(t *testing.T) {
	f := setUp(t)
	p := surveyed(f.m, results.Turnout{}, func(int) []matrix.Rating { return rated(2, 2, 3) })
	p.Context.Consensus = results.Consensus{Percent: 80, AllowFarMinority: true}
	action, err := readingAction(f.words.In("cy"), p).Encode()
	if err != nil || action != "reading:cy:small:1:5:80:1" {
		t.Errorf("action %q, %v", action, err)
	}
	got := Reading(f.words.In("en"), f.m, 5, p.Context.Consensus).String()
	levels := map[string]bool{}
	for _, l := range f.m.Levels {
		levels[line(t, got, l.Meaning.In("en"))] = true
	}
	consensus := line(t, got, "Consensus:")
	if consensus != "Consensus: at least 80% chose the same level." || len(levels) != len(f.m.Levels) {
		t.Errorf("%s, %v:\n%s", consensus, maps.Keys(levels), got)
	}
}
