package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

const (
	// tokenSettleTimeout is how long after its arrival an interaction's token may not work yet: a
	// response that was given by HTTP takes a moment to reach the servers that take changes of it.
	tokenSettleTimeout = 5 * time.Second
	// tokenRetryDelay is the pause before the second attempt within that time. It doubles.
	tokenRetryDelay = 250 * time.Millisecond
)

// carryOut carries out the replies to an event that the first response did not carry.
func (d *Discord) carryOut(ctx context.Context, x *exchange, replies []chat.Reply) {
	select {
	case <-x.answered:
	case <-ctx.Done():
		d.log.Error("reply not delivered", "error", ctx.Err())
		return
	}
	if x.answeredElsewhere {
		return
	}
	to := replier{d, x}
	if x.carriesReply {
		replies = x.remaining
		if u, ok := x.carriedReply.(chat.Update); ok {
			if err := platform.Refresh(ctx, to, u); err != nil {
				d.log.Error("reply not delivered", "reply", "drawn again", "error", err)
			}
		}
	}
	platform.CarryOut(ctx, d.log, replies, to)
	if x.deferred { // no message has taken its place
		remove := x.webhookRequest(
			"remove a deferred answer", http.MethodDelete, "/messages/@original", nil,
		)
		if err := d.withTokenRetry(ctx, x, remove); err != nil {
			d.log.Warn("deferred answer not removed", "error", err)
		}
	}
}

// replier shows the replies to one event.
type replier struct {
	discord  *Discord
	exchange *exchange
}

func (r replier) Update(ctx context.Context, card chat.Card) error {
	return r.discord.update(ctx, r.exchange, card)
}

func (r replier) CanUpdate() bool { return r.exchange.changeable() }

func (r replier) Redraw(redraw chat.Redraw) error { return r.discord.redraws.Add(redraw) }

// Whisper shows the card without its files if Discord refuses those.
func (r replier) Whisper(ctx context.Context, w chat.Whisper) error {
	err := r.discord.whisper(ctx, r.exchange, w.Card, w.Files...)
	if !refusesFiles(err) || len(w.Files) == 0 {
		return err
	}
	return missingFiles(w.Files, err, r.discord.whisper(ctx, r.exchange, w.Card))
}

// Direct always fails: no event of Discord's has chat.Event.Direct.
func (r replier) Direct(context.Context, chat.Card) chat.Delivered {
	return chat.Delivered{Err: errors.New("show a card directly: not in Discord")}
}

// Post gives each post of an event an id of its own, so that it arrives once.
func (r replier) Post(ctx context.Context, n int, p chat.Post) error {
	id := fmt.Sprintf("%s-%d", r.exchange.event.ID, n)
	return r.discord.post(ctx, id, p.To, p.Card, p.Files)
}

// OpenForm replaces a form that came too late to open. After a press, the card has a button that
// asks for the form again.
func (r replier) OpenForm(ctx context.Context, o chat.OpenForm) error {
	r.discord.log.Warn("form came too late")
	event := r.exchange.event
	blocks := slices.Clone(o.Fallback.Blocks)
	if _, err := event.Action.Encode(); err == nil && event.Kind == chat.Press {
		again := chat.Button{Label: o.Form.Title, Action: event.Action}
		blocks = append(blocks, chat.Buttons{Buttons: []chat.Button{again}})
	}
	return r.discord.whisper(ctx, r.exchange, chat.Card{Blocks: blocks})
}

func (r replier) FieldErrors(ctx context.Context, f chat.FieldErrors) error {
	var err error
	for _, card := range r.exchange.giveBack(f) {
		err = errors.Join(err, r.discord.whisper(ctx, r.exchange, card))
	}
	return err
}

// webhookRequest returns a call that is authorized by the interaction's token.
func (x *exchange) webhookRequest(what, method, path string, body any) request {
	webhook := "webhooks/" + x.origin.Application + "/" + x.origin.Token
	return request{
		what: what, method: method, path: webhook + path, bucket: webhook, body: body, own: true,
	}
}

// withTokenRetry makes a call that is authorized by an interaction's token. It is repeated while
// the token may not work yet.
func (d *Discord) withTokenRetry(ctx context.Context, x *exchange, r request) error {
	for pause := tokenRetryDelay; ; pause *= 2 {
		err := d.client.do(ctx, r, nil)
		settled := time.Since(x.arrived) > tokenSettleTimeout
		if code(err) != discordgo.ErrCodeUnknownWebhook || settled ||
			dispatch.Sleep(ctx, pause) != nil {
			return err
		}
	}
}

// tokenExpired returns true for an error which says that an interaction's token works no longer,
// because its fifteen minutes are over, for example.
func tokenExpired(err error) bool {
	switch code(err) {
	case discordgo.ErrCodeUnknownWebhook, discordgo.ErrCodeInvalidWebhookTokenProvided,
		discordgo.ErrCodeUnknownInteraction:
		return true
	}
	return false
}

// update changes the card that was pressed, or whispers the new card if that is not possible.
func (d *Discord) update(ctx context.Context, x *exchange, c chat.Card) error {
	if !x.changeable() {
		return d.whisper(ctx, x, c)
	}
	m, err := message(c, false, nil)
	if err != nil {
		return err
	}
	if x.editsCard && !x.tokenDead {
		edit := x.webhookRequest("change a card", http.MethodPatch, "/messages/@original", m)
		err = d.withTokenRetry(ctx, x, edit)
		switch {
		case tokenExpired(err):
			x.tokenDead = true
			x.deferred = false
		case code(err) == discordgo.ErrCodeUnknownMessage: // the user has dismissed it
			x.origin.Message = ""
			return d.whisper(ctx, x, c)
		default:
			return err
		}
	}
	if !x.event.Private { // only a token changes what one person alone sees
		return d.whisper(ctx, x, c)
	}
	edit := editRequest(x.origin.Channel, x.origin.Message)
	edit.body = m
	err = d.client.do(ctx, edit, nil)
	if code(err) == discordgo.ErrCodeUnknownMessage {
		return d.whisper(ctx, x, c)
	}
	return err
}

// editRequest returns a call that changes a message of the bot's by the bot's own token, which does
// not expire as an interaction's does.
func editRequest(channel, message string) request {
	messages := "channels/" + channel + "/messages"
	return request{
		what: "change a card", method: http.MethodPatch,
		path: messages + "/" + message, bucket: messages + " change",
	}
}

// editShared changes a card that everybody in a channel sees.
func (d *Discord) editShared(ctx context.Context, ref chat.CardRef, draw platform.Draw) error {
	for _, id := range []string{ref.Place.Channel, ref.Message} {
		if _, ok := snowflake(id); !ok {
			return errors.New("change a card: not a message in Discord")
		}
	}
	edit := editRequest(ref.Place.Channel, ref.Message)
	edit.draw = func(ctx context.Context) (any, error) {
		card, err := draw(ctx)
		if err != nil {
			return nil, err
		}
		body, err := message(card, false, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", platform.ErrNotDrawn, err)
		}
		return body, nil
	}
	err := d.client.do(ctx, edit, nil)
	switch {
	case err == nil:
		return nil
	case code(err) == discordgo.ErrCodeUnknownMessage, code(err) == discordgo.ErrCodeUnknownChannel:
		return fmt.Errorf("%w: %w", platform.ErrCardGone, err)
	case errors.Is(err, platform.ErrNotDrawn):
		return err
	}
	return markUnavailable(err)
}

// whisper shows a card, with files, to the person of an event alone.
func (d *Discord) whisper(
	ctx context.Context, x *exchange, c chat.Card, files ...chat.File,
) error {
	if !x.tokenDead {
		err := d.followUp(ctx, x, c, files)
		if !tokenExpired(err) {
			return err
		}
		x.tokenDead = true
		x.deferred = false
		if !x.event.Private {
			return err
		}
	}
	if !x.event.Private {
		return errors.New("whisper a card: the time for an answer is over")
	}
	m, err := message(c, false, files)
	if err != nil {
		return err
	}
	m.Nonce = nonce("")
	m.EnforceNonce = true
	return d.client.send(ctx, x.origin.Channel, m, files)
}

// followUp shows a card, with files, by the interaction's token: in place of a deferred answer, or
// as a message of its own.
func (d *Discord) followUp(
	ctx context.Context, x *exchange, c chat.Card, files []chat.File,
) error {
	if !x.deferred {
		m, err := message(c, !x.event.Private, files)
		if err != nil {
			return err
		}
		r := x.webhookRequest("follow an answer", http.MethodPost, "", m)
		r.files = files
		return d.withTokenRetry(ctx, x, r)
	}
	m, err := message(c, false, files) // the deferral has decided who sees it
	if err != nil {
		return err
	}
	r := x.webhookRequest("fill an answer", http.MethodPatch, "/messages/@original", m)
	r.files = files
	err = d.withTokenRetry(ctx, x, r)
	if err == nil {
		x.deferred = false
	}
	return err
}
