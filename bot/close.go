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
func (b *Bot) askToClose(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	r, err := b.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Card{}, err
	}
	v := b.roundVoice(req, r)
	if r.State != survey.Open {
		return card.Of(chat.Paragraph(v.Say("close.already"))), nil
	}
	to, why := b.canPostFor(ctx, r)
	blocks, err := b.closeBlocks(ctx, req, v, r, to, why)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Of(blocks...), nil
}

// closeBlocks asks whether to close the survey. If its channel takes no results it says so, and
// the button closes without posting them.
func (b *Bot) closeBlocks(
	ctx context.Context,
	req *request,
	v locale.Voice,
	r survey.Round,
	to chat.Place,
	why *chat.CannotPostError,
) ([]chat.Block, error) {
	s, err := b.Rounds.As(req.person).Progress(ctx, r.ID)
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
	if r.AcceptsAnswers(b.Now()) {
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
func (b *Bot) closeNow(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	r, err := b.Rounds.As(req.person).Round(ctx, args.round)
	if err != nil {
		return nil, err
	}
	v := req.voice
	if to, why := b.canPostFor(ctx, r); why != nil && r.State == survey.Open {
		blocks, err := b.closeBlocks(ctx, req, v, r, to, why)
		if err != nil {
			return nil, err
		}
		return updated(blocks...), nil
	}
	r, closed, err := b.Rounds.As(req.person).Close(ctx, args.round)
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
		if p, err = b.Rounds.System().Results(ctx, r.ID); err == nil {
			posts, err = b.resultPosts(ctx, r, p, b.Words.In(string(r.Languages[0])), d.action)
		}
	}
	if err != nil {
		// The round is closed and stays closed; the results can be asked for again.
		b.Log.Error("results after close", "round", r.ID, "error", err)
		return updated(heading, chat.Paragraph(v.Say("close.no_results"))), nil
	}
	return deliverAll(posts, d.show, func(o outcome) []chat.Reply {
		return updated(
			append(
				[]chat.Block{heading, chat.Paragraph(v.Say("close.done"))},
				b.deliveryBlocks(req, v, d, o)...)...)
	}), nil
}

// closeOnly closes a survey without posting its results, after the coordinator was told that the
// channel takes none.
func (b *Bot) closeOnly(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	r, closed, err := b.Rounds.As(req.person).Close(ctx, args.round)
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
