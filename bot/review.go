package bot

import (
	"context"
	"errors"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

func (h participant) showList(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, card.List)
}

// showLevels explains the levels in general; the descriptors explain them for one element.
func (h participant) showLevels(
	ctx context.Context, req *request, args roundArgs,
) (chat.Card, error) {
	part, err := h.invited(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	m, err := h.matrix(part.Round)
	if err != nil {
		return chat.Card{}, err
	}
	v := h.participantVoice(req, part)
	blocks := []chat.Block{chat.Heading{Text: v.Say("levels.title")}}
	blocks = append(blocks, card.LevelMeanings(v, m)...)
	about := chat.Footnote(m.About.In(matrix.Lang(v.Lang)))
	return card.Of(append(blocks, chat.Paragraph(v.Say("me.how")), about)...), nil
}

func (h participant) showReview(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, card.Review)
}

func (h participant) submit(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Submit(ctx, args.round)
	var input *survey.InputError
	if errors.As(err, &input) {
		return view{}, refuse(
			card.Of(chat.Paragraph(h.participantVoice(req, part).Say("input.answers.empty"))),
		)
	}
	if err != nil {
		return view{}, err
	}
	shown, err := h.show(ctx, req, part, resp, card.Receipt)
	return shown.shownBy("receipt", string(args.round)), err
}

// showReceipt shows the receipt again, or the review where answers were not submitted.
func (h participant) showReceipt(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	draw := card.Drawing(card.Receipt)
	if part.Member.Status != survey.Finished {
		draw = card.Review
	}
	return h.show(ctx, req, part, resp, draw)
}
