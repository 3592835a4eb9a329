package discord

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platformtest"
	"maturitybot/bot/chat"
)

// works reports whether a press is answered.
func (w *world) works(t *testing.T, m fake.Message) {
	t.Helper()
	if !w.Until(func() bool { return w.Sessions() == 1 }) {
		t.Fatalf("no session\n%s", w.log)
	}
	synctest.Wait()
	before := w.Messages(fake.DM(ben))[0].Edits
	if a := w.Press(ben, m, "one", ""); !a.OK() {
		t.Errorf("answered with %+v\n%s", a, w.log)
	}
	synctest.Wait()
	if w.Messages(fake.DM(ben))[0].Edits != before+1 {
		t.Error("nothing changed")
	}
}

func TestGatewayReconnects(t *testing.T) {
	for name, c := range map[string]struct {
		fault          func(*world)
		begun, resumed int
		within         time.Duration
	}{
		"cut":                          {func(w *world) { w.Cut() }, 1, 1, 3 * time.Second},
		"asked to reconnect":           {func(w *world) { w.Reconnect() }, 1, 1, 3 * time.Second},
		"closed with an unknown error": {func(w *world) { w.CloseWith(4000) }, 1, 1, 3 * time.Second},
		"session invalid":              {func(w *world) { w.Invalidate(false) }, 2, 0, 10 * time.Second},
		"session to be resumed":        {func(w *world) { w.Invalidate(true) }, 1, 1, 3 * time.Second},
		"session timed out":            {func(w *world) { w.CloseWith(4009) }, 2, 0, 10 * time.Second},
		"cut, and resumed elsewhere":   {func(w *world) { w.Gone("resume.discord.fake"); w.Cut() }, 1, 1, 10 * time.Second},
		"asked to reconnect at once":   {func(w *world) { w.Greet(7, 7); w.Cut() }, 1, 1, 10 * time.Second},
		"invalid at once":              {func(w *world) { w.Greet(9); w.Cut() }, 2, 1, 10 * time.Second},
		"dead connection":              {func(w *world) { w.Deaf(true); time.Sleep(90 * time.Second); w.Deaf(false) }, 1, 1, 45 * time.Second},
		"down for a while":             {func(w *world) { w.Down(true); time.Sleep(10 * time.Minute); w.Down(false) }, 1, 1, 4 * time.Minute},
		"no addresses": {func(w *world) {
			w.Fail("gateway", fake.Fault{Status: 503}, fake.Fault{Status: 500})
			w.Invalidate(false)
		}, 2, 0, 20 * time.Second},
		"too many sessions":     {func(w *world) { w.Starts(0); w.Invalidate(false) }, 2, 0, 65 * time.Minute},
		"asked for a heartbeat": {func(w *world) { w.Beat() }, 1, 0, time.Second},
		"packets that are none": {func(w *world) { w.Event("INTERACTION_CREATE", 7); w.Event("READY", "x"); w.Event("UNKNOWN", nil) }, 1, 0, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			byGateway(t, saying(chat.AckUpdate, journey)(), func(t *testing.T, w *world) {
				m := w.say(t, ben, card("before", "one"))
				w.works(t, m)
				c.fault(w)
				began := time.Now()
				back := took(func() {
					for !w.Until(func() bool { return w.Sessions() == 1 }) && time.Since(began) <= c.within {
					}
				})
				if back > c.within {
					t.Errorf("it took %v\n%s", back, w.log)
				}
				time.Sleep(c.within)
				w.works(t, m)
				if b, r := w.Begun(), w.Resumed(); b > c.begun || r < c.resumed {
					t.Errorf("%d sessions begun, %d resumed, want %d and %d\n%s", b, r, c.begun, c.resumed, w.log)
				}
			})
		})
	}
}

// An event from the time without a connection arrives when the session is resumed. Earlier events
// do not arrive again.
func TestGatewayResumeExactlyOnce(t *testing.T) {
	byGateway(t, saying(chat.AckUpdate, journey)(), func(t *testing.T, w *world) {
		m := w.say(t, ben, card("before", "one"))
		w.works(t, m)
		w.Cut()
		synctest.Wait()
		if n := w.Sessions(); n != 0 {
			t.Fatalf("%d sessions", n)
		}
		if a := w.Press(ben, m, "two", ""); !a.OK() {
			t.Errorf("answered with %+v\n%s", a, w.log)
		}
		w.settled(t)
		w.want(t, "handled", w.bot.Verbs(), "one two")
	})
}

func TestGatewayFatalErrors(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(*world)
		want  string
	}{
		"endpoint":           {func(w *world) { w.Endpoint("https://bot.example/discord") }, "Interactions Endpoint URL"},
		"token":              {func(w *world) { w.Refuse(4004) }, "token"},
		"token, on asking":   {func(w *world) { w.Fail("gateway", fake.Fault{Status: 401}) }, "token"},
		"intents":            {func(w *world) { w.Refuse(4014) }, "4014"},
		"sharding":           {func(w *world) { w.Refuse(4011) }, "more servers"},
		"version of the API": {func(w *world) { w.Refuse(4012) }, "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{Server: fake.New(t), bot: &platformtest.Script{}, log: &platformtest.Log{}}
				if name == "endpoint" {
					c.fault(w)
				}
				w.discord = w.start(t, w.options())
				c.fault(w)
				if err := w.discord.RunGateway(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// A session that ends at once is started less than a thousand times a day.
func TestGatewaySessionStartLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, &platformtest.Script{})
		w.Refuse(4000)
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if err := w.discord.RunGateway(ctx); err != nil {
			t.Error(err)
		}
		if n := len(w.Calls("gateway")); n > 1000 {
			t.Errorf("%d times", n)
		}
	})
}

// A connection that is cut repeatedly is back within seconds each time, because presses in between
// fail. The pause grows only if no connection is established.
func TestGatewayBackoffResets(t *testing.T) {
	byGateway(t, &platformtest.Script{}, func(t *testing.T, w *world) {
		for i := range 12 {
			time.Sleep(20 * time.Second)
			w.Cut()
			if !w.Until(func() bool { return w.Sessions() == 0 }) {
				t.Fatal("not cut")
			}
			if back := took(func() { w.Until(func() bool { return w.Sessions() == 1 }) }); back > 3*time.Second {
				t.Fatalf("it took %v to be back the %dth time\n%s", back, i+1, w.log)
			}
		}
		if w.Begun() != 1 {
			t.Errorf("%d sessions begun", w.Begun())
		}
	})
}

// Sessions that are established and lost at once, for a day, stay within Discord's limit and its
// least interval.
func TestGatewaySessionsPerDay(t *testing.T) {
	byGateway(t, &platformtest.Script{}, func(t *testing.T, w *world) {
		until := time.Now().Add(24 * time.Hour)
		last := time.Time{}
		for time.Now().Before(until) {
			if !w.Until(func() bool { return w.Sessions() == 1 }) {
				continue
			}
			if since := time.Since(last); since < 3*time.Second { // it was seen within a second, as was the one before
				t.Errorf("started again after %v", since)
			}
			last = time.Now()
			time.Sleep(time.Second)
			w.Invalidate(false)
			w.Until(func() bool { return w.Sessions() == 0 })
		}
		if n := w.Begun(); n > 400 || n < 100 {
			t.Errorf("%d sessions begun in a day\n%s", n, w.log)
		}
	})
}

func TestGatewayHeartbeat(t *testing.T) {
	byGateway(t, saying(chat.AckUpdate, journey)(), func(t *testing.T, w *world) {
		before := w.Heartbeats()
		w.Beat()
		synctest.Wait()
		if n := w.Heartbeats() - before; n != 1 {
			t.Errorf("%d heartbeats when asked for one", n)
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if w.Begun() != 1 || w.Resumed() != 0 {
			t.Errorf("%d sessions begun, %d resumed\n%s", w.Begun(), w.Resumed(), w.log)
		}
	})
}

func TestGatewaySecondHello(t *testing.T) {
	byGateway(t, &platformtest.Script{}, func(t *testing.T, w *world) {
		w.Greet(10)
		w.Cut()
		if !w.Until(func() bool { return w.Sessions() == 0 }) || !w.Until(func() bool { return w.Sessions() == 1 }) {
			t.Fatalf("no session\n%s", w.log)
		}
		before := w.Heartbeats()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := w.Heartbeats() - before; n > 90 || w.Resumed() != 1 {
			t.Errorf("%d heartbeats in an hour, %d resumed", n, w.Resumed())
		}
	})
}

// A process that was disconnected for longer than a claim's TTL receives events that the other
// process has handled.
func TestGatewayReplayAfterResume(t *testing.T) {
	handle := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Message {
			return []chat.Reply{chat.Whisper{Card: card("hello")}}
		}
		return journey(ctx, e)
	}
	had := &claims{had: map[string]bool{}, lasts: 35 * time.Second}
	other := saying(chat.AckUpdate, handle)()
	byGateway(t, saying(chat.AckUpdate, handle)(), func(t *testing.T, w *world) {
		var mu sync.Mutex
		var lines []net.Conn
		down := false
		second := w.options()
		second.Responder, second.Claims = other, had
		second.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return nil, errors.New("no line")
			}
			line, err := w.Dial(ctx, network, address)
			lines = append(lines, line)
			return line, err
		}
		w.run(t, w.start(t, second))
		mu.Lock()
		down = true
		for _, l := range lines {
			l.Close()
		}
		mu.Unlock()
		synctest.Wait()
		m := w.say(t, ben, card("before", "one"))
		w.Press(ben, m, "one", "")
		w.Say(ben, "hi")
		time.Sleep(40 * time.Second)
		mu.Lock()
		down = false
		mu.Unlock()
		w.settled(t)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if w.Resumed() != 1 {
			t.Errorf("%d resumed\n%s", w.Resumed(), w.log)
		}
		w.want(t, "handled", w.bot.Verbs(), "one ")
		if len(other.Events) != 0 {
			t.Errorf("the other handled %d events once more", len(other.Events))
		}
	}, func(o *Options) { o.Claims = had })
}

// Events that were accepted before the shutdown are finished.
func TestGatewayShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, saying(chat.AckUpdate, slowly(8*time.Second, journey))())
		m := w.say(t, ben, card("before", "one"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.discord.RunGateway(ctx) }()
		w.Until(func() bool { return w.Sessions() == 1 })
		synctest.Wait()
		w.Press(ben, m, "one", "")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := w.discord.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a short drain: %v", err)
		}
		if err := w.discord.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "after one / [one] [two]")
		w.want(t, "sockets", fmt.Sprint(w.Sockets()), "0")
	})
}
