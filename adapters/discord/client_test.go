package discord

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platform"
	"maturitybot/adapters/platformtest"
	"maturitybot/bot/chat"
)

// bubble runs play on a server that delivers nothing.
func bubble(t *testing.T, play func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { play(t, stage(t, &platformtest.Script{})) })
}

// took returns how long do takes, by the bubble's clock, to the tenth of a second.
func took(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began).Round(100 * time.Millisecond)
}

func (w *world) try(t *testing.T, id string) error {
	t.Helper()
	return w.discord.Post(t.Context(), id, channel(team), card("posted "+id), nil)
}

func TestRateLimit(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.Fail("send", fake.Fault{Status: 429, After: 7})
		var err error
		if d := took(func() { err = w.try(t, "1") }); err != nil || d != 7*time.Second {
			t.Errorf("a bucket: %v after %v", err, d)
		}
		w.Fail("send", fake.Fault{Status: 429, After: 5, Global: true})
		other := make(chan time.Duration)
		go func() {
			synctest.Wait()
			other <- took(func() { w.discord.Find(t.Context(), channel(team), "<@"+ben+">") })
		}()
		if d := took(func() { err = w.try(t, "2") }); err != nil || d != 5*time.Second {
			t.Errorf("globally: %v after %v", err, d)
		}
		if d := <-other; d != 5*time.Second {
			t.Errorf("another call waited %v", d)
		}
		w.Fail("send", fake.Fault{Status: 429, After: 3600})
		if d := took(func() { err = w.try(t, "3") }); err == nil || d != 0 {
			t.Errorf("an hour: %v after %v", err, d)
		}
	})
}

// While a bucket is closed for long, each call fails at once: the reminders loop tries again in a
// minute.
func TestRateLimitTooLong(t *testing.T) {
	for name, fault := range map[string]func(*world){
		"refused": func(w *world) { w.Fail("send", fake.Fault{Status: 429, After: 3600}) },
		"told":    func(w *world) { w.Limit("send", 1, time.Hour) },
		"for all": func(w *world) { w.Fail("send", fake.Fault{Status: 429, After: 2e6, Global: true}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				fault(w)
				_ = w.try(t, "1")
				before := len(w.Calls("send"))
				for range 3 {
					var err error
					if d := took(func() { err = w.try(t, "2") }); !errors.Is(err, platform.ErrHeld) || errors.Is(err, chat.ErrUnsure) || d != 0 {
						t.Errorf("%v after %v", err, d)
					}
				}
				if n := len(w.Calls("send")) - before; n != 0 {
					t.Errorf("%d calls", n)
				}
				if time.Sleep(59*time.Minute + time.Second); name != "for all" {
					if err := w.try(t, "3"); err != nil {
						t.Errorf("within a minute of its end: %v", err)
					}
				}
			})
		})
	}
}

// Without a body, Discord's refusal is known by its headers, and Cloudflare's page by having none
// of them.
func Test429WithoutBody(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.Fail("send", fake.Fault{Status: 429, After: 3, Mute: true})
		var err error
		if d := took(func() { err = w.try(t, "1") }); err != nil || d != 3*time.Second {
			t.Errorf("%v after %v", err, d)
		}
	})
	for want, headers := range map[bool][]http.Header{
		true:  {{"X-Ratelimit-Limit": {"5"}}, {"X-Ratelimit-Scope": {"user"}, "Content-Type": {"application/json"}}},
		false: {{}, {"Retry-After": {"600"}}, {"X-Ratelimit-Limit": {"5"}, "Content-Type": {"text/html; charset=UTF-8"}}},
	} {
		for _, h := range headers {
			if isRateLimitAnswer(h) != want {
				t.Errorf("%v: Discord's own %v", h, !want)
			}
		}
	}
}

// Calls with an interaction's token are limited apart from the others: neither waits for the
// limits of the other.
func TestGlobalLimitOfInteractionToken(t *testing.T) {
	byHTTP(t, saying(chat.AckWhisper, slowly(4*time.Second, replying(chat.Whisper{Card: card("kept")})))(), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		f := fake.Fault{Status: 429, After: 1, Global: true}
		w.Fail("original", f, f, f)
		w.Press(ben, m, "one", "")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		if d := took(func() { _ = w.try(t, "1") }); d != 0 {
			t.Errorf("a post waited %v", d)
		}
		w.settled(t)
		if got := texts(t, w.Whispers(ben)); !strings.HasSuffix(got, "; kept") {
			t.Errorf("%d calls, Ben sees %q", len(w.Calls("original")), got)
		}
	})
}

// A server that answers in Discord's place has posted nothing.
func TestForeignServer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		for i, f := range []fake.Fault{{Status: 200, HTML: true}, {Status: 200}} {
			for _, post := range []func(id string) error{
				func(id string) error { return w.try(t, id) },
				func(id string) error { return w.discord.Send(t.Context(), id, person(ben), card("sent")) },
			} {
				id := fmt.Sprint(i)
				w.Fail("send", f)
				if err := post(id); err == nil || errors.Is(err, chat.ErrUnsure) || errors.Is(err, chat.ErrUnreachable) {
					t.Errorf("%+v: %v", f, err)
				}
				if err := post(id); err != nil {
					t.Error(err)
				}
			}
		}
		w.want(t, "channel", texts(t, w.Messages(team)), "posted 0; posted 1")
		w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "sent; sent")
	})
}

// A client that follows the rate limit headers is never refused.
func TestBuckets(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.Limit("send", 5, 5*time.Second)
		d := took(func() {
			for i := range 12 {
				if err := w.try(t, fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			}
		})
		if n := len(w.Calls("send")); n != 12 || d < 10*time.Second || d > 11*time.Second {
			t.Errorf("%d calls in %v", n, d)
		}
	})
}

func TestGlobalRateLimit(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		d := took(func() {
			for i := range 100 {
				if err := w.try(t, fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			}
		})
		if d < 3500*time.Millisecond || d > 4*time.Second {
			t.Errorf("a hundred calls took %v", d)
		}
	})
}

// After Cloudflare's page every further request makes the ban longer, so none is sent.
func TestCloudflareBan(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		before := len(w.Calls(""))
		w.Fail("send", fake.Fault{HTML: true})
		for range 3 {
			if err := w.try(t, "1"); !errors.Is(err, errBanned) || errors.Is(err, chat.ErrUnsure) {
				t.Errorf("got %v", err)
			}
		}
		if err := w.discord.Send(t.Context(), "2", person(ben), card("a")); !errors.Is(err, errBanned) {
			t.Errorf("got %v", err)
		}
		if n := len(w.Calls("")) - before; n != 1 {
			t.Errorf("%d calls", n)
		}
		if strings.Count(w.log.String(), "level=ERROR") != 1 {
			t.Errorf("logged was\n%s", w.log)
		}
		time.Sleep(banDuration)
		if err := w.try(t, "3"); err != nil {
			t.Error(err)
		}
	})
}

// While Discord's API refuses the bot's machine, interactions are still answered by HTTP.
func TestCloudflareBanAnswersByHTTP(t *testing.T) {
	byHTTP(t, saying(chat.AckUpdate, journey)(), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		w.Fail("send", fake.Fault{HTML: true})
		if err := w.try(t, "1"); !errors.Is(err, errBanned) {
			t.Errorf("got %v", err)
		}
		w.Press(ben, m, "one", "")
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after one / [one] [two]")
	})
}

func TestSendNonce(t *testing.T) {
	for name, c := range map[string]struct {
		faults []fake.Fault
		calls  int
		err    error
	}{
		"lost":         {[]fake.Fault{{Lose: true}}, 2, nil},
		"cut":          {[]fake.Fault{{Cut: true}}, 2, nil},
		"unavailable":  {[]fake.Fault{{Status: 503}, {Status: 500}, {Lose: true}}, 4, nil},
		"no answer":    {[]fake.Fault{{Wait: 11 * time.Second}}, 2, nil},
		"lost for all": {[]fake.Fault{{Lose: true}, {Lose: true}, {Lose: true}, {Lose: true}}, 4, errNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.Fail("send", c.faults...)
				err := w.discord.Send(t.Context(), "round/remind 3/person that is longer than 25", person(ben), card("remember"))
				if !errors.Is(err, c.err) {
					t.Errorf("got %v", err)
				}
				w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "remember")
				w.want(t, "calls", fmt.Sprint(len(w.Calls("send"))), fmt.Sprint(c.calls))
				if err := w.discord.Send(t.Context(), "round/remind 3/person that is longer than 25", person(ben), card("remember")); err != nil {
					t.Error(err)
				}
				w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "remember")
				if err := w.discord.Send(t.Context(), "round/remind 1/person that is longer than 25", person(ben), card("again")); err != nil {
					t.Error(err)
				}
				w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "remember; again")
			})
		})
	}
}

// A message that did not reach Discord was not sent, and may be sent again.
func TestSendFails(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.Down(true)
		if err := w.discord.Send(t.Context(), "1", person(ben), card("a")); err == nil || errors.Is(err, chat.ErrUnsure) {
			t.Errorf("down: %v", err)
		}
		if err := w.try(t, "1"); err == nil || errors.Is(err, chat.ErrUnsure) {
			t.Errorf("down: %v", err)
		}
		w.Down(false)
		w.Fail("dm", fake.Fault{Lose: true}, fake.Fault{Lose: true}, fake.Fault{Lose: true}, fake.Fault{Lose: true})
		if err := w.discord.Send(t.Context(), "1", person(ben), card("a")); err == nil || errors.Is(err, chat.ErrUnsure) {
			t.Errorf("no conversation: %v", err)
		}
		w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "")
	})
}

func TestSendUnreachable(t *testing.T) {
	const closed, outside, gone = "1100000000000000301", "1100000000000000302", "1100000000000000303"
	bubble(t, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: closed, Name: "closed", Closed: true})
		w.AddUser(fake.User{ID: outside, Name: "outside", Outside: true})
		for _, who := range []string{closed, outside, gone, fake.App, "x"} {
			before := len(w.Calls("send")) + len(w.Calls("dm"))
			if err := w.discord.Send(t.Context(), "1", person(who), card("a")); !errors.Is(err, chat.ErrUnreachable) {
				t.Errorf("%s: %v", who, err)
			}
			if n := len(w.Calls("send")) + len(w.Calls("dm")) - before; n > 2 {
				t.Errorf("%s: %d calls", who, n)
			}
		}
		// The status beside a code varies.
		w.Fail("dm", fake.Fault{Status: 400, Code: 50007})
		if err := w.discord.Send(t.Context(), "1", person(ben), card("a")); !errors.Is(err, chat.ErrUnreachable) {
			t.Error(err)
		}
		w.Fail("send", fake.Fault{Status: 400, Code: 50035})
		if err := w.discord.Send(t.Context(), "1", person(ben), card("a")); err == nil || errors.Is(err, chat.ErrUnreachable) || errors.Is(err, chat.ErrUnsure) {
			t.Error(err)
		}
		for _, p := range []chat.Place{{Platform: Platform, Channel: "1100000000000000999"}} {
			if err := w.discord.Post(t.Context(), "1", p, card("a"), nil); !errors.Is(err, chat.ErrUnreachable) {
				t.Error(err)
			}
		}
	})
}

func TestSendNeedsConsent(t *testing.T) {
	asleep := errors.New("asleep")
	bubble(t, func(t *testing.T, w *world) {
		w.discord.options.ConsentsToDM = func(_ context.Context, p chat.Person) (bool, error) {
			if p == person(eve) {
				return false, asleep
			}
			return p == person(ben), nil
		}
		for who, want := range map[string]error{ben: nil, ana: chat.ErrNoConsent, eve: asleep} {
			if err := w.discord.Send(t.Context(), "1", person(who), card("a")); !errors.Is(err, want) || errors.Is(err, chat.ErrUnreachable) {
				t.Errorf("%s: %v", who, err)
			}
		}
		if n := len(w.Calls("dm")); n != 1 {
			t.Errorf("%d conversations opened", n)
		}
	})
}

func TestSendPacing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		d := took(func() {
			for i := range 10 {
				if err := w.discord.Send(t.Context(), fmt.Sprint(i), person(ben), card("a")); err != nil {
					t.Error(err)
				}
			}
		})
		if d != 27*time.Second {
			t.Errorf("ten messages took %v", d)
		}
		w.Fail("dm", fake.Fault{Status: 403, Code: 40003})
		d = took(func() {
			if err := w.discord.Send(t.Context(), "x", person(ben), card("a")); err != nil {
				t.Error(err)
			}
		})
		if d < dmCooldown || d > dmCooldown+2*defaultDMInterval {
			t.Errorf("too fast, and then %v", d)
		}
		w.Fail("dm", fake.Fault{Status: 403, Code: 40003}, fake.Fault{Status: 403, Code: 40003}, fake.Fault{Status: 403, Code: 40003})
		if err := w.discord.Send(t.Context(), "y", person(ben), card("a")); err == nil || errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("too fast again: %v", err)
		}
	})
}

// After an incomplete response it is unknown whether the call was carried out, whatever the status
// is.
func TestResponseBreaksOff(t *testing.T) {
	for _, status := range []string{"200 OK", "404 Not Found", "429 Too Many Requests"} {
		synctest.Test(t, func(t *testing.T) {
			var requests atomic.Int32
			dial := func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() {
					_, _ = far.Read(make([]byte, 4096))
					requests.Add(1)
					_, _ = io.WriteString(far, "HTTP/1.1 "+status+"\r\nContent-Length: 100\r\n\r\n{")
					_ = far.Close()
				}()
				return near, nil
			}
			c, err := newClient(Options{
				Token: "token", APIURL: fake.URL, Dial: dial,
				Log: slog.New(slog.DiscardHandler), Observer: chat.NopObserver{},
			})
			if err != nil {
				t.Fatal(err)
			}
			once := request{what: "post", method: http.MethodPost, path: "x", bucket: "x"}
			if err := c.do(t.Context(), once, nil); !errors.Is(err, chat.ErrUnsure) || requests.Load() != 1 {
				t.Errorf("%s to a call that may not be repeated: %v, %d requests", status, err, requests.Load())
			}
			requests.Store(0)
			err = c.do(t.Context(), get("read", "x"), nil)
			if err == nil || errors.Is(err, chat.ErrUnsure) || requests.Load() != maxAttempts {
				t.Errorf("%s to a call that may be repeated: %v, %d requests", status, err, requests.Load())
			}
		})
	}
}

// No error contains a token.
func TestErrorsRedactTokens(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		x := &exchange{inbound: inbound{origin: origin{Application: fake.App, Token: "secret-of-an-interaction", Interaction: "1"}}}
		for _, f := range []fake.Fault{{Cut: true}, {Status: 503}, {Status: 404, Code: 10015}, {Status: 429, After: 100}, {HTML: true}, {HTML: true, Status: 520}} {
			w.Fail("original", f, f, f, f)
			err := w.discord.client.do(t.Context(), x.webhookRequest("change a card", http.MethodPatch, "/messages/@original", messageBody{}), nil)
			if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), fake.Token) {
				t.Errorf("%+v: %v", f, err)
			}
		}
	})
}

func TestRegister(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		puts := func(want int) {
			t.Helper()
			if n := len(w.Calls("overwrite")); n != want {
				t.Errorf("registered %d times, want %d", n, want)
			}
		}
		for range 3 {
			if err := w.discord.Register(t.Context()); err != nil {
				t.Fatal(err)
			}
			puts(1)
		}
		o := w.options()
		o.Guilds = []string{fake.Guild}
		one := w.start(t, o)
		for range 3 {
			if err := one.Register(t.Context()); err != nil {
				t.Fatal(err)
			}
			puts(3) // those for all are taken back
		}
		w.want(t, "for all", string(w.Commands("")), "[]")
		if !strings.Contains(string(w.Commands(fake.Guild)), `"aeddfedrwydd"`) {
			t.Errorf("for the server: %s", w.Commands(fake.Guild))
		}
		o.Guilds = []string{"1100000000000000777"}
		if err := w.start(t, o).Register(t.Context()); err == nil || !strings.Contains(err.Error(), "1100000000000000777") {
			t.Errorf("a server without the bot: %v", err)
		}
	})
}

// Commands are removed where they are no longer offered, because users would see each twice.
func TestRegisterRemovesLeftovers(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		offered := func(where string) bool { return strings.Contains(string(w.Commands(where)), "aeddfedrwydd") }
		for _, c := range []struct {
			listed           []string
			all, here, other bool
		}{
			{[]string{fake.Guild, fake.Other}, false, true, true}, {[]string{fake.Other}, false, false, true}, {nil, true, false, false},
		} {
			o := w.options()
			o.Guilds = c.listed
			if err := w.start(t, o).Register(t.Context()); err != nil {
				t.Fatal(err)
			}
			if offered("") != c.all || offered(fake.Guild) != c.here || offered(fake.Other) != c.other {
				t.Errorf("%v listed: for all %v, here %v, in the other %v", c.listed, offered(""), offered(fake.Guild), offered(fake.Other))
			}
		}
		w.Fail("guilds", fake.Fault{Status: 403}) // no reason not to start
		if err := w.discord.Register(t.Context()); err != nil {
			t.Error(err)
		}
		o := w.options()
		o.Guilds = []string{fake.Other}
		d := w.start(t, o)
		w.Latency(func(op string) time.Duration { // nor one to wait for long
			if op == "guilds" {
				return time.Hour
			}
			return 0
		})
		if wait := took(func() { _ = d.Register(t.Context()) }); wait > tidyTimeout+requestTimeout {
			t.Errorf("it took %v", wait)
		}
	})
}

func TestNewInvalidOptions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		fault  *fake.Fault
		want   string
	}{
		"no token":          {func(o *Options) { o.Token = " " }, nil, "token is missing"},
		"broken token":      {func(o *Options) { o.Token = "abc\ndef" }, nil, "no token has"},
		"other token":       {func(o *Options) { o.Token = "wrong-token" }, nil, "Reset Token"},
		"no key":            {func(o *Options) { o.PublicKey = "abc" }, nil, "General Information"},
		"other key":         {func(o *Options) { o.PublicKey = strings.Repeat("ab", 32) }, nil, "not that of application"},
		"other application": {func(o *Options) { o.ApplicationID = "1100000000000000005" }, nil, "belongs to application " + fake.App},
		"no server":         {func(o *Options) { o.Guilds = []string{"our server"} }, nil, "Developer Mode"},
		"no address":        {func(o *Options) { o.APIURL = "discord" }, nil, "address"},
		"not Discord":       {func(*Options) {}, &fake.Fault{Status: 404, HTML: true}, "reach Discord"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{Server: fake.New(t), bot: &platformtest.Script{}, log: &platformtest.Log{}}
				o := w.options()
				c.change(&o)
				if c.fault != nil {
					w.Fail("me", *c.fault)
				}
				_, err := New(t.Context(), o)
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "wrong-token") || strings.Contains(err.Error(), "abc\n") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// The client works over real connections too.
func TestOverTheNetwork(t *testing.T) {
	w := &world{Server: fake.New(t), bot: saying(chat.AckUpdate, journey)(), log: &platformtest.Log{}}
	w.AddUser(fake.User{ID: ben, Name: "ben"})
	w.AddChannel(fake.Channel{ID: team})
	address, err := w.Listen()
	if err != nil {
		t.Fatal(err)
	}
	o := w.options()
	o.Dial, o.APIURL = nil, address
	d := w.start(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.RunGateway(ctx) }()
	if !w.Until(func() bool { return w.Sessions() == 1 }) {
		t.Fatalf("no session\n%s", w.log)
	}
	if a := w.Command(ben, team, "maturity home", nil); !a.OK() {
		t.Errorf("answered with %+v", a)
	}
	if a := w.Press(ben, w.Whispers(ben)[0], "one", ""); !a.OK() || a.Type != 7 {
		t.Errorf("answered with %+v\n%s", a, w.log)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestPastedCredentials(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := w.options()
		o.Token = chat.Secret(" Bot " + fake.Token + "\n")
		o.ApplicationID, o.PublicKey = fake.App, " "+strings.ToUpper(fake.PublicKey)
		w.start(t, o)
	})
}
