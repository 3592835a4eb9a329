package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/bot/chat"
)

// responder handles events by a function, and keeps what it was given in order.
type responder struct {
	handle func(context.Context, chat.Event) []chat.Reply

	mu  sync.Mutex
	got []string
}

func (r *responder) Ack(chat.Event) chat.Ack { return chat.AckUpdate }

func (r *responder) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	r.mu.Lock()
	r.got = append(r.got, e.ID)
	r.mu.Unlock()
	if r.handle == nil {
		return nil
	}
	return r.handle(ctx, e)
}

func (r *responder) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

var quiet = slog.New(slog.DiscardHandler)

func by(person, id string) chat.Event {
	return chat.Event{ID: id, Who: chat.Person{Platform: "p", Workspace: "w", ID: person}}
}

func card(text string) []chat.Reply {
	return []chat.Reply{chat.Update{Card: chat.Card{Blocks: []chat.Block{chat.Paragraph(text)}}}}
}

func nothing(context.Context, []chat.Reply) {}

func submit(t *testing.T, d *Dispatcher, e chat.Event, card string, send Send) *Ticket {
	t.Helper()
	ticket, err := d.Submit(e, card, send)
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func drain(t *testing.T, d *Dispatcher) {
	t.Helper()
	if err := d.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestOrderPerPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &responder{handle: func(_ context.Context, e chat.Event) []chat.Reply {
			if e.Who.ID == "ben" {
				time.Sleep(time.Second)
			}
			return card(e.ID)
		}}
		d := New(r, quiet)
		var mu sync.Mutex
		var sent []string
		send := func(_ context.Context, replies []chat.Reply) {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, strings.TrimSpace(replies[0].(chat.Update).Card.String()))
		}
		began := time.Now()
		for i := range 3 {
			submit(t, d, by("ben", fmt.Sprint("b", i)), "", send)
		}
		c := submit(t, d, by("cem", "c"), "", send)
		<-c.Handled
		if waited := time.Since(began); waited > 0 {
			t.Errorf("cem waited %v for ben", waited)
		}
		drain(t, d)
		if want := []string{"b0", "b1", "b2"}; !slices.Equal(
			slices.DeleteFunc(r.ids(), func(s string) bool { return s == "c" }),
			want,
		) {
			t.Errorf("handled %v", r.ids())
		}
		if want := []string{"c", "b0", "b1", "b2"}; !slices.Equal(sent, want) {
			t.Errorf("sent %v, want %v", sent, want)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestSendDoesNotBlockHandle: the next event is handled while the replies to the last are being
// sent.
func TestSendDoesNotBlockHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(
			&responder{handle: func(context.Context, chat.Event) []chat.Reply { return card("x") }},
			quiet,
		)
		slow := func(context.Context, []chat.Reply) { time.Sleep(time.Minute) }
		began := time.Now()
		submit(t, d, by("ben", "1"), "", slow)
		ticket := submit(t, d, by("ben", "2"), "", slow)
		<-ticket.Handled
		if waited := time.Since(began); waited > 0 {
			t.Errorf("the second event waited %v for the first to be sent", waited)
		}
		drain(t, d)
	})
}

func TestDuplicateEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sends := 0
		r := &responder{handle: func(context.Context, chat.Event) []chat.Reply {
			time.Sleep(time.Second)
			return card("x")
		}}
		d := New(r, quiet)
		send := func(context.Context, []chat.Reply) { sends++ }
		first := submit(t, d, by("ben", "1"), "", send)
		underway := submit(t, d, by("ben", "1"), "", send)
		if first.Duplicate || !underway.Duplicate {
			t.Error("the second delivery is not recognised")
		}
		<-underway.Handled
		synctest.Wait()
		after := submit(t, d, by("ben", "1"), "", send)
		<-after.Handled
		if !after.Duplicate {
			t.Error("the third delivery is not recognised")
		}
		submit(t, d, by("ben", ""), "", send)
		submit(t, d, by("ben", ""), "", send) // events without an id are never duplicates
		drain(t, d)
		if n := len(r.ids()); n != 3 || sends != 3 {
			t.Errorf("handled %d times, sent %d times", n, sends)
		}
	})
}

// TestMemoryBounded: memory for old events is bounded, and idle people need none.
func TestMemoryBounded(t *testing.T) {
	d := New(&responder{}, quiet)
	for i := range 3 * rememberedEvents {
		ticket := submit(t, d, by(fmt.Sprint("p", i), fmt.Sprint("e", i)), "", nothing)
		<-ticket.Handled
	}
	drain(t, d)
	if len(d.queues) != 0 || len(d.tickets) != 0 || len(d.finished) > rememberedEvents {
		t.Errorf(
			"kept are %d people, %d tickets and %d events",
			len(d.queues),
			len(d.tickets),
			len(d.finished),
		)
	}
}

// TestSupersededUpdateDropped: of several updates of one card that wait, only the last is sent. All
// other replies are sent.
func TestSupersededUpdateDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(&responder{handle: func(_ context.Context, e chat.Event) []chat.Reply {
			if strings.HasPrefix(e.ID, "w") {
				return []chat.Reply{chat.Whisper{}}
			}
			if strings.HasPrefix(e.ID, "p") { // the card, and something for others
				return append(card(e.ID), chat.Post{})
			}
			return card(e.ID)
		}}, quiet)
		var sent []int
		send := func(_ context.Context, replies []chat.Reply) {
			sent = append(sent, len(replies))
			time.Sleep(time.Second)
		}
		submit(t, d, by("ben", "1"), "card", send)
		synctest.Wait() // it is being sent
		submit(t, d, by("ben", "2"), "card", send)
		submit(t, d, by("ben", "w"), "card", send)
		submit(t, d, by("ben", "p"), "card", send)
		submit(t, d, by("ben", "3"), "other", send)
		submit(t, d, by("ben", "4"), "card", send)
		drain(t, d)
		if want := []int{1, 0, 1, 2, 1, 1}; !slices.Equal(sent, want) {
			t.Errorf("sent %v, want %v", sent, want)
		}
	})
}

func TestQueueLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		d := New(
			&responder{
				handle: func(context.Context, chat.Event) []chat.Reply { <-hold; return nil },
			},
			quiet,
		)
		refused := 0
		for i := range 2 * maxQueued {
			if _, err := d.Submit(by("ben", fmt.Sprint(i)), "", nothing); errors.Is(err, ErrBusy) {
				refused++
			}
			synctest.Wait()
		}
		if want := maxQueued - 1; refused != want { // one is being handled
			t.Errorf("%d refused, want %d", refused, want)
		}
		submit(t, d, by("cem", "c"), "", nothing)
		close(hold)
		drain(t, d)
		if _, err := d.Submit(by("dan", "d"), "", nothing); !errors.Is(err, ErrBusy) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestQueueLimitCountsUnsent: events whose replies are not sent yet count as waiting.
func TestQueueLimitCountsUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(
			&responder{handle: func(context.Context, chat.Event) []chat.Reply { return card("x") }},
			quiet,
		)
		hold := make(chan struct{})
		taken := 0
		for i := range 3 * maxQueued {
			if _, err := d.Submit(by("ben", fmt.Sprint(i)), "", func(context.Context, []chat.Reply) { <-hold }); err == nil {
				taken++
			}
			synctest.Wait()
		}
		if want := maxQueued + 1; taken != want { // one is being sent
			t.Errorf("%d taken, want %d", taken, want)
		}
		close(hold)
		drain(t, d)
	})
}

// TestResponderPanic: a panic of the responder affects its own event only.
func TestResponderPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		d := New(&responder{handle: func(_ context.Context, e chat.Event) []chat.Reply {
			if e.ID == "1" {
				panic("somebody's words")
			}
			return card("x")
		}}, slog.New(slog.NewTextHandler(&log, nil)))
		sent := 0
		send := func(_ context.Context, replies []chat.Reply) { sent += len(replies) }
		first, second := submit(t, d, by("ben", "1"), "", send), submit(t, d, by("ben", "2"), "", send)
		<-first.Handled
		<-second.Handled
		drain(t, d)
		if len(first.Replies) != 0 || sent != 1 {
			t.Errorf("replies are %v, %d sent", first.Replies, sent)
		}
		if !strings.Contains(log.String(), "level=ERROR msg=panic doing=handling fault=string") ||
			strings.Contains(log.String(), "somebody's words") {
			t.Errorf("the log is %s", log.String())
		}
	})
}

// TestSendPanicAndHandleTimeout: a panic of an adapter affects its own replies only, and the
// handling of an event has a timeout.
func TestSendPanicAndHandleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(
			&responder{
				handle: func(ctx context.Context, _ chat.Event) []chat.Reply { <-ctx.Done(); return nil },
			},
			quiet,
		)
		sent := 0
		submit(t, d, by("ben", "1"), "", func(context.Context, []chat.Reply) { panic("fault") })
		submit(t, d, by("ben", "2"), "", func(context.Context, []chat.Reply) { sent++ })
		drain(t, d)
		if sent != 1 {
			t.Error("the second message was not sent")
		}
	})
}

func TestDrainContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(
			&responder{
				handle: func(context.Context, chat.Event) []chat.Reply { time.Sleep(20 * time.Second); return nil },
			},
			quiet,
		)
		submit(t, d, by("ben", "1"), "", nothing)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		drain(t, d)
	})
}

// TestRefresh: a card is drawn again while what it shows has changed, unless a later update of it
// waits.
func TestRefresh(t *testing.T) {
	// changes returns a change of a card that is out of date n times.
	var changes func(n int) chat.Update
	changes = func(n int) chat.Update {
		u := card(fmt.Sprint(n))[0].(chat.Update)
		u.Refresh = func(context.Context) (chat.Update, bool) { return changes(n - 1), n > 0 }
		return u
	}
	for n, want := range map[int]int{0: 0, 2: 2, 100: maxRefreshes} {
		drawn := 0
		err := Refresh(
			t.Context(),
			changes(n),
			func(context.Context, chat.Card) error { drawn++; return nil },
		)
		if err != nil || drawn != want {
			t.Errorf("out of date %d times: drawn again %d times, %v, want %d", n, drawn, err, want)
		}
	}
	if err := Refresh(t.Context(), chat.Update{}, nil); err != nil {
		t.Error(err)
	}

	synctest.Test(t, func(t *testing.T) {
		d := New(
			&responder{
				handle: func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{changes(1)} },
			},
			quiet,
		)
		var drawn []int
		send := func(ctx context.Context, replies []chat.Reply) {
			n := 0
			time.Sleep(time.Second) // meanwhile the later ones are handled
			for _, r := range replies {
				if err := Refresh(ctx, r.(chat.Update), func(context.Context, chat.Card) error { n++; return nil }); err != nil {
					t.Error(err)
				}
			}
			drawn = append(drawn, n)
		}
		submit(t, d, by("ben", "1"), "card", send)
		synctest.Wait()
		submit(t, d, by("ben", "2"), "card", send)
		submit(t, d, by("ben", "3"), "other", send)
		drain(t, d)
		if want := []int{0, 1, 1}; !slices.Equal(drawn, want) {
			t.Errorf("drawn again %v times, want %v", drawn, want)
		}
	})
}
