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
	return h.closeQuestion(ctx, v, r, to, why)
}

// closeQuestion asks whether to close the survey. If its channel takes no results it says so, and
// the button closes without posting them.
func (h coordinator) closeQuestion(
	ctx context.Context, v locale.Voice, r survey.Round, to chat.Place, why *chat.CannotPostError,
) (chat.Card, error) {
	s, err := h.rounds.Progress(ctx, r.ID)
	if err != nil {
		return chat.Card{}, err
	}
	return card.AskToClose(v, s, to, why, h.Now()), nil
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
		question, err := h.closeQuestion(ctx, v, r, to, why)
		if err != nil {
			return nil, err
		}
		return []chat.Reply{chat.Update{Card: question}}, nil
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
		if p, err = h.posts.published.Results(ctx, r.ID); err == nil {
			posts, err = h.posts.resultPosts(ctx, r, p, h.channelVoice(r), d.action)
		}
	}
	if err != nil {
		// The round is closed and stays closed; the results can be asked for again.
		h.Log.Error("results after close", "round", r.ID, "error", err)
		return updated(heading, chat.Paragraph(v.Say("close.no_results"))), nil
	}
	return deliverAll(posts, d.show, func(o sendResult) []chat.Reply {
		return updated(
			append(
				[]chat.Block{heading, chat.Paragraph(v.Say("close.done"))},
				h.deliveryBlocks(req, v, d, o)...)...)
	}), nil
}

// closeOnly closes a survey without posting its results, after a card has told the coordinator that
// the channel takes none.
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
