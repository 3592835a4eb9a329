package bot

import (
	"context"
	"errors"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

func (h linking) status(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	r, err := h.target(ctx, req, args, isAny)
	if err != nil {
		return chat.Card{}, err
	}
	v := h.roundVoice(req, r)
	if r.State == survey.Draft {
		return h.draftCard(v, r), nil
	}
	s, err := h.rounds.Progress(ctx, r.ID)
	if err != nil {
		return chat.Card{}, err
	}
	m, err := h.matrix(r)
	if err != nil {
		return chat.Card{}, err
	}
	meeting, err := h.workshopStatus(ctx, v, m, r)
	if err != nil {
		return chat.Card{}, err
	}
	links, err := h.linkStatus(ctx, v, m, r)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Status(v, m, s, links, h.Now(), meeting...), nil
}

// workshopStatus says how far the workshop of a closed round has come, or nothing before it begins.
func (h coordinator) workshopStatus(
	ctx context.Context, v locale.Voice, m *matrix.Matrix, r survey.Round,
) ([]chat.Block, error) {
	if r.State != survey.Closed {
		return nil, nil
	}
	_, a, err := h.rounds.Assessment(ctx, r.ID)
	switch {
	case errors.Is(err, survey.ErrNoAssessment):
		return nil, nil
	case err != nil:
		return nil, err
	}
	objections := a.Objections
	if a.Stage == workshop.Meeting {
		if objections, err = h.rounds.Objections(ctx, r.ID); err != nil {
			return nil, err
		}
	}
	return card.WorkshopStatus(v, card.Meeting{Round: r, Matrix: m, Assessment: a}, objections), nil
}
