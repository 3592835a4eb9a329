package card

import (
	"strconv"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// undecidedRoom is how many characters the list of elements without a rating takes at most.
const undecidedRoom = 1500

// Decided says that every element was taken: which have no rating yet, and how to finish.
func Decided(v locale.Voice, m Meeting) chat.Card {
	undecided := m.Assessment.Undecided()
	heading := chat.Heading{Text: v.Say("meet.title", "area", m.Round.Area)}
	if m.Assessment.Stage != workshop.Meeting {
		return Of(heading, chat.Paragraph(v.Say("meet.finished_already")))
	}
	if len(undecided) == 0 {
		return Of(heading,
			chat.Paragraph(v.Say("meet.all_rated")),
			Row(m.finish(v, "button.meet_finish")),
		)
	}
	var names []string
	for _, e := range undecided {
		names = append(names, m.name(v, e))
	}
	return Of(heading,
		chat.Paragraph(v.Count("meet.some_left", len(undecided),
			"names", strings.Join(within(v, names, undecidedRoom), ", "))),
		Row(
			Primary(v.Say("button.meet_go_to"), m.left()),
			m.finish(v, "button.meet_leave"),
		),
	)
}

// finish returns the button that finishes the workshop, which asks first.
func (m Meeting) finish(v locale.Voice, label string) chat.Button {
	//locale:says button.meet_finish button.meet_leave
	return chat.Button{
		Label: v.Say(label), Action: m.action("finish"),
		Confirm: &chat.Confirm{
			Title: v.Say("meet.confirm_title"), Text: v.Say("meet.confirm"),
			Yes: v.Say(label), No: v.Say("meet.confirm_no"),
		},
	}
}

// Paused says that the workshop goes on another time.
func Paused(v locale.Voice, m Meeting) chat.Card {
	total := len(m.Matrix.Elements())
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("meet.paused_title", "area", m.Round.Area)},
		chat.Paragraph(v.Say("meet.paused",
			"rated", total-len(m.Assessment.Undecided()), "n", total)),
	}
	if m.Assessment.PausedAt.IsZero() || m.Assessment.Stage != workshop.Meeting {
		return Of(append(blocks, chat.Footnote(v.Say("meet.resumed")))...)
	}
	return Of(append(blocks, Row(
		Primary(v.Say("button.meet_resume"), m.next()),
		Button(v.Say("button.meet_alone"), m.action("alone")),
		m.finish(v, "button.meet_leave"),
	))...)
}

// Alone lets a coordinator record ratings without a workshop: a menu of the elements without a
// rating, and what was recorded so far.
func Alone(v locale.Voice, m Meeting) chat.Card {
	undecided := m.Assessment.Undecided()
	total := len(m.Matrix.Elements())
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("meet.alone_title", "area", m.Round.Area)},
		chat.Paragraph(v.Say("meet.alone", "rated", total-len(undecided), "n", total)),
	}
	switch {
	case m.Assessment.Stage != workshop.Meeting:
		return Of(append(blocks, chat.Paragraph(v.Say("meet.finished_already")))...)
	case len(undecided) == 0:
		blocks = append(blocks[:1], chat.Paragraph(v.Say("meet.all_rated")))
	}
	blocks = append(blocks, m.elementMenus(v, v.Say("meet.alone_pick"), undecided,
		func(n string) chat.Action {
			return chat.NewAction("rating", string(m.Round.ID), AnyElement, string(FromAlone), n)
		})...)
	return Of(append(blocks, Row(m.finish(v, "button.meet_finish")))...)
}

// How many characters the parts of the post at the end take at most.
const (
	agreedRoom     = 2600
	attendanceRoom = 600
)

// Finished is the post at the end of a workshop: for each element what the survey shows, what the
// last ballot showed and what was agreed, and who was there.
func Finished(v locale.Voice, m Meeting) chat.Card {
	a := m.Assessment
	var lines []string
	rated := 0
	for _, e := range m.Matrix.Elements() {
		r := a.Ratings[e.ID]
		if r.Level > 0 {
			rated++
		}
		lines = append(lines, finishedLine(v, m, e, r))
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("meet.finish_title", "area", m.Round.Area)},
		chat.Paragraph(v.Say("meet.finish", "rated", rated, "n", len(lines))),
		chat.Paragraph(strings.Join(within(v, lines, agreedRoom), "\n")),
	}
	blocks = append(blocks, attendance(v, m)...)
	return Of(append(blocks, chat.Footnote(v.Say("meet.finish_files")))...)
}

// finishedLine gives an element's way from the survey over the last ballot to what was agreed.
func finishedLine(v locale.Voice, m Meeting, e matrix.Element, r workshop.Rating) string {
	lang := matrix.Lang(v.Lang)
	short := func(levels []int) string {
		if len(levels) == 0 {
			return v.Say("meet.nothing")
		}
		var names []string
		for _, level := range levels {
			names = append(names, m.Matrix.Levels[level-1].Short.In(lang))
		}
		return strings.Join(names, "/")
	}
	moved := m.Assessment.Movement(e.ID)
	agreed := v.Say("meet.not_rated")
	if r.Level > 0 {
		agreed = m.Matrix.Levels[r.Level-1].Short.In(lang)
	}
	if r.How == workshop.NoWorkshop {
		agreed += " · " + HowAgreed(v, r.How)
	}
	return v.Say("meet.finish_line", "element", e.Name.In(lang),
		"survey", short(moved.Survey), "ballot", short(moved.Ballot), "agreed", agreed)
}

// attendance says how many people of each role were there, and which roles were not.
func attendance(v locale.Voice, m Meeting) []chat.Block {
	if len(m.Assessment.Attendance) == 0 {
		return []chat.Block{chat.Paragraph(v.Say("meet.attendance_none"))}
	}
	var here, missing []string
	for _, g := range m.Matrix.RoleGroups {
		for _, r := range g.Roles {
			name := r.Name.In(matrix.Lang(v.Lang))
			n := m.Assessment.Attendance[r.ID]
			if n == 0 {
				missing = append(missing, name)
				continue
			}
			here = append(here, name+" "+strconv.Itoa(n))
		}
	}
	if n := m.Assessment.Attendance[survey.Unstated]; n > 0 {
		here = append(here, v.Say("me.unstated")+" "+strconv.Itoa(n))
	}
	label := v.Count("meet.attendance", m.Assessment.People())
	blocks := []chat.Block{LabelledList(label, within(v, here, attendanceRoom))}
	if len(missing) > 0 {
		blocks = append(blocks,
			LabelledList(v.Say("meet.missing"), within(v, missing, attendanceRoom)))
	}
	return blocks
}

// objectionsRoom is how many characters the list of objections takes at most.
const objectionsRoom = 700

// WorkshopStatus tells a coordinator how far the workshop has come, and how many people object to
// what was recorded.
func WorkshopStatus(v locale.Voice, m Meeting, objections map[string]int) []chat.Block {
	a, total := m.Assessment, len(m.Matrix.Elements())
	said := v.Say("meet.status", "rated", total-len(a.Undecided()), "n", total)
	if a.Stage == workshop.Agreed {
		said = v.Say("meet.status_agreed", "day", v.Day(a.FinishedAt.In(m.Round.Location())))
	}
	blocks := []chat.Block{chat.Paragraph(said)}
	var lines []string
	for _, e := range m.Matrix.Elements() {
		if n := objections[e.ID]; n > 0 {
			lines = append(lines, v.Count("meet.objections", n, "element", m.name(v, e.ID)))
		}
	}
	if len(lines) > 0 {
		list := strings.Join(within(v, lines, objectionsRoom), "\n")
		blocks = append(blocks, chat.Paragraph(list))
	}
	return blocks
}
