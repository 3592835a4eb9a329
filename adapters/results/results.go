// Package results draws published results the way the bot posts them, as a picture, a table and files to keep,
// with every sentence from bot/locale. It takes only what may be published.
package results

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"

	"maturitybot/adapters/chart"
	"maturitybot/adapters/table"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// Artist draws in the languages of its words.
type Artist struct{ words *locale.Words }

// New returns an artist who takes its sentences from words.
func New(words *locale.Words) *Artist { return &Artist{words: words} }

// textWidth is how many characters a line of a table in a message may have: a phone held upright shows about 40 and
// scrolls to the side, a desktop window shows 72.
const textWidth = 60

// Table draws the results as aligned text.
func (a *Artist) Table(p survey.Published, lang survey.Lang) (string, error) {
	w := a.tableWords(p, lang)
	w.Title, w.Above, w.Below = "", nil, nil // the message around the table says these
	return strings.TrimLeft(table.Text(p, lang, w, textWidth), "\n"), nil
}

// maxAlt is the longest description of a picture in characters: Discord takes 1024 (resources/message), Slack 2000.
const maxAlt = 1024

// Picture draws the results as a PNG, and says in words what it shows.
func (a *Artist) Picture(p survey.Published, lang survey.Lang) (png []byte, alt string, err error) {
	w := a.chartWords(p, lang)
	png, err = chart.PNG(p, lang, w)
	return png, chart.Alt(p, lang, w, maxAlt), err
}

// Sheets writes the results as a spreadsheet, as CSV, as JSON, and the picture as SVG for documents.
func (a *Artist) Sheets(p survey.Published, lang survey.Lang) ([]chat.File, error) {
	w := a.tableWords(p, lang)
	xlsx, err := table.XLSX(p, lang, w)
	if err != nil {
		return nil, fmt.Errorf("write spreadsheet: %w", err)
	}
	csv, err := table.CSV(p, lang, w)
	if err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	svg, err := chart.SVG(p, lang, a.chartWords(p, lang))
	if err != nil {
		return nil, fmt.Errorf("draw vector picture: %w", err)
	}
	name := p.FileName()
	return []chat.File{
		{Name: name + ".xlsx", Type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Data: xlsx},
		{Name: name + ".csv", Type: "text/csv", Data: csv},
		{Name: name + ".json", Type: "application/json", Data: raw},
		{Name: name + ".svg", Type: "image/svg+xml", Alt: chart.Alt(p, lang, a.chartWords(p, lang), maxAlt), Data: svg},
	}, nil
}

func (a *Artist) chartWords(p survey.Published, lang survey.Lang) chart.Words {
	v := a.words.In(string(lang))
	min := p.Terms.MinGroup
	title := v.Say("chart.title", "area", p.Terms.Area)
	return chart.Words{
		Title: title, Alt: title + ".", Rated: v.Say("chart.rated"), TooFew: v.Say("chart.too_few", "min", min), Hidden: v.Say("chart.hidden"),
		Notes: []string{v.Say("chart.note", "min", min)},
	}
}

func (a *Artist) tableWords(p survey.Published, lang survey.Lang) table.Words {
	v := a.words.In(string(lang))
	w := table.Words{}
	Fill(v, "table", &w)
	Fill(v, "table.sheets", &w.Sheets)
	t := p.Terms
	agreed := "facts.consensus"
	if t.Consensus.AllowFarMinority {
		agreed = "facts.consensus_far"
	}
	rule := v.Say(agreed, "percent", t.Consensus.Percent, "far", survey.FarMinorityPercent)
	w.Title = v.Say("results.title", "area", t.Area)
	w.Facts = []table.Fact{
		{Label: v.Say("table.area"), Value: t.Area},
		{Label: v.Say("table.edition"), Value: p.Matrix.Name.In(lang)},
		{Label: v.Say("table.opened"), Value: day(v, t.OpenedAt)},
		{Label: v.Say("table.closed"), Value: day(v, t.ClosedAt)},
		{Label: v.Say("table.min_group"), Value: fmt.Sprint(t.MinGroup)},
		{Label: v.Say("table.consensus"), Value: rule},
	}
	w.Above = []string{v.Say("results.symbols", "min", t.MinGroup)}
	w.Below = []string{v.Say("facts.min_group", "min", t.MinGroup), rule, v.Say("table.agreement_means"), v.Say("table.rounding")}
	return w
}

func day(v locale.Voice, t time.Time) string {
	if t.IsZero() {
		return survey.NotAvailable.String()
	}
	return v.Day(t)
}

// Fill says a sentence into every string field of a struct of words that is still empty: the key is the prefix, a
// dot, and the field's name in small letters with underscores. A field without a sentence stays empty.
func Fill(v locale.Voice, prefix string, words any) {
	s := reflect.ValueOf(words).Elem()
	for i := range s.NumField() {
		f, key := s.Field(i), prefix+"."+snake(s.Type().Field(i).Name)
		if f.Kind() == reflect.String && f.String() == "" {
			if said := v.Say(key); said != "⟦"+key+"⟧" {
				f.SetString(said)
			}
		}
	}
}

func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 && !unicode.IsUpper(rune(name[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
