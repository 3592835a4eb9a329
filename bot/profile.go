package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey/results"
)

// showProfile shows the "about you" card.
func (h participant) showProfile(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, card.Profile(""))
}

func (h participant) pickRole(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := h.rounds.SetRole(ctx, args.round, req.Value(chat.Picked))
	if err != nil {
		return view{}, err
	}
	shown, err := h.show(ctx, req, part, results.Response{}, card.Profile(""))
	return shown.shownBy("me", string(args.round)), err
}
