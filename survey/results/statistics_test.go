package results

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestAgreement(t *testing.T) {
	for _, c := range []struct {
		about  string
		levels []int64
		want   *big.Rat
	}{
		{"all on one level", []int64{0, 9, 0, 0}, big.NewRat(1, 1)},
		{"even", []int64{5, 5, 5, 5}, new(big.Rat)},
		{"even over seven", []int64{2, 2, 2, 2, 2, 2, 2}, new(big.Rat)},
		{"half at each end", []int64{6, 0, 0, 6}, big.NewRat(-1, 1)},
		{"half at each end of three", []int64{3, 0, 3}, big.NewRat(-1, 1)},
		{"half at each end of seven", []int64{3, 0, 0, 0, 0, 0, 3}, big.NewRat(-1, 1)},
		// Worked by hand from the paper's equations.
		{"two in the middle of four", []int64{0, 1, 1, 0}, big.NewRat(2, 3)},
		{"two at one end of four", []int64{4, 4, 0, 0}, big.NewRat(2, 3)},
		{"two with a gap of one", []int64{1, 0, 1, 0}, big.NewRat(-1, 6)}, // one triple 110-like, one 101: U = (2-3)/(2*2)
		{"three of four", []int64{1, 1, 1, 0}, big.NewRat(1, 3)},
		{"two layers", []int64{1, 3, 1, 0}, big.NewRat(3, 5)}, // 3/5 of 1/3 and 2/5 of 1
		{"two of three", []int64{1, 1, 0}, big.NewRat(1, 2)},
		{"two levels, even", []int64{4, 4}, new(big.Rat)},
		{"two levels, uneven", []int64{3, 1}, big.NewRat(1, 2)},
		{"two levels, one empty", []int64{0, 7}, big.NewRat(1, 1)},
		{"two neighbours of five", []int64{0, 0, 2, 2, 0}, big.NewRat(3, 4)},
		{"two neighbours of six", []int64{0, 0, 2, 2, 0, 0}, big.NewRat(4, 5)},
	} {
		if got := agreement(c.levels); got.Cmp(c.want) != 0 {
			t.Errorf("%s: agreement(%v) = %v, want %v", c.about, c.levels, got, c.want)
		}
	}
}

// TestAgreementAsPublished has the values that the documentation of the R package agrmt prints. The
// first two rows are van der Eijk's own example.
func TestAgreementAsPublished(t *testing.T) {
	for _, c := range []struct {
		levels []int64
		want   float64
		within float64
	}{
		{[]int64{24, 28, 32, 62, 135, 304, 416}, 0.61, 0.005},
		{[]int64{16, 26, 82, 210, 293, 270, 103}, 0.48, 0.005},
		{[]int64{30, 40, 210, 130, 530, 50, 10}, 0.6113333, 0.00000005},
		{[]int64{6, 8, 5, 3, 2}, 0.31, 0.005},
		{[]int64{6, 8, 5, 3, 2, 0, 2}, 0.39, 0.005},
	} {
		if got, _ := agreement(c.levels).Float64(); math.Abs(got-c.want) > c.within {
			t.Errorf("agreement(%v) = %v, want %v", c.levels, got, c.want)
		}
	}
}

func TestAgreementProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.SliceOfN(rapid.Int64Range(0, 40), 2, 7).Draw(t, "levels")
		levels[0]++
		a := agreement(levels)
		if one := big.NewRat(1, 1); a.Cmp(one) > 0 || a.Cmp(new(big.Rat).Neg(one)) < 0 {
			t.Fatalf("agreement(%v) = %v", levels, a)
		}
		back := make([]int64, len(levels))
		double := make([]int64, len(levels))
		for i, n := range levels {
			back[len(levels)-1-i] = n
			double[i] = 2 * n
		}
		if agreement(back).Cmp(a) != 0 || agreement(double).Cmp(a) != 0 {
			t.Fatalf("%v: turned round or doubled, agreement differs", levels)
		}
	})
}

func TestPercentRoundsHalfToEven(t *testing.T) {
	for _, c := range []struct{ part, whole, want int64 }{
		{1, 8, 12}, {3, 8, 38}, {5, 8, 62}, {7, 8, 88}, // 12.5 37.5 62.5 87.5
		{1, 200, 0}, {3, 200, 2}, {5, 200, 2}, {29, 200, 14}, {57, 200, 28}, // 0.5 1.5 2.5 14.5 28.5
		{1, 3, 33}, {2, 3, 67}, {0, 7, 0}, {7, 7, 100}, {23, 40, 58}, // 57.5
	} {
		if got := percent(c.part, c.whole); got != c.want {
			t.Errorf("percent(%d, %d) = %d, want %d", c.part, c.whole, got, c.want)
		}
	}
}

func TestMedianAndMode(t *testing.T) {
	for _, c := range []struct {
		about       string
		levels      []int64
		medianTwice int64
		mode        int64
		withinOne   int64
		far         int64
	}{
		{"odd", []int64{1, 3, 1, 0}, 4, 2, 5, 0},
		{"even, between two", []int64{2, 2, 2, 2}, 5, 2, 4, 2},
		{"between the ends", []int64{3, 0, 0, 3}, 5, 1, 0, 3},
		{"tie, nearest the median", []int64{4, 0, 1, 4}, 6, 4, 5, 4},
		{"tie, lower", []int64{0, 4, 4, 0}, 5, 2, 8, 0},
		{"tie of three", []int64{3, 3, 3, 0}, 4, 2, 9, 0},
		{"one", []int64{0, 0, 0, 1}, 8, 4, 1, 0},
		{"one level", []int64{4}, 2, 1, 4, 0},
		{"five levels", []int64{1, 0, 5, 2, 2}, 6, 3, 7, 3},
	} {
		if got := medianTwice(c.levels); got != c.medianTwice {
			t.Errorf("%s: median %v, want %v", c.about, float64(got)/2, float64(c.medianTwice)/2)
		}
		if got := mode(c.levels); got != c.mode {
			t.Errorf("%s: mode %d, want %d", c.about, got, c.mode)
		}
		if got := withinOneOfMedian(c.levels); got != c.withinOne {
			t.Errorf("%s: %d within one level of the median, want %d", c.about, got, c.withinOne)
		}
		if got := twoAwayFrom(mode(c.levels), c.levels); got != c.far {
			t.Errorf("%s: %d far from the mode, want %d", c.about, got, c.far)
		}
	}
}

func TestFarMinorityThreshold(t *testing.T) {
	if !isFarMinority([]int64{17, 0, 3, 0}, 20) {
		t.Error("3 of 20, 15 %, is not a far minority")
	}
	if isFarMinority([]int64{18, 0, 3, 0}, 21) {
		t.Error("3 of 21, 14.3 %, is a far minority")
	}
}
