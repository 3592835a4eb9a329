// Package ratings reads the agreed ratings of many local areas from a table, such as a spreadsheet
// saves. It knows the file and what its words may be; what may stand beside what is survey's to say,
// and it knows nothing of what is made of the ratings.
//
// The columns are area, nation, element and level, in any order; other columns are not read. A nation
// is England or Wales, Lloegr or Cymru. Elements and levels go by what survey.Vocabulary knows; a
// blank level is an element that the area did not rate.
package ratings

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"maturitybot/adapters/spreadsheet"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
)

// The columns of a file.
const (
	areaColumn = iota
	nationColumn
	elementColumn
	levelColumn
)

var columns = rows.Columns{Others: true, List: []rows.Column{
	{Names: []string{"area", "ardal"}},
	{Names: []string{"nation", "cenedl"}},
	{Names: []string{"element", "elfen"}},
	{Names: []string{"level", "lefel"}},
}}

// Read reads ratings on the first of at least one matrix from a file that spreadsheet.Read reads; the
// other matrices only add names for its elements and levels. The file's name is what its faults call
// it. Everything that is wrong is reported at once: the error is then a plaintext.Faults, and no rating
// stands. A reader that fails gives its own error, wrapped.
func Read(name string, from io.Reader, matrices []*matrix.Matrix) (*results.Areas, error) {
	r := reader{
		Table: spreadsheet.Read(name, from, columns), matrix: matrices[0], areas: results.NewAreas(matrices[0]),
		vocabulary: matrix.NewVocabulary(matrices[0], matrices[1:]...),
		nations:    map[string]int{}, rated: map[[2]string]int{},
	}
	for row := range r.Rows() {
		r.row(row)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("read ratings %s: %w", name, err)
	}
	if len(r.rated) == 0 && len(r.Faults) == 0 {
		r.Fault(1, "there is no rating", "expected a row for each area and element below the names of the columns")
	}
	if len(r.Faults) > 0 {
		r.Faults.Sort()
		return nil, r.Faults
	}
	return r.areas, nil
}

type reader struct {
	*rows.Table
	matrix     *matrix.Matrix
	areas      *results.Areas
	vocabulary *matrix.Vocabulary
	nations    map[string]int    // the line that first said the nation of an area
	rated      map[[2]string]int // the line that gave an area and element
}

var nations = map[string]matrix.Nation{
	"england": matrix.England, "lloegr": matrix.England, "wales": matrix.Wales, "cymru": matrix.Wales,
}

// row takes one rating in, or notes all that is wrong with it.
func (r *reader) row(row rows.Row) {
	line, ok := row.Line, true
	fault := func(what, want string, words ...string) {
		ok = false
		r.Fault(line, what, want, words...)
	}
	area := plaintext.Line(row.Cells[areaColumn])
	switch {
	case area == "":
		fault("the area is blank", "expected the name of a local area")
	case utf8.RuneCountInString(area) > survey.MaxAreaRunes:
		fault("the name of an area is too long", fmt.Sprintf("expected at most %d characters", survey.MaxAreaRunes), area)
	}
	nation, known := nations[plaintext.Key(row.Cells[nationColumn])]
	if !known {
		fault("the nation is not known", "expected England or Wales", row.Cells[nationColumn])
	}
	element, err := r.vocabulary.Element(row.Cells[elementColumn])
	switch {
	case errors.Is(err, matrix.ErrAmbiguousWord):
		fault("the element is the name of several", "expected one of "+matrix.IDs(r.matrix.Elements()), row.Cells[elementColumn])
	case err != nil:
		fault("the element is not known", "expected one of "+matrix.IDs(r.matrix.Elements())+", or its name", row.Cells[elementColumn])
	}
	rating, err := r.vocabulary.Level(row.Cells[levelColumn])
	if err != nil {
		fault("the level is not known", fmt.Sprintf(
			"expected one of %s, its name, its number from 1 to %d, or nothing where the area did not rate the element",
			matrix.IDs(r.matrix.Levels), len(r.matrix.Levels)), row.Cells[levelColumn])
	}
	if !ok {
		return
	}

	key := plaintext.Key(area)
	given := [2]string{key, element}
	agreed := results.AreaRating{Area: area, Nation: nation, Element: element, Rating: max(rating, matrix.NotAnswered)}
	switch err := r.areas.Add(agreed); {
	case errors.Is(err, results.ErrTwoNations):
		r.both("the area is in two nations", "expected one nation for an area", r.nations[key], line, area)
	case errors.Is(err, results.ErrRatedTwice):
		r.both("the area has two ratings of an element", "expected one", r.rated[given], line, area+": "+element)
	case err != nil: // the checks above leave nothing else
		fault(err.Error(), "expected a rating of an area")
	default:
		r.rated[given] = line
		if _, known := r.nations[key]; !known {
			r.nations[key] = line
		}
	}
}

// both notes a fault that two lines make together.
func (r *reader) both(what, want string, first, second int, word string) {
	r.Fault(first, what, want, word)
	r.Fault(second, what, want, word)
}
