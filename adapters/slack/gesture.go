package slack

import "maturitybot/bot/chat"

// Platform is the name of Slack in a chat.Person and a chat.Place.
const Platform = "slack"

// inbound is one thing that somebody did in Slack, and what it takes to answer it there.
type inbound struct {
	event chat.Event
	// trigger opens one modal, within three seconds of the gesture.
	trigger string
	origin  origin
	// view is the id of the modal that was submitted, else empty.
	view string
	// home says that it was pressed in App Home.
	home bool
}

// shared says that it was made on a card that everybody in a channel sees.
func (g inbound) shared() bool {
	return g.origin.Card != "" && !g.origin.Private && !g.origin.Whispered
}

// changeable says that a card was pressed which is the person's alone, so that an update can change
// it.
func (g inbound) changeable() bool {
	return g.event.Kind != chat.Home && !g.home && g.origin.Card != "" && !g.shared()
}

// origin is where a gesture came from: what its replies change, or stand beside. A modal carries that of the press that opened
// it, in its private_metadata.
type origin struct {
	Channel string `json:"c,omitempty"` // the conversation, as Slack names it
	Private bool   `json:"p,omitempty"` // it is the person's own with the bot
	// URL takes up to five replies within 30 minutes, in conversations of which the bot is no member as well.
	URL string `json:"u,omitempty"`
	// Card is the timestamp of the message that was pressed, if one was.
	Card string `json:"t,omitempty"`
	// Whispered says that only this person sees that message: it can be changed through URL alone.
	Whispered bool `json:"w,omitempty"`
}
