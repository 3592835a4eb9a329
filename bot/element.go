package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

func (b *Bot) proceed(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := b.Rounds.Response(ctx, args.round, req.person)
	draw := drawing(b.nextCard)
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
	part, resp, err := b.Rounds.Response(ctx, round, req.person)
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.elementDrawing(element))
}

// answer saves a rating, and shows what comes after it.
func (b *Bot) answer(ctx context.Context, req *request, args answerArgs) (view, error) {
	g := survey.Operation{ID: req.ID, At: req.At}
	part, resp, err := b.Rounds.Answer(ctx, args.round, req.person, g, args.element, args.rating)
	if soon, ok := errors.AsType[*survey.TooSoonError](err); ok {
		return b.show(ctx, req, part, resp, b.cardAfter(soon.Before, true))
	}
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.cardAfter(args.element, false))
}

// cardAfter shows what comes after the answer to an element: the next question that is still open,
// or the review when none is. Its first line says what was saved, and the buttons beside it lead
// back to that answer. With tooSoon it also says that a press on the new card was not taken, since
// it came too soon after that answer.
func (b *Bot) cardAfter(element string, tooSoon bool) drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	) (chat.Card, error) {
		_, i, ok := m.Element(element)
		if !ok {
			return chat.Card{}, matrix.ErrNoElement
		}
		// Nothing is said to be saved where nothing is.
		if resp.Answers[element].Rating == matrix.NotAnswered {
			return b.elementCard(v, part, m, resp, element, nil)
		}
		top := savedBlocks(v, part, m, resp, element, tooSoon)
		if open := openAfter(m, resp, i); open != "" {
			return b.elementCard(v, part, m, resp, open, top)
		}
		review, err := b.reviewCard(v, part, m, resp)
		review.Blocks = slices.Concat(top, review.Blocks)
		return review, err
	}
}

// savedBlocks says what is saved for an element, with buttons to change it and to add detail to it.
func savedBlocks(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	element string, tooSoon bool,
) []chat.Block {
	el, _, _ := m.Element(element)
	given, id, lang := resp.Answers[element], string(part.Round.ID), matrix.Lang(v.Lang)
	answer := ratingName(v, m, given.Rating)
	if given.Rating > 0 && int(given.Rating) <= len(m.Levels) {
		answer = m.Levels[given.Rating-1].Name.In(lang)
	}
	key := "saved.answer"
	if !given.Detail.IsZero() {
		key = "saved.with_detail"
	}
	spans := []chat.Span{chat.Words(v.Say(key, "answer", answer, "element", el.Name.In(lang)))}
	if tooSoon {
		spans = append(spans, chat.Words("\n"), chat.Bold(v.Say("saved.too_soon")))
	}
	return []chat.Block{
		chat.Text{Spans: spans},
		row(
			button(v.Say("button.change_answer"), chat.NewAction("change", id, element)),
			detailButton(v, id, m, element, given.Detail),
		),
	}
}

// detailButton opens the form for what may be added to an element.
func detailButton(
	v locale.Voice, round string, m *matrix.Matrix, element string, had results.Detail,
) chat.Button {
	label, has := v.Say("button.detail"), "0"
	if !had.IsZero() {
		label, has = v.Say("button.detail_change"), "1"
	}
	return button(label, chat.NewAction("detail", round, element, has, m.ID, v.Lang))
}

// elementDrawing draws one element.
func (b *Bot) elementDrawing(element string) drawing {
	return func(v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response) (chat.Card, error) {
		return b.elementCard(v, part, m, resp, element, nil)
	}
}

// elementCard draws one element below the blocks of top.
func (b *Bot) elementCard(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	element string, top []chat.Block,
) (chat.Card, error) {
	el, i, ok := m.Element(element)
	if !ok {
		return chat.Card{}, matrix.ErrNoElement
	}
	id, lang, elements := string(part.Round.ID), matrix.Lang(v.Lang), m.Elements()
	given := resp.Answers[element]
	state := v.Say("element.open")
	if given.Rating != matrix.NotAnswered {
		state = v.Say("element.saved")
	}
	step := v.Say("element.step", "i", i+1, "n", len(elements))
	blocks := append(slices.Clone(top),
		chat.Note{Spans: []chat.Span{
			chat.Words(
				part.Round.Area + " · ",
			), chat.Bold(m.DimensionOf(element).Name.In(lang)), chat.Words(" · " + step + " · " + state + " "),
			chat.Meter{Done: i + 1, Total: len(elements)},
		}},
		chat.Heading{Text: el.Name.In(lang)},
		chat.Paragraph(el.Question.In(lang)),
		chat.Footnote(el.Help.In(lang)),
	)
	for k, level := range m.Levels {
		rating := matrix.Rating(k + 1)
		chosen := given.Rating == rating
		blocks = append(blocks, chat.Choice{
			Title: level.Name.In(lang), Text: el.Descriptors[k].In(lang),
			Button: ratingButton(
				v,
				id,
				element,
				rating,
				level.Short.In(lang),
				chosen,
				level.Name.In(lang)+", "+step,
			),
		})
	}
	blocks = append(blocks, row(
		ratingButton(
			v,
			id,
			element,
			matrix.DontKnow,
			v.Say("answer.dont_know"),
			given.Rating == matrix.DontKnow,
			v.Say("answer.dont_know")+", "+step,
		),
		ratingButton(
			v,
			id,
			element,
			matrix.NotApplicable,
			v.Say("answer.not_applicable"),
			given.Rating == matrix.NotApplicable,
			v.Say("answer.not_applicable")+", "+step,
		),
	))
	back := chat.NewAction("me", id)
	if i > 0 {
		back = chat.NewAction("at", id, elements[i-1].ID)
	}
	others := append([]chat.Button{
		button(v.Say("button.list"), chat.NewAction("list", id)),
		button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, b.otherLanguage(v, part, chat.NewAction("at", id, element))...)
	toBack := button(v.Say("button.back"), back)
	forward, open := chat.NewAction("review", id), openAfter(m, resp, i)
	if given.Rating == matrix.NotAnswered {
		if _, at, ok := m.Element(open); ok &&
			at > i { // what was skipped before is not asked again now
			forward = chat.NewAction("at", id, open)
		}
		// Detail is for what was answered, and one tap away once it is.
		blocks = append(blocks, chat.Divider{},
			row(append([]chat.Button{toBack, button(v.Say("button.skip"), forward)}, others...)...))
		return card(blocks...), nil
	}
	if !given.Detail.IsZero() {
		blocks = append(blocks, chat.Footnote(detailLine(v, m, given.Detail)))
	}
	next := v.Say("button.to_review")
	if open != "" {
		next, forward = v.Say("button.next"), chat.NewAction("at", id, open)
	}
	blocks = append(blocks, chat.Divider{},
		row(toBack, detailButton(v, id, m, element, given.Detail), primary(next, forward)),
		row(others...))
	return card(blocks...), nil
}

// ratingButton returns the button that gives a rating.
func ratingButton(
	v locale.Voice,
	round, element string,
	r matrix.Rating,
	label string,
	chosen bool,
	spoken string,
) chat.Button {
	style := chat.Plain
	if chosen {
		style = chat.Primary
		spoken = v.Say("answer.chosen") + ": " + spoken
	}
	return chat.Button{
		Label:  label,
		Action: chat.NewAction("answer", round, element, ratingWord(r)),
		Chosen: chosen,
		Style:  style,
		Spoken: chat.Trim(spoken, chat.MaxSpoken),
	}
}

// detailLine returns what was added to an element.
func detailLine(v locale.Voice, m *matrix.Matrix, d results.Detail) string {
	var parts []string
	if n := len(d.Information); n > 0 {
		names := make([]string, n)
		for i, id := range d.Information {
			k, _ := m.InformationType(id)
			names[i] = k.Name.In(matrix.Lang(v.Lang))
		}
		parts = append(parts, v.Say("detail.information", "list", strings.Join(names, "; ")))
	}
	if d.Note != "" {
		parts = append(parts, v.Say("detail.note", "text", d.Note))
	}
	if d.Barrier != "" {
		parts = append(parts, v.Say("detail.barrier", "text", d.Barrier))
	}
	return strings.Join(parts, "\n")
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
		_, resp, err := b.Rounds.Response(ctx, args.round, req.person)
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
	part, resp, err := b.Rounds.Detail(
		ctx,
		args.round,
		req.person,
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
	return b.show(ctx, req, part, resp, b.cardAfter(args.element, false))
}
