package workshop

import (
	"reflect"
	"testing"

	"maturitybot/survey/matrix"
)

func TestMovement(t *testing.T) {
	a := Assessment{
		Survey: map[string][]int{"tie": {5, 1, 5, 0}, "moved": {0, 9, 2, 0}},
		Ballots: []Ballot{
			{Number: 1, Element: "moved", Counts: []int{0, 0, 0, 9}},
			{Number: 2, Element: "moved", Counts: []int{1, 2, 0, 0}, Hands: []int{4, 0, 0, 0}},
			{Number: 3, Element: "unsure", DontKnow: 6, Counts: []int{0, 0, 0, 0}},
		},
		Ratings: map[string]Rating{"moved": {Level: 1}, "tie": {Level: matrix.NotAnswered}},
	}
	for element, want := range map[string]Movement{
		"tie":     {Survey: []int{1, 3}},
		"moved":   {Survey: []int{2}, Ballot: []int{1}, Agreed: 1},
		"unsure":  {},
		"nothing": {},
	} {
		if got := a.Movement(element); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", element, got, want)
		}
	}
}

// TestReported checks the figures for both nations against those for each, which the editions hold
// as percentages of ten areas.
func TestReported(t *testing.T) {
	editions := matrix.Editions()
	nations, found := map[string]int{}, map[string]int{}
	areas := map[string]int{}
	for _, m := range editions.Newest() {
		for _, role := range m.Roles() {
			if n, ok := Reported(role); ok {
				nations[role.ID] += *role.Workshops / 10
				found[role.ID]++
				areas[role.ID] = n
			}
		}
	}
	for id, n := range areas {
		if found[id] != 2 || nations[id] != n {
			t.Errorf("%s: %d areas, but the nations have %d, in %d editions", id, n, nations[id], found[id])
		}
	}
	if len(areas) != len(reported) {
		t.Errorf("the editions have %d of the %d roles", len(areas), len(reported))
	}
	if n, ok := Reported(matrix.Role{ID: "astronaut"}); ok {
		t.Errorf("astronaut: %d", n)
	}
}
