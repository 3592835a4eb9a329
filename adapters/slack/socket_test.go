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

// bySocket runs play on a workspace that delivers by Socket Mode, in a bubble whose time passes at
// once. Ended receives what RunSocket returns.
func bySocket(t *testing.T, handle func(context.Context, chat.Event) []chat.Reply, play func(t *testing.T, w *world, stop func(), ended <-chan error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, handle)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		var running sync.WaitGroup
		running.Go(func() { ended <- w.slack.RunSocket(ctx) })
		synctest.Wait()
		play(t, w, stop, ended)
		stop()
		running.Wait()
	})
}

func TestSocket(t *testing.T) {
	both := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Press {
			return updates(ctx, e)
		}
		return []chat.Reply{chat.Whisper{Card: card(fmt.Sprintf("hello %d", e.Kind))}}
	}
	bySocket(t, both, func(t *testing.T, w *world, _ func(), _ <-chan error) {
		w.want(t, "sockets", fmt.Sprint(w.Sockets()), "2")
		w.want(t, "sockets in the log", fmt.Sprint(strings.Count(w.log.String(), "socket open")), "2")
		m := w.send(t, ben, card("before", "one"))
		for _, do := range []func() fake.Ack{
			func() fake.Ack { return w.Press(ben, m, "one", "") },
			func() fake.Ack { return w.Command(ben, "", "help") },
			func() fake.Ack { return w.Say(ben, "hello") },
		} {
			if a := do(); !a.OK() || len(a.Body) > 0 {
				t.Errorf("acknowledged with %+v", a)
			}
			synctest.Wait()
		}
		w.want(t, "Ben's conversation", texts(t, []fake.Message{w.Messages(fake.IM(ben))[0], w.Messages(fake.IM(ben))[1], w.Messages(fake.IM(ben))[3]}), "after one; hello 0; hello 3")
	})
}

func TestSocketAckTimeAndOrder(t *testing.T) {
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		dispatch.Sleep(ctx, 2*time.Second)
		return updates(ctx, e)
	}
	bySocket(t, slow, func(t *testing.T, w *world, _ func(), _ <-chan error) {
		m := w.send(t, ben, card("before", "one"))
		w.Latency(func(string) time.Duration { return 2 * time.Second })
		var all sync.WaitGroup
		for _, verb := range []string{"one", "two", "three"} {
			all.Go(func() { w.Press(ben, m, verb, "") })
			synctest.Wait()
		}
		all.Wait()
		time.Sleep(10 * time.Second)
		w.want(t, "handled", w.bot.Verbs(), "one two three")
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after three")
	})
}

func TestSocketDuplicateDelivery(t *testing.T) {
	bySocket(t, opens(refuses), func(t *testing.T, w *world, _ func(), _ <-chan error) {
		m := w.send(t, ben, card("before", "one", "detail"))
		w.Press(ben, m, "one", "")
		w.Again()
		synctest.Wait()
		w.Again()
		w.want(t, "handled", w.bot.Verbs(), "one")
		w.Press(ben, w.Messages(fake.IM(ben))[0], "detail", "")
		synctest.Wait()
		a := w.Submit(ben, map[string][]string{"note": {"x"}})
		w.want(t, "errors", fmt.Sprint(a.Errors), "map[note:Not now. Too long.]")
		w.want(t, "the same again", fmt.Sprint(w.Again().Errors), "map[note:Not now. Too long.]")
		w.want(t, "handled", w.bot.Verbs(), "one detail keep")
	})
}

func TestSocketRefresh(t *testing.T) {
	bySocket(t, updates, func(t *testing.T, w *world, _ func(), _ <-chan error) {
		m := w.send(t, ben, card("before", "one"))
		for n, reason := range []string{"warning", "refresh_requested", "too_many_websockets"} {
			w.Disconnect(reason)
			if a := w.Press(ben, m, fmt.Sprint("go", n), ""); !a.OK() {
				t.Errorf("%s: %+v", reason, a)
			}
			synctest.Wait()
			w.want(t, "sockets after "+reason, fmt.Sprint(w.Sockets()), "2")
			ended := strings.Count(w.log.String(), "socket ended, reconnecting")
			w.want(t, "ends in the log after "+reason, fmt.Sprint(ended), fmt.Sprint(n+1))
		}
		w.want(t, "handled", w.bot.Verbs(), "go0 go1 go2")
		w.want(t, "unacknowledged", fmt.Sprint(w.Unacked()), "0")
	})
}

func TestSocketCut(t *testing.T) {
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		dispatch.Sleep(ctx, time.Second)
		return updates(ctx, e)
	}
	bySocket(t, slow, func(t *testing.T, w *world, _ func(), _ <-chan error) {
		m := w.send(t, ben, card("before", "one"))
		w.Tolerate()
		var all sync.WaitGroup
		all.Go(func() { w.Press(ben, m, "one", "") })
		synctest.Wait()
		w.Cut()
		all.Wait()
		time.Sleep(10 * time.Second)
		w.want(t, "handled", w.bot.Verbs(), "one")
		w.want(t, "unacknowledged", fmt.Sprint(w.Unacked()), "0")
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after one")
	})
}

func TestSocketOutage(t *testing.T) {
	bySocket(t, updates, func(t *testing.T, w *world, _ func(), _ <-chan error) {
		m := w.send(t, ben, card("before", "one"))
		w.Tolerate()
		w.Down(true)
		go w.Press(ben, m, "one", "")
		time.Sleep(time.Minute)
		w.want(t, "sockets in the outage", fmt.Sprint(w.Sockets()), "0")
		w.Down(false)
		time.Sleep(reconnectInterval + maxReconnectDelay)
		w.want(t, "sockets soon after", fmt.Sprint(w.Sockets()), "2")
		w.want(t, "handled", w.bot.Verbs(), "one")
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after one")
	})
}

func TestSocketReconnectBackoff(t *testing.T) {
	bySocket(t, updates, func(t *testing.T, w *world, _ func(), _ <-chan error) {
		w.Bounce(true)
		w.Disconnect("warning")
		w.Disconnect("warning")
		time.Sleep(time.Minute)
		// Each link pauses after six sockets. The library may open some more before it is stopped.
		rounds := int(time.Minute/reconnectInterval) + 1
		if n := len(w.Calls("apps.connections.open")); n > socketConnections*rounds*10 {
			t.Errorf("%d sockets in a minute", n)
		}
		w.Bounce(false)
		time.Sleep(2 * reconnectInterval)
		w.want(t, "sockets", fmt.Sprint(w.Sockets()), "2")
	})
}

func TestSocketModeDisabled(t *testing.T) {
	bySocket(t, updates, func(t *testing.T, w *world, _ func(), ended <-chan error) {
		w.SocketMode(false)
		synctest.Wait()
		time.Sleep(time.Minute)
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "Socket Mode") {
				t.Errorf("the error is %v", err)
			}
		default:
			t.Errorf("it still runs:\n%s", w.log)
		}
	})
}

// Slack reports of some apps that Socket Mode is off although it delivers to them.
func TestSocketModeOffBeforeFirstLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, updates)
		w.SocketMode(false)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.slack.RunSocket(ctx) }()
		synctest.Wait()
		w.Disconnect("refresh_requested")
		m := w.send(t, ben, card("before", "one"))
		w.Press(ben, m, "one", "")
		time.Sleep(time.Minute)
		w.want(t, "handled", w.bot.Verbs(), "one")
		if !strings.Contains(w.log.String(), "switch it on under Socket Mode") {
			t.Errorf("the log does not say what to do:\n%s", w.log)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestSocketAppTokenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, updates)
		w.slack.options.AppToken = "xapp-other"
		if err := w.slack.RunSocket(t.Context()); err == nil || !strings.Contains(err.Error(), "connections:write") {
			t.Errorf("the error is %v", err)
		}
		w.slack.options.AppToken = fake.AppToken
		w.Fail("apps.connections.open", fake.Fault{Error: "not_allowed_token_type"}, fake.Fault{Error: "not_allowed_token_type"})
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := w.slack.RunSocket(ctx); err == nil || !strings.Contains(err.Error(), "connections:write") {
			t.Errorf("the error is %v", err)
		}
		w.slack.options.AppToken = ""
		if err := w.slack.RunSocket(t.Context()); err == nil || !strings.Contains(err.Error(), "App-Level Tokens") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestSocketAcksEveryEnvelope(t *testing.T) {
	bySocket(t, updates, func(t *testing.T, w *world, _ func(), _ <-chan error) {
		for name, message := range map[string]map[string]any{
			"of an unknown type":   {"type": "somethings", "envelope_id": "e1", "payload": map[string]any{}},
			"with a broken event":  {"type": "events_api", "envelope_id": "e2", "payload": map[string]any{"type": "event_callback", "event": 7}},
			"with a broken press":  {"type": "interactive", "envelope_id": "e3", "payload": map[string]any{"type": 7}},
			"with foreign content": {"type": "interactive", "envelope_id": "e4", "payload": map[string]any{"type": "shortcut"}},
			"with a list":          {"type": "slash_commands", "envelope_id": "e5", "payload": []int{1}},
			"with a foreign event": {"type": "events_api", "envelope_id": "e6", "payload": map[string]any{"type": "event_callback", "team_id": "T1", "event": map[string]any{"type": "reaction_added"}}},
		} {
			if a := w.Raw(message); !a.OK() {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if a := w.Raw(map[string]any{"type": "somethings"}); a.Err == nil { // the fake fails the test for an acknowledgement of nothing
			t.Errorf("what is no envelope was acknowledged: %+v", a)
		}
		// The library cannot decode this press, because of an unknown element; this package need not.
		a := w.Raw(map[string]any{"type": "interactive", "envelope_id": "e7", "payload": map[string]any{
			"type": "block_actions", "trigger_id": "t7", "user": map[string]any{"id": ben, "team_id": fake.Team}, "team": map[string]any{"id": fake.Team},
			"container": map[string]any{"type": "message", "channel_id": fake.IM(ben), "message_ts": "1.1"},
			"actions":   []any{map[string]any{"type": "button", "action_id": "one", "action_ts": "1.1"}},
			"message":   map[string]any{"blocks": []any{map[string]any{"type": "actions", "elements": []any{map[string]any{"type": "hologram"}}}}},
		}})
		if !a.OK() {
			t.Errorf("a press the library cannot read: %+v", a)
		}
		synctest.Wait()
		w.want(t, "handled", w.bot.Verbs(), "one")
	})
}

func TestSocketBusyNoAck(t *testing.T) {
	var ready chan struct{}
	waits := func(ctx context.Context, e chat.Event) []chat.Reply {
		<-ready
		return updates(ctx, e)
	}
	bySocket(t, waits, func(t *testing.T, w *world, _ func(), _ <-chan error) {
		ready = make(chan struct{})
		w.Tolerate()
		var all sync.WaitGroup
		for n := range 40 {
			all.Go(func() { w.Press(ben, fake.Message{Channel: fake.IM(ben), TS: "1.1"}, fmt.Sprint("n", n), "") })
			synctest.Wait()
		}
		all.Wait()
		w.want(t, "unacknowledged", fmt.Sprint(w.Unacked()), "7") // one is handled, 32 wait
		close(ready)
	})
}

func TestSocketShutdownAcks(t *testing.T) {
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		dispatch.Sleep(ctx, time.Second)
		return updates(ctx, e)
	}
	bySocket(t, slow, func(t *testing.T, w *world, stop func(), ended <-chan error) {
		m := w.send(t, ben, card("before", "one"))
		var all sync.WaitGroup
		all.Go(func() {
			if a := w.Press(ben, m, "one", ""); !a.OK() {
				t.Errorf("answered %+v", a)
			}
		})
		synctest.Wait()
		stop()
		all.Wait()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		if err := w.slack.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after one")
	})
}
