package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// settle records the level that the last ballot agrees on.
func (h facilitator) settle(
	ctx context.Context, req *request, args sourceArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	level, agrees := m.Assessment.Agrees(args.element)
	last, _ := m.Assessment.LastBallotOf(args.element)
	if !agrees || isRated(m.Assessment, args.element) || last.Number != args.number {
		return h.wentOn(req, m), nil
	}
	how := workshop.MostAgreed
	if last.Totals()[level-1] >= m.Progress.Present {
		how = workshop.AllAgreed
	}
	return h.record(ctx, req, args, survey.Recording{
		Element: args.element,
		Rating:  workshop.Rating{Level: matrix.Rating(level), How: how},
	})
}

// record records a rating and posts it.
func (h facilitator) record(
	ctx context.Context, req *request, args sourceArgs, what survey.Recording,
) ([]chat.Reply, error) {
	r, a, err := h.rounds.RecordRating(ctx, args.round, what)
	if err != nil {
		return nil, err
	}
	m, err := h.meeting.of(ctx, r, a)
	if err != nil {
		return nil, err
	}
	replies := h.meeting.redraw(req, args.round, args.draw())
	if last, _ := a.LastBallotOf(args.element); what.Hands != nil && last.Doubled {
		v := h.roundVoice(req, r)
		return append(replies, chat.Whisper{Card: card.CountedTwice(v, m, args.element)}), nil
	}
	if args.source == card.FromAlone { // the coordinator sees the list again
		return []chat.Reply{chat.Whisper{Card: card.Alone(h.roundVoice(req, r), m)}}, nil
	}
	return append(replies, h.meeting.post(req, m, recordedCard(args.element))...), nil
}

// assessment returns a workshop that the person coordinates, at any stage and without its progress.
func (h facilitator) assessment(ctx context.Context, id survey.RoundID) (card.Meeting, error) {
	r, a, err := h.rounds.Assessment(ctx, id)
	if err != nil {
		return card.Meeting{}, err
	}
	m, err := h.matrix(r)
	return card.Meeting{Round: r, Matrix: m, Assessment: a}, err
}

// ratingForm asks for the rating of an element.
func (h facilitator) ratingForm(
	ctx context.Context, req *request, args sourceArgs,
) (chat.Form, error) {
	if args.element == "" {
		args.element = req.Value(chat.Picked)
	}
	r, a, err := h.rounds.Assessment(ctx, args.round)
	if err != nil {
		return chat.Form{}, err
	}
	meeting, err := h.meeting.of(ctx, r, a)
	if err != nil {
		return chat.Form{}, err
	}
	if _, _, known := meeting.Matrix.Element(args.element); !known {
		return chat.Form{}, matrix.ErrNoElement
	}
	v := h.roundVoice(req, r)
	return card.RatingForm(v, meeting, args.element, args.source, args.action("saverating", v)), nil
}

// saveRating records what the form says.
func (h facilitator) saveRating(
	ctx context.Context, req *request, args sourceArgs,
) ([]chat.Reply, error) {
	m, err := h.assessment(ctx, args.round)
	if err != nil {
		return nil, err
	}
	v := req.voice
	level, err := strconv.Atoi(req.Value("level"))
	if err != nil || level < 0 || level > len(m.Matrix.Levels) {
		return nil, fieldErrors{"level": v.Say("meet.choose_level")}
	}
	how := workshop.How(req.Value("how"))
	if !slices.Contains(workshop.Hows(), how) {
		return nil, fieldErrors{"how": v.Say("meet.choose_how")}
	}
	for _, field := range []string{"reason", "others"} {
		if utf8.RuneCountInString(req.Value(field)) > workshop.MaxReasonRunes {
			said := v.Say("input.place.long", "limit", workshop.MaxReasonRunes)
			return nil, fieldErrors{field: said}
		}
	}
	hands, err := readHands(v, req.Value("hands"), len(m.Matrix.Levels))
	if err != nil {
		return nil, err
	}
	replies, err := h.record(ctx, req, args, survey.Recording{
		Element: args.element, Hands: hands,
		Rating: workshop.Rating{
			Level: matrix.Rating(level), How: how,
			Reason: req.Value("reason"), Others: req.Value("others"),
		},
	})
	switch {
	case errors.Is(err, workshop.ErrNoReason):
		return nil, fieldErrors{"reason": v.Say("meet.no_reason")}
	case errors.Is(err, workshop.ErrTooFew):
		return nil, fieldErrors{"hands": v.Say("meet.hands_few", "min", m.Assessment.MinGroup)}
	}
	return replies, err
}

// readHands reads the counts of a show of hands: as many numbers as there are levels, with anything
// but digits between them. It returns nil where there is none, and what to write at the field of the
// form where it cannot read them.
func readHands(v locale.Voice, text string, levels int) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	unreadable := fieldErrors{"hands": v.Say("meet.hands_unreadable", "n", levels)}
	words := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if len(words) != levels {
		return nil, unreadable
	}
	hands := make([]int, levels)
	for i, word := range words {
		n, err := strconv.Atoi(word)
		if err != nil || n > workshop.MaxHands {
			return nil, unreadable
		}
		hands[i] = n
	}
	return hands, nil
}

// handsForm asks for a show of hands again.
func (h facilitator) handsForm(
	ctx context.Context, req *request, args sourceArgs,
) (chat.Form, error) {
	m, err := h.assessment(ctx, args.round)
	if err != nil {
		return chat.Form{}, err
	}
	v := h.roundVoice(req, m.Round)
	return card.HandsForm(v, m, args.element, args.action("savehands", v)), nil
}

// saveHands replaces a show of hands, and posts the rating.
func (h facilitator) saveHands(
	ctx context.Context, req *request, args sourceArgs,
) ([]chat.Reply, error) {
	m, err := h.assessment(ctx, args.round)
	if err != nil {
		return nil, err
	}
	v := req.voice
	hands, err := readHands(v, req.Value("hands"), len(m.Matrix.Levels))
	if err != nil {
		return nil, err
	}
	if hands == nil {
		hands = make([]int, len(m.Matrix.Levels))
	}
	_, _, err = h.rounds.RecountHands(ctx, args.round, args.element, hands)
	if errors.Is(err, workshop.ErrTooFew) {
		return nil, fieldErrors{"hands": v.Say("meet.hands_few", "min", m.Assessment.MinGroup)}
	}
	if err != nil {
		return nil, err
	}
	return h.postRecorded(ctx, req, args)
}

// keepHands leaves a show of hands as it was counted, and posts the rating.
func (h facilitator) keepHands(
	ctx context.Context, req *request, args sourceArgs,
) ([]chat.Reply, error) {
	if err := h.rounds.ConfirmHands(ctx, args.round, args.element); err != nil {
		return nil, err
	}
	posts, err := h.postRecorded(ctx, req, args)
	if err != nil {
		return nil, err
	}
	return append(updated(chat.Paragraph(req.voice.Say("meet.posted"))), posts...), nil
}

// postRecorded posts the rating of an element whose show of hands the coordinator has confirmed.
func (h facilitator) postRecorded(
	ctx context.Context, req *request, args sourceArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	return h.meeting.post(req, m, recordedCard(args.element)), nil
}

// alone lists the elements for a coordinator who records ratings without a workshop.
func (h facilitator) alone(
	ctx context.Context, req *request, args roundArgs,
) ([]chat.Reply, error) {
	m, err := h.assessment(ctx, args.round)
	if err != nil {
		return nil, err
	}
	return []chat.Reply{chat.Whisper{Card: card.Alone(h.roundVoice(req, m.Round), m)}}, nil
}

// finish ends the workshop and posts what was agreed, with the files.
func (h facilitator) finish(
	ctx context.Context, req *request, args roundArgs,
) ([]chat.Reply, error) {
	m, err := h.goingOn(ctx, req, args.round)
	if err != nil {
		return nil, err
	}
	r, a, finished, err := h.rounds.FinishWorkshop(ctx, args.round)
	if err != nil {
		return nil, err
	}
	if !finished {
		return h.wentOn(req, m), nil
	}
	to := req.Where
	if req.Private { // ratings were recorded without a workshop
		if to, err = chat.ParsePlace(r.Channel); err != nil {
			return nil, fmt.Errorf("find where to post: %w", err)
		}
	}
	return h.postFinish(r, a, to)
}

// postFinish posts what a workshop agreed.
func (h facilitator) postFinish(
	r survey.Round, a workshop.Assessment, to chat.Place,
) ([]chat.Reply, error) {
	m, err := h.matrix(r)
	if err != nil {
		return nil, err
	}
	v := h.channelVoice(r)
	files, err := h.Renderer.AssessmentFiles(a, m, matrix.Lang(v.Lang))
	if err != nil {
		return nil, fmt.Errorf("write the files of a workshop: %w", err)
	}
	done := card.Finished(v, card.Meeting{Round: r, Matrix: m, Assessment: a})
	return []chat.Reply{
		chat.Post{To: to, Card: done, Files: files, Then: h.onlyOnFailure(v, to)},
	}, nil
}
