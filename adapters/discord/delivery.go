package discord

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/bwmarrin/discordgo"

	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

const (
	// claimTimeout bounds a claim, and the suggestions for a user who is typing.
	claimTimeout = 1500 * time.Millisecond
	// responseTimeout bounds the first response: Discord takes it for three seconds.
	responseTimeout = 3 * time.Second
)

// onInteraction takes an interaction, and answers it in another goroutine.
func (d *Discord) onInteraction(payload []byte) {
	g, err := decodeInteraction(payload, d.options.Commands)
	if err != nil {
		d.log.Warn("interaction not understood", "error", err)
		if !errors.Is(err, errForeign) {
			return
		}
	}
	if g.kind != handled {
		at := time.Now()
		d.running.Go(func() {
			ctx := context.Background()
			answer, ok := d.immediateResponse(ctx, g)
			if !ok || !d.claimed(g.event.ID) {
				return
			}
			if err := d.sendResponse(ctx, g, at, answer); err != nil {
				d.log.Info("not answered", "error", err)
			}
		})
		return
	}
	x, err := d.accept(g, payload, time.Now(), true)
	if err != nil {
		d.log.Error("interaction not accepted", "error", err)
		return
	}
	if x.ticket.Duplicate {
		return
	}
	d.running.Go(func() { d.claim(x) })
	d.running.Go(func() {
		// What was begun is finished, also when the connection ends.
		ctx := context.Background()
		answer := d.awaitResponse(ctx, x)
		if !x.waitClaim(x.arrived.Add(formTimeout)) {
			x.answeredElsewhere = true
			close(x.answered)
			return
		}
		d.responded(x, d.sendResponse(ctx, g, x.arrived, answer))
	})
}

// sendResponse sends the first response to an interaction. It is repeated while there is time: if
// an earlier attempt has arrived after all, Discord says so.
func (d *Discord) sendResponse(
	ctx context.Context, g inbound, at time.Time, answer response,
) error {
	ctx, cancel := context.WithDeadline(ctx, at.Add(responseTimeout))
	defer cancel()
	r := request{
		what: "answer an interaction", method: http.MethodPost,
		path:   "interactions/" + g.origin.Interaction + "/" + g.origin.Token + "/callback",
		bucket: "interactions/" + g.origin.Interaction, body: answer, own: true,
	}
	for try := 1; ; try++ {
		err := d.client.do(ctx, r, nil)
		switch {
		case try > 1 && code(err) == discordgo.ErrCodeInteractionHasAlreadyBeenAcknowledged:
			return nil
		case !errors.Is(err, chat.ErrUnsure), dispatch.Sleep(ctx, tokenRetryDelay) != nil:
			return err
		}
	}
}

// onMessage takes a direct message to the bot. Its text is not read.
func (d *Discord) onMessage(payload []byte) {
	var m struct {
		ID      string `json:"id"`
		Type    int    `json:"type"`
		Channel string `json:"channel_id"`
		Guild   string `json:"guild_id"`
		Author  struct {
			ID  string `json:"id"`
			Bot bool   `json:"bot"`
		} `json:"author"`
	}
	const written, answered = 0, 19
	if json.Unmarshal(payload, &m) != nil || m.Author.Bot || m.Author.ID == d.app ||
		m.Guild != "" || m.Type != written && m.Type != answered {
		return
	}
	id, known := snowflake(m.ID)
	_, who := snowflake(m.Author.ID)
	_, where := snowflake(m.Channel)
	if !known || !who || !where {
		return
	}
	x, err := d.accept(inbound{
		event: chat.Event{
			ID: m.ID, Kind: chat.Message, At: snowflakeTime(id), Who: person(m.Author.ID),
			Where: place("", m.Channel), Private: true, Community: chat.Server,
		},
		origin: origin{Channel: m.Channel},
	}, nil, time.Now(), true)
	if err != nil {
		d.log.Error("message not accepted", "error", err)
		return
	}
	if x.ticket.Duplicate {
		return
	}
	x.tokenDead = true // there is no interaction to answer
	d.running.Go(func() {
		d.claim(x)
		x.answeredElsewhere = x.claimedElsewhere
		close(x.answered)
	})
}

// immediateResponse returns the response to an interaction that the bot does not handle.
func (d *Discord) immediateResponse(ctx context.Context, g inbound) (response, bool) {
	switch g.kind {
	case ping:
		return pongResponse, true
	case dismissed:
		return deferredUpdate, true
	case completing:
		var options []chat.Option
		if d.options.Suggest != nil && d.allowsGuild(g.origin.Guild) {
			ctx, cancel := context.WithTimeout(ctx, claimTimeout)
			defer cancel()
			options = d.suggest(ctx, g)
		}
		return choicesResponse(options), true
	}
	return response{}, false
}

func (d *Discord) suggest(ctx context.Context, g inbound) (options []chat.Option) {
	defer dispatch.RecoverAndLog(d.log, "suggesting")
	return d.options.Suggest(ctx, g.event, g.typing)
}
