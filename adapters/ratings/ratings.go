// Package ratings reads the agreed ratings of many local areas from a table such as a spreadsheet.
// It knows the format of the file and the words in it. Package results decides which ratings
// contradict each other, and this package does not know what the ratings are used for.
//
// The columns are area, nation, element and level, in any order; other columns are ignored. A
// nation is England or Wales, Lloegr or Cymru. Elements and levels are words that matrix.Vocabulary
// knows. A blank level means that the area did not rate the element.
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

// Read reads ratings on the first matrix from a file that spreadsheet.Read reads. There must be at
// least one matrix; the others only add names for its elements and levels. Error messages call the
// file by its name. If anything is wrong, Read returns no ratings and a plaintext.Faults with
// everything that is wrong. If the reader fails, it returns the reader's error, wrapped.
func Read(name string, from io.Reader, matrices matrix.List) (*results.Areas, error) {
	r := reader{
		Table:      spreadsheet.Read(name, from, columns),
		matrix:     matrices[0],
		areas:      results.NewAreas(matrices[0]),
		vocabulary: matrix.NewVocabulary(matrices[0], matrices[1:]...),
		nations:    map[string]int{},
		rated:      map[[2]string]int{},
	}
	for row := range r.Rows() {
		r.row(row)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("read ratings %s: %w", name, err)
	}
	switch {
	case len(r.Faults) > 0:
	case len(r.rated) == 0:
		r.Fault(1, "the file has no rows below the header",
			"expected a row for each area and element")
	case r.levels == 0: // such as a workshop sheet that is not filled in
		r.Fault(1, "no level is filled in",
			"expected a level in the rows of the elements that were rated")
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
	levels     int               // ratings that are a level
}

// row adds one rating, or its faults.
func (r *reader) row(row rows.Row) {
	line, ok := row.Line, true
	fault := func(what, want string, words ...string) {
		ok = false
		r.Fault(line, what, want, words...)
	}
	area := plaintext.Line(row.Cells[areaColumn])
	switch {
	case area == "":
		fault("the area is empty", "expected the name of a local area")
	case utf8.RuneCountInString(area) > survey.MaxAreaRunes:
		want := fmt.Sprintf("expected at most %d characters", survey.MaxAreaRunes)
		fault("the name of an area is too long", want, area)
	}
	nation, known := matrix.FindNation(row.Cells[nationColumn])
	if !known {
		fault("the nation is not known", "expected England or Wales", row.Cells[nationColumn])
	}
	cell := row.Cells[elementColumn]
	element, err := r.vocabulary.Element(cell)
	switch {
	case cell == "":
		fault("the element is empty", r.vocabulary.WantElement())
	case err != nil:
		fault(r.vocabulary.Problem("element", err), r.vocabulary.WantElement(), cell)
	}
	cell = row.Cells[levelColumn]
	rating, err := r.vocabulary.Level(cell)
	if err != nil {
		fault(r.vocabulary.Problem("level", err), r.vocabulary.WantLevel(), cell)
	}
	if !ok {
		return
	}

	key := plaintext.Key(area)
	given := [2]string{key, element}
	agreed := results.AreaRating{
		Area:    area,
		Nation:  nation,
		Element: element,
		Rating:  max(rating, matrix.NotAnswered),
	}
	switch err := r.areas.Add(agreed); {
	case errors.Is(err, results.ErrTwoNations):
		r.both("the area is in two nations", "expected one nation for an area",
			r.nations[key], line, area)
	case errors.Is(err, results.ErrRatedTwice):
		r.both("the area has two ratings of an element", "expected one",
			r.rated[given], line, area+": "+element)
	case err != nil: // the checks above leave nothing else
		fault(err.Error(), "expected a rating of an area")
	default:
		r.rated[given] = line
		if agreed.Rating > matrix.NotAnswered {
			r.levels++
		}
		if _, known := r.nations[key]; !known {
			r.nations[key] = line
		}
	}
}

// both reports a contradiction between two lines, at each of them.
func (r *reader) both(what, want string, first, second int, word string) {
	r.Fault(first, what, want, word)
	r.Fault(second, what, want, word)
}
