package bot

import (
	"context"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// maxNamed is how many people a status names, so that it fits a message. The rest are counted.
const maxNamed = 25

func (h coordinator) status(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	r, err := h.target(ctx, req, args, isAny)
	if err != nil {
		return chat.Card{}, err
	}
	v, id := h.roundVoice(req, r), string(r.ID)
	if r.State == survey.Draft {
		return h.draftCard(v, r), nil
	}
	s, err := h.rounds.Progress(ctx, r.ID)
	if err != nil {
		return chat.Card{}, err
	}
	m, err := h.matrix(r)
	if err != nil {
		return chat.Card{}, err
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("status.title", "area", r.Area)},
		chat.Footnote(h.roundStatus(v, r)),
		chat.Paragraph(responseRates(v, s)),
	}
	blocks = append(blocks, missingRoles(v, m, s)...)
	people := func(key string, all []survey.PersonID) {
		if len(all) == 0 {
			return
		}
		spans := []chat.Span{chat.Bold(v.Count(key, len(all))), chat.Words(" ")}
		for i, p := range all[:min(len(all), maxNamed)] {
			if i > 0 {
				spans = append(spans, chat.Words(", "))
			}
			spans = append(spans, mention(p))
		}
		if more := len(all) - maxNamed; more > 0 {
			spans = append(spans, chat.Words(" "+v.Count("status.more", more)))
		}
		blocks = append(blocks, chat.Text{Spans: spans})
	}
	people("status.waiting", s.Waiting)
	people("status.done", s.Done)
	people("status.lost", s.Lost)
	if r.State == survey.Open {
		var buttons []chat.Button
		if r.AcceptsAnswers(h.Now()) {
			buttons = append(buttons,
				remindButton(v, id),
				card.Button(v.Say("button.invite"), chat.NewAction("invite", id, v.Lang)),
			)
		}
		blocks = append(blocks, chat.Footnote(v.Say("status.no_totals")), card.Row(append(buttons,
			card.Button(v.Say("button.reminders"), chat.NewAction("reminders", id, v.Lang)),
			card.Button(
				v.Say("button.extend"),
				chat.NewAction("extend", id, v.Lang),
			),
			card.Button(v.Say("button.workshop"), chat.NewAction("workshop", id, v.Lang)),
			card.Button(
				v.Say("button.team"),
				chat.NewAction("team", id, v.Lang),
			),
			card.Button(v.Say("button.close"), chat.NewAction("close", id, v.Lang)),
			card.Button(v.Say("button.record"), chat.NewAction("record", id, v.Lang)),
		)...))
	} else {
		blocks = append(blocks, card.Row(
			card.Button(v.Say("button.results"), chat.NewAction("results", id, v.Lang)),
			card.Button(v.Say("button.export"), chat.NewAction("export", id, v.Lang)),
			card.Button(v.Say("button.workshop"), chat.NewAction("workshop", id, v.Lang)),
			card.Button(v.Say("button.record"), chat.NewAction("record", id, v.Lang)),
		))
	}
	return card.Of(blocks...), nil
}

// roundStatus returns the state of a round in a line.
func (h *Tools) roundStatus(v locale.Voice, r survey.Round) string {
	switch {
	case r.State == survey.Closed:
		return v.Say("status.closed", "closed", closedTime(v, r))
	case !r.AcceptsAnswers(h.Now()):
		return v.Say("status.late", "closes", card.ClosingTime(v, r))
	}
	return v.Say("status.open", "closes", card.ClosingTime(v, r))
}

// responseRates returns the response rates, the only totals that are shown while a survey is open.
func responseRates(v locale.Voice, s survey.Progress) string {
	lines := []string{
		v.Count("status.invited", s.Invited),
		v.Count("status.finished", s.Finished, "percent", percent(s.Finished, s.Invited)),
		v.Count("status.started", s.Started),
	}
	for _, c := range []struct {
		key string
		n   int
	}{{"status.left", s.Declined + s.Withdrawn}, {"status.unreachable", len(s.Lost)}} {
		if c.n > 0 {
			lines = append(lines, v.Count(c.key, c.n))
		}
	}
	return strings.Join(lines, "\n")
}

func percent(n, of int) int {
	if of == 0 {
		return 0
	}
	return (n*200 + of) / (2 * of)
}

// missingRoles names the roles of the matrix that nobody was invited for, and those where nobody
// has finished.
func missingRoles(v locale.Voice, m *matrix.Matrix, s survey.Progress) []chat.Block {
	var nobody, unfinished []string
	for _, c := range s.Roles {
		switch name := roleName(v, m, c.Role); {
		case c.Invited == 0:
			nobody = append(nobody, name)
		case c.Finished == 0:
			unfinished = append(unfinished, name)
		}
	}
	var blocks []chat.Block
	if len(nobody) > 0 {
		blocks = append(blocks, labelledList(v.Say("status.nobody_invited"), nobody))
	}
	if len(unfinished) > 0 {
		blocks = append(blocks, labelledList(v.Say("status.nobody_finished"), unfinished))
	}
	if n := s.Unstated.Invited; n > 0 {
		blocks = append(blocks, chat.Paragraph(v.Count("status.unstated", n)))
	}
	if len(blocks) == 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("status.all_roles")))
	}
	return blocks
}
