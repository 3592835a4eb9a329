package bot

import (
	"context"
	"errors"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// proceed shows the first element without an answer, or the profile while there is no role.
func (h participant) proceed(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	draw := card.Drawing(h.elements.Next)
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
	picked := req.Value(chat.Picked)
	shown, err := h.elementOf(ctx, req, args.round, picked)
	return shown.shownBy("at", string(args.round), picked), err
}

func (h participant) elementOf(
	ctx context.Context, req *request, round survey.RoundID, element string,
) (view, error) {
	part, resp, err := h.rounds.Response(ctx, round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, h.elements.Element(element))
}

// operation returns what identifies the request, so that a repeated delivery changes nothing.
func operation(req *request) survey.Operation {
	return survey.Operation{ID: req.ID, At: req.At}
}

// answer saves a rating, and shows what comes after it.
func (h participant) answer(ctx context.Context, req *request, args answerArgs) (view, error) {
	part, resp, err := h.rounds.Answer(
		ctx, args.round, operation(req), args.element, args.rating,
	)
	after := afterArgs{round: args.round, element: args.element}
	if soon, ok := errors.AsType[*survey.TooSoonError](err); ok {
		after.element, after.tooSoon = soon.Before, true
	} else if err != nil {
		return view{}, err
	}
	return h.after(ctx, req, part, resp, after)
}

// after shows what comes after the answer to an element.
func (h participant) after(
	ctx context.Context, req *request, part survey.Participation, resp results.Response,
	args afterArgs,
) (view, error) {
	shown, err := h.show(ctx, req, part, resp, h.elements.After(args.element, args.tooSoon))
	return shown.shownBy("after", args.words()...), err
}

// showAfter shows again what came after the answer to an element.
func (h participant) showAfter(ctx context.Context, req *request, args afterArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.after(ctx, req, part, resp, args)
}

// detailForm opens the form for what a participant adds to an answer. It reads what they added
// before, if anything. Otherwise it makes no call.
func (h participant) detailForm(
	ctx context.Context, req *request, args detailArgs,
) (chat.Form, error) {
	m, err := h.matrix(survey.Round{Matrix: args.matrix, MatrixVersion: args.version})
	if err != nil {
		return chat.Form{}, errForged
	}
	v := h.Words.In(string(args.lang))
	if req.person.ByLink() {
		v = req.voice // the page of the form may be in another language than the card
	}
	el, _, ok := m.Element(args.element)
	if !ok {
		return chat.Form{}, matrix.ErrNoElement
	}
	var before results.Detail
	if args.has {
		_, resp, err := h.rounds.Response(ctx, args.round)
		if err != nil {
			return chat.Form{}, err
		}
		before = resp.Answers[args.element].Detail
	}
	return card.DetailForm(v, args.round, m, el, before, args.has), nil
}

// keepDetail saves what a participant adds to an answer, and shows what comes next.
func (h participant) keepDetail(ctx context.Context, req *request, args elementArgs) (view, error) {
	detail := results.Detail{
		Information: req.Values["information"],
		Note:        req.Value("note"),
		Barrier:     req.Value("barrier"),
	}
	part, resp, err := h.rounds.Detail(
		ctx, args.round, operation(req), args.element, detail,
	)
	if input, ok := errors.AsType[*survey.InputError](err); ok {
		return view{}, fieldErrors{input.Field: inputSentence(h.participantVoice(req, part), input)}
	}
	if err != nil {
		return view{}, err
	}
	return h.after(ctx, req, part, resp, afterArgs{round: args.round, element: args.element})
}
