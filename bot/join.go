package bot

import (
	"context"
	"slices"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Invitation returns the card for a person who was invited, in each of the round's languages.
func (h *Tools) Invitation(round survey.Round, m *matrix.Matrix) chat.Card {
	return h.inLanguages(round.Languages, func(v locale.Voice, lang string) []chat.Block {
		return append(invitationText(v, round, m), card.Row(startButtons(v, round, lang)...))
	})
}

// invitationText says who asks, what for, by when and how long it takes.
func invitationText(v locale.Voice, round survey.Round, m *matrix.Matrix) []chat.Block {
	return []chat.Block{
		chat.Heading{Text: v.Say("invitation.title", "area", round.Area)},
		invitedBy(v, round),
		effort(v, round, m),
		chat.Footnote(v.Say("invitation.private", "min", round.MinGroup)),
	}
}

// startButtons start the survey in a language, or decline it.
func startButtons(v locale.Voice, round survey.Round, lang string) []chat.Button {
	id := string(round.ID)
	return []chat.Button{
		card.Primary(v.Say("button.start"), chat.NewAction("lang", id, lang, "begin")),
		card.Button(v.Say("button.decline"), chat.NewAction("decline", id, lang)),
	}
}

// invitedBy says who asks, and what for.
func invitedBy(v locale.Voice, round survey.Round) chat.Text {
	return chat.Text{
		Spans: []chat.Span{
			mention(round.Coordinators[0]),
			chat.Words(" " + v.Say("invitation.why", "area", round.Area)),
		},
	}
}

// effort says how many questions there are, how long they take, and by when to answer.
func effort(v locale.Voice, round survey.Round, m *matrix.Matrix) chat.Text {
	from, to := minutes(m, matrix.Lang(v.Lang))
	return chat.Paragraph(v.Say("invitation.how",
		"n", len(m.Elements()), "from", from, "to", to, "closes", card.ClosingTime(v, round)))
}

// minutes returns how long it takes to read a survey in a language, from Start to the receipt: at
// 240 words a minute, and at 200.
func minutes(m *matrix.Matrix, lang matrix.Lang) (from, to int) {
	words := func(t matrix.Text) int { return len(strings.Fields(t.In(lang))) }
	levels := 0
	for _, l := range m.Levels {
		levels += words(l.Name) + words(l.Short)
	}
	n := 0
	for _, e := range m.Elements() {
		n += words(e.Name) + words(e.Question) + words(e.Help) + levels
		for _, d := range e.Descriptors {
			n += words(d)
		}
	}
	// The other buttons of each card, the privacy notice, About you and the review. TestReadingTime
	// counts them.
	n = n*115/100 + 300
	from, to = (n+120)/240, (n+199)/200
	return max(from, 1), max(to, from+1)
}

// join lets in the person who presses a Join button in a channel. A button in one language leads
// on in it.
func (h participant) join(
	ctx context.Context, req *request, args roundLanguageArgs,
) ([]chat.Reply, error) {
	part, err := h.rounds.Participation(ctx, args.round)
	if err != nil {
		return nil, err
	}
	if part.Member.Status == survey.NotInvited && !ofRound(req.Event, part.Round) {
		return nil, survey.ErrNotTakingPart
	}
	part, err = h.rounds.Join(ctx, args.round)
	if err == nil && args.lang != "" {
		part, err = h.rounds.SetLanguage(ctx, args.round, args.lang)
	}
	if err != nil {
		return nil, err
	}
	return h.newCard(ctx, req, part)
}

// newCard sends a participant a new copy of their current card. A card that only they see in a
// channel is gone once they reload it, and is on no other device: so it goes to their own
// conversation with the bot where the platform allows that; else it says how to come back.
func (h participant) newCard(
	ctx context.Context, req *request, part survey.Participation,
) ([]chat.Reply, error) {
	current, err := h.currentCard(ctx, req, part)
	if err != nil {
		return nil, err
	}
	if req.Private || !part.Round.AcceptsAnswers(h.Now()) {
		return []chat.Reply{chat.Whisper{Card: current.card}}, nil
	}
	v := h.participantVoice(req, part)
	back := append(slices.Clone(current.card.Blocks), chat.Footnote(v.Say("fresh.back")))
	if !req.Direct {
		return whispered(back...), nil
	}
	return []chat.Reply{chat.Direct{Card: current.card, Then: func(d chat.Delivered) []chat.Reply {
		if !d.Stands() {
			h.Log.Warn("no direct message: shown in the channel", "error", d.Err)
			return whispered(back...)
		}
		sent := []chat.Span{chat.Words(v.Say("fresh.sent"))}
		if d.URL != "" {
			sent = append(sent,
				chat.Words(" "),
				chat.WebLink{Text: v.Say("fresh.open"), URL: d.URL},
			)
		}
		return whispered(
			chat.Heading{Text: part.Round.Area},
			chat.Text{Spans: sent},
			chat.Footnote(v.Say("fresh.home")),
		)
	}}}, nil
}

func (h participant) begin(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := h.rounds.Participation(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.currentCard(ctx, req, part)
}

func (h participant) resume(
	ctx context.Context, req *request, args roundArgs,
) ([]chat.Reply, error) {
	part, err := h.rounds.Participation(ctx, args.round)
	if err != nil {
		return nil, err
	}
	return h.newCard(ctx, req, part)
}

// switchLanguage saves the language and shows the same card again.
func (b *Bot) switchLanguage(
	ctx context.Context, req *request, args languageArgs,
) ([]chat.Reply, error) {
	if _, err := b.Rounds.For(req.person).SetLanguage(ctx, args.round, args.lang); err != nil {
		return nil, err
	}
	same := req.Event
	same.Action = args.then
	return b.serve(ctx, b.newRequest(same))
}

func (h participant) accept(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := h.rounds.Start(ctx, args.round, NoticeVersion)
	if err != nil {
		return view{}, err
	}
	return h.currentCard(ctx, req, h.saveTimeZone(ctx, req, part))
}

func (h participant) decline(
	ctx context.Context, req *request, args roundLanguageArgs,
) (view, error) {
	part, err := h.rounds.Decline(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	if part.Member.TakesPart() {
		return h.currentCard(ctx, req, part)
	}
	v := h.participantVoice(req, part)
	return viewOf(
		chat.Heading{Text: v.Say("declined.title")},
		chat.Paragraph(
			v.Say(
				"declined.body",
				"area",
				part.Round.Area,
				"closes",
				card.ClosingTime(v, part.Round),
			),
		),
		card.Row(
			card.Button(v.Say("button.rejoin"), chat.NewAction("begin", string(part.Round.ID))),
		),
	), nil
}

func noticeBlocks(v locale.Voice, round survey.Round) []chat.Block {
	kept := []chat.Span{
		chat.Words(v.Say("notice.kept", "until", v.Day(round.ExpiresAt().In(round.Location())))),
	}
	if len(
		round.Coordinators,
	) > 0 { // nobody may be left in a closed round, where people can still read the notice
		kept = append(kept,
			chat.Words(" "+v.Say("notice.ask")+" "),
			mention(round.Coordinators[0]),
			chat.Words("."),
		)
	}
	return []chat.Block{
		chat.Heading{Text: v.Say("notice.title")},
		chat.Paragraph(v.Say("notice.who", "min", round.MinGroup)),
		chat.Paragraph(v.Say("notice.same")),
		chat.Paragraph(v.Say("notice.when")),
		chat.Paragraph(v.Say("notice.withdraw", "closes", card.ClosingTime(v, round))),
		chat.Text{Spans: kept},
		chat.Footnote(v.Say("notice.names")),
	}
}

func (h *Tools) noticeCard(v locale.Voice, part survey.Participation) (chat.Card, error) {
	id := string(part.Round.ID)
	m, err := h.matrix(part.Round)
	if err != nil {
		return chat.Card{}, err
	}
	buttons := []chat.Button{
		card.Primary(v.Say("button.accept"), chat.NewAction("accept", id)),
		card.Button(v.Say("button.decline"), chat.NewAction("decline", id)),
	}
	buttons = append(buttons, card.OtherLanguages(v, part, chat.NewAction("begin", id))...)
	from, to := minutes(m, matrix.Lang(v.Lang))
	blocks := append([]chat.Block{
		chat.Footnote(v.Say("notice.step", "area", part.Round.Area, "from", from, "to", to)),
	}, noticeBlocks(v, part.Round)...)
	return card.Of(append(blocks, card.Row(buttons...))...), nil
}

// showNotice shows the privacy notice again to a participant.
func (h participant) showNotice(
	ctx context.Context, req *request, args roundArgs,
) (chat.Card, error) {
	part, err := h.rounds.Participation(ctx, args.round)
	switch {
	case err != nil:
		return chat.Card{}, err
	case part.Member.Status == survey.NotInvited:
		return chat.Card{}, survey.ErrNotTakingPart
	}
	return card.Of(noticeBlocks(h.participantVoice(req, part), part.Round)...), nil
}

// closedCard returns the card for a survey that takes no more answers.
func closedCard(v locale.Voice, part survey.Participation) chat.Card {
	switch {
	case part.Round.State == survey.Draft:
		return card.Of(chat.Paragraph(v.Say("error.not_open")))
	case part.Round.State == survey.Open && part.Member.TakesPart():
		// What is kept can still be told apart, so it can still be seen and erased.
		return card.Of(
			chat.Heading{Text: part.Round.Area},
			chat.Paragraph(v.Say("over.waiting", "closes", card.ClosingTime(v, part.Round))),
			card.Row(
				card.Button(
					v.Say("button.what_kept"),
					chat.NewAction("kept", string(part.Round.ID)),
				),
			),
		)
	case part.Member.Status == survey.Finished || part.Member.Status == survey.Started:
		return card.Of(
			chat.Heading{Text: part.Round.Area},
			chat.Paragraph(v.Say("over.thanks", "closed", closedTime(v, part.Round))),
		)
	}
	return card.Of(
		chat.Heading{Text: part.Round.Area},
		chat.Paragraph(v.Say("over.missed", "closed", closedTime(v, part.Round))),
	)
}

func (h *Tools) withdrawnCard(v locale.Voice, part survey.Participation) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("withdrawn.title")},
		chat.Paragraph(v.Say("withdrawn.body", "area", part.Round.Area)),
	}
	if part.Round.AcceptsAnswers(h.Now()) {
		blocks = append(blocks,
			card.Row(
				card.Button(v.Say("button.rejoin"), chat.NewAction("join", string(part.Round.ID))),
			),
		)
	}
	return card.Of(blocks...)
}

// languageCard asks for the language, in all languages of the round.
func (h *Tools) languageCard(part survey.Participation) chat.Card {
	var lines, labels []string
	var buttons []chat.Button
	for _, lang := range part.Round.Languages {
		v := h.Words.In(string(lang))
		lines = append(lines, v.Say("language.ask"))
		labels = append(labels, v.Say("language.name"))
		buttons = append(buttons,
			card.Button(
				v.Say("language.name"),
				chat.NewAction("lang", string(part.Round.ID), string(lang), "begin"),
			),
		)
	}
	return card.Of(
		chat.Heading{Text: strings.Join(labels, " / ")},
		chat.Paragraph(strings.Join(lines, "\n")),
		card.Row(buttons...),
	)
}
