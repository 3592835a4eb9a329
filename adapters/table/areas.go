package table

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
)

// AreasWords are the texts of the tables of many areas that are not names of the matrix, in the language they are
// written in.
type AreasWords struct {
	Title  string
	Groups []string // names of the overview's groups, in its order
	Facts  []string // how many areas each group has
	Notes  []string // how to read it: what averages are of, rounding, what [x] means

	Dimension, Element, Nation, Rated, NotRated string // headings of columns
	ShortRated                                  string // heading of a column in text, a few characters
	Average                                     string // names the row of a dimension
	SheetAverages, SheetCounts, SheetNotes      string // names of the spreadsheet's sheets
}

// AreasText writes a table in the form of the report's Appendix B, for a fixed-width font: for each element how many
// areas of each group agreed on each level, and for each dimension the percentage of ratings on it, each with the number
// of ratings. Lines have at most so many characters, wider only where the numbers leave fewer than 12 for the names.
func AreasText(o results.Overview, lang matrix.Lang, words AreasWords, width int) string {
	var legend, numbers []string
	for i, l := range o.Matrix.Levels {
		legend = append(legend, fmt.Sprintf("%d %s", i+1, l.Name.In(lang)))
		numbers = append(numbers, strconv.Itoa(i+1))
	}
	lines := []textLine{{}, {}}
	for i := range o.Groups {
		lines[0].cells = append(lines[0].cells, words.Groups[i])
		lines[1].cells = append(lines[1].cells, block(numbers, words.ShortRated))
	}
	at := 0
	for i, d := range o.Matrix.Dimensions {
		lines = append(lines, textLine{name: d.Name.In(lang), top: true})
		for _, e := range d.Elements() {
			line := textLine{name: e.Name.In(lang), indent: 2}
			for _, g := range o.Groups {
				line.cells = append(line.cells, block(texts(g.Elements[at].Counts, ""), g.Elements[at].Rated.String()))
			}
			lines = append(lines, line)
			at++
		}
		line := textLine{name: words.Average, indent: 2}
		for _, g := range o.Groups {
			line.cells = append(line.cells, block(texts(g.Dimensions[i].Percent, "%"), g.Dimensions[i].Rated.String()))
		}
		lines = append(lines, line)
	}

	var b strings.Builder
	paragraphs(&b, width, words.Title)
	list(&b, width, words.Facts)
	list(&b, width, legend)
	b.WriteByte('\n')
	align(&b, width, lines, false)
	b.WriteByte('\n')
	paragraphs(&b, width, words.Notes...)
	return b.String()
}

// block is the cells of one group beside each other: one for each level, and the number of ratings.
func block(levels []string, rated string) string {
	var b strings.Builder
	for _, l := range levels {
		fmt.Fprintf(&b, " %4s", l)
	}
	fmt.Fprintf(&b, " %5s", rated)
	return b.String()
}

// texts is figures as text, with a unit behind those that are numbers.
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

// AreasCSV writes one row for each dimension and each element in each group, as rows.WriteCSV does. Names
// of columns and ids are English and stay the same ("all" is all nations together); the columns that end in _name are in
// the language. A dimension's counts are the ratings of all its elements; its percentages are the average level.
func AreasCSV(o results.Overview, lang matrix.Lang, words AreasWords) ([]byte, error) {
	header := []string{"kind", "dimension", "dimension_name", "element", "element_name", "nation", "nation_name", "areas", "rated", "not_rated"}
	for _, measure := range []string{"count_", "percent_", "share_"} {
		for _, l := range o.Matrix.Levels {
			header = append(header, rows.Safe(measure+strings.ReplaceAll(l.ID, "-", "_")))
		}
	}
	records := [][]string{header}
	add := func(kind string, d matrix.Dimension, element, elementName string, group int, c results.LevelCounts) {
		g := o.Groups[group]
		nation := string(g.Nation)
		if nation == "" {
			nation = "all"
		}
		record := []string{
			kind, rows.Safe(d.ID), rows.Safe(d.Name.In(lang)), rows.Safe(element), rows.Safe(elementName), nation, rows.Safe(words.Groups[group]),
			strconv.Itoa(g.Areas), c.Rated.String(), c.NotRated.String(),
		}
		for _, figures := range [][]results.Figure{c.Counts, c.Percent, c.Shares} {
			record = append(record, texts(figures, "")...)
		}
		records = append(records, record)
	}
	at := 0
	for i, d := range o.Matrix.Dimensions {
		for k, g := range o.Groups {
			add("dimension", d, "", "", k, g.Dimensions[i])
		}
		for _, e := range d.Elements() {
			for k, g := range o.Groups {
				add("element", d, e.ID, e.Name.In(lang), k, g.Elements[at])
			}
			at++
		}
	}
	var b bytes.Buffer
	if err := rows.WriteCSV(&b, records); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return b.Bytes(), nil
}

// AreasXLSX writes a spreadsheet of three sheets: the average level of each dimension and group, how many areas agreed
// on each level of each element, and how to read it. Numbers are numbers.
func AreasXLSX(o results.Overview, lang matrix.Lang, words AreasWords) ([]byte, error) {
	b := newBook()

	b.begin(sheetName(words.SheetAverages, "Average levels"), 24, 24, 13)
	b.areasTop(words)
	heads := []string{words.Dimension, words.Nation, words.Rated, words.NotRated}
	for _, unit := range []string{" (n)", " (%)"} {
		for _, l := range o.Matrix.Levels {
			heads = append(heads, l.Name.In(lang)+unit)
		}
	}
	b.wideHeads(heads)
	b.freeze(2)
	for i, d := range o.Matrix.Dimensions {
		for k, g := range o.Groups {
			c := g.Dimensions[i]
			line := []cell{{d.Name.In(lang), b.wrapped}, {words.Groups[k], b.wrapped}, plain(c.Rated), plain(c.NotRated)}
			b.write(append(line, plains(c.Counts, c.Percent)...)...)
		}
	}

	b.begin(sheetName(words.SheetCounts, "Counts"), 24, 46, 13)
	b.areasTop(words)
	heads = []string{words.Dimension, words.Element}
	for k := range o.Groups {
		for _, l := range o.Matrix.Levels {
			heads = append(heads, words.Groups[k]+": "+l.Name.In(lang))
		}
		heads = append(heads, words.Groups[k]+": "+words.Rated)
	}
	b.wideHeads(heads)
	b.freeze(2)
	at := 0
	for _, d := range o.Matrix.Dimensions {
		for _, e := range d.Elements() {
			line := []cell{{d.Name.In(lang), b.wrapped}, {e.Name.In(lang), b.wrapped}}
			for _, g := range o.Groups {
				line = append(append(line, plains(g.Elements[at].Counts)...), plain(g.Elements[at].Rated))
			}
			b.write(line...)
			at++
		}
	}

	b.begin(sheetName(words.SheetNotes, "Notes"), 110)
	b.areasTop(words)
	for _, note := range words.Notes {
		b.write(cell{note, b.wrapped})
	}
	return b.end()
}

// areasTop writes what stands above the table of every sheet.
func (b *book) areasTop(words AreasWords) {
	b.write(cell{words.Title, b.title})
	b.write(cell{value: strings.Join(words.Facts, " · ")})
	b.write()
}

// wideHeads writes headings of columns 13 characters wide in a row as high as the longest needs: not every program
// fits the height of a row to its text.
func (b *book) wideHeads(heads []string) {
	lines := 1
	for _, h := range heads {
		lines = max(lines, len(wrap(h, 11))) // bold letters are wider
	}
	b.heads(heads...)
	b.note(b.file.SetRowHeight(b.sheet, b.line, float64(15*lines)))
}

func plains(figures ...[]results.Figure) []cell {
	var cells []cell
	for _, list := range figures {
		for _, f := range list {
			cells = append(cells, plain(f))
		}
	}
	return cells
}
