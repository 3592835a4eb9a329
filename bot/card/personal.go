package card

import (
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// PersonalData returns a drawing of everything that is stored about a participant in a round.
func PersonalData(now time.Time) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	) (chat.Card, error) {
		return personalData(v, part, m, resp, now), nil
	}
}

func personalData(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	now time.Time,
) chat.Card {
	id, member := string(part.Round.ID), part.Member
	line := func(key, value string) chat.Span {
		if value == "" {
			value = v.Say("me.none")
		}
		return chat.Words("\n" + v.Say(key) + ": " + value)
	}
	scope := ""
	if member.Scope != "" {
		scope = ScopeName(v, member.Scope)
	}
	details := 0
	for _, ans := range resp.Answers {
		if !ans.Detail.IsZero() {
			details++
		}
	}
	reminders, wish := v.Say("kept.wanted"), Button(
		v.Say("button.stop"),
		chat.NewAction("stop", id),
	)
	if member.RemindersOff {
		reminders, wish = v.Say("kept.unwanted"), Button(
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
			line("kept.language", v.Say("language.name")),
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
	buttons := []chat.Button{Button(v.Say("button.notice"), chat.NewAction("notice", id))}
	var others []chat.Button
	if part.Round.AcceptsAnswers(now) {
		buttons = append(
			[]chat.Button{Primary(v.Say("button.continue"), chat.NewAction("go", id))},
			buttons...)
		others = OtherLanguages(v, part, chat.NewAction("kept", id))
	}
	blocks = append(blocks,
		Row(
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
		blocks = append(blocks, Row(others...))
	}
	return Of(blocks...)
}

// Profile draws the "about you" card. Warn is the key of a sentence on what is missing, or
// empty.
func Profile(warn string) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, _ results.Response,
	) (chat.Card, error) {
		return profileBlocks(v, part, m, warn), nil
	}
}

func profileBlocks(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, warn string,
) chat.Card {
	id := string(part.Round.ID)
	lang := matrix.Lang(v.Lang)
	blocks := []chat.Block{
		chat.Footnote(part.Round.Area),
		chat.Heading{Text: v.Say("me.title")},
		chat.Paragraph(v.Say("me.role")),
	}
	options := func(roles []matrix.Role) []chat.Option {
		var all []chat.Option
		for _, r := range roles {
			all = append(all, chat.Option{Value: r.ID, Label: r.Name.In(lang)})
		}
		return all
	}
	unstated := chat.Option{Value: survey.Unstated, Label: v.Say("me.unstated")}
	if roles := m.Roles(); len(roles) < chat.MaxMenu {
		blocks = append(blocks,
			chat.Menu{
				Action:      chat.NewAction("role", id),
				Placeholder: v.Say("me.choose"),
				Options:     append(options(roles), unstated),
			},
		)
	} else {
		for i, g := range m.RoleGroups {
			all := options(g.Roles)
			if i == len(m.RoleGroups)-1 && len(all) < chat.MaxMenu {
				all = append(all, unstated)
			}
			blocks = append(blocks, chat.Menu{
				Action:      chat.NewAction("role", id, g.ID),
				Placeholder: g.Name.In(lang),
				Options:     all,
			})
		}
	}
	blocks = append(blocks,
		chat.Text{
			Spans: []chat.Span{
				chat.Words(v.Say("me.chosen") + " "),
				chat.Bold(roleName(v, m, part.Member.Role)),
			},
		},
	)
	if warn != "" {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(v.Say(warn))}})
	}
	var scopes []chat.Button
	for _, s := range survey.Scopes {
		scopes = append(scopes,
			chat.Button{
				Label:  ScopeName(v, s),
				Action: chat.NewAction("scope", id, string(s)),
				Chosen: part.Member.Scope == s,
			},
		)
	}
	organisation, has := v.Say("button.organisation"), "0"
	if part.Member.Organisation != "" {
		organisation, has = v.Say("button.organisation_change"), "1"
		blocks = append(blocks,
			chat.Paragraph(v.Say("me.organisation", "organisation", part.Member.Organisation)),
		)
	}
	forward := Button(v.Say("button.continue"), chat.NewAction("go", id))
	if part.Member.Role != "" {
		forward.Style = chat.Primary
	}
	blocks = append(blocks,
		chat.Paragraph(v.Say("me.scope")), Row(scopes...),
		chat.Divider{},
		chat.Footnote(v.Say("me.how")),
		Row(append([]chat.Button{
			Button(
				organisation,
				chat.NewAction("org", id, has, v.Lang),
			), forward, Button(v.Say("button.kept"), chat.NewAction("kept", id)),
		}, OtherLanguages(v, part, chat.NewAction("me", id))...)...),
	)
	return Of(blocks...)
}
