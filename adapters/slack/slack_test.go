package slack

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/platformtest"
	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

const (
	ana  = "U0ANA00000"
	ben  = "U0BEN00000"
	team = "C0TEAM0000"
)

var (
	personAna = chat.Person{Platform: Platform, Workspace: fake.Team, ID: ana}
	placeTeam = chat.Place{Platform: Platform, Workspace: fake.Team, Channel: team}
)

type world struct {
	*fake.Server
	slack *Slack
	bot   *platformtest.Script
	log   *platformtest.Log
}

// stage returns a workspace with Ana and Ben, a channel, and the bot.
func stage(t *testing.T, handle func(context.Context, chat.Event) []chat.Reply) *world {
	t.Helper()
	return stageWith(t, &platformtest.Script{Does: handle}, &platformtest.Log{}, nil)
}

// stageWith is like stage, with the given script, log and observer.
func stageWith(
	t *testing.T, bot *platformtest.Script, log *platformtest.Log, observer chat.Observer,
) *world {
	t.Helper()
	w := &world{Server: fake.New(t), bot: bot, log: log}
	w.AddUser(fake.User{ID: ana, Email: "ana@example.org", Admin: true, Locale: "cy-GB"})
	w.AddUser(fake.User{ID: ben, Email: "ben@example.org"})
	w.AddChannel(fake.Channel{ID: team, Members: []string{ana, ben}, BotIn: true})
	var err error
	w.slack, err = New(t.Context(), Options{
		Token: fake.Token, AppToken: fake.AppToken, SigningSecret: fake.Secret,
		APIURL: fake.URL, Dial: w.Dial, Responder: bot, Observer: observer,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if err := w.slack.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return w
}

// byHTTP runs play on a workspace that delivers by HTTP, in a bubble whose time passes at once.
func byHTTP(t *testing.T, handle func(context.Context, chat.Event) []chat.Reply, play func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, handle)
		w.Serve(w.slack.Handler())
		play(t, w)
		time.Sleep(time.Second) // net/http lingers half of one over a connection that it refused
	})
}

func card(text string, buttons ...string) chat.Card {
	c := chat.Card{Blocks: []chat.Block{chat.Paragraph(text)}}
	if len(buttons) > 0 {
		var row chat.Buttons
		for _, b := range buttons {
			row.Buttons = append(row.Buttons, chat.Button{Label: b, Action: chat.NewAction(b)})
		}
		c.Blocks = append(c.Blocks, row)
	}
	return c
}

// send puts a card into a person's conversation with the bot, and returns it as the person sees
// it.
func (w *world) send(t *testing.T, to string, c chat.Card) fake.Message {
	t.Helper()
	if err := w.slack.Send(t.Context(), "", chat.Person{Platform: Platform, Workspace: fake.Team, ID: to}, c); err != nil {
		t.Fatal(err)
	}
	all := w.Messages(fake.IM(to))
	return all[len(all)-1]
}

// post puts a card into a channel.
func (w *world) post(t *testing.T, channel string, c chat.Card) fake.Message {
	t.Helper()
	if _, err := w.slack.postMessage(t.Context(), channel, c); err != nil {
		t.Fatal(err)
	}
	all := w.Messages(channel)
	return all[len(all)-1]
}

// texts returns each card of the messages as one line.
func texts(t *testing.T, all []fake.Message) string {
	t.Helper()
	var out []string
	for _, m := range all {
		if len(m.Blocks) == 0 {
			out = append(out, fmt.Sprintf("%d files", len(m.Files)))
			continue
		}
		c, err := fake.ReadCard(m.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.Join(strings.FieldsFunc(c.String(), func(r rune) bool { return r == '\n' }), " / "))
	}
	return strings.Join(out, "; ")
}

func (w *world) want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q\n%s", what, got, want, w.log)
	}
}

func updates(_ context.Context, e chat.Event) []chat.Reply {
	return []chat.Reply{chat.Update{Card: card("after " + e.Action.Verb)}}
}

// answers is a server that reads a request before it writes.
func answers(words string) func(net.Conn) {
	return func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			io.Copy(io.Discard, r.Body)
		}
		io.WriteString(c, words)
	}
}

func form() chat.Form {
	return chat.Form{Title: "Detail", Intro: "Name no one.", Submit: "Keep", Cancel: "Cancel", Action: chat.NewAction("keep"), Fields: []chat.Field{
		chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 500, Lines: true},
		chat.Input{Label: chat.Label{ID: "barrier", Text: "Barrier", Optional: true}, Max: 500},
		chat.Select{Label: chat.Label{ID: "kinds", Text: "Kinds", Optional: true}, Many: true, Options: []chat.Option{{Value: "a", Label: "Data"}, {Value: "b", Label: "Views"}}},
	}}
}

// opens returns a responder that opens a form for the verb "detail" and handles its submission.
func opens(submitted func(context.Context, chat.Event) []chat.Reply) func(context.Context, chat.Event) []chat.Reply {
	return func(ctx context.Context, e chat.Event) []chat.Reply {
		switch {
		case e.Kind == chat.Submit:
			return submitted(ctx, e)
		case e.Action.Verb == "detail":
			return []chat.Reply{chat.OpenForm{Form: form(), Fallback: card("too late")}}
		}
		return updates(ctx, e)
	}
}

func refuses(context.Context, chat.Event) []chat.Reply {
	return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"note": "Too long.", "elsewhere": "Not now."}}}
}

func TestNewInvalidOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fake.New(t)
		good := Options{Token: fake.Token, AppToken: fake.AppToken, SigningSecret: fake.Secret, APIURL: fake.URL, Dial: f.Dial, Responder: &platformtest.Script{}}
		for want, spoil := range map[string]func(*Options){
			"OAuth & Permissions": func(o *Options) { o.Token = "" },
			"begins with xoxb-":   func(o *Options) { o.Token = "xapp-1" },
			"install the app":     func(o *Options) { o.Token = "xoxb-other" },
			"connections:write":   func(o *Options) { o.AppToken = "xoxb-1" },
			"App Credentials":     func(o *Options) { o.AppToken, o.SigningSecret = "", "" },
			"API address":         func(o *Options) { o.APIURL = "slack" },
		} {
			o := good
			spoil(&o)
			if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v, want %q in it", err, want)
			}
		}
		f.Fail("auth.test", fake.Fault{Status: 500}, fake.Fault{Lose: true})
		s, err := New(t.Context(), good)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
