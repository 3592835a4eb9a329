// Package discord is the bot in Discord. It decodes interactions into chat.Events, hands them to a
// chat.Responder, and draws its replies as messages and modals. It holds no rule of the
// conversation and no state between two interactions: component ids and the interaction's token
// carry what an answer needs.
//
// Cards use Components V2, which can put a button beside the paragraph that it belongs to. Embeds
// have all buttons below the text, where on a phone the two do not fit one screen.
//
// Interactions arrive by HTTP or by the gateway. They are handled one at a time for each person,
// and each one once. They are answered within the three seconds that Discord allows: with the
// reply, or with a deferral if that takes too long.
//
// Payloads are small structs of this package. Those of discordgo v0.29.0 can neither send nor read
// a labelled field of a modal, and a component of an unknown type leaves an interaction half
// decoded, which then panics when it is read.
//
// A discordgo.Session makes the requests of the REST API; client.go says what is left out of it.
// The gateway connection is this package's own; gateway.go says which tests fail on discordgo's.
package discord

import (
	"strconv"
	"time"

	"maturitybot/bot/chat"
)

// Platform is the name of Discord in a chat.Person and a chat.Place. A person's workspace is empty:
// ids are unique in all of Discord, and a person is the same in a server and in their conversation
// with the bot, which belongs to no server.
const Platform = "discord"

// inbound is a user's event, and what an answer to it needs.
type inbound struct {
	kind   inboundKind
	event  chat.Event
	origin origin
	// typing is the option that a user is filling in, if kind is completing. Event.Values has what
	// is typed so far.
	typing string
}

// inboundKind is what an interaction asks of the adapter.
type inboundKind int

// The kinds of interactions.
const (
	ping       inboundKind = iota // Discord tries the endpoint: answer with pong
	handled                       // the bot handles the event
	completing                    // a user is typing a command: answer with choices
	dismissed                     // a user answered a question with no: nothing changes
)

// origin is where an event comes from, and how to answer it.
type origin struct {
	Interaction string // its id
	Application string // the bot's
	// Token answers within three seconds, and changes or follows the answer within 15 minutes.
	Token   string
	Guild   string // the server, or empty
	Channel string
	// Message is the id of the message that was pressed, or whose button opened the modal; empty
	// after a command.
	Message string
	// Rights are the bot's permissions in the channel. They are known if RightsKnown is true: if
	// Discord sent them with the interaction.
	Rights      rights
	RightsKnown bool
	// Whispered says that only this person sees that message: it can be changed through the token
	// alone.
	Whispered bool
}

// person is the same one in every server, and place is in one, or in none if it is a person's
// conversation with the bot.
func person(id string) chat.Person { return chat.Person{Platform: Platform, ID: id} }
func place(guild, channel string) chat.Place {
	return chat.Place{Platform: Platform, Workspace: guild, Channel: channel}
}

func snowflakeTime(n uint64) time.Time { return time.UnixMilli(int64(n>>22) + discordEpoch).UTC() }

// discordEpoch is the first second of 2015 in Unix milliseconds, which Discord's ids count from
// (reference.mdx, "Snowflakes").
const discordEpoch = 1420070400000

// snowflake reads an id of Discord.
func snowflake(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && s[0] != '0'
}
