package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/slack"
	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// onSlack is Slack, by HTTP or by Socket Mode.
type onSlack struct {
	*fake.Server
	sockets bool
}

// slackID returns the id in Slack of a person or channel of the transcript.
func slackID(name string) string {
	letters := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return 'X'
	}, strings.ToUpper(strings.TrimLeft(name, "#@")))
	if strings.HasPrefix(name, "#") {
		return "C0" + letters
	}
	return "U0" + letters
}

func (s onSlack) person(name string) chat.Person {
	return chat.Person{Platform: slack.Platform, Workspace: fake.Team, ID: slackID(name)}
}

func (s onSlack) place(channel string) chat.Place {
	return chat.Place{Platform: slack.Platform, Workspace: fake.Team, Channel: slackID(channel)}
}

func (s onSlack) private(name string) chat.Place {
	return chat.Place{Platform: slack.Platform, Workspace: fake.Team, Channel: fake.IM(slackID(name))}
}

func (s onSlack) listed(name string) string { return name + "@example.org" }

func (s onSlack) connect(t *testing.T, r chat.Responder, log *slog.Logger) (messenger, func()) {
	t.Helper()
	options := slack.Options{Token: fake.Token, APIURL: fake.URL, Dial: s.Dial, Responder: r, Log: log,
		EditInterval: 20 * time.Millisecond,
	}
	if s.sockets {
		options.AppToken = fake.AppToken
	} else {
		options.SigningSecret = fake.Secret
	}
	adapter, err := slack.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if !s.sockets {
		s.Serve(adapter.Handler())
		return adapter, func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- adapter.RunSocket(ctx) }()
	s.Until(func() bool { return s.Sockets() > 0 })
	return adapter, func() {
		cancel()
		<-ended
	}
}

func (s onSlack) know(a actor, changed bool) {
	u := fake.User{ID: a.id, Email: a.name + "@example.org", Admin: a.admin, Locale: a.locale, Zone: a.zone, Unreachable: a.unreachable}
	if changed {
		s.ChangeUser(u)
	} else {
		s.AddUser(u)
	}
}

func (s onSlack) channel(id string, members []string, withBot, takesFiles bool) {
	s.AddChannel(fake.Channel{ID: id, Members: members, BotIn: withBot, NoFiles: !takesFiles})
}

// acknowledgement returns what Slack makes of the answer to a request.
func acknowledgement(a fake.Ack) acknowledged {
	out := acknowledged{never: a.Blocked, refused: a.Errors, unsaid: a.Took >= dispatch.AckTimeout}
	if a.Blocked == "" && !a.OK() {
		out.why = fmt.Sprintf("status %d, %v, after %v", a.Status, a.Err, a.Took)
	}
	return out
}

func (s onSlack) command(user, channel string, words []string) acknowledged {
	return acknowledgement(s.Command(user, channel, strings.Join(words, " ")))
}

func (s onSlack) say(user string) acknowledged      { return acknowledgement(s.Say(user, "hello")) }
func (s onSlack) lookHome(user string) acknowledged { return acknowledgement(s.OpenHome(user)) }
func (s onSlack) again() acknowledged               { return acknowledgement(s.Again()) }

func (s onSlack) submit(user string, values map[string][]string) acknowledged {
	return acknowledgement(s.Submit(user, values))
}

func (s onSlack) pressNeedsCard() bool { return false }

func (s onSlack) press(user string, on message, known bool, action, picked string) acknowledged {
	if on.id == inHome {
		return acknowledgement(s.PressHome(user, action, picked))
	}
	m := fake.Message{Channel: fake.IM(user), TS: "1.000001"} // one that is not the bot's
	if known {
		m, _ = on.raw.(fake.Message)
	}
	return acknowledgement(s.Press(user, m, action, picked))
}

func (s onSlack) messages(channels, users []string) []message {
	var all []message
	add := func(found []fake.Message, private bool) {
		for _, m := range found {
			out := message{
				id: m.TS, channel: m.Channel, private: private && m.For == "", whispered: m.For, bot: m.From == fake.Bot, changed: m.Changed, body: m.Blocks, raw: m,
				look: map[string]any{"platform": "slack", "text": m.Text, "blocks": m.Blocks},
			}
			for _, f := range m.Files {
				out.files = append(out.files, chat.File{Name: f.Name, Type: mediaType(f.Name), Alt: f.Alt, Data: f.Data})
			}
			all = append(all, out)
		}
	}
	for _, c := range channels {
		add(s.Messages(c), false)
	}
	for _, u := range users {
		add(s.Messages(fake.IM(u)), true)
		add(s.Whispers(u), true)
	}
	slices.SortFunc(all, func(a, b message) int { return a.changed - b.changed })
	return all
}

func (s onSlack) direct() bool { return true }

func (s onSlack) card(m message) (chat.Card, error) { return fake.ReadCard(m.body) }

func (s onSlack) form(user string) (string, json.RawMessage, func() (chat.Form, error)) {
	v := s.Modal(user)
	if v == nil {
		return "", nil, nil
	}
	return v.ID + v.Hash, v.Body, func() (chat.Form, error) { return fake.ReadForm(v.Body) }
}

func (s onSlack) page(user string) (string, message) {
	v := s.Home(user)
	if v == nil {
		return "", message{}
	}
	var body struct{ Blocks json.RawMessage }
	_ = json.Unmarshal(v.Body, &body) // what is no view was refused when it came
	return v.ID + v.Hash, message{body: body.Blocks, look: v.Body}
}

func (s onSlack) until(holds func() bool) bool { return s.Until(holds) }

// TestTranscriptsOnSlack plays the conversations through Slack, by HTTP and by Socket Mode.
func TestTranscriptsOnSlack(t *testing.T) {
	t.Parallel()
	for _, path := range conversations(t) {
		if filepath.Base(path) == "dates-as-written.chat" {
			continue // people pick days and times in Slack
		}
		for _, sockets := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/sockets=%v", strings.TrimSuffix(filepath.Base(path), ".chat"), sockets), func(t *testing.T) {
				t.Parallel()
				f := fake.New(t)
				f.AckTimeout(testTimeout)
				playOn(t, path, onSlack{f, sockets}, withoutIDs, fake.Token, fake.AppToken, fake.Secret)
			})
		}
	}
}
