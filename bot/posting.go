package bot

import (
	"context"
	"errors"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// canPost returns why the bot cannot post in a place, or nil. It is nil as well where the platform
// does not say: then the bot tries.
func (h *Tools) canPost(ctx context.Context, in chat.Place) *chat.CannotPostError {
	err := h.Directory.CanPost(ctx, in)
	if why, ok := errors.AsType[*chat.CannotPostError](err); ok {
		return why
	}
	if err != nil {
		h.Log.Warn("cannot find out whether the bot can post", "error", err)
	}
	return nil
}

// canPostFor is canPost for the channel of a round.
func (h *Tools) canPostFor(
	ctx context.Context, r survey.Round,
) (chat.Place, *chat.CannotPostError) {
	to, err := chat.ParsePlace(r.Channel)
	if err != nil {
		h.Log.Error("round has no channel", "round", r.ID, "error", err)
		return to, &chat.CannotPostError{Reason: chat.Gone, Err: err}
	}
	return to, h.canPost(ctx, to)
}

// onlyOnFailure returns a Then for a post that needs no confirmation: only a failure is reported.
func (h *Tools) onlyOnFailure(v locale.Voice, to chat.Place) chat.Then {
	return func(d chat.Delivered) []chat.Reply {
		if !d.Failed() {
			return nil
		}
		h.Log.Warn("not posted", "error", d.Err)
		return whispered(card.CannotPost(v, v.Say("error.not_posted"), to, d.Err)...)
	}
}

// sendResult is the result of sending several cards that belong together.
type sendResult struct {
	err     error // why one was not delivered; the later ones were not sent
	unsure  bool  // one may have been delivered or not
	missing []string
}

// deliverAll returns the replies for cards that belong together; then is called once, after the
// last or the first that failed.
func deliverAll(
	posts []post, show func(post, chat.Then) chat.Reply, then func(sendResult) []chat.Reply,
) []chat.Reply {
	var all sendResult
	var replies []chat.Reply
	for i, next := range posts {
		replies = append(replies, show(next, func(d chat.Delivered) []chat.Reply {
			all.missing = append(all.missing, d.Missing...)
			all.unsure = all.unsure || errors.Is(d.Err, chat.ErrUnsure)
			if d.Failed() {
				all.err = d.Err
			}
			if i < len(posts)-1 && !d.Failed() {
				return nil
			}
			return then(all)
		}))
	}
	return replies
}

// How a coordinator wants results or files to be shown, as an action carries it: in the round's
// channel, unless it says otherwise.
const (
	hereWord    = "here"          // in the channel where the action was pressed
	privateWord = card.ShownAlone // to the coordinator alone
)

// destination is where results or files go.
type destination struct {
	verb    string // results or export
	round   survey.Round
	to      chat.Place
	private bool // to the coordinator alone
	word    string
}

// newDestination reads where results or files of a round are to go.
func newDestination(req *request, r survey.Round, args destinationArgs) (destination, error) {
	d := destination{verb: req.Action.Verb, round: r, word: args.to}
	switch args.to {
	case privateWord:
		d.private = true
		return d, nil
	case hereWord:
		if req.Private || !ofRound(req.Event, r) { // no button offers that
			return d, errForged
		}
		d.to = req.Where
		return d, nil
	}
	var err error
	d.to, err = chat.ParsePlace(r.Channel)
	return d, err
}

// action returns an action for another part of the same results, to the same destination.
func (d destination) action(verb, lang string) chat.Action {
	args := []string{string(d.round.ID), lang}
	if d.word != "" {
		args = append(args, d.word)
	}
	return chat.NewAction(verb, args...)
}

// auditChanges returns what the record says of the destination: nothing for the round's own
// channel.
func (d destination) auditChanges() []audit.Change {
	switch d.word {
	case hereWord:
		return []audit.Change{{Field: audit.FieldShown, New: d.to.String()}}
	case privateWord:
		return []audit.Change{{Field: audit.FieldShown, New: privateWord}}
	}
	return nil
}

// show returns the reply that sends a card to the destination.
func (d destination) show(p post, then chat.Then) chat.Reply {
	if d.private {
		return chat.Whisper{Card: p.card, Files: p.files, Then: then}
	}
	return chat.Post{To: d.to, Card: p.card, Files: p.files, Then: then}
}

// deliveryBlocks tells the coordinator whether results or files were delivered.
func (h coordinator) deliveryBlocks(
	req *request, v locale.Voice, d destination, o sendResult,
) []chat.Block {
	if o.err != nil {
		h.Log.Warn("not posted", "error", o.err)
		if d.private {
			return []chat.Block{chat.Paragraph(v.Say("results.not_sent"))}
		}
		return append(
			card.CannotPost(v, v.Say("error.not_posted"), d.to, o.err),
			otherDestinations(req.Event, v, d.round, d.verb)...)
	}
	said := v.Say("results.posted")
	switch {
	case d.private && o.unsure:
		said = v.Say("results.sent_unsure")
	case d.private:
		said = v.Say("results.sent")
	case o.unsure:
		said = v.Say("results.posted_unsure")
	case d.verb == "export":
		said = v.Say("export.posted")
	}
	line := chat.Paragraph(said)
	if !d.private {
		line = chat.Text{Spans: []chat.Span{chat.Link{Place: d.to}, chat.Words(": " + said)}}
	}
	return append([]chat.Block{line}, missingFiles(v, d, o.missing)...)
}

// missingFiles names the files that were not delivered, and offers to send them again.
func missingFiles(v locale.Voice, d destination, names []string) []chat.Block {
	if len(names) == 0 {
		return nil
	}
	return []chat.Block{
		card.LabelledList(v.Say("results.missing"), names),
		card.Row(card.Button(v.Say("button.resend"), d.action("export", v.Lang))),
	}
}

// otherDestinations offers other ways to get results or files, when the round's channel takes
// none.
func otherDestinations(e chat.Event, v locale.Voice, r survey.Round, verb string) []chat.Block {
	id := string(r.ID)
	said := v.Say("elsewhere.alone")
	buttons := []chat.Button{
		card.Button(v.Say("button.to_me"), chat.NewAction(verb, id, v.Lang, privateWord)),
	}
	if !e.Private && ofRound(e, r) && e.Where.String() != r.Channel {
		said = v.Say("elsewhere.here")
		buttons = append(buttons,
			chat.Button{
				Label:  v.Say("button.post_here"),
				Action: chat.NewAction(verb, id, v.Lang, hereWord),
				Confirm: &chat.Confirm{
					Title: v.Say("elsewhere.title"),
					Text:  v.Say("elsewhere.confirm"),
					Yes:   v.Say("button.post_here"),
					No:    v.Say("elsewhere.no"),
				},
			},
		)
	}
	return []chat.Block{chat.Paragraph(said), card.Row(buttons...)}
}
