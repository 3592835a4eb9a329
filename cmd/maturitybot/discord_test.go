package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maturitybot/adapters/discord"
	"maturitybot/adapters/discord/fake"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// discordCommands returns the commands that Discord offers.
var discordCommands = sync.OnceValue(func() []chat.CommandSpec {
	return bot.AppSpec(sentences()).Commands
})

// onDiscord is Discord, by HTTP or by the gateway.
type onDiscord struct {
	*fake.Server
	gateway bool
}

// discordID returns the id in Discord of a person or channel of the transcript.
func discordID(name string) string {
	if !strings.HasPrefix(name, "#") { // lists of people are in the order of their ids
		id := "1"
		for _, r := range strings.ToLower(strings.TrimLeft(name, "@")) + "        " {
			if id += fmt.Sprintf("%02d", max(0, min(99, int(r)-'a'+10))); len(id) == 17 {
				return id + "0"
			}
		}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.TrimLeft(name, "@")))
	return fmt.Sprintf("1%017d", h.Sum64()%1e17)
}

func (d onDiscord) person(name string) chat.Person {
	return chat.Person{Platform: discord.Platform, ID: discordID(name)}
}

func (d onDiscord) place(channel string) chat.Place {
	return chat.Place{Platform: discord.Platform, Workspace: fake.Guild, Channel: discordID(channel)}
}

func (d onDiscord) private(name string) chat.Place {
	return chat.Place{Platform: discord.Platform, Channel: fake.DM(discordID(name))}
}

func (d onDiscord) listed(name string) string { return "<@" + discordID(name) + ">" }

func (d onDiscord) connect(t *testing.T, r chat.Responder, log *slog.Logger) (messenger, func()) {
	t.Helper()
	options := discord.Options{
		Token: fake.Token, APIURL: fake.URL, Dial: d.Dial, Commands: discordCommands(),
		Responder: r, Log: log, ColdEvery: time.Millisecond,
		EditInterval: 20 * time.Millisecond,
	}
	if !d.gateway {
		options.PublicKey = fake.PublicKey
		d.Endpoint("http://bot.fake/discord")
	}
	adapter, err := discord.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if !d.gateway {
		d.Serve(adapter.Handler())
		return adapter, func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	before := d.Begun() // the fake may not have seen yet that the connection before a restart has ended
	go func() { ended <- adapter.RunGateway(ctx) }()
	d.Until(func() bool { return d.Begun() > before && d.Sessions() > 0 })
	return adapter, func() {
		cancel()
		<-ended
	}
}

func (d onDiscord) know(a actor, _ bool) {
	d.AddUser(fake.User{ID: a.id, Name: a.name, Locale: a.locale, Admin: a.admin, Closed: a.unreachable})
}

// channel is one that its members alone see.
func (d onDiscord) channel(id string, members []string, withBot, takesFiles bool) {
	const view = 1 << 10
	c := fake.Channel{ID: id, NoFiles: !takesFiles, Overwrites: []fake.Overwrite{{ID: fake.Guild, Deny: view}}}
	if withBot {
		c.Overwrites = append(c.Overwrites, fake.Overwrite{ID: fake.App, Allow: view})
	}
	for _, m := range members {
		c.Overwrites = append(c.Overwrites, fake.Overwrite{ID: m, Allow: view})
	}
	d.AddChannel(c)
}

func answered(a fake.Ack) acknowledged {
	out := acknowledged{never: a.Blocked, unsaid: a.Took >= dispatch.AckTimeout}
	if a.Blocked == "" && !a.OK() {
		out.why = fmt.Sprintf("%v, after %v", a.Err, a.Took)
	}
	return out
}

// offered returns the command that offers a word.
func offered(specs []chat.CommandSpec, word string) (string, bool) {
	for _, c := range specs {
		for _, s := range c.Subcommands {
			if s.Word == word {
				return c.Name, true
			}
		}
	}
	return "", false
}

func (d onDiscord) command(user, channel string, words []string) acknowledged {
	if words[0] == "" {
		words[0] = "home" // a command that has subcommands cannot be called without one
	}
	name, known := offered(discordCommands(), words[0])
	if !known {
		return acknowledged{never: "no such subcommand"}
	}
	options := map[string]string{}
	if round := strings.Join(words[1:], " "); round != "" {
		options["round"] = round
	}
	return answered(d.Command(user, channel, name+" "+words[0], options))
}

func (d onDiscord) say(user string) acknowledged {
	if !d.gateway {
		return acknowledged{never: "Discord brings no messages by HTTP"}
	}
	d.Say(user, "hello")
	return acknowledged{unsaid: true}
}

func (d onDiscord) lookHome(string) acknowledged { return acknowledged{never: "bots have no page"} }

// again is of no effect that anybody would see: Discord takes one answer to an interaction.
func (d onDiscord) again() acknowledged {
	d.Again()
	return acknowledged{mute: true}
}

func (d onDiscord) submit(user string, values map[string][]string) acknowledged {
	return answered(d.Submit(user, values))
}

func (d onDiscord) pressNeedsCard() bool { return true }

func (d onDiscord) press(user string, on message, known bool, action, picked string) acknowledged {
	m := fake.Message{ID: "1100000000000000999", Channel: fake.DM(user), From: fake.App}
	if strings.HasPrefix(action, "join:") { // such a button stands in a channel, and lets in who is in its server
		m.Channel = d.place("#team").Channel
	}
	if known {
		m, _ = on.raw.(fake.Message)
	}
	return answered(d.Press(user, m, action, picked))
}

func (d onDiscord) messages(channels, users []string) []message {
	var all []message
	add := func(found []fake.Message, private bool) {
		for _, m := range found {
			if m.Loading {
				continue
			}
			out := message{
				id: m.ID, channel: m.Channel, private: private, whispered: m.For, bot: m.From == fake.App, changed: m.Changed, body: m.Components, raw: m,
				look: map[string]any{"platform": "discord", "flags": 1 << 15, "components": m.Components},
			}
			for _, f := range m.Files {
				out.files = append(out.files, chat.File{Name: f.Name, Type: mediaType(f.Name), Alt: f.Alt, Data: f.Data})
			}
			all = append(all, out)
		}
	}
	for _, c := range channels {
		add(d.Messages(c), false)
	}
	for _, u := range users {
		add(d.Messages(fake.DM(u)), true)
		add(d.Whispers(u), false)
	}
	slices.SortFunc(all, func(a, b message) int { return a.changed - b.changed })
	return all
}

func (d onDiscord) card(m message) (chat.Card, error) { return fake.ReadCard(m.body) }

func (d onDiscord) form(user string) (string, json.RawMessage, func() (chat.Form, error)) {
	m := d.Modal(user)
	if m == nil {
		return "", nil, nil
	}
	return fmt.Sprintf("%p", m), m.Body, func() (chat.Form, error) {
		f, err := fake.ReadForm(m.Body)
		f.Submit, f.Cancel = "", "" // Discord's own
		return f, err
	}
}

func (d onDiscord) direct() bool                  { return false }
func (d onDiscord) page(string) (string, message) { return "", message{} }
func (d onDiscord) until(holds func() bool) bool  { return d.Until(holds) }

// lackingOnDiscord is how Discord tells that the bot is not in a channel: it is in all that it can see.
const lackingOnDiscord = "I need these permissions in the channel: View Channel, Send Messages, Attach Files. " +
	"Someone who manages the channel can give them to me in its settings, under Permissions."

// alikeOnDiscord is a transcript without what is otherwise there: a button that asks first is a menu, below the others and with no
// colour to warn; and what is delivered again is answered once.
func alikeOnDiscord(played string) string {
	var out []string
	again := false
	for line := range strings.Lines(withoutIDs(played)) {
		again = strings.HasPrefix(line, "> the same again") || again && (strings.HasPrefix(line, "<") || strings.HasPrefix(line, "    "))
		if again {
			continue
		}
		line = strings.ReplaceAll(line, lackingOnDiscord, "I am not in the channel, or it was deleted. A member of the channel can add me: in the channel, type /invite and my name.")
		line = strings.ReplaceAll(line, "Only people with the Manage Server permission can", "Only admins and owners of this workspace can")
		if buttons := strings.TrimSpace(line); strings.HasPrefix(buttons, "[") && strings.HasSuffix(buttons, "]") {
			all := strings.Split(strings.ReplaceAll(buttons, "!]", "]"), "] [")
			for i := range all {
				all[i] = strings.Trim(all[i], "[]")
			}
			slices.Sort(all)
			line = strings.Join(all, "] [") + "\n"
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// TestTranscriptsOnDiscord plays the conversations through Discord, by HTTP and by the gateway.
func TestTranscriptsOnDiscord(t *testing.T) {
	t.Parallel()
	for _, path := range conversations(t) {
		if filepath.Base(path) == "clock-change.chat" {
			continue // Discord does not give people's time zones
		}
		for _, gateway := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/gateway=%v", strings.TrimSuffix(filepath.Base(path), ".chat"), gateway), func(t *testing.T) {
				t.Parallel()
				f := fake.New(t)
				f.MembersIntent(true)
				f.AckTimeout(testTimeout)
				playOn(t, path, onDiscord{f, gateway}, alikeOnDiscord, fake.Token)
			})
		}
	}
}
