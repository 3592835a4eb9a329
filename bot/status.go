package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
)

func (h coordinator) status(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
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
	return card.Status(v, m, s, h.Now()), nil
}
