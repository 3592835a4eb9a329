package card

import (
	"errors"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
)

// CannotPostReason returns why the bot cannot post in a channel, and what people can do about it.
func CannotPostReason(v locale.Voice, err error) string {
	why, ok := errors.AsType[*chat.CannotPostError](err)
	if !ok {
		return v.Say("cannot_post.unknown")
	}
	switch why.Reason {
	case chat.NotMember:
		return v.Say("cannot_post.member")
	case chat.Gone:
		return v.Say("cannot_post.gone")
	case chat.Archived:
		return v.Say("cannot_post.archived")
	case chat.Restricted:
		return v.Say("cannot_post.restricted")
	case chat.MissingRights:
		return v.Say("cannot_post.rights", "rights", strings.Join(why.Rights, ", "))
	}
	return v.Say("cannot_post.unknown")
}

// CannotPost says what was not done because the bot cannot post in a channel, and why.
func CannotPost(v locale.Voice, said string, in chat.Place, err error) []chat.Block {
	return []chat.Block{
		chat.Text{Spans: []chat.Span{chat.Bold(said)}},
		chat.Text{Spans: []chat.Span{chat.Link{Place: in}, chat.Words(": " + CannotPostReason(v, err))}},
	}
}
