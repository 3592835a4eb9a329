package card

import (
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Draft shows a round that is not open yet, with remarks on what was just entered.
func Draft(
	v locale.Voice, r survey.Round, m *matrix.Matrix, remarks ...chat.Block,
) chat.Card {
	id := string(r.ID)
	blocks := append([]chat.Block{
		chat.Heading{Text: v.Say("draft.title", "area", r.Area)},
		chat.Text{Spans: []chat.Span{chat.Words(RoundFacts(v, r, m))}},
	}, remarks...)
	return Of(append(blocks,
		chat.Footnote(v.Say("draft.fixed")),
		Row(
			Primary(v.Say("button.open"), chat.NewAction("open", id, v.Lang)),
			Button(v.Say("button.redraft"), chat.NewAction("redraft", id, v.Lang)),
			Button(
				v.Say("button.workshop"),
				chat.NewAction("workshop", id, v.Lang),
			),
			Button(v.Say("button.reminders"), chat.NewAction("reminders", id, v.Lang)),
			Button(v.Say("button.rules"), chat.NewAction("rules", id, v.Lang)),
		),
	)...)
}

// RoundFacts returns the settings of a round, one per line.
func RoundFacts(v locale.Voice, r survey.Round, m *matrix.Matrix) string {
	edition := r.Matrix
	if m != nil {
		edition = m.Nation.In(matrix.Lang(v.Lang))
	}
	names := make([]string, len(r.Languages))
	for i, l := range r.Languages {
		names[i] = LanguageName(v, l)
	}
	lines := []string{
		v.Say("facts.edition", "edition", edition, "languages", strings.Join(names, ", ")),
		v.Say("facts.closes", "closes", ClosingTime(v, r), "zone", r.TimeZone),
		v.Say("facts.workshop", "workshop", WorkshopTime(v, r)),
		v.Say("facts.min_group", "min", r.MinGroup),
		consensusRule(v, r),
		planFacts(v, r.Reminders),
	}
	return strings.Join(lines, "\n")
}

func consensusRule(v locale.Voice, r survey.Round) string {
	key := "facts.consensus"
	if r.Consensus.AllowFarMinority {
		key = "facts.consensus_far"
	}
	return v.Say(key, "percent", r.Consensus.Percent, "far", results.FarMinorityPercent)
}

// Opened tells a coordinator that a round was opened, and what comes next.
func Opened(v locale.Voice, r survey.Round, m *matrix.Matrix) chat.Card {
	return Of(
		chat.Heading{Text: v.Say("opened.title", "area", r.Area)},
		chat.Paragraph(RoundFacts(v, r, m)),
		chat.Paragraph(v.Say("opened.next")),
		Row(
			Primary(v.Say("button.invite"), onRound("invite", r, v)),
			Button(v.Say("button.status"), onRound("status", r, v)),
			Button(v.Say("button.team"), onRound("team", r, v)),
		),
	)
}

// OpenedPost tells the coordinator's channel that a round was opened, with the lines of its record.
func OpenedPost(v locale.Voice, r survey.Round, record []chat.Block) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("opened.title", "area", r.Area)},
		chat.Paragraph(v.Say("opened.posted", "closes", ClosingTime(v, r))),
	}
	blocks = append(blocks, record...)
	return Of(append(blocks, Row(
		Button(v.Say("button.invite"), onRound("invite", r, v)),
		Button(v.Say("button.status"), onRound("status", r, v)),
	))...)
}
