package table

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Widths of the columns of a workshop sheet, in characters.
const (
	descriptorWidth = 30
	commentsWidth   = 44
	barriersWidth   = 30
)

// WorkshopXLSX writes the workshop sheet as a spreadsheet. Its first sheet has a row for each
// element. The first four columns are those that the report command reads: area, nation, element,
// and the level, which is empty. Then come the question, each level's descriptor with its share,
// the counts, what people wrote, and empty columns for the information held and the priority
// action. If anybody wrote something, a second sheet lists all of it.
func WorkshopXLSX(
	p results.Published, lang matrix.Lang, words WorkshopWords,
) ([]byte, error) {
	b := newBook()
	blank := cell{"", b.blank}
	framed := func(text string) cell { return cell{text, b.framed} }
	elements := workshopElements(p, lang, words)

	widths := []float64{14, 10, 22, 16, 26}
	heads := []string{words.Area, words.Nation, words.Element, words.Level, words.Question}
	for _, level := range p.Matrix.Levels {
		widths = append(widths, descriptorWidth)
		heads = append(heads, level.Name.In(lang))
	}
	widths = append(widths, 20, commentsWidth, barriersWidth, 26, 30, 16, 14)
	heads = append(heads, words.Answers, words.Comments, words.Barriers,
		words.Information, words.Action, words.Who, words.When)

	b.begin(sheetName(words.SheetRatings, "Workshop"), widths...)
	b.write(cell{words.Title, b.title})
	steps := append(append([]string{}, words.Steps...), words.SpreadsheetSteps...)
	for _, text := range append(steps, words.Hidden, words.Rounding) {
		b.paragraph(text)
	}
	b.write()
	b.heads(heads...)
	header := b.line
	b.freeze(4)
	nation := workshopNation(p.Matrix, lang)
	for _, e := range elements {
		row := []cell{
			framed(p.Context.Area), framed(nation), framed(e.Name), blank, framed(e.Question),
		}
		for _, level := range e.Levels {
			row = append(row, framed(level.Share+"\n"+level.Descriptor))
		}
		row = append(row,
			framed(strings.Join(e.Answers, "\n")),
			framed(listInCell(e.Comments, commentsWidth, words)),
			framed(listInCell(e.Barriers, barriersWidth, words)),
			blank, blank, blank, blank,
		)
		b.write(row...)
	}
	b.offerLevels(p.Matrix, lang, words, header+1)
	b.printA4(2, header, "C", "D")
	b.workshopComments(elements, words)
	return b.end()
}

// frame is the border of a workshop sheet's cells.
var frame = []excelize.Border{
	{Type: "left", Style: 1, Color: "505A5F"},
	{Type: "top", Style: 1, Color: "505A5F"},
	{Type: "right", Style: 1, Color: "505A5F"},
	{Type: "bottom", Style: 1, Color: "505A5F"},
}

// maxCellLines keeps a row below Excel's greatest height, which is 409 points.
const maxCellLines = 26

// listInCell returns texts as the lines of a cell, and says how many there are beyond what a row
// can show.
func listInCell(all []string, width int, words WorkshopWords) string {
	var cell []string
	lines := 0
	for i, text := range all {
		text = "• " + text
		lines += linesOf(text, float64(width))
		if lines >= maxCellLines {
			return strings.Join(append(cell, fmt.Sprintf("%s %d", words.More, len(all)-i)), "\n")
		}
		cell = append(cell, text)
	}
	return strings.Join(cell, "\n")
}

// maxChoices is the length of the choices of a cell, with the commas between them; Excel's limit.
const maxChoices = 255

// offerLevels lets people choose a level from a list, in every row from the given one on. They can
// still type another name or number that the report command reads.
func (b *book) offerLevels(m *matrix.Matrix, lang matrix.Lang, words WorkshopWords, from int) {
	var names []string
	for _, level := range m.Levels {
		names = append(names, level.Name.In(lang))
	}
	choices := strings.Join(names, ",")
	if strings.Count(choices, ",") >= len(names) || strings.Contains(choices, `"`) ||
		utf8.RuneCountInString(choices) > maxChoices {
		return
	}
	list := excelize.NewDataValidation(true)
	list.Sqref = fmt.Sprintf("D%d:D%d", from, b.line)
	b.note(list.SetDropList(names))
	list.SetError(excelize.DataValidationErrorStyleWarning, words.Level, words.BadLevel)
	b.note(b.file.AddDataValidation(b.sheet, list))
}

// printA4 prints the sheet on A4, on as many pages side by side as given so that it can be read. The
// header row and some columns are on each page.
func (b *book) printA4(pages, header int, fromColumn, toColumn string) {
	const a4 = 9
	b.note(b.file.SetPageLayout(b.sheet, &excelize.PageLayoutOptions{
		Size:        new(a4),
		Orientation: new("landscape"),
		FitToWidth:  new(pages),
		FitToHeight: new(0),
	}))
	b.note(b.file.SetPageMargins(b.sheet, &excelize.PageLayoutMarginsOptions{
		Left: new(.4), Right: new(.4), Top: new(.5), Bottom: new(.5),
	}))
	sheet := "'" + strings.ReplaceAll(b.sheet, "'", "''") + "'"
	b.note(b.file.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Titles",
		RefersTo: fmt.Sprintf("%s!$%s:$%s,%s!$%d:$%d",
			sheet, fromColumn, toColumn, sheet, header, header),
		Scope: b.sheet,
	}))
}

// workshopComments lists all that people wrote.
func (b *book) workshopComments(elements []workshopElement, words WorkshopWords) {
	begun := false
	for _, e := range elements {
		for _, texts := range []struct {
			kind string
			all  []string
		}{{words.Comment, e.Comments}, {words.Barrier, e.Barriers}} {
			for _, text := range texts.all {
				if !begun {
					begun = true
					b.begin(sheetName(words.SheetComments, "Comments"), 40, 14, 90)
					b.heads(words.Element, words.Kind, words.Text)
					b.freeze(0)
				}
				b.write(b.text(e.Name), b.text(texts.kind), b.text(text))
			}
		}
	}
}
