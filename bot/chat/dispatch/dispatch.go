// Package dispatch runs the events of each person one at a time, in the order of their arrival,
// and each event once, however often a platform delivers it. Events of different people run side
// by side. Replies are sent in the same order, without delaying the next event. The package knows
// no platform, and not what an event asks for.
package dispatch

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"time"

	"maturitybot/bot/chat"
)

const (
	// AckTimeout is how long an adapter waits for a ticket before it acknowledges without knowing
	// the replies. Both platforms give up after three seconds.
	AckTimeout = 2 * time.Second
	// handleTimeout bounds the handling of one event, and sendTimeout the sending of its replies.
	handleTimeout = 30 * time.Second
	sendTimeout   = 2 * time.Minute
	// rememberedEvents is how many finished events are recognised when they are delivered again.
	// Platforms usually repeat within seconds; the store recognises later repeats, and those that
	// reach another process.
	rememberedEvents = 8192
	// maxQueued is how many events of one person may wait to be handled or sent.
	maxQueued = 32
)

// ErrBusy is returned for an event whose person has too many events waiting, and during shutdown.
var ErrBusy = errors.New("too many events are waiting, or the program is shutting down")

// Send carries out the replies to one event. It may be called long after the event.
type Send func(ctx context.Context, replies []chat.Reply)

// Ticket is the progress of one event.
type Ticket struct {
	// Handled is closed once the bot has handled the event. Replies may be read from then on.
	Handled chan struct{}
	Replies []chat.Reply
	// Duplicate says that this event was submitted before. Nothing more is done about it; Handled
	// is that of the first time.
	Duplicate bool

	event chat.Event
	send  Send
	card  string
}

// Dispatcher queues events for a responder.
type Dispatcher struct {
	responder chat.Responder
	log       *slog.Logger

	mu      sync.Mutex
	queues  map[chat.Person]*queue
	tickets map[string]*Ticket // events that are not finished, by id

	// The latest finished events, by a hash of their ids. finishedRing holds them in the order in
	// which they finished; the one at oldest is forgotten next.
	finished     map[uint64]struct{}
	finishedRing [rememberedEvents]uint64
	oldest       int
	seed         maphash.Seed

	draining bool
	running  sync.WaitGroup
}

// queue holds the events of one person. It exists while it is not empty.
type queue struct {
	waiting, sending      []*Ticket
	handling              *Ticket
	isHandling, isSending bool
}

// New returns a dispatcher that hands events to the responder.
func New(r chat.Responder, log *slog.Logger) *Dispatcher {
	return &Dispatcher{
		responder: r,
		log:       log,
		queues:    map[chat.Person]*queue{},
		tickets:   map[string]*Ticket{},
		finished:  map[uint64]struct{}{},
		seed:      maphash.MakeSeed(),
	}
}

// Submit queues an event and returns at once. Send is called with the bot's replies, once every
// earlier reply to the same person has been sent. Card names the card that the replies would
// change, or is empty: a change is left out if a later change of the same card is already waiting,
// and it does nothing else.
func (d *Dispatcher) Submit(e chat.Event, card string, send Send) (*Ticket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return nil, ErrBusy
	}
	if first, again := d.tickets[e.ID]; again {
		return &Ticket{Handled: first.Handled, Duplicate: true}, nil
	}
	if _, again := d.finished[maphash.String(d.seed, e.ID)]; again {
		t := &Ticket{Handled: make(chan struct{}), Duplicate: true}
		close(t.Handled)
		return t, nil
	}
	q := d.queues[e.Who]
	if q == nil {
		q = &queue{}
		d.queues[e.Who] = q
	}
	if len(q.waiting)+len(q.sending) >= maxQueued {
		return nil, ErrBusy
	}
	t := &Ticket{Handled: make(chan struct{}), event: e, send: send, card: card}
	if e.ID != "" {
		d.tickets[e.ID] = t
	}
	q.waiting = append(q.waiting, t)
	if !q.isHandling {
		q.isHandling = true
		d.running.Go(func() { d.handle(e.Who, q) })
	}
	return t, nil
}

// handle handles the queue of a person until it is empty.
func (d *Dispatcher) handle(who chat.Person, q *queue) {
	for {
		d.mu.Lock()
		if len(q.waiting) == 0 {
			q.isHandling = false
			d.release(who, q)
			d.mu.Unlock()
			return
		}
		t := q.waiting[0]
		q.waiting, q.handling = q.waiting[1:], t
		d.mu.Unlock()

		d.handleOne(t)
		d.limitRefresh(q, t)
		close(t.Handled)

		d.mu.Lock()
		q.sending, q.handling = append(q.sending, t), nil
		startSending := !q.isSending
		q.isSending = true
		last := len(q.waiting) == 0
		if startSending && last {
			q.isHandling = false
		}
		d.mu.Unlock()
		switch {
		case startSending && last:
			d.send(who, q) // this goroutine has nothing else to do
			return
		case startSending:
			d.running.Go(func() { d.send(who, q) })
		}
	}
}

// handleOne fills in the replies to one event; after a panic of the responder there are none.
func (d *Dispatcher) handleOne(t *Ticket) {
	defer RecoverAndLog(d.log, "handling")
	// The request's context is not used: an event is handled to its end, also when the platform
	// closes the connection.
	ctx, cancel := context.WithTimeout(context.Background(), handleTimeout)
	defer cancel()
	t.Replies = d.responder.Handle(ctx, t.event)
}

// limitRefresh stops the refreshing of a card for which a later event is under way: that event
// draws the card later, and is refreshed as well.
func (d *Dispatcher) limitRefresh(q *queue, t *Ticket) {
	for i, r := range t.Replies {
		u, ok := r.(chat.Update)
		if !ok || u.Refresh == nil {
			continue
		}
		again := u.Refresh
		u.Refresh = func(ctx context.Context) (chat.Update, bool) {
			next, changed := again(ctx)
			if !changed {
				return next, false
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			return next, !d.willRedraw(q, t)
		}
		t.Replies[i] = u
	}
}

// willRedraw reports whether a later event on the same card, which will draw it, is under way. The
// caller holds the mutex.
func (d *Dispatcher) willRedraw(q *queue, t *Ticket) bool {
	draws := func(x *Ticket) bool {
		same := x != nil && x != t && t.card != "" && x.card == t.card
		return same && d.responder.Ack(x.event) == chat.AckUpdate
	}
	return t.superseded(q.sending) || draws(q.handling) || slices.ContainsFunc(q.waiting, draws)
}

// maxRefreshes bounds how often one update is repeated.
const maxRefreshes = 5

// Refresh is called once an update has been made. While what the card shows has changed since it
// was drawn, it makes the update again. So the last update shows what is saved, whichever process
// made it.
func Refresh(
	ctx context.Context, made chat.Update, change func(context.Context, chat.Card) error,
) error {
	for range maxRefreshes {
		if made.Refresh == nil {
			return nil
		}
		next, changed := made.Refresh(ctx)
		if !changed {
			return nil
		}
		if err := change(ctx, next.Card); err != nil {
			return err
		}
		made = next
	}
	return nil
}

// send sends the replies of a person's events until none is left.
func (d *Dispatcher) send(who chat.Person, q *queue) {
	for {
		d.mu.Lock()
		if len(q.sending) == 0 {
			q.isSending = false
			d.release(who, q)
			d.mu.Unlock()
			return
		}
		t := q.sending[0]
		q.sending = q.sending[1:]
		superseded := t.superseded(q.sending)
		d.mu.Unlock()
		replies := t.Replies
		if superseded {
			replies = nil // send is still called: an adapter may be waiting for it
		}
		d.sendOne(t, replies)
		d.finish(t.event.ID)
	}
}

// finish remembers a finished event.
func (d *Dispatcher) finish(event string) {
	if event == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.tickets, event)
	hash := maphash.String(d.seed, event)
	delete(d.finished, d.finishedRing[d.oldest])
	d.finishedRing[d.oldest] = hash
	d.finished[hash] = struct{}{}
	d.oldest = (d.oldest + 1) % rememberedEvents
}

// sendOne sends the replies to one event, and logs a panic.
func (d *Dispatcher) sendOne(t *Ticket, replies []chat.Reply) {
	defer RecoverAndLog(d.log, "sending")
	ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
	defer cancel()
	t.send(ctx, replies)
}

// superseded reports whether one of the later tickets draws the same card anew.
func (t *Ticket) superseded(later []*Ticket) bool {
	if t.card == "" || len(t.Replies) != 1 {
		return false
	}
	if _, update := t.Replies[0].(chat.Update); !update {
		return false
	}
	for _, other := range later {
		if other.card == t.card && len(other.Replies) > 0 {
			if _, update := other.Replies[0].(chat.Update); update {
				return true
			}
		}
	}
	return false
}

// release deletes an empty queue. The caller holds the mutex.
func (d *Dispatcher) release(who chat.Person, q *queue) {
	if !q.isHandling && !q.isSending && d.queues[who] == q {
		delete(d.queues, who)
	}
}

// Drain refuses further events, and waits until all queued events have been handled and their
// replies sent, or until the context ends.
func (d *Dispatcher) Drain(ctx context.Context) error {
	d.mu.Lock()
	d.draining = true
	d.mu.Unlock()
	return Wait(ctx, &d.running)
}
