package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

const (
	// DefaultEditInterval is the shortest time between two edits of one card by this process.
	DefaultEditInterval = 2 * time.Second
	// redrawTimeout bounds one edit, with the waits that the platform asks for.
	redrawTimeout = 3 * time.Minute
	// maxRedrawFailures is how many edits of a card may fail in a row. The wait between them begins
	// with the edit interval and doubles, so that an outage of four minutes is survived.
	maxRedrawFailures = 8
	// maxRedraws is how many cards may be under way at once.
	maxRedraws = 1024
)

// Errors of an EditCard.
var (
	// ErrCardGone says that the card was deleted.
	ErrCardGone = errors.New("the card was deleted")
	// ErrNotDrawn says that Draw failed, or that the platform cannot show what it returned. An
	// EditCard makes no further request then.
	ErrNotDrawn = errors.New("the card could not be drawn")
)

var (
	errTooManyCards = errors.New("too many cards are being changed")
	errPanicked     = errors.New("a panic")
	// errDrawFailed is the ErrNotDrawn of a Draw that failed. Another try may help, unlike with a
	// card that the platform cannot show.
	errDrawFailed = fmt.Errorf("%w", ErrNotDrawn)
)

// Draw returns a card as it is now.
type Draw func(context.Context) (chat.Card, error)

// EditCard changes a card for everybody. It calls draw before each request, so that a request that
// had to wait, or is repeated, shows the newest state. It returns ErrCardGone, ErrNotDrawn, or
// another error, which is chat.ErrUnavailable if trying again may help.
type EditCard func(ctx context.Context, card chat.CardRef, draw Draw) error

// Redraws changes cards that everybody in a place sees. It edits each card at once, and then at
// most once in an interval while its state changes. The edits of one card are made one after
// another.
//
// Several processes may edit the same card, and an edit may arrive after a later one of another
// process. So each edit is followed, an interval later, by a comparison of what was drawn with the
// state by then. A process whose edit arrived last has drawn the newest state, or notices that it
// has not, and edits the card again.
type Redraws struct {
	edit     EditCard
	interval time.Duration
	log      *slog.Logger

	mu       sync.Mutex
	cards    map[chat.CardRef]*redraw
	draining chan struct{} // closed by Drain
	drain    sync.Once
	running  sync.WaitGroup
}

// redraw is a card that is being changed. Redraws.mu guards its fields.
type redraw struct {
	draw    Draw // of the latest press
	changed bool // draw was set since it was last called
}

// NewRedraws returns a Redraws that changes cards by edit, each at most once in an interval. An
// interval of zero is DefaultEditInterval.
func NewRedraws(edit EditCard, interval time.Duration, log *slog.Logger) *Redraws {
	if interval == 0 {
		interval = DefaultEditInterval
	}
	return &Redraws{
		edit: edit, interval: interval, log: log,
		cards: map[chat.CardRef]*redraw{}, draining: make(chan struct{}),
	}
}

// Add plans the change of a card, and returns at once. It must not be called after Drain.
func (r *Redraws) Add(reply chat.Redraw) error {
	if reply.Of == (chat.CardRef{}) || reply.Draw == nil {
		return errors.New("redraw a card: none is named")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if card := r.cards[reply.Of]; card != nil {
		card.draw = reply.Draw
		card.changed = true
		return nil
	}
	if len(r.cards) >= maxRedraws {
		return fmt.Errorf("redraw a card: %w", errTooManyCards)
	}
	card := &redraw{draw: reply.Draw, changed: true}
	r.cards[reply.Of] = card
	r.running.Go(func() { r.run(reply.Of, card) })
	return nil
}

// run edits a card until it shows the newest state, or until it cannot be edited.
func (r *Redraws) run(ref chat.CardRef, card *redraw) {
	failures := 0
	for {
		shown, settled, err := r.editOnce(ref, card)
		switch {
		case err == nil:
			failures = 0
			time.Sleep(r.interval)
			// The comparison comes before finish, because a press during it must count as a change.
			if settled && r.shows(card, shown) && r.finish(ref, card) {
				return
			}
		case r.waitToRetry(err, failures):
			failures++
		default:
			r.logFailure(err)
			if r.finish(ref, card) {
				return
			}
			failures = 0 // a press since then may do better
			time.Sleep(r.interval)
		}
	}
}

// editOnce edits a card, and returns what was drawn. It is not settled if an earlier request of the
// same edit showed something else: that request may still arrive.
func (r *Redraws) editOnce(
	ref chat.CardRef, card *redraw,
) (shown chat.Card, settled bool, err error) {
	err = errPanicked // kept if edit panics
	defer dispatch.RecoverAndLog(r.log, "editing a card")
	ctx, cancel := context.WithTimeout(context.Background(), redrawTimeout)
	defer cancel()
	var drawn []chat.Card
	err = r.edit(ctx, ref, func(ctx context.Context) (chat.Card, error) {
		c, err := r.draw(ctx, card)
		if err == nil {
			drawn = append(drawn, c)
		}
		return c, err
	})
	if err != nil {
		return chat.Card{}, false, err
	}
	if len(drawn) == 0 {
		return chat.Card{}, false, ErrNotDrawn
	}
	shown = drawn[len(drawn)-1]
	other := func(c chat.Card) bool { return !reflect.DeepEqual(c, shown) }
	return shown, !slices.ContainsFunc(drawn, other), nil
}

// draw draws a card by the Draw of the latest press. Its errors are errDrawFailed.
func (r *Redraws) draw(ctx context.Context, card *redraw) (drawn chat.Card, err error) {
	err = fmt.Errorf("%w: %w", errDrawFailed, errPanicked) // kept if draw panics
	defer dispatch.RecoverAndLog(r.log, "drawing a card")
	r.mu.Lock()
	draw := card.draw
	card.changed = false
	r.mu.Unlock()
	if drawn, err = draw(ctx); err != nil {
		return chat.Card{}, fmt.Errorf("%w: %w", errDrawFailed, err)
	}
	return drawn, nil
}

// shows reports whether a card that was drawn shows the state as it is now.
func (r *Redraws) shows(card *redraw, drawn chat.Card) bool {
	ctx, cancel := context.WithTimeout(context.Background(), redrawTimeout)
	defer cancel()
	now, err := r.draw(ctx, card)
	return err == nil && reflect.DeepEqual(now, drawn)
}

// finish forgets a card, unless a press has changed it since it was last drawn.
func (r *Redraws) finish(ref chat.CardRef, card *redraw) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if card.changed {
		return false
	}
	delete(r.cards, ref)
	return true
}

// waitToRetry waits before a failed edit is repeated, and returns true. It returns false at once if
// repeating does not help, and false while the program ends.
func (r *Redraws) waitToRetry(err error, failures int) bool {
	transient := errors.Is(err, chat.ErrUnavailable) || errors.Is(err, errDrawFailed)
	if !transient || errors.Is(err, errPanicked) || failures+1 >= maxRedrawFailures {
		return false
	}
	timer := time.NewTimer(r.interval << failures)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.draining:
		return false
	}
}

func (r *Redraws) logFailure(err error) {
	if errors.Is(err, ErrCardGone) {
		r.log.Info("card not changed", "error", err)
		return
	}
	r.log.Error("card not changed", "error", err)
}

// Drain waits until every card shows the newest state, or until the context ends.
func (r *Redraws) Drain(ctx context.Context) error {
	r.drain.Do(func() { close(r.draining) })
	return dispatch.Wait(ctx, &r.running)
}
