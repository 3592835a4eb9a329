package resultfiles

import (
	"fmt"
	"strings"

	"maturitybot/adapters/table"
	"maturitybot/bot/chat"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// WorkshopFormats lists the formats of Workshop. They are endings of file names.
func WorkshopFormats() []string { return []string{"xlsx", "html"} }

// Workshop writes the workshop sheet in one of WorkshopFormats: the questions with what the survey
// says about each, and blanks for what the workshop agrees.
func (a *Renderer) Workshop(format string, p results.Published, lang matrix.Lang) ([]byte, error) {
	switch words := a.workshopWords(p, lang); format {
	case "xlsx":
		return table.WorkshopXLSX(p, lang, words)
	case "html":
		return table.WorkshopHTML(p, lang, words)
	}
	return nil, fmt.Errorf("there is no workshop sheet as %q; there are %s", format,
		strings.Join(WorkshopFormats(), ", "))
}

// WorkshopFiles returns the workshop sheet in each of WorkshopFormats.
func (a *Renderer) WorkshopFiles(p results.Published, lang matrix.Lang) ([]chat.File, error) {
	types := map[string]string{"xlsx": typeXLSX, "html": "text/html"}
	var files []chat.File
	for _, format := range WorkshopFormats() {
		data, err := a.Workshop(format, p, lang)
		if err != nil {
			return nil, err
		}
		name := "workshop-" + p.FileName() + "." + format
		files = append(files, chat.File{Name: name, Type: types[format], Data: data})
	}
	return files, nil
}

func (a *Renderer) workshopWords(p results.Published, lang matrix.Lang) table.WorkshopWords {
	v := a.words.In(string(lang))
	return table.WorkshopWords{
		Lang:  v.Lang,
		Title: v.Say("sheet.title", "area", p.Context.Area),

		Steps:            []string{v.Say("sheet.step_read"), v.Say("sheet.step_agree")},
		SpreadsheetSteps: []string{v.Say("sheet.step_choose"), v.Say("sheet.step_save")},
		PageSteps:        []string{v.Say("sheet.step_tick")},
		Hidden:           v.Say("sheet.hidden", "min", p.Context.MinGroup),
		Rounding:         v.Say("sheet.rounding"),

		Area:    v.Say("sheet.area"),
		Nation:  v.Say("sheet.nation"),
		Element: v.Say("sheet.element"),
		Level:   v.Say("sheet.level"),

		Question:     v.Say("sheet.question"),
		Answers:      v.Say("sheet.answers"),
		Share:        v.Say("sheet.share"),
		Levels:       v.Say("sheet.levels"),
		Meaning:      v.Say("sheet.meaning"),
		Comments:     v.Say("sheet.comments"),
		Barriers:     v.Say("sheet.barriers"),
		AgreedRating: v.Say("sheet.rating"),
		Information:  v.Say("sheet.information"),
		Action:       v.Say("sheet.action"),
		Who:          v.Say("sheet.who"),
		When:         v.Say("sheet.when"),
		Decided:      v.Say("sheet.decided"),
		AllRatings:   v.Say("sheet.all"),

		Rated:         v.Say("table.rated"),
		DontKnow:      v.Say("table.dont_know"),
		NotApplicable: v.Say("table.not_applicable"),
		NotAnswered:   v.Say("table.not_answered"),

		NotRated:   v.Say("sheet.not_rated"),
		NoComments: v.Say("sheet.no_comments"),
		NoBarriers: v.Say("sheet.no_barriers"),
		More:       v.Say("sheet.more"),
		BadLevel:   v.Say("sheet.bad_level"),
		Kind:       v.Say("table.kind"),
		Comment:    v.Say("table.comment"),
		Barrier:    v.Say("table.barrier"),
		Text:       v.Say("table.text"),

		SheetRatings:  v.Say("sheet.sheet_ratings"),
		SheetComments: v.Say("sheet.sheet_comments"),
	}
}
