package bot

import (
	"context"
	"errors"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/workshop"
)

// facilitator answers coordinators who lead a workshop.
type facilitator struct {
	coordinator
	meeting meetings
}

func (facilitator) of(b *Bot, req *request) facilitator {
	return facilitator{coordinator{}.of(b, req), b.meetings()}
}

// meetings reads what the shared cards of a workshop show. They depend on what is saved, and not on
// who pressed.
type meetings struct {
	*Tools
	rounds survey.System
}

func (b *Bot) meetings() meetings { return meetings{&b.Tools, b.Rounds.System()} }

// read returns what the cards of a workshop show.
func (h meetings) read(ctx context.Context, id survey.RoundID) (card.Meeting, error) {
	r, a, err := h.rounds.Workshop(ctx, id)
	if err != nil {
		return card.Meeting{}, err
	}
	return h.of(ctx, r, a)
}

// of adds to a workshop what else its cards show.
func (h meetings) of(
	ctx context.Context, r survey.Round, a workshop.Assessment,
) (card.Meeting, error) {
	m, err := h.matrix(r)
	if err != nil {
		return card.Meeting{}, err
	}
	p, err := h.rounds.WorkshopProgress(ctx, r.ID)
	return card.Meeting{Round: r, Matrix: m, Assessment: a, Progress: p}, err
}

// draws draws a shared card of a workshop.
type draws func(locale.Voice, card.Meeting) chat.Card

func ballotCard(element string, number int) draws {
	return func(v locale.Voice, m card.Meeting) chat.Card { return card.Ballot(v, m, element, number) }
}

func shownCard(element string, number int) draws {
	return func(v locale.Voice, m card.Meeting) chat.Card { return card.Shown(v, m, element, number) }
}

func recordedCard(element string) draws {
	return func(v locale.Voice, m card.Meeting) chat.Card { return card.Recorded(v, m, element) }
}

// currentCard returns the card that shows where the workshop is.
func currentCard(a workshop.Assessment) draws {
	switch {
	case a.Stage == workshop.Agreed:
		return card.Decided
	case a.Open != nil:
		return ballotCard(a.Open.Element, a.Open.Number)
	case !a.PausedAt.IsZero():
		return card.Paused
	case a.LastBallot == 0 && len(a.Ratings) == 0:
		return card.StartWorkshop
	case len(a.Undecided()) == 0:
		return card.Decided
	case len(a.Ballots) > 0:
		if last := a.Ballots[len(a.Ballots)-1]; !isRated(a, last.Element) {
			return shownCard(last.Element, last.Number)
		}
	}
	return card.Consensus
}

func isRated(a workshop.Assessment, element string) bool {
	_, rated := a.Ratings[element]
	return rated
}

// redraw returns the reply that draws a shared card as it is by then, or none where the event comes
// from no shared card.
func (h meetings) redraw(req *request, id survey.RoundID, draw draws) []chat.Reply {
	if req.SharedCard == (chat.CardRef{}) {
		return nil
	}
	now := func(ctx context.Context) (chat.Card, error) {
		m, err := h.read(ctx, id)
		if err != nil {
			return chat.Card{}, err
		}
		return draw(h.channelVoice(m.Round), m), nil
	}
	return []chat.Reply{chat.Redraw{Of: req.SharedCard, Draw: now}}
}

// post returns the reply that shows a card of the workshop to everybody where the event happened.
func (h meetings) post(req *request, m card.Meeting, draw draws) []chat.Reply {
	v := h.channelVoice(m.Round)
	return []chat.Reply{chat.Post{
		To: req.Where, Card: draw(v, m), Then: h.onlyOnFailure(v, req.Where),
	}}
}

// errElsewhere refuses a workshop card outside the workspace of its round.
var errElsewhere = errors.New("the event is not of the round's workspace")

// inWorkspace returns an error unless the event happened in the workspace of the round, by somebody
// of it.
func inWorkspace(req *request, r survey.Round) error {
	if !ofRound(req.Event, r) {
		return errElsewhere
	}
	return nil
}

// rate starts the workshop of a round, or shows where it is, in the channel of the command.
func (h facilitator) rate(
	ctx context.Context, req *request, args targetArgs,
) ([]chat.Reply, error) {
	r, err := h.target(ctx, req, args, func(r survey.Round) bool { return r.State != survey.Open })
	if err != nil {
		return nil, err
	}
	v := h.roundVoice(req, r)
	switch r.State {
	case survey.Draft:
		return whispered(card.AskToMeet(v, r).Blocks...), nil
	case survey.Open:
		return whispered(chat.Paragraph(v.Say("meet.still_open"))), nil
	}
	return h.start(ctx, req, r.ID)
}

// meetWithoutSurvey starts a workshop in an area that only meets.
func (h facilitator) meetWithoutSurvey(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	return h.start(ctx, req, args.round)
}

// start starts a workshop, unless it has begun, and posts the card that shows where it is.
func (h facilitator) start(
	ctx context.Context, req *request, id survey.RoundID,
) ([]chat.Reply, error) {
	r, err := h.rounds.Round(ctx, id)
	if err != nil {
		return nil, err
	}
	v := h.roundVoice(req, r)
	switch {
	case req.Private:
		return whispered(chat.Paragraph(v.Say("meet.in_a_channel"))), nil
	case !ofRound(req.Event, r):
		return nil, errElsewhere
	}
	if why := h.canPost(ctx, req.Where); why != nil {
		return whispered(card.CannotPost(v, v.Say("cannot_post.meet"), req.Where, why)...), nil
	}
	r, a, _, err := h.rounds.StartWorkshop(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.Stage == workshop.Agreed {
		return h.postFinish(r, a, req.Where)
	}
	m, err := h.meeting.of(ctx, r, a)
	if err != nil {
		return nil, err
	}
	return h.meeting.post(req, m, currentCard(a)), nil
}

// first begins the workshop: with what the survey shows consensus on, or else with an element.
func (h facilitator) first(
	ctx context.Context, req *request, args roundArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	if a := m.Assessment; a.LastBallot > 0 || len(a.Ratings) > 0 {
		return h.wentOn(req, m), nil
	}
	begun := h.meeting.redraw(req, args.round, card.WorkshopBegun)
	if len(m.Assessment.InConsensus()) > 0 {
		return append(begun, h.meeting.post(req, m, card.Consensus)...), nil
	}
	posts, err := h.takeNext(ctx, req, m)
	return append(begun, posts...), err
}

// next takes the next element. The action carries the number of the last ballot, so that of two
// coordinators who press at once only one goes on.
func (h facilitator) next(
	ctx context.Context, req *request, args ballotArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	if m.Assessment.LastBallot != args.ballot {
		return h.wentOn(req, m), nil
	}
	return h.takeNext(ctx, req, m)
}

// left is next for elements in consensus or postponed, after the coordinator has seen their names.
func (h facilitator) left(
	ctx context.Context, req *request, args ballotArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	undecided := m.Assessment.Undecided()
	if m.Assessment.LastBallot != args.ballot || len(undecided) == 0 {
		return h.wentOn(req, m), nil
	}
	return h.beginBallot(ctx, req, args.round, undecided[0])
}

// takeNext posts the next element for everybody to rate. Where only elements in consensus or postponed
// ones are left, it posts the list of those in consensus, from which the coordinator can go on; and
// where only postponed ones are left, what can be done about them.
func (h facilitator) takeNext(
	ctx context.Context, req *request, m card.Meeting,
) ([]chat.Reply, error) {
	element, ok := m.Assessment.Next()
	switch {
	case ok:
		return h.beginBallot(ctx, req, m.Round.ID, element)
	case len(m.Assessment.InConsensus()) > 0:
		return h.meeting.post(req, m, card.Consensus), nil
	}
	return h.meeting.post(req, m, card.Decided), nil
}

// beginBallot posts an element for everybody to rate.
func (h facilitator) beginBallot(
	ctx context.Context, req *request, id survey.RoundID, element string,
) ([]chat.Reply, error) {
	r, a, err := h.rounds.BeginBallot(ctx, id, element)
	if err != nil {
		return nil, err
	}
	m, err := h.meeting.of(ctx, r, a)
	if err != nil {
		return nil, err
	}
	return h.meeting.post(req, m, ballotCard(element, a.LastBallot)), nil
}

// goingOn returns the workshop of a round that the person coordinates, in its own workspace.
func (h facilitator) goingOn(
	ctx context.Context, req *request, id survey.RoundID,
) (card.Meeting, error) {
	r, a, err := h.rounds.Assessment(ctx, id)
	switch {
	case err != nil:
		return card.Meeting{}, err
	case !ofRound(req.Event, r):
		return card.Meeting{}, errElsewhere
	case a.Stage != workshop.Meeting:
		return card.Meeting{}, workshop.ErrStage
	}
	return h.meeting.of(ctx, r, a)
}

// wentOn tells a coordinator that another one was quicker.
func (h facilitator) wentOn(req *request, m card.Meeting) []chat.Reply {
	return whispered(chat.Paragraph(h.roundVoice(req, m.Round).Say("meet.went_on")))
}

// take records the survey's ratings of the elements that the coordinator saw on the card.
func (h facilitator) take(
	ctx context.Context, req *request, args takeArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	elements := m.Assessment.InConsensus()
	if len(elements) == 0 || card.ElementsHash(elements) != args.elements {
		return nil, workshop.ErrChanged
	}
	r, a, err := h.rounds.TakeConsensus(ctx, args.round, elements)
	if err != nil {
		return nil, err
	}
	if m, err = h.meeting.of(ctx, r, a); err != nil {
		return nil, err
	}
	taken := func(v locale.Voice, m card.Meeting) chat.Card { return card.Taken(v, m, elements) }
	return append(h.meeting.redraw(req, args.round, card.Consensus),
		h.meeting.post(req, m, taken)...), nil
}

// show shows the ratings of a ballot.
func (h facilitator) show(
	ctx context.Context, req *request, args ballotArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	element := elementOf(m.Assessment, args.ballot)
	r, a, err := h.rounds.ShowBallot(ctx, args.round, args.ballot, operation(req))
	if errors.Is(err, workshop.ErrTooFew) {
		v := h.roundVoice(req, m.Round)
		return whispered(chat.Paragraph(v.Say("meet.too_few", "min", m.Assessment.MinGroup))), nil
	}
	if err != nil {
		return nil, err
	}
	if m, err = h.meeting.of(ctx, r, a); err != nil {
		return nil, err
	}
	return append(h.meeting.redraw(req, args.round, ballotCard(element, args.ballot)),
		h.meeting.post(req, m, shownCard(element, args.ballot))...), nil
}

// elementOf returns the element of a ballot, or "".
func elementOf(a workshop.Assessment, ballot int) string {
	if a.Open != nil && a.Open.Number == ballot {
		return a.Open.Element
	}
	for _, b := range a.Ballots {
		if b.Number == ballot {
			return b.Element
		}
	}
	return ""
}

// later takes an element after all others, and goes on with the next one.
func (h facilitator) later(
	ctx context.Context, req *request, args sourceArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	if isRated(m.Assessment, args.element) || m.Assessment.LastBallot != args.number {
		return h.wentOn(req, m), nil
	}
	r, a, err := h.rounds.Postpone(ctx, args.round, args.element)
	if err != nil {
		return nil, err
	}
	if m, err = h.meeting.of(ctx, r, a); err != nil {
		return nil, err
	}
	posts, err := h.takeNext(ctx, req, m)
	return append(h.meeting.redraw(req, args.round, args.draw()), posts...), err
}

// rateAgain opens another ballot on an element.
func (h facilitator) rateAgain(
	ctx context.Context, req *request, args sourceArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	if isRated(m.Assessment, args.element) || m.Assessment.LastBallot != args.number {
		return h.wentOn(req, m), nil
	}
	posts, err := h.beginBallot(ctx, req, args.round, args.element)
	if err != nil {
		return nil, err
	}
	return append(h.meeting.redraw(req, args.round, args.draw()), posts...), nil
}

// rest pauses the workshop.
func (h facilitator) rest(
	ctx context.Context, req *request, args sourceArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	if m.Assessment.LastBallot != args.number || !m.Assessment.PausedAt.IsZero() {
		return h.wentOn(req, m), nil
	}
	r, a, err := h.rounds.PauseWorkshop(ctx, args.round)
	if err != nil {
		return nil, err
	}
	if m, err = h.meeting.of(ctx, r, a); err != nil {
		return nil, err
	}
	return append(h.meeting.redraw(req, args.round, args.draw()),
		h.meeting.post(req, m, card.Paused)...), nil
}

// draw draws the shared card that was pressed, as it is by then.
func (a sourceArgs) draw() draws {
	switch a.source {
	case card.FromBallot:
		return ballotCard(a.element, a.number)
	case card.FromShown:
		return shownCard(a.element, a.number)
	}
	return recordedCard(a.element)
}

// action returns an action on the same element, from the same card, in a language.
func (a sourceArgs) action(verb string, v locale.Voice) chat.Action {
	m := card.From(a.round, a.element, a.source, a.number)
	return chat.NewAction(verb, append(m, v.Lang)...)
}
