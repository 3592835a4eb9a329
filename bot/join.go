package bot

import (
	"context"
	"slices"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Invitation returns the card for a person who was invited, in each of the round's languages.
func (h *Tools) Invitation(round survey.Round, m *matrix.Matrix) chat.Card {
	return card.Invitation(h.Words, round, m)
}

// About returns the card that says what a round's survey is, for a person with a link to it.
func (h *Tools) About(round survey.Round, m *matrix.Matrix, lang string) chat.Card {
	return card.About(h.Words.In(lang), round, m, h.Now())
}

// Help returns the card that explains a survey to people who take part by link.
func (h *Tools) Help(round survey.Round, lang string) chat.Card {
	return card.Help(h.Words.In(lang), round)
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
		if d.Failed() {
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
	if req.person.ByLink() && part.Round.AcceptsAnswers(h.Now()) { // they have opened their link again
		switch part.Member.Status {
		case survey.Finished:
			return h.showReceipt(ctx, req, args)
		case survey.Declined:
			return view{card: card.Declined(h.participantVoice(req, part), part)}, nil
		}
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
	replies, err := b.serve(ctx, b.newRequest(same))
	for i, reply := range replies {
		if update, ok := reply.(chat.Update); ok {
			update.Again = args.then
			replies[i] = update
		}
	}
	return replies, err
}

func (h participant) accept(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := h.rounds.Start(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	shown, err := h.currentCard(ctx, req, h.saveTimeZone(ctx, req, part))
	return shown.shownBy("begin", string(args.round)), err
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
	return view{card: card.Declined(h.participantVoice(req, part), part)}, nil
}

// showNotice shows the privacy notice again to a participant.
func (h participant) showNotice(
	ctx context.Context, req *request, args roundArgs,
) (chat.Card, error) {
	part, err := h.invited(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Of(card.Notice(h.participantVoice(req, part), part)...), nil
}

// invited returns the participation of a person who was invited, or survey.ErrNotTakingPart.
func (h participant) invited(
	ctx context.Context, id survey.RoundID,
) (survey.Participation, error) {
	part, err := h.rounds.Participation(ctx, id)
	if err == nil && part.Member.Status == survey.NotInvited {
		err = survey.ErrNotTakingPart
	}
	return part, err
}
