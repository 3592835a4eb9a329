package slack

import "maturitybot/bot/chat"

// Platform is the name of Slack in a chat.Person and a chat.Place.
const Platform = "slack"

// inbound is a user's event, and what an answer to it needs.
type inbound struct {
	event chat.Event
	// trigger opens one modal, within three seconds of the event.
	trigger string
	origin  origin
	// view is the id of the modal that was submitted, else empty.
	view string
	// home is true for a press in App Home.
	home bool
}

// locate fills in the place of an event, and the card that it was made on, from its origin.
func (g *inbound) locate(team string) {
	g.event.Where = place(team, g.origin.Channel)
	g.event.Private = g.origin.Private
	if g.shared() {
		g.event.SharedCard = chat.CardRef{Place: g.event.Where, Message: g.origin.Card}
	}
}

// shared returns true for a press on a card that everybody in a channel sees.
func (g inbound) shared() bool {
	return g.origin.Card != "" && !g.origin.Private && !g.origin.Whispered
}

// changeable returns true for a press on a card that only the person sees, which an update can
// change.
func (g inbound) changeable() bool {
	return g.event.Kind != chat.Home && !g.home && g.origin.Card != "" && !g.shared()
}

// origin is where an event comes from: the message that its replies change, or the conversation
// that they go to. A modal carries the origin of the press that opened it, in its private_metadata.
type origin struct {
	Channel string `json:"c,omitempty"` // the conversation, as Slack names it
	Private bool   `json:"p,omitempty"` // it is the person's own conversation with the bot
	// URL takes up to five replies within 30 minutes, also in conversations that the bot is not in.
	URL string `json:"u,omitempty"`
	// Card is the timestamp of the message that was pressed, if one was.
	Card string `json:"t,omitempty"`
	// Whispered is true if only this person sees that message. It can be changed only through URL.
	Whispered bool `json:"w,omitempty"`
}
