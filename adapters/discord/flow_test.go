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

// after answers like a responder, a time later.
func after(d time.Duration, handle func(context.Context, chat.Event) []chat.Reply) func(context.Context, chat.Event) []chat.Reply {
	return func(ctx context.Context, e chat.Event) []chat.Reply {
		time.Sleep(d)
		return handle(ctx, e)
	}
}

// replying answers everything with the same.
func replying(replies ...chat.Reply) func(context.Context, chat.Event) []chat.Reply {
	return func(context.Context, chat.Event) []chat.Reply { return replies }
}

// slowly answers a command at once, and all else a time later.
func slowly(d time.Duration, handle func(context.Context, chat.Event) []chat.Reply) func(context.Context, chat.Event) []chat.Reply {
	return func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Command {
			return []chat.Reply{chat.Whisper{Card: card("before", "one", "two")}}
		}
		time.Sleep(d)
		return handle(ctx, e)
	}
}

// settled waits until nothing is under way.
func (w *world) settled(t *testing.T) {
	t.Helper()
	time.Sleep(time.Minute) // of the bubble
	synctest.Wait()
}

func TestSlowHandlerDefers(t *testing.T) {
	whisper, post := chat.Whisper{Card: card("whispered")}, chat.Post{To: channel(team), Card: card("posted"), Then: sorry("sorry")}
	for _, c := range []struct {
		name     string
		ack      chat.Ack
		private  bool
		replies  []chat.Reply
		first    int
		whispers string
		channel  string
	}{
		{"update", chat.AckUpdate, false, []chat.Reply{chat.Update{Card: card("after")}}, 6, "after", ""},
		{"update and whisper", chat.AckUpdate, false, []chat.Reply{chat.Update{Card: card("after")}, whisper}, 6, "after; whispered", ""},
		{"update with nothing", chat.AckUpdate, false, nil, 6, "before / [one] [two]", ""},
		{"whisper", chat.AckWhisper, false, []chat.Reply{whisper}, 5, "before / [one] [two]; whispered", ""},
		{"two whispers", chat.AckWhisper, false, []chat.Reply{whisper, whisper}, 5, "before / [one] [two]; whispered; whispered", ""},
		{"whisper that is an update", chat.AckWhisper, false, []chat.Reply{chat.Update{Card: card("after")}}, 5, "before / [one] [two]; after", ""},
		{"nothing to whisper", chat.AckWhisper, false, nil, 5, "before / [one] [two]", ""},
		{"post and whisper", chat.AckWhisper, false, []chat.Reply{post, whisper}, 5, "before / [one] [two]; whispered", "posted"},
		{"post alone", chat.AckWhisper, false, []chat.Reply{post}, 5, "before / [one] [two]", "posted"},
		{"update of a conversation", chat.AckUpdate, true, []chat.Reply{chat.Update{Card: card("after")}}, 6, "", "after"},
		{"whisper in a conversation", chat.AckWhisper, true, []chat.Reply{whisper}, 5, "", "before / [one]; whispered"},
		{"nothing in a conversation", chat.AckWhisper, true, nil, 5, "", "before / [one]"},
		{"update of a conversation after a whisper", chat.AckWhisper, true, []chat.Reply{whisper, chat.Update{Card: card("after")}}, 5, "", "after; whispered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBothModes(t, saying(c.ack, slowly(8*time.Second, replying(c.replies...))), func(t *testing.T, w *world) {
				var m fake.Message
				at := team
				if c.private {
					m, at = w.say(t, ben, card("before", "one")), fake.DM(ben)
				} else {
					m = w.whispered(t, ben)
				}
				if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != c.first || a.Took > 2100*time.Millisecond {
					t.Errorf("answered with %d after %v: %v", a.Type, a.Took, a.Err)
				}
				w.settled(t)
				w.want(t, "whispers", texts(t, w.Whispers(ben)), c.whispers)
				w.want(t, "channel", texts(t, w.Messages(at)), c.channel)
			})
		})
	}
}

func TestFirstResponseCarriesReply(t *testing.T) {
	whisper, post := chat.Whisper{Card: card("whispered")}, chat.Post{To: channel(team), Card: card("posted"), Then: sorry("sorry")}
	update := chat.Update{Card: card("after")}
	for _, c := range []struct {
		name     string
		replies  []chat.Reply
		first    int
		whispers string
		calls    string
	}{
		{"whisper", []chat.Reply{whisper}, 4, "before / [one] [two]; whispered", ""},
		{"whisper, then update", []chat.Reply{whisper, update}, 7, "after; whispered", "followup"},
		{"update, then post", []chat.Reply{update, post}, 7, "after", "send"},
		{"post, then update", []chat.Reply{post, update}, 6, "after", "send original"},
		{"nothing", nil, 6, "before / [one] [two]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			byHTTP(t, saying(chat.AckUpdate, slowly(0, replying(c.replies...)))(), func(t *testing.T, w *world) {
				m := w.whispered(t, ben)
				if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != c.first {
					t.Errorf("answered with %+v", a)
				}
				w.settled(t)
				w.want(t, "whispers", texts(t, w.Whispers(ben)), c.whispers)
				// A change may be made again: by HTTP it can arrive before what it changes.
				w.want(t, "calls", strings.Join(slices.Compact(strings.Fields(w.ops())), " "), c.calls)
			})
		})
	}
}

// A change may reach Discord before Discord has processed the first response.
func TestEditBeforeTokenSettles(t *testing.T) {
	whisper := chat.Whisper{Card: card("whispered")}
	byHTTP(t, saying(chat.AckUpdate, slowly(0, replying(chat.Update{Card: card("after")}, whisper)))(), func(t *testing.T, w *world) {
		w.Digest(400 * time.Millisecond)
		m := w.whispered(t, ben)
		w.Press(ben, m, "one", "")
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after; whispered")
	})
}

// Each call takes most of a second. The first response is still in time.
func TestSlowAPI(t *testing.T) {
	for _, handling := range []time.Duration{0, 8 * time.Second} {
		byGateway(t, saying(chat.AckUpdate, slowly(handling, journey))(), func(t *testing.T, w *world) {
			w.Latency(func(string) time.Duration { return 900 * time.Millisecond })
			m := w.whispered(t, ben)
			if a := w.Press(ben, m, "one", ""); !a.OK() {
				t.Errorf("answered after %v: %v", a.Took, a.Err)
			}
			w.settled(t)
			w.want(t, "whispers", texts(t, w.Whispers(ben)), "after one / [one] [two]")
		})
	}
}

func TestFormOpens(t *testing.T) {
	note := form(chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 500, Lines: true})
	for _, took := range []time.Duration{0, 2300 * time.Millisecond} {
		inBothModes(t, saying(chat.AckForm, slowly(took, replying(chat.OpenForm{Form: note}))), func(t *testing.T, w *world) {
			m := w.whispered(t, ben)
			if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != 9 {
				t.Errorf("answered with %+v", a)
			}
			got, err := fake.ReadForm(w.Modal(ben).Body)
			if err != nil {
				t.Fatal(err)
			}
			want := note
			want.Submit = "Submit"
			w.want(t, "form", got.String(), want.String())
		})
	}
}

// No form opens after the first response. The user can ask for it again.
func TestFormTooLate(t *testing.T) {
	note := form(chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 500})
	inBothModes(t, saying(chat.AckForm, slowly(8*time.Second, replying(chat.OpenForm{Form: note}))), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != 5 {
			t.Errorf("answered with %+v", a)
		}
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "before / [one] [two]; [Detail]")
	})
}

// The user sees what is wrong with a form, and what they typed into it.
func TestFieldErrors(t *testing.T) {
	fields := []chat.Field{
		chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 3000, Lines: true},
		chat.Input{Label: chat.Label{ID: "barrier", Text: "Barrier"}, Max: 3000, Lines: true},
		chat.Select{Label: chat.Label{ID: "held", Text: "Held"}, Options: []chat.Option{{Value: "survey-data", Label: "Survey"}}},
	}
	handle := func(took time.Duration) func(context.Context, chat.Event) []chat.Reply {
		return func(_ context.Context, e chat.Event) []chat.Reply {
			switch e.Kind {
			case chat.Command:
				return []chat.Reply{chat.Whisper{Card: card("before", "one")}}
			case chat.Press:
				return []chat.Reply{chat.OpenForm{Form: form(fields...)}}
			}
			time.Sleep(took)
			return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"note": "Name no one, please.", "barrier": "Too vague."}}}
		}
	}
	for _, took := range []time.Duration{0, 8 * time.Second} {
		inBothModes(t, saying(chat.AckUpdate, handle(took)), func(t *testing.T, w *world) {
			m := w.whispered(t, ben)
			w.Press(ben, m, "one", "")
			a := w.Submit(ben, map[string][]string{"note": {"my *note*"}, "barrier": {"no time"}, "held": {"survey-data"}})
			if !a.OK() {
				t.Errorf("answered with %+v", a)
			}
			w.settled(t)
			w.want(t, "whispers", texts(t, w.Whispers(ben)), "before / [one]; Too vague. / Name no one, please. / my *note* / no time")
			w.Press(ben, m, "one", "")
			long := strings.Repeat("long ", 599)
			w.Submit(ben, map[string][]string{"note": {long}, "barrier": {long}, "held": {"survey-data"}})
			w.settled(t)
			all := w.Whispers(ben)
			if n := strings.Count(texts(t, all), strings.TrimSpace(long)); n != 2 {
				t.Errorf("%d of two long texts came back", n)
			}
		})
	}
}

func TestPostWithFiles(t *testing.T) {
	files := []chat.File{
		{Name: "results.png", Type: "image/png", Alt: "Bars by element", Data: []byte("\x89PNG")},
		{Name: "results.csv", Type: "text/csv", Data: []byte("a,b\n")},
	}
	bot := saying(chat.AckWhisper, replying(
		chat.Post{To: channel(team), Card: card("results"), Files: files, Then: sorry("sorry")}, chat.Whisper{Card: card("posted it")},
	))
	inBothModes(t, bot, func(t *testing.T, w *world) {
		w.Latency(func(op string) time.Duration { return map[string]time.Duration{"send": 4 * time.Second}[op] })
		w.Fail("send", fake.Fault{Lose: true})
		if a := w.Command(ana, team, "maturity results", nil); !a.OK() || a.Type != 5 {
			t.Errorf("answered with %+v", a)
		}
		w.settled(t)
		w.want(t, "channel", texts(t, w.Messages(team)), "results")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "posted it")
		for i, f := range w.Files(team) {
			if f.Name != files[i].Name || f.Alt != files[i].Alt || string(f.Data) != string(files[i].Data) || f.Type != files[i].Type {
				t.Errorf("file %d is %+v", i, f)
			}
		}
		if n := len(w.Files(team)); n != 2 {
			t.Errorf("%d files", n)
		}
	})
}

func TestPostFails(t *testing.T) {
	for name, to := range map[string]chat.Place{
		"hidden": channel("1100000000000000202"), "closed": channel("1100000000000000203"), "gone": channel("1100000000000000204"),
		"elsewhere": {Platform: "slack", Workspace: "T1", Channel: "C1"},
	} {
		t.Run(name, func(t *testing.T) {
			bot := saying(chat.AckWhisper, replying(
				chat.Post{To: to, Card: card("results"), Then: sorry("I may not write there")}, chat.Post{To: channel(team), Card: card("more"), Then: sorry("sorry")},
				chat.Whisper{Card: card("posted it")},
			))
			inBothModes(t, bot, func(t *testing.T, w *world) {
				w.AddChannel(fake.Channel{ID: "1100000000000000202", Hidden: true})
				w.AddChannel(fake.Channel{ID: "1100000000000000203", Closed: true})
				w.Command(ana, team, "maturity results", nil)
				w.settled(t)
				w.want(t, "whispers", texts(t, w.Whispers(ana)), "I may not write there")
				w.want(t, "channel", texts(t, w.Messages(team)), "")
			})
		})
	}
}

// What everybody sees is nobody's to change: what comes of a press on it is for whoever pressed.
func TestSharedCardNotUpdated(t *testing.T) {
	for _, took := range []time.Duration{0, 8 * time.Second} {
		inBothModes(t, saying(chat.AckUpdate, after(took, replying(chat.Update{Card: card("your own answers")}))), func(t *testing.T, w *world) {
			m := w.post(t, card("join us", "join"))
			if a := w.Press(eve, m, "join", ""); !a.OK() {
				t.Errorf("answered with %+v", a)
			}
			w.settled(t)
			w.want(t, "channel", texts(t, w.Messages(team)), "join us / [join]")
			w.want(t, "Eve's whispers", texts(t, w.Whispers(eve)), "your own answers")
			w.want(t, "Ben's whispers", texts(t, w.Whispers(ben)), "")
		})
	}
}

func TestDismissedWhileDeferred(t *testing.T) {
	inBothModes(t, saying(chat.AckUpdate, slowly(8*time.Second, journey)), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		w.Press(ben, m, "one", "")
		w.Dismiss(m)
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after one / [one] [two]")
	})
}

// The token expires before the answer is there. In the conversation with the bot the card still
// changes; elsewhere the next press brings a new token.
func TestTokenExpired(t *testing.T) {
	handle := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Action.Verb == "one" && e.Kind == chat.Press {
			time.Sleep(8 * time.Second)
		}
		return journey(ctx, e)
	}
	inBothModes(t, saying(chat.AckUpdate, handle), func(t *testing.T, w *world) {
		in := w.say(t, ben, card("before", "one"))
		w.Press(ben, in, "one", "")
		w.Later(16 * time.Minute)
		w.settled(t)
		w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "after one / [one] [two]")

		m := w.whispered(t, eve)
		w.Press(eve, m, "one", "")
		w.Later(16 * time.Minute)
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(eve)), "before / [one] [two]")
		if !strings.Contains(w.log.String(), "reply not delivered") {
			t.Errorf("nothing was logged:\n%s", w.log)
		}
		w.Press(eve, m, "two", "")
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(eve)), "after two / [one] [two]")
	})
}

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
			t.Errorf("%d of 9 were told something", n)
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

// The first response is late, or lost.
func TestFirstResponseByAPI(t *testing.T) {
	for name, c := range map[string]struct {
		faults   []fake.Fault
		tolerate bool
		private  bool
		want     string
	}{
		"lost on its way back":     {[]fake.Fault{{Lose: true}}, false, false, "after one / [one] [two]"},
		"lost on its way":          {[]fake.Fault{{Cut: true}}, false, false, "after one / [one] [two]"},
		"unavailable":              {[]fake.Fault{{Status: 503}, {Status: 502}}, false, false, "after one / [one] [two]"},
		"limited":                  {[]fake.Fault{{Status: 429, After: 0.5}}, false, false, "after one / [one] [two]"},
		"late":                     {[]fake.Fault{{Wait: 3500 * time.Millisecond}}, true, false, "before / [one] [two]"},
		"late in the conversation": {[]fake.Fault{{Wait: 3500 * time.Millisecond}}, true, true, "after one / [one] [two]"},
		"unknown, there":           {[]fake.Fault{{Status: 404, Code: 10062}}, true, true, "after one / [one] [two]"},
		"answered by another":      {[]fake.Fault{{Status: 400, Code: 40060}}, true, true, "before / [one] [two]"},
	} {
		t.Run(name, func(t *testing.T) {
			byGateway(t, saying(chat.AckUpdate, journey)(), func(t *testing.T, w *world) {
				var m fake.Message
				if c.private {
					m = w.say(t, ben, card("before", "one", "two"))
				} else {
					m = w.whispered(t, ben)
				}
				w.Fail("callback", c.faults...)
				if c.tolerate {
					w.Tolerate()
				}
				w.Press(ben, m, "one", "")
				w.settled(t)
				all := w.Whispers(ben)
				if c.private {
					all = w.Messages(fake.DM(ben))
				}
				w.want(t, "seen", texts(t, all), c.want)
			})
		})
	}
}

// If the answer to the first response is lost, the other replies still arrive.
func TestRetriedFirstResponse(t *testing.T) {
	byGateway(t, saying(chat.AckUpdate, slowly(0, replying(chat.Update{Card: card("after")}, chat.Whisper{Card: card("whispered")})))(), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		w.Fail("callback", fake.Fault{Lose: true})
		w.Press(ben, m, "one", "")
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after; whispered")
	})
}

// The bot does not report a failed post if the post may have arrived.
func TestPostUnsure(t *testing.T) {
	bot := saying(chat.AckWhisper, replying(chat.Post{To: channel(team), Card: card("results"), Then: sorry("sorry")}, chat.Whisper{Card: card("done")}))
	byHTTP(t, bot(), func(t *testing.T, w *world) {
		w.Fail("send", fake.Fault{Lose: true}, fake.Fault{Lose: true}, fake.Fault{Lose: true}, fake.Fault{Lose: true})
		w.Command(ana, team, "maturity results", nil)
		w.settled(t)
		w.want(t, "channel", texts(t, w.Messages(team)), "results")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")
	})
}

// claims are those of a store.
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

// A user who presses without end gets no more answers, and other users do not wait.
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
					t.Errorf("somebody typing elsewhere is answered with %s", a.Body)
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

func TestConfirm(t *testing.T) {
	asking := card("close?")
	asking.Blocks = append(asking.Blocks, chat.Buttons{Buttons: []chat.Button{
		{Label: "Close it", Action: chat.NewAction("closenow"), Confirm: &chat.Confirm{Title: "Sure?", Text: "It is final.", Yes: "Close", No: "Keep"}},
	}})
	inBothModes(t, saying(chat.AckUpdate, journey), func(t *testing.T, w *world) {
		m := w.say(t, ana, asking)
		if a := w.Press(ana, m, "?closenow", "no"); !a.OK() || a.Type != 6 {
			t.Errorf("no was answered with %+v", a)
		}
		w.want(t, "handled", w.bot.Verbs(), "")
		if a := w.Press(ana, m, "closenow", ""); !a.OK() || a.Type != 7 {
			t.Errorf("yes was answered with %+v", a)
		}
		w.want(t, "handled", w.bot.Verbs(), "closenow")
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

// sorry whispers a text when a card does not stand.
func sorry(text string) chat.Then {
	return func(d chat.Delivered) []chat.Reply {
		if d.Stands() {
			return nil
		}
		return []chat.Reply{chat.Whisper{Card: card(text)}}
	}
}
