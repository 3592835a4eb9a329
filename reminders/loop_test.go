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

// fakeQueue is a message queue in memory, in which leases end as they do in a store.
type fakeQueue struct {
	mu   sync.Mutex
	due  map[survey.Delivery]time.Time
	away bool
}

var errAway = errors.New("the store is away")

func queueOf(n int) *fakeQueue {
	d := &fakeQueue{due: map[survey.Delivery]time.Time{}}
	for i := range n {
		d.due[survey.Delivery{Round: "r", Kind: survey.Nudge, Person: survey.PersonID(fmt.Sprint("p", i))}] = time.Now()
	}
	return d
}

func (d *fakeQueue) LeaseDue(_ context.Context, limit int) ([]survey.Delivery, error) {
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

func (d *fakeQueue) Ack(ctx context.Context, m survey.Delivery) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away || ctx.Err() != nil {
		return errAway
	}
	delete(d.due, m)
	return nil
}

func (d *fakeQueue) Reschedule(ctx context.Context, m survey.Delivery, wait time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away || ctx.Err() != nil {
		return errAway
	}
	d.due[m] = time.Now().Add(wait)
	return nil
}

func (d *fakeQueue) left() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.due)
}

// deliverer counts what it delivers.
type deliverer struct {
	fail func(survey.Delivery) error

	mu  sync.Mutex
	got map[survey.Delivery]int
}

func (m *deliverer) Deliver(ctx context.Context, d survey.Delivery) error {
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

// wantOnce checks that each of n messages was delivered exactly once.
func (m *deliverer) wantOnce(t *testing.T, n int) {
	t.Helper()
	if len(m.got) != n || slices.Max(slices.Collect(maps.Values(m.got))) != 1 {
		t.Errorf("%d of %d were delivered: %v", len(m.got), n, m.got)
	}
}

var quiet = slog.New(slog.DiscardHandler)

func TestSweepSendsEachOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m := queueOf(500), &deliverer{}
		var all sync.WaitGroup
		for range 3 { // processes
			all.Go(func() { reminders.NewLoop(d, m, quiet).Sweep(t.Context()) })
		}
		all.Wait()
		m.wantOnce(t, 500)
		if d.left() != 0 {
			t.Errorf("%d are still queued", d.left())
		}
	})
}

// slow is a deliverer whose messages take as long as possible: until their context ends, and then
// the time that a request and saving its outcome may take.
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

// TestBatchEndsBeforeItsLease: no other process gets a message that is still being sent, however
// long the messages take.
func TestBatchEndsBeforeItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m := queueOf(24), &slow{t: t, running: map[survey.Delivery]bool{}}
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

// TestFailedMessagesAreRetried: a message that could not be sent is tried again after a minute, and
// delays no other.
func TestFailedMessagesAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		d := queueOf(100)
		m := &deliverer{fail: func(d survey.Delivery) error {
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
		m.wantOnce(t, 100)
	})
}

// TestOutage: while the platform cannot be reached, a sweep ends after a batch.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tried := 0
		d := queueOf(1000)
		var mu sync.Mutex
		m := &deliverer{fail: func(survey.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			tried++
			return errors.New("away")
		}}
		l := reminders.NewLoop(d, m, quiet)
		if n := l.Sweep(t.Context()); n != 0 || tried > 100 || d.left() != 1000 {
			t.Errorf("%d sent, %d tried, %d queued", n, tried, d.left())
		}
		d.away = true
		if n := l.Sweep(t.Context()); n != 0 {
			t.Errorf("sent %d without a store", n)
		}
	})
}

// TestStopReschedulesUnsent: a loop that is stopped makes the messages that it has not sent due at
// once, so that they do not wait until their lease ends.
func TestStopReschedulesUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m := queueOf(60), &deliverer{}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		reminders.NewLoop(d, m, quiet).Sweep(ctx)
		sent := len(m.got)
		if sent == 0 || sent == 60 || d.left() != 60-sent {
			t.Fatalf("%d sent, %d queued", sent, d.left())
		}
		reminders.NewLoop(d, m, quiet).Sweep(t.Context())
		m.wantOnce(t, 60)
	})
}

// TestRunUntilContextEnds: the loop sends messages that become due while it runs.
func TestRunUntilContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m := queueOf(3), &deliverer{}
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
		m.wantOnce(t, 4)
	})
}

// TestSlowFailureIsRetried: a message that took long to fail is tried again after a minute, and not
// only when its lease ends.
func TestSlowFailureIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		d := queueOf(1)
		m := &deliverer{fail: func(survey.Delivery) error {
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

// TestDelayedProcessSendsNothing: a process that was delayed for longer than its leases sends
// nothing, because another process has the messages.
func TestDelayedProcessSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := queueOf(60)
		delayed := &deliverer{fail: func(survey.Delivery) error { time.Sleep(11 * time.Minute); return nil }}
		other := &deliverer{}
		var all sync.WaitGroup
		all.Go(func() { reminders.NewLoop(d, delayed, quiet).Sweep(t.Context()) })
		time.Sleep(10*time.Minute + time.Second)
		reminders.NewLoop(d, other, quiet).Sweep(t.Context())
		all.Wait()
		if len(other.got) != 60 || len(delayed.got) > 8 { // those that were being sent
			t.Errorf("the other sent %d, the delayed one %d", len(other.got), len(delayed.got))
		}
	})
}
