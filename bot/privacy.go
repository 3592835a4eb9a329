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

// showPersonalData shows the participant everything that is stored about them in this round.
func (h participant) showPersonalData(
	ctx context.Context, req *request, args roundArgs,
) (view, error) {
	part, resp, err := h.rounds.PersonalData(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, h.personalDataCard)
}

func (h *Tools) personalDataCard(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
) (chat.Card, error) {
	id, member := string(part.Round.ID), part.Member
	line := func(key, value string) chat.Span {
		if value == "" {
			value = v.Say("me.none")
		}
		return chat.Words("\n" + v.Say(key) + ": " + value)
	}
	scope := ""
	if member.Scope != "" {
		scope = card.ScopeName(v, member.Scope)
	}
	details := 0
	for _, ans := range resp.Answers {
		if !ans.Detail.IsZero() {
			details++
		}
	}
	reminders, wish := v.Say("kept.wanted"), card.Button(
		v.Say("button.stop"),
		chat.NewAction("stop", id),
	)
	if member.RemindersOff {
		reminders, wish = v.Say("kept.unwanted"), card.Button(
			v.Say("button.again"),
			chat.NewAction("again", id),
		)
	}
	if day, err := time.Parse(time.DateOnly, member.RemindOnDate); err == nil {
		reminders = v.Say("kept.asked", "day", v.Day(day))
	}
	last := v.Say("kept.never")
	if day, err := time.Parse(time.DateOnly, member.LastRemindedDate); err == nil {
		last = v.Day(day)
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("kept.title", "area", part.Round.Area)},
		chat.Paragraph(v.Say("kept.pause")),
		chat.Text{Spans: []chat.Span{
			chat.Bold(v.Say("kept.roster")),
			line(
				"kept.role",
				roleName(v, m, member.Role),
			), line("kept.organisation", member.Organisation), line("kept.scope", scope),
			line("kept.language", h.Words.In(v.Lang).Say("language.name")),
			line(
				"kept.time_zone",
				member.TimeZone,
			), line("kept.reminders", reminders), line("kept.reminded", last),
			line(
				"kept.notice",
				v.Say(
					"kept.notice_on",
					"version",
					member.Notice,
					"when",
					v.Time(member.NoticeAt.In(part.Round.Location())),
				),
			),
		}},
		chat.Text{Spans: []chat.Span{
			chat.Bold(v.Say("kept.response")),
			chat.Words(
				"\n" + v.Count(
					"kept.answers",
					resp.Rated(),
				) + " " + v.Count(
					"kept.details",
					details,
				),
			),
		}},
		chat.Footnote(
			v.Say("kept.until", "until", v.Day(part.Round.ExpiresAt().In(part.Round.Location()))),
		),
	}
	buttons := []chat.Button{card.Button(v.Say("button.notice"), chat.NewAction("notice", id))}
	var others []chat.Button
	if part.Round.AcceptsAnswers(h.Now()) {
		buttons = append(
			[]chat.Button{card.Primary(v.Say("button.continue"), chat.NewAction("go", id))},
			buttons...)
		others = card.OtherLanguages(v, part, chat.NewAction("kept", id))
	}
	blocks = append(blocks,
		card.Row(
			append(buttons,
				wish,
				chat.Button{
					Label:  v.Say("button.erase"),
					Action: chat.NewAction("erase", id),
					Style:  chat.Danger,
					Confirm: &chat.Confirm{
						Title: v.Say("erase.title"),
						Text:  v.Say("erase.ask", "area", part.Round.Area),
						Yes:   v.Say("erase.yes"),
						No:    v.Say("erase.no"),
					},
				},
			)...),
	)
	if len(others) > 0 {
		blocks = append(blocks, card.Row(others...))
	}
	return card.Of(blocks...), nil
}

func (h participant) withdraw(
	ctx context.Context, req *request, args roundArgs,
) (chat.Card, error) {
	before, err := h.rounds.Participation(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	v := h.participantVoice(req, before) // the chosen language is erased with the rest
	part, err := h.rounds.Withdraw(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	return h.withdrawnCard(v, part), nil
}
