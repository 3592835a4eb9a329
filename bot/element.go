package bot

import (
	"context"
	"errors"
	"slices"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

func (h participant) proceed(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	draw := card.Drawing(card.Next)
	if part.Member.Role == "" {
		draw = card.Profile("me.role_first")
	}
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, draw)
}

func (h participant) showElement(
	ctx context.Context, req *request, args elementArgs,
) (view, error) {
	return h.elementOf(ctx, req, args.round, args.element)
}

// jump shows the element that was picked from a menu.
func (h participant) jump(ctx context.Context, req *request, args roundArgs) (view, error) {
	return h.elementOf(ctx, req, args.round, req.Value(chat.Picked))
}

func (h participant) elementOf(
	ctx context.Context, req *request, round survey.RoundID, element string,
) (view, error) {
	part, resp, err := h.rounds.Response(ctx, round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, card.Element(element))
}

// answer saves a rating, and shows what comes after it.
func (h participant) answer(ctx context.Context, req *request, args answerArgs) (view, error) {
	g := survey.Operation{ID: req.ID, At: req.At}
	part, resp, err := h.rounds.Answer(
		ctx, args.round, g, args.element, args.rating,
	)
	if soon, ok := errors.AsType[*survey.TooSoonError](err); ok {
		return h.show(ctx, req, part, resp, card.After(soon.Before, true))
	}
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, card.After(args.element, false))
}

// detailForm reads what was added before, if anything, so that nobody has to write it twice.
// Otherwise it makes no call.
func (h participant) detailForm(
	ctx context.Context, req *request, args detailArgs,
) (chat.Form, error) {
	i := slices.IndexFunc(h.Matrices, func(m *matrix.Matrix) bool { return m.ID == args.matrix })
	if i < 0 {
		return chat.Form{}, errForged
	}
	m, v := h.Matrices[i], h.Words.In(string(args.lang))
	el, _, ok := m.Element(args.element)
	if !ok {
		return chat.Form{}, matrix.ErrNoElement
	}
	var had results.Detail
	if args.has {
		_, resp, err := h.rounds.Response(ctx, args.round)
		if err != nil {
			return chat.Form{}, err
		}
		had = resp.Answers[args.element].Detail
	}
	return card.DetailForm(v, args.round, m, el, had, args.has), nil
}

func (h participant) keepDetail(ctx context.Context, req *request, args elementArgs) (view, error) {
	d := results.Detail{
		Information: req.Values["information"],
		Note:        req.Value("note"),
		Barrier:     req.Value("barrier"),
	}
	part, resp, err := h.rounds.Detail(
		ctx,
		args.round,
		survey.Operation{ID: req.ID, At: req.At},
		args.element,
		d,
	)
	if input, ok := errors.AsType[*survey.InputError](err); ok {
		return view{}, fieldErrors{input.Field: inputSentence(h.participantVoice(req, part), input)}
	}
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, card.After(args.element, false))
}
