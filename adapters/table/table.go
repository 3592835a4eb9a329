// Package table writes published results as tables: as text of a fixed width for a chat message, as
// CSV for machines, and as a spreadsheet (XLSX) for people. It does the same for the agreed ratings
// of many areas, and for what a workshop agreed. It takes only published figures, and every
// sentence from its caller. It does not know how answers are counted, or where a table is sent.
//
// A spreadsheet never takes a comment for a formula. CSV has no types, so a text that looks like a
// formula gets an apostrophe before it. In XLSX every text is a cell of the type text, unchanged.
package table

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
)

// Words are the texts of a table that are not names of the matrix, in the language of the table and
// with all placeholders filled in.
type Words struct {
	Title string
	Facts []Fact   // of the round: area, dates, minimum group, consensus rule
	Above []string // above every table: what [c], [x] and [z] mean
	Below []string // how to read it: what shares are of, rounding, the rule for consensus

	// Headings of columns.
	Dimension, Element, Group, Rated, DontKnow, NotApplicable, NotAnswered string
	Mode, ModeShare, Median, WithinOne, Agreement, FarMinority, Result     string
	Role, Invited, Finished, Workshops, Kind, Text                         string

	// Headings of columns in text, a few characters each.
	ShortRated, ShortAgreement string

	// Values.
	Consensus, Close, Split, Yes, No string
	Everyone, NotStated              string
	Comment, Barrier                 string

	// Facts counted from the roster and the answers.
	CountInvited, CountStarted, CountFinished, CountDeclined, CountWithdrawn string
	CountRespondents                                                         string
	CountOpenLink                                                            string // where people used an open link

	Agenda string      // heading of the elements in order of disagreement
	Held   string      // heading of how many hold each kind of information
	Sheets SheetTitles // names of the spreadsheet's sheets
}

// Fact is a line of the summary.
type Fact struct{ Label, Value string }

// SheetTitles are the names of the sheets. Characters that a spreadsheet does not allow in them are
// removed, and names are cut to 31 characters.
type SheetTitles struct{ Summary, Elements, Groups, Comments, Representation, Notes string }

// row is one line of a table: an element, or a dimension over all of its elements, in one group.
type row struct {
	dimension matrix.Dimension
	element   *matrix.Element // nil for a dimension's own row
	result    results.Element
	group     results.Group
	cells     results.GroupStats
}

// resultRows lists each dimension followed by its elements, for the groups p.Groups[from:to].
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
				all = append(all, row{
					dimension: d,
					element:   &e,
					result:    result,
					group:     p.Groups[g],
					cells:     result.Groups[g],
				})
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

// either returns yes or no as the flag is set, or its symbol if the flag is not published.
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

// agendaGroup returns the word for an element's group in the workshop's agenda, or a symbol if the
// group is not published.
func agendaGroup(s results.GroupStats, words Words) string {
	switch group := s.AgendaGroup(); group {
	case results.Split:
		return words.Split
	case results.Close:
		return words.Close
	case results.InConsensus:
		return words.Consensus
	default:
		return s.Consensus.String()
	}
}

// modeName returns the name of the most common level, or its symbol if it is not published.
func modeName(p results.Published, c results.GroupStats, lang matrix.Lang) string {
	level, shown := c.Mode.Int()
	if !shown {
		return c.Mode.String()
	}
	return p.Matrix.Levels[level-1].Name.In(lang)
}

// modePercent returns the rounded percentage on the most common level, or the mode itself if it is
// not published.
func modePercent(c results.GroupStats) results.Figure {
	level, shown := c.Mode.Int()
	if !shown {
		return c.Mode
	}
	return c.Percent[level-1]
}

// legend returns each level with its number, such as "1 Basic".
func legend(levels []matrix.Level, lang matrix.Lang) []string {
	entries := make([]string, len(levels))
	for i, level := range levels {
		entries[i] = fmt.Sprintf("%d %s", i+1, level.Name.In(lang))
	}
	return entries
}

// levelColumns returns the CSV columns of each level's count, percentage and share. levelFigures
// returns the figures in the same order.
func levelColumns(levels []matrix.Level) []string {
	var columns []string
	for _, measure := range []string{"count_", "percent_", "share_"} {
		for _, level := range levels {
			columns = append(columns, rows.Safe(measure+strings.ReplaceAll(level.ID, "-", "_")))
		}
	}
	return columns
}

// levelFigures returns a row's figures for the columns of levelColumns.
func levelFigures(counts, percent, shares []results.Figure) []string {
	return texts(slices.Concat(counts, percent, shares), "")
}

// texts returns figures as text, with the unit after each that is published.
func texts(figures []results.Figure, unit string) []string {
	all := make([]string, len(figures))
	for i, f := range figures {
		all[i] = f.String()
		if f.Availability() == results.Present {
			all[i] += unit
		}
	}
	return all
}

// twoDecimals returns a figure as people read it.
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
