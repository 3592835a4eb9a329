package slack

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/platform"
	"maturitybot/adapters/platformtest"
	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
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

// stage makes a workspace with Ana and Ben, a channel, and the bot in it.
func stage(t *testing.T, handle func(context.Context, chat.Event) []chat.Reply) *world {
	t.Helper()
	w := &world{Server: fake.New(t), bot: &platformtest.Script{Does: handle}, log: &platformtest.Log{}}
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
	if _, err := w.slack.postMessage(t.Context(), channel, c); err != nil {
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

func TestPressUpdatesCard(t *testing.T) {
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
		e := w.bot.Events[0]
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

func TestAckTimeout(t *testing.T) {
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		dispatch.Sleep(ctx, 2*time.Second)
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
		w.want(t, "handled", w.bot.Verbs(), "one two")
	})
}

func TestAckAfterHandling(t *testing.T) {
	kept := false
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		dispatch.Sleep(ctx, time.Second)
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

func TestRepliesWaitForAck(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		d, err := w.slack.accept(inbound{event: chat.Event{ID: "e1", Who: personAna, Action: chat.NewAction("one")}, origin: origin{Channel: team, Private: true}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.want(t, "before", texts(t, w.Messages(team)), "")
		w.slack.acknowledged(d, time.Now())
		synctest.Wait()
		w.want(t, "after", texts(t, w.Messages(team)), "after one")
	})
}

func TestDuplicateDelivery(t *testing.T) {
	byHTTP(t, func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("hello")}} }, func(t *testing.T, w *world) {
		w.Say(ben, "hi")
		for range 3 {
			time.Sleep(time.Second) // or the signature would be the same
			if a := w.Again(); !a.OK() {
				t.Errorf("again: %+v", a)
			}
		}
		synctest.Wait()
		w.want(t, "handled", fmt.Sprint(len(w.bot.Events)), "1")
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))[1:]), "hello")
	})
}

func TestOrderPerPerson(t *testing.T) {
	first := true
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Who.ID == ben && first {
			first = false
			dispatch.Sleep(ctx, time.Second)
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
		w.want(t, "handled", w.bot.Verbs(), "one four two three")
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after three")
	})
}

func TestIntermediateUpdateSkipped(t *testing.T) {
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

func TestUpdateWithSpentResponseURL(t *testing.T) {
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

func TestUpdateEphemeralWithSpentResponseURL(t *testing.T) {
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

// What somebody is shown after a press on a card that everybody sees is for them alone, in whatever way it was meant to be shown.
func TestSharedCardNotUpdated(t *testing.T) {
	byHTTP(t, opens(updates), func(t *testing.T, w *world) {
		m := w.post(t, team, card("join", "one", "detail"))
		w.Press(ben, m, "one", "")
		synctest.Wait()
		w.want(t, "Ben sees", texts(t, w.Whispers(ben)), "after one")
		w.Press(ben, m, "detail", "")
		synctest.Wait()
		w.Submit(ben, map[string][]string{"note": {"x"}})
		synctest.Wait()
		w.want(t, "Ben sees", texts(t, w.Whispers(ben)), "after one; after keep")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Press(ben, m, "two", "")
		synctest.Wait()
		w.want(t, "Ben sees", texts(t, w.Whispers(ben)), "after one; after keep; after two")
		w.want(t, "everybody sees", texts(t, w.Messages(team)), "join / [one] [detail]")
		w.want(t, "calls of chat.update", fmt.Sprint(len(w.Calls("chat.update"))), "0")
	})
}

func TestUpdateDeletedCard(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Press(ben, fake.Message{Channel: fake.IM(ben), TS: "1.000001"}, "one", "")
		synctest.Wait()
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "after one")
	})
}

func TestWhisper(t *testing.T) {
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

// A command can be typed where two people talk, which the bot cannot tell from its own conversation with one, nor speak in.
func TestCommandInForeignDM(t *testing.T) {
	both := func(_ context.Context, e chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: e.Where, Card: card("for all"), Then: sorry("psst")}}
	}
	byHTTP(t, both, func(t *testing.T, w *world) {
		w.Command(ben, "D0ELSEWHERE", "help")
		synctest.Wait()
		w.want(t, "Ben alone sees", texts(t, w.Whispers(ben)), "psst")
		w.want(t, "the other one sees", texts(t, w.Messages("D0ELSEWHERE")), "")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Command(ben, "D0ELSEWHERE", "help")
		time.Sleep(2 * channelInterval)
		w.want(t, "without the URL", texts(t, w.Messages(fake.IM(ben))), "psst")
	})
}

func TestResponseURLHost(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		for address, want := range map[string]bool{
			"https://hooks.slack.com/actions/x": true, "http://slack.fake/hooks/x": true, "https://hooks.slack.fake/x": true,
			"http://hooks.slack.com/x": false, "https://example.org/x": false, "https://slack.fake/x": false, "http://slack.fake:81/x": false,
			"https://hooks.slack.com@example.org/": false, "https://user@hooks.slack.com/x": false, "https://hooks.slack.com.example.org/": false, "http://169.254.169.254/": false, "": false,
		} {
			if got := w.slack.client.isResponseURL(address); got != want {
				t.Errorf("trusted(%q) = %v", address, got)
			}
		}
	})
}

func TestLostResponseNotRetried(t *testing.T) {
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

func TestRetryWhenNotSent(t *testing.T) {
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

// Of what fails before a word of it was written, nothing can have been done.
func TestRetryWhenNothingWritten(t *testing.T) {
	const plain, secure = "http://slack.test/api/", "https://slack.test/api/"
	for name, c := range map[string]struct {
		base   string
		proxy  bool
		dial   error
		server func(net.Conn)
		unsure bool
	}{
		"a proxy that is down":        {base: secure, proxy: true, dial: &net.OpError{Op: "dial", Err: errors.New("refused")}},
		"a name that is not found":    {base: plain, dial: &net.DNSError{Err: "no such host"}},
		"a proxy that does not let":   {base: secure, proxy: true, server: answers("HTTP/1.1 503 Service Unavailable\r\n\r\n")},
		"what does not speak TLS":     {base: secure, server: says("HTTP/1.1 400 Bad Request\r\n\r\n")},
		"a handshake that is cut":     {base: secure, server: func(net.Conn) {}},
		"a request that is cut after": {base: plain, server: answers(""), unsure: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dials := 0
				client, err := newClient(Options{Token: "xoxb-1", APIURL: c.base, Log: slog.New(slog.DiscardHandler), Dial: func(context.Context, string, string) (net.Conn, error) {
					if dials++; c.dial != nil {
						return nil, c.dial
					}
					near, far := net.Pipe()
					go func() {
						c.server(far)
						far.Close()
					}()
					return near, nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				if c.proxy {
					client.http.Transport.(*http.Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test"})
				}
				err = client.call(t.Context(), "chat.postMessage", false, func(ctx context.Context) error {
					_, _, err := client.api.PostMessageContext(ctx, ana)
					return err
				})
				want := maxAttempts
				if c.unsure {
					want = 1
				}
				if err == nil || errors.Is(err, chat.ErrUnsure) != c.unsure || dials != want {
					t.Errorf("after %d tries: %v", dials, err)
				}
			})
		})
	}
}

// says is a server that speaks first.
func says(words string) func(net.Conn) {
	return func(c net.Conn) {
		go io.Copy(io.Discard, c)
		io.WriteString(c, words)
	}
}

// answers is a server that reads a request first.
func answers(words string) func(net.Conn) {
	return func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			io.Copy(io.Discard, r.Body)
		}
		io.WriteString(c, words)
	}
}

// A program that is told to end lets a message that it has begun go its way, and begins no other.
func TestRequestOutlivesContext(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.Fail("chat.postMessage", fake.Fault{Wait: 3 * time.Second})
		ctx, end := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, end)
		if err := w.slack.Send(ctx, "m1", personAna, card("hello")); err != nil {
			t.Errorf("under way at the end: %v", err)
		}
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "hello")
		time.Sleep(10 * time.Second)
		ctx, end = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, end)
		w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 60})
		began := time.Now()
		err := w.slack.Send(ctx, "m2", personAna, card("again"))
		if took := time.Since(began); took > time.Second || !errors.Is(err, context.Canceled) || errors.Is(err, chat.ErrUnsure) {
			t.Errorf("waiting at the end: %v, after %v", err, took)
		}
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "hello")
	})
}

// What one person does too fast is not felt by another.
func TestRateLimitPerChannel(t *testing.T) {
	hi := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("hi")}} }
	byHTTP(t, hi, func(t *testing.T, w *world) {
		w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 60})
		w.Say(ben, "hello")
		synctest.Wait()
		w.Say(ana, "hello")
		synctest.Wait()
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))[1:]), "hi")
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))[1:]), "")
		time.Sleep(61 * time.Second)
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))[1:]), "hi")
	})
}

// When Slack asks for patience in one channel after the other, it is the workspace that is limited.
func TestRateLimitOfManyChannels(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for n := range sharedLimitThreshold {
			id := fmt.Sprintf("U0MANY%04d", n)
			w.AddUser(fake.User{ID: id})
			w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 30})
			all.Go(func() { w.slack.direct(t.Context(), chat.Person{ID: id}, card("hi")) })
			synctest.Wait()
		}
		began := time.Now()
		if err := w.slack.direct(t.Context(), personAna, card("hi")); err != nil || time.Since(began) < 29*time.Second {
			t.Errorf("Ana's message went after %v, %v", time.Since(began), err)
		}
		all.Wait()
		began = time.Now()
		w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 30})
		all.Go(func() { w.slack.direct(t.Context(), personAna, card("hi")) })
		synctest.Wait()
		if err := w.slack.direct(t.Context(), chat.Person{ID: ben}, card("hi")); err != nil || time.Since(began) > time.Second {
			t.Errorf("later, Ben's message went after %v, %v", time.Since(began), err)
		}
		all.Wait()
	})
}

// However fast somebody writes, what they are told goes at the pace that Slack allows to one channel.
func TestReplyPacing(t *testing.T) {
	hi := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("hi")}} }
	byHTTP(t, hi, func(t *testing.T, w *world) {
		began := time.Now()
		for range 15 {
			w.Say(ben, "hello")
		}
		synctest.Wait()
		w.want(t, "at once", fmt.Sprint(len(w.Calls("chat.postMessage"))), fmt.Sprint(replyBurst+1))
		time.Sleep(time.Minute)
		calls := w.Calls("chat.postMessage")
		if took := calls[len(calls)-1].At.Sub(began); len(calls) != 15 || took < 10*time.Second || took > 11*time.Second {
			t.Errorf("%d messages took %v", len(calls), took)
		}
	})
}

func TestRateLimitHoldsWholeChannel(t *testing.T) {
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

func TestSendUnreachable(t *testing.T) {
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

func TestBulkDoesNotDelayReplies(t *testing.T) {
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

func TestPostWithFiles(t *testing.T) {
	posts := func(context.Context, chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("results"), Then: sorry("sorry"), Files: []chat.File{
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

// The bytes that arrive at an upload address are the file's, with nothing before or after them.
func TestUpload(t *testing.T) {
	data := []byte("\xef\xbb\xbfn,share\r\n--boundary--\r\n\x00\xff")
	posts := func(context.Context, chat.Event) []chat.Reply {
		file := chat.File{Name: "a.csv", Type: "text/csv", Data: data}
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("results"), Then: sorry("sorry"), Files: []chat.File{file}}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		if files := w.Files(team); len(files) != 1 || !bytes.Equal(files[0].Data, data) {
			t.Errorf("files are %+v", files)
		}
	})
}

// Files go to Slack alone, wherever an answer says that they are to be uploaded.
func TestUploadURLHost(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		for address, want := range map[string]bool{
			"https://files.slack.com/upload/v1/x": true, "https://slack.com/upload": true,
			"https://files.slack-gov.com/upload/v1/x": true, "http://slack.fake/upload/x": true,
			"http://files.slack.com/upload/v1/x": false, "https://example.org/x": false,
			"https://files.slack.com.example.org/": false, "https://notslack.com/": false,
			"https://files.slack.com@example.org/": false, "http://169.254.169.254/": false, "": false,
		} {
			if got := w.slack.client.isUploadURL(address); got != want {
				t.Errorf("takesFiles(%q) = %v", address, got)
			}
		}
	})
}

func TestPostAsNonMember(t *testing.T) {
	to := placeTeam
	posts := func(context.Context, chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: to, Card: card("join"), Then: sorry("sorry")}, chat.Whisper{Card: card("done")}}
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

// Once the card is posted, what becomes of its files makes it neither unposted nor silences what else there is to say.
func TestPostMissingFiles(t *testing.T) {
	posts := func(context.Context, chat.Event) []chat.Reply {
		files := []chat.File{{Name: "a.png", Type: "image/png", Alt: "bars", Data: []byte("png")}}
		then := func(d chat.Delivered) []chat.Reply {
			return []chat.Reply{chat.Whisper{Card: card(fmt.Sprint("missing ", d.Missing))}}
		}
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("results"), Then: then, Files: files}, chat.Whisper{Card: card("done")}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.Fail("files.completeUploadExternal", fake.Fault{Status: 503})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "after a fault that is over", texts(t, w.Messages(team)), "results; 1 files")
		w.Fail("files.completeUploadExternal", fake.Fault{Error: "posting_to_channel_denied"})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "without its files", texts(t, w.Messages(team)), "results; 1 files; results")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "missing []; done; missing [a.png]; done")
		w.Fail("files.getUploadURLExternal", fake.Fault{Error: "file_upload_size_restricted"})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "not even uploaded", texts(t, w.Messages(team)), "results; 1 files; results; results")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "missing []; done; missing [a.png]; done; missing [a.png]; done")
		if !strings.Contains(w.log.String(), "posted without 1 files") {
			t.Errorf("the operator is not told:\n%s", w.log)
		}
	})
}

func TestPostPacing(t *testing.T) {
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
	return chat.Form{Title: "Detail", Intro: "Name no one.", Submit: "Keep", Cancel: "Cancel", Action: chat.NewAction("keep"), Fields: []chat.Field{
		chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 500, Lines: true},
		chat.Input{Label: chat.Label{ID: "barrier", Text: "Barrier", Optional: true}, Max: 500},
		chat.Select{Label: chat.Label{ID: "kinds", Text: "Kinds", Optional: true}, Many: true, Options: []chat.Option{{Value: "a", Label: "Data"}, {Value: "b", Label: "Views"}}},
	}}
}

// opens is a responder with a form behind the verb "detail" and an answer to it.
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

func TestFormFallback(t *testing.T) {
	byHTTP(t, opens(nil), func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "detail"))
		w.Fail("views.open", fake.Fault{Error: "expired_trigger_id"})
		w.Press(ben, m, "detail", "")
		synctest.Wait()
		seen := w.Seen(ben)
		if last := seen[len(seen)-1]; !strings.Contains(last.Text, "too late") || w.Modal(ben) != nil {
			t.Errorf("he sees %q", last.Text)
		}
	})
}

func TestFormUpdatesOrigin(t *testing.T) {
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

func TestFormOpensBeforeEarlierReplies(t *testing.T) {
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

func TestExpiredTrigger(t *testing.T) {
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		dispatch.Sleep(ctx, 4*time.Second)
		return []chat.Reply{chat.OpenForm{Form: form()}}
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
	return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"note": "Too long.", "elsewhere": "Not now."}}}
}

func TestFieldErrors(t *testing.T) {
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

func TestLateFieldErrors(t *testing.T) {
	late := func(ctx context.Context, e chat.Event) []chat.Reply {
		dispatch.Sleep(ctx, 4*time.Second)
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

// Somebody who hears nothing sends a form again: that is the same gesture, unless it was refused or something in it is another.
func TestResubmittedForm(t *testing.T) {
	reply := []chat.Reply{chat.Update{Card: card("kept")}}
	byHTTP(t, func(context.Context, chat.Event) []chat.Reply { return reply }, func(t *testing.T, w *world) {
		trigger := 0
		send := func(view, note string) *delivery {
			trigger++
			d, err := w.slack.accept(inbound{
				event: chat.Event{ID: fmt.Sprint("t", trigger), Kind: chat.Submit, Who: personAna, Action: chat.NewAction("keep"), Values: map[string][]string{"note": {note}}},
				view:  view, origin: origin{Channel: fake.IM(ana), Private: true},
			}, []byte(`{"view":{"blocks":[{"type":"input","block_id":"note"}]}}`))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			w.slack.awaitHandled(t.Context(), d)
			w.slack.acknowledged(d, time.Now())
			synctest.Wait()
			return d
		}
		for _, c := range []struct {
			view, note string
			again      bool
		}{{"V1", "x", false}, {"V1", "x", true}, {"V1", "y", false}, {"V2", "x", false}} {
			if d := send(c.view, c.note); d.ticket.Duplicate != c.again {
				t.Errorf("%s with %q: again is %v", c.view, c.note, d.ticket.Duplicate)
			}
		}
		w.want(t, "handled", fmt.Sprint(len(w.bot.Events)), "3")
		reply = []chat.Reply{chat.FieldErrors{Fields: map[string]string{"note": "Not now."}}}
		for range 2 {
			if d := send("V3", "x"); d.ticket.Duplicate {
				t.Error("what was refused cannot be sent again")
			}
		}
	})
}

func TestInvalidForm(t *testing.T) {
	broken := func(context.Context, chat.Event) []chat.Reply {
		f := form()
		f.Fields = []chat.Field{nil}
		return []chat.Reply{chat.OpenForm{Form: f}, chat.Whisper{Card: card("and on")}}
	}
	byHTTP(t, broken, func(t *testing.T, w *world) {
		w.Command(ben, team, "new")
		synctest.Wait()
		w.want(t, "Ben sees", texts(t, w.Whispers(ben)), "and on")
		if !strings.Contains(w.log.String(), "opening a form") {
			t.Errorf("the log is\n%s", w.log)
		}
	})
}

func TestHomeRedrawn(t *testing.T) {
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
		w.want(t, "handled last", fmt.Sprint(w.bot.Events[len(w.bot.Events)-1].Kind), fmt.Sprint(chat.Home))
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

func TestProfileInEvent(t *testing.T) {
	whispers := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("psst")}} }
	byHTTP(t, whispers, func(t *testing.T, w *world) {
		last := func() chat.Event { synctest.Wait(); return w.bot.Events[len(w.bot.Events)-1] }
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
		// A press that changes its card does not wait for the profile, which is there for the next.
		w.AddUser(fake.User{ID: "U0DAN00000", Zone: "Europe/Lisbon"})
		w.Fail("users.info", fake.Fault{Wait: 5 * time.Second})
		if a := w.Press("U0DAN00000", fake.Message{Channel: team, TS: "1.1"}, "one", ""); a.Took > 10*time.Millisecond {
			t.Errorf("waited %v for a profile", a.Took)
		}
		time.Sleep(6 * time.Second)
		w.Press("U0DAN00000", fake.Message{Channel: team, TS: "1.1"}, "one", "")
		if e := last(); e.TimeZone != "Europe/Lisbon" {
			t.Errorf("Dan's event is %+v", e)
		}
		// A profile that Slack does not give is asked for again after a minute.
		w.AddUser(fake.User{ID: "U0EVE00000", Gone: true})
		before := len(w.Calls("users.info"))
		for range 5 {
			w.Press("U0EVE00000", fake.Message{Channel: team, TS: "1.1"}, "one", "")
			synctest.Wait()
		}
		w.want(t, "asked", fmt.Sprint(len(w.Calls("users.info"))-before), "1")
		time.Sleep(2 * time.Minute)
		w.Press("U0EVE00000", fake.Message{Channel: team, TS: "1.1"}, "one", "")
		synctest.Wait()
		w.want(t, "asked after a minute", fmt.Sprint(len(w.Calls("users.info"))-before), "2")
	})
}

// Within an enterprise the id of somebody from elsewhere looks like one of ours; the profile tells.
func TestEnterpriseOutsider(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.bot.How = func(chat.Event) chat.Ack { return chat.AckWhisper }
		w.AddUser(fake.User{ID: "U0STRANGE0", Stranger: true, Admin: true})
		w.AddUser(fake.User{ID: "U0GONE0000", Deleted: true})
		for i, c := range []struct{ user, workspace string }{{ben, fake.Team}, {"U0STRANGE0", fake.Other}, {"U0GONE0000", "none"}} {
			body := fmt.Sprintf(`{"type":"block_actions","trigger_id":"t%d","user":{"id":%q,"team_id":%q},"team":{"id":%q},"enterprise":{"id":"E1"},`+
				`"container":{"type":"message","channel_id":%q,"message_ts":"1.1"},"actions":[{"type":"button","action_id":"join","action_ts":"1.1"}]}`, i, c.user, fake.Other, fake.Team, team)
			if a := w.Post(request(formKind, url.Values{"payload": {body}}.Encode(), time.Now())); !a.OK() {
				t.Errorf("%s: %+v", c.user, a)
			}
			synctest.Wait()
			e := w.bot.Events[len(w.bot.Events)-1]
			if e.Who != (chat.Person{Platform: Platform, Workspace: c.workspace, ID: c.user}) || e.Admin {
				t.Errorf("%s is %+v", c.user, e.Who)
			}
		}
	})
}

// TestEnterpriseMembershipUnknown: while Slack does not tell of somebody whose workspace is another, they do not pass for one of
// ours, whatever they press; once it tells, they do.
func TestEnterpriseMembershipUnknown(t *testing.T) {
	for _, ack := range []chat.Ack{chat.AckWhisper, chat.AckUpdate} {
		byHTTP(t, nil, func(t *testing.T, w *world) {
			w.bot.How = func(chat.Event) chat.Ack { return ack }
			n := 0
			unverified := func(user, from string) bool {
				n++
				body := fmt.Sprintf(`{"type":"block_actions","trigger_id":"t%d","user":{"id":%q,"team_id":%q},"team":{"id":%q},"enterprise":{"id":"E1"},`+
					`"container":{"type":"message","channel_id":%q,"message_ts":"1.1"},"actions":[{"type":"button","action_id":"join","action_ts":"1.1"}]}`, n, user, from, fake.Team, team)
				w.Post(request(formKind, url.Values{"payload": {body}}.Encode(), time.Now()))
				time.Sleep(10 * time.Second)
				return w.bot.Events[len(w.bot.Events)-1].Unverified
			}
			w.Fail("users.info", fake.Fault{Wait: 5 * time.Second}, fake.Fault{Status: 404})
			if !unverified(ben, fake.Other) {
				t.Error("Slack was slow, and Ben of another workspace passes for ours")
			}
			if unverified(ben, fake.Other) {
				t.Error("Slack has told that Ben is ours")
			}
			w.AddUser(fake.User{ID: "U0EVE00000"})
			if !unverified("U0EVE00000", fake.Other) {
				t.Error("Slack did not tell of Eve, who passes for ours")
			}
			w.AddUser(fake.User{ID: "U0FAY00000"})
			w.Fail("users.info", fake.Fault{Wait: 5 * time.Second})
			if unverified("U0FAY00000", fake.Team) {
				t.Error("Fay's own workspace is ours")
			}
		})
	}
}

// People who were picked in a form are held to what people in a list are.
func TestPickedPeople(t *testing.T) {
	form := chat.Form{Title: "Invite", Submit: "Send", Cancel: "Cancel", Action: chat.NewAction("send"), Fields: []chat.Field{chat.People{Label: chat.Label{ID: "people", Text: "People"}}}}
	byHTTP(t, func(_ context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Submit {
			return nil
		}
		return []chat.Reply{chat.OpenForm{Form: form}}
	}, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "U0GUEST000", Guest: true})
		w.AddUser(fake.User{ID: "U0GONE0000", Deleted: true})
		w.AddUser(fake.User{ID: "U0STRANGE0", Stranger: true})
		w.AddUser(fake.User{ID: "U0ROBOT000", Bot: true})
		pick := func(ids ...string) []string {
			w.Command(ana, team, "invite")
			synctest.Wait()
			w.Submit(ana, map[string][]string{"people": ids})
			time.Sleep(2 * pickTimeout)
			synctest.Wait()
			return w.bot.Events[len(w.bot.Events)-1].Values["people"]
		}
		ours := func(id string) string { return chat.Person{Platform: Platform, Workspace: fake.Team, ID: id}.String() }
		got := pick(ben, "U0GUEST000", "U0GONE0000", "U0STRANGE0", "U0ROBOT000", "U0NOBODY00")
		w.want(t, "picked", fmt.Sprint(got), fmt.Sprint([]string{ours(ben), ours("U0GUEST000"), "U0GONE0000", "U0STRANGE0", "U0ROBOT000", "U0NOBODY00"}))
		for _, v := range got[2:] {
			if p, err := chat.ParsePerson(v); err == nil {
				t.Errorf("%q passes for %v", v, p)
			}
		}
		many := []string{"U0STRANGE0"}
		for n := range 2 * lookupLimit {
			id := fmt.Sprintf("U0MANY%04d", n)
			w.AddUser(fake.User{ID: id})
			many = append(many, id)
		}
		before := len(w.Calls("users.info"))
		got = pick(many...)
		if len(got) != len(many) || got[0] != "U0STRANGE0" || got[1] != ours("U0MANY0000") {
			t.Errorf("of many: %v", got)
		}
		w.want(t, "calls of users.info for many", fmt.Sprint(len(w.Calls("users.info"))-before), "0")
		// Whom Slack does not tell of in time, it offered.
		w.AddUser(fake.User{ID: "U0LATE0000"})
		w.Fail("users.info", fake.Fault{Status: 429, RetryAfter: 60})
		w.want(t, "unknown", fmt.Sprint(pick("U0LATE0000")), fmt.Sprint([]string{ours("U0LATE0000")}))
	})
}

// The id that a writer's own program gives to a message says nothing of anybody else's.
func TestMessageIDsPerChannel(t *testing.T) {
	hi := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("hi")}} }
	byHTTP(t, hi, func(t *testing.T, w *world) {
		for _, user := range []string{ana, ben} {
			w.Event(map[string]any{"type": "message", "channel": fake.IM(user), "channel_type": "im", "user": user, "team": fake.Team, "text": "x", "ts": "1.000001", "client_msg_id": "same"})
			synctest.Wait()
			w.want(t, user, texts(t, w.Messages(fake.IM(user))), "hi")
		}
	})
}

// A list of people that met Slack's limit goes on where it was.
func TestFindResumesAfterRateLimit(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		for n := range 50 {
			w.AddUser(fake.User{ID: fmt.Sprintf("U0MANY%04d", n), Email: fmt.Sprintf("p%d@example.org", n)})
		}
		find := func() int {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			for n := range 52 {
				if _, err := w.slack.Find(ctx, placeTeam, fmt.Sprintf("P%d@example.org", n)); err != nil && !errors.Is(err, chat.ErrNobody) {
					return n
				}
			}
			return 52
		}
		w.Fail("users.lookupByEmail", append(make([]fake.Fault, 30), fake.Fault{Status: 429, RetryAfter: 40})...)
		w.want(t, "found before the limit", fmt.Sprint(find()), "30")
		time.Sleep(time.Minute)
		before := len(w.Calls("users.lookupByEmail"))
		w.want(t, "found after it", fmt.Sprint(find()), "52")
		w.want(t, "asked for", fmt.Sprint(len(w.Calls("users.lookupByEmail"))-before), "22")
		// Whoever leaves is forgotten at once, whoever comes is there soon.
		w.ChangeUser(fake.User{ID: "U0MANY0000", Email: "p0@example.org", Deleted: true})
		w.AddUser(fake.User{ID: "U0MANY0050", Email: "p50@example.org"})
		time.Sleep(addressMissTTL)
		for word, want := range map[string]error{"p0@example.org": chat.ErrNobody, "p50@example.org": nil} {
			if _, err := w.slack.Find(t.Context(), placeTeam, word); !errors.Is(err, want) {
				t.Errorf("Find(%q): %v", word, err)
			}
		}
		for n := 0; len(w.slack.profiles.addresses) < maxProfiles; n++ {
			w.slack.profiles.addresses[fmt.Sprint(n)] = address{}
		}
		w.slack.Find(t.Context(), placeTeam, "ana@example.org")
		if n := len(w.slack.profiles.addresses); n > maxProfiles {
			t.Errorf("%d addresses are kept", n)
		}
	})
}

func TestPostUnprompted(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		files := []chat.File{{Name: "chart.png", Type: "image/png", Alt: "A chart.", Data: []byte("png")}}
		if err := w.slack.Post(t.Context(), "id", placeTeam, card("closed"), files); err != nil {
			t.Fatal(err)
		}
		posted := w.Messages(team)
		if len(posted) != 2 || !strings.Contains(posted[0].Text, "closed") || len(w.Files(team)) != 1 || w.Files(team)[0].Alt != "A chart." {
			t.Errorf("the channel has %+v", posted)
		}
		w.AddChannel(fake.Channel{ID: "C0ELSEWHERE"})
		elsewhere := chat.Place{Platform: Platform, Workspace: fake.Team, Channel: "C0ELSEWHERE"}
		if err := w.slack.Post(t.Context(), "id", elsewhere, card("closed"), nil); !errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("to a channel without the bot: %v", err)
		}
		w.Fail("chat.postMessage", fake.Fault{Lose: true})
		if err := w.slack.Post(t.Context(), "id", placeTeam, card("lost"), nil); !errors.Is(err, chat.ErrUnsure) {
			t.Errorf("when the answer is lost: %v", err)
		}
	})
}

func TestFind(t *testing.T) {
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
		time.Sleep(addressTTL)
		w.Fail("users.lookupByEmail", fake.Fault{Error: "missing_scope"})
		if _, err := w.slack.Find(t.Context(), placeTeam, "ana@example.org"); err == nil || errors.Is(err, chat.ErrNobody) {
			t.Errorf("without the scope: %v", err)
		}
	})
}

func TestMembers(t *testing.T) {
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

func TestSecretsRedacted(t *testing.T) {
	secret := chat.Secret("xoxb-very-secret")
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%d", "%T%[1]v"} {
		if got := fmt.Sprintf(verb, secret); strings.Contains(got, "very") || strings.Contains(got, fmt.Sprintf("%x", "very")) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	o := Options{Token: secret, AppToken: secret, SigningSecret: secret}
	raw, err := json.Marshal(struct{ Token chat.Secret }{secret})
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
	err = platform.NewRedactor(secret).Error(&url.Error{Op: "Post", URL: "https://hooks.slack.com/actions/key", Err: fmt.Errorf("proxy says: %s: %w", string(secret), errResponseURLSpent)})
	if strings.Contains(err.Error(), "very") || strings.Contains(err.Error(), "key") || !errors.Is(err, errResponseURLSpent) {
		t.Errorf("the error is %v", err)
	}
}

// sorry whispers a text when a card does not stand.
func sorry(text string) chat.Then {
	return func(d chat.Delivered) []chat.Reply {
		if d.Stands() {
			return nil
		}
		return []chat.Reply{chat.Whisper{Card: card(text)}}
	}
}

func TestCanPost(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			channel fake.Channel
			want    chat.Obstacle
		}{
			"member":          {channel: fake.Channel{BotIn: true}},
			"no member":       {channel: fake.Channel{}, want: chat.NotMember},
			"private":         {channel: fake.Channel{Private: true, BotIn: true}},
			"private, not in": {channel: fake.Channel{Private: true}, want: chat.NotMember},
			"archived":        {channel: fake.Channel{BotIn: true, Archived: true}, want: chat.Archived},
		} {
			c.channel.ID = "C0OTHER000"
			w.AddChannel(c.channel)
			err := w.slack.CanPost(t.Context(), chat.Place{Platform: Platform, Workspace: fake.Team, Channel: c.channel.ID})
			why, _ := errors.AsType[*chat.CannotPostError](err)
			if err == nil && c.want != "" || err != nil && (why == nil || why.Reason != c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
		if err := w.slack.CanPost(t.Context(), chat.Place{Platform: Platform, Workspace: fake.Team, Channel: fake.IM(ben)}); err != nil {
			t.Errorf("somebody's own conversation: %v", err)
		}
		w.Fail("conversations.info", fake.Fault{Error: "missing_scope"})
		err := w.slack.CanPost(t.Context(), placeTeam)
		if _, known := errors.AsType[*chat.CannotPostError](err); err == nil || known {
			t.Errorf("where Slack does not tell: %v", err)
		}
		// What becomes known only by trying.
		w.AddChannel(fake.Channel{ID: team, Members: []string{ana}, BotIn: true, Closed: true})
		err = w.slack.Post(t.Context(), "", placeTeam, card("results"), nil)
		if why, ok := errors.AsType[*chat.CannotPostError](err); !ok || why.Reason != chat.Restricted || !errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("where only some can post: %v", err)
		}
	})
}

// Slack shows files to one person in their own conversation with the bot.
func TestWhisperWithFiles(t *testing.T) {
	handle := func(context.Context, chat.Event) []chat.Reply {
		files := []chat.File{{Name: "a.png", Type: "image/png", Alt: "bars", Data: []byte("png")}}
		return []chat.Reply{chat.Whisper{Card: card("results"), Files: files, Then: sorry("sorry")}, chat.Whisper{Card: card("done")}}
	}
	byHTTP(t, handle, func(t *testing.T, w *world) {
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "channel", texts(t, w.Messages(team)), "")
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "results; 1 files")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")
		w.MessagesTab(false)
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done; sorry")
	})
}

// A card for a person's own conversation arrives there whatever the place of the gesture, and the bot is
// told where it stands, or why it does not.
func TestDirect(t *testing.T) {
	answer := func(_ context.Context, e chat.Event) []chat.Reply {
		if !e.Direct {
			return []chat.Reply{chat.Whisper{Card: card("no direct messages")}}
		}
		return []chat.Reply{chat.Direct{Card: card("survey"), Then: func(d chat.Delivered) []chat.Reply {
			if !d.Stands() {
				return []chat.Reply{chat.Whisper{Card: card("survey here")}}
			}
			link := chat.Text{Spans: []chat.Span{chat.Words("it is "), chat.WebLink{Text: "there", URL: cmp.Or(d.URL, "https://fake.slack.com/archives/")}}}
			return []chat.Reply{chat.Whisper{Card: chat.Card{Blocks: []chat.Block{link}}}}
		}}}
	}
	byHTTP(t, answer, func(t *testing.T, w *world) {
		m := w.post(t, team, card("join us", "join"))
		w.Press(ben, m, "join", "")
		synctest.Wait()
		sent := w.Messages(fake.IM(ben))
		w.want(t, "conversation", texts(t, sent), "survey")
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "it is there")
		link := "https://fake.slack.com/archives/" + fake.IM(ben) + "/p" + strings.ReplaceAll(sent[0].TS, ".", "")
		if whisper := w.Whispers(ben)[0]; !strings.Contains(string(whisper.Blocks), link) {
			t.Errorf("no link to %s in %s", link, whisper.Blocks)
		}

		w.Again() // redelivered
		synctest.Wait()
		w.want(t, "conversation after the same again", texts(t, w.Messages(fake.IM(ben))), "survey")

		w.Fail("chat.getPermalink", fake.Fault{Error: "message_not_found"})
		w.Press(ben, m, "join", "")
		synctest.Wait()
		w.want(t, "conversation", texts(t, w.Messages(fake.IM(ben))), "survey; survey")

		w.Fail("chat.postMessage", fake.Fault{Error: "messages_tab_disabled"})
		w.Press(ben, m, "join", "")
		synctest.Wait()
		w.want(t, "conversation", texts(t, w.Messages(fake.IM(ben))), "survey; survey")
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "it is there; it is there; survey here")
	})
}
