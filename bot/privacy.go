package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
)

// showPersonalData shows the participant everything that is stored about them in this round.
func (h participant) showPersonalData(
	ctx context.Context, req *request, args roundArgs,
) (view, error) {
	part, resp, err := h.rounds.PersonalData(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, card.PersonalData(h.Now()))
}

func (h participant) withdraw(
	ctx context.Context, req *request, args roundArgs,
) (chat.Card, error) {
	before, err := h.rounds.Participation(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	v := h.participantVoice(req, before) // the chosen language is erased with the rest
	part, err := h.rounds.Withdraw(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Withdrawn(v, part, h.Now()), nil
}
