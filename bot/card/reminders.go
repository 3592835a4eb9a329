package card

import (
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

// remindButtons returns the buttons of every reminder, to postpone or stop reminders.
func remindButtons(v locale.Voice, part survey.Participation, lang string) []chat.Button {
	id := string(part.Round.ID)
	return []chat.Button{
		Button(v.Say("button.tomorrow"), chat.NewAction("tomorrow", id, lang)),
		Button(v.Say("button.stop"), chat.NewAction("stop", id, lang)),
	}
}

// InvitationReminder repeats the invitation, marked as a reminder.
func InvitationReminder(
	words *locale.Words, part survey.Participation, m *matrix.Matrix,
) chat.Card {
	return inLanguages(words, languagesFor(part), func(v locale.Voice, lang string) []chat.Block {
		closes := RoundTime(v, part, part.Round.ClosesAt)
		blocks := []chat.Block{chat.Footnote(v.Say("reminder.first", "closes", closes))}
		blocks = append(blocks, invitationText(v, part.Round, m)...)
		buttons := append(startButtons(v, part.Round, lang), remindButtons(v, part, lang)...)
		return append(blocks, Row(buttons...))
	})
}

// StartedReminder tells a participant who has started how far they are.
func StartedReminder(
	words *locale.Words, part survey.Participation, m *matrix.Matrix, resp results.Response,
) chat.Card {
	r, lang := part.Round, languagesFor(part)[:1]
	return inLanguages(words, lang, func(v locale.Voice, lang string) []chat.Block {
		closes := RoundTime(v, part, r.ClosesAt)
		forward := Primary(v.Say("button.continue"), chat.NewAction("begin", string(r.ID)))
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
			Row(append([]chat.Button{forward}, remindButtons(v, part, lang)...)...),
		}
	})
}

// WorkshopReminder tells a participant when and where the workshop is.
func WorkshopReminder(words *locale.Words, part survey.Participation) chat.Card {
	r := part.Round
	return inLanguages(words, languagesFor(part), func(v locale.Voice, lang string) []chat.Block {
		when := RoundTime(v, part, r.Workshop.At)
		return []chat.Block{
			chat.Heading{Text: v.Say("workshop.soon", "area", r.Area)},
			chat.Paragraph(v.Say("workshop.soon_body", "when", when, "place", r.Workshop.Place)),
			Row(Button(v.Say("button.stop"), chat.NewAction("stop", string(r.ID), lang))),
		}
	})
}
