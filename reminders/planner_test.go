package reminders_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/reminders"
	"maturitybot/survey"
)

// fakeRounds is one round, and what was planned in it.
type fakeRounds struct {
	round   survey.Round
	zones   []string
	planned map[string]bool
	done    []string // what was planned and queued, in order
	fail    error    // of the next EnqueueReminders

	now          func() time.Time
	next         time.Time // when the round is next visited
	visits       int
	anonymiseErr error // of AnonymiseRoster
	panics       bool
}

func (b *fakeRounds) AnonymiseRoster(context.Context, survey.RoundID) error { return b.anonymiseErr }

func (b *fakeRounds) PlanAll(context.Context) error {
	b.next = time.Unix(0, 0)
	return nil
}

func (b *fakeRounds) EachToPlan(_ context.Context, visit func(survey.Round) (time.Time, error)) error {
	if b.next.IsZero() || b.next.After(b.now()) {
		return nil
	}
	b.visits++
	if next, err := visit(b.round); err == nil {
		b.next = next
	}
	return nil
}

func (b *fakeRounds) Each(_ context.Context, visit func(survey.Round) error) error {
	return visit(b.round)
}

func (b *fakeRounds) Planned(context.Context, survey.Round) (map[string]bool, []string, error) {
	if b.panics {
		panic("a bug")
	}
	return b.planned, b.zones, nil
}

func (b *fakeRounds) Plan(_ context.Context, _ survey.RoundID, kind survey.MessageKind) error {
	if !b.planned[string(kind)] {
		b.done = append(b.done, string(kind))
	}
	b.planned[string(kind)] = true
	return nil
}

func (b *fakeRounds) MarkPlanned(_ context.Context, _ survey.RoundID, names ...string) error {
	for _, n := range names {
		b.planned[n] = true
	}
	return nil
}

func (b *fakeRounds) EnqueueReminders(_ context.Context, _ survey.Round, due map[string][]survey.Moment) (int, error) {
	for zone, all := range due {
		for _, m := range all {
			b.done = append(b.done, fmt.Sprint(m.Kind, " ", zone))
		}
	}
	slices.Sort(b.done)
	err := b.fail
	b.fail = nil
	return 1, err
}

// newPlanner returns a planner on fakeRounds. sweep plans at the given time, by the clock in
// London.
func newPlanner(t *testing.T) (b *fakeRounds, sweep func(now string) []string, log *bytes.Buffer) {
	b, log = &fakeRounds{round: round(t), zones: []string{"Europe/London"}, planned: map[string]bool{}}, &bytes.Buffer{}
	b.round.Posts = survey.ChannelPlan{Disabled: []survey.MessageKind{survey.LastDay, survey.WorkshopEve}}
	var now time.Time
	b.now = func() time.Time { return now }
	p := reminders.NewPlanner(b, schedule, b.now, slog.New(slog.NewTextHandler(log, nil)))
	return b, func(at string) []string {
		now, b.done = clockIn(t, "Europe/London", at), nil
		if err := p.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		return b.done
	}, log
}

func want(t *testing.T, got []string, wanted ...string) {
	t.Helper()
	if !slices.Equal(got, wanted) {
		t.Errorf("got %v, want %v", got, wanted)
	}
}

// TestPlanByZone: a reminder is queued once for each time zone, when it is due there. For a zone
// that this machine does not know, the round's zone counts.
func TestPlanByZone(t *testing.T) {
	b, sweep, _ := newPlanner(t)
	b.zones = append(b.zones, "America/New_York", "Asia/Tokyo", "Nowhere/Else")
	want(t, sweep("2026-12-04 00:59"))
	want(t, sweep("2026-12-04 01:00"), "closes@2026-12-04 Asia/Tokyo")
	want(t, sweep("2026-12-04 09:59"))
	want(t, sweep("2026-12-04 10:00"), "closes@2026-12-04 Europe/London", "closes@2026-12-04 Nowhere/Else")
	want(t, sweep("2026-12-04 10:01"))
	want(t, sweep("2026-12-04 15:30"), "closes@2026-12-04 America/New_York")
	want(t, sweep("2026-12-08 15:30"), "closes@2026-12-08 America/New_York", "closes@2026-12-08 Asia/Tokyo", "closes@2026-12-08 Europe/London",
		"closes@2026-12-08 Nowhere/Else")
}

// TestPlanAfterError: a round whose planning fails half-way is planned again.
func TestPlanAfterError(t *testing.T) {
	b, sweep, log := newPlanner(t)
	b.fail = errors.New("away")
	want(t, sweep("2026-12-04 10:00"), "closes@2026-12-04 Europe/London")
	want(t, sweep("2026-12-04 10:01"), "closes@2026-12-04 Europe/London")
	want(t, sweep("2026-12-04 10:02"))
	if !strings.Contains(log.String(), "cannot plan") {
		t.Error("the fault is not in the log")
	}
}

// TestPlanAfterOutage: a message that is too late is dropped, with a log line. The survey closes
// however late it is.
func TestPlanAfterOutage(t *testing.T) {
	b, sweep, log := newPlanner(t)
	want(t, sweep("2026-12-10 10:30"), "closes@2026-12-10 Europe/London")
	if n := strings.Count(log.String(), "reminder not queued: too late"); n != 2 || len(b.planned) != 3 {
		t.Errorf("%d log lines of what is too late; planned: %v", n, b.planned)
	}
	b.round.Workshop = survey.Workshop{}
	want(t, sweep("2027-02-28 03:00"), fmt.Sprint("close@", b.round.ClosesAt.Unix()))
	want(t, sweep("2027-02-28 03:01"))
}

// TestPlanChanged: a message that was due before the plan changed is not sent after it.
func TestPlanChanged(t *testing.T) {
	b, sweep, _ := newPlanner(t)
	b.round.Reminders.Hour, b.round.PlannedAt = 9, clockIn(t, "Europe/London", "2026-12-04 09:30")
	want(t, sweep("2026-12-04 10:00"))
	b.round.Reminders.Paused = true
	want(t, sweep("2026-12-08 10:00"))
	b.round.Reminders.Paused, b.round.PlannedAt = false, clockIn(t, "Europe/London", "2026-12-08 12:00")
	want(t, sweep("2026-12-08 12:01"))
	want(t, sweep("2026-12-10 09:00"), "closes@2026-12-10 Europe/London")
}

// TestClockStepsBack: nothing is planned twice when the clock is set back.
func TestClockStepsBack(t *testing.T) {
	_, sweep, _ := newPlanner(t)
	want(t, sweep("2026-12-04 10:00"), "closes@2026-12-04 Europe/London")
	want(t, sweep("2026-12-03 10:00"))
	want(t, sweep("2026-12-04 10:00"))
	want(t, sweep("2026-12-04 10:01"))
}

// TestPlanWhenDue: a round is planned when something in it is due, and once an hour.
func TestPlanWhenDue(t *testing.T) {
	b, sweep, _ := newPlanner(t)
	b.round.Reminders.Minute = 30
	at, end := clockIn(t, "Europe/London", "2026-12-03 09:00"), clockIn(t, "Europe/London", "2026-12-05 09:00")
	for ; at.Before(end); at = at.Add(time.Minute) {
		switch got := sweep(at.Format("2006-01-02 15:04")); {
		case at.Equal(clockIn(t, "Europe/London", "2026-12-04 10:30")):
			want(t, got, "closes@2026-12-04 Europe/London")
		case len(got) > 0:
			t.Errorf("%v: %v", at, got)
		}
	}
	if b.visits != 48+1 {
		t.Errorf("%d visits in 48 hours", b.visits)
	}
}

// TestPlanWithoutIndex: a round that the index does not list is planned within an hour.
func TestPlanWithoutIndex(t *testing.T) {
	b, sweep, _ := newPlanner(t)
	want(t, sweep("2026-12-04 09:59"))
	b.next = time.Time{}
	want(t, sweep("2026-12-04 10:00"))
	want(t, sweep("2026-12-04 10:59"), "closes@2026-12-04 Europe/London")
}

// TestPlanAfterPanic: after a panic the round is planned again a minute later, and the process goes
// on.
func TestPlanAfterPanic(t *testing.T) {
	b, sweep, log := newPlanner(t)
	b.panics = true
	want(t, sweep("2026-12-04 10:00"))
	if !strings.Contains(log.String(), "panic of string") {
		t.Error("the panic is not in the log")
	}
	b.panics = false
	want(t, sweep("2026-12-04 10:01"), "closes@2026-12-04 Europe/London")
}

// TestPlanWithoutAnonymising: a closed round whose roster cannot be anonymised is planned all the
// same. Its roster is anonymised by the next sweep.
func TestPlanWithoutAnonymising(t *testing.T) {
	b, sweep, log := newPlanner(t)
	b.round.State, b.anonymiseErr = survey.Closed, errors.New("away")
	b.round.Workshop.At = clockIn(t, "Europe/London", "2026-12-18 14:00")
	b.round.Posts = survey.ChannelPlan{}
	want(t, sweep("2026-12-17 10:00"), "eve@2026-12-17", "workshop@2026-12-17 Europe/London")
	want(t, sweep("2026-12-17 10:01"))
	if n := strings.Count(log.String(), "still holds roles"); n != 2 {
		t.Errorf("%d tries:\n%s", n, log)
	}
	b.anonymiseErr = nil
	sweep("2026-12-17 10:02")
	before := b.visits
	if sweep("2026-12-17 10:03"); b.visits != before {
		t.Error("visited again")
	}
}

// TestLoopPlans: a loop with a planner plans when it starts, and every minute.
func TestLoopPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := newPlanner(t)
		b.zones, b.now = nil, time.Now
		plans := 0
		p := reminders.NewPlanner(counting{b, &plans}, schedule, time.Now, quiet)
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		if err := reminders.NewLoop(queueOf(0), &deliverer{}, quiet).Planning(p).Run(ctx); err != nil {
			t.Error(err)
		}
		if plans != 3 {
			t.Errorf("planned %d times in two and a half minutes", plans)
		}
	})
}

type counting struct {
	*fakeRounds
	n *int
}

func (c counting) EachToPlan(ctx context.Context, visit func(survey.Round) (time.Time, error)) error {
	*c.n++
	return c.fakeRounds.EachToPlan(ctx, visit)
}

// TestNotYetMessageWaits: a message with a NotYetError waits that long, and is then sent once.
func TestNotYetMessageWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, began := queueOf(3), time.Now()
		var tried atomic.Int32
		m := &deliverer{fail: func(survey.Delivery) error {
			tried.Add(1)
			if wait := time.Hour - time.Since(began); wait > 0 {
				return &survey.NotYetError{Wait: wait}
			}
			return nil
		}}
		l := reminders.NewLoop(d, m, quiet)
		l.Sweep(t.Context())
		if len(m.got) != 0 || d.left() != 3 {
			t.Fatalf("%d sent, %d queued", len(m.got), d.left())
		}
		time.Sleep(58 * time.Minute)
		l.Sweep(t.Context())
		if len(m.got) != 0 || tried.Load() != 3 {
			t.Errorf("%d sent too early, %d tried", len(m.got), tried.Load())
		}
		time.Sleep(3 * time.Minute)
		l.Sweep(t.Context())
		m.wantOnce(t, 3)
	})
}
