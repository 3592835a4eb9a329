package results

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"maturitybot/survey/matrix"
)

// madeUpMatrix returns a matrix with the given numbers of elements (in two dimensions), levels and
// role groups (a role each).
func madeUpMatrix(elements, levels, groups int) *matrix.Matrix {
	m := &matrix.Matrix{ID: "made-up", Version: 1, Languages: []matrix.Lang{matrix.English, matrix.Welsh}}
	for i := range levels {
		m.Levels = append(m.Levels, matrix.Level{ID: fmt.Sprint("l", i+1), Name: matrix.Text{matrix.English: fmt.Sprint("Level ", i+1)}})
	}
	for _, id := range []string{"plan", "lead"} {
		m.Dimensions = append(m.Dimensions, matrix.Dimension{ID: id, CoreElements: []matrix.CoreElement{{}}})
	}
	for i := range elements {
		d := &m.Dimensions[i*2/elements].CoreElements[0]
		d.Elements = append(d.Elements, matrix.Element{ID: fmt.Sprint("e", i+1)})
	}
	for i := range groups {
		m.RoleGroups = append(m.RoleGroups, matrix.RoleGroup{
			ID: fmt.Sprint("g", i+1), Roles: []matrix.Role{{ID: fmt.Sprint("r", i+1)}},
		})
	}
	m.Information = []matrix.InformationType{{ID: "figures"}, {ID: "stories"}}
	return m
}

// answered adds n responses of a group, each with the same ratings of the elements.
func answered(t *Tally, n int, group string, ratings ...matrix.Rating) {
	for range n {
		r := Response{Group: group, Answers: map[string]Answer{}}
		for i, rating := range ratings {
			if rating != matrix.NotAnswered {
				r.Answers[fmt.Sprint("e", i+1)] = Answer{Rating: rating}
			}
		}
		t.Add(r)
	}
}

func rated(cells []GroupStats) string {
	var all []string
	for _, c := range cells {
		all = append(all, c.Rated.String())
	}
	return strings.Join(all, " ")
}

func TestDisclosureRule(t *testing.T) {
	for _, c := range []struct {
		about  string
		groups []int // who rated, by group
		want   string
	}{
		{"all large enough", []int{5, 6, 7}, "18 5 6 7"},
		{"everyone too few hides every group, even one of nobody", []int{4, 0, 0}, "[c] [c] [c] [c]"},
		{"nobody", []int{0, 0, 0}, "[c] [c] [c] [c]"},
		{"one small takes the smallest with it", []int{7, 3, 6, 9}, "25 7 [c] [c] 9"},
		{"on a tie the first", []int{6, 3, 6, 9}, "24 [c] [c] 6 9"},
		{"two small that are enough together", []int{3, 2, 6, 6}, "17 [c] [c] 6 6"},
		{"two small that are not", []int{2, 2, 6, 8}, "18 [c] [c] [c] 8"},
		{"none left to hide", []int{2, 6}, "8 [c] [c]"},
		{"nobody of a group is no hidden group", []int{0, 9, 6}, "15 0 9 6"},
		{"nobody of a group is no cover for a small one", []int{0, 1, 9, 8}, "18 0 [c] 9 [c]"},
		{"one group alone", []int{0, 8, 0}, "8 0 8 0"},
		{"all small, enough together", []int{2, 3}, "5 [c] [c]"},
	} {
		t.Run(c.about, func(t *testing.T) {
			tally := NewTally(madeUpMatrix(1, 4, len(c.groups)))
			for i, n := range c.groups {
				answered(tally, n, fmt.Sprint("g", i+1), 2)
				answered(tally, 1, fmt.Sprint("g", i+1), matrix.DontKnow)
			}
			p := Publish(tally, Context{MinGroup: 5})
			if got := rated(p.Elements[0].Groups); got != c.want {
				t.Errorf("rated %s, want %s", got, c.want)
			}
			for i, cells := range p.Elements[0].Groups {
				n, shown := cells.Rated.Int()
				if ratings := shown && n > 0; (cells.Counts[1].Availability() == Present) != ratings || !ratings && cells.DontKnow.Availability() == Present {
					t.Errorf("group %d: rated %v, don't know %v, counts %v", i, cells.Rated, cells.DontKnow, cells.Counts)
				}
			}
		})
	}
}

func TestDisclosureOfUnrated(t *testing.T) {
	for _, c := range []struct {
		about    string
		groups   [][2]int // who rated and who did not know, by group
		dontKnow string
	}{
		{"all shown", [][2]int{{5, 1}, {6, 0}, {7, 2}}, "3 1 0 2"},
		{"one that nobody rated takes the fewest with it", [][2]int{{0, 2}, {9, 7}, {9, 4}, {9, 8}}, "21 [c] 7 [c] 8"},
		{"on a tie the first", [][2]int{{0, 2}, {9, 3}, {9, 3}, {9, 8}}, "16 [c] [c] 3 8"},
		{"as many as it takes", [][2]int{{0, 1}, {9, 3}, {9, 0}, {9, 2}, {9, 4}}, "10 [c] [c] [c] [c] 4"},
		{"enough people, but of one group", [][2]int{{0, 8}, {9, 3}, {9, 0}, {9, 4}}, "15 [c] [c] [c] 4"},
		{"enough people of two groups", [][2]int{{0, 2}, {0, 3}, {9, 1}}, "6 [c] [c] 1"},
		{"a group of nobody needs no cover", [][2]int{{0, 0}, {9, 1}, {9, 2}}, "3 [c] 1 2"},
		{"those hidden who all rated need none", [][2]int{{3, 0}, {6, 0}, {9, 1}}, "1 [c] [c] 1"},
		{"those of a group hidden for its ratings count", [][2]int{{3, 1}, {6, 2}, {9, 3}, {9, 1}}, "7 [c] [c] [c] [c]"},
		{"everyone's stay when none is left to hide", [][2]int{{0, 1}, {9, 1}, {9, 0}}, "2 [c] [c] [c]"},
	} {
		t.Run(c.about, func(t *testing.T) {
			tally := NewTally(madeUpMatrix(2, 4, len(c.groups)))
			for i, n := range c.groups {
				answered(tally, n[0], fmt.Sprint("g", i+1), 2, 2)
				answered(tally, n[1], fmt.Sprint("g", i+1), matrix.DontKnow, 2)
			}
			var got []string
			for _, cells := range Publish(tally, Context{MinGroup: 5}).Elements[0].Groups {
				got = append(got, cells.DontKnow.String())
				for _, f := range []Figure{cells.NotApplicable, cells.NotAnswered} {
					if f.Availability() != cells.DontKnow.Availability() {
						t.Errorf("not all three of those who did not rate: %+v", cells)
					}
				}
			}
			if s := strings.Join(got, " "); s != c.dontKnow {
				t.Errorf("don't know %s, want %s", s, c.dontKnow)
			}
		})
	}
}

func TestNotStatedGroup(t *testing.T) {
	tally := NewTally(madeUpMatrix(1, 4, 2))
	answered(tally, 8, "g1", 2)
	answered(tally, 9, "g2", 2)
	if p := Publish(tally, Context{MinGroup: 5}); len(p.Groups) != 3 {
		t.Fatalf("groups %v", p.Groups)
	}
	answered(tally, 1, "", 4)
	answered(tally, 1, "long gone", 4)
	p := Publish(tally, Context{MinGroup: 5})
	if got, want := rated(p.Elements[0].Groups), "19 [c] 9 [c]"; got != want || p.Groups[3].ID != NotStatedGroup {
		t.Errorf("rated %s of %v, want %s", got, p.Groups, want)
	}
}

func TestDimensionNeedsEachElement(t *testing.T) {
	tally := NewTally(madeUpMatrix(4, 4, 2)) // e1 and e2, e3 and e4
	answered(tally, 6, "g1", 1, 2, matrix.NotAnswered, matrix.DontKnow)
	answered(tally, 6, "g2", 1, 4, 3, matrix.DontKnow)
	p := Publish(tally, Context{MinGroup: 5})
	plan, lead := p.Dimensions[0], p.Dimensions[1]
	if got := rated(plan.Groups); got != "24 12 12" {
		t.Errorf("plan: rated %s", got)
	}
	if got := fmt.Sprint(plan.Everyone().Counts, plan.Everyone().Percent, plan.Everyone().Agreement); got != "[12 6 0 6] [50 25 0 25] 0.083333" {
		t.Errorf("plan: %s", got)
	}
	// Nobody rated e4, so that of lead nothing is shown; nor of g1, which rated neither.
	if got := rated(p.Elements[2].Groups) + "/" + rated(p.Elements[3].Groups) + "/" + rated(lead.Groups); got != "6 0 6/[c] [c] [c]/[c] [c] [c]" {
		t.Errorf("e3/e4/lead: rated %s", got)
	}
}

func TestDimensionGroupWithoutRatings(t *testing.T) {
	tally := NewTally(madeUpMatrix(4, 4, 2))
	answered(tally, 6, "g1", matrix.DontKnow, matrix.NotAnswered, 3, matrix.NotApplicable)
	answered(tally, 6, "g2", 1, 4, 3, 4)
	p := Publish(tally, Context{MinGroup: 5})
	plan, lead := p.Dimensions[0].Groups[1], p.Dimensions[1].Groups[1]
	if plan.Rated.String() != "0" || plan.DontKnow.String() != "[c]" || plan.Median.String() != "[x]" {
		t.Errorf("plan: %+v", plan)
	}
	// g1 rated e3 and not e4: the sum would give its hidden counts of e4 away.
	if lead.Rated.String() != "[c]" || lead.NotApplicable.String() != "[c]" {
		t.Errorf("lead: %+v", lead)
	}
}

func TestDimensionHidesUnrated(t *testing.T) {
	tally := NewTally(madeUpMatrix(4, 4, 3)) // e1 and e2, e3 and e4
	answered(tally, 6, "g1", 1, 2, 3, 4)
	answered(tally, 1, "g1", matrix.DontKnow, matrix.DontKnow, matrix.DontKnow, 4)
	answered(tally, 9, "g2", 1, 4, 3, 4)
	answered(tally, 6, "g2", matrix.DontKnow, 4, matrix.DontKnow, 4)
	answered(tally, 3, "g3", matrix.DontKnow, 4, 3, 4)
	answered(tally, 3, "g3", matrix.DontKnow, 4, 3, 4)
	p := Publish(tally, Context{MinGroup: 5})
	plan, lead := p.Dimensions[0].Groups, p.Dimensions[1].Groups
	if got := fmt.Sprint(plan[1].Rated, plan[1].Counts, plan[1].DontKnow, plan[2].DontKnow, plan[0].DontKnow); got != "12 [6 6 0 0] [c] 6 14" {
		t.Errorf("plan: %s", got)
	}
	if got := fmt.Sprint(lead[1].DontKnow, lead[1].NotAnswered); got != "1 0" {
		t.Errorf("lead: %s", got)
	}
}

func TestPublishElement(t *testing.T) {
	tally := NewTally(madeUpMatrix(2, 4, 1))
	answered(tally, 7, "g1", 2)
	answered(tally, 2, "g1", 4)
	answered(tally, 1, "g1", 1)
	answered(tally, 1, "g1", matrix.DontKnow)
	answered(tally, 2, "g1", matrix.NotApplicable)
	answered(tally, 3, "g1", matrix.NotAnswered, 3)
	p := Publish(tally, Context{MinGroup: 3, Consensus: Consensus{Percent: 70}})
	c := p.Elements[0].Everyone()
	got := fmt.Sprint(c.Rated, c.DontKnow, c.NotApplicable, c.NotAnswered, c.Counts, c.Percent, c.Shares,
		c.Mode, c.ModeShare, c.Median, c.WithinOne, c.FarMinority, c.Consensus)
	want := "10 1 2 3 [1 7 0 2] [10 70 0 20] [0.100000 0.700000 0.000000 0.200000] 2 0.700000 2 0.800000 true false"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if p.Respondents != 16 {
		t.Errorf("%d respondents", p.Respondents)
	}
	p = Publish(tally, Context{MinGroup: 3, Consensus: Consensus{Percent: 70, AllowFarMinority: true}})
	if consensus, _ := p.Elements[0].Everyone().Consensus.Bool(); !consensus {
		t.Error("70 % on one level, and a far minority allowed, is not consensus")
	}
}

func TestContextDefaults(t *testing.T) {
	tally := NewTally(madeUpMatrix(1, 4, 1))
	answered(tally, 2, "g1", 2)
	p := Publish(tally, Context{MinGroup: 1})
	if p.Context.MinGroup != MinGroupFloor || p.Context.Consensus.Percent != DefaultConsensusPercent {
		t.Errorf("context %+v", p.Context)
	}
	if got := rated(p.Elements[0].Groups); got != "[c] [c]" {
		t.Errorf("rated %s", got)
	}
}

func TestAgendaIsInOrderOfDisagreement(t *testing.T) {
	tally := NewTally(madeUpMatrix(6, 4, 1))
	for i := range 6 {
		low, high := matrix.Rating(1), matrix.Rating(4)
		if i%2 == 0 {
			low, high = 2, 3
		}
		second := matrix.NotAnswered
		if i == 0 {
			second = 4
		}
		answered(tally, 1, "g1", 2, low, second, 3, matrix.Rating(i%4)+1, high)
	}
	p := Publish(tally, Context{MinGroup: 3})
	// e5 is spread, e2 and e6 are split between neighbours, e1 and e4 all agree, e3 has too few
	// ratings.
	var ids []string
	for _, i := range p.Agenda {
		ids = append(ids, p.Elements[i].ID)
	}
	if got := strings.Join(ids, " "); got != "e5 e2 e6 e1 e4 e3" {
		t.Errorf("agenda %s", got)
	}
}

func TestAgendaPutsSmallerMostCommonShareFirstWhenAgreementIsTheSame(t *testing.T) {
	tally := NewTally(madeUpMatrix(2, 4, 1))
	// The ratings are 1 6 3 0 and 0 5 5 0.
	for _, pair := range [][2]matrix.Rating{
		{1, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 3}, {2, 3}, {3, 3}, {3, 3}, {3, 3},
	} {
		answered(tally, 1, "g1", pair[0], pair[1])
	}
	p := Publish(tally, Context{MinGroup: 3})
	for _, e := range p.Elements {
		if got := e.Everyone().Agreement.String(); got != "0.666667" {
			t.Fatalf("%s: agreement %s", e.ID, got)
		}
	}
	if !slices.Equal(p.Agenda, []int{1, 0}) {
		t.Errorf("agenda %v", p.Agenda)
	}
}

func TestCommentsShuffled(t *testing.T) {
	build := func(order []int) Published {
		tally := NewTally(madeUpMatrix(2, 4, 1))
		for _, i := range order {
			detail := Detail{
				Note: fmt.Sprint("note ", i), Barrier: fmt.Sprint("barrier ", i%2),
				Information: []string{"figures", "figures", "unknown"},
			}
			answers := map[string]Answer{"e1": {Rating: 1, Detail: detail}}
			if i < 2 {
				answers["e2"] = Answer{Rating: 1, Detail: detail}
			}
			tally.Add(Response{Group: "g1", Answers: answers})
		}
		tally.Add(Response{Answers: map[string]Answer{"e1": {Detail: Detail{Note: "no answer, no count"}}}})
		return Publish(tally, Context{MinGroup: 3})
	}
	p := build([]int{0, 1, 2, 3, 4, 5})
	q := build([]int{5, 1, 3, 0, 4, 2})
	e := p.Elements[0]
	if !reflect.DeepEqual(p, q) {
		t.Errorf("another order of arrival shows: %v, %v", e.Comments, q.Elements[0].Comments)
	}
	if len(e.Comments) != 6 || len(e.Barriers) != 6 || slices.IsSorted(e.Comments) || fmt.Sprint(e.Information) != "[6 0]" {
		t.Errorf("comments %q, barriers %q, information %v", e.Comments, e.Barriers, e.Information)
	}
	if hidden := p.Elements[1]; hidden.Comments != nil || hidden.Barriers != nil || fmt.Sprint(hidden.Information) != "[[c] [c]]" {
		t.Errorf("a hidden element shows %+v", hidden)
	}
}

func TestTallyIgnoresUnknown(t *testing.T) {
	tally := NewTally(madeUpMatrix(1, 4, 1))
	answered(tally, 3, "g1", 4)
	tally.Add(Response{Group: "g1", Answers: map[string]Answer{"e1": {Rating: 5}}})
	tally.Add(Response{Group: "g1", Answers: map[string]Answer{"gone": {Rating: 1}}})
	tally.Add(Response{Group: "g1", Answers: map[string]Answer{"e1": {Rating: matrix.NotAnswered}}})
	tally.Add(Response{Group: "g1"})
	if p := Publish(tally, Context{MinGroup: 3}); p.Respondents != 3 || p.Elements[0].Everyone().NotAnswered.String() != "0" {
		t.Errorf("%d respondents, %v", p.Respondents, p.Elements[0].Everyone())
	}
}

func TestTallyNotPrinted(t *testing.T) {
	tally := NewTally(madeUpMatrix(1, 4, 1))
	answered(tally, 3, "g1", 4)
	tally.Add(Response{Answers: map[string]Answer{"e1": {Rating: 1, Detail: Detail{Note: "secret"}}}})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		for _, value := range []any{tally, *tally} {
			if got := fmt.Sprintf(verb, value); got != "results.Tally" {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
	//lint:ignore SA9005 that nothing comes of it is what is tested
	if b, err := json.Marshal(tally); err != nil || string(b) != "{}" {
		t.Errorf("as JSON: %s, %v", b, err)
	}
	for typ, n := reflect.TypeFor[*Tally](), 0; n < typ.NumMethod(); n++ {
		if name := typ.Method(n).Name; name != "Add" && name != "SetTurnout" && name != "Format" {
			t.Errorf("a tally can be asked for %s", name)
		}
	}
}

// drawTally returns the answers of a random round, often a tiny or skewed one.
func drawTally(t *rapid.T) (*Tally, Context) {
	elements := rapid.IntRange(1, 5).Draw(t, "elements")
	levels := rapid.IntRange(1, 5).Draw(t, "levels")
	groups := rapid.IntRange(1, 5).Draw(t, "groups")
	people := rapid.OneOf(rapid.IntRange(0, 12), rapid.IntRange(0, 60)).Draw(t, "people")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	groupSkew := rapid.SampledFrom([]int{1, 2, 6}).Draw(t, "group skew") // of so many draws the lowest: 1 is even
	levelSkew := rapid.SampledFrom([]int{1, 3, 50}).Draw(t, "level skew")
	unrated := rapid.SampledFrom([]float64{0, 0.2, 0.7}).Draw(t, "unrated")
	groupUnrated := map[[2]int]bool{}
	if rapid.Bool().Draw(t, "whole groups do not rate") {
		for g := range groups + 1 {
			for e := range elements {
				groupUnrated[[2]int{g, e}] = rng.IntN(3) == 0
			}
		}
	}
	lowest := func(n, draws int) int {
		low := n
		for range draws {
			low = min(low, rng.IntN(n))
		}
		return low
	}
	tally := NewTally(madeUpMatrix(elements, levels, groups))
	for range people {
		g := lowest(groups+1, groupSkew) // the last is no stated role
		r := Response{Group: fmt.Sprint("g", g+1), Answers: map[string]Answer{}}
		for e := range elements {
			rating := matrix.Rating(lowest(levels, levelSkew) + 1)
			if groupUnrated[[2]int{g, e}] || rng.Float64() < unrated {
				rating = matrix.Rating(-rng.IntN(3))
			}
			r.Answers[fmt.Sprint("e", e+1)] = Answer{Rating: rating}
		}
		tally.Add(r)
	}
	return tally, Context{MinGroup: rapid.IntRange(3, 6).Draw(t, "minimum group")}
}

// expectedHidden is a second implementation of the disclosure rule, written in another way: it
// sorts the groups and hides the shortest run of them that is enough.
func expectedHidden(rated []int, minGroup int) []bool {
	type group struct{ at, n int }
	var small, large []group
	together := 0
	hidden := make([]bool, len(rated))
	for i, n := range rated {
		switch {
		case n >= minGroup:
			large = append(large, group{i, n})
		case n > 0:
			small = append(small, group{i, n})
			together += n
		}
	}
	for _, g := range small {
		hidden[g.at] = true
	}
	if len(small) == 0 {
		return hidden
	}
	slices.SortStableFunc(large, func(a, b group) int { return cmp.Compare(a.n, b.n) })
	for _, g := range large {
		if together >= minGroup {
			break
		}
		hidden[g.at] = true
		together += g.n
	}
	return hidden
}

// expectedHiddenUnrated is the same for the counts of people who did not rate. covers holds the
// role groups whose cell sets are shown.
func expectedHiddenUnrated(unrated []int, covers []bool, minGroup int) []bool {
	hidden := make([]bool, len(unrated))
	var order []int
	for i, shown := range covers {
		hidden[i] = !shown
		if shown {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(unrated[a], unrated[b]) })
	for len(order) > 0 && !enoughPeople(unrated, hidden, minGroup) {
		hidden[order[0]] = true
		order = order[1:]
	}
	return hidden
}

// enoughPeople reports whether the marked groups hold nobody, or enough people of several groups.
func enoughPeople(people []int, marked []bool, minGroup int) bool {
	together, most := 0, 0
	for i, n := range people {
		if marked[i] {
			together += n
			most = max(most, n)
		}
	}
	return together == 0 || together >= minGroup && together > most
}

// TestPublishMatchesRule: everything that the rule allows is shown, and nothing else.
func TestPublishMatchesRule(t *testing.T) {
	for range 40 { // of a hundred rounds each
		rapid.Check(t, func(t *rapid.T) {
			tally, terms := drawTally(t)
			p := Publish(tally, terms)
			shownIn := map[string][]bool{}   // by dimension: whether every element's ratings so far are shown, by group
			unratedIn := map[string][]bool{} // likewise of those who did not rate
			for i, e := range p.Elements {
				var n, unrated []int
				var covers []bool
				total := 0
				for g := range len(p.Groups) - 1 {
					c := tally.count(g, i)
					n = append(n, int(c.rated()))
					unrated = append(unrated, int(tally.respondents[g]-c.rated()))
					total += int(c.rated())
				}
				hidden := expectedHidden(n, terms.MinGroup)
				for g := range n {
					covers = append(covers, n[g] > 0 && !hidden[g])
				}
				hiddenUnrated := expectedHiddenUnrated(unrated, covers, terms.MinGroup)
				if shownIn[e.Dimension] == nil {
					shownIn[e.Dimension] = slices.Repeat([]bool{true}, len(p.Groups))
					unratedIn[e.Dimension] = slices.Repeat([]bool{true}, len(p.Groups))
				}
				for g, cells := range e.Groups {
					wantRated, wantWhole, wantUnrated := "[c]", false, false
					switch {
					case total < terms.MinGroup:
					case g == 0:
						wantRated, wantWhole, wantUnrated = fmt.Sprint(total), true, true
					case n[g-1] == 0:
						wantRated = "0"
					case !hidden[g-1]:
						wantRated, wantWhole, wantUnrated = fmt.Sprint(n[g-1]), true, !hiddenUnrated[g-1]
					}
					if cells.Rated.String() != wantRated {
						t.Fatalf("%s, group %d: rated %v, want %s (groups %v)", e.ID, g, cells.Rated, wantRated, n)
					}
					for _, f := range cells.Counts {
						if (f.Availability() == Present) != wantWhole {
							t.Fatalf("%s, group %d: %v, want shown %v", e.ID, g, cells, wantWhole)
						}
					}
					for _, f := range []Figure{cells.DontKnow, cells.NotApplicable, cells.NotAnswered} {
						if (f.Availability() == Present) != wantUnrated {
							t.Fatalf("%s, group %d: %v, want those who did not rate shown %v (%v)", e.ID, g, cells, wantUnrated, unrated)
						}
					}
					shownIn[e.Dimension][g] = shownIn[e.Dimension][g] && wantWhole
					unratedIn[e.Dimension][g] = unratedIn[e.Dimension][g] && wantUnrated
				}
			}
			for i, d := range p.Dimensions {
				if len(p.Matrix.Dimensions[i].Elements()) == 0 {
					continue
				}
				for g, cells := range d.Groups {
					if (cells.Counts[0].Availability() == Present) != shownIn[d.ID][g] || (cells.DontKnow.Availability() == Present) != unratedIn[d.ID][g] {
						t.Fatalf("%s, group %d: %v, want ratings shown %v, those who did not rate %v", d.ID, g, cells, shownIn[d.ID][g], unratedIn[d.ID][g])
					}
				}
			}
		})
	}
}

// equations are what a reader of the results knows: the published counts, and that counts add up,
// of people to groups, of levels to ratings, of ratings and the other answers to the people of a
// group, and of elements to dimensions. They are solved for the hidden counts.
type equations struct {
	unknown   map[string]int // column by name
	rows      []map[int]int64
	constants []int64
}

const prime = 1_000_000_007

func (a *equations) column(name string) int {
	if _, ok := a.unknown[name]; !ok {
		a.unknown[name] = len(a.unknown)
	}
	return a.unknown[name]
}

// add adds an equation: the sum of the terms, each a coefficient and a name, is total.
func (a *equations) add(total int, terms map[string]int64) {
	row := map[int]int64{}
	for name, c := range terms {
		row[a.column(name)] = (c%prime + prime) % prime
	}
	a.rows = append(a.rows, row)
	a.constants = append(a.constants, int64(total))
}

// determined returns the names of the unknowns that have only one solution.
func (a *equations) determined() map[string]bool {
	width := len(a.unknown)
	var rows [][]int64
	for _, e := range a.rows {
		row := make([]int64, width)
		for c, v := range e {
			row[c] = v
		}
		rows = append(rows, row)
	}
	pivots := 0
	for c := 0; c < width && pivots < len(rows); c++ {
		at := slices.IndexFunc(rows[pivots:], func(r []int64) bool { return r[c] != 0 })
		if at < 0 {
			continue
		}
		rows[pivots], rows[pivots+at] = rows[pivots+at], rows[pivots]
		inverse := power(rows[pivots][c], prime-2)
		var filled []int // the few columns that are not zero; the others would take most of the time
		for k, v := range rows[pivots] {
			if v != 0 {
				filled = append(filled, k)
				rows[pivots][k] = v * inverse % prime
			}
		}
		for r := range rows {
			if f := rows[r][c]; r != pivots && f != 0 {
				for _, k := range filled {
					rows[r][k] = ((rows[r][k]-f*rows[pivots][k])%prime + prime) % prime
				}
			}
		}
		pivots++
	}
	found := map[string]bool{}
	names := make([]string, width)
	for name, c := range a.unknown {
		names[c] = name
	}
	for _, row := range rows[:pivots] {
		var left []int
		for k, v := range row {
			if v != 0 {
				left = append(left, k)
			}
		}
		if len(left) == 1 {
			found[names[left[0]]] = true
		}
	}
	return found
}

func power(base, exponent int64) int64 {
	result := int64(1)
	for ; exponent > 0; exponent >>= 1 {
		if exponent&1 == 1 {
			result = result * base % prime
		}
		base = base * base % prime
	}
	return result
}

// cellNames are the cells of a set that are counted: levels, then the three that are not ratings.
func cellNames(c GroupStats) map[string]Figure {
	cells := map[string]Figure{"dont_know": c.DontKnow, "not_applicable": c.NotApplicable, "not_answered": c.NotAnswered}
	for i, f := range c.Counts {
		cells[fmt.Sprint("level", i+1)] = f
	}
	return cells
}

// deduce returns the counts that follow from the published results and from how many people of each
// role group took part, which is published as well.
func deduce(p Published, people []int64) map[string]bool {
	a := &equations{unknown: map[string]int{}}
	set := func(prefix string, c GroupStats) {
		people := map[string]int64{prefix + "rated": 1, prefix + "dont_know": 1, prefix + "not_applicable": 1, prefix + "not_answered": 1}
		ratings := map[string]int64{prefix + "rated": -1}
		for name, f := range cellNames(c) {
			if n, ok := f.Int(); ok {
				a.add(n, map[string]int64{prefix + name: 1})
			}
			if strings.HasPrefix(name, "level") {
				ratings[prefix+name] = 1
			}
		}
		if n, ok := c.Rated.Int(); ok {
			a.add(n, map[string]int64{prefix + "rated": 1})
		}
		a.add(0, ratings)
		// The answers of a group to each element, with those not given, add up to its people.
		people["people/"+prefix[strings.Index(prefix, "/")+1:]] = -1
		a.add(0, people)
	}
	for _, e := range p.Elements {
		for g := range p.Groups {
			set(fmt.Sprintf("%s/%d/", e.ID, g), e.Groups[g])
		}
		for name := range cellNames(e.Everyone()) {
			sum := map[string]int64{fmt.Sprintf("%s/0/%s", e.ID, name): -1}
			for g := 1; g < len(p.Groups); g++ {
				sum[fmt.Sprintf("%s/%d/%s", e.ID, g, name)] = 1
			}
			a.add(0, sum)
		}
	}
	// The number of people who took part is published.
	a.add(p.Respondents, map[string]int64{"people/0/": 1})
	for g := 1; g < len(p.Groups); g++ {
		a.add(int(people[g-1]), map[string]int64{fmt.Sprintf("people/%d/", g): 1})
	}
	for _, d := range p.Dimensions {
		for g, c := range d.Groups {
			for name, f := range cellNames(c) {
				n, ok := f.Int()
				if !ok {
					continue
				}
				sum := map[string]int64{}
				for _, e := range p.Elements {
					if e.Dimension == d.ID {
						sum[fmt.Sprintf("%s/%d/%s", e.ID, g, name)] = 1
					}
				}
				a.add(n, sum)
			}
		}
	}
	return a.determined()
}

// TestHiddenCountsNotDeducible: no hidden count follows from the published ones, and the hidden
// counts together are of enough people.
func TestHiddenCountsNotDeducible(t *testing.T) {
	for range 40 { // of a hundred rounds each
		rapid.Check(t, func(t *rapid.T) {
			tally, terms := drawTally(t)
			p := Publish(tally, terms)
			known := deduce(p, tally.respondents)
			for i, e := range p.Elements {
				if total, ok := e.Everyone().Rated.Int(); ok {
					left := total
					for _, c := range e.Groups[1:] {
						n, _ := c.Rated.Int()
						left -= n
					}
					if left > 0 && left < terms.MinGroup {
						t.Fatalf("%s: the hidden groups are %d people: %s", e.ID, left, rated(e.Groups))
					}
				}
				var unrated []int
				var hidden []bool
				for g, c := range e.Groups[1:] {
					really := tally.count(g, i)
					unrated = append(unrated, int(really.unrated()))
					hidden = append(hidden, c.DontKnow.Availability() != Present)
				}
				if !enoughPeople(unrated, hidden, terms.MinGroup) && slices.Contains(hidden, false) {
					t.Fatalf("%s: of those who did not rate, %v by group, these are hidden: %v", e.ID, unrated, hidden)
				}
				for g, c := range e.Groups {
					for name, f := range cellNames(c) {
						if g > 0 && tally.respondents[g-1] == 0 {
							continue // an empty group has no people to protect
						}
						if n, ok := c.Rated.Int(); ok && n == 0 && strings.HasPrefix(name, "level") {
							continue // the results say that nobody rated
						}
						if f.Availability() != Present && known[fmt.Sprintf("%s/%d/%s", e.ID, g, name)] {
							t.Fatalf("%s, group %d, %s follows from what is shown (rated %s; counted %+v)", e.ID, g, name, rated(e.Groups), tally.count(max(g-1, 0), i))
						}
					}
					if c.Rated.Availability() != Present && known[fmt.Sprintf("%s/%d/rated", e.ID, g)] {
						t.Fatalf("%s, group %d: rated follows (%s)", e.ID, g, rated(e.Groups))
					}
				}
			}
		})
	}
}

// TestDeduceFindsDifferences: deduce finds what a wrong rule would reveal.
func TestDeduceFindsDifferences(t *testing.T) {
	tally := NewTally(madeUpMatrix(2, 4, 3))
	answered(tally, 7, "g1", 1, 2)
	answered(tally, 8, "g2", 2, 3)
	answered(tally, 2, "g3", 4, 4)
	p := Publish(tally, Context{MinGroup: 5})
	if got := rated(p.Elements[0].Groups); got != "17 [c] 8 [c]" {
		t.Fatalf("rated %s", got)
	}
	if deduce(p, tally.respondents)["e1/3/level4"] {
		t.Error("follows from what is published")
	}
	p.Elements[0].Groups[1] = groupStats(tally.count(0, 0), wholeCell, p.Context.Consensus)
	if !deduce(p, tally.respondents)["e1/3/level4"] {
		t.Error("not found although all other groups are shown")
	}

	tally = NewTally(madeUpMatrix(2, 4, 3))
	answered(tally, 7, "g1", 1, 2)
	answered(tally, 4, "g1", matrix.DontKnow, 2)
	answered(tally, 8, "g2", 2, 3)
	answered(tally, 6, "g2", matrix.NotApplicable, 3)
	answered(tally, 2, "g3", matrix.DontKnow, 4)
	p = Publish(tally, Context{MinGroup: 5})
	if deduce(p, tally.respondents)["e1/3/dont_know"] {
		t.Error("what a group that did not rate said instead follows from what is published")
	}
	p.Elements[0].Groups[1] = groupStats(tally.count(0, 0), wholeCell, p.Context.Consensus)
	if !deduce(p, tally.respondents)["e1/3/dont_know"] {
		t.Error("not found although those who did not rate are shown for all other groups")
	}
}

// TestShareHiddenAt34Answers computes how much the rule hides of 34 answers in four role groups. 34
// is the mean of the published study.
func TestShareHiddenAt34Answers(t *testing.T) {
	rng := rand.New(rand.NewPCG(34, 4))
	for _, mix := range []struct {
		about  string
		people []int
	}{
		{"even", []int{9, 9, 8, 8}},
		{"as the study's Table 1 has health, council, education and settings, voluntary and family", []int{12, 11, 7, 4}},
		{"skewed", []int{18, 10, 4, 2}},
	} {
		hidden, unratedHidden, cells, elements, elementsHidden := 0, 0, 0, 0, 0
		for range 200 {
			tally := NewTally(madeUpMatrix(17, 4, 4))
			for g, n := range mix.people {
				for range n {
					ratings := make([]matrix.Rating, 17)
					for e := range ratings {
						ratings[e] = matrix.Rating(rng.IntN(4) + 1)
						if rng.IntN(100) < 15 {
							ratings[e] = matrix.DontKnow
						}
					}
					answered(tally, 1, fmt.Sprint("g", g+1), ratings...)
				}
			}
			for _, e := range Publish(tally, Context{MinGroup: DefaultMinGroup}).Elements {
				elements++
				if e.Everyone().Rated.Availability() != Present {
					elementsHidden++
				}
				for _, c := range e.Groups[1:] {
					cells++
					if c.Rated.Availability() != Present {
						hidden++
					}
					if c.DontKnow.Availability() != Present {
						unratedHidden++
					}
				}
			}
		}
		t.Logf("34 answers, groups of %v (%s), 15 %% of them not ratings, minimum group %d: %.0f %% of the cell sets by role group hidden, of those who did not rate %.0f %%; %.0f %% of the elements",
			mix.people, mix.about, DefaultMinGroup, 100*float64(hidden)/float64(cells), 100*float64(unratedHidden)/float64(cells), 100*float64(elementsHidden)/float64(elements))
		if elementsHidden > 0 {
			t.Error("an element of 34 answers is hidden for everyone")
		}
	}
}

func TestPublishedAsJSON(t *testing.T) {
	tally := NewTally(madeUpMatrix(2, 2, 2))
	answered(tally, 4, "g1", 1, matrix.NotAnswered)
	answered(tally, 3, "g1", 2, matrix.NotAnswered)
	answered(tally, 1, "g1", matrix.DontKnow, 2)
	tally.Add(Response{Group: "g1", Answers: map[string]Answer{"e1": {Rating: 1, Detail: Detail{
		Note: "<b>=1+1", Barrier: "money", Information: []string{"stories"},
	}}}})
	tally.SetTurnout(Turnout{
		Invited: 12, Started: 1, Finished: 9, Declined: 0, Withdrawn: 5,
		Roles: []RoleCount{{"r1", 10, 8}, {"r2", 1, 0}}, Unstated: RoleCount{Invited: 1, Finished: 1},
	})
	b, err := json.Marshal(Publish(tally, Context{
		Round: "r7", Area: "Llanw", MinGroup: 5, OpenedAt: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		SchemaVersion  int `json:"schema_version"`
		Round          map[string]any
		Turnout        map[string]any
		Representation []map[string]any
		Elements       []map[string]any
		Dimensions     []map[string]any
		Agenda         []string
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.SchemaVersion != SchemaVersion || got.Round["opened_at"] != "2026-03-02T09:00:00Z" || got.Round["closed_at"] != nil ||
		fmt.Sprint(got.Turnout) != "map[declined:0 finished:9 invited:12 respondents:9 started:[c] withdrawn:5]" || len(got.Representation) != 3 || fmt.Sprint(got.Agenda) != "[e1 e2]" {
		t.Errorf("head: %s", b)
	}
	e := got.Elements[0]
	for key, want := range map[string]string{
		"id": "e1", "dimension": "plan", "rated": "8", "dont_know": "1", "not_applicable": "0", "not_answered": "0",
		"counts": "map[l1:5 l2:3]", "percent": "map[l1:62 l2:38]", "shares": "map[l1:0.625 l2:0.375]",
		"mode": "l1", "mode_share": "0.625", "median": "1", "within_one": "1", "agreement": "0.25",
		"far_minority": "false", "consensus": "false", "comments": "[<b>=1+1]", "barriers": "[money]",
	} {
		if s := fmt.Sprint(e[key]); s != want {
			t.Errorf("%s is %s, want %s", key, s, want)
		}
	}
	groups := e["role_groups"].([]any)
	if g2 := groups[1].(map[string]any); fmt.Sprintln(g2["id"], g2["rated"], g2["counts"], g2["percent"], g2["mode"], g2["consensus"]) !=
		"g2 0 map[l1:[c] l2:[c]] map[l1:[x] l2:[x]] [x] [x]\n" {
		t.Errorf("g2: %v", g2)
	}
	if hidden := got.Elements[1]; fmt.Sprintln(hidden["rated"], hidden["counts"], hidden["mode"], hidden["consensus"]) != "[c] map[l1:[c] l2:[c]] [c] [c]\n" {
		t.Errorf("e2: %v", hidden)
	}
	if !strings.Contains(string(b), `"shares":{"l1":0.625000,"l2":0.375000}`) {
		t.Errorf("shares have fewer than four decimals or lost their order: %s", b)
	}
}

func BenchmarkTallyAdd(b *testing.B) {
	m := madeUpMatrix(17, 4, 4)
	rng := rand.New(rand.NewPCG(1, 2))
	responses := make([]Response, 100_000)
	for i := range responses {
		r := Response{Group: fmt.Sprint("g", rng.IntN(5)), Answers: map[string]Answer{}}
		for e := range 17 {
			r.Answers[fmt.Sprint("e", e+1)] = Answer{Rating: matrix.Rating(rng.IntN(7) - 2)}
		}
		responses[i] = r
	}
	b.ReportAllocs()
	for b.Loop() {
		tally := NewTally(m)
		for _, r := range responses {
			tally.Add(r)
		}
		if p := Publish(tally, Context{MinGroup: 5}); p.Respondents != 100_000 {
			b.Fatalf("%d respondents", p.Respondents)
		}
	}
}
