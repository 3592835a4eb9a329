package bot

import (
	"context"
	"strconv"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// workshopEvePost announces the workshop, with the agenda and the picture if the survey has
// closed.
func (h messenger) workshopEvePost(ctx context.Context, r survey.Round, _ string) (post, error) {
	v := h.channelVoice(r)
	heading := v.Say("post.eve_soon", "area", r.Area)
	if card.IsTomorrow(r, r.Workshop.At, h.Now()) {
		heading = v.Say("post.eve", "area", r.Area)
	}
	blocks := []chat.Block{
		chat.Heading{Text: heading},
		chat.Paragraph(v.Say("workshop.done", "workshop", card.WorkshopTime(v, r))),
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
	if card.NothingShown(p) {
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
	blocks = append(blocks, card.Agenda(v, p)...)
	again := chat.NewAction("results", string(r.ID), v.Lang)
	start := chat.NewAction("rate", string(r.ID), v.Lang)
	blocks = append(blocks, card.Row(
		card.Primary(v.Say("button.meet_start"), start),
		card.Button(v.Say("button.results"), again),
	))
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
		for _, p := range strings.Split(card.ChangeOf(e, "coordinators"), ", ") {
			blocks = append(blocks,
				chat.Text{
					Spans: []chat.Span{card.Mention(survey.PersonID(p)), chat.Words(" " + v.Say(key))},
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
