package results

import "math/big"

// count holds the number of each answer to one element, or to all elements of a dimension, in one
// group.
type count struct {
	levels        []int64 // ratings on each level, from the lowest
	dontKnow      int64
	notApplicable int64
	notAnswered   int64
}

// add pools another count with as many levels into this one.
func (c *count) add(other count) {
	for i, n := range other.levels {
		c.levels[i] += n
	}
	c.dontKnow += other.dontKnow
	c.notApplicable += other.notApplicable
	c.notAnswered += other.notAnswered
}

func (c count) rated() int64 {
	var n int64
	for _, l := range c.levels {
		n += l
	}
	return n
}

// unrated returns how many people are counted without a rating.
func (c count) unrated() int64 { return c.dontKnow + c.notApplicable + c.notAnswered }

// percent returns part as a percentage of whole, which is above 0, rounded half to even. It
// computes in whole numbers, because a binary fraction may fall on the wrong side of a half.
func percent(part, whole int64) int64 {
	q, r := 100*part/whole, 100*part%whole
	if 2*r > whole || 2*r == whole && q%2 == 1 {
		q++
	}
	return q
}

// medianTwice returns twice the median level, counted from 1, of at least one rating. With an even
// number of ratings the median is the mean of the two in the middle.
func medianTwice(levels []int64) int64 {
	var n int64
	for _, c := range levels {
		n += c
	}
	return ratingAt(levels, (n-1)/2) + ratingAt(levels, n/2)
}

// ratingAt returns the level of the rating at a place, counted from 0, when all ratings are sorted.
func ratingAt(levels []int64, place int64) int64 {
	for i, c := range levels {
		if place < c {
			return int64(i) + 1
		}
		place -= c
	}
	return int64(len(levels))
}

// mode returns the most common level, from 1. On a tie it is the level nearest the median, then the
// lower one.
func mode(levels []int64) int64 {
	median := medianTwice(levels)
	best := 0
	for i, c := range levels {
		nearer := distance(int64(i)+1, median) < distance(int64(best)+1, median)
		if c > levels[best] || c == levels[best] && nearer {
			best = i
		}
	}
	return int64(best) + 1
}

// distance returns twice the distance between a level and a median that is given as medianTwice.
func distance(level, medianTwice int64) int64 {
	d := 2*level - medianTwice
	if d < 0 {
		return -d
	}
	return d
}

// withinOneOfMedian counts the ratings at most one level from the median. A median between two
// levels takes in those two only.
func withinOneOfMedian(levels []int64) int64 {
	median := medianTwice(levels)
	var n int64
	for i, c := range levels {
		if distance(int64(i)+1, median) <= 2 {
			n += c
		}
	}
	return n
}

// twoAwayFrom counts the ratings at least two levels from the given one.
func twoAwayFrom(level int64, levels []int64) int64 {
	var n int64
	for i, c := range levels {
		if distance(int64(i)+1, 2*level) >= 4 {
			n += c
		}
	}
	return n
}

// isFarMinority reports whether FarMinorityPercent or more of the ratings are two or more levels
// from the most common level.
func isFarMinority(levels []int64, rated int64) bool {
	return 100*twoAwayFrom(mode(levels), levels) >= FarMinorityPercent*rated
}

// agreement is van der Eijk's A (C. van der Eijk, "Measuring agreement in ordered rating scales",
// Quality and Quantity 35, 2001): 1 when all ratings are on one level, 0 when they are even over
// all, -1 when they are split between the ends. The counts are taken apart into layers, each even
// over the levels that it touches; A is the sum of the layers' own values, each weighted by its
// share of the ratings. It needs at least one rating and two levels; with two, which the paper
// leaves out, a layer on both is worth 0, as any even one is.
func agreement(levels []int64) *big.Rat {
	rest := append([]int64(nil), levels...)
	var rated int64
	for _, c := range levels {
		rated += c
	}
	sum := new(big.Rat)
	for {
		pattern := make([]bool, len(rest))
		var height, touched int64
		for i, c := range rest {
			if c == 0 {
				continue
			}
			pattern[i] = true
			touched++
			if height == 0 || c < height {
				height = c
			}
		}
		if touched == 0 {
			return sum
		}
		weight := big.NewRat(height*touched, rated)
		sum.Add(sum, weight.Mul(weight, layerAgreement(pattern, touched)))
		for i, in := range pattern {
			if in {
				rest[i] -= height
			}
		}
	}
}

// layerAgreement is A of one layer: its unimodality U, from how many triples of levels speak for
// one peak (110, 011) and how many against (101), times how few of the levels it touches. Equation
// (2) of the paper.
func layerAgreement(pattern []bool, touched int64) *big.Rat {
	k := int64(len(pattern))
	switch touched {
	case 1:
		return big.NewRat(1, 1)
	case k:
		return new(big.Rat)
	}
	var oneSided, split int64
	for i := range pattern {
		for j := i + 1; j < len(pattern); j++ {
			for l := j + 1; l < len(pattern); l++ {
				switch {
				case pattern[j] && pattern[i] != pattern[l]:
					oneSided++
				case pattern[i] && !pattern[j] && pattern[l]:
					split++
				}
			}
		}
	}
	u := big.NewRat((k-2)*oneSided-(k-1)*split, (k-2)*(oneSided+split))
	return u.Mul(u, big.NewRat(k-touched, k-1))
}
