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

// book is one round, and what was planned of it.
type book struct {
	round   survey.Round
	zones   []string
	planned map[string]bool
	done    []string // what was planned and owed, in order
	fail    error    // of the next owing

	now    func() time.Time
	next   time.Time // when the round is next visited
	visits int
	seals  error // of sealing
	panics bool
}

func (b *book) AnonymiseRoster(context.Context, survey.RoundID) error { return b.seals }

func (b *book) PlanAll(context.Context) error {
	b.next = time.Unix(0, 0)
	return nil
}

func (b *book) EachToPlan(_ context.Context, visit func(survey.Round) (time.Time, error)) error {
	if b.next.IsZero() || b.next.After(b.now()) {
		return nil
	}
	b.visits++
	if next, err := visit(b.round); err == nil {
		b.next = next
	}
	return nil
}

func (b *book) Each(_ context.Context, visit func(survey.Round) error) error { return visit(b.round) }

func (b *book) Planned(context.Context, survey.Round) (map[string]bool, []string, error) {
	if b.panics {
		panic("a bug")
	}
	return b.planned, b.zones, nil
}

func (b *book) Plan(_ context.Context, _ survey.RoundID, kind survey.MessageKind) error {
	if !b.planned[string(kind)] {
		b.done = append(b.done, string(kind))
	}
	b.planned[string(kind)] = true
	return nil
}

func (b *book) MarkPlanned(_ context.Context, _ survey.RoundID, names ...string) error {
	for _, n := range names {
		b.planned[n] = true
	}
	return nil
}

func (b *book) EnqueueReminders(_ context.Context, _ survey.Round, due map[string][]survey.Moment) (int, error) {
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

// planning is a planner on the book with a clock to turn.
func planning(t *testing.T) (b *book, sweep func(now string) []string, log *bytes.Buffer) {
	b, log = &book{round: round(t), zones: []string{"Europe/London"}, planned: map[string]bool{}}, &bytes.Buffer{}
	b.round.Posts = survey.ChannelPlan{Disabled: []survey.MessageKind{survey.LastDay, survey.WorkshopEve}}
	var now time.Time
	b.now = func() time.Time { return now }
	p := reminders.NewPlanner(b, diary, b.now, slog.New(slog.NewTextHandler(log, nil)))
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

// Each time zone has its reminder when it is due there, once. People in a zone that this machine
// does not know are reminded by the round's clock.
func TestPlanByZone(t *testing.T) {
	b, sweep, _ := planning(t)
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

// What fails half-way is done again.
func TestPlanAgainAfterAFault(t *testing.T) {
	b, sweep, log := planning(t)
	b.fail = errors.New("away")
	want(t, sweep("2026-12-04 10:00"), "closes@2026-12-04 Europe/London")
	want(t, sweep("2026-12-04 10:01"), "closes@2026-12-04 Europe/London")
	want(t, sweep("2026-12-04 10:02"))
	if !strings.Contains(log.String(), "cannot plan") {
		t.Error("the fault is not in the log")
	}
}

// What is too old is dropped, with a line in the log; the survey closes however late it is.
func TestPlanAfterAnOutage(t *testing.T) {
	b, sweep, log := planning(t)
	want(t, sweep("2026-12-10 10:30"), "closes@2026-12-10 Europe/London")
	if n := strings.Count(log.String(), "too late for a reminder"); n != 2 || len(b.planned) != 3 {
		t.Errorf("%d are told of as too late; planned: %v", n, b.planned)
	}
	b.round.Workshop = survey.Workshop{}
	want(t, sweep("2027-02-28 03:00"), fmt.Sprint("close@", b.round.ClosesAt.Unix()))
	want(t, sweep("2027-02-28 03:01"))
}

// What was due before the plan was changed is not sent after it.
func TestPlanChanged(t *testing.T) {
	b, sweep, _ := planning(t)
	b.round.Reminders.Hour, b.round.PlannedAt = 9, clockIn(t, "Europe/London", "2026-12-04 09:30")
	want(t, sweep("2026-12-04 10:00"))
	b.round.Reminders.Paused = true
	want(t, sweep("2026-12-08 10:00"))
	b.round.Reminders.Paused, b.round.PlannedAt = false, clockIn(t, "Europe/London", "2026-12-08 12:00")
	want(t, sweep("2026-12-08 12:01"))
	want(t, sweep("2026-12-10 09:00"), "closes@2026-12-10 Europe/London")
}

// A clock that steps back and forth has nothing planned twice.
func TestPlanWithAClockThatSteps(t *testing.T) {
	_, sweep, _ := planning(t)
	want(t, sweep("2026-12-04 10:00"), "closes@2026-12-04 Europe/London")
	want(t, sweep("2026-12-03 10:00"))
	want(t, sweep("2026-12-04 10:00"))
	want(t, sweep("2026-12-04 10:01"))
}

// TestPlanWhatIsDue: a round is planned when something of it is due, and else once an hour.
func TestPlanWhatIsDue(t *testing.T) {
	b, sweep, _ := planning(t)
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

// TestPlanWithoutAnIndex: what the index does not list is planned within the hour.
func TestPlanWithoutAnIndex(t *testing.T) {
	b, sweep, _ := planning(t)
	want(t, sweep("2026-12-04 09:59"))
	b.next = time.Time{}
	want(t, sweep("2026-12-04 10:00"))
	want(t, sweep("2026-12-04 10:59"), "closes@2026-12-04 Europe/London")
}

// TestPlanAfterAPanic: a round whose planning panics is planned again a minute later, and the
// process goes on.
func TestPlanAfterAPanic(t *testing.T) {
	b, sweep, log := planning(t)
	b.panics = true
	want(t, sweep("2026-12-04 10:00"))
	if !strings.Contains(log.String(), "panic of string") {
		t.Error("the panic is not in the log")
	}
	b.panics = false
	want(t, sweep("2026-12-04 10:01"), "closes@2026-12-04 Europe/London")
}

// TestUnsealedRoundIsPlanned: a closed round that cannot be sealed is planned all the same, and
// sealed at the next sweep.
func TestUnsealedRoundIsPlanned(t *testing.T) {
	b, sweep, log := planning(t)
	b.round.State, b.seals = survey.Closed, errors.New("away")
	b.round.Workshop.At = clockIn(t, "Europe/London", "2026-12-18 14:00")
	b.round.Posts = survey.ChannelPlan{}
	want(t, sweep("2026-12-17 10:00"), "eve@2026-12-17", "workshop@2026-12-17 Europe/London")
	want(t, sweep("2026-12-17 10:01"))
	if n := strings.Count(log.String(), "still holds roles"); n != 2 {
		t.Errorf("%d tries:\n%s", n, log)
	}
	b.seals = nil
	sweep("2026-12-17 10:02")
	before := b.visits
	if sweep("2026-12-17 10:03"); b.visits != before {
		t.Error("visited again")
	}
}

// A loop that plans does so when it starts, and every minute.
func TestLoopPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := planning(t)
		b.zones, b.now = nil, time.Now
		plans := 0
		p := reminders.NewPlanner(counting{b, &plans}, diary, time.Now, quiet)
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		if err := reminders.NewLoop(owing(0), &messenger{}, quiet).Planning(p).Run(ctx); err != nil {
			t.Error(err)
		}
		if plans != 3 {
			t.Errorf("planned %d times in two and a half minutes", plans)
		}
	})
}

type counting struct {
	*book
	n *int
}

func (c counting) EachToPlan(ctx context.Context, visit func(survey.Round) (time.Time, error)) error {
	*c.n++
	return c.book.EachToPlan(ctx, visit)
}

// A message that is to wait waits that long, and is then sent once.
func TestMessageWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, began := owing(3), time.Now()
		var tried atomic.Int32
		m := &messenger{fail: func(survey.Delivery) error {
			tried.Add(1)
			if wait := time.Hour - time.Since(began); wait > 0 {
				return &survey.NotYetError{Wait: wait}
			}
			return nil
		}}
		l := reminders.NewLoop(d, m, quiet)
		l.Sweep(t.Context())
		if len(m.got) != 0 || d.left() != 3 {
			t.Fatalf("%d sent, %d owed", len(m.got), d.left())
		}
		time.Sleep(58 * time.Minute)
		l.Sweep(t.Context())
		if len(m.got) != 0 || tried.Load() != 3 {
			t.Errorf("%d sent too early, %d tried", len(m.got), tried.Load())
		}
		time.Sleep(3 * time.Minute)
		l.Sweep(t.Context())
		m.once(t, 3)
	})
}
