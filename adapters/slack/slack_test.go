package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

// script is a responder that does as a test says.
type script struct {
	ack    func(chat.Event) chat.Ack
	handle func(context.Context, chat.Event) []chat.Reply

	mu     sync.Mutex
	events []chat.Event
}

func (s *script) Ack(e chat.Event) chat.Ack {
	if s.ack != nil {
		return s.ack(e)
	}
	return chat.AckUpdate
}

func (s *script) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	if s.handle == nil {
		return nil
	}
	return s.handle(ctx, e)
}

// verbs are what was handled so far, in order.
func (s *script) verbs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, e := range s.events {
		all = append(all, e.Action.Verb)
	}
	return strings.Join(all, " ")
}

// log keeps what was logged.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type world struct {
	*fake.Server
	slack *Slack
	bot   *script
	log   *log
}

// stage makes a workspace with Ana and Ben, a channel, and the bot in it.
func stage(t *testing.T, handle func(context.Context, chat.Event) []chat.Reply) *world {
	t.Helper()
	w := &world{Server: fake.New(t), bot: &script{handle: handle}, log: &log{}}
	w.AddUser(fake.User{ID: ana, Email: "ana@example.org", Admin: true, Locale: "cy-GB"})
	w.AddUser(fake.User{ID: ben, Email: "ben@example.org"})
	w.AddChannel(fake.Channel{ID: team, Members: []string{ana, ben}, BotIn: true})
	var err error
	w.slack, err = New(t.Context(), Options{
		Token: fake.Token, AppToken: fake.AppToken, SigningSecret: fake.Secret, APIURL: fake.URL, Dial: w.Dial,
		Responder: w.bot, Log: slog.New(slog.NewTextHandler(w.log, nil)),
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

// byHTTP stages a workspace that delivers by HTTP, in a bubble whose time passes at once.
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
	c := chat.Card{Blocks: []chat.Block{chat.Say(text)}}
	if len(buttons) > 0 {
		var row chat.Buttons
		for _, b := range buttons {
			row.Buttons = append(row.Buttons, chat.Button{Label: b, Action: chat.Do(b)})
		}
		c.Blocks = append(c.Blocks, row)
	}
	return c
}

// send puts a card into a person's conversation with the bot, and returns it as they see it.
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
	if _, err := w.slack.say(t.Context(), channel, c); err != nil {
		t.Fatal(err)
	}
	all := w.Messages(channel)
	return all[len(all)-1]
}

// texts are the cards of messages as one line each.
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

func TestPressChangesItsCard(t *testing.T) {
	update := func(_ context.Context, e chat.Event) []chat.Reply {
		return []chat.Reply{chat.Update{Card: card("after " + e.Action.Verb)}}
	}
	byHTTP(t, update, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		if a := w.Press(ben, m, "one", ""); !a.OK() || len(a.Body) != 0 {
			t.Errorf("acknowledged with %+v", a)
		}
		synctest.Wait()
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "after one")
		w.want(t, "calls of chat.update", fmt.Sprint(len(w.Calls("chat.update"))), "0")
		e := w.bot.events[0]
		if e.Kind != chat.Press || e.Who.ID != ben || !e.Private || e.Where.Channel != fake.IM(ben) || e.ID == "" {
			t.Errorf("the event was %+v", e)
		}
		for _, call := range w.Calls("chat.postMessage") {
			for name, want := range map[string]string{"parse": "none", "unfurl_links": "false", "unfurl_media": "false", "mrkdwn": "false", "link_names": "false"} {
				if call.Args[name] != want {
					t.Errorf("%s is %q, want %q", name, call.Args[name], want)
				}
			}
		}
	})
}

func updates(_ context.Context, e chat.Event) []chat.Reply {
	return []chat.Reply{chat.Update{Card: card("after " + e.Action.Verb)}}
}

func TestAcknowledgesInTimeWhateverTakesLong(t *testing.T) {
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		sleep(ctx, 2*time.Second)
		return updates(ctx, e)
	}
	byHTTP(t, slow, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one", "two"))
		w.Latency(func(string) time.Duration { return 2 * time.Second })
		var both sync.WaitGroup
		for _, b := range []string{"one", "two"} {
			both.Go(func() { w.Press(ben, m, b, "") })
			synctest.Wait()
		}
		both.Wait() // the fake fails the test for more than three seconds
		time.Sleep(10 * time.Second)
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "after two")
		w.want(t, "handled", w.bot.verbs(), "one two")
	})
}

func TestAcknowledgesAfterItIsHandled(t *testing.T) {
	kept := false
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		sleep(ctx, time.Second)
		kept = true
		return updates(ctx, e)
	}
	byHTTP(t, slow, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		a := w.Press(ben, m, "one", "")
		if !kept || a.Took < time.Second {
			t.Errorf("acknowledged after %v, kept: %v", a.Took, kept)
		}
	})
}

func TestRepliesWaitForTheAcknowledgement(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		d, err := w.slack.begin(gesture{event: chat.Event{ID: "e1", Who: personAna, Action: chat.Do("one")}, origin: origin{Channel: team, Private: true}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.want(t, "before", texts(t, w.Messages(team)), "")
		d.acknowledged()
		synctest.Wait()
		w.want(t, "after", texts(t, w.Messages(team)), "after one")
	})
}

func TestTheSameGestureIsHandledOnce(t *testing.T) {
	byHTTP(t, func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("hello")}} }, func(t *testing.T, w *world) {
		w.Say(ben, "hi")
		for range 3 {
			time.Sleep(time.Second) // or the signature would be the same
			if a := w.Again(); !a.OK() {
				t.Errorf("again: %+v", a)
			}
		}
		synctest.Wait()
		w.want(t, "handled", fmt.Sprint(len(w.bot.events)), "1")
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))[1:]), "hello")
	})
}

func TestOnePersonsGesturesAreHandledInOrder(t *testing.T) {
	first := true
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Who.ID == ben && first {
			first = false
			sleep(ctx, time.Second)
		}
		return updates(ctx, e)
	}
	byHTTP(t, slow, func(t *testing.T, w *world) {
		mine, hers := w.send(t, ben, card("before", "one")), w.send(t, ana, card("before", "one"))
		var all sync.WaitGroup
		for _, verb := range []string{"one", "two", "three"} {
			all.Go(func() { w.Press(ben, mine, verb, "") })
			synctest.Wait()
		}
		if a := w.Press(ana, hers, "four", ""); a.Took > 100*time.Millisecond {
			t.Errorf("Ana waited %v for Ben", a.Took)
		}
		all.Wait()
		synctest.Wait()
		w.want(t, "handled", w.bot.verbs(), "one four two three")
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after three")
	})
}

func TestACardThatWillChangeAgainIsNotDrawnBetween(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		w.Latency(func(string) time.Duration { return time.Second })
		for _, verb := range []string{"one", "two", "three"} {
			w.Press(ben, m, verb, "")
			synctest.Wait()
		}
		time.Sleep(5 * time.Second)
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after three")
		w.want(t, "calls", fmt.Sprint(len(w.Calls("response_url"))), "2")
	})
}

func TestChangesTheCardWhenTheURLIsUsedUp(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Fail("chat.update", fake.Fault{Status: http.StatusTooManyRequests, RetryAfter: 7}, fake.Fault{Error: "ratelimited"}, fake.Fault{Status: 500}, fake.Fault{Lose: true})
		w.Press(ben, m, "one", "")
		time.Sleep(5 * time.Second)
		w.want(t, "too early", texts(t, w.Messages(fake.IM(ben))), "before / [one]")
		time.Sleep(10 * time.Second)
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after one")
		calls := w.Calls("chat.update")
		w.want(t, "calls", fmt.Sprint(len(calls)), "5")
		if gap := calls[1].At.Sub(calls[0].At); gap < 7*time.Second {
			t.Errorf("asked again after %v, told to wait 7s", gap)
		}
	})
}

func TestAWhisperedCardIsShownAnewWhenTheURLIsUsedUp(t *testing.T) {
	whispers := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Command {
			return []chat.Reply{chat.Whisper{Card: card("here", "one")}}
		}
		return updates(ctx, e)
	}
	byHTTP(t, whispers, func(t *testing.T, w *world) {
		w.Command(ben, team, "home")
		synctest.Wait()
		w.want(t, "whispered", texts(t, w.Whispers(ben)), "here / [one]")
		w.Press(ben, w.Whispers(ben)[0], "one", "")
		synctest.Wait()
		w.want(t, "changed", texts(t, w.Whispers(ben)), "after one")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Press(ben, w.Whispers(ben)[0], "two", "")
		synctest.Wait()
		w.want(t, "anew", texts(t, w.Whispers(ben)), "after one; after two")
		w.want(t, "calls of chat.update", fmt.Sprint(len(w.Calls("chat.update"))), "0")
		w.want(t, "to everybody", texts(t, w.Messages(team)), "")
	})
}

func TestACardIsShownAnewWhenItWasDeleted(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Press(ben, fake.Message{Channel: fake.IM(ben), TS: "1.000001"}, "one", "")
		synctest.Wait()
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "after one")
	})
}

func TestWhispersReachTheirPerson(t *testing.T) {
	whispers := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("psst")}} }
	byHTTP(t, whispers, func(t *testing.T, w *world) {
		const far, deaf = "C0FAR00000", "C0DEAF0000"
		w.AddChannel(fake.Channel{ID: far, Members: []string{ben}, Private: true})
		w.AddChannel(fake.Channel{ID: deaf, Members: []string{ben}})
		w.Command(ben, "", "help")
		synctest.Wait()
		w.want(t, "in private it stays", texts(t, w.Messages(fake.IM(ben))), "psst")
		w.Command(ben, far, "help") // the bot is not in there: the URL speaks all the same
		synctest.Wait()
		w.want(t, "elsewhere it is Ben's alone", texts(t, w.Whispers(ben)), "psst")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Command(ben, team, "help")
		synctest.Wait()
		w.want(t, "without the URL", texts(t, w.Whispers(ben)), "psst; psst")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Command(ben, deaf, "help")
		synctest.Wait()
		w.want(t, "with neither", texts(t, w.Messages(fake.IM(ben))), "psst; psst")
	})
}

func TestAResponseURLMustBeSlacks(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		for address, want := range map[string]bool{
			"https://hooks.slack.com/actions/x": true, "http://slack.fake/hooks/x": true, "https://hooks.slack.fake/x": true,
			"http://hooks.slack.com/x": false, "https://example.org/x": false, "https://slack.fake/x": false, "http://slack.fake:81/x": false,
			"https://hooks.slack.com@example.org/": false, "https://user@hooks.slack.com/x": false, "https://hooks.slack.com.example.org/": false, "http://169.254.169.254/": false, "": false,
		} {
			if got := w.slack.client.trusted(address); got != want {
				t.Errorf("trusted(%q) = %v", address, got)
			}
		}
	})
}

func TestALostAnswerDoesNotDoubleAMessage(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.Fail("chat.postMessage", fake.Fault{Lose: true})
		err := w.slack.Send(t.Context(), "m1", personAna, card("hello"))
		if !errors.Is(err, chat.ErrUnsure) {
			t.Errorf("the error is %v, want ErrUnsure", err)
		}
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "hello")
		w.Fail("chat.postMessage", fake.Fault{Status: 502})
		if err := w.slack.Send(t.Context(), "m1", personAna, card("hello")); !errors.Is(err, chat.ErrUnsure) {
			t.Errorf("the error is %v, want ErrUnsure", err)
		}
		w.Fail("chat.postMessage", fake.Fault{Wait: time.Minute})
		if err := w.slack.Send(t.Context(), "m1", personAna, card("hello")); !errors.Is(err, chat.ErrUnsure) {
			t.Errorf("the error is %v, want ErrUnsure", err)
		}
		w.want(t, "calls", fmt.Sprint(len(w.Calls("chat.postMessage"))), "3")
	})
}

func TestWhatWasCertainlyNotSentIsSentAgain(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.Fail("chat.postMessage", fake.Fault{Status: 503}, fake.Fault{Status: 429, RetryAfter: 3}, fake.Fault{Error: "ratelimited"}, fake.Fault{Error: "service_unavailable"})
		if err := w.slack.Send(t.Context(), "m1", personAna, card("hello")); err != nil {
			t.Error(err)
		}
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "hello")
		w.Down(true)
		time.AfterFunc(time.Second, func() { w.Down(false) })
		if err := w.slack.Send(t.Context(), "m2", personAna, card("again")); err != nil {
			t.Error(err)
		}
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "hello; again")
		w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 3600})
		err := w.slack.Send(t.Context(), "m3", personAna, card("third"))
		if err == nil || errors.Is(err, chat.ErrUnsure) || errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("told to wait an hour: %v", err)
		}
	})
}

func TestAHeldMethodHoldsEveryCall(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 10})
		began := time.Now()
		var both sync.WaitGroup
		both.Go(func() { w.slack.direct(t.Context(), personAna, card("one")) })
		synctest.Wait()
		both.Go(func() { w.slack.direct(t.Context(), personAna, card("two")) })
		both.Wait()
		for _, c := range w.Calls("chat.postMessage")[1:] {
			if c.At.Sub(began) < 10*time.Second {
				t.Errorf("called after %v", c.At.Sub(began))
			}
		}
		w.want(t, "calls", fmt.Sprint(len(w.Calls("chat.postMessage"))), "3")
	})
}

func TestSendSaysWhoCannotBeReached(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "U0GONE0000", Deleted: true})
		w.AddUser(fake.User{ID: "U0STRANGE0", Stranger: true})
		for _, id := range []string{"U0GONE0000", "U0STRANGE0", "U0NOBODY00", fake.Bot} {
			if err := w.slack.Send(t.Context(), "", chat.Person{Platform: Platform, Workspace: fake.Team, ID: id}, card("hello")); !errors.Is(err, chat.ErrUnreachable) {
				t.Errorf("%s: %v", id, err)
			}
		}
		w.MessagesTab(false)
		if err := w.slack.Send(t.Context(), "", personAna, card("hello")); err == nil || errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("messages tab off: %v", err)
		}
		if !strings.Contains(w.log.String(), "Messages Tab") {
			t.Errorf("the operator is not told:\n%s", w.log)
		}
		w.MessagesTab(true)
		for _, word := range []string{"token_revoked", "missing_scope", "account_inactive"} {
			w.Fail("chat.postMessage", fake.Fault{Error: word})
			if err := w.slack.Send(t.Context(), "", personAna, card("hello")); err == nil || errors.Is(err, chat.ErrUnreachable) || errors.Is(err, chat.ErrUnsure) {
				t.Errorf("%s: %v", word, err)
			}
		}
		if !strings.Contains(w.log.String(), "install the app again") {
			t.Errorf("the operator is not told:\n%s", w.log)
		}
	})
}

func TestInvitationsDoNotHoldUpPresses(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		began := time.Now()
		var all sync.WaitGroup
		for n := range 40 {
			id := fmt.Sprintf("U0MANY%04d", n)
			w.AddUser(fake.User{ID: id})
			all.Go(func() { w.send(t, id, card("join")) })
		}
		time.Sleep(2 * time.Second)
		if a := w.Press(ben, m, "one", ""); a.Took > 100*time.Millisecond {
			t.Errorf("the press waited %v", a.Took)
		}
		synctest.Wait()
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after one")
		all.Wait()
		if took := time.Since(began); took < 9*time.Second || took > 12*time.Second {
			t.Errorf("40 messages took %v, want four a second", took)
		}
	})
}

func TestPostShowsCardAndFilesToEverybody(t *testing.T) {
	posts := func(context.Context, chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("results"), Sorry: card("sorry"), Files: []chat.File{
			{Name: "a.png", Type: "image/png", Alt: "bars", Data: []byte("png")}, {Name: "b.csv", Type: "text/csv", Data: []byte("x,y")},
		}}, chat.Whisper{Card: card("done")}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.Fail("upload", fake.Fault{Status: 500})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "channel", texts(t, w.Messages(team)), "results; 2 files")
		files := w.Files(team)
		if len(files) != 2 || files[0].Name != "a.png" || files[0].Alt != "bars" || string(files[1].Data) != "x,y" {
			t.Errorf("files are %+v", files)
		}
		w.want(t, "completed in one go", fmt.Sprint(len(w.Calls("files.completeUploadExternal"))), "1")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")

		w.AddChannel(fake.Channel{ID: team, Members: []string{ana, ben}})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "channel without the bot", texts(t, w.Messages(team)), "results; 2 files")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done; sorry")
	})
}

func TestPostWithoutFilesSpeaksWhereTheBotIsNoMember(t *testing.T) {
	to := placeTeam
	posts := func(context.Context, chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: to, Card: card("join"), Sorry: card("sorry")}, chat.Whisper{Card: card("done")}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.AddChannel(fake.Channel{ID: team, Members: []string{ana}, Private: true})
		w.Command(ana, team, "button")
		time.Sleep(2 * time.Second)
		w.want(t, "channel", texts(t, w.Messages(team)), "join")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")
		for name, c := range map[string]fake.Channel{
			"C0OTHER000": {}, "C0ARCHIVE0": {BotIn: true, Archived: true}, "C0CLOSED00": {BotIn: true, Closed: true},
		} {
			c.ID = name
			w.AddChannel(c)
			to.Channel = name
			w.Command(ana, team, "button")
			time.Sleep(2 * time.Second)
			w.want(t, name, texts(t, w.Messages(name)), "")
		}
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done; sorry; sorry; sorry")
	})
}

func TestPostsToOneChannelAreASecondApart(t *testing.T) {
	posts := func(context.Context, chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("one")}, chat.Post{To: placeTeam, Card: card("two")}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.Command(ana, team, "results")
		time.Sleep(3 * time.Second)
		calls := w.Calls("chat.postMessage")
		if len(calls) != 2 || calls[1].At.Sub(calls[0].At) < time.Second {
			t.Errorf("posted at %+v", calls)
		}
	})
}

func form() chat.Form {
	return chat.Form{Title: "Detail", Intro: "Name no one.", Submit: "Keep", Cancel: "Cancel", Action: chat.Do("keep"), Fields: []chat.Field{
		chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 500, Lines: true},
		chat.Input{Label: chat.Label{ID: "barrier", Text: "Barrier", Optional: true}, Max: 500},
		chat.Pick{Label: chat.Label{ID: "kinds", Text: "Kinds", Optional: true}, Many: true, Options: []chat.Option{{Value: "a", Label: "Data"}, {Value: "b", Label: "Views"}}},
	}}
}

// opens is a responder with a form behind the verb "detail" and an answer to it.
func opens(submitted func(context.Context, chat.Event) []chat.Reply) func(context.Context, chat.Event) []chat.Reply {
	return func(ctx context.Context, e chat.Event) []chat.Reply {
		switch {
		case e.Kind == chat.Submit:
			return submitted(ctx, e)
		case e.Action.Verb == "detail":
			return []chat.Reply{chat.Open{Form: form()}}
		}
		return updates(ctx, e)
	}
}

func TestAFormChangesTheCardItWasOpenedFrom(t *testing.T) {
	byHTTP(t, opens(func(_ context.Context, e chat.Event) []chat.Reply {
		return []chat.Reply{chat.Update{Card: card("kept " + e.Value("note"))}}
	}), func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "detail"))
		w.Press(ben, m, "detail", "")
		synctest.Wait()
		read, err := fake.ReadForm(w.Modal(ben).Body)
		if err != nil {
			t.Fatal(err)
		}
		w.want(t, "the form", read.String(), form().String())
		if a := w.Submit(ben, map[string][]string{"note": {"a note"}, "kinds": {"b"}}); !a.OK() {
			t.Errorf("submitted: %+v", a)
		}
		synctest.Wait()
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "kept a note")
		if w.Modal(ben) != nil {
			t.Error("the form is still open")
		}
	})
}

func TestAFormDoesNotWaitForEarlierReplies(t *testing.T) {
	byHTTP(t, opens(nil), func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one", "detail"))
		w.Fail("response_url", fake.Fault{Status: 429, RetryAfter: 30})
		w.Press(ben, m, "one", "")
		w.Press(ben, m, "detail", "")
		time.Sleep(time.Second)
		if w.Modal(ben) == nil {
			t.Errorf("no form after a second:\n%s", w.log)
		}
		time.Sleep(time.Minute)
		w.want(t, "calls of views.open", fmt.Sprint(len(w.Calls("views.open"))), "1")
	})
}

func TestAFormThatComesTooLateIsLogged(t *testing.T) {
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		sleep(ctx, 4*time.Second)
		return []chat.Reply{chat.Open{Form: form()}}
	}
	byHTTP(t, slow, func(t *testing.T, w *world) {
		w.Command(ben, team, "new")
		time.Sleep(5 * time.Second)
		if !strings.Contains(w.log.String(), "expired_trigger_id") {
			t.Errorf("the log is\n%s", w.log)
		}
		w.want(t, "calls of views.open", fmt.Sprint(len(w.Calls("views.open"))), "1")
	})
}

func refuses(context.Context, chat.Event) []chat.Reply {
	return []chat.Reply{chat.Refuse{Fields: map[string]string{"note": "Too long.", "elsewhere": "Not now."}}}
}

func TestARefusalStandsInTheForm(t *testing.T) {
	byHTTP(t, opens(refuses), func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "detail"))
		w.Press(ben, m, "detail", "")
		synctest.Wait()
		a := w.Submit(ben, map[string][]string{"note": {"a note"}})
		w.want(t, "errors", fmt.Sprint(a.Errors), "map[note:Not now. Too long.]")
		if w.Modal(ben) == nil {
			t.Error("the form is gone")
		}
		time.Sleep(time.Second)
		w.want(t, "the same again", fmt.Sprint(w.Again().Errors), "map[note:Not now. Too long.]")
		synctest.Wait()
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "before / [detail]")
	})
}

func TestALateRefusalGivesBackWhatWasTyped(t *testing.T) {
	late := func(ctx context.Context, e chat.Event) []chat.Reply {
		sleep(ctx, 4*time.Second)
		return refuses(ctx, e)
	}
	byHTTP(t, opens(late), func(t *testing.T, w *world) {
		m := w.post(t, team, card("before", "detail"))
		w.Press(ben, m, "detail", "")
		synctest.Wait()
		w.Submit(ben, map[string][]string{"note": {"a *note*"}, "barrier": {strings.Repeat("x", 500)}, "kinds": {"a"}})
		time.Sleep(5 * time.Second)
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "Not now. / Too long. / a *note* / "+strings.Repeat("x", 500))
		w.want(t, "channel", texts(t, w.Messages(team)), "before / [detail]")
	})
}

func TestHomeIsDrawnAgainAfterWhatItsPersonDoes(t *testing.T) {
	n := 0
	homes := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Home {
			n++
			return []chat.Reply{chat.Update{Card: card(fmt.Sprint("page ", n), "one")}}
		}
		return updates(ctx, e)
	}
	page := func(t *testing.T, w *world) string {
		var v struct{ Blocks json.RawMessage }
		if home := w.Home(ben); home == nil {
			return ""
		} else if err := json.Unmarshal(home.Body, &v); err != nil {
			t.Fatal(err)
		}
		c, err := fake.ReadCard(v.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(c.String())
	}
	byHTTP(t, homes, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		w.Press(ben, m, "one", "")
		time.Sleep(5 * time.Second)
		w.want(t, "who has not looked has no page", page(t, w), "")
		w.Fail("views.publish", fake.Fault{Status: 429, RetryAfter: 2})
		w.OpenHome(ben)
		time.Sleep(3 * time.Second)
		w.want(t, "opened", page(t, w), "page 1\n[one]")
		for range 7 {
			w.Press(ben, m, "one", "")
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		if calls := len(w.Calls("views.publish")); calls < 3 || calls > 6 {
			t.Errorf("%d calls of views.publish", calls)
		}
		w.want(t, "handled last", fmt.Sprint(w.bot.events[len(w.bot.events)-1].Kind), fmt.Sprint(chat.Home))
		before := len(w.Messages(fake.IM(ben)))
		w.PressHome(ben, "two", "")
		synctest.Wait()
		w.want(t, "a press there answers in messages", texts(t, w.Messages(fake.IM(ben))[before:]), "after two")
		w.want(t, "and changes nothing", fmt.Sprint(len(w.Calls("chat.update"))), "0")
		time.Sleep(3 * time.Second)
		before = n
		w.Press(ben, m, "one", "") // drawn at once
		synctest.Wait()
		w.Press(ben, m, "one", "") // to be drawn in two seconds
		synctest.Wait()
		if err := w.slack.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.want(t, "drawn before the end", page(t, w), fmt.Sprintf("page %d\n[one]", before+2))
	})
}

func TestTellsTheBotWhoSomebodyIs(t *testing.T) {
	whispers := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("psst")}} }
	byHTTP(t, whispers, func(t *testing.T, w *world) {
		last := func() chat.Event { synctest.Wait(); return w.bot.events[len(w.bot.events)-1] }
		w.Command(ana, team, "new")
		if e := last(); !e.Admin || e.Locale != "cy-GB" {
			t.Errorf("Ana's event is %+v", e)
		}
		w.Say(ana, "hello")
		w.Say(ben, "hello")
		if e := last(); e.Admin || e.Locale != "en-GB" {
			t.Errorf("Ben's event is %+v", e)
		}
		w.want(t, "asked", fmt.Sprint(len(w.Calls("users.info"))), "2")
		w.ChangeUser(fake.User{ID: ben, Admin: true, Locale: "cy-GB"})
		w.Say(ben, "hello")
		if e := last(); !e.Admin || e.Locale != "cy-GB" {
			t.Errorf("Ben's event is %+v", e)
		}
		time.Sleep(2 * time.Hour)
		w.Say(ben, "hello")
		w.want(t, "asked", fmt.Sprint(len(w.Calls("users.info"))), "4")

		w.AddUser(fake.User{ID: "U0CEM00000", Locale: "cy-GB"})
		w.Fail("users.info", fake.Fault{Wait: 5 * time.Second})
		if a := w.Command("U0CEM00000", team, "help"); a.Took > 800*time.Millisecond {
			t.Errorf("waited %v for a profile", a.Took)
		}
		if e := last(); e.Locale != "" {
			t.Errorf("Cem's event is %+v", e)
		}
		time.Sleep(5 * time.Second)
		w.Command("U0CEM00000", team, "help")
		if e := last(); e.Locale != "cy-GB" {
			t.Errorf("Cem's event is %+v", e)
		}
		before := len(w.Calls("users.info"))
		w.AddUser(fake.User{ID: "U0DAN00000"})
		w.Press("U0DAN00000", fake.Message{Channel: team, TS: "1.1"}, "one", "")
		synctest.Wait()
		w.want(t, "not asked for a press that changes its card", fmt.Sprint(len(w.Calls("users.info"))-before), "0")
	})
}

func TestFindKnowsPeople(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "U0GUEST000", Email: "guest@example.org", Guest: true})
		w.AddUser(fake.User{ID: "U0GONE0000", Email: "gone@example.org", Deleted: true})
		w.AddUser(fake.User{ID: "U0STRANGE0", Email: "strange@example.org", Stranger: true})
		w.AddUser(fake.User{ID: "U0ROBOT000", Email: "robot@example.org", Bot: true})
		for word, want := range map[string]string{
			"ana@example.org": ana, " ANA@example.org ": ana, "<@" + ben + ">": ben, "<@" + ben + "|ben>": ben, ben: ben,
			"<mailto:ben@example.org|ben@example.org>": ben, "guest@example.org": "U0GUEST000",
			"gone@example.org": "", "U0GONE0000": "", "strange@example.org": "", "U0STRANGE0": "", "robot@example.org": "", fake.Bot: "",
			"U0NOBODY00": "", "nobody@example.org": "", "Ben": "", "": "", "<!channel>": "",
		} {
			p, err := w.slack.Find(t.Context(), placeTeam, word)
			switch {
			case want == "" && !errors.Is(err, chat.ErrNobody):
				t.Errorf("Find(%q) = %v, %v, want ErrNobody", word, p, err)
			case want != "" && (err != nil || p != chat.Person{Platform: Platform, Workspace: fake.Team, ID: want}):
				t.Errorf("Find(%q) = %v, %v, want %s", word, p, err, want)
			}
		}
		w.Fail("users.lookupByEmail", fake.Fault{Error: "missing_scope"})
		if _, err := w.slack.Find(t.Context(), placeTeam, "ana@example.org"); err == nil || errors.Is(err, chat.ErrNobody) {
			t.Errorf("without the scope: %v", err)
		}
	})
}

func TestMembersAreThePeopleOfAChannel(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "U0GUEST000", Guest: true})
		w.AddUser(fake.User{ID: "U0GONE0000", Deleted: true})
		w.AddUser(fake.User{ID: "U0STRANGE0", Stranger: true})
		w.AddUser(fake.User{ID: "U0ROBOT000", Bot: true})
		some := []string{ana, ben, "U0GUEST000", "U0GONE0000", "U0STRANGE0", "U0ROBOT000"}
		w.AddChannel(fake.Channel{ID: team, Members: some, BotIn: true})
		w.Fail("conversations.members", fake.Fault{Status: 500}, fake.Fault{Lose: true}, fake.Fault{Status: 429, RetryAfter: 1})
		all, err := w.slack.Members(t.Context(), placeTeam)
		if err != nil || len(all) != 3 {
			t.Errorf("members are %v, %v", all, err)
		}
		w.want(t, "calls of users.list", fmt.Sprint(len(w.Calls("users.list"))), "0")
		for n := range 2500 {
			id := fmt.Sprintf("U0MANY%04d", n)
			w.AddUser(fake.User{ID: id})
			some = append(some, id)
		}
		w.AddChannel(fake.Channel{ID: team, Members: some, BotIn: true})
		before := len(w.Calls("users.info"))
		for range 2 {
			if all, err = w.slack.Members(t.Context(), placeTeam); err != nil || len(all) != 2503 {
				t.Errorf("%d members, %v", len(all), err)
			}
		}
		w.want(t, "calls of users.list", fmt.Sprint(len(w.Calls("users.list"))), "3")
		if more := len(w.Calls("users.info")) - before; more > 1 { // the stranger is on no list
			t.Errorf("%d calls of users.info", more)
		}
		w.AddChannel(fake.Channel{ID: "C0PRIVATE0", Private: true})
		for _, id := range []string{"C0PRIVATE0", "C0NOWHERE0"} {
			if _, err := w.slack.Members(t.Context(), chat.Place{Platform: Platform, Workspace: fake.Team, Channel: id}); !errors.Is(err, chat.ErrNobody) {
				t.Errorf("members of %s: %v", id, err)
			}
		}
	})
}

func TestNewSaysWhichValueIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fake.New(t)
		good := Options{Token: fake.Token, AppToken: fake.AppToken, SigningSecret: fake.Secret, APIURL: fake.URL, Dial: f.Dial, Responder: &script{}}
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
		f.Fail("bots.info", fake.Fault{Error: "missing_scope"})
		s, err := New(t.Context(), good)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestSecretsDoNotPrint(t *testing.T) {
	secret := Secret("xoxb-very-secret")
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%d", "%T%[1]v"} {
		if got := fmt.Sprintf(verb, secret); strings.Contains(got, "very") || strings.Contains(got, fmt.Sprintf("%x", "very")) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	o := Options{Token: secret, AppToken: secret, SigningSecret: secret}
	raw, err := json.Marshal(struct{ Token Secret }{secret})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{fmt.Sprintf("%v", o), fmt.Sprintf("%+v", o), fmt.Sprintf("%#v", o), string(raw), secret.String()} {
		if strings.Contains(got, "very") {
			t.Errorf("it prints %s", got)
		}
	}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "token", secret, "options", o)
	if strings.Contains(b.String(), "very") {
		t.Errorf("it logs %s", b.String())
	}
	c := &client{secrets: []string{string(secret)}}
	err = c.scrub(&url.Error{Op: "Post", URL: "https://hooks.slack.com/actions/key", Err: fmt.Errorf("proxy says: %s: %w", string(secret), errSpent)})
	if strings.Contains(err.Error(), "very") || strings.Contains(err.Error(), "key") || !errors.Is(err, errSpent) {
		t.Errorf("the error is %v", err)
	}
}
