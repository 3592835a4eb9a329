package table

import (
	"fmt"
	"strings"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// WorkshopWords are the texts of a workshop sheet that are not names of the matrix, in the language
// of the sheet.
type WorkshopWords struct {
	Lang  string // tag of the language, such as "cy", for HTML
	Title string
	// Steps say how to use the sheet. The spreadsheet and the page have some steps of their own.
	Steps, SpreadsheetSteps, PageSteps []string
	Hidden                             string // what [c] means
	Rounding                           string // what the shares are of

	// Headings of the columns that the report command reads back.
	Area, Nation, Element, Level string

	// Headings of the other columns and parts.
	Question, Answers, Share, Comments, Barriers string
	AgreedRating, Information, Action, Who, When string
	Levels, Meaning                              string // headings on the page
	Decided                                      string // heading of what the workshop fills in
	AllRatings                                   string // heading of the list of all elements

	Rated, DontKnow, NotApplicable, NotAnswered string // labels of counts

	NotRated   string // a choice beside the levels
	NoComments string
	NoBarriers string
	More       string // before the number of texts that a cell has no room for
	BadLevel   string // what the spreadsheet says of a level that is not in its list
	Kind       string // heading of the column that tells comments from barriers
	Comment    string
	Barrier    string
	Text       string

	SheetRatings, SheetComments string // names of the spreadsheet's sheets
}

// workshopElement is what a workshop sheet says of one element.
type workshopElement struct {
	Number    int
	ID        string // for links within the page
	Name      string // names the element for the report command too
	Question  string
	Levels    []workshopLevel
	Answers   []string // how many people rated, and how many did not; or that this is hidden
	Hidden    bool     // too few people rated it
	Comments  []string
	Barriers  []string
	Dimension string
}

// workshopLevel is one level of an element, with the share of ratings on it or its symbol.
type workshopLevel struct{ Name, Descriptor, Share string }

// workshopElements returns the elements in the order of the matrix.
func workshopElements(
	p results.Published, lang matrix.Lang, words WorkshopWords,
) []workshopElement {
	vocabulary := matrix.NewVocabulary(p.Matrix)
	var all []workshopElement
	for _, d := range p.Matrix.Dimensions {
		for _, e := range d.Elements() {
			result := p.Elements[len(all)]
			stats := result.Everyone()
			sheet := workshopElement{
				Number:    len(all) + 1,
				ID:        fmt.Sprintf("e%d", len(all)+1),
				Name:      plaintext.Line(e.Name.In(lang)),
				Question:  plaintext.Clean(e.Question.In(lang)),
				Answers:   workshopAnswers(stats, words),
				Hidden:    stats.Rated.Availability() == results.Suppressed,
				Comments:  cleaned(result.Comments),
				Barriers:  cleaned(result.Barriers),
				Dimension: plaintext.Line(d.Name.In(lang)),
			}
			if id, err := vocabulary.Element(sheet.Name); err != nil || id != e.ID {
				sheet.Name = e.ID // another element has this name as well
			}
			shares := texts(stats.Percent, "%")
			for k, level := range p.Matrix.Levels {
				sheet.Levels = append(sheet.Levels, workshopLevel{
					Name:       plaintext.Line(level.Name.In(lang)),
					Descriptor: descriptor(e, k, lang),
					Share:      shares[k],
				})
			}
			all = append(all, sheet)
		}
	}
	return all
}

func descriptor(e matrix.Element, level int, lang matrix.Lang) string {
	if level >= len(e.Descriptors) {
		return ""
	}
	return plaintext.Clean(e.Descriptors[level].In(lang))
}

// workshopAnswers returns a line for each count of an element, or one that says that they are
// hidden.
func workshopAnswers(stats results.GroupStats, words WorkshopWords) []string {
	if stats.Rated.Availability() == results.Suppressed {
		return []string{words.Hidden}
	}
	var lines []string
	for _, count := range []struct {
		label  string
		figure results.Figure
	}{
		{words.Rated, stats.Rated},
		{words.DontKnow, stats.DontKnow},
		{words.NotApplicable, stats.NotApplicable},
		{words.NotAnswered, stats.NotAnswered},
	} {
		lines = append(lines, count.label+": "+count.figure.String())
	}
	return lines
}

func cleaned(all []string) []string {
	var clean []string
	for _, text := range all {
		if text = strings.TrimSpace(plaintext.Clean(text)); text != "" {
			clean = append(clean, text)
		}
	}
	return clean
}

// workshopNation returns the name of the matrix's nation if the report command knows it. Otherwise
// the coordinator has to fill it in.
func workshopNation(m *matrix.Matrix, lang matrix.Lang) string {
	name := m.Nation.In(lang)
	if _, known := matrix.FindNation(name); !known {
		return ""
	}
	return name
}
