package discord

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platformtest"
	"maturitybot/bot/chat"
)

func TestDuplicateDelivery(t *testing.T) {
	inBothModes(t, saying(chat.AckUpdate, slowly(time.Second, journey)), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		w.Press(ben, m, "one", "")
		byHTTP := len(w.Calls("callback")) == 0
		for range 2 {
			if a := w.Again(); byHTTP && a.Status != 202 {
				t.Errorf("a copy was answered with %+v", a)
			}
			w.settled(t)
		}
		w.want(t, "handled", w.bot.Verbs(), "home one")
		if n := len(w.Calls("callback")); n > 2 {
			t.Errorf("answered %d times", n)
		}
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after one / [one] [two]")
	})
}

// After several presses the card shows the last one, whichever of them were deferred.
func TestOrderPerPerson(t *testing.T) {
	handle := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Action.Verb == "one" {
			time.Sleep(2500 * time.Millisecond)
		}
		return journey(ctx, e)
	}
	inBothModes(t, saying(chat.AckUpdate, handle), func(t *testing.T, w *world) {
		w.Latency(func(op string) time.Duration { return map[string]time.Duration{"original": 3 * time.Second}[op] })
		m := w.whispered(t, ben)
		var pressing sync.WaitGroup
		for i, verb := range []string{"one", "two", "three"} {
			pressing.Go(func() {
				time.Sleep(time.Duration(i) * 900 * time.Millisecond)
				w.Press(ben, m, verb, "")
			})
		}
		pressing.Wait()
		w.settled(t)
		w.want(t, "handled", w.bot.Verbs(), "home one two three")
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after three / [one] [two]")
		if n := w.Whispers(ben)[0].Edits; n > 3 {
			t.Errorf("%d pictures", n)
		}
	})
}

func TestForgedAndMalformed(t *testing.T) {
	handle := func(_ context.Context, e chat.Event) []chat.Reply {
		return []chat.Reply{chat.Whisper{Card: card(fmt.Sprintf("no such thing: %q", e.Action.Verb))}}
	}
	inBothModes(t, saying(chat.AckWhisper, handle), func(t *testing.T, w *world) {
		m := w.post(t, card("join us", "join"))
		for _, id := range []string{"", "answer::", "x y", "?", "?go", strings.Repeat("a", 100), "ünïcode"} {
			if a := w.Press(eve, m, id, ""); !a.OK() {
				t.Errorf("%q was answered with %+v", id, a)
			}
		}
		if a := w.Press(eve, m, "menu", strings.Repeat("v", 101)); !a.OK() {
			t.Errorf("a long value was answered with %+v", a)
		}
		if a := w.Command(eve, team, "another command", nil); !a.OK() {
			t.Errorf("a foreign command was answered with %+v", a)
		}
		if n := len(w.Whispers(eve)); n != 9 {
			t.Errorf("%d of 9 got an answer", n)
		}
		w.Tolerate()
		for _, payload := range []string{
			`{}`, `null`, `[]`, `"x"`, `{"type":3}`, `{"type":3,"id":"1","token":"t"}`, `{"type":3,"id":1,"data":{"components":[{"type":99}]}}`,
			`{"type":5,"id":"1100000000000000001","application_id":"1100000000000000001","channel_id":"1100000000000000001","token":"t","user":{"id":"1100000000000000001"},"data":{"custom_id":7}}`,
			`{"type":2,"id":"1100000000000000001","application_id":"1100000000000000001","channel_id":"1100000000000000001","token":"../../x","user":{"id":"1100000000000000001"}}`,
		} {
			w.Raw([]byte(payload))
		}
		w.settled(t)
		if a := w.Press(eve, m, "join", ""); !a.OK() {
			t.Errorf("after all that, answered with %+v\n%s", a, w.log)
		}
		if strings.Contains(w.log.String(), "panic") {
			t.Error(w.log)
		}
	})
}

// claims is an EventClaims in memory.
type claims struct {
	mu   sync.Mutex
	had  map[string]bool
	took time.Duration
	err  error
	// lasts is how long an unfinished claim holds; zero is for ever.
	lasts time.Duration
	until map[string]time.Time
}

func (c *claims) Claim(ctx context.Context, event string) (bool, error) {
	timer := time.NewTimer(c.took)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false, c.err
	}
	if until, ends := c.until[event]; c.had[event] && (!ends || time.Now().Before(until)) {
		return false, nil
	}
	c.had[event] = true
	if c.lasts > 0 {
		if c.until == nil {
			c.until = map[string]time.Time{}
		}
		c.until[event] = time.Now().Add(c.lasts)
	}
	return true, nil
}

func (c *claims) Finish(_ context.Context, event string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.had[event] = true
	delete(c.until, event)
	return c.err
}

func TestTwoReplicas(t *testing.T) {
	handle := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Message {
			return []chat.Reply{chat.Whisper{Card: card("hello")}}
		}
		if e.Action.Verb == "results" {
			return []chat.Reply{chat.Post{To: channel(team), Card: card("results"), Then: sorry("sorry")}, chat.Whisper{Card: card("posted")}}
		}
		return journey(ctx, e)
	}
	for name, c := range map[string]struct {
		claims  *claims
		handled string
	}{
		"claimed":        {&claims{had: map[string]bool{}}, "1"},
		"claimed slowly": {&claims{had: map[string]bool{}, took: time.Second}, "1"},
		"no claims":      {&claims{err: errors.New("asleep")}, "2"},
		"claims hang":    {&claims{had: map[string]bool{}, took: time.Hour}, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			other := saying(chat.AckWhisper, handle)()
			byGateway(t, saying(chat.AckWhisper, handle)(), func(t *testing.T, w *world) {
				second := w.options()
				second.Responder, second.Claims = other, c.claims
				w.run(t, w.start(t, second))
				for _, verb := range []string{"results", "home"} {
					if a := w.Command(ana, team, "maturity "+verb, nil); !a.OK() {
						t.Errorf("answered with %+v", a)
					}
					w.settled(t)
				}
				all := strings.Fields(w.bot.Verbs() + " " + other.Verbs())
				n := len(slices.DeleteFunc(all, func(v string) bool { return v != "home" }))
				w.want(t, "handled", fmt.Sprint(n), c.handled)
				w.want(t, "whispers", texts(t, w.Whispers(ana)), "posted; before / [one] [two]")
				w.want(t, "channel", texts(t, w.Messages(team)), "results")
				if c.handled == "1" {
					w.want(t, "first answers", fmt.Sprint(len(w.Calls("callback"))), "2")
					w.Say(ben, "hi")
					w.settled(t)
					w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))[1:]), "hello")
				}
			}, func(o *Options) { o.Claims = c.claims })
		})
	}
}

// A user who presses without pause gets no more answers, and other users do not wait.
func TestBusyStatus(t *testing.T) {
	hold := make(chan struct{})
	handle := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Who == person(eve) {
			<-hold
		}
		return journey(ctx, e)
	}
	synctest.Test(t, func(t *testing.T) {
		hold = make(chan struct{})
		w := stage(t, saying(chat.AckUpdate, handle)())
		w.Serve(w.discord.Handler())
		w.Tolerate()
		m := w.post(t, card("join us", "join"))
		var pressing sync.WaitGroup
		for range 60 {
			pressing.Go(func() { w.Press(eve, m, "join", "") })
		}
		pressing.Wait()
		if a := w.Press(ben, m, "join", ""); !a.OK() {
			t.Errorf("Ben was answered with %+v", a)
		}
		refused := 0
		for _, a := range w.Acks() {
			if a.Status == 503 {
				refused++
			}
		}
		if refused < 20 || refused > 30 {
			t.Errorf("%d refused", refused)
		}
		close(hold)
		w.settled(t)
	})
}

// The bot knows the server of an event, and handles those of listed servers only.
func TestGuildAllowlist(t *testing.T) {
	whispers := func(_ context.Context, e chat.Event) []chat.Reply {
		return []chat.Reply{chat.Whisper{Card: card("in " + e.Where.Workspace)}}
	}
	for name, listed := range map[string][]string{"all": nil, "one": {fake.Guild}} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, saying(chat.AckWhisper, whispers), func(t *testing.T, w *world) {
				w.AddChannel(fake.Channel{ID: elsewhere, Guild: fake.Other})
				m := w.post(t, card("join us", "join"))
				if err := w.discord.Post(t.Context(), "", place(fake.Other, elsewhere), card("join us", "join"), nil); err != nil {
					t.Fatal(err)
				}
				there := w.Messages(elsewhere)[0]
				w.discord.options.Guilds = listed
				w.discord.options.Suggest = func(_ context.Context, e chat.Event, _ string) []chat.Option {
					return []chat.Option{{Value: "x", Label: "Northshire"}}
				}
				want := "in " + fake.Guild + "; in " + fake.Other + "; in " + fake.Other
				if listed != nil {
					want = "in " + fake.Guild
				}
				w.Press(ben, m, "join", "")
				if a := w.Press(ben, there, "join", ""); !a.OK() || listed != nil && a.Type != 6 {
					t.Errorf("a press elsewhere is answered with %+v", a)
				}
				if a := w.Command(ben, elsewhere, "maturity home", nil); !a.OK() || listed != nil && a.Type != 5 {
					t.Errorf("a command elsewhere is answered with %+v", a)
				}
				if a := w.Complete(ben, elsewhere, "maturity status", map[string]string{"round": "N"}, "round"); !a.OK() || strings.Contains(string(a.Body), "Northshire") != (listed == nil) {
					t.Errorf("a user who types in another server is answered with %s", a.Body)
				}
				w.settled(t)
				w.want(t, "whispers", texts(t, w.Whispers(ben)), want)
				w.want(t, "elsewhere", texts(t, w.Messages(elsewhere)), "join us / [join]")
				if strings.Contains(w.log.String(), "not listed") != (listed != nil) {
					t.Errorf("logged was\n%s", w.log)
				}
			})
		})
	}
}

// The value of a panic may be text of a user, so it is not logged.
func TestPanicContained(t *testing.T) {
	const words = "Mrs Jones"
	inBothModes(t, func() *platformtest.Script {
		return &platformtest.Script{How: func(chat.Event) chat.Ack { panic(words) }}
	}, func(t *testing.T, w *world) {
		w.Tolerate()
		w.discord.options.Suggest = func(context.Context, chat.Event, string) []chat.Option { panic(words) }
		w.Complete(ana, team, "maturity status", map[string]string{"round": words}, "round")
		w.Command(ana, team, "maturity home", nil)
		if got := w.log.String(); strings.Contains(got, words) || strings.Count(got, "fault=string stack=") != 2 {
			t.Error(got)
		}
	})
}

func TestSuggestions(t *testing.T) {
	inBothModes(t, saying(chat.AckWhisper, journey), func(t *testing.T, w *world) {
		typing := map[string]string{"round": "North"}
		if a := w.Complete(ana, team, "maturity status", typing, "round"); !a.OK() || string(a.Body) != `{"type":8,"data":{"choices":[]}}` {
			t.Errorf("answered with %s: %v", a.Body, a.Err)
		}
		w.discord.options.Suggest = func(_ context.Context, e chat.Event, field string) []chat.Option {
			return []chat.Option{{Value: field + "-" + e.Value(field), Label: "Northshire"}}
		}
		if a := w.Complete(ana, team, "maturity status", typing, "round"); string(a.Body) != `{"type":8,"data":{"choices":[{"name":"Northshire","value":"round-North"}]}}` {
			t.Errorf("answered with %s", a.Body)
		}
		w.discord.options.Suggest = func(context.Context, chat.Event, string) []chat.Option { panic("fault") }
		if a := w.Complete(ana, team, "maturity status", typing, "round"); string(a.Body) != `{"type":8,"data":{"choices":[]}}` {
			t.Errorf("answered with %s", a.Body)
		}
		w.want(t, "handled", w.bot.Verbs(), "")
	})
}

func TestMessage(t *testing.T) {
	byGateway(t, saying(chat.AckWhisper, replying(chat.Whisper{Card: card("hello", "home")}, chat.Update{Card: card("more")}))(), func(t *testing.T, w *world) {
		w.Say(ben, "when is the workshop?")
		w.settled(t)
		w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))[1:]), "hello / [home]; more")
		if e := w.bot.Events[0]; e.Kind != chat.Message || !e.Private || e.Who != person(ben) || e.Where != channel(fake.DM(ben)) || e.At.IsZero() {
			t.Errorf("the event was %+v", e)
		}
		for _, other := range []string{
			`{"id":"1100000000000000900","type":0,"channel_id":"9100000000000000102","author":{"id":"1100000000000000102","bot":true}}`,
			`{"id":"1100000000000000901","type":0,"channel_id":"1100000000000000201","guild_id":"1100000000000000010","author":{"id":"1100000000000000102"}}`,
			`{"id":"1100000000000000902","type":6,"channel_id":"9100000000000000102","author":{"id":"1100000000000000102"}}`,
			`{"id":"../x","type":0,"channel_id":"9100000000000000102","author":{"id":"1100000000000000102"}}`, `7`,
		} {
			w.Event("MESSAGE_CREATE", rawJSON(other))
		}
		w.settled(t)
		if n := len(w.bot.Events); n != 1 {
			t.Errorf("%d events", n)
		}
		if strings.Contains(w.log.String(), "workshop") {
			t.Error("what was written was logged")
		}
	})
}

// A bot that panics while it draws or acknowledges affects only the event at hand.
func TestFaultsIsolated(t *testing.T) {
	handle := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Action.Verb == "one" {
			return []chat.Reply{chat.Update{}, chat.Whisper{Card: card("still here")}}
		}
		return journey(ctx, e)
	}
	inBothModes(t, func() *platformtest.Script {
		return &platformtest.Script{Does: handle, How: func(e chat.Event) chat.Ack {
			if e.Action.Verb == "two" {
				panic("fault")
			}
			return chat.AckUpdate
		}}
	}, func(t *testing.T, w *world) {
		w.Tolerate()
		m := w.whispered(t, ben)
		w.Press(ben, m, "one", "")
		byHTTP := len(w.Calls("callback")) == 0
		if a := w.Press(ben, m, "two", ""); byHTTP && a.Status != 500 {
			t.Errorf("answered with %+v", a)
		}
		w.Press(ben, m, "three", "")
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after three / [one] [two]; still here")
	})
}

// Exchanges that have ended are not kept.
func TestMemoryBounded(t *testing.T) {
	play := func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		for range 50 {
			w.Press(ben, m, "one", "")
			w.Again()
			synctest.Wait() // a person may have only so much waiting
		}
		w.settled(t)
		d := w.discord
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.byCard)+len(d.byEvent) != 0 {
			t.Errorf("kept are %d cards and %d claims", len(d.byCard), len(d.byEvent))
		}
	}
	inBothModes(t, saying(chat.AckUpdate, journey), play)
	byGateway(t, saying(chat.AckUpdate, journey)(), play, func(o *Options) { o.Claims = &claims{had: map[string]bool{}} })
}
