package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// remindTomorrow schedules a reminder on the participant's next working day.
func (h participant) remindTomorrow(
	ctx context.Context, req *request, args roundLanguageArgs,
) (chat.Card, error) {
	part, err := h.rounds.Participation(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	if part, err = h.rounds.SetTimeZone(ctx, part, req.TimeZone); err != nil {
		return chat.Card{}, err
	}
	v, id := h.participantVoice(req, part), string(args.round)
	forward := card.Primary(v.Say("button.continue"), chat.NewAction("begin", id))
	if !part.Member.TakesPart() {
		forward.Label = v.Say("button.start")
	}
	at, open := h.Schedule.Tomorrow(part.Round, part.Member, h.Now())
	if !open && part.Round.AcceptsAnswers(h.Now()) && part.Member.Status != survey.NotInvited {
		return card.Of(
			chat.Heading{Text: part.Round.Area},
			chat.Paragraph(
				v.Say("tomorrow.closes", "closes", card.RoundTime(v, part, part.Round.ClosesAt)),
			),
			card.Row(forward),
		), nil
	}
	part, err = h.rounds.RemindLater(ctx, args.round, at)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Of(
		chat.Heading{Text: part.Round.Area},
		chat.Paragraph(
			v.Say("tomorrow.done", "when", v.Time(at.At.In(part.Round.ZoneOf(part.Member)))),
		),
		card.Row(forward, card.Button(v.Say("button.stop"), chat.NewAction("stop", id, v.Lang))),
	), nil
}

func (h participant) stopReminding(
	ctx context.Context, req *request, args roundLanguageArgs,
) (chat.Card, error) {
	return h.setRemindersOff(ctx, req, args, true)
}

func (h participant) remindAgain(
	ctx context.Context, req *request, args roundLanguageArgs,
) (chat.Card, error) {
	return h.setRemindersOff(ctx, req, args, false)
}

// setRemindersOff turns reminders on or off, and offers the opposite.
func (h participant) setRemindersOff(
	ctx context.Context, req *request, args roundLanguageArgs, off bool,
) (chat.Card, error) {
	part, err := h.rounds.SetRemindersOff(ctx, args.round, off)
	if err != nil {
		return chat.Card{}, err
	}
	v, id := h.participantVoice(req, part), string(args.round)
	said := v.Say("quiet.off", "area", part.Round.Area)
	opposite := card.Button(v.Say("button.stop"), chat.NewAction("stop", id, v.Lang))
	if off {
		said = v.Say("quiet.on", "area", part.Round.Area)
		opposite = card.Button(v.Say("button.again"), chat.NewAction("again", id, v.Lang))
	}
	buttons := []chat.Button{opposite}
	blocks := []chat.Block{chat.Heading{Text: part.Round.Area}, chat.Paragraph(said)}
	if part.Round.AcceptsAnswers(h.Now()) {
		blocks = append(blocks,
			chat.Paragraph(v.Say("status.open", "closes", card.RoundTime(v, part, part.Round.ClosesAt))),
		)
		forward := card.Primary(v.Say("button.continue"), chat.NewAction("begin", id))
		buttons = []chat.Button{forward, opposite}
	}
	return card.Of(append(blocks, card.Row(buttons...))...), nil
}
