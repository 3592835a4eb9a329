package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/results"
)

// askToClose explains what closing means before it is done.
func (h coordinator) askToClose(
	ctx context.Context, req *request, args targetArgs,
) (chat.Card, error) {
	r, err := h.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Card{}, err
	}
	v := h.roundVoice(req, r)
	if r.State != survey.Open {
		return card.Of(chat.Paragraph(v.Say("close.already"))), nil
	}
	to, why := h.canPostFor(ctx, r)
	blocks, err := h.closeBlocks(ctx, req, v, r, to, why)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Of(blocks...), nil
}

// closeBlocks asks whether to close the survey. If its channel takes no results it says so, and
// the button closes without posting them.
func (h coordinator) closeBlocks(
	ctx context.Context,
	req *request,
	v locale.Voice,
	r survey.Round,
	to chat.Place,
	why *chat.CannotPostError,
) ([]chat.Block, error) {
	s, err := h.rounds.Progress(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("close.title", "area", r.Area)},
		chat.Paragraph(v.Say("close.means")),
	}
	verb, confirm := "closenow", v.Say("close.confirm")
	if why == nil {
		blocks = append(blocks,
			chat.Text{
				Spans: []chat.Span{chat.Link{Place: to}, chat.Words(": " + v.Say("close.posts"))},
			},
		)
	} else {
		verb, confirm = "closeonly", v.Say("close.confirm_only")
		blocks = append(blocks, cannotPost(v, v.Say("cannot_post.close"), to, why)...)
		blocks = append(blocks, chat.Paragraph(v.Say("close.anyway")))
	}
	if r.AcceptsAnswers(h.Now()) {
		blocks = append(blocks,
			chat.Text{
				Spans: []chat.Span{
					chat.Bold(v.Say("close.early", "closes", card.ClosingTime(v, r))),
				},
			},
		)
	}
	return append(blocks, chat.Paragraph(responseRates(v, s)),
		card.Row(
			chat.Button{
				Label:  v.Say("button.close_now"),
				Action: chat.NewAction(verb, string(r.ID), v.Lang),
				Style:  chat.Danger,
				Confirm: &chat.Confirm{
					Title: v.Say("close.confirm_title"),
					Text:  confirm,
					Yes:   v.Say("close.yes"),
					No:    v.Say("close.no"),
				},
			},
			card.Button(v.Say("button.extend"), chat.NewAction("extend", string(r.ID), v.Lang)),
		)), nil
}

// closeNow closes the survey and posts its results. If its channel takes none, it asks first.
func (h coordinator) closeNow(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	r, err := h.rounds.Round(ctx, args.round)
	if err != nil {
		return nil, err
	}
	v := req.voice
	if to, why := h.canPostFor(ctx, r); why != nil && r.State == survey.Open {
		blocks, err := h.closeBlocks(ctx, req, v, r, to, why)
		if err != nil {
			return nil, err
		}
		return updated(blocks...), nil
	}
	r, closed, err := h.rounds.Close(ctx, args.round)
	if err != nil {
		return nil, err
	}
	if !closed {
		return updated(chat.Paragraph(v.Say("close.already"))), nil
	}
	heading := chat.Heading{Text: r.Area}
	d, err := newDestination(req, r, destinationArgs{})
	d.verb = "results"
	var posts []post
	if err == nil {
		var p results.Published
		if p, err = h.posts.rounds.Results(ctx, r.ID); err == nil {
			posts, err = h.posts.resultPosts(ctx, r, p, h.Words.In(string(r.Languages[0])), d.action)
		}
	}
	if err != nil {
		// The round is closed and stays closed; the results can be asked for again.
		h.Log.Error("results after close", "round", r.ID, "error", err)
		return updated(heading, chat.Paragraph(v.Say("close.no_results"))), nil
	}
	return deliverAll(posts, d.show, func(o outcome) []chat.Reply {
		return updated(
			append(
				[]chat.Block{heading, chat.Paragraph(v.Say("close.done"))},
				h.deliveryBlocks(req, v, d, o)...)...)
	}), nil
}

// closeOnly closes a survey without posting its results, after the coordinator was told that the
// channel takes none.
func (h coordinator) closeOnly(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	r, closed, err := h.rounds.Close(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	v := req.voice
	if !closed {
		return card.Of(chat.Paragraph(v.Say("close.already"))), nil
	}
	return card.Of(
		append(
			[]chat.Block{chat.Heading{Text: r.Area}, chat.Paragraph(v.Say("close.unposted"))},
			otherDestinations(req.Event, v, r, "results")...)...), nil
}
