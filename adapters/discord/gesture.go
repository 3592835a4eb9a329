// Package discord brings the bot to Discord: it reads what people do there into a chat.Event, and draws a chat.Reply as
// messages and modals. It knows nothing of surveys, and keeps nothing between two gestures: what an answer needs comes
// with the gesture, in component ids and in the interaction's own token.
//
// Cards are Components V2. They alone put each level's button beside its own descriptor; an embed with rows of buttons below repeats four names
// that the thumb must match to four paragraphs, and on a phone the two do not fit one screen.
//
// Gestures come in by HTTP or by the gateway, are handled in order and once each, and are answered for the first time within three seconds,
// not before they have been handled unless that takes too long.
//
// What crosses the wire is in small structs of this package. discordgo's are not used for it: the release v0.29.0 can neither
// send nor read a labelled field of a modal, and one component of a kind it does not know, anywhere in a payload, leaves an interaction half decoded
// that then panics when it is read. A struct that names what the bot needs, and no more, cannot meet an unknown kind.
// client.go and gateway.go say why its REST calls and its connection are not used either. What is left of it are Discord's
// numbers and the form in which files are sent, for which the latest release is as good as any.
package discord

import (
	"strconv"
	"time"

	"maturitybot/bot/chat"
)

// Platform is the name of Discord in a chat.Person and a chat.Place. Their workspace is always empty: ids of people and of
// channels are unique in all of Discord, and a person is the same one in a server and in the conversation with the bot,
// where Discord tells no server.
const Platform = "discord"

// inbound is one thing that somebody did in Discord, and what it takes to answer it there.
type inbound struct {
	kind   inboundKind
	event  chat.Event
	origin origin
	// typing is the option that somebody is about to fill in, of which event.Values has the beginning, where kind is completing.
	typing string
}

// inboundKind is what a gesture asks of the adapter.
type inboundKind int

// The kinds of gestures.
const (
	ping        inboundKind = iota // Discord tries the endpoint: answer with pong
	gestureMade                    // somebody did what the event says
	completing                     // somebody is typing a command: answer with choices
	dismissed                      // somebody said no to a question: answer with unchanged, no more
)

// origin is where a gesture came from: what its replies change, or stand beside.
type origin struct {
	Interaction string // its id
	Application string // the bot's
	// Token answers within three seconds, and changes or follows the answer within 15 minutes.
	Token   string
	Guild   string // the server, or empty
	Channel string
	// Message is the id of the message that was pressed, or whose button opened the modal; empty after a command.
	Message string
	// Rights are the bot's permissions in the channel as Discord told them with the gesture, where it did (RightsTold).
	Rights     rights
	RightsTold bool
	// Whispered says that only this person sees that message: it can be changed through the token alone.
	Whispered bool
}

// person is the same one in every server, and place is in one, or in none where it is somebody's conversation with the bot.
func person(id string) chat.Person { return chat.Person{Platform: Platform, ID: id} }
func place(guild, channel string) chat.Place {
	return chat.Place{Platform: Platform, Workspace: guild, Channel: channel}
}

func snowflakeTime(n uint64) time.Time { return time.UnixMilli(int64(n>>22) + discordEpoch).UTC() }

// discordEpoch is the first second of 2015 in Unix milliseconds, which Discord's ids count from (reference.mdx, "Snowflakes").
const discordEpoch = 1420070400000

// snowflake reads an id of Discord.
func snowflake(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && s[0] != '0'
}
