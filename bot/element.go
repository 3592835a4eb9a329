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

func (b *Bot) proceed(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := b.Rounds.For(req.person).Response(ctx, args.round)
	draw := card.Drawing(card.Next)
	if part.Member.Role == "" {
		draw = b.profileCard("me.role_first")
	}
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, draw)
}

func (b *Bot) showElement(ctx context.Context, req *request, args elementArgs) (view, error) {
	return b.elementOf(ctx, req, args.round, args.element)
}

// jump shows the element that was picked from a menu.
func (b *Bot) jump(ctx context.Context, req *request, args roundArgs) (view, error) {
	return b.elementOf(ctx, req, args.round, req.Value(chat.Picked))
}

func (b *Bot) elementOf(
	ctx context.Context, req *request, round survey.RoundID, element string,
) (view, error) {
	part, resp, err := b.Rounds.For(req.person).Response(ctx, round)
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, card.Element(element))
}

// answer saves a rating, and shows what comes after it.
func (b *Bot) answer(ctx context.Context, req *request, args answerArgs) (view, error) {
	g := survey.Operation{ID: req.ID, At: req.At}
	part, resp, err := b.Rounds.For(req.person).Answer(
		ctx, args.round, g, args.element, args.rating,
	)
	if soon, ok := errors.AsType[*survey.TooSoonError](err); ok {
		return b.show(ctx, req, part, resp, card.After(soon.Before, true))
	}
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, card.After(args.element, false))
}

// detailForm reads what was added before, if anything, so that nobody has to write it twice.
// Otherwise it makes no call.
func (b *Bot) detailForm(ctx context.Context, req *request, args detailArgs) (chat.Form, error) {
	i := slices.IndexFunc(b.Matrices, func(m *matrix.Matrix) bool { return m.ID == args.matrix })
	if i < 0 {
		return chat.Form{}, errForged
	}
	m, v := b.Matrices[i], b.Words.In(string(args.lang))
	el, _, ok := m.Element(args.element)
	if !ok {
		return chat.Form{}, matrix.ErrNoElement
	}
	var had results.Detail
	if args.has {
		_, resp, err := b.Rounds.For(req.person).Response(ctx, args.round)
		if err != nil {
			return chat.Form{}, err
		}
		had = resp.Answers[args.element].Detail
	}
	var kinds []chat.Option
	for _, k := range m.Information {
		kinds = append(kinds, chat.Option{Value: k.ID, Label: k.Name.In(args.lang)})
	}
	fields := []chat.Field{
		chat.Input{
			Label: chat.Label{
				ID:       "note",
				Text:     v.Say("detail.note_label"),
				Hint:     v.Say("detail.note_hint", "limit", matrix.MaxNoteRunes),
				Optional: true,
			},
			Value: had.Note,
			Max:   matrix.MaxNoteRunes,
			Lines: true,
		},
		chat.Input{
			Label: chat.Label{
				ID:       "barrier",
				Text:     v.Say("detail.barrier_label"),
				Hint:     v.Say("detail.barrier_hint", "limit", matrix.MaxBarrierRunes),
				Optional: true,
			},
			Value: had.Barrier,
			Max:   matrix.MaxBarrierRunes,
			Lines: true,
		},
	}
	if len(kinds) > 0 {
		fields = append(
			[]chat.Field{
				chat.Select{
					Label: chat.Label{
						ID:       "information",
						Text:     v.Say("detail.information_label"),
						Hint:     v.Say("detail.information_hint"),
						Optional: true,
					},
					Options: kinds,
					Many:    true,
					Chosen:  had.Information,
				},
			},
			fields...)
	}
	title := v.Say("detail.title")
	if args.has {
		title = v.Say("detail.title_change")
	}
	return chat.Form{
		Title:  title,
		Intro:  el.Name.In(args.lang),
		Submit: v.Say("button.save"),
		Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("keep", string(args.round), args.element), Fields: fields,
	}, nil
}

func (b *Bot) keepDetail(ctx context.Context, req *request, args elementArgs) (view, error) {
	d := results.Detail{
		Information: req.Values["information"],
		Note:        req.Value("note"),
		Barrier:     req.Value("barrier"),
	}
	part, resp, err := b.Rounds.For(req.person).Detail(
		ctx,
		args.round,
		survey.Operation{ID: req.ID, At: req.At},
		args.element,
		d,
	)
	var input *survey.InputError
	if errors.As(err, &input) {
		v := b.participantVoice(req, part)
		return view{}, fieldErrors{
			input.Field: v.Say("input."+input.Field+"."+input.Reason, "limit", input.Limit),
		}
	}
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, card.After(args.element, false))
}
