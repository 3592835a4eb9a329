package card

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// How many characters the parts of a results post take at most. What a list leaves out is counted
// in the message, and in the files. The agenda gets what the other parts leave of
// chat.MaxCardText, which is all it needs for the editions of the product.
const (
	dimensionsRoom = 600
	rolesRoom      = 750
	groupsRoom     = 200
	notShownRoom   = 250
	mostNotedRoom  = 250
	closedRoom     = 150  // for when the survey closed, which a post after it says
	eveAgendaRoom  = 2500 // in the post before the workshop, which has few other parts
)

// perLine is how many characters a line of a list takes beside its text: a line break, a number and
// a space.
const perLine = 6

// Agenda lists the elements for the workshop, as agendaLists does. Then it says what is not shown,
// and how to ask.
func Agenda(v locale.Voice, p results.Published) []chat.Block {
	blocks := append(agendaLists(v, p, eveAgendaRoom), notShown(v, p)...)
	return append(blocks, chat.Paragraph(v.Say("agenda.ask")))
}

// agendaLists lists the elements in the agenda's groups: split, close, consensus. Each group has a
// title with the number of its elements, also where not all of them fit. Each element has its whole
// distribution.
func agendaLists(v locale.Voice, p results.Published, room int) []chat.Block {
	var lists []lineList
	for _, g := range []results.AgendaGroup{results.Split, results.Close, results.InConsensus} {
		list := lineList{numbered: g == results.Split}
		for _, i := range p.Agenda {
			if p.Elements[i].Everyone().AgendaGroup() == g {
				list.lines = append(list.lines, agendaLine(v, p, i))
			}
		}
		if len(list.lines) == 0 {
			continue
		}
		list.title = agendaTitle(v, g, len(list.lines))
		lists = append(lists, list)
		room -= list.leastRoom(v)
	}
	var blocks []chat.Block
	for _, list := range lists {
		var block chat.Text
		block, room = list.draw(v, room)
		blocks = append(blocks, block)
	}
	return blocks
}

// agendaTitle is the title of a group with n elements.
func agendaTitle(v locale.Voice, g results.AgendaGroup, n int) string {
	switch g {
	case results.Split:
		return v.Say("agenda.split", "n", n)
	case results.Close:
		return v.Say("agenda.close", "n", n)
	}
	return v.Say("agenda.consensus", "n", n)
}

// fewPeople is the number of people from which percentages say more than counts.
const fewPeople = 20

// agendaLine gives how many people chose each level of an element, as a count if they are few, and
// how many people rated it. Levels that nobody chose are left out.
func agendaLine(v locale.Voice, p results.Published, element int) string {
	lang := matrix.Lang(v.Lang)
	c := p.Elements[element].Everyone()
	rated, _ := c.Rated.Int()
	var shares []string
	for k, level := range p.Matrix.Levels {
		n, _ := c.Counts[k].Int()
		switch short := level.Short.In(lang); {
		case n == 0:
		case rated < fewPeople:
			shares = append(shares, v.Say("results.count", "level", short, "n", n))
		default:
			share := v.Say("results.share", "level", short, "percent", c.Percent[k])
			shares = append(shares, share)
		}
	}
	return v.Count("agenda.line", rated,
		"element", p.Matrix.Elements()[element].Name.In(lang),
		"shares", strings.Join(shares, " · "))
}

// notShown names the elements that are hidden, and the role groups that are hidden everywhere.
func notShown(v locale.Voice, p results.Published) []chat.Block {
	var blocks []chat.Block
	var hidden []string
	for i, e := range p.Matrix.Elements() {
		if p.Elements[i].Everyone().AgendaGroup() == results.NotShown {
			hidden = append(hidden, e.Name.In(matrix.Lang(v.Lang)))
		}
	}
	if n := len(hidden); n > 0 {
		names := strings.Join(within(v, hidden, notShownRoom), ", ")
		blocks = append(blocks, chat.Paragraph(
			v.Count("agenda.hidden", n, "min", p.Context.MinGroup, "names", names)))
	}
	groups, all := hiddenGroups(v, p)
	switch names := within(v, groups, groupsRoom); {
	case len(names) == 0:
	case all:
		blocks = append(blocks, chat.Paragraph(v.Say("agenda.no_groups")))
	default:
		blocks = append(blocks, LabelledList(v.Say("agenda.groups"), names))
	}
	return blocks
}

// hiddenGroups names the role groups that somebody rated in and whose results are shown for no
// element. all is true if no role group is shown for any element.
func hiddenGroups(v locale.Voice, p results.Published) (names []string, all bool) {
	all = true
	for g, group := range p.Groups[1:] {
		hidden, seen := false, false
		for _, e := range p.Elements {
			cells := e.Groups[g+1]
			_, shown := cells.Mode.Int()
			seen = seen || shown
			hidden = hidden || cells.Rated.Availability() == results.Suppressed
		}
		if seen {
			all = false
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
	return names, all
}

// lineList is a list with a title and a line for each item.
type lineList struct {
	title    string
	lines    []string
	numbered bool
}

// leastRoom is how many characters the list takes without its lines.
func (l lineList) leastRoom(v locale.Voice) int {
	return utf8.RuneCountInString(l.title+v.Count("agenda.more", len(l.lines))) + perLine
}

// draw draws the title, as many lines as fit into room characters, and the number of the others. It
// returns how much room is left.
func (l lineList) draw(v locale.Voice, room int) (block chat.Text, left int) {
	available := min(room, chat.MaxText-l.leastRoom(v))
	spans := []chat.Span{chat.Bold(l.title)}
	shown := fitting(l.lines, available)
	for i, line := range shown {
		sign := "•"
		if l.numbered {
			sign = fmt.Sprintf("%d.", i+1)
		}
		spans = append(spans, chat.Words("\n"+sign+" "+line))
		room -= utf8.RuneCountInString(line) + perLine
	}
	if more := len(l.lines) - len(shown); more > 0 {
		spans = append(spans, chat.Words("\n"+v.Count("agenda.more", more)))
	}
	return chat.Text{Spans: spans}, room
}

// fitting returns the first of the lines, as many as fit into room characters.
func fitting(lines []string, room int) []string {
	for i, line := range lines {
		room -= utf8.RuneCountInString(line) + perLine
		if room < 0 {
			return lines[:i]
		}
	}
	return lines
}

// within returns the items that fit into room characters, and after them the number of the others.
func within(v locale.Voice, items []string, room int) []string {
	shown := fitting(items, room)
	if more := len(items) - len(shown); more > 0 {
		return append(shown[:len(shown):len(shown)], v.Count("agenda.more", more))
	}
	return shown
}
