package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/plaintext"
)

func (h creator) teamForm(ctx context.Context, req *request, args targetArgs) (chat.Form, error) {
	isUnclosed := func(r survey.Round) bool { return r.State != survey.Closed }
	r, err := h.target(ctx, req, args, isUnclosed)
	if err != nil {
		_, refused := errors.AsType[*refusal](err)
		creator, notAllowed := h.rights()
		if !refused || notAllowed != nil {
			return chat.Form{}, err
		}
		offered, offerErr := h.offerTeam(ctx, req, creator, args)
		switch {
		case offerErr != nil:
			return chat.Form{}, offerErr
		case len(offered.Blocks) == 0:
			return chat.Form{}, err
		}
		return chat.Form{}, refuse(offered)
	}
	return card.TeamForm(h.roundVoice(req, r), r), nil
}

// offerTeam offers a person who may start rounds to become a coordinator of the rounds that they
// named, or that are of this channel. The card is empty where there are none.
func (h creator) offerTeam(
	ctx context.Context, req *request, creator survey.Creator, args targetArgs,
) (chat.Card, error) {
	var found []survey.Round
	err := creator.All(ctx, func(r survey.Round) error {
		named := plaintext.Same(r.Area, args.words) || string(r.ID) == strings.ToLower(args.words)
		if args.words == "" {
			named = r.Channel == req.Where.String()
		}
		// The scan may meet a round twice.
		known := slices.ContainsFunc(found, func(f survey.Round) bool { return f.ID == r.ID })
		coordinates := slices.Contains(r.Coordinators, req.person)
		if named && !known && !coordinates && ofRound(req.Event, r) {
			found = append(found, r)
		}
		return nil
	})
	if err != nil {
		return chat.Card{}, err
	}
	if len(found) == 0 {
		return chat.Card{}, nil
	}
	newestFirst := func(x, y survey.Round) int { return y.ClosesAt.Compare(x.ClosesAt) }
	slices.SortFunc(found, newestFirst)
	v := req.voice
	var blocks []chat.Block
	for _, r := range found[:min(len(found), card.MaxRounds)] {
		blocks = append(blocks,
			chat.Heading{Text: r.Area},
			chat.Footnote(card.RoundStatus(v, r, h.Now())),
			chat.Paragraph(v.Say("team.offer")),
			card.Row(
				chat.Button{
					Label:  v.Say("button.take_on"),
					Action: chat.NewAction("takeon", string(r.ID), v.Lang),
					Confirm: &chat.Confirm{
						Title: v.Say("team.offer_title"),
						Text:  v.Say("team.offer_confirm"),
						Yes:   v.Say("button.take_on"),
						No:    v.Say("close.no"),
					},
				},
			),
		)
	}
	return card.Of(blocks...), nil
}

// takeOn makes a person who may start rounds a coordinator of a round of their workspace.
func (h creator) takeOn(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	creator, err := h.rights()
	if err != nil {
		return chat.Card{}, err
	}
	r, err := creator.Round(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	if !ofRound(req.Event, r) {
		return chat.Card{}, errNotAllowed
	}
	r, err = creator.AddSelf(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	v := req.voice
	return card.Of(
		chat.Heading{Text: r.Area},
		chat.Paragraph(v.Say("team.joined")),
		card.Row(
			card.Button(v.Say("button.status"), chat.NewAction("status", string(r.ID), v.Lang)),
		),
	), nil
}

func (h coordinator) saveTeam(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	v := req.voice
	var people []survey.PersonID
	for _, id := range req.Values["people"] {
		p, err := chat.ParsePerson(id)
		if err != nil {
			return chat.Card{}, fieldErrors{"people": v.Say("invite.unknown", "name", id)}
		}
		people = append(people, person(p))
	}
	r, err := h.rounds.AddCoordinators(ctx, args.round, people)
	if err != nil {
		return chat.Card{}, err
	}
	spans := []chat.Span{chat.Words(v.Say("team.done", "area", r.Area) + " ")}
	for i, c := range r.Coordinators {
		if i > 0 {
			spans = append(spans, chat.Words(", "))
		}
		spans = append(spans, card.Mention(c))
	}
	return card.Of(chat.Text{Spans: spans}), nil
}
