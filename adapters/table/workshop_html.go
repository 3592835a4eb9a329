package table

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

//go:embed workshop.html
var workshopSource string

var workshopPage = template.Must(template.New("workshop").Parse(workshopSource))

// WorkshopHTML writes the workshop sheet as one page of HTML, to read on a screen and to print on
// A4. It holds everything that it needs, and no script. On paper each element begins a page.
func WorkshopHTML(
	p results.Published, lang matrix.Lang, words WorkshopWords,
) ([]byte, error) {
	var kinds []string
	for _, kind := range p.Matrix.Information {
		kinds = append(kinds, plaintext.Line(kind.Name.In(lang)))
	}
	var page bytes.Buffer
	err := workshopPage.Execute(&page, struct {
		Words    WorkshopWords
		Area     string
		Kinds    []string
		Elements []workshopElement
		Actions  []struct{} // empty rows for priority actions
	}{
		Words:    words,
		Area:     p.Context.Area,
		Kinds:    kinds,
		Elements: workshopElements(p, lang, words),
		Actions:  make([]struct{}, 2),
	})
	if err != nil {
		return nil, fmt.Errorf("write workshop sheet: %w", err)
	}
	return page.Bytes(), nil
}
