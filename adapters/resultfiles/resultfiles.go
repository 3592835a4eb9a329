// Package resultfiles draws published results as the bot posts them: as a picture, a table and
// files to keep. Packages chart and table draw them, and bot/locale has every sentence. This
// package takes only published figures. It does not know how they are counted, or where they are
// posted.
package resultfiles

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"maturitybot/adapters/chart"
	"maturitybot/adapters/table"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Renderer draws results in the languages of its words.
type Renderer struct{ words *locale.Words }

// New returns a Renderer that takes its sentences from words.
func New(words *locale.Words) *Renderer { return &Renderer{words: words} }

// messageWidth is the longest line of a table in a message, in characters: as much of a code block
// as an upright phone shows.
const messageWidth = 30

// Table draws the shares on each level as aligned text.
func (a *Renderer) Table(p results.Published, lang matrix.Lang) (string, error) {
	return table.Shares(p, lang, messageWidth), nil
}

// maxAlt is the longest description of a picture in characters: Discord takes 1024
// (resources/message), Slack 2000.
const maxAlt = 1024

// Picture draws the results as a PNG with its alternative text.
func (a *Renderer) Picture(
	p results.Published, lang matrix.Lang,
) (png []byte, alt string, err error) {
	w := a.chartWords(p, lang)
	png, err = chart.PNG(p, lang, w)
	return png, chart.Alt(p, lang, w, maxAlt), err
}

// Formats lists the formats of In. All but "text" are endings of file names.
func Formats() []string { return []string{"text", "json", "csv", "xlsx", "png", "svg"} }

// wholeWidth is the longest line of the text format, in characters: the usual width of a terminal.
const wholeWidth = 80

// In writes the whole results in one of Formats. The text format includes what a message says
// around the table: the facts of the round, who was represented, and the role groups.
func (a *Renderer) In(format string, p results.Published, lang matrix.Lang) ([]byte, error) {
	var out []byte
	var err error
	switch format {
	case "text":
		out = []byte(a.text(p, lang))
	case "json":
		if out, err = json.MarshalIndent(p, "", "  "); err == nil {
			out = append(out, '\n')
		}
	case "csv":
		out, err = table.CSV(p, lang, a.tableWords(p, lang))
	case "xlsx":
		out, err = table.XLSX(p, lang, a.tableWords(p, lang))
	case "png":
		out, err = chart.PNG(p, lang, a.chartWords(p, lang))
	case "svg":
		out, err = chart.SVG(p, lang, a.chartWords(p, lang))
	default:
		err = fmt.Errorf("there is no such format; there are %s", strings.Join(Formats(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("write results as %s: %w", format, err)
	}
	return out, nil
}

func (a *Renderer) text(p results.Published, lang matrix.Lang) string {
	v, w := a.words.In(string(lang)), a.tableWords(p, lang)
	var facts []string
	for _, f := range w.Facts {
		facts = append(facts, f.Label+": "+f.Value)
	}
	facts = append(facts, fmt.Sprintf("%s: %d", w.CountRespondents, p.Respondents))
	if p.Turnout.UsedOpenLink() {
		facts = append(facts, fmt.Sprintf("%s: %s", w.CountOpenLink, p.Turnout.OpenLink))
	}
	var there, few []string
	for _, r := range p.Turnout.Roles {
		role, _, _ := p.Matrix.Role(r.Role)
		name := role.Name.In(lang)
		if r.Role == results.NotStatedGroup {
			name = w.NotStated
		}
		if n, _ := r.Finished.Int(); n > 0 {
			there = append(there, fmt.Sprintf("%s %d", name, n))
		} else if r.Hidden() && r.Role != results.NotStatedGroup {
			few = append(few, name)
		}
	}
	for _, list := range []struct {
		label string
		roles []string
	}{
		{v.Say("results.there"), there},
		{v.Say("results.hear_more", "min", p.Context.MinGroup), few},
	} {
		if len(list.roles) > 0 {
			facts = append(facts, list.label+" "+strings.Join(list.roles, " · "))
		}
	}
	groups := w
	groups.Title, groups.Above = w.Sheets.Groups, nil
	w.Above = append(facts, w.Above...)
	return table.Text(p, lang, w, wholeWidth) + "\n" + table.GroupText(p, lang, groups, wholeWidth)
}

const typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// ExportFiles writes the workshop sheet, the results as a spreadsheet, as CSV, as JSON, and the
// picture as SVG for documents.
func (a *Renderer) ExportFiles(p results.Published, lang matrix.Lang) ([]chat.File, error) {
	files := []chat.File{
		{Name: "xlsx", Type: typeXLSX},
		{Name: "csv", Type: "text/csv"},
		{Name: "json", Type: "application/json"},
		{Name: "svg", Type: "image/svg+xml", Alt: chart.Alt(p, lang, a.chartWords(p, lang), maxAlt)},
	}
	for i := range files {
		data, err := a.In(files[i].Name, p, lang)
		if err != nil {
			return nil, err
		}
		files[i].Name, files[i].Data = p.FileName()+"."+files[i].Name, data
	}
	sheets, err := a.WorkshopFiles(p, lang)
	if err != nil {
		return nil, err
	}
	return append(sheets, files...), nil
}

// Record writes the round's audit log as CSV. The results give the file its name.
func (a *Renderer) Record(p results.Published, record survey.AuditLog) (chat.File, error) {
	data, err := table.Record(record)
	if err != nil {
		return chat.File{}, fmt.Errorf("write the record: %w", err)
	}
	return chat.File{Name: "record-" + p.FileName() + ".csv", Type: "text/csv", Data: data}, nil
}

func (a *Renderer) chartWords(p results.Published, lang matrix.Lang) chart.Words {
	v := a.words.In(string(lang))
	min := p.Context.MinGroup
	notes := []string{v.Say("chart.note", "min", min)}
	var levels []string
	for _, l := range p.Matrix.Levels {
		levels = append(levels, l.Short.In(lang))
		notes = append(notes, l.Name.In(lang)+": "+l.Meaning.In(lang))
	}
	return chart.Words{
		Title:  v.Say("chart.title", "area", p.Context.Area),
		Alt:    v.Say("chart.alt", "area", p.Context.Area, "levels", strings.Join(levels, ", ")),
		Rated:  v.Say("chart.rated"),
		TooFew: v.Say("chart.too_few", "min", min),
		Hidden: v.Say("chart.hidden"),
		Notes:  notes,
	}
}

func (a *Renderer) tableWords(p results.Published, lang matrix.Lang) table.Words {
	v := a.words.In(string(lang))
	w := columns(v)
	t := p.Context
	sentence := "facts.consensus"
	if t.Consensus.AllowFarMinority {
		sentence = "facts.consensus_far"
	}
	rule := v.Say(sentence, "percent", t.Consensus.Percent, "far", results.FarMinorityPercent)
	w.Title = v.Say("results.title", "area", t.Area)
	w.Facts = []table.Fact{
		{Label: v.Say("table.area"), Value: t.Area},
		{Label: v.Say("table.edition"), Value: p.Matrix.Name.In(lang)},
		{Label: v.Say("table.opened"), Value: day(v, t.OpenedAt)},
		{Label: v.Say("table.closed"), Value: day(v, t.ClosedAt)},
		{Label: v.Say("table.min_group"), Value: fmt.Sprint(t.MinGroup)},
		{Label: v.Say("table.consensus"), Value: rule},
	}
	w.Above = []string{v.Say("table.symbols", "min", t.MinGroup)}
	w.Below = []string{
		v.Say("facts.min_group", "min", t.MinGroup),
		rule,
		v.Say("table.agreement_means"),
		v.Say("table.rounding"),
	}
	return w
}

func day(v locale.Voice, t time.Time) string {
	if t.IsZero() {
		return results.NotAvailable.String()
	}
	return v.Day(t)
}

// columns returns the words of a table that are the same in every round.
func columns(v locale.Voice) table.Words {
	return table.Words{
		Dimension:     v.Say("table.dimension"),
		Element:       v.Say("table.element"),
		Group:         v.Say("table.group"),
		Rated:         v.Say("table.rated"),
		DontKnow:      v.Say("table.dont_know"),
		NotApplicable: v.Say("table.not_applicable"),
		NotAnswered:   v.Say("table.not_answered"),

		Mode:        v.Say("table.mode"),
		ModeShare:   v.Say("table.mode_share"),
		Median:      v.Say("table.median"),
		WithinOne:   v.Say("table.within_one"),
		Agreement:   v.Say("table.agreement"),
		FarMinority: v.Say("table.far_minority"),
		Result:      v.Say("table.result"),

		Role:      v.Say("table.role"),
		Invited:   v.Say("table.invited"),
		Finished:  v.Say("table.finished"),
		Workshops: v.Say("table.workshops"),
		Kind:      v.Say("table.kind"),
		Text:      v.Say("table.text"),

		ShortRated:     v.Say("table.short_rated"),
		ShortAgreement: v.Say("table.short_agreement"),

		Consensus: v.Say("table.in_consensus"),
		Close:     v.Say("table.close"),
		Split:     v.Say("table.split"),
		Yes:       v.Say("table.yes"),
		No:        v.Say("table.no"),

		Everyone:  v.Say("table.everyone"),
		NotStated: v.Say("table.not_stated"),

		Comment: v.Say("table.comment"),
		Barrier: v.Say("table.barrier"),

		CountInvited:     v.Say("table.count_invited"),
		CountStarted:     v.Say("table.count_started"),
		CountFinished:    v.Say("table.count_finished"),
		CountDeclined:    v.Say("table.count_declined"),
		CountWithdrawn:   v.Say("table.count_withdrawn"),
		CountRespondents: v.Say("table.count_respondents"),
		CountOpenLink:    v.Say("table.count_open_link"),

		Agenda: v.Say("table.agenda"),

		Held: v.Say("table.held"),

		Sheets: table.SheetTitles{
			Summary:        v.Say("table.sheets.summary"),
			Elements:       v.Say("table.sheets.elements"),
			Groups:         v.Say("table.sheets.groups"),
			Comments:       v.Say("table.sheets.comments"),
			Representation: v.Say("table.sheets.representation"),
			Notes:          v.Say("table.sheets.notes"),
		},
	}
}
