package slack

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

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
		d, err := w.slack.enqueue(inbound{event: chat.Event{ID: "e1", Who: personAna, Action: chat.NewAction("one")}, origin: origin{Channel: team, Private: true}}, nil)
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

// A form that is sent again because no acknowledgement came is the same submission, unless it was
// refused or a value has changed.
func TestResubmittedForm(t *testing.T) {
	reply := []chat.Reply{chat.Update{Card: card("kept")}}
	byHTTP(t, func(context.Context, chat.Event) []chat.Reply { return reply }, func(t *testing.T, w *world) {
		trigger := 0
		send := func(view, note string) *delivery {
			trigger++
			d, err := w.slack.enqueue(inbound{
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
