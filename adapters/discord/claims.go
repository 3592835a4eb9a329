package discord

import (
	"context"
	"time"

	"maturitybot/bot/chat"
)

// claim finds out whether this process answers an exchange, and closes claimDone.
func (d *Discord) claim(x *exchange) {
	if x.claimDone == nil {
		return
	}
	x.claimedElsewhere = !d.claimed(x.event.ID)
	close(x.claimDone)
}

// claimed returns true if this process is to answer an event. It also does so if the claim fails:
// Discord then takes the first response.
func (d *Discord) claimed(event string) bool {
	if d.options.Claims == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), claimTimeout)
	defer cancel()
	claimed, err := d.options.Claims.Claim(ctx, claimName(event))
	if err != nil {
		d.log.Warn("cannot find out whether another process answers", "error", err)
		return true
	}
	return claimed
}

// claimName returns the name under which an event is claimed.
func claimName(event string) string { return "discord " + event }

// waitClaim waits, no longer than until a time, and returns true if this process answers.
func (x *exchange) waitClaim(until time.Time) bool {
	if x.claimDone == nil {
		return true
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-x.claimDone:
		return !x.claimedElsewhere
	case <-timer.C:
		return true
	}
}

// withClaims is a responder that passes an event on to the bot, unless another process has claimed
// it, or it comes from a server that is not listed.
type withClaims struct {
	chat.Responder
	discord *Discord
}

// Handle does what the event asks for, unless another process does.
func (c withClaims) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	d := c.discord
	d.mu.Lock()
	x := d.byEvent[e.ID]
	d.mu.Unlock()
	if x != nil && !x.waitClaim(x.arrived.Add(claimTimeout)) {
		return nil
	}
	if !d.allowsGuild(e.Where.Workspace) {
		// The bot says nothing in other servers: a press changes nothing, and the deferred answer
		// to a command is removed.
		d.log.Warn("event dropped: its server is not listed", "guild", e.Where.Workspace)
		return nil
	}
	return c.Responder.Handle(ctx, e)
}
