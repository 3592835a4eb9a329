package slack

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// carryOut carries out the replies to an event, once it is acknowledged. Forms open before that.
func (s *Slack) carryOut(ctx context.Context, d *delivery, replies []chat.Reply) {
	for _, r := range replies {
		if form, ok := r.(chat.OpenForm); ok {
			s.open(ctx, d, form.Form)
		}
	}
	<-d.ack
	platform.CarryOut(ctx, s.log, replies, replier{s, d})
	if d.event.Kind != chat.Home {
		s.homes.markStale(d.event.Who)
	}
}

// replier shows the replies to one event.
type replier struct {
	slack    *Slack
	delivery *delivery
}

func (r replier) Update(ctx context.Context, card chat.Card) error {
	return r.slack.update(ctx, r.delivery.inbound, card)
}

func (r replier) CanUpdate() bool { return r.delivery.changeable() }

func (r replier) Redraw(redraw chat.Redraw) error { return r.slack.redraws.Add(redraw) }

// Whisper sends a card with files to the person's own conversation, because a message that one
// person sees in a channel cannot have any.
func (r replier) Whisper(ctx context.Context, w chat.Whisper) error {
	if len(w.Files) == 0 {
		return r.slack.whisper(ctx, r.delivery.inbound, w.Card)
	}
	return r.slack.post(ctx, inbound{}, r.delivery.event.Who.ID, w.Card, w.Files)
}

func (r replier) Direct(ctx context.Context, card chat.Card) chat.Delivered {
	return r.slack.directWithLink(ctx, r.delivery.event.Who, card)
}

func (r replier) Post(ctx context.Context, _ int, p chat.Post) error {
	return cannotPost(r.slack.post(ctx, r.delivery.inbound, p.To.Channel, p.Card, p.Files))
}

// OpenForm whispers the fallback of a form that did not open. Forms were opened before.
func (r replier) OpenForm(ctx context.Context, o chat.OpenForm) error {
	if !r.delivery.openFailed {
		return nil
	}
	return r.slack.whisper(ctx, r.delivery.inbound, o.Fallback)
}

// FieldErrors gives back what was typed, if the acknowledgement came too early to keep the form
// open.
func (r replier) FieldErrors(ctx context.Context, f chat.FieldErrors) error {
	if r.delivery.refusalSent {
		return nil
	}
	var err error
	for _, card := range platform.GiveBack(f, r.delivery.typed(), textFits) {
		err = errors.Join(err, r.slack.direct(ctx, r.delivery.event.Who, card))
	}
	return err
}

// textFits returns true if a card's text is short enough for one message.
func textFits(c chat.Card) bool {
	return len(c.Blocks) <= chat.MaxBlocks && utf8.RuneCountInString(c.String()) <= chat.MaxCardText
}

// open opens a form, once for each delivery. A second call waits for the first.
func (s *Slack) open(ctx context.Context, d *delivery, f chat.Form) {
	d.open.Do(func() {
		defer dispatch.RecoverAndLog(s.log, "opening a form")
		view, err := modal(f, d.origin)
		if err == nil {
			err = s.client.call(ctx, "views.open", false, func(ctx context.Context) error {
				_, err := s.client.api.OpenViewContext(ctx, d.trigger, view)
				return err
			})
		}
		if err != nil { // expired_trigger_id: it came too late
			d.openFailed = true
			s.log.Error("form not opened", "error", err)
		}
	})
}

// update changes the card that was pressed. If everybody in a channel sees that card, the new one
// is whispered, because it is for the person who pressed alone.
func (s *Slack) update(ctx context.Context, in inbound, card chat.Card) error {
	switch {
	case in.event.Kind == chat.Home:
		return s.publish(ctx, in.event.Who.ID, card)
	case !in.changeable():
		return s.whisper(ctx, in, card)
	}
	if in.origin.URL != "" {
		body, err := chat.Once(card, drawReplacement)
		if err != nil {
			return err
		}
		if err = s.client.respond(ctx, in.origin, body, true); err == nil {
			return nil
		}
		s.log.Info("response url not usable", "error", err)
	}
	text, drawn, err := draw(card)
	if err != nil {
		return err
	}
	if !in.origin.Whispered {
		if err := s.replies.wait(ctx, in.origin.Channel); err != nil {
			return fmt.Errorf("wait to change a card: %w", err)
		}
		update := func(ctx context.Context) error {
			_, _, _, err := s.client.api.UpdateMessageContext(
				ctx, in.origin.Channel, in.origin.Card, messageOptions(text, drawn),
			)
			return err
		}
		err = s.client.callIn(ctx, "chat.update", in.origin.Channel, true, update)
		if judge(err).Verdict != platform.Refused {
			return err
		}
		// The message was deleted, or is older than the workspace lets messages be edited.
		s.log.Info("card cannot be changed", "error", err)
	}
	in.origin.URL = ""
	return s.whisper(ctx, in, card)
}

// editShared changes a card that everybody in a channel sees. It is not paced: Slack's limit of one
// message a second for each channel does not hold for edits, and platform.Redraws makes few.
func (s *Slack) editShared(ctx context.Context, ref chat.CardRef, drawCard platform.Draw) error {
	edit := func(ctx context.Context) error {
		card, err := drawCard(ctx)
		if err != nil {
			return err
		}
		text, drawn, err := draw(card)
		if err != nil {
			return fmt.Errorf("%w: %w", platform.ErrNotDrawn, err)
		}
		_, _, _, err = s.client.api.UpdateMessageContext(
			ctx, ref.Place.Channel, ref.Message, messageOptions(text, drawn),
		)
		return err
	}
	err := s.client.callIn(ctx, "chat.update", ref.Place.Channel, true, edit)
	switch {
	case err == nil:
		return nil
	case code(err) == "message_not_found":
		return fmt.Errorf("%w: %w", platform.ErrCardGone, err)
	}
	return markUnavailable(err)
}

// whisper shows a card to the person of an event alone.
func (s *Slack) whisper(ctx context.Context, in inbound, card chat.Card) error {
	if in.home || in.event.Kind == chat.Home || in.origin.Channel == "" {
		return s.direct(ctx, in.event.Who, card)
	}
	if in.origin.Private {
		// A conversation of two people looks like one with the bot, until Slack says that the bot
		// is not in it.
		if _, err := s.postMessage(ctx, in.origin.Channel, card); !isNotMember(err) {
			return err
		}
	}
	text, drawn, err := draw(card)
	if err != nil {
		return err
	}
	if in.origin.URL != "" {
		body, err := encodeResponse(response{Type: "ephemeral", Text: text, Blocks: drawn})
		if err == nil {
			err = s.client.respond(ctx, in.origin, body, false)
		}
		if err == nil || errors.Is(err, chat.ErrUnsure) {
			return err
		}
	}
	if in.origin.Private {
		return s.direct(ctx, in.event.Who, card)
	}
	if err := s.replies.wait(ctx, in.origin.Channel); err != nil {
		return fmt.Errorf("wait to whisper: %w", err)
	}
	post := func(ctx context.Context) error {
		_, err := s.client.api.PostEphemeralContext(
			ctx, in.origin.Channel, in.event.Who.ID, messageOptions(text, drawn),
		)
		return err
	}
	err = s.client.callIn(ctx, "chat.postEphemeral", in.origin.Channel, false, post)
	if err == nil || errors.Is(err, chat.ErrUnsure) {
		return err
	}
	return s.direct(ctx, in.event.Who, card)
}
