package table

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
)

// AreasWords are the texts of the tables of many areas that are not names of the matrix, in the
// language of the tables.
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

// AreasText writes a table in the form of the report's Appendix B, for a fixed-width font. It gives
// for each element how many areas of each group agreed on each level, and for each dimension the
// percentage of ratings on each level, both with the number of ratings. Lines have at most width
// characters. They are longer only if the numbers leave fewer than 12 characters for the names.
func AreasText(o results.Overview, lang matrix.Lang, words AreasWords, width int) string {
	var numbers []string
	for i := range o.Matrix.Levels {
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
				c := g.Elements[at]
				line.cells = append(line.cells, block(texts(c.Counts, ""), c.Rated.String()))
			}
			lines = append(lines, line)
			at++
		}
		line := textLine{name: words.Average, indent: 2}
		for _, g := range o.Groups {
			c := g.Dimensions[i]
			line.cells = append(line.cells, block(texts(c.Percent, "%"), c.Rated.String()))
		}
		lines = append(lines, line)
	}

	var b strings.Builder
	paragraphs(&b, width, words.Title)
	list(&b, width, words.Facts)
	list(&b, width, legend(o.Matrix.Levels, lang))
	b.WriteByte('\n')
	align(&b, width, lines, false)
	b.WriteByte('\n')
	paragraphs(&b, width, words.Notes...)
	return b.String()
}

// block joins the cells of one group: one for each level, and the number of ratings.
func block(levels []string, rated string) string {
	var b strings.Builder
	for _, l := range levels {
		fmt.Fprintf(&b, " %4s", l)
	}
	fmt.Fprintf(&b, " %5s", rated)
	return b.String()
}

// AreasCSV writes one row for each dimension and each element in each group, as rows.WriteCSV does.
// Names of columns and ids are English in every language ("all" stands for all nations together).
// Only the columns that end in _name are in the language given. A dimension's counts are the
// ratings of all its elements; its percentages are the average level.
func AreasCSV(o results.Overview, lang matrix.Lang, words AreasWords) ([]byte, error) {
	header := []string{
		"kind", "dimension", "dimension_name", "element", "element_name",
		"nation", "nation_name", "areas", "rated", "not_rated",
	}
	records := [][]string{append(header, levelColumns(o.Matrix.Levels)...)}
	add := func(name []string, group int, c results.LevelCounts) {
		g := o.Groups[group]
		record := append(slices.Clone(name),
			cmp.Or(string(g.Nation), "all"), rows.Safe(words.Groups[group]),
			strconv.Itoa(g.Areas), c.Rated.String(), c.NotRated.String(),
		)
		record = append(record, levelFigures(c.Counts, c.Percent, c.Shares)...)
		records = append(records, record)
	}
	at := 0
	for i, d := range o.Matrix.Dimensions {
		dimension := []string{rows.Safe(d.ID), rows.Safe(d.Name.In(lang))}
		name := slices.Concat([]string{"dimension"}, dimension, []string{"", ""})
		for k, g := range o.Groups {
			add(name, k, g.Dimensions[i])
		}
		for _, e := range d.Elements() {
			element := []string{rows.Safe(e.ID), rows.Safe(e.Name.In(lang))}
			name := slices.Concat([]string{"element"}, dimension, element)
			for k, g := range o.Groups {
				add(name, k, g.Elements[at])
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

// AreasXLSX writes a spreadsheet of three sheets: the average level of each dimension and group,
// how many areas agreed on each level of each element, and notes on how to read it. Figures are
// written as numbers.
func AreasXLSX(o results.Overview, lang matrix.Lang, words AreasWords) ([]byte, error) {
	b := newBook()

	b.begin(sheetName(words.SheetAverages, "Average levels"), 24, 24, 13)
	b.areasTop(words)
	heads := []string{words.Dimension, words.Nation, words.Rated, words.NotRated}
	heads = append(heads, levelHeads(o.Matrix.Levels, lang)...)
	b.heads(heads...)
	b.freeze(2)
	for i, d := range o.Matrix.Dimensions {
		for k, g := range o.Groups {
			c := g.Dimensions[i]
			line := []cell{
				b.text(d.Name.In(lang)), b.text(words.Groups[k]), plain(c.Rated), plain(c.NotRated),
			}
			line = append(line, plains(c.Counts)...)
			line = append(line, plains(c.Percent)...)
			b.write(line...)
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
	b.heads(heads...)
	b.freeze(2)
	at := 0
	for _, d := range o.Matrix.Dimensions {
		for _, e := range d.Elements() {
			line := []cell{b.text(d.Name.In(lang)), b.text(e.Name.In(lang))}
			for _, g := range o.Groups {
				line = append(line, plains(g.Elements[at].Counts)...)
				line = append(line, plain(g.Elements[at].Rated))
			}
			b.write(line...)
			at++
		}
	}

	b.begin(sheetName(words.SheetNotes, "Notes"), 110)
	b.areasTop(words)
	for _, note := range words.Notes {
		b.write(b.text(note))
	}
	return b.end()
}

// areasTop writes the lines above the table of every sheet.
func (b *book) areasTop(words AreasWords) {
	b.write(cell{words.Title, b.title})
	b.paragraph(strings.Join(words.Facts, " · "))
	b.write()
}
