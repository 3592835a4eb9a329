package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/survey"
	"maturitybot/survey/results"
)

// currentCard returns the card for the present state of a participation, from the invitation to
// the last answer.
func (b *Bot) currentCard(
	ctx context.Context, req *request, part survey.Participation,
) (view, error) {
	v := b.participantVoice(req, part)
	switch {
	case part.Member.Status == survey.NotInvited:
		return view{}, survey.ErrNotTakingPart
	case !part.Round.AcceptsAnswers(b.Now()):
		return view{card: closedCard(v, part)}, nil
	case part.Member.Status == survey.Withdrawn:
		return view{card: b.withdrawnCard(v, part)}, nil
	case !part.Member.TakesPart():
		if part.Member.Language == "" && len(part.Round.Languages) > 1 {
			return view{card: b.languageCard(part)}, nil
		}
		notice, err := b.noticeCard(v, part)
		return view{card: notice}, err
	}
	part, resp, err := b.Rounds.For(part.Member.Person).Response(ctx, part.Round.ID)
	if err != nil {
		return view{}, err
	}
	draw := card.Drawing(card.Next)
	if part.Member.Role == "" || resp.Rated() == 0 {
		draw = b.profileCard(
			"",
		) // also when the coordinator gave a role: it is for the person to say
	}
	return b.show(ctx, req, part, resp, draw)
}

// show draws the card of a participant.
func (b *Bot) show(
	ctx context.Context,
	req *request,
	part survey.Participation,
	resp results.Response,
	draw card.Drawing,
) (view, error) {
	m, err := b.Rounds.Matrix(part.Round)
	if err != nil {
		return view{}, err
	}
	part = b.saveTimeZone(ctx, req, part)
	drawn, err := draw(b.participantVoice(req, part), part, m, resp)
	if err != nil {
		return view{}, err
	}
	return view{card: drawn, refresh: func(ctx context.Context) (view, bool) {
		return b.redraw(ctx, req, part, resp, draw)
	}}, nil
}

// redraw draws a card again if what it shows has changed since it was drawn from this participation
// and response.
func (b *Bot) redraw(
	ctx context.Context,
	req *request,
	part survey.Participation,
	resp results.Response,
	draw card.Drawing,
) (view, bool) {
	log := b.Log.With("round", part.Round.ID)
	same, err := b.Rounds.For(part.Member.Person).Current(ctx, part, resp)
	if err != nil {
		log.Warn("card not compared with what is saved", "error", err)
	}
	if err != nil || same {
		return view{}, false
	}
	next, err := b.drawCurrent(ctx, req, part, draw)
	if err == nil {
		err = next.card.Check()
	}
	if err != nil {
		log.Error("card not drawn again", "error", err)
		return view{}, false
	}
	return next, true
}

// drawCurrent draws a card from the response as it is saved now. A participant for whom the survey
// has ended since gets their current card.
func (b *Bot) drawCurrent(
	ctx context.Context, req *request, part survey.Participation, draw card.Drawing,
) (view, error) {
	part, resp, err := b.Rounds.For(part.Member.Person).Response(ctx, part.Round.ID)
	if err == nil {
		return b.show(ctx, req, part, resp, draw)
	}
	if isOutdated(err) {
		if current, ok := b.fallbackView(ctx, req); ok {
			return current, nil
		}
	}
	return view{}, err
}

// fallbackView returns the current card of a participant whose press cannot be done any more. It is
// false for a person who was not invited, for a round that has not been opened, and for a
// participant who could still do what was refused.
func (b *Bot) fallbackView(ctx context.Context, req *request) (view, bool) {
	id, ok := req.roundID()
	if !ok {
		return view{}, false
	}
	part, err := b.Rounds.For(req.person).Participation(ctx, id)
	if err != nil || part.Member.Status == survey.NotInvited {
		return view{}, false
	}
	over := part.Round.State != survey.Draft && !part.Round.AcceptsAnswers(b.Now())
	if !over && part.Member.TakesPart() {
		return view{}, false
	}
	current, err := b.currentCard(ctx, req, part)
	return current, err == nil
}

// saveTimeZone saves the participant's time zone for their reminders. A failure is logged only.
func (b *Bot) saveTimeZone(
	ctx context.Context, req *request, part survey.Participation,
) survey.Participation {
	learnt, err := b.Rounds.For(part.Member.Person).SetTimeZone(ctx, part, req.TimeZone)
	if err != nil {
		b.Log.Warn("time zone not kept", "round", part.Round.ID, "error", err)
		return part
	}
	return learnt
}
