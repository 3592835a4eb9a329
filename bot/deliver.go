package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// Deliver sends one message that is owed, unless what it would tell is not awaited any more. It returns nil when nothing is left to
// do about it: it was sent, may have been sent, is not awaited, or its person cannot be reached, which is noted. Any other
// error means that it was not sent and can be tried again.
func (b *Bot) Deliver(ctx context.Context, d survey.Delivery) error {
	seat, awaited, err := b.Rounds.Awaited(ctx, d)
	if err != nil || !awaited {
		return err
	}
	to, err := chat.ParsePerson(string(d.Person))
	if err != nil {
		return fmt.Errorf("deliver a message: %w", err)
	}
	card, err := b.message(ctx, d, seat)
	if err != nil {
		return err
	}
	if err := card.Check(); err != nil {
		return fmt.Errorf("deliver a message: %w", err)
	}
	log := b.Log.With("message", d.Kind, "round", d.Round, "person", b.short(to))
	switch err := b.Sender.Send(ctx, messageID(d), to, card); {
	case err == nil:
		log.Info("message sent")
	case errors.Is(err, chat.ErrUnreachable):
		log.Warn("person cannot be reached", "error", err)
		return b.Rounds.SetUnreachable(ctx, d.Round, d.Person, true)
	case errors.Is(err, chat.ErrUnsure):
		// Once too few is better than twice: a coordinator sees who has not started, and can remind them.
		log.Error("message may not have been sent", "error", err)
	default:
		return fmt.Errorf("deliver a message: %w", err)
	}
	return nil
}

// messageID names one message to one person, in the 25 characters that Discord's nonce has.
func messageID(d survey.Delivery) string {
	sum := sha256.Sum256([]byte(string(d.Round) + " " + string(d.Kind) + " " + string(d.Person)))
	return hex.EncodeToString(sum[:12])
}

// message is the card of an owed message.
func (b *Bot) message(ctx context.Context, d survey.Delivery, seat survey.Seat) (chat.Card, error) {
	m, err := b.Rounds.Matrix(seat.Round)
	if err != nil {
		return chat.Card{}, err
	}
	switch {
	case d.Kind == survey.Invitation:
		return b.Invitation(seat.Round, m), nil
	case !seat.Member.TakesPart():
		return b.reminder(seat.Round, m, seat.Member), nil
	}
	seat, resp, err := b.Rounds.View(ctx, d.Round, d.Person)
	if err != nil {
		return chat.Card{}, err
	}
	v, r := b.seatVoice(chat.Event{}, seat), seat.Round
	return chat.Card{Blocks: []chat.Block{
		chat.Heading{Text: v.Say("reminder.title", "area", r.Area)},
		chat.Say(v.Say("reminder.body", "done", resp.Rated(), "n", len(m.Elements()), "closes", b.when(v, r))),
		row(primary(v.Say("button.continue"), chat.Do("begin", string(r.ID))), button(v.Say("button.kept"), chat.Do("kept", string(r.ID)))),
	}}, nil
}
