package table

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// XLSX writes a spreadsheet of six sheets: the summary with the agenda, the elements and dimensions
// for everyone, the same by role group, what people wrote, who was represented, and notes on how to
// read it. Figures are written as numbers; shares and agreement are not rounded, and are shown with
// two decimals.
func XLSX(p results.Published, lang matrix.Lang, words Words) ([]byte, error) {
	b := newBook()
	b.summary(p, lang, words)
	b.figures(sheetName(words.Sheets.Elements, "Elements"), p, lang, words, false)
	b.figures(sheetName(words.Sheets.Groups, "Role groups"), p, lang, words, true)
	b.comments(p, lang, words)
	b.representation(p, lang, words)
	b.notes(words)
	return b.end()
}

const maxSheetName = 31 // in characters; Excel's limit

// book writes cells row by row. It keeps the first error until end, so that callers check it once.
type book struct {
	file  *excelize.File
	taken map[string]bool // names of sheets in lower case, since case does not make them differ
	sheet string
	line  int
	// widths are those of the sheet's first columns, in characters. The last is also that of the
	// columns after it.
	widths []float64
	err    error

	title, head, wrapped, raw int          // styles
	framed, strong, blank     int          // styles of a workshop's sheets; blank is for cells to fill in
	wraps                     map[int]bool // the styles that wrap text
}

// cell is a value with a style. The value is a string or a number, never a formula.
type cell struct {
	value any
	style int
}

func newBook() *book {
	b := &book{file: excelize.NewFile(), taken: map[string]bool{}}
	top := &excelize.Alignment{Vertical: "top", WrapText: true}
	style := func(s excelize.Style) int {
		id, err := b.file.NewStyle(&s)
		b.note(err)
		return id
	}
	b.title = style(excelize.Style{Font: &excelize.Font{Bold: true, Size: 14}})
	b.head = style(excelize.Style{
		Font: &excelize.Font{Bold: true}, Alignment: top,
		Border: []excelize.Border{{Type: "bottom", Style: 1, Color: "000000"}},
	})
	b.wrapped = style(excelize.Style{Alignment: top})
	b.framed = style(excelize.Style{Alignment: top, Border: frame})
	b.strong = style(excelize.Style{
		Font: &excelize.Font{Bold: true}, Alignment: top, Border: frame,
	})
	b.blank = style(excelize.Style{
		Alignment: top,
		Border:    frame,
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFF7D6"}},
	})
	b.wraps = map[int]bool{b.head: true, b.wrapped: true, b.framed: true, b.strong: true, b.blank: true}
	b.raw = style(excelize.Style{
		NumFmt:    2, // "0.00"
		Alignment: &excelize.Alignment{Vertical: "top"},
	})
	return b
}

// end closes the book and returns it as a file. If anything failed, it returns the first error.
func (b *book) end() ([]byte, error) {
	defer func() { _ = b.file.Close() }() // deletes temporary files, of which there are none
	if b.err != nil {
		return nil, fmt.Errorf("write spreadsheet: %w", b.err)
	}
	var out bytes.Buffer
	if err := b.file.Write(&out); err != nil {
		return nil, fmt.Errorf("write spreadsheet: %w", err)
	}
	return out.Bytes(), nil
}

// begin starts a sheet. The widths of its columns are in characters; the last one is also the width
// of all further columns.
func (b *book) begin(name string, widths ...float64) {
	wanted := []rune(name)
	for n := 2; b.taken[strings.ToLower(name)]; n++ {
		suffix := fmt.Sprintf(" %d", n)
		name = string(wanted[:min(len(wanted), maxSheetName-len(suffix))]) + suffix
	}
	if len(b.taken) == 0 {
		b.note(b.file.SetSheetName(b.file.GetSheetName(0), name))
	} else {
		_, err := b.file.NewSheet(name)
		b.note(err)
	}
	b.taken[strings.ToLower(name)] = true
	b.sheet, b.line, b.widths = name, 0, widths
	for i, w := range widths {
		from, err := excelize.ColumnNumberToName(i + 1)
		b.note(err)
		to := from
		if i == len(widths)-1 {
			to = "BZ"
		}
		b.note(b.file.SetColWidth(name, from, to, w))
	}
	// Sheets are printed for workshops: a sheet is one page wide, and as many pages long as needed.
	b.note(b.file.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: new(true)}))
	b.note(b.file.SetPageLayout(name, &excelize.PageLayoutOptions{
		Orientation: new("landscape"),
		FitToWidth:  new(1),
		FitToHeight: new(0),
	}))
}

func (b *book) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

// write adds a row. Strings become cells of the type text, whatever they begin with. The row is as
// high as its wrapped texts need, because not every spreadsheet program fits rows to their text.
func (b *book) write(cells ...cell) {
	b.line++
	lines := 1
	for i, c := range cells {
		if text, wrapped := c.value.(string); wrapped && b.wraps[c.style] {
			lines = max(lines, linesOf(text, b.widths[min(i, len(b.widths)-1)]))
		}
		at, err := excelize.CoordinatesToCellName(i+1, b.line)
		b.note(err)
		switch v := c.value.(type) {
		case string:
			if v != "" {
				b.note(b.file.SetCellStr(b.sheet, at, plaintext.Clean(v)))
			}
		case int:
			b.note(b.file.SetCellInt(b.sheet, at, int64(v)))
		case float64:
			b.note(b.file.SetCellFloat(b.sheet, at, v, -1, 64))
		}
		if c.style != 0 {
			b.note(b.file.SetCellStyle(b.sheet, at, at, c.style))
		}
	}
	if lines > 1 {
		b.setLines(lines)
	}
}

// The height of a line of text, and the greatest height of a row that Excel allows, in points.
const (
	lineHeight   = 15
	maxRowHeight = 409
)

// setLines makes the last row high enough for some lines of text.
func (b *book) setLines(lines int) {
	b.note(b.file.SetRowHeight(b.sheet, b.line, min(lineHeight*float64(lines), maxRowHeight)))
}

// linesOf returns how many lines a text takes in a column of that width. It reckons with two
// characters less, because bold letters are wider.
func linesOf(text string, width float64) int {
	lines := 0
	for line := range strings.SplitSeq(text, "\n") {
		lines += max(1, len(wrap(line, int(width)-2)))
	}
	return lines
}

func (b *book) heads(names ...string) {
	var cells []cell
	for _, n := range names {
		cells = append(cells, cell{n, b.head})
	}
	b.write(cells...)
}

// above writes the title of a sheet and the explanations above its table.
func (b *book) above(words Words) {
	b.write(cell{words.Title, b.title})
	for _, text := range words.Above {
		b.paragraph(text)
	}
	b.write()
}

// paragraphWidth is how wide a paragraph is at least, in characters.
const paragraphWidth = 100

// paragraph writes a long text over as many columns as it takes to read it well. It sets the height
// of the row to what the merged cells need.
func (b *book) paragraph(text string) {
	last := len(b.widths) - 1
	width, columns := 0., 0
	for width < paragraphWidth {
		width += b.widths[min(columns, last)]
		columns++
	}
	b.write(b.text(text))
	from, err := excelize.CoordinatesToCellName(1, b.line)
	b.note(err)
	to, err := excelize.CoordinatesToCellName(columns, b.line)
	b.note(err)
	b.note(b.file.MergeCell(b.sheet, from, to))
	b.setLines(linesOf(text, width))
}

// freeze keeps the rows written so far, and the first columns, in view when the sheet is scrolled.
func (b *book) freeze(columns int) {
	at, err := excelize.CoordinatesToCellName(columns+1, b.line+1)
	b.note(err)
	pane := "bottomRight"
	if columns == 0 {
		pane = "bottomLeft"
	}
	b.note(b.file.SetPanes(b.sheet, &excelize.Panes{
		Freeze: true, XSplit: columns, YSplit: b.line, TopLeftCell: at, ActivePane: pane,
	}))
}

// text returns a cell whose text is wrapped.
func (b *book) text(s string) cell { return cell{s, b.wrapped} }

// levelHeads returns the headings of the counts and the percentages of each level.
func levelHeads(levels []matrix.Level, lang matrix.Lang) []string {
	var heads []string
	for _, unit := range []string{" (n)", " (%)"} {
		for _, level := range levels {
			heads = append(heads, level.Name.In(lang)+unit)
		}
	}
	return heads
}

// plains returns a cell for each figure, as plain does.
func plains(figures []results.Figure) []cell {
	cells := make([]cell, len(figures))
	for i, f := range figures {
		cells[i] = plain(f)
	}
	return cells
}

// plain returns a whole number, or the symbol of a figure that is not published.
func plain(f results.Figure) cell {
	if n, shown := f.Int(); shown {
		return cell{value: n}
	}
	return cell{value: f.String()}
}

// decimal returns an unrounded number, or the symbol of a figure that is not published.
func (b *book) decimal(f results.Figure) cell {
	if v, shown := f.Float(); shown {
		return cell{v, b.raw}
	}
	return cell{value: f.String()}
}

// verdict returns the agreement, whether there is a far minority, and the group in the workshop's
// agenda.
func (b *book) verdict(c results.GroupStats, words Words) []cell {
	return []cell{
		b.decimal(c.Agreement),
		{value: either(c.FarMinority, words.Yes, words.No)},
		{value: agendaGroup(c, words)},
	}
}

func (b *book) summary(p results.Published, lang matrix.Lang, words Words) {
	b.begin(sheetName(words.Sheets.Summary, "Summary"), 46, 16, 22, 14)
	b.above(words)
	for _, f := range words.Facts {
		b.write(b.text(f.Label), cell{value: f.Value})
	}
	openLink := words.CountOpenLink
	if !p.Turnout.UsedOpenLink() {
		openLink = ""
	}
	for _, n := range []struct {
		label string
		count cell
	}{
		{words.CountInvited, plain(p.Turnout.Invited)},
		{words.CountStarted, plain(p.Turnout.Started)},
		{words.CountFinished, plain(p.Turnout.Finished)},
		{words.CountDeclined, plain(p.Turnout.Declined)},
		{words.CountWithdrawn, plain(p.Turnout.Withdrawn)},
		{words.CountRespondents, cell{value: p.Respondents}},
		{openLink, plain(p.Turnout.OpenLink)},
	} {
		if n.label != "" {
			b.write(b.text(n.label), n.count)
		}
	}
	b.write()
	b.write(cell{words.Agenda, b.title})
	b.heads(words.Element, words.Rated, words.Mode, words.ModeShare+" (%)",
		words.Agreement, words.FarMinority, words.Result)
	elements := p.Matrix.Elements()
	for _, i := range p.Agenda {
		c := p.Elements[i].Everyone()
		line := []cell{
			b.text(elements[i].Name.In(lang)),
			plain(c.Rated),
			b.text(modeName(p, c, lang)),
			plain(modePercent(c)),
		}
		b.write(append(line, b.verdict(c, words)...)...)
	}
}

// figures writes a sheet of all statistics: for everyone, or for each role group.
func (b *book) figures(
	name string, p results.Published, lang matrix.Lang, words Words, byGroup bool,
) {
	from, to := 0, 1
	widths := []float64{16, 46}
	heads := []string{words.Dimension, words.Element}
	if byGroup {
		from, to = 1, len(p.Groups)
		widths = append(widths, 26)
		heads = append(heads, words.Group)
	}
	b.begin(name, append(widths, 13)...)
	b.above(words)
	heads = append(heads, words.Rated, words.DontKnow, words.NotApplicable, words.NotAnswered)
	heads = append(heads, levelHeads(p.Matrix.Levels, lang)...)
	heads = append(heads, words.Mode, words.ModeShare, words.Median, words.WithinOne,
		words.Agreement, words.FarMinority, words.Result)
	if !byGroup {
		for _, k := range p.Matrix.Information {
			heads = append(heads, strings.TrimSpace(words.Held+" "+k.Name.In(lang)))
		}
	}
	b.heads(heads...)
	b.freeze(len(widths))
	for _, r := range resultRows(p, from, to) {
		c := r.cells
		var line []cell
		if r.element == nil {
			line = append(line, cell{r.dimension.Name.In(lang), b.head}, cell{"", b.head})
		} else {
			line = append(line, b.text(r.dimension.Name.In(lang)), b.text(r.element.Name.In(lang)))
		}
		if byGroup {
			line = append(line, b.text(words.groupName(r.group, lang)))
		}
		line = append(line, plain(c.Rated), plain(c.DontKnow))
		line = append(line, plain(c.NotApplicable), plain(c.NotAnswered))
		line = append(line, plains(c.Counts)...)
		line = append(line, plains(c.Percent)...)
		line = append(line, b.text(modeName(p, c, lang)))
		line = append(line, b.decimal(c.ModeShare), b.decimal(c.Median), b.decimal(c.WithinOne))
		line = append(line, b.verdict(c, words)...)
		if !byGroup && r.element != nil {
			line = append(line, plains(r.result.Information)...)
		}
		b.write(line...)
	}
}

func (b *book) comments(p results.Published, lang matrix.Lang, words Words) {
	b.begin(sheetName(words.Sheets.Comments, "Comments"), 16, 46, 14, 90)
	b.above(words)
	b.heads(words.Dimension, words.Element, words.Kind, words.Text)
	b.freeze(0)
	for _, r := range resultRows(p, 0, 1) {
		if r.element == nil {
			continue
		}
		for _, texts := range []struct {
			kind string
			all  []string
		}{{words.Comment, r.result.Comments}, {words.Barrier, r.result.Barriers}} {
			for _, text := range texts.all {
				b.write(
					b.text(r.dimension.Name.In(lang)),
					b.text(r.element.Name.In(lang)),
					b.text(texts.kind),
					b.text(text),
				)
			}
		}
	}
}

// reported returns the percentage of areas whose workshops had the role, as published in the
// report, or the symbol for not available.
func reported(role matrix.Role) cell {
	if role.Workshops == nil {
		return cell{value: results.NotAvailable.String()}
	}
	return cell{value: *role.Workshops}
}

func (b *book) representation(p results.Published, lang matrix.Lang, words Words) {
	b.begin(sheetName(words.Sheets.Representation, "Representation"), 30, 46, 14, 14, 24)
	b.write(cell{words.Title, b.title})
	b.write()
	b.heads(words.Group, words.Role, words.Invited, words.Finished, words.Workshops)
	b.freeze(0)
	for _, r := range p.Turnout.Roles {
		if r.Role == results.NotStatedGroup {
			b.write(cell{}, b.text(words.NotStated), plain(r.Invited), plain(r.Finished))
			continue
		}
		role, group, known := p.Matrix.Role(r.Role)
		name := role.Name.In(lang)
		if !known {
			name = r.Role
		}
		b.write(
			b.text(group.Name.In(lang)),
			b.text(name),
			plain(r.Invited),
			plain(r.Finished),
			reported(role),
		)
	}
}

func (b *book) notes(words Words) {
	b.begin(sheetName(words.Sheets.Notes, "Notes"), 110)
	b.write(cell{words.Title, b.title})
	for _, text := range slices.Concat(words.Above, words.Below) {
		b.write(b.text(text))
	}
}

// sheetName makes a text the name of a sheet: it removes characters that Excel does not allow, and
// cuts the text to 31 characters. If nothing is left, it returns otherwise.
func sheetName(text, otherwise string) string {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]`, r) {
			return -1
		}
		return r
	}, plaintext.Clean(text))
	if utf8.RuneCountInString(text) > maxSheetName {
		text = string([]rune(text)[:maxSheetName])
	}
	text = strings.Trim(text, "' \t\n")
	if text == "" {
		return otherwise
	}
	return text
}
