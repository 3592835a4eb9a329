package bot

import (
	"context"
	"errors"
	"slices"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// attendee answers people who rate in a workshop. Everybody who is in its workspace may.
type attendee struct {
	*Tools
	rounds  survey.Attendee
	meeting meetings
}

func (attendee) of(b *Bot, req *request) attendee {
	return attendee{&b.Tools, b.Rounds.Attending(req.person), b.meetings()}
}

// vote keeps a person's rating. The first time it asks for their role.
func (h attendee) vote(
	ctx context.Context, req *request, args voteArgs,
) ([]chat.Reply, error) {
	at, err := h.attending(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	return h.cast(ctx, req, at, h.attendeeVoice(req, at.Round, at.Attendee), args)
}

// attending returns the workshop of a round as the person sees it, in the workspace of the round.
func (h attendee) attending(
	ctx context.Context, req *request, id survey.RoundID,
) (survey.Attendance, error) {
	at, err := h.rounds.Attending(ctx, id)
	if err != nil {
		return at, err
	}
	return at, inWorkspace(req, at.Round)
}

// shows returns what cards show of a workshop.
func (h attendee) shows(at survey.Attendance) (card.Meeting, error) {
	m, err := h.matrix(at.Round)
	return card.Meeting{
		Round: at.Round, Matrix: m, Assessment: at.Assessment, Progress: at.Progress,
	}, err
}

// cast keeps a vote and confirms it, or asks for the person's role first. It draws the shared card
// again where that shows one vote more.
func (h attendee) cast(
	ctx context.Context, req *request, at survey.Attendance, v locale.Voice, args voteArgs,
) ([]chat.Reply, error) {
	m, err := h.shows(at)
	if err != nil {
		return nil, err
	}
	err = h.rounds.Vote(ctx, at, args.ballot, operation(req), args.rating)
	switch {
	case errors.Is(err, survey.ErrNoRole):
		pressed := card.Pressed{
			Ballot: args.ballot, Rating: args.rating, Message: req.SharedCard.Message,
		}
		return []chat.Reply{chat.Whisper{Card: card.AskRole(v, m, pressed)}}, nil
	case errors.Is(err, workshop.ErrNoBallot):
		return whispered(chat.Paragraph(v.Say("meet.too_late"))), nil
	case err != nil:
		return nil, err
	}
	element := elementOf(at.Assessment, args.ballot)
	own := chat.Whisper{Card: card.YourRating(v, m, element, args.rating)}
	after, err := h.meeting.rounds.WorkshopProgress(ctx, args.round)
	if err == nil && after == at.Progress {
		return []chat.Reply{own}, nil
	}
	return append(h.meeting.redraw(req, args.round, ballotCard(element, args.ballot)), own), nil
}

// attendeeVoice returns the language for a person in a workshop: the one that they chose, else
// Welsh if their platform speaks it and the round has it, else the first of the round. No platform
// tells that a user of its English pages would rather read Welsh.
func (h attendee) attendeeVoice(
	req *request, r survey.Round, as workshop.Attendee,
) locale.Voice {
	switch {
	case req.language != "":
		return req.voice
	case as.Language != "":
		return h.Words.In(string(as.Language))
	case req.voice.Lang != "en" && slices.Contains(r.Languages, matrix.Lang(req.voice.Lang)):
		return req.voice
	}
	return h.channelVoice(r)
}

// askRole shows the question for the role again, in another language.
func (h attendee) askRole(
	ctx context.Context, req *request, args attendArgs,
) (chat.Card, error) {
	m, err := h.meeting.read(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	pressed := card.Pressed{Ballot: args.ballot, Rating: args.rating, Message: args.message}
	return card.AskRole(req.voice, m, pressed), nil
}

// attend keeps the role that a person picked, and the rating that they pressed before.
func (h attendee) attend(
	ctx context.Context, req *request, args attendArgs,
) ([]chat.Reply, error) {
	at, err := h.attending(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	at.Attendee = workshop.Attendee{Role: req.Value(chat.Picked), Language: args.lang}
	if err := h.rounds.Attend(ctx, args.round, at.Attendee); err != nil {
		return nil, err
	}
	if args.message != "" { // the press on the shared card led here
		req.SharedCard = chat.CardRef{Place: req.Where, Message: args.message}
	}
	return h.cast(ctx, req, at, req.voice, args.voteArgs)
}

// talkAbout puts an element back on the agenda. Nobody learns who asked.
func (h attendee) talkAbout(
	ctx context.Context, req *request, args roundArgs,
) ([]chat.Reply, error) {
	at, err := h.attending(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	m, err := h.shows(at)
	if err != nil {
		return nil, err
	}
	element := req.Value(chat.Picked)
	if _, err := h.rounds.TalkAbout(ctx, args.round, element); err != nil {
		return nil, err
	}
	v := h.attendeeVoice(req, at.Round, at.Attendee)
	said := chat.Whisper{Card: card.TalkedAbout(v, m, element)}
	return append(h.meeting.redraw(req, args.round, card.Consensus), said), nil
}

// object keeps that a person does not agree with what was recorded.
func (h attendee) object(
	ctx context.Context, req *request, args elementArgs,
) (chat.Card, error) {
	return h.objects(ctx, req, args, true)
}

// objectTo is object for an element that was picked from a menu.
func (h attendee) objectTo(
	ctx context.Context, req *request, args ballotArgs,
) (chat.Card, error) {
	return h.objects(ctx, req, elementArgs{args.round, req.Value(chat.Picked)}, true)
}

// takeBack takes an objection back.
func (h attendee) takeBack(
	ctx context.Context, req *request, args elementArgs,
) (chat.Card, error) {
	return h.objects(ctx, req, args, false)
}

func (h attendee) objects(
	ctx context.Context, req *request, args elementArgs, objects bool,
) (chat.Card, error) {
	at, err := h.attending(ctx, req, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	m, err := h.shows(at)
	if err != nil {
		return chat.Card{}, err
	}
	v := h.attendeeVoice(req, at.Round, at.Attendee)
	err = h.rounds.Object(ctx, args.round, args.element, objects)
	if errors.Is(err, survey.ErrNoRole) {
		return card.Of(chat.Paragraph(v.Say("meet.object_first"))), nil
	}
	if err != nil {
		return chat.Card{}, err
	}
	return card.Objected(v, m, args.element, objects), nil
}
