package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// formTimeout is how long after its arrival an interaction may be answered with a form. Unlike a
// message, a form cannot be deferred, and after three seconds Discord takes no answer.
const formTimeout = 2600 * time.Millisecond

// exchange is one event under way, and how far it is answered.
type exchange struct {
	inbound
	raw     []byte // of a submission, to give back what was typed
	ack     chat.Ack
	ticket  *dispatch.Ticket
	arrived time.Time
	// previous is the exchange that was under way on the same card when this one arrived, or nil.
	previous *exchange
	done     chan struct{} // closed once every reply is out
	// claimDone is closed once it is known whether this process answers. It is nil if there is one
	// process.
	claimDone        chan struct{}
	claimedElsewhere bool // another process has claimed it

	// The fields below are set when answered is closed.
	answered          chan struct{} // the first response is out, or has failed
	carriesReply      bool          // the first response carried a reply
	carriedReply      chat.Reply    // that reply
	remaining         []chat.Reply  // the other replies
	editsCard         bool          // the token changes the card that was pressed
	deferred          bool          // Discord shows that a message will come
	tokenDead         bool          // the token has expired, or there is none
	answeredElsewhere bool          // another process answers
}

// accept takes an event. Its replies wait until it is answered. Shared is true if other processes
// get the event too.
func (d *Discord) accept(
	in inbound, raw []byte, arrived time.Time, shared bool,
) (*exchange, error) {
	x := &exchange{
		inbound:  in,
		raw:      raw,
		ack:      d.responder.Ack(in.event),
		arrived:  arrived,
		answered: make(chan struct{}),
		done:     make(chan struct{}),
	}
	if !d.allowsGuild(in.event.Where.Workspace) {
		x.ack = chat.AckWhisper // nobody else is to see that something loads
	}
	card := ""
	if x.changeable() {
		card = in.origin.Channel + "/" + in.origin.Message
	}
	d.remember(in)
	d.mu.Lock()
	defer d.mu.Unlock()
	send := func(ctx context.Context, replies []chat.Reply) {
		defer d.finishClaim(x)
		defer d.forget(x, card)
		d.carryOut(ctx, x, replies)
	}
	ticket, err := d.dispatch.Submit(in.event, card, send)
	if err != nil {
		return nil, fmt.Errorf("take an event: %w", err)
	}
	x.ticket = ticket
	if ticket.Duplicate {
		return x, nil
	}
	if shared && d.options.Claims != nil {
		x.claimDone = make(chan struct{})
		d.byEvent[in.event.ID] = x
	}
	if card != "" {
		x.previous = d.byCard[card]
		d.byCard[card] = x
	}
	return x, nil
}

// forget removes an exchange whose replies are out.
func (d *Discord) forget(x *exchange, card string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(x.done)
	x.previous = nil
	if d.byCard[card] == x {
		delete(d.byCard, card)
	}
	if d.byEvent[x.event.ID] == x {
		delete(d.byEvent, x.event.ID)
	}
}

// finishClaim tells other processes that this one has done what an event asked for.
func (d *Discord) finishClaim(x *exchange) {
	if x.claimDone == nil {
		return
	}
	select {
	case <-x.answered:
	default: // it was given up
		return
	}
	if x.answeredElsewhere {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), claimTimeout)
	defer cancel()
	if err := d.options.Claims.Finish(ctx, claimName(x.event.ID)); err != nil {
		d.log.Warn("claim not finished", "error", err)
	}
}

// changeable returns true if an update may change the card that was pressed. A card that everybody
// sees stays as it is: it is a button to join, for example, and the update is for the person who
// pressed alone.
func (x *exchange) changeable() bool {
	return x.origin.Message != "" && (x.origin.Whispered || x.event.Private)
}

// hasEarlierUnanswered returns true if an earlier event on the same card is not answered yet. If
// this one were answered at once, the earlier card would be drawn over the later one.
func (x *exchange) hasEarlierUnanswered() bool {
	if x.previous == nil {
		return false
	}
	select {
	case <-x.previous.done:
		return false
	default:
		return true
	}
}

// awaitResponse waits until an event has been handled, but no longer than Discord waits, and
// returns the first response.
func (d *Discord) awaitResponse(ctx context.Context, x *exchange) response {
	timeout := dispatch.AckTimeout
	if x.ack == chat.AckForm {
		timeout = formTimeout
	}
	timer := time.NewTimer(timeout - time.Since(x.arrived))
	defer timer.Stop()
	select {
	case <-x.ticket.Handled:
	case <-timer.C:
		d.log.Warn("answered before it was handled")
		return x.deferral()
	case <-ctx.Done(): // nobody receives the response
		return x.deferral()
	}
	d.mu.Lock()
	wait := x.hasEarlierUnanswered()
	d.mu.Unlock()
	if wait && x.ack == chat.AckUpdate {
		return x.deferral()
	}
	r, err := d.firstResponse(x)
	if err != nil {
		d.log.Error("reply not drawn", "error", err)
		return x.deferral()
	}
	return r
}

// deferral returns the first response if the replies are not known, or cannot be carried by it.
func (x *exchange) deferral() response {
	x.carriesReply = false
	x.remaining = nil
	if x.ack == chat.AckUpdate && x.changeable() {
		x.editsCard = true
		return deferredUpdate
	}
	x.deferred = true
	if x.event.Private { // a message in their own conversation stays, and is theirs alone
		return deferredPost
	}
	return deferredWhisper
}

// firstResponse returns the first response if the replies are known. It carries one of them, and
// notes the others: the change of the card that was pressed, which only the first response is sure
// to make, or else the first reply.
func (d *Discord) firstResponse(x *exchange) (out response, err error) {
	err = errors.New("a panic") // unless the function returns
	defer dispatch.RecoverAndLog(d.log, "drawing a reply")
	replies := x.ticket.Replies
	carried := x.carriedIndex(replies)
	if carried < 0 {
		if x.origin.Message == "" {
			return x.deferral(), nil
		}
		x.carriesReply = true
		x.remaining = replies
		x.editsCard = true
		return deferredUpdate, nil
	}
	rest := slices.Delete(slices.Clone(replies), carried, carried+1)
	switch r := replies[carried].(type) {
	case chat.OpenForm:
		out, err = x.formResponse(r)
	case chat.Update:
		if out, err = x.updateResponse(r); err == nil && x.changeable() {
			x.editsCard = true
		}
	case chat.Whisper:
		if len(r.Files) > 0 || r.Then != nil {
			return x.deferral(), nil
		}
		out, err = x.whisperResponse(r.Card)
	case chat.FieldErrors:
		cards := x.giveBack(r)
		if len(cards) == 0 {
			return x.deferral(), nil
		}
		out, err = x.whisperResponse(cards[0])
		for i, c := range cards[1:] {
			rest = slices.Insert(rest, i, chat.Reply(chat.Whisper{Card: c}))
		}
	default: // a post must be there before anybody is told so
		return x.deferral(), nil
	}
	if err != nil {
		return response{}, err
	}
	x.carriesReply = true
	x.carriedReply = replies[carried]
	x.remaining = rest
	return out, nil
}

// carriedIndex returns which of the replies the first response carries, or -1 for none: the first
// that is no change of a shared card, which the bot's own token makes. After a press on a card that
// can be updated it is the first update, unless a post or a form comes before it. A post that fails
// takes back the replies after it.
func (x *exchange) carriedIndex(replies []chat.Reply) int {
	first := -1
	for i, r := range replies {
		if _, redraws := r.(chat.Redraw); redraws {
			continue
		}
		if first < 0 {
			first = i
		}
		switch r.(type) {
		case chat.Update:
			if x.changeable() {
				return i
			}
		case chat.Post, chat.OpenForm:
			return first
		case chat.Direct, chat.FieldErrors, chat.Redraw, chat.Whisper: // nothing to do
		}
	}
	return first
}

func (x *exchange) formResponse(r chat.OpenForm) (response, error) {
	if x.event.Kind == chat.Submit {
		return response{}, errors.New("a form cannot answer a form")
	}
	form, err := modal(r.Form)
	if err != nil {
		return response{}, err
	}
	return modalResponse(form), nil
}

func (x *exchange) updateResponse(r chat.Update) (response, error) {
	if !x.changeable() {
		return x.whisperResponse(r.Card)
	}
	body, err := chat.Once(r.Card, drawUpdate)
	if err != nil {
		return response{}, err
	}
	return response{encoded: body}, nil
}

// whisperResponse shows a card to the person of the event alone.
func (x *exchange) whisperResponse(c chat.Card) (response, error) {
	m, err := message(c, !x.event.Private, nil)
	if err != nil {
		return response{}, err
	}
	return messageResponse(m), nil
}

// giveBack returns field errors as cards with the text that was typed: Discord has closed the form
// by then.
func (x *exchange) giveBack(r chat.FieldErrors) []chat.Card {
	return platform.GiveBack(r, typed(x.raw), func(c chat.Card) bool {
		_, err := message(c, false, nil)
		return err == nil
	})
}

// typed returns the texts that were typed into a form, in its order.
func typed(raw []byte) []string {
	var in interaction
	var data interactionData
	if json.Unmarshal(raw, &in) != nil || json.Unmarshal(in.Data, &data) != nil {
		return nil // it was decoded before; a message in words has no form
	}
	var texts []string
	var walk func([]submitted)
	walk = func(all []submitted) {
		for _, c := range all {
			walk(c.Components)
			if c.Component != nil {
				walk([]submitted{*c.Component})
			}
			var text string
			if c.Type == typeInput && json.Unmarshal(c.Value, &text) == nil {
				texts = append(texts, text)
			}
		}
	}
	walk(data.Components)
	return texts
}

// responded notes how the first response fared, and lets the replies go out.
func (d *Discord) responded(x *exchange, err error) {
	d.options.Observer.Acknowledged(time.Since(x.arrived))
	switch {
	case err == nil:
	case code(err) == discordgo.ErrCodeInteractionHasAlreadyBeenAcknowledged:
		d.log.Info("answered by another process", "error", err)
		x.answeredElsewhere = true
	case errors.Is(err, chat.ErrUnsure):
		d.log.Warn("cannot find out whether it was answered", "error", err)
		// An update may be made twice.
		if again, ok := x.carriedReply.(chat.Update); ok && x.carriesReply {
			x.remaining = slices.Insert(x.remaining, 0, chat.Reply(again))
		}
	default:
		d.log.Warn("not answered in time", "error", err)
		x.carriesReply = false
		x.remaining = nil
		x.editsCard = false
		x.deferred = false
		x.tokenDead = true
	}
	close(x.answered)
}
