package card

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// NothingShown says whether too few people rated every element for anything to be shown.
func NothingShown(p results.Published) bool {
	for _, e := range p.Elements {
		if e.Everyone().AgendaGroup() != results.NotShown {
			return false
		}
	}
	return true
}

// Results draws the results post, which a coordinator can read out: a headline, a line for each
// dimension, the elements for the workshop, and who was not heard from. action makes the action of
// a button that shows the same in another language.
func Results(
	v locale.Voice, r survey.Round, p results.Published, action func(verb, lang string) chat.Action,
) chat.Card {
	before := []chat.Block{
		chat.Heading{Text: v.Say("results.title", "area", r.Area)},
		chat.Paragraph(answered(v, p)),
		headline(v, p),
		dimensions(v, p),
	}
	buttons := append(workshopButton(v, r), Button(v.Say("button.reading"), readingAction(v, p)))
	buttons = append(buttons, otherResults(v, r, action)...)
	missing := notHeardFrom(v, p.Matrix, p.Turnout, p.Context.MinGroup)
	after := slices.Concat(notShown(v, p), missing, written(v, p), []chat.Block{
		chat.Paragraph(v.Say("agenda.ask")),
		chat.Paragraph(v.Say("results.next")),
		chat.Paragraph(workshopLine(v, r)),
		Row(buttons...),
	})
	room := chat.MaxCardText - closedRoom - textRunes(before) - textRunes(after)
	return Of(slices.Concat(before, agendaLists(v, p, room), after)...)
}

// NoResults draws the results post of a round in which no element can be shown, with the lines of
// the round's record.
func NoResults(
	v locale.Voice, r survey.Round, p results.Published, record []chat.Block,
	action func(verb, lang string) chat.Action,
) chat.Card {
	buttons := append(workshopButton(v, r), otherResults(v, r, action)...)
	nothing := chat.Bold(v.Say("results.nothing", "min", p.Context.MinGroup))
	missing := notHeardFrom(v, p.Matrix, p.Turnout, p.Context.MinGroup)
	return Of(slices.Concat([]chat.Block{
		chat.Heading{Text: v.Say("results.title", "area", r.Area)},
		chat.Paragraph(answered(v, p)),
		chat.Text{Spans: []chat.Span{nothing}},
	}, missing, []chat.Block{chat.Paragraph(workshopLine(v, r))}, record, []chat.Block{
		Row(append(buttons, Button(v.Say("button.status"), onRound("status", r, v)))...),
	})...)
}

// headline counts the elements in each group of the agenda.
func headline(v locale.Voice, p results.Published) chat.Text {
	n := map[results.AgendaGroup]int{}
	for _, e := range p.Elements {
		n[e.Everyone().AgendaGroup()]++
	}
	key := "results.headline"
	if n[results.NotShown] > 0 {
		key = "results.headline_hidden"
	}
	said := v.Count(key, len(p.Elements),
		"split", n[results.Split], "close", n[results.Close],
		"consensus", n[results.InConsensus], "hidden", n[results.NotShown])
	return chat.Text{Spans: []chat.Span{chat.Bold(said)}}
}

// answered says how many of the invited people answered.
func answered(v locale.Voice, p results.Published) string {
	invited, _ := p.Turnout.Invited.Int()
	said := v.Count("results.answered", invited, "people", p.Respondents)
	if finished, _ := p.Turnout.Finished.Int(); p.Respondents > finished {
		said += " " + v.Say("results.stopped") // without the number, which may be of one person
	}
	return said + openLinkNote(v, p.Turnout)
}

// openLinkNote says how many people finished by the open link, if anybody did, and what that means.
func openLinkNote(v locale.Voice, t results.PublishedTurnout) string {
	n, shown := t.OpenLink.Int()
	switch {
	case !shown:
		return " " + v.Say("results.some_by_open_link")
	case n > 0:
		return " " + v.Say("results.by_open_link", "n", n)
	}
	return ""
}

// dimensions gives the most common level of each dimension, with its share of the ratings.
func dimensions(v locale.Voice, p results.Published) chat.Text {
	lang := matrix.Lang(v.Lang)
	list := lineList{title: v.Say("results.dimensions")}
	for i, d := range p.Matrix.Dimensions {
		levels, percent := p.Dimensions[i].Everyone().MostCommon()
		name := d.Name.In(lang)
		if len(levels) == 0 {
			list.lines = append(list.lines, v.Say("results.dimension_hidden", "dimension", name))
			continue
		}
		var shorts []string
		for _, level := range levels {
			shorts = append(shorts, p.Matrix.Levels[level-1].Short.In(lang))
		}
		key := "results.dimension"
		if len(levels) > 1 {
			key = "results.dimension_tie"
		}
		list.lines = append(list.lines, v.Say(key,
			"dimension", name, "level", strings.Join(shorts, ", "), "percent", percent))
	}
	block, _ := list.draw(v, dimensionsRoom)
	return block
}

// notHeardFrom names the roles in which few or no people finished, or whose number is hidden with
// theirs, and apart from them the roles that nobody is known to have been invited for. It gives no
// numbers: the only invited person of a role would be known by them.
func notHeardFrom(
	v locale.Voice, m *matrix.Matrix, t results.PublishedTurnout, minGroup int,
) []chat.Block {
	var few, uninvited []string
	for _, r := range t.Roles {
		if r.Role == results.NotStatedGroup {
			continue
		}
		if r.Hidden() {
			few = append(few, roleName(v, m, r.Role))
		}
		if n, shown := r.Invited.Int(); shown && n == 0 {
			uninvited = append(uninvited, roleName(v, m, r.Role))
		}
	}
	var blocks []chat.Block
	room := rolesRoom
	if len(few) > 0 {
		names := within(v, few, room)
		blocks = append(blocks, LabelledList(v.Say("results.hear_more", "min", minGroup), names))
		room -= utf8.RuneCountInString(strings.Join(names, "")) + len(names)*perLine
	}
	if len(uninvited) > 0 {
		blocks = append(blocks,
			LabelledList(v.Say("results.uninvited"), within(v, uninvited, room)))
	}
	return blocks
}

// maxMostNoted is how many elements the post names of those with most comments and barriers.
const maxMostNoted = 3

// written counts the comments and barriers, and names the elements with most of them. An element
// with only one is not named.
func written(v locale.Voice, p results.Published) []chat.Block {
	comments, barriers := 0, 0
	var order []int
	notes := make([]int, len(p.Elements))
	for i, e := range p.Elements {
		comments += len(e.Comments)
		barriers += len(e.Barriers)
		notes[i] = len(e.Comments) + len(e.Barriers)
		if notes[i] > 1 {
			order = append(order, i)
		}
	}
	if comments+barriers == 0 {
		return nil
	}
	said := v.Say("results.written", "comments", comments, "barriers", barriers)
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(notes[j], notes[i]) })
	var most []string
	for _, i := range order[:min(len(order), maxMostNoted)] {
		name := p.Matrix.Elements()[i].Name.In(matrix.Lang(v.Lang))
		most = append(most, fmt.Sprintf("%s (%d)", name, notes[i]))
	}
	if len(most) > 0 {
		names := strings.Join(within(v, most, mostNotedRoom), ", ")
		said += " " + v.Say("results.most_written", "elements", names)
	}
	return []chat.Block{chat.Paragraph(said)}
}

// workshopLine says when and where the workshop is, or that it has no date.
func workshopLine(v locale.Voice, r survey.Round) string {
	if r.Workshop.At.IsZero() {
		return v.Say("results.no_workshop")
	}
	return v.Say("workshop.done", "workshop", WorkshopTime(v, r))
}

// workshopButton is a button to set the workshop, if it has no date.
func workshopButton(v locale.Voice, r survey.Round) []chat.Button {
	if !r.Workshop.At.IsZero() {
		return nil
	}
	return []chat.Button{Button(v.Say("button.set_workshop"), onRound("workshop", r, v))}
}

// otherResults are buttons for the results in the round's other languages.
func otherResults(
	v locale.Voice, r survey.Round, action func(verb, lang string) chat.Action,
) []chat.Button {
	var buttons []chat.Button
	for _, l := range r.Languages {
		if string(l) != v.Lang {
			buttons = append(buttons, Button(LanguageName(v, l), action("results", string(l))))
		}
	}
	return buttons
}

// textRunes counts the characters of the texts of blocks.
func textRunes(blocks []chat.Block) int {
	n := 0
	for _, block := range blocks {
		switch b := block.(type) {
		case chat.Heading:
			n += utf8.RuneCountInString(b.Text)
		case chat.Text:
			n += utf8.RuneCountInString(chat.PlainText(b.Spans))
		case chat.Note:
			n += utf8.RuneCountInString(chat.PlainText(b.Spans))
		case chat.Buttons, chat.Choice, chat.Divider, chat.Menu, chat.Table:
			// Their texts do not count, or the post has none of them.
		}
	}
	return n
}

// ResultTable draws the post after the results: a table, which is given as text, how to read it,
// the rules of the round and the lines of its record. The files come with it.
func ResultTable(
	v locale.Voice, p results.Published, table string, record []chat.Block,
) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("results.table")},
		chat.Footnote(v.Say("results.shares", "min", p.Context.MinGroup)),
	}
	blocks = append(blocks, tableBlocks(table)...)
	if there := finishedRoles(v, p); len(there) > 0 {
		blocks = append(blocks,
			LabelledList(v.Say("results.there"), within(v, there, rolesRoom)))
	}
	blocks = append(blocks, chat.Footnote(groupMeanings(v, p.Context.Consensus)))
	return Of(append(blocks, record...)...)
}

// tableBlocks cuts a long table at line ends, so that each piece fits.
func tableBlocks(table string) []chat.Block {
	const room = 1200 // runes; two such pieces fit the text of one message
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

// finishedRoles says how many people of each role finished, where that may be shown.
func finishedRoles(v locale.Voice, p results.Published) []string {
	var there []string
	for _, r := range p.Turnout.Roles {
		name := v.Say("table.not_stated")
		if r.Role != results.NotStatedGroup {
			name = roleName(v, p.Matrix, r.Role)
		}
		if n, _ := r.Finished.Int(); n > 0 {
			there = append(there, fmt.Sprintf("%s %d", name, n))
		}
	}
	return there
}
