package results

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"maturitybot/survey/matrix"
)

// published returns the results of one element with these ratings on each level, lowest first.
func published(rule Consensus, counts ...int) Published {
	tally := NewTally(madeUpMatrix(1, len(counts), 1))
	for i, n := range counts {
		answered(tally, n, "g1", matrix.Rating(i+1))
	}
	return Publish(tally, Context{MinGroup: 3, Consensus: rule})
}

func TestAgendaGroup(t *testing.T) {
	far := Consensus{AllowFarMinority: true}
	for _, c := range []struct {
		name   string
		rule   Consensus
		counts []int
		want   AgendaGroup
	}{
		{"nobody rated", Consensus{}, []int{0, 0, 0, 0}, NotShown},
		{"too few rated", Consensus{}, []int{2, 0, 0, 0}, NotShown},
		{"all on one level", Consensus{}, []int{0, 9, 0, 0}, InConsensus},
		{"70% on one level", Consensus{}, []int{0, 14, 6, 0}, InConsensus},
		{"69% on one level", Consensus{}, []int{0, 69, 31, 0}, Close},
		{"a higher percentage of the round", Consensus{Percent: 80}, []int{0, 14, 6, 0}, Close},
		{"half each on neighbours", Consensus{}, []int{0, 0, 5, 5}, Close},
		{"half each, one level between", Consensus{}, []int{0, 5, 0, 5}, Split},
		{"85% on neighbours", Consensus{}, []int{10, 7, 3, 0}, Close},
		{"84% on neighbours", Consensus{}, []int{50, 34, 16, 0}, Split},
		{"84.6% on neighbours, which rounds to 85%", Consensus{}, []int{6, 5, 2, 0}, Split},
		{"far minority of 15%", Consensus{}, []int{70, 14, 15, 1}, Split},
		{"far minority that the round allows", far, []int{70, 14, 15, 1}, InConsensus},
		{"even over four levels", Consensus{}, []int{5, 5, 5, 5}, Split},
		{"three levels, neighbours", Consensus{}, []int{5, 5, 0}, Close},
		{"three levels, even", Consensus{}, []int{5, 5, 5}, Split},
		{"seven levels, neighbours", Consensus{}, []int{0, 0, 0, 0, 0, 4, 5}, Close},
		{"two levels are the whole scale", Consensus{}, []int{5, 5}, Split},
		{"two levels, consensus", Consensus{}, []int{9, 1}, InConsensus},
		{"one level", Consensus{}, []int{5}, InConsensus},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := published(c.rule, c.counts...)
			if got := p.Elements[0].Everyone().AgendaGroup(); got != c.want {
				t.Errorf("%v are %v, want %v", c.counts, got, c.want)
			}
		})
	}
}

// TestAgendaTakesGroupsInTurn holds the order of the groups against agreement: e1 agrees less than
// e2, but is in consensus.
func TestAgendaTakesGroupsInTurn(t *testing.T) {
	tally := NewTally(madeUpMatrix(4, 4, 1))
	for i := range 20 {
		consensus, near, split := matrix.Rating(2), matrix.Rating(2), matrix.Rating(1+i%4)
		if i < 6 {
			consensus = 1 + 2*matrix.Rating(i%2)
		}
		if i < 8 {
			near = 3
		}
		few := matrix.NotAnswered
		if i == 0 {
			few = 1
		}
		answered(tally, 1, "g1", consensus, near, split, few)
	}
	p := Publish(tally, Context{MinGroup: 3})
	var got []string
	for _, i := range p.Agenda {
		e := p.Elements[i]
		got = append(got, e.ID+" "+e.Everyone().AgendaGroup().String())
	}
	if want := []string{"e3 split", "e2 close", "e1 consensus", "e4 [c]"}; !slices.Equal(got, want) {
		t.Errorf("agenda %q, want %q", got, want)
	}
	if !slices.IsSorted(AgendaGroups()) {
		t.Error("the groups are in another order than the agenda's")
	}
	first, second := p.Elements[0].Everyone().Agreement, p.Elements[1].Everyone().Agreement
	if first.value >= second.value {
		t.Fatalf("agreement of e1 is %v, of e2 %v: this does not test the order", first, second)
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"agenda_group":"close"`, `"agenda_group":"[c]"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("JSON has no %s", want)
		}
	}
}

func TestMostCommon(t *testing.T) {
	for _, c := range []struct {
		counts []int
		want   string
	}{
		{[]int{2, 0, 0, 0}, "[] 0"},
		{[]int{1, 5, 2, 0}, "[2] 62"},
		{[]int{4, 0, 4, 2}, "[1 3] 40"},
	} {
		levels, percent := published(Consensus{}, c.counts...).Elements[0].Everyone().MostCommon()
		if got := fmt.Sprint(levels, percent); got != c.want {
			t.Errorf("%v: %s, want %s", c.counts, got, c.want)
		}
	}
}
