package table

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// XLSX writes a spreadsheet of six sheets: the summary with the agenda, the elements and dimensions for everyone, the
// same by role group, what people wrote, who was represented, and how to read it. Numbers are numbers; shares and
// agreement are raw and shown with two decimals.
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

const longestSheetName = 31 // characters, of a spreadsheet's own rules

// book writes cells one row after another and keeps the first error, so that it is looked at once.
type book struct {
	file  *excelize.File
	taken map[string]bool // names of sheets, in lower case: they must differ in more than that
	sheet string
	line  int
	err   error

	title, head, wrapped, raw int // styles
}

// cell is a value that is written with a style: a string or a number, never a formula.
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
	b.raw = style(excelize.Style{NumFmt: 2, Alignment: &excelize.Alignment{Vertical: "top"}}) // 2 is "0.00"
	return b
}

// end closes the book, and returns it as a file, or the first error.
func (b *book) end() ([]byte, error) {
	defer func() { _ = b.file.Close() }() // only temporary files of large sheets, which these are not
	if b.err != nil {
		return nil, fmt.Errorf("write spreadsheet: %w", b.err)
	}
	var out bytes.Buffer
	if err := b.file.Write(&out); err != nil {
		return nil, fmt.Errorf("write spreadsheet: %w", err)
	}
	return out.Bytes(), nil
}

// begin starts a sheet whose columns have the widths given, in characters; the last goes for those that follow.
func (b *book) begin(name string, widths ...float64) {
	wanted := []rune(name)
	for n := 2; b.taken[strings.ToLower(name)]; n++ {
		suffix := fmt.Sprintf(" %d", n)
		name = string(wanted[:min(len(wanted), longestSheetName-len(suffix))]) + suffix
	}
	if len(b.taken) == 0 {
		b.note(b.file.SetSheetName(b.file.GetSheetName(0), name))
	} else {
		_, err := b.file.NewSheet(name)
		b.note(err)
	}
	b.taken[strings.ToLower(name)] = true
	b.sheet, b.line = name, 0
	for i, w := range widths {
		from, err := excelize.ColumnNumberToName(i + 1)
		b.note(err)
		to := from
		if i == len(widths)-1 {
			to = "BZ"
		}
		b.note(b.file.SetColWidth(name, from, to, w))
	}
	// Printed for a workshop, a sheet is one page wide.
	fit, orientation, wide, tall := true, "landscape", 1, 0
	b.note(b.file.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit}))
	b.note(b.file.SetPageLayout(name, &excelize.PageLayoutOptions{Orientation: &orientation, FitToWidth: &wide, FitToHeight: &tall}))
}

func (b *book) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

// write adds a row. Strings become cells of the type text, whatever they begin with.
func (b *book) write(cells ...cell) {
	b.line++
	for i, c := range cells {
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
}

func (b *book) heads(names ...string) {
	var cells []cell
	for _, n := range names {
		cells = append(cells, cell{n, b.head})
	}
	b.write(cells...)
}

// above writes the title of a sheet and the explanations that stand above its table.
func (b *book) above(words Words) {
	b.write(cell{words.Title, b.title})
	for _, text := range words.Above {
		b.write(cell{value: text})
	}
	b.write()
}

// freeze keeps the rows so far, and some columns, in sight.
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

// plain is a whole number, or the symbol in its place.
func plain(f results.Figure) cell {
	if n, shown := f.Int(); shown {
		return cell{value: n}
	}
	return cell{value: f.String()}
}

// decimal is a raw share or the like, or the symbol in its place.
func (b *book) decimal(f results.Figure) cell {
	if v, shown := f.Float(); shown {
		return cell{v, b.raw}
	}
	return cell{value: f.String()}
}

func (b *book) summary(p results.Published, lang matrix.Lang, words Words) {
	b.begin(sheetName(words.Sheets.Summary, "Summary"), 46, 16, 22, 14)
	b.above(words)
	for _, f := range words.Facts {
		b.write(cell{f.Label, b.wrapped}, cell{value: f.Value})
	}
	for _, n := range []struct {
		label string
		count cell
	}{
		{words.CountInvited, plain(p.Context.RosterFigure(p.Context.Invited))}, {words.CountStarted, plain(p.Context.RosterFigure(p.Context.Started))},
		{words.CountFinished, cell{value: p.Context.Finished}}, {words.CountDeclined, plain(p.Context.RosterFigure(p.Context.Declined))},
		{words.CountWithdrawn, plain(p.Context.RosterFigure(p.Context.Withdrawn))}, {words.CountRespondents, cell{value: p.Respondents}},
	} {
		if n.label != "" {
			b.write(cell{n.label, b.wrapped}, n.count)
		}
	}
	b.write()
	b.write(cell{words.Agenda, b.title})
	b.heads(words.Element, words.Rated, words.Mode, words.ModeShare+" (%)", words.Agreement, words.FarMinority, words.Result)
	elements := p.Matrix.Elements()
	for _, i := range p.Agenda {
		c := p.Elements[i].Everyone()
		b.write(cell{elements[i].Name.In(lang), b.wrapped}, plain(c.Rated), cell{modeName(p, c, lang), b.wrapped}, plain(modePercent(c)),
			b.decimal(c.Agreement), cell{value: either(c.FarMinority, words.Yes, words.No)}, cell{value: either(c.Consensus, words.Agreed, words.ToDiscuss)})
	}
}

// figures writes the whole statistics: for everyone, or for each role group.
func (b *book) figures(name string, p results.Published, lang matrix.Lang, words Words, byGroup bool) {
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
	for _, unit := range []string{" (n)", " (%)"} {
		for _, l := range p.Matrix.Levels {
			heads = append(heads, l.Name.In(lang)+unit)
		}
	}
	heads = append(heads, words.Mode, words.ModeShare, words.Median, words.WithinOne, words.Agreement, words.FarMinority, words.Result)
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
			line = append(line, cell{r.dimension.Name.In(lang), b.wrapped}, cell{r.element.Name.In(lang), b.wrapped})
		}
		if byGroup {
			line = append(line, cell{words.groupName(r.group, lang), b.wrapped})
		}
		line = append(line, plain(c.Rated), plain(c.DontKnow), plain(c.NotApplicable), plain(c.NotAnswered))
		for _, figures := range [][]results.Figure{c.Counts, c.Percent} {
			for _, f := range figures {
				line = append(line, plain(f))
			}
		}
		line = append(line, cell{modeName(p, c, lang), b.wrapped}, b.decimal(c.ModeShare), b.decimal(c.Median), b.decimal(c.WithinOne),
			b.decimal(c.Agreement), cell{value: either(c.FarMinority, words.Yes, words.No)}, cell{value: either(c.Consensus, words.Agreed, words.ToDiscuss)})
		if !byGroup && r.element != nil {
			for _, f := range r.result.Information {
				line = append(line, plain(f))
			}
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
				b.write(cell{r.dimension.Name.In(lang), b.wrapped}, cell{r.element.Name.In(lang), b.wrapped}, cell{texts.kind, b.wrapped}, cell{text, b.wrapped})
			}
		}
	}
}

// reported is what the report has of a role, or that it has nothing.
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
	for _, n := range p.Context.Roles {
		role, group, known := p.Matrix.Role(n.Role)
		name := role.Name.In(lang)
		if !known {
			name = n.Role
		}
		b.write(cell{group.Name.In(lang), b.wrapped}, cell{name, b.wrapped}, plain(p.Context.RosterFigure(n.Invited)), cell{value: n.Finished}, reported(role))
	}
	if n := p.Context.Unstated; n.Invited > 0 || n.Finished > 0 {
		b.write(cell{}, cell{words.NotStated, b.wrapped}, plain(p.Context.RosterFigure(n.Invited)), cell{value: n.Finished})
	}
}

func (b *book) notes(words Words) {
	b.begin(sheetName(words.Sheets.Notes, "Notes"), 110)
	b.write(cell{words.Title, b.title})
	for _, text := range append(append([]string{}, words.Above...), words.Below...) {
		b.write(cell{text, b.wrapped})
	}
}

// sheetName is a text as the name of a sheet: without what a spreadsheet forbids there, and at most 31 characters.
func sheetName(text, otherwise string) string {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]`, r) {
			return -1
		}
		return r
	}, plaintext.Clean(text))
	if utf8.RuneCountInString(text) > longestSheetName {
		text = string([]rune(text)[:longestSheetName])
	}
	text = strings.Trim(text, "' \t\n")
	if text == "" {
		return otherwise
	}
	return text
}
