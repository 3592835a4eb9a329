package slack

import (
	"context"

	"maturitybot/bot/chat"
)

// withProfiles is a responder that adds to each event what Slack knows of its person, and passes it
// on to the bot. It runs within the person's order, so that no later event overtakes one that waits
// for a profile.
type withProfiles struct {
	chat.Responder
	slack *Slack
}

// Handle adds the profile to an event and handles it. A user who is known to belong to another
// organisation becomes a person of another workspace, even within an enterprise, where ids are the
// same in all workspaces. The people that were picked in a form are checked the same way.
func (w withProfiles) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s := w.slack
	timeout := profileTimeout
	if e.Kind == chat.Press && w.Ack(e) == chat.AckUpdate {
		// A press that changes its own card is the most frequent event, and never needs an admin.
		timeout = 0
	}
	if e.Unverified { // nobody may pass for a member before the profile says so
		timeout = profileTimeout
	}
	p, err := s.profiles.get(ctx, e.Who.ID, timeout)
	if err != nil && timeout > 0 {
		s.log.Warn("profile unknown", "error", err)
	}
	e.Unverified = e.Unverified && err != nil
	e.Admin = p.admin && !p.outsider
	e.Locale = p.locale
	e.TimeZone = p.zone
	e.Direct = true
	if p.outsider {
		e.Who.Workspace = p.foreignWorkspace(s.team)
	}
	if e.Kind == chat.Submit {
		e.Values = s.picked(ctx, e.Values)
	}
	return w.Responder.Handle(ctx, e)
}
