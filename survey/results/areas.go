package results

import (
	"errors"
	"slices"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// AreaRating is the rating of one key element that a local area agreed on at its workshop.
type AreaRating struct {
	Area    string
	Nation  matrix.Nation
	Element string        // id of an element of the matrix
	Rating  matrix.Rating // a level from 1 up, or NotAnswered where the area did not rate the element
}

// What can be wrong with an agreed rating, beside matrix.ErrNoElement and matrix.ErrNoRating.
var (
	ErrNoArea     = errors.New("no area is named")
	ErrNoNation   = errors.New("no such nation")
	ErrTwoNations = errors.New("the area is in another nation")
	ErrRatedTwice = errors.New("the area has rated the element already")
)

// Areas collects the agreed ratings of many local areas on one matrix. No disclosure rule applies
// to them: an area publishes its agreed ratings in its submission, and they are nobody's answers.
type Areas struct {
	matrix  *matrix.Matrix
	nations map[string]matrix.Nation // by area
	ratings map[areaElement]matrix.Rating
}

type areaElement struct{ area, element string }

// NewAreas returns a collection without ratings on the matrix, which must not change afterwards.
func NewAreas(m *matrix.Matrix) *Areas {
	return &Areas{
		matrix:  m,
		nations: map[string]matrix.Nation{},
		ratings: map[areaElement]matrix.Rating{},
	}
}

// Add adds one rating, also one of matrix.NotAnswered. It refuses with ErrNoArea, ErrNoNation,
// matrix.ErrNoElement, matrix.ErrNoRating, ErrTwoNations or ErrRatedTwice.
func (a *Areas) Add(r AreaRating) error {
	at := areaElement{area: plaintext.Key(r.Area), element: r.Element}
	if at.area == "" {
		return ErrNoArea
	}
	if !slices.Contains(matrix.Nations, r.Nation) {
		return ErrNoNation
	}
	if _, _, ok := a.matrix.Element(r.Element); !ok {
		return matrix.ErrNoElement
	}
	if r.Rating < matrix.NotAnswered || int(r.Rating) > len(a.matrix.Levels) {
		return matrix.ErrNoRating
	}
	if n, known := a.nations[at.area]; known && n != r.Nation {
		return ErrTwoNations
	}
	if _, known := a.ratings[at]; known {
		return ErrRatedTwice
	}
	a.nations[at.area] = r.Nation
	a.ratings[at] = r.Rating
	return nil
}

// Overview is the ratings of many areas together, in the form of Appendix B of the report: how many
// areas agreed on each level of each element, and how the ratings of each dimension are spread. Its
// slices are in the order of the matrix.
type Overview struct {
	Matrix *matrix.Matrix
	// Groups are all areas together, if they are in several nations, and then each nation that has
	// areas.
	Groups []AreaGroup
}

// AreaGroup is the areas of one nation, or of all.
type AreaGroup struct {
	Nation     matrix.Nation // empty for all areas together
	Areas      int
	Elements   []LevelCounts // ratings of areas: an area gives an element one at most
	Dimensions []LevelCounts // the ratings of all elements of the dimension, pooled
}

// LevelCounts is how ratings are spread over the levels. Without ratings, computed figures are
// NotAvailable.
type LevelCounts struct {
	Rated    Figure   // ratings: the denominator of Percent and Shares
	NotRated Figure   // ratings that could have been given besides
	Counts   []Figure // ratings on each level, from the lowest
	Percent  []Figure // Counts as percentages of Rated, rounded half to even; may not sum to 100
	Shares   []Figure // Counts as unrounded shares of Rated
}

// Overview returns the ratings so far together. The average level of a dimension is the share of
// each level among the ratings of all its elements, so that an element that fewer areas rated
// counts less. That is what the report's Appendix B prints: the mean of the elements' own shares
// gives other figures for Lead and Deliver in England.
func (a *Areas) Overview() Overview {
	o := Overview{Matrix: a.matrix}
	for _, n := range matrix.Nations {
		if g := a.group(n); g.Areas > 0 {
			o.Groups = append(o.Groups, g)
		}
	}
	if len(o.Groups) > 1 {
		o.Groups = slices.Insert(o.Groups, 0, a.group(""))
	}
	return o
}

// group counts the areas of a nation; of all nations where it is empty.
func (a *Areas) group(nation matrix.Nation) AreaGroup {
	g := AreaGroup{Nation: nation}
	for _, n := range a.nations {
		if nation == "" || n == nation {
			g.Areas++
		}
	}
	levels := len(a.matrix.Levels)
	elements := map[string]*count{}
	for _, e := range a.matrix.Elements() {
		elements[e.ID] = &count{levels: make([]int64, levels), notAnswered: int64(g.Areas)}
	}
	for at, r := range a.ratings {
		if r == matrix.NotAnswered || nation != "" && a.nations[at.area] != nation {
			continue
		}
		elements[at.element].levels[r-1]++
		elements[at.element].notAnswered--
	}
	for _, d := range a.matrix.Dimensions {
		pooled := count{levels: make([]int64, levels)}
		for _, e := range d.Elements() {
			pooled.add(*elements[e.ID])
			g.Elements = append(g.Elements, spread(*elements[e.ID]))
		}
		g.Dimensions = append(g.Dimensions, spread(pooled))
	}
	return g
}

func spread(c count) LevelCounts {
	rated := c.rated()
	l := LevelCounts{Rated: whole(rated), NotRated: whole(c.notAnswered)}
	for _, n := range c.levels {
		l.Counts = append(l.Counts, whole(n))
		if rated == 0 {
			l.Percent = append(l.Percent, unavailable)
			l.Shares = append(l.Shares, unavailable)
			continue
		}
		l.Percent = append(l.Percent, whole(percent(n, rated)))
		l.Shares = append(l.Shares, share(n, rated))
	}
	return l
}
