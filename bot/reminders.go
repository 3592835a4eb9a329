package bot

import (
	"context"
	"time"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// languagesFor returns the languages that a person is written to in: the one they chose, else all
// of the round's.
func languagesFor(part survey.Participation) []matrix.Lang {
	if part.Member.Language != "" {
		return []matrix.Lang{part.Member.Language}
	}
	return part.Round.Languages
}

// roundTime returns a time of the round in words, with the time zone if the participant's clock
// differs.
func roundTime(v locale.Voice, part survey.Participation, t time.Time) string {
	_, here := t.In(part.Round.Location()).Zone()
	if _, there := t.In(part.Round.ZoneOf(part.Member)).Zone(); here != there {
		return v.Time(t.In(part.Round.Location())) + " (" + part.Round.TimeZone + ")"
	}
	return v.Time(t.In(part.Round.Location()))
}

// remindButtons returns the buttons of every reminder, to postpone or stop reminders.
func remindButtons(v locale.Voice, part survey.Participation, lang string) []chat.Button {
	id := string(part.Round.ID)
	return []chat.Button{
		card.Button(v.Say("button.tomorrow"), chat.NewAction("tomorrow", id, lang)),
		card.Button(v.Say("button.stop"), chat.NewAction("stop", id, lang)),
	}
}

// invitationReminder repeats the invitation, marked as a reminder.
func (h *Tools) invitationReminder(part survey.Participation, m *matrix.Matrix) chat.Card {
	return h.inLanguages(languagesFor(part), func(v locale.Voice, lang string) []chat.Block {
		closes := roundTime(v, part, part.Round.ClosesAt)
		blocks := []chat.Block{chat.Footnote(v.Say("reminder.first", "closes", closes))}
		blocks = append(blocks, invitationText(v, part.Round, m)...)
		buttons := append(startButtons(v, part.Round, lang), remindButtons(v, part, lang)...)
		return append(blocks, card.Row(buttons...))
	})
}

// startedReminder tells a participant who has started how far they are.
func (h *Tools) startedReminder(
	part survey.Participation, m *matrix.Matrix, resp results.Response,
) chat.Card {
	r, lang := part.Round, languagesFor(part)[:1]
	return h.inLanguages(lang, func(v locale.Voice, lang string) []chat.Block {
		closes := roundTime(v, part, r.ClosesAt)
		forward := card.Primary(v.Say("button.continue"), chat.NewAction("begin", string(r.ID)))
		return []chat.Block{
			chat.Heading{Text: v.Say("reminder.title", "area", r.Area)},
			chat.Paragraph(
				v.Say(
					"reminder.body",
					"done",
					resp.Rated(),
					"n",
					len(m.Elements()),
					"closes",
					closes,
				),
			),
			card.Row(append([]chat.Button{forward}, remindButtons(v, part, lang)...)...),
		}
	})
}

// workshopReminder tells a participant when and where the workshop is.
func (h *Tools) workshopReminder(part survey.Participation) chat.Card {
	r := part.Round
	return h.inLanguages(languagesFor(part), func(v locale.Voice, lang string) []chat.Block {
		when := roundTime(v, part, r.Workshop.At)
		return []chat.Block{
			chat.Heading{Text: v.Say("workshop.soon", "area", r.Area)},
			chat.Paragraph(v.Say("workshop.soon_body", "when", when, "place", r.Workshop.Place)),
			card.Row(card.Button(v.Say("button.stop"), chat.NewAction("stop", string(r.ID), lang))),
		}
	})
}

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
				v.Say("tomorrow.closes", "closes", roundTime(v, part, part.Round.ClosesAt)),
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
	ctx context.Context, req *request, args roundLanguageArgs, quiet bool,
) (chat.Card, error) {
	part, err := h.rounds.SetRemindersOff(ctx, args.round, quiet)
	if err != nil {
		return chat.Card{}, err
	}
	v, id := h.participantVoice(req, part), string(args.round)
	said, back := v.Say(
		"quiet.off",
		"area",
		part.Round.Area,
	), card.Button(
		v.Say("button.stop"),
		chat.NewAction("stop", id, v.Lang),
	)
	if quiet {
		said, back = v.Say(
			"quiet.on",
			"area",
			part.Round.Area,
		), card.Button(
			v.Say("button.again"),
			chat.NewAction("again", id, v.Lang),
		)
	}
	buttons := []chat.Button{back}
	blocks := []chat.Block{chat.Heading{Text: part.Round.Area}, chat.Paragraph(said)}
	if part.Round.AcceptsAnswers(h.Now()) {
		blocks = append(blocks,
			chat.Paragraph(v.Say("status.open", "closes", roundTime(v, part, part.Round.ClosesAt))),
		)
		buttons = append(
			[]chat.Button{card.Primary(v.Say("button.continue"), chat.NewAction("begin", id))},
			back,
		)
	}
	return card.Of(append(blocks, card.Row(buttons...))...), nil
}
