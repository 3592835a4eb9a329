package discord

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"maturitybot/adapters/discord/fake"
	"maturitybot/bot/chat"
)

// why returns the reason of an error of CanPost, and the permissions that it names.
func why(err error) (chat.Obstacle, []string) {
	if c, ok := errors.AsType[*chat.CannotPostError](err); ok {
		return c.Reason, c.Rights
	}
	return "", nil
}

func TestCanPost(t *testing.T) {
	const id, parent, helpers = "1100000000000000700", "1100000000000000701", "1100000000000000405"
	all := []string{viewChannel, sendMessages, attachFiles}
	deny := func(bits uint64) []fake.Overwrite { return []fake.Overwrite{{ID: fake.Guild, Deny: bits}} }
	for name, c := range map[string]struct {
		channel, above fake.Channel
		bot            fake.User
		reason         chat.Obstacle
		rights         []string
	}{
		"allowed":       {},
		"hidden":        {channel: fake.Channel{Overwrites: deny(fake.View)}, reason: chat.MissingRights, rights: all},
		"read only":     {channel: fake.Channel{Overwrites: deny(fake.Send)}, reason: chat.MissingRights, rights: []string{sendMessages}},
		"no files":      {channel: fake.Channel{Overwrites: deny(fake.Attach)}, reason: chat.MissingRights, rights: []string{attachFiles}},
		"given by role": {channel: fake.Channel{Overwrites: append(deny(fake.Attach), fake.Overwrite{ID: helpers, Allow: fake.Attach})}, bot: fake.User{Roles: []string{helpers}}},
		"given to it":   {channel: fake.Channel{Overwrites: append(deny(fake.Attach), fake.Overwrite{ID: fake.App, Allow: fake.Attach})}},
		"thread":        {channel: fake.Channel{Type: 11, Parent: parent}},
		"thread, no files": {
			channel: fake.Channel{Type: 11, Parent: parent}, above: fake.Channel{Overwrites: deny(fake.Attach)},
			reason: chat.MissingRights, rights: []string{attachFiles},
		},
		"thread where it cannot write": {
			channel: fake.Channel{Type: 11, Parent: parent}, above: fake.Channel{Overwrites: deny(fake.SendInThreads)},
			reason: chat.MissingRights, rights: []string{sendInThreads},
		},
		"thread under a channel where it cannot write": {
			channel: fake.Channel{Type: 11, Parent: parent}, above: fake.Channel{Overwrites: deny(fake.Send)},
		},
		"locked thread": {channel: fake.Channel{Type: 11, Parent: parent, Locked: true}, reason: chat.Archived},
	} {
		t.Run(name, func(t *testing.T) {
			var here *world
			var known error
			asked := 0
			ask := func(context.Context, chat.Event) []chat.Reply {
				before := len(here.Calls(""))
				known = here.discord.CanPost(t.Context(), channel(id))
				asked = len(here.Calls("")) - before
				return []chat.Reply{chat.Whisper{Card: card("asked")}}
			}
			inBothModes(t, saying(chat.AckWhisper, ask), func(t *testing.T, w *world) {
				here = w
				w.AddRole(fake.Role{ID: helpers})
				c.bot.ID, c.bot.Name, c.bot.Bot = fake.App, "maturity", true
				w.AddUser(c.bot)
				c.channel.ID, c.above.ID = id, parent
				w.AddChannel(c.channel)
				w.AddChannel(c.above)
				if reason, rights := why(w.discord.CanPost(t.Context(), channel(id))); reason != c.reason || !slices.Equal(rights, c.rights) {
					t.Errorf("by the channel's settings: %q %v, want %q %v", reason, rights, c.reason, c.rights)
				}
				w.Command(ana, id, "maturity new", nil)
				w.settled(t)
				w.want(t, "whispers", texts(t, w.Whispers(ana)), "asked")
				if reason, rights := why(known); reason != c.reason || !slices.Equal(rights, c.rights) {
					t.Errorf("from the interaction: %q %v, want %q %v", reason, rights, c.reason, c.rights)
				}
				if asked != 0 {
					t.Errorf("%d calls although the interaction had the rights", asked)
				}
			})
		})
	}
}

func TestCanPostUnknown(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		if reason, _ := why(w.discord.CanPost(t.Context(), channel("1100000000000000999"))); reason != chat.Gone {
			t.Errorf("a channel that is gone: %q", reason)
		}
		if err := w.discord.CanPost(t.Context(), place("", fake.DM(ben))); err != nil {
			t.Errorf("a conversation with the bot: %v", err)
		}
		w.Down(true)
		err := w.discord.CanPost(t.Context(), channel(team))
		if reason, _ := why(err); err == nil || reason != "" {
			t.Errorf("while Discord is away: %v", err)
		}
	})
}

// A card is sent without its files if Discord refuses them, and the bot learns which are missing.
func TestPostWithoutFiles(t *testing.T) {
	const id = "1100000000000000702"
	files := []chat.File{{Name: "a.png", Type: "image/png", Alt: "bars", Data: []byte("png")}, {Name: "b.csv", Type: "text/csv", Data: []byte("x,y")}}
	var came []chat.Delivered
	note := func(d chat.Delivered) []chat.Reply {
		came = append(came, d)
		return nil
	}
	bot := saying(chat.AckWhisper, replying(chat.Post{To: channel(id), Card: card("results"), Files: files, Then: note}, chat.Whisper{Card: card("done")}))
	for name, c := range map[string]fake.Channel{
		"too large": {NoFiles: true}, "not allowed": {Overwrites: []fake.Overwrite{{ID: fake.Guild, Deny: fake.Attach}}},
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, bot, func(t *testing.T, w *world) {
				c.ID, came = id, nil
				w.AddChannel(c)
				w.Command(ana, team, "maturity results", nil)
				w.settled(t)
				w.want(t, "channel", texts(t, w.Messages(id)), "results")
				w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")
				if len(came) != 1 || came[0].Err != nil || !reflect.DeepEqual(came[0].Missing, []string{"a.png", "b.csv"}) {
					t.Errorf("the bot is told %+v", came)
				}
				err := w.discord.Post(t.Context(), "again", channel(id), card("by itself"), files)
				if m, ok := errors.AsType[*chat.MissingFilesError](err); !ok || len(m.Names) != 2 {
					t.Errorf("unasked: %v", err)
				}
				w.want(t, "channel", texts(t, w.Messages(id)), "results; by itself")
			})
		})
	}
}

// Files for one person come with a message that only this person sees.
func TestWhisperWithFiles(t *testing.T) {
	files := []chat.File{{Name: "a.png", Type: "image/png", Alt: "bars", Data: []byte("png")}, {Name: "b.csv", Type: "text/csv", Data: []byte("x,y")}}
	bot := saying(chat.AckWhisper, replying(chat.Whisper{Card: card("results"), Files: files}, chat.Whisper{Card: card("done")}))
	inBothModes(t, bot, func(t *testing.T, w *world) {
		w.Command(ana, team, "maturity results", nil)
		w.settled(t)
		w.want(t, "channel", texts(t, w.Messages(team)), "")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "results; done")
		if got := w.Whispers(ana)[0].Files; len(got) != 2 || got[0].Alt != "bars" || string(got[1].Data) != "x,y" {
			t.Errorf("files %+v", got)
		}
	})
}
