package bot

import (
	"context"
	"strconv"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
)

// digestCard shows the progress of a round since the last digest, and which roles are missing. It
// names no person, since everybody in the channel reads it.
func (h publisher) digestCard(v locale.Voice, m *matrix.Matrix, s survey.Progress) chat.Card {
	r, id := s.Round, string(s.Round.ID)
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("status.title", "area", r.Area)},
		chat.Footnote(h.roundStatus(v, r)),
		chat.Paragraph(publicRates(v, s)),
	}
	if last := r.LastDigest; last != nil {
		said := v.Say("digest.same", "day", v.Day(last.At.In(r.Location())))
		if s.Finished > last.Finished ||
			s.Invited > last.Invited { // somebody may have withdrawn: that is not for the channel
			said = v.Say(
				"digest.since",
				"day",
				v.Day(last.At.In(r.Location())),
				"finished",
				max(0, s.Finished-last.Finished),
				"invited",
				max(0, s.Invited-last.Invited),
				"percent",
				percent(last.Finished, last.Invited),
			)
		}
		blocks = append(blocks, chat.Paragraph(said))
	}
	blocks = append(blocks, missingRoles(v, m, s)...)
	if len(s.Lost) > 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("digest.lost")))
	}
	return chat.Card{
		Blocks: append(blocks, card.Row(
			card.Button(v.Say("button.status"), chat.NewAction("status", id, v.Lang)),
			card.Button(
				v.Say("button.invite"),
				chat.NewAction("invite", id, v.Lang),
			),
			card.Button(v.Say("button.reminders"), chat.NewAction("reminders", id, v.Lang)),
		)),
	}
}

// publicRates returns the response rates without those who declined or withdrew: the difference
// between two days could identify them.
func publicRates(v locale.Voice, s survey.Progress) string {
	s.Declined, s.Withdrawn = 0, 0
	return responseRates(v, s)
}

// lastDayCard announces that the survey is about to close.
func (h publisher) lastDayCard(v locale.Voice, s survey.Progress) chat.Card {
	r, id := s.Round, string(s.Round.ID)
	heading := v.Say("post.last_soon", "area", r.Area)
	if date(h.Now().In(r.Location()).AddDate(0, 0, 1)) == date(r.ClosesAt.In(r.Location())) {
		heading = v.Say("post.last", "area", r.Area)
	}
	body := "post.last_body"
	if !r.Posts.Enabled(survey.ResultsPost) {
		body = "post.last_body_only"
	}
	return chat.Card{Blocks: []chat.Block{
		chat.Heading{
			Text: heading,
		}, chat.Paragraph(v.Say(body, "closes", card.ClosingTime(v, r))), chat.Paragraph(publicRates(v, s)),
		card.Row(
			card.Button(v.Say("button.status"), chat.NewAction("status", id, v.Lang)),
			card.Button(v.Say("button.extend"), chat.NewAction("extend", id, v.Lang)),
		),
	}}
}

// workshopEvePost announces the workshop, with the agenda and the picture if the survey has
// closed.
func (h messenger) workshopEvePost(ctx context.Context, r survey.Round, _ string) (post, error) {
	v := h.channelVoice(r)
	heading := v.Say("post.eve_soon", "area", r.Area)
	if date(h.Now().In(r.Location()).AddDate(0, 0, 1)) == date(r.Workshop.At.In(r.Location())) {
		heading = v.Say("post.eve", "area", r.Area)
	}
	blocks := []chat.Block{
		chat.Heading{Text: heading},
		chat.Paragraph(v.Say("workshop.done", "workshop", workshopTime(v, r))),
	}
	if r.State != survey.Closed {
		return post{
			card: chat.Card{
				Blocks: append(blocks,
					chat.Paragraph(v.Say("post.eve_open", "closes", card.ClosingTime(v, r))),
				),
			},
		}, nil
	}
	p, err := h.rounds.Results(ctx, r.ID)
	if err != nil {
		return post{}, err
	}
	m, err := h.matrix(r)
	if err != nil {
		return post{}, err
	}
	if nothingShown(p) {
		return post{
			card: chat.Card{
				Blocks: append(blocks,
					chat.Paragraph(v.Say("results.nothing", "min", p.Context.MinGroup)),
				),
			},
		}, nil
	}
	picture, err := h.resultPicture(p, v)
	if err != nil {
		return post{}, err
	}
	blocks = append(
		append(blocks, agenda(v, m, p)...),
		card.Row(
			card.Button(v.Say("button.results"), chat.NewAction("results", string(r.ID), v.Lang)),
		),
	)
	return post{card: chat.Card{Blocks: blocks}, files: []chat.File{picture}}, nil
}

// newCoordinatorPost announces who became a coordinator and how, by the last such entry that the
// record has of that second.
func (h messenger) newCoordinatorPost(
	ctx context.Context, r survey.Round, suffix string,
) (post, error) {
	v := h.channelVoice(r)
	second, _, _ := strings.Cut(suffix, ".")
	record, err := h.rounds.AuditLog(ctx, r)
	if err != nil {
		return post{}, err
	}
	var blocks []chat.Block
	for _, e := range record.Entries {
		key := "post.coordinator_operator"
		switch {
		case strconv.FormatInt(e.At.Unix(), 10) != second:
			continue
		case e.Action == audit.SelfAdded:
			key = "post.coordinator_self"
		case e.Action != audit.Team || e.By != audit.Operator:
			continue
		}
		blocks = nil
		for _, p := range strings.Split(changeOf(e, "coordinators"), ", ") {
			blocks = append(blocks,
				chat.Text{
					Spans: []chat.Span{mention(survey.PersonID(p)), chat.Words(" " + v.Say(key))},
				},
			)
		}
	}
	if len(blocks) == 0 {
		return post{}, nil
	}
	return post{
		card: chat.Card{
			Blocks: append(
				[]chat.Block{chat.Heading{Text: v.Say("post.coordinator", "area", r.Area)}},
				blocks...),
		},
	}, nil
}

// openCallCard asks invited people who receive no direct messages to press Join. It names nobody.
func (h *Tools) openCallCard(r survey.Round) chat.Card {
	return h.inLanguages(r.Languages, func(v locale.Voice, lang string) []chat.Block {
		return []chat.Block{
			chat.Heading{Text: v.Say("invitation.title", "area", r.Area)},
			chat.Paragraph(v.Say("call.body", "closes", card.ClosingTime(v, r))),
			card.Row(joinButton(v, r, lang)),
		}
	})
}
