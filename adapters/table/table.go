// Package table writes a published result as tables: as text of a fixed width for a chat message, as CSV for
// machines, and as a spreadsheet (XLSX) for people; and likewise the agreed ratings of many areas. It takes only what may be published, and every sentence from its
// caller; it knows nothing of how answers are counted, or of where a table goes.
//
// What people wrote stays text. In CSV, which has no types, a text that a spreadsheet could take for a formula gets
// an apostrophe before it; in XLSX every text is a cell of the type text, and stands as it was written.
package table

import (
	"strconv"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Words are the texts of a table that are not names of the matrix, in the language it is written in, with
// everything filled in.
type Words struct {
	Title string
	Facts []Fact   // of the round: area, dates, minimum group, consensus rule
	Above []string // stands above every table: what [c], [x] and [z] mean
	Below []string // how to read it: what shares are of, rounding, the rule for agreed

	// Headings of columns.
	Dimension, Element, Group, Rated, DontKnow, NotApplicable, NotAnswered string
	Mode, ModeShare, Median, WithinOne, Agreement, FarMinority, Result     string
	Role, Invited, Finished, Workshops, Kind, Text                         string

	// Headings of columns in text, a few characters each.
	ShortRated, ShortAgreement string

	// Values.
	Agreed, ToDiscuss, Yes, No string
	Everyone, NotStated        string
	Comment, Barrier           string

	// Facts counted from the roster and the answers.
	CountInvited, CountStarted, CountFinished, CountDeclined, CountWithdrawn, CountRespondents string

	Agenda string      // heading of the elements in order of disagreement
	Held   string      // heading of how many hold each kind of information
	Sheets SheetTitles // names of the spreadsheet's sheets
}

// Fact is a line of the summary.
type Fact struct{ Label, Value string }

// SheetTitles are the names of the sheets, at most 31 characters each; what a spreadsheet does not allow in them is
// left out.
type SheetTitles struct{ Summary, Elements, Groups, Comments, Representation, Notes string }

// row is one line of a table: an element, or a dimension over all of its elements, in one group.
type row struct {
	dimension matrix.Dimension
	element   *matrix.Element // nil for a dimension's own row
	result    results.Element
	group     results.Group
	cells     results.GroupStats
}

// resultRows lists each dimension and then its elements, for the groups from the one place up to before the other.
func resultRows(p results.Published, from, to int) []row {
	var all []row
	at := 0
	for i, d := range p.Matrix.Dimensions {
		for g := from; g < to; g++ {
			all = append(all, row{dimension: d, group: p.Groups[g], cells: p.Dimensions[i].Groups[g]})
		}
		for _, e := range d.Elements() {
			result := p.Elements[at]
			at++
			for g := from; g < to; g++ {
				all = append(all, row{dimension: d, element: &e, result: result, group: p.Groups[g], cells: result.Groups[g]})
			}
		}
	}
	return all
}

func (w Words) groupName(g results.Group, lang matrix.Lang) string {
	switch g.ID {
	case results.EveryoneGroup:
		return w.Everyone
	case results.NotStatedGroup:
		return w.NotStated
	}
	return g.Name.In(lang)
}

// either is one of two words, or the symbol of what hides the flag.
func either(f results.Flag, yes, no string) string {
	set, shown := f.Bool()
	switch {
	case !shown:
		return f.String()
	case set:
		return yes
	}
	return no
}

// modeName is the name of the most common level, or the symbol of what hides it.
func modeName(p results.Published, c results.GroupStats, lang matrix.Lang) string {
	level, shown := c.Mode.Int()
	if !shown {
		return c.Mode.String()
	}
	return p.Matrix.Levels[level-1].Name.In(lang)
}

// modePercent is the rounded share of the most common level, or what stands in its place.
func modePercent(c results.GroupStats) results.Figure {
	level, shown := c.Mode.Int()
	if !shown {
		return c.Mode
	}
	return c.Percent[level-1]
}

// twoDecimals is a figure as people read it.
func twoDecimals(f results.Figure) string {
	v, shown := f.Float()
	if !shown {
		return f.String()
	}
	if s := strconv.FormatFloat(v, 'f', 2, 64); s != "-0.00" {
		return s
	}
	return "0.00"
}
