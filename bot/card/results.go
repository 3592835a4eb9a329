package card

import (
	"fmt"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// maxAgenda is how many elements the message lists; the files hold all of them.
const maxAgenda = 8

// NothingShown says whether too few people rated every element for anything to be shown.
func NothingShown(p results.Published) bool {
	for _, e := range p.Elements {
		if _, shown := e.Everyone().Mode.Int(); shown {
			return false
		}
	}
	return true
}

// tableBlocks cuts a long table at line ends, so that each piece fits.
func tableBlocks(table string) []chat.Block {
	const room = 1700 // runes; two such pieces fit the text of one message
	var blocks []chat.Block
	var piece strings.Builder
	total := 0
	for line := range strings.Lines(table) {
		if total += len([]rune(line)); total > 2*room {
			break // the files hold the rest
		}
		if piece.Len() > 0 && len([]rune(piece.String()))+len([]rune(line)) > room {
			blocks = append(blocks, chat.Table{Text: piece.String()})
			piece.Reset()
		}
		piece.WriteString(line)
	}
	return append(blocks, chat.Table{Text: piece.String()})
}

// resultButtons offers the results in the round's other languages, and the round's status.
func resultButtons(
	v locale.Voice, r survey.Round, action func(verb, lang string) chat.Action,
) chat.Block {
	var others []chat.Button
	for _, l := range r.Languages {
		if string(l) != v.Lang {
			others = append(others, Button(LanguageName(v, l), action("results", string(l))))
		}
	}
	return Row(
		append(others,
			Button(v.Say("button.status"), chat.NewAction("status", string(r.ID), v.Lang)),
		)...)
}

// representedRoles says who took part by role, and who did not.
func representedRoles(v locale.Voice, m *matrix.Matrix, s results.Context) []chat.Block {
	var there, absent []string
	for _, c := range s.Roles {
		name := roleName(v, m, c.Role)
		if c.Finished > 0 {
			there = append(there, fmt.Sprintf("%s %d", name, c.Finished))
		} else {
			absent = append(absent, name)
		}
	}
	if s.Unstated.Finished > 0 {
		there = append(there, fmt.Sprintf("%s %d", v.Say("me.unstated"), s.Unstated.Finished))
	}
	var blocks []chat.Block
	if len(there) > 0 {
		blocks = append(blocks, LabelledList(v.Say("results.there"), there))
	}
	if len(absent) > 0 {
		blocks = append(blocks, LabelledList(v.Say("results.absent"), absent))
	}
	if s.Started > 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("results.unfinished")))
	}
	return blocks
}

// Agenda lists the elements in order of disagreement.
func Agenda(v locale.Voice, m *matrix.Matrix, p results.Published) []chat.Block {
	lang := matrix.Lang(v.Lang)
	elements := m.Elements()
	var discuss, agreed, hidden []string
	for _, i := range p.Agenda {
		c, name := p.Elements[i].Everyone(), elements[i].Name.In(lang)
		mode, shown := c.Mode.Int()
		if !shown {
			hidden = append(hidden, name)
			continue
		}
		share, _ := c.Percent[mode-1].Int()
		line := v.Say(
			"agenda.line",
			"element",
			name,
			"percent",
			share,
			"level",
			m.Levels[mode-1].Name.In(lang),
		)
		if levels := tied(m, c, mode, lang); len(levels) > 1 {
			line = v.Say(
				"agenda.tie",
				"element",
				name,
				"percent",
				share,
				"level",
				strings.Join(levels, ", "),
			)
		}
		if far, _ := c.FarMinority.Bool(); far {
			line += " " + v.Say("agenda.far")
		}
		if yes, _ := c.Consensus.Bool(); yes {
			agreed = append(agreed, line)
		} else {
			discuss = append(discuss, line)
		}
	}
	var blocks []chat.Block
	add := func(title string, lines []string, numbered bool) {
		if len(lines) == 0 {
			return
		}
		spans := []chat.Span{chat.Bold(title)}
		for i, l := range lines[:min(len(lines), maxAgenda)] {
			sign := "•"
			if numbered {
				sign = fmt.Sprintf("%d.", i+1)
			}
			spans = append(spans, chat.Words("\n"+sign+" "+l))
		}
		if more := len(lines) - maxAgenda; more > 0 {
			spans = append(spans, chat.Words("\n"+v.Count("agenda.more", more)))
		}
		blocks = append(blocks, chat.Text{Spans: spans})
	}
	add(v.Count("agenda.discuss", len(discuss)), discuss, true)
	add(v.Count("agenda.agreed", len(agreed)), agreed, false)
	if len(hidden) > 0 {
		names := strings.Join(hidden[:min(len(hidden), maxAgenda)], ", ")
		if more := len(hidden) - maxAgenda; more > 0 {
			names += " " + v.Count("agenda.more", more)
		}
		blocks = append(blocks,
			chat.Paragraph(
				v.Count("agenda.hidden", len(hidden), "min", p.Context.MinGroup, "names", names),
			),
		)
	}
	if groups := hiddenGroups(v, p); groups != "" {
		blocks = append(blocks, chat.Paragraph(v.Say("agenda.groups", "groups", groups)))
	}
	blocks = append(blocks,
		chat.Paragraph(v.Say("agenda.ask")),
		chat.Paragraph(v.Say("agenda.more_there")),
	)
	return blocks
}

// tied names the levels that share the most ratings, at most three of them.
func tied(m *matrix.Matrix, c results.GroupStats, mode int, lang matrix.Lang) []string {
	most, _ := c.Counts[mode-1].Int()
	var names []string
	for k, f := range c.Counts {
		if n, _ := f.Int(); n == most && len(names) < 3 {
			names = append(names, m.Levels[k].Short.In(lang))
		}
	}
	return names
}

// hiddenGroups names the role groups that somebody rated in and whose results are shown for no
// element.
func hiddenGroups(v locale.Voice, p results.Published) string {
	var names []string
	for g, group := range p.Groups[1:] {
		hidden, seen := false, false
		for _, e := range p.Elements {
			cells := e.Groups[g+1]
			_, shown := cells.Mode.Int()
			seen = seen || shown
			hidden = hidden || cells.Rated.Availability() == results.Suppressed
		}
		if seen || !hidden {
			continue
		}
		name := group.Name.In(matrix.Lang(v.Lang))
		if group.ID == results.NotStatedGroup {
			name = v.Say("me.unstated")
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// Results draws the summary of published results, with the lines of the round's record. action
// makes the action of a button that shows the same in another language.
func Results(
	v locale.Voice, r survey.Round, m *matrix.Matrix, p results.Published, record []chat.Block,
	action func(verb, lang string) chat.Action,
) chat.Card {
	part := v.Say("results.part",
		"people", v.Count("results.people", p.Respondents),
		"invited", p.Context.Invited,
		"finished", p.Context.Finished,
		"started", p.Context.Started)
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("results.title", "area", r.Area)},
		chat.Paragraph(part),
	}
	blocks = append(blocks, representedRoles(v, m, p.Context)...)
	minGroup := p.Context.MinGroup
	if NothingShown(p) {
		nothing := chat.Bold(v.Say("results.nothing", "min", minGroup))
		blocks = append(blocks, chat.Text{Spans: []chat.Span{nothing}})
	} else {
		rules := v.Say("facts.min_group", "min", minGroup) + "\n" + consensusRule(v, r) + "\n" +
			planFacts(v, r.Reminders)
		blocks = append(blocks, Agenda(v, m, p)...)
		blocks = append(blocks, chat.Divider{}, chat.Footnote(rules))
	}
	blocks = append(blocks, record...)
	return Of(append(blocks, resultButtons(v, r, action))...)
}

// ResultTable draws published results as a table, which is given as text.
func ResultTable(v locale.Voice, p results.Published, table string) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("results.table")},
		chat.Footnote(v.Say("results.shares", "min", p.Context.MinGroup)),
	}
	return Of(append(blocks, tableBlocks(table)...)...)
}
