package reminders_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/reminders"
	"maturitybot/survey"
)

// desk owes messages, as a store does: what was taken comes back when its lease ends.
type desk struct {
	mu   sync.Mutex
	due  map[survey.Delivery]time.Time
	away bool
}

var errAway = errors.New("the store is away")

func owing(n int) *desk {
	d := &desk{due: map[survey.Delivery]time.Time{}}
	for i := range n {
		d.due[survey.Delivery{Round: "r", Kind: survey.Nudge, Person: survey.PersonID(fmt.Sprint("p", i))}] = time.Now()
	}
	return d
}

func (d *desk) LeaseDue(_ context.Context, limit int) ([]survey.Delivery, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away {
		return nil, errAway
	}
	var all []survey.Delivery
	for m, at := range d.due {
		if len(all) < limit && !at.After(time.Now()) {
			all = append(all, m)
			d.due[m] = time.Now().Add(survey.LeaseTTL)
		}
	}
	return all, nil
}

func (d *desk) Ack(ctx context.Context, m survey.Delivery) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away || ctx.Err() != nil {
		return errAway
	}
	delete(d.due, m)
	return nil
}

func (d *desk) Reschedule(ctx context.Context, m survey.Delivery, wait time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away || ctx.Err() != nil {
		return errAway
	}
	d.due[m] = time.Now().Add(wait)
	return nil
}

func (d *desk) left() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.due)
}

// messenger counts what it delivers.
type messenger struct {
	fail func(survey.Delivery) error

	mu  sync.Mutex
	got map[survey.Delivery]int
}

func (m *messenger) Deliver(ctx context.Context, d survey.Delivery) error {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	if m.fail != nil {
		if err := m.fail(d); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.got == nil {
		m.got = map[survey.Delivery]int{}
	}
	m.got[d]++
	return nil
}

// once says whether each of n messages was delivered exactly once.
func (m *messenger) once(t *testing.T, n int) {
	t.Helper()
	if len(m.got) != n || slices.Max(slices.Collect(maps.Values(m.got))) != 1 {
		t.Errorf("%d of %d were delivered: %v", len(m.got), n, m.got)
	}
}

var quiet = slog.New(slog.DiscardHandler)

func TestSweepSendsEachOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m := owing(500), &messenger{}
		var all sync.WaitGroup
		for range 3 { // processes
			all.Go(func() { reminders.NewLoop(d, m, quiet).Sweep(t.Context()) })
		}
		all.Wait()
		m.once(t, 500)
		if d.left() != 0 {
			t.Errorf("%d are still owed", d.left())
		}
	})
}

// slow is a messenger whose every message takes as long as it may: until its context ends, then a
// request that is not cut off, and the note of what came of it.
type slow struct {
	t *testing.T

	mu      sync.Mutex
	running map[survey.Delivery]bool
	began   int
}

func (s *slow) Deliver(ctx context.Context, d survey.Delivery) error {
	s.mu.Lock()
	if s.running[d] {
		s.t.Errorf("%s is sent by two at once", d.Person)
	}
	s.running[d] = true
	s.began++
	s.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(4 * time.Minute):
	}
	time.Sleep(70 * time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[d] = false
	return errors.New("slow")
}

// TestBatchEndsBeforeItsLease: however long messages take, no other process is given one that is
// still being sent.
func TestBatchEndsBeforeItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m := owing(24), &slow{t: t, running: map[survey.Delivery]bool{}}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for range 3 { // processes
			all.Go(func() {
				if err := reminders.NewLoop(d, m, quiet).Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if m.began < 24 {
			t.Errorf("%d were begun", m.began)
		}
	})
}

// What cannot be sent now is tried again in a minute, and holds up nobody else.
func TestFailedMessagesComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		d := owing(100)
		m := &messenger{fail: func(d survey.Delivery) error {
			if broken && d.Person == "p7" {
				return errors.New("no route")
			}
			if d.Person == "p9" && broken {
				panic("fault")
			}
			return nil
		}}
		l := reminders.NewLoop(d, m, quiet)
		if n := l.Sweep(t.Context()); n != 98 {
			t.Errorf("sent %d", n)
		}
		broken = false
		if n := l.Sweep(t.Context()); n != 0 {
			t.Errorf("tried again at once: %d", n)
		}
		time.Sleep(time.Minute)
		if n := l.Sweep(t.Context()); n != 2 {
			t.Errorf("sent %d a minute later", n)
		}
		m.once(t, 100)
	})
}

// While the platform is away, it is not asked for everybody in turn.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tried := 0
		d := owing(1000)
		var mu sync.Mutex
		m := &messenger{fail: func(survey.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			tried++
			return errors.New("away")
		}}
		l := reminders.NewLoop(d, m, quiet)
		if n := l.Sweep(t.Context()); n != 0 || tried > 100 || d.left() != 1000 {
			t.Errorf("%d sent, %d tried, %d owed", n, tried, d.left())
		}
		d.away = true
		if n := l.Sweep(t.Context()); n != 0 {
			t.Errorf("sent %d without a store", n)
		}
	})
}

// Whoever is told to stop gives back what has not been sent, so that it need not wait for its time.
func TestStopGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m := owing(60), &messenger{}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		reminders.NewLoop(d, m, quiet).Sweep(ctx)
		sent := len(m.got)
		if sent == 0 || sent == 60 || d.left() != 60-sent {
			t.Fatalf("%d sent, %d owed", sent, d.left())
		}
		reminders.NewLoop(d, m, quiet).Sweep(t.Context())
		m.once(t, 60)
	})
}

func TestRunGoesOnUntilItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m := owing(3), &messenger{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- reminders.NewLoop(d, m, quiet).Run(ctx) }()
		time.Sleep(10 * time.Second)
		d.mu.Lock()
		d.due[survey.Delivery{Round: "r", Kind: survey.Invitation, Person: "late"}] = time.Now()
		d.mu.Unlock()
		time.Sleep(10 * time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		m.once(t, 4)
	})
}

// However long a message takes to fail, it is tried again after a minute, not when its time is
// over.
func TestSlowFailuresComeAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		d := owing(1)
		m := &messenger{fail: func(survey.Delivery) error {
			if broken {
				time.Sleep(40 * time.Second)
				return errors.New("away")
			}
			return nil
		}}
		l := reminders.NewLoop(d, m, quiet)
		l.Sweep(t.Context())
		broken = false
		time.Sleep(time.Minute)
		if n := l.Sweep(t.Context()); n != 1 {
			t.Errorf("sent %d", n)
		}
	})
}

// A process that was held up for longer than its messages were its own sends none of them: another
// has them.
func TestHeldUpProcessSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := owing(60)
		asleep := &messenger{fail: func(survey.Delivery) error { time.Sleep(11 * time.Minute); return nil }}
		other := &messenger{}
		var all sync.WaitGroup
		all.Go(func() { reminders.NewLoop(d, asleep, quiet).Sweep(t.Context()) })
		time.Sleep(10*time.Minute + time.Second)
		reminders.NewLoop(d, other, quiet).Sweep(t.Context())
		all.Wait()
		if len(other.got) != 60 || len(asleep.got) > 8 { // those that were on their way
			t.Errorf("the other sent %d, the one that was held up %d", len(other.got), len(asleep.got))
		}
	})
}
