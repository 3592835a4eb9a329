package results

import (
	"errors"
	"fmt"
	"testing"

	"maturitybot/survey/matrix"
)

// appendixB has the counts of the report's Appendix B: the areas on each level, of ten in each
// nation, and last the published row for both together.
var appendixB = []struct {
	dimension, element   string
	wales, england, both [4]int
}{
	{"Plan", "Strategy: vision, strategy & plan", [4]int{6, 4, 0, 0}, [4]int{2, 8, 0, 0}, [4]int{8, 12, 0, 0}},
	{"Plan", "Strategy: population needs", [4]int{3, 7, 0, 0}, [4]int{1, 7, 2, 0}, [4]int{4, 14, 2, 0}},
	{"Plan", "Commissioning / resources", [4]int{8, 2, 0, 0}, [4]int{7, 3, 0, 0}, [4]int{15, 5, 0, 0}},
	{"Plan", "Workforce planning", [4]int{7, 3, 0, 0}, [4]int{6, 3, 1, 0}, [4]int{13, 6, 1, 0}},
	{"Lead", "Partnership", [4]int{4, 5, 1, 0}, [4]int{3, 6, 0, 1}, [4]int{7, 11, 1, 1}},
	{"Lead", "Leadership", [4]int{1, 8, 1, 0}, [4]int{0, 6, 4, 0}, [4]int{1, 14, 4, 0}},
	{"Lead", "Community engagement", [4]int{5, 5, 0, 0}, [4]int{3, 6, 1, 0}, [4]int{8, 11, 1, 0}},
	{"Lead", "Community assets", [4]int{5, 5, 0, 0}, [4]int{3, 4, 1, 0}, [4]int{8, 9, 1, 0}},
	{"Deliver", "Quality", [4]int{2, 7, 1, 0}, [4]int{1, 5, 2, 1}, [4]int{3, 12, 3, 1}},
	{"Deliver", "Evidence-based programmes", [4]int{0, 6, 4, 0}, [4]int{1, 6, 2, 0}, [4]int{1, 12, 6, 0}},
	{"Deliver", "Co-ordinated working", [4]int{3, 7, 0, 0}, [4]int{4, 2, 2, 0}, [4]int{7, 9, 2, 0}},
	{"Deliver", "Sharing personal data", [4]int{4, 6, 0, 0}, [4]int{4, 5, 0, 0}, [4]int{8, 11, 0, 0}},
	{"Deliver", "Information for families", [4]int{2, 6, 1, 0}, [4]int{2, 6, 1, 0}, [4]int{4, 12, 2, 0}},
	{"Evaluate", "Outcomes framework", [4]int{7, 3, 0, 0}, [4]int{3, 6, 1, 0}, [4]int{10, 9, 1, 0}},
	{"Evaluate", "Family access and experience", [4]int{3, 7, 0, 0}, [4]int{3, 5, 2, 0}, [4]int{6, 12, 2, 0}},
	{"Evaluate", "Using evidence well", [4]int{3, 5, 1, 0}, [4]int{2, 5, 1, 1}, [4]int{5, 10, 2, 1}},
	{"Evaluate", "Local evaluation", [4]int{2, 8, 0, 0}, [4]int{1, 8, 1, 0}, [4]int{3, 16, 1, 0}},
}

// appendixBAverages has the percentages that the report prints as the average level of each
// dimension.
var appendixBAverages = []struct {
	dimension            string
	wales, england, both [4]int
}{
	{"Plan", [4]int{60, 40, 0, 0}, [4]int{40, 52, 8, 0}, [4]int{50, 46, 4, 0}},
	{"Lead", [4]int{38, 58, 5, 0}, [4]int{24, 58, 16, 3}, [4]int{31, 58, 9, 1}},
	{"Deliver", [4]int{22, 65, 12, 0}, [4]int{27, 55, 16, 2}, [4]int{25, 60, 14, 1}},
	{"Evaluate", [4]int{38, 59, 3, 0}, [4]int{23, 61, 13, 3}, [4]int{31, 60, 8, 1}},
}

// appendixBAreas returns ten areas in each nation whose ratings give the counts of Appendix B.
func appendixBAreas(t *testing.T) *Areas {
	t.Helper()
	m := &matrix.Matrix{Levels: make([]matrix.Level, 4)}
	for _, row := range appendixB {
		if n := len(m.Dimensions); n == 0 || m.Dimensions[n-1].ID != row.dimension {
			m.Dimensions = append(m.Dimensions, matrix.Dimension{ID: row.dimension, CoreElements: []matrix.CoreElement{{}}})
		}
		c := &m.Dimensions[len(m.Dimensions)-1].CoreElements[0]
		c.Elements = append(c.Elements, matrix.Element{ID: row.element})
	}
	a := NewAreas(m)
	for _, row := range appendixB {
		for nation, counts := range map[matrix.Nation][4]int{matrix.Wales: row.wales, matrix.England: row.england} {
			area := 0
			rate := func(r matrix.Rating) {
				area++
				if err := a.Add(AreaRating{Area: fmt.Sprint(nation, area), Nation: nation, Element: row.element, Rating: r}); err != nil {
					t.Fatal(err)
				}
			}
			for level, n := range counts {
				for range n {
					rate(matrix.Rating(level + 1))
				}
			}
			for area < 10 {
				rate(matrix.NotAnswered)
			}
		}
	}
	return a
}

func ints(figures []Figure) (all [4]int) {
	for i, f := range figures {
		all[i], _ = f.Int()
	}
	return all
}

func TestAreasMatchReport(t *testing.T) {
	o := appendixBAreas(t).Overview()
	if len(o.Groups) != 3 || o.Groups[0].Nation != "" || o.Groups[1].Nation != matrix.Wales || o.Groups[2].Nation != matrix.England {
		t.Fatalf("groups are %+v", o.Groups)
	}
	both, wales, england := o.Groups[0], o.Groups[1], o.Groups[2]
	if both.Areas != 20 || wales.Areas != 10 || england.Areas != 10 {
		t.Errorf("%d, %d and %d areas", both.Areas, wales.Areas, england.Areas)
	}
	for i, row := range appendixB {
		if got := ints(wales.Elements[i].Counts); got != row.wales {
			t.Errorf("Wales, %s: %v, want %v", row.element, got, row.wales)
		}
		if got := ints(england.Elements[i].Counts); got != row.england {
			t.Errorf("England, %s: %v, want %v", row.element, got, row.england)
		}
		want := row.both
		if row.element == "Leadership" {
			// The published row for both nations, 1 14 4, does not add up: Wales has 1 8 1 and
			// England 0 6 4.
			if want != [4]int{1, 14, 4, 0} {
				t.Fatalf("the published row for Leadership is %v", want)
			}
			want[2] = 5
		}
		if got := ints(both.Elements[i].Counts); got != want {
			t.Errorf("England and Wales, %s: %v, want %v", row.element, got, want)
		}
	}
	for i, row := range appendixBAverages {
		if got := ints(wales.Dimensions[i].Percent); got != row.wales {
			t.Errorf("Wales, %s: %v, want %v", row.dimension, got, row.wales)
		}
		want := row.england
		if row.dimension == "Evaluate" {
			// The report prints 61 for early progress, where its own cells give 24 of 39, 61.5 %.
			if want[1] != 61 {
				t.Fatalf("the published percentage for Evaluate is %d", want[1])
			}
			want[1] = 62
		}
		if got := ints(england.Dimensions[i].Percent); got != want {
			t.Errorf("England, %s: %v, want %v", row.dimension, got, want)
		}
		want = row.both
		if row.dimension == "Lead" {
			want[2] = 10 // follows from the row for Leadership: 8 of 78, where the report has 7 of 77
		}
		if got := ints(both.Dimensions[i].Percent); got != want {
			t.Errorf("England and Wales, %s: %v, want %v", row.dimension, got, want)
		}
	}
	lead := england.Dimensions[1]
	if rated, not := lead.Rated.String(), lead.NotRated.String(); rated != "38" || not != "2" {
		t.Errorf("England, Lead: %s rated and %s not", rated, not)
	}
	if got := lead.Shares[3].String(); got != "0.026316" {
		t.Errorf("the raw share is %s", got)
	}
}

func TestAreasInvalid(t *testing.T) {
	a := NewAreas(&matrix.Matrix{Levels: make([]matrix.Level, 4), Dimensions: []matrix.Dimension{{CoreElements: []matrix.CoreElement{{Elements: []matrix.Element{{ID: "x"}, {ID: "y"}}}}}}})
	for i, c := range []struct {
		rating AreaRating
		want   error
	}{
		{AreaRating{"North Ham", matrix.Wales, "x", 2}, nil},
		{AreaRating{" ", matrix.Wales, "x", 2}, ErrNoArea},
		{AreaRating{"B", "France", "x", 2}, ErrNoNation},
		{AreaRating{"B", matrix.Wales, "z", 2}, matrix.ErrNoElement},
		{AreaRating{"B", matrix.Wales, "x", 5}, matrix.ErrNoRating},
		{AreaRating{"B", matrix.Wales, "x", matrix.DontKnow}, matrix.ErrNoRating},
		{AreaRating{"north  ham ", matrix.England, "y", 2}, ErrTwoNations},
		{AreaRating{"NORTH HAM", matrix.Wales, "x", 2}, ErrRatedTwice},
		{AreaRating{"North Ham", matrix.Wales, "y", matrix.NotAnswered}, nil},
		{AreaRating{"North Ham", matrix.Wales, "y", 1}, ErrRatedTwice},
	} {
		if err := a.Add(c.rating); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("row %d, %+v: %v, want %v", i, c.rating, err, c.want)
		}
	}
	o := a.Overview()
	if len(o.Groups) != 1 || o.Groups[0].Nation != matrix.Wales || o.Groups[0].Areas != 1 {
		t.Fatalf("a refused rating left something behind, or one nation is shown twice: %+v", o.Groups)
	}
	y := o.Groups[0].Elements[1]
	if y.Rated.String() != "0" || y.NotRated.String() != "1" || y.Counts[0].String() != "0" || y.Percent[0].String() != "[x]" || y.Shares[0].String() != "[x]" {
		t.Errorf("of an element that nobody rated: %+v", y)
	}
	if got := NewAreas(a.matrix).Overview(); len(got.Groups) != 0 {
		t.Errorf("no areas: %+v", got.Groups)
	}
}
