package resultfiles

import (
	"fmt"
	"strings"

	"maturitybot/adapters/chart"
	"maturitybot/adapters/table"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// areasWidth is the longest line of the table of many areas, in characters. The table is read in a
// wide window or printed in landscape.
const areasWidth = 110

// AreasFormats are the forms in which the ratings of many areas are drawn.
var AreasFormats = []string{"text", "csv", "xlsx", "png", "svg"}

// Areas draws the agreed ratings of many areas in one of AreasFormats.
func (a *Renderer) Areas(o results.Overview, lang matrix.Lang, format string) ([]byte, error) {
	switch format {
	case "text":
		return []byte(table.AreasText(o, lang, a.areasTable(o, lang), areasWidth)), nil
	case "csv":
		return table.AreasCSV(o, lang, a.areasTable(o, lang))
	case "xlsx":
		return table.AreasXLSX(o, lang, a.areasTable(o, lang))
	case "png":
		return chart.AreasPNG(o, lang, a.areasChart(o, lang))
	case "svg":
		return chart.AreasSVG(o, lang, a.areasChart(o, lang))
	}
	return nil, fmt.Errorf("draw areas: no such format %q", format)
}

// groupNames returns the names of the groups, and for each a text with its number of areas.
func (a *Renderer) groupNames(o results.Overview, lang matrix.Lang) (names, facts []string) {
	v := a.words.In(string(lang))
	for _, g := range o.Groups {
		name := v.Say("areas.all")
		switch g.Nation {
		case matrix.England:
			name = v.Say("areas.england")
		case matrix.Wales:
			name = v.Say("areas.wales")
		}
		names = append(names, name)
		facts = append(facts, name+": "+v.Count("areas.number", g.Areas))
	}
	return names, facts
}

func (a *Renderer) areasTable(o results.Overview, lang matrix.Lang) table.AreasWords {
	v := a.words.In(string(lang))
	names, facts := a.groupNames(o, lang)
	return table.AreasWords{
		Title:  v.Say("areas.title"),
		Groups: names,
		Facts:  facts,
		Notes: []string{
			v.Say("areas.average_means"), v.Say("areas.rounding"), v.Say("areas.nothing"),
		},

		Dimension:  v.Say("areas.dimension"),
		Element:    v.Say("areas.element"),
		Nation:     v.Say("areas.nation"),
		Rated:      v.Say("areas.rated"),
		NotRated:   v.Say("areas.not_rated"),
		ShortRated: v.Say("areas.short_rated"),
		Average:    v.Say("areas.average"),

		SheetAverages: v.Say("areas.sheet_averages"),
		SheetCounts:   v.Say("areas.sheet_counts"),
		SheetNotes:    v.Say("areas.sheet_notes"),
	}
}

func (a *Renderer) areasChart(o results.Overview, lang matrix.Lang) chart.AreasWords {
	v := a.words.In(string(lang))
	names, facts := a.groupNames(o, lang)
	return chart.AreasWords{
		Title:   v.Say("areas.title"),
		Groups:  names,
		Rated:   v.Say("areas.short_rated"),
		Nothing: v.Say("areas.nothing"),
		Notes:   []string{strings.Join(facts, " · "), v.Say("areas.average_means")},
		Alt:     v.Say("areas.title") + ".",
	}
}
