package card

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// Meeting is what the cards of a workshop show.
type Meeting struct {
	Round      survey.Round
	Matrix     *matrix.Matrix
	Assessment workshop.Assessment
	Progress   survey.WorkshopProgress
}

// action returns the action of a verb on the workshop, with arguments.
func (m Meeting) action(verb string, args ...string) chat.Action {
	return chat.NewAction(verb, append([]string{string(m.Round.ID)}, args...)...)
}

// Source says which shared card of an element a button is on.
type Source string

// The shared cards of an element.
const (
	FromBallot   Source = "b"
	FromShown    Source = "s"
	FromRecorded Source = "r"
	FromAlone    Source = "a" // the list of a coordinator who records alone
)

// AnyElement stands for the element in the action of a menu, from which it is picked.
const AnyElement = "-"

// From returns the arguments of an action on an element, from one of its shared cards.
func From(round survey.RoundID, element string, source Source, ballot int) []string {
	return []string{string(round), element, string(source), strconv.Itoa(ballot)}
}

func (m Meeting) from(verb, element string, source Source, ballot int) chat.Action {
	return chat.NewAction(verb, From(m.Round.ID, element, source, ballot)...)
}

// next returns the action that goes on after the last ballot.
func (m Meeting) next() chat.Action {
	return m.action("next", strconv.Itoa(m.Assessment.LastBallot))
}

// left returns the action that goes to what is in consensus or was postponed.
func (m Meeting) left() chat.Action {
	return m.action("left", strconv.Itoa(m.Assessment.LastBallot))
}

// name returns the name of an element.
func (m Meeting) name(v locale.Voice, element string) string {
	e, _, _ := m.Matrix.Element(element)
	return e.Name.In(matrix.Lang(v.Lang))
}

// level returns the name of a level, counted from 1, or that the element is not rated.
func (m Meeting) level(v locale.Voice, level int) string {
	if level < 1 || level > len(m.Matrix.Levels) {
		return v.Say("meet.not_rated")
	}
	return m.Matrix.Levels[level-1].Name.In(matrix.Lang(v.Lang))
}

// StartWorkshop explains a workshop to everybody, before it begins.
func StartWorkshop(v locale.Voice, m Meeting) chat.Card {
	return Of(append(aboutWorkshop(v, m), chat.Footnote(v.Say("meet.for_coordinators")), Row(
		Primary(v.Say("button.meet_begin"), m.action("first")),
		Button(v.Say("button.meet_alone"), m.action("alone")),
	))...)
}

// aboutWorkshop says what a workshop is for and how people rate.
func aboutWorkshop(v locale.Voice, m Meeting) []chat.Block {
	return []chat.Block{
		chat.Heading{Text: v.Say("meet.title", "area", m.Round.Area)},
		chat.Paragraph(v.Count("meet.purpose", len(m.Matrix.Elements()))),
		chat.Paragraph(v.Say("meet.private", "min", m.Assessment.MinGroup)),
		chat.Footnote(v.Say("meet.join")),
	}
}

// WorkshopBegun is StartWorkshop once the workshop has begun: the card has no buttons left.
func WorkshopBegun(v locale.Voice, m Meeting) chat.Card {
	return Of(append(aboutWorkshop(v, m), chat.Footnote(v.Say("meet.begun")))...)
}

// AskToMeet asks a coordinator whether an area that has no survey yet is to hold a workshop without
// one.
func AskToMeet(v locale.Voice, r survey.Round) chat.Card {
	return Of(
		chat.Heading{Text: r.Area},
		chat.Paragraph(v.Say("meet.no_survey")),
		Row(Primary(v.Say("button.meet_without"), onRound("meet", r, v))),
	)
}

// consensusRoom is how many characters the list of the elements in consensus takes at most.
const consensusRoom = 2500

// Consensus lists the elements that the survey shows consensus on.
func Consensus(v locale.Voice, m Meeting) chat.Card {
	elements := m.Assessment.InConsensus()
	if len(elements) == 0 {
		return Of(
			chat.Heading{Text: v.Say("meet.consensus_title", "area", m.Round.Area)},
			chat.Paragraph(v.Say("meet.consensus_none")),
			Row(Primary(v.Say("button.meet_next"), m.next())),
		)
	}
	var lines []string
	for _, e := range elements {
		counts := m.Assessment.Survey[e]
		level := slices.Index(counts, slices.Max(counts)) + 1
		lines = append(lines, v.Count("meet.consensus_line", workshop.Sum(counts),
			"element", m.name(v, e), "level", m.level(v, level), "most", counts[level-1]))
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("meet.consensus_title", "area", m.Round.Area)},
		chat.Paragraph(v.Count("meet.consensus", len(elements))),
		chat.Paragraph("• " + strings.Join(within(v, lines, consensusRoom), "\n• ")),
	}
	onward := m.next()
	if _, others := m.Assessment.Next(); !others {
		onward = m.left() // next would post this list again
	}
	talk := func(n string) chat.Action { return m.action("talk", n) }
	blocks = append(blocks, m.elementMenus(v, v.Say("meet.talk"), elements, talk)...)
	return Of(append(blocks, chat.Footnote(v.Say("meet.for_coordinators")), Row(
		Primary(v.Count("button.meet_take", len(elements)), m.action("take", ElementsHash(elements))),
		Button(v.Say("button.meet_next"), onward),
	))...)
}

// elementMenus returns menus of the elements, as many as they need. action returns the action of a
// menu by its number.
func (m Meeting) elementMenus(
	v locale.Voice, placeholder string, elements []string, action func(n string) chat.Action,
) []chat.Block {
	var menus []chat.Block
	for some := range slices.Chunk(elements, chat.MaxMenu) {
		var options []chat.Option
		for _, e := range some {
			options = append(options,
				chat.Option{Value: e, Label: chat.Trim(m.name(v, e), chat.MaxOption)})
		}
		menus = append(menus, chat.Menu{
			Action: action(strconv.Itoa(len(menus))), Placeholder: placeholder, Options: options,
		})
	}
	return menus
}

// ElementsHash returns a short hash of a list of elements. It travels with the button that takes
// them all, so that a coordinator takes exactly those that they saw.
func ElementsHash(elements []string) string {
	h := fnv.New32a()
	for _, e := range elements {
		_, _ = h.Write([]byte(e + "\n")) // it never fails
	}
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}

// Ballot draws an element for everybody to rate. Once the ballot is over, the card has no buttons
// left and says what became of it.
func Ballot(v locale.Voice, m Meeting, element string, number int) chat.Card {
	el, i, ok := m.Matrix.Element(element)
	if !ok {
		return Of(chat.Paragraph(v.Say("error.no_action")))
	}
	lang, a := matrix.Lang(v.Lang), m.Assessment
	open := a.Open != nil && a.Open.Number == number
	blocks := []chat.Block{
		chat.Note{Spans: []chat.Span{
			chat.Words(m.Round.Area + " · "),
			chat.Bold(m.Matrix.DimensionOf(el.ID).Name.In(lang)),
			chat.Words(" · " + v.Say("element.step", "i", i+1, "n", len(m.Matrix.Elements()))),
			chat.Words(" · " + v.Say("meet.ballot", "n", ballotOf(a, element, number))),
		}},
		chat.Heading{Text: el.Name.In(lang)},
		chat.Paragraph(el.Question.In(lang)),
	}
	if !open {
		return Of(append(blocks, chat.Footnote(ballotEnd(v, m, element, number)))...)
	}
	ballot := strconv.Itoa(number)
	for k, level := range m.Matrix.Levels {
		blocks = append(blocks, chat.Choice{
			Title: level.Name.In(lang),
			Text:  el.Descriptors[k].In(lang),
			Button: Button(level.Short.In(lang),
				m.action("vote", ballot, RatingArg(matrix.Rating(k+1)))),
		})
	}
	blocks = append(blocks, chat.Footnote(surveyLine(v, m, element)))
	if previous, known := a.Previous[element]; known {
		blocks = append(blocks, chat.Footnote(v.Say("meet.previous",
			"level", m.level(v, int(previous.Level)), "day", v.Day(a.PreviousAt))))
	}
	private := v.Say("meet.card_private")
	if ballotOf(a, element, number) > 1 {
		private = v.Say("meet.again_private")
	}
	return Of(append(blocks,
		chat.Footnote(private),
		chat.Text{Spans: []chat.Span{chat.Bold(votedLine(v, m))}},
		Row(
			Button(v.Say("answer.dont_know"), m.action("vote", ballot, RatingArg(matrix.DontKnow))),
		),
		chat.Footnote(v.Say("meet.for_coordinators")),
		Row(
			Primary(v.Say("button.meet_show"), m.action("show", ballot)),
			Button(v.Say("button.meet_record"), m.from("rating", element, FromBallot, number)),
			Button(v.Say("button.meet_later"), m.from("later", element, FromBallot, number)),
			Button(v.Say("button.meet_pause"), m.from("rest", element, FromBallot, number)),
		),
	)...)
}

// votedLine says how many people have rated, and nothing of how.
func votedLine(v locale.Voice, m Meeting) string {
	if m.Progress.Voted == 0 {
		return v.Say("meet.voted_none")
	}
	return v.Say("meet.voted", "voted", m.Progress.Voted, "present", m.Progress.Present)
}

// ballotOf returns which ballot of the element has the number, from 1.
func ballotOf(a workshop.Assessment, element string, number int) int {
	n := 1
	for _, b := range a.BallotsOf(element) {
		if b.Number < number {
			n++
		}
	}
	return n
}

// ballotEnd says what became of a ballot that is over.
func ballotEnd(v locale.Voice, m Meeting, element string, number int) string {
	for _, b := range m.Assessment.BallotsOf(element) {
		if b.Number == number {
			return v.Say("meet.over_shown")
		}
	}
	if _, rated := m.Assessment.Ratings[element]; rated {
		return v.Say("meet.over_recorded")
	}
	return v.Say("meet.over")
}

// surveyLine says what the survey shows for an element.
func surveyLine(v locale.Voice, m Meeting, element string) string {
	counts, shown := m.Assessment.Survey[element]
	switch {
	case m.Assessment.Surveyed == 0:
		return v.Say("meet.survey_none")
	case !shown:
		return v.Say("meet.survey_hidden", "min", m.Assessment.MinGroup)
	}
	return v.Say("meet.survey", "counts", countsLine(v, m, counts))
}

// countsLine lists how many people chose each level that somebody chose.
func countsLine(v locale.Voice, m Meeting, counts []int) string {
	var parts []string
	for k, n := range counts {
		if n > 0 {
			parts = append(parts, v.Say("meet.count",
				"level", m.Matrix.Levels[k].Short.In(matrix.Lang(v.Lang)), "n", n))
		}
	}
	return strings.Join(parts, " · ")
}

// ballotLine lists what people rated in a ballot that was shown.
func ballotLine(v locale.Voice, m Meeting, b workshop.Ballot) string {
	line := countsLine(v, m, b.Totals())
	if b.DontKnow > 0 {
		line += " · " + v.Say("meet.dont_know", "n", b.DontKnow)
	}
	if b.Doubled {
		line += ". " + v.Say("meet.doubled")
	}
	return line
}
