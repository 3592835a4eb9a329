package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"maturitybot/adapters/slack"
	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
	"maturitybot/bot/transcript"
)

var bodies = flag.String("bodies", "", "a folder to write what Slack was sent to, for looking at")

// keep writes a body for looking at.
func (s *onSlack) keep(kind string, body any) {
	if *bodies == "" || s.sockets {
		return
	}
	s.kept++
	raw, err := json.Marshal(body)
	if err == nil {
		name := fmt.Sprintf("%s-%03d-%s.json", strings.Split(s.t.Name(), "/")[1], s.kept, kind)
		err = os.WriteFile(filepath.Join(*bodies, name), raw, 0o600)
	}
	if err != nil {
		s.t.Error(err)
	}
}

// onSlack is a stage of which everything passes through Slack: what people do becomes Slack's payloads, and what
// they then see is read back from what Slack was sent. To the player of transcripts it is a bot like any other.
type onSlack struct {
	t       *testing.T
	slack   *fake.Server
	people  *transcript.People
	bot     func() chat.Responder // as it is now: it may have restarted
	log     *slog.Logger
	sockets bool

	adapter *slack.Slack
	stop    func()

	mu      sync.Mutex
	replies []chat.Reply // what the bot itself answered to the last gesture
	handled int

	names   map[string]string       // of people and channels, by Slack's ids
	profile map[string]fake.User    // as Slack knows them now
	actions map[string]fake.Message // the last message on which an action stood, by user and action
	last    string                  // event
	kept    int
}

// slackID is the id in Slack of somebody or a channel on stage.
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

// connect starts the adapter, anew after a restart.
func (s *onSlack) connect() {
	s.t.Helper()
	if s.stop != nil {
		s.stop()
	}
	options := slack.Options{
		Token: fake.Token, APIURL: fake.URL, Dial: s.slack.Dial, Responder: s.witness(), Log: s.log,
	}
	if s.sockets {
		options.AppToken = fake.AppToken
	} else {
		options.SigningSecret = fake.Secret
	}
	adapter, err := slack.New(s.t.Context(), options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.adapter = adapter
	if !s.sockets {
		s.slack.Serve(adapter.Handler())
		s.stop = func() {}
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- adapter.RunSocket(ctx) }()
	s.slack.Until(func() bool { return s.slack.Sockets() > 0 })
	s.stop = func() {
		cancel()
		<-ended
	}
}

// witness is the bot, whose answers are noted on their way.
func (s *onSlack) witness() chat.Responder { return noting{s} }

type noting struct{ s *onSlack }

func (n noting) Ack(e chat.Event) chat.Ack { return n.s.bot().Ack(e) }

func (n noting) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	replies := n.s.bot().Handle(ctx, e)
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.s.replies = replies
	n.s.handled++
	return replies
}

// Find, Members and Send let the bot reach the adapter that is connected now.
func (s *onSlack) Find(ctx context.Context, from chat.Place, word string) (chat.Person, error) {
	return s.adapter.Find(ctx, from, word)
}

func (s *onSlack) Members(ctx context.Context, in chat.Place) ([]chat.Person, error) {
	return s.adapter.Members(ctx, in)
}

// Send sends through Slack, and brings what arrives there to the stage.
func (s *onSlack) Send(ctx context.Context, id string, to chat.Person, card chat.Card) error {
	name := s.names[to.ID]
	if err := s.adapter.Send(ctx, id, to, card); err != nil {
		_ = s.people.Send(ctx, id, transcript.Person(name), card) // it is noted as refused
		return err
	}
	conversation := s.slack.Messages(fake.IM(to.ID))
	arrived := conversation[len(conversation)-1]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.people.Send(ctx, id, transcript.Person(name), s.read(to.ID, arrived))
}

// read is a message as a card, with people as they are called on stage.
func (s *onSlack) read(user string, m fake.Message) chat.Card {
	s.t.Helper()
	s.keep("message", map[string]any{"platform": "slack", "text": m.Text, "blocks": m.Blocks})
	card, err := fake.ReadCard(m.Blocks)
	if err != nil {
		s.t.Errorf("read what Slack was sent: %v", err)
	}
	for i, b := range card.Blocks {
		var spans []chat.Span
		switch b := b.(type) {
		case chat.Text:
			spans = b.Spans
		case chat.Note:
			spans = b.Spans
		}
		for j, span := range spans {
			if mention, ok := span.(chat.Mention); ok {
				spans[j] = chat.Mention{Person: transcript.Person(s.names[mention.Person.ID])}
			}
		}
		for _, action := range actionsOf(card.Blocks[i]) {
			if id, err := action.Encode(); err == nil {
				s.actions[user+" "+id], s.actions[m.Channel+" "+id] = m, m
			}
		}
	}
	return card
}

func actionsOf(block chat.Block) []chat.Action {
	var all []chat.Action
	switch b := block.(type) {
	case chat.Choice:
		all = append(all, b.Button.Action)
	case chat.Menu:
		all = append(all, b.Action)
	case chat.Buttons:
		for _, x := range b.Buttons {
			all = append(all, x.Action)
		}
	}
	return all
}

func (s *onSlack) Ack(e chat.Event) chat.Ack { return s.bot().Ack(e) }

// everybody makes people and channels of the stage known to Slack.
func (s *onSlack) everybody(e chat.Event) {
	for channel, members := range s.people.Channels() {
		c := fake.Channel{ID: slackID(channel), BotIn: true}
		for _, m := range members {
			s.person(fake.User{ID: slackID(m), Email: m + "@example.org", Deleted: !s.people.Reachable(m)}, m, false)
			c.Members = append(c.Members, slackID(m))
		}
		s.names[c.ID] = channel
		s.slack.AddChannel(c)
	}
	name := e.Who.ID
	s.person(fake.User{ID: slackID(name), Email: name + "@example.org", Admin: e.Admin, Locale: e.Locale, Deleted: !s.people.Reachable(name)}, name, true)
	if strings.HasPrefix(e.Where.Channel, "#") {
		id := slackID(e.Where.Channel)
		if _, known := s.names[id]; !known {
			s.names[id] = e.Where.Channel
			s.slack.AddChannel(fake.Channel{ID: id, BotIn: true, Members: []string{slackID(name)}})
		}
	}
}

func (s *onSlack) person(u fake.User, name string, acting bool) {
	had, known := s.profile[u.ID]
	if known && !acting { // what the stage says of them only when they act stays
		u.Admin, u.Locale = had.Admin, had.Locale
	}
	if known && had == u {
		return
	}
	s.profile[u.ID], s.names[u.ID] = u, name
	if known {
		s.slack.ChangeUser(u)
	} else {
		s.slack.AddUser(u)
	}
}

// Handle plays one gesture through Slack, and returns what people see of it.
func (s *onSlack) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s.t.Helper()
	s.everybody(e)
	user := slackID(e.Who.ID)
	if e.ID == s.last {
		s.connect() // another process: this one would know the event again by itself
	}
	before := map[string]int{}
	for _, m := range s.everything() {
		before[m.Channel+m.TS] = m.Changed
	}
	modal, home := s.slack.Modal(user), s.slack.Home(user)
	s.mu.Lock()
	handled := s.handled
	s.replies = nil
	s.mu.Unlock()

	ack := s.gesture(e, user)
	if ack.Blocked != "" {
		// What Slack's own form does not let through, somebody may send with tools of their own.
		return s.bot().Handle(ctx, s.translate(e))
	}
	if !ack.OK() {
		s.t.Errorf("%v was acknowledged with %d, %v", e.Kind, ack.Status, ack.Err)
	}
	s.mu.Lock()
	want := s.replies
	if s.handled == handled {
		want = nil
	}
	s.mu.Unlock()
	if len(ack.Errors) > 0 {
		return []chat.Reply{chat.Refuse{Fields: ack.Errors}}
	}
	var seen []chat.Reply
	ok := s.slack.Until(func() bool {
		seen = s.seen(e, user, before, modal, home)
		return len(seen) >= len(want) && files(seen) >= files(want)
	})
	if !ok {
		s.t.Errorf("the bot answered %d times with %d files, Slack shows %d with %d", len(want), files(want), len(seen), files(seen))
	}
	return seen
}

// everything is every message that stands anywhere.
func (s *onSlack) everything() []fake.Message {
	var all []fake.Message
	for id := range s.names {
		if strings.HasPrefix(id, "C") {
			all = append(all, s.slack.Messages(id)...)
			continue
		}
		all = append(append(all, s.slack.Messages(fake.IM(id))...), s.slack.Whispers(id)...)
	}
	slices.SortFunc(all, func(a, b fake.Message) int { return a.Changed - b.Changed })
	return all
}

func files(replies []chat.Reply) int {
	n := 0
	for _, r := range replies {
		if p, ok := r.(chat.Post); ok {
			n += len(p.Files)
		}
	}
	return n
}

// inHome stands for App Home where a message's time stamp would be.
const inHome = "home"

// gesture lets a user do what the event says.
func (s *onSlack) gesture(e chat.Event, user string) fake.Ack {
	if e.ID == s.last {
		return s.slack.Again()
	}
	s.last = e.ID
	channel := slackID(e.Where.Channel)
	if e.Private {
		channel = fake.IM(slackID(e.Where.Channel))
	}
	switch e.Kind {
	case chat.Command:
		return s.slack.Command(user, channel, strings.Join(append([]string{e.Action.Verb}, e.Action.Args...), " "))
	case chat.Message:
		return s.slack.Say(user, "hello")
	case chat.Home:
		return s.slack.OpenHome(user)
	case chat.Submit:
		return s.slack.Submit(user, s.translate(e).Values)
	}
	id, err := e.Action.Encode()
	if err != nil {
		s.t.Errorf("press: %v", err)
	}
	s.mu.Lock()
	on, known := s.actions[user+" "+id]
	if other, stands := s.actions[channel+" "+id]; !known && stands && !e.Private {
		on, known = other, true
	}
	s.mu.Unlock()
	switch {
	case on.TS == inHome:
		return s.slack.PressHome(user, id, e.Value(chat.Picked))
	case !known: // on a message that is none of the bot's
		on = fake.Message{Channel: fake.IM(user), TS: "1.000001"}
	}
	return s.slack.Press(user, on, id, e.Value(chat.Picked))
}

// translate is the event with everybody's ids in Slack.
func (s *onSlack) translate(e chat.Event) chat.Event {
	id := func(v string) string {
		if name, ok := strings.CutPrefix(v, transcript.Person("").String()); ok {
			kind := chat.Person{Platform: slack.Platform, Workspace: fake.Team, ID: slackID(name)}
			return kind.String()
		}
		return v
	}
	values := map[string][]string{}
	for field, all := range e.Values {
		for _, v := range all {
			if field == "list" {
				v = emails.ReplaceAllString(v, "$1@example.org$2")
			}
			values[field] = append(values[field], id(v))
		}
	}
	e.Who = chat.Person{Platform: slack.Platform, Workspace: fake.Team, ID: slackID(e.Who.ID)}
	channel := slackID(e.Where.Channel)
	if e.Private {
		channel = fake.IM(e.Who.ID)
	}
	e.Where = chat.Place{Platform: slack.Platform, Workspace: fake.Team, Channel: channel}
	e.Values = values
	return e
}

// emails are the names at the beginnings of the lines of a list: Slack finds people by their addresses.
var emails = regexp.MustCompile(`(?m)^@?([a-z]+)(\s*(?:,|$))`)

// seen is what has changed before people's eyes, as the replies that brought it about.
func (s *onSlack) seen(e chat.Event, user string, before map[string]int, modal, home *fake.View) []chat.Reply {
	type change struct {
		at    int
		reply chat.Reply
	}
	var all []change
	for _, m := range s.everything() {
		was, known := before[m.Channel+m.TS]
		if m.From != fake.Bot || known && was == m.Changed {
			continue
		}
		if len(m.Files) > 0 && len(m.Blocks) == 0 {
			for i := len(all) - 1; i >= 0; i-- { // they belong to the card posted before them
				if p, ok := all[i].reply.(chat.Post); ok && p.To.Channel == s.names[m.Channel] {
					for _, f := range m.Files {
						p.Files = append(p.Files, chat.File{Name: f.Name, Type: mediaType(f.Name), Alt: f.Alt, Data: f.Data})
					}
					all[i].reply = p
					break
				}
			}
			continue
		}
		s.mu.Lock()
		card := s.read(user, m)
		s.mu.Unlock()
		switch {
		case known:
			all = append(all, change{m.Changed, chat.Update{Card: card}})
		case m.For == user, m.Channel == fake.IM(user):
			all = append(all, change{m.Changed, chat.Whisper{Card: card}})
		case m.For == "" && strings.HasPrefix(m.Channel, "C"):
			all = append(all, change{m.Changed, chat.Post{To: chat.Place{Platform: "play", Workspace: "w", Channel: s.names[m.Channel]}, Card: card}})
		default:
			s.t.Errorf("somebody else sees something: %+v", m)
		}
	}
	if now := s.slack.Modal(user); now != nil && now != modal {
		s.keep("form", now.Body)
		form, err := fake.ReadForm(now.Body)
		if err != nil {
			s.t.Errorf("read a form that Slack was sent: %v", err)
		}
		all = append(all, change{now.Changed, chat.Open{Form: form}})
	}
	if now := s.slack.Home(user); now != nil && now != home && e.Kind == chat.Home {
		s.keep("home", now.Body)
		var view struct{ Blocks json.RawMessage }
		if err := json.Unmarshal(now.Body, &view); err != nil {
			s.t.Error(err)
		}
		s.mu.Lock()
		all = append(all, change{now.Changed, chat.Update{Card: s.read(user, fake.Message{Channel: fake.IM(user), TS: inHome, Blocks: view.Blocks})}})
		s.mu.Unlock()
	}
	slices.SortStableFunc(all, func(a, b change) int { return a.at - b.at })
	replies := make([]chat.Reply, len(all))
	for i, c := range all {
		replies[i] = c.reply
	}
	return replies
}

func mediaType(name string) string {
	return map[string]string{
		".png": "image/png", ".csv": "text/csv", ".json": "application/json", ".svg": "image/svg+xml",
		".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	}[filepath.Ext(name)]
}

// alike is a transcript without what may differ between platforms: where rows of buttons break, and a round's id.
func alike(played string) string {
	return roundInFile.ReplaceAllString(rows.ReplaceAllString(played, "] ["), "${1}ROUND")
}

var rows = regexp.MustCompile(`\]\n    \[`)

// roundInFile is a round's id in the name of a file: it comes of the event that made it, which is Slack's here.
var roundInFile = regexp.MustCompile(`(maturity-[a-z-]+-\d{4}-\d{2}-)[a-z2-7]{10}\b`)

// TestTranscriptsOnSlack plays the same conversations through Slack, by HTTP and by Socket Mode.
func TestTranscriptsOnSlack(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(transcripts, "*.chat"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %d transcripts: %v", len(paths), err)
	}
	matrices, err := matrixFlag{}.matrices()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		for _, sockets := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/sockets=%v", strings.TrimSuffix(filepath.Base(path), ".chat"), sockets), func(t *testing.T) {
				t.Parallel()
				written, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				var log bytes.Buffer
				s := &onSlack{
					t: t, slack: fake.New(t), sockets: sockets, log: slog.New(slog.NewTextHandler(&locked{to: &log}, nil)),
					names: map[string]string{}, profile: map[string]fake.User{}, actions: map[string]fake.Message{},
				}
				scene, inside, done, err := stage(transcripts, matrices, s.log, func(people *transcript.People) platform {
					s.people = people
					return s
				})
				if err != nil {
					t.Fatal(err)
				}
				s.bot = inside
				scene.Responder = s
				restart, change := scene.Restart, scene.Matrix
				scene.Restart = func() chat.Responder { restart(); s.connect(); return s }
				scene.Matrix = func(file string) (chat.Responder, error) {
					_, err := change(file)
					return s, err
				}
				s.connect()
				t.Cleanup(func() {
					s.stop()
					if err := done(); err != nil {
						t.Error(err)
					}
				})
				played, err := transcript.Play(t.Context(), bytes.NewReader(written), scene)
				if err != nil {
					t.Fatalf("%v\n\nup to then:\n%s", err, last(played, 40))
				}
				if want, got := alike(string(written)), alike(played); got != want {
					t.Errorf("on Slack it goes otherwise:\n%s", firstDifference(want, got))
				}
				for _, secret := range []string{"Parents say", "a secret note", "Northshire", fake.Token, fake.AppToken, fake.Secret} {
					if strings.Contains(log.String(), secret) {
						t.Errorf("in the log: %q", secret)
					}
				}
			})
		}
	}
}

// locked lets several goroutines write to one buffer.
type locked struct {
	mu sync.Mutex
	to *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
