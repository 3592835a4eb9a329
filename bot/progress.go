package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/survey"
	"maturitybot/survey/results"
)

// currentCard returns the card for the present state of a participation, from the invitation to
// the last answer.
func (h participant) currentCard(
	ctx context.Context, req *request, part survey.Participation,
) (view, error) {
	v := h.participantVoice(req, part)
	switch {
	case part.Member.Status == survey.NotInvited:
		return view{}, survey.ErrNotTakingPart
	case !part.Round.AcceptsAnswers(h.Now()):
		return view{card: card.Over(v, part)}, nil
	case part.Member.Status == survey.Withdrawn:
		return view{card: card.Withdrawn(v, part, h.Now())}, nil
	case !part.Member.TakesPart():
		if part.Member.Language == "" && len(part.Round.Languages) > 1 {
			return view{card: card.AskLanguage(h.Words, part)}, nil
		}
		m, err := h.matrix(part.Round)
		if err != nil {
			return view{}, err
		}
		return view{card: card.AskConsent(v, part, m)}, nil
	}
	part, resp, err := h.rounds.Response(ctx, part.Round.ID)
	if err != nil {
		return view{}, err
	}
	draw := card.Drawing(h.elements.Next)
	if part.Member.Role == "" || resp.Rated() == 0 {
		draw = card.Profile("") // also when the coordinator gave a role: it is for the person to say
	}
	return h.show(ctx, req, part, resp, draw)
}

// show draws the card of a participant.
func (h participant) show(
	ctx context.Context,
	req *request,
	part survey.Participation,
	resp results.Response,
	draw card.Drawing,
) (view, error) {
	m, err := h.matrix(part.Round)
	if err != nil {
		return view{}, err
	}
	part = h.saveTimeZone(ctx, req, part)
	drawn, err := draw(h.participantVoice(req, part), part, m, resp)
	if err != nil {
		return view{}, err
	}
	return view{card: drawn, refresh: func(ctx context.Context) (view, bool) {
		return h.redraw(ctx, req, part, resp, draw)
	}}, nil
}

// redraw draws a card again if what it shows has changed since it was drawn from this participation
// and response.
func (h participant) redraw(
	ctx context.Context,
	req *request,
	part survey.Participation,
	resp results.Response,
	draw card.Drawing,
) (view, bool) {
	same, err := h.rounds.Current(ctx, part, resp)
	if err != nil {
		h.Log.Warn("card not compared with the stored answers", "round", part.Round.ID, "error", err)
	}
	if err != nil || same {
		return view{}, false
	}
	next, err := h.drawCurrent(ctx, req, part, draw)
	if err == nil {
		err = next.card.Check()
	}
	if err != nil {
		h.Log.Error("card not drawn again", "round", part.Round.ID, "error", err)
		return view{}, false
	}
	return next, true
}

// drawCurrent draws a card from the response as it is saved now. A participant for whom the survey
// has ended since gets their current card.
func (h participant) drawCurrent(
	ctx context.Context, req *request, part survey.Participation, draw card.Drawing,
) (view, error) {
	part, resp, err := h.rounds.Response(ctx, part.Round.ID)
	if err == nil {
		return h.show(ctx, req, part, resp, draw)
	}
	if isOutdated(err) {
		if current, ok := h.fallbackView(ctx, req); ok {
			return current, nil
		}
	}
	return view{}, err
}

// fallbackView returns the current card of a participant whose press cannot be done any more. It is
// false for a person who was not invited, for a round that has not been opened, and for a
// participant who could still do what was refused.
func (h participant) fallbackView(ctx context.Context, req *request) (view, bool) {
	id, ok := req.roundID()
	if !ok {
		return view{}, false
	}
	part, err := h.rounds.Participation(ctx, id)
	if err != nil || part.Member.Status == survey.NotInvited {
		return view{}, false
	}
	over := part.Round.State != survey.Draft && !part.Round.AcceptsAnswers(h.Now())
	if !over && part.Member.TakesPart() {
		return view{}, false
	}
	current, err := h.currentCard(ctx, req, part)
	return current, err == nil
}

// saveTimeZone saves the participant's time zone for their reminders. A failure is logged only.
func (h participant) saveTimeZone(
	ctx context.Context, req *request, part survey.Participation,
) survey.Participation {
	learnt, err := h.rounds.SetTimeZone(ctx, part, req.TimeZone)
	if err != nil {
		h.Log.Warn("time zone not saved", "round", part.Round.ID, "error", err)
		return part
	}
	return learnt
}
