package card

import (
	"slices"
	"strconv"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// Shown draws the ratings of an element's last ballot. Once the element has a rating, or another
// ballot, the card has no buttons left.
func Shown(v locale.Voice, m Meeting, element string, number int) chat.Card {
	a := m.Assessment
	ballots := a.BallotsOf(element)
	at := slices.IndexFunc(ballots, func(b workshop.Ballot) bool { return b.Number == number })
	if at < 0 {
		return Of(chat.Paragraph(v.Say("error.no_action")))
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("meet.shown_title", "element", m.name(v, element))},
		chat.Text{Spans: []chat.Span{chat.Bold(ballotLine(v, m, ballots[at]))}},
	}
	for i := at - 1; i >= 0; i-- {
		blocks = append(blocks, chat.Footnote(v.Say("meet.earlier",
			"n", i+1, "counts", ballotLine(v, m, ballots[i]))))
	}
	blocks = append(blocks, chat.Footnote(surveyLine(v, m, element)))
	_, rated := a.Ratings[element]
	last := at == len(ballots)-1 && (a.Open == nil || a.Open.Element != element)
	if rated || !last || a.Stage != workshop.Meeting {
		return Of(blocks...)
	}
	var buttons []chat.Button
	if level, ok := a.Agrees(element); ok {
		label := v.Say("button.meet_settle",
			"level", m.Matrix.Levels[level-1].Short.In(matrix.Lang(v.Lang)))
		buttons = append(buttons, Primary(chat.Trim(label, chat.MaxLabel),
			m.from("settle", element, FromShown, number)))
	}
	buttons = append(buttons,
		Button(v.Say("button.meet_record"), m.from("rating", element, FromShown, number)))
	if len(ballots) < workshop.MaxBallots {
		buttons = append(buttons,
			Button(v.Say("button.meet_again"), m.from("rerate", element, FromShown, number)))
	}
	buttons = append(buttons,
		Button(v.Say("button.meet_later"), m.from("later", element, FromShown, number)))
	return Of(append(blocks, chat.Footnote(v.Say("meet.for_coordinators")), Row(buttons...))...)
}

// Recorded draws the rating that was recorded for an element.
func Recorded(v locale.Voice, m Meeting, element string) chat.Card {
	a := m.Assessment
	r, rated := a.Ratings[element]
	if !rated {
		return Of(chat.Paragraph(v.Say("error.no_action")))
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("meet.recorded_title",
			"element", m.name(v, element), "level", m.level(v, int(r.Level)))},
		chat.Paragraph(HowAgreed(v, r.How)),
	}
	if r.Reason != "" {
		blocks = append(blocks, chat.Paragraph(v.Say("meet.reason", "text", r.Reason)))
	}
	if r.Others != "" {
		blocks = append(blocks, chat.Paragraph(v.Say("meet.others", "text", r.Others)))
	}
	if last, ok := a.LastBallotOf(element); ok {
		said := v.Say("meet.last_ballot", "counts", ballotLine(v, m, last))
		blocks = append(blocks, chat.Footnote(said))
	}
	if replaced := a.Replaced[element]; len(replaced) > 0 {
		old := replaced[len(replaced)-1]
		said := v.Say("meet.replaced", "level", m.level(v, int(old.Level)))
		blocks = append(blocks, chat.Footnote(said))
	}
	change := Button(v.Say("button.meet_change"), m.from("rating", element, FromRecorded, 0))
	if a.Stage != workshop.Meeting {
		return Of(append(blocks, Row(change))...)
	}
	return Of(append(blocks,
		Row(Button(v.Say("button.meet_object"), m.action("object", element))),
		chat.Footnote(v.Say("meet.for_coordinators")),
		Row(Primary(v.Say("button.meet_next"), m.next()), change),
	)...)
}

// HowAgreed says how a rating came about.
func HowAgreed(v locale.Voice, how workshop.How) string {
	//locale:says meet.how_all meet.how_most meet.how_none meet.how_survey meet.how_alone
	return v.Say("meet.how_" + string(how))
}

// Pressed is a press on a ballot's card: which ballot, which rating, and which message the card is.
type Pressed struct {
	Ballot  int
	Rating  matrix.Rating
	Message string
}

// args returns the press as arguments of an action, in a language.
func (p Pressed) args(lang string) []string {
	message := p.Message
	if message == "" {
		message = AnyElement
	}
	return []string{strconv.Itoa(p.Ballot), RatingArg(p.Rating), lang, message}
}

// AskRole asks a person what their role is, before their first rating counts. Its controls carry
// what they pressed.
func AskRole(v locale.Voice, m Meeting, p Pressed) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("meet.role_title")},
		chat.Paragraph(v.Say("meet.role")),
	}
	blocks = append(blocks, roleMenus(v, m.Matrix, func(more ...string) chat.Action {
		return m.action("attend", append(p.args(v.Lang), more...)...)
	})...)
	var others []chat.Button
	for _, l := range m.Round.Languages {
		if other := v.In(string(l)); other.Lang == string(l) && other.Lang != v.Lang {
			others = append(others,
				Button(other.Say("language.name"), m.action("whoami", p.args(other.Lang)...)))
		}
	}
	if len(others) > 0 {
		blocks = append(blocks, Row(others...))
	}
	return Of(blocks...)
}

// YourRating confirms a person's rating to them alone.
func YourRating(v locale.Voice, m Meeting, element string, rating matrix.Rating) chat.Card {
	given := v.Say("answer.dont_know")
	if rating > 0 {
		given = m.level(v, int(rating))
	}
	return Of(
		chat.Text{Spans: []chat.Span{
			chat.Bold(v.Say("meet.yours", "element", m.name(v, element), "rating", given)),
		}},
		chat.Footnote(v.Say("meet.yours_change")),
	)
}

// Taken lists the ratings that were taken over from the survey.
func Taken(v locale.Voice, m Meeting, elements []string) chat.Card {
	var lines []string
	for _, e := range elements {
		lines = append(lines, v.Say("meet.taken_line",
			"element", m.name(v, e), "level", m.level(v, int(m.Assessment.Ratings[e].Level))))
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Count("meet.taken_title", len(elements))},
		chat.Paragraph("• " + strings.Join(within(v, lines, consensusRoom), "\n• ")),
	}
	blocks = append(blocks, m.elementMenus(v, v.Say("meet.object_pick"), elements,
		func(n string) chat.Action { return m.action("objectto", n) })...)
	return Of(append(blocks, Row(Primary(v.Say("button.meet_next"), m.next())))...)
}

// TalkedAbout tells a person alone that an element is back on the agenda.
func TalkedAbout(v locale.Voice, m Meeting, element string) chat.Card {
	return Of(chat.Paragraph(v.Say("meet.talked", "element", m.name(v, element))))
}

// Objected confirms to a person alone that their objection is kept, or taken back.
func Objected(v locale.Voice, m Meeting, element string, objects bool) chat.Card {
	name := m.name(v, element)
	if !objects {
		return Of(chat.Paragraph(v.Say("meet.taken_back", "element", name)))
	}
	return Of(
		chat.Paragraph(v.Say("meet.objected", "element", name)),
		Row(Button(v.Say("button.meet_take_back"), m.action("takeback", element))),
	)
}

// CountedTwice asks a coordinator whether some people were counted twice.
func CountedTwice(v locale.Voice, m Meeting, element string) chat.Card {
	last, ok := m.Assessment.LastBallotOf(element)
	if !ok {
		return Of(chat.Paragraph(v.Say("error.no_action")))
	}
	return Of(
		chat.Heading{Text: v.Say("meet.twice_title")},
		chat.Paragraph(v.Say("meet.twice",
			"ratings", workshop.Sum(last.Totals())+last.DontKnow, "people", m.Progress.Present)),
		Row(
			Button(v.Say("button.meet_recount"), m.from("hands", element, FromRecorded, 0)),
			Button(v.Say("button.meet_keep"), m.from("keephands", element, FromRecorded, 0)),
		),
	)
}
