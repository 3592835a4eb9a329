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
}

func (b *book) SealClosed(context.Context) error { return nil }

func (b *book) Each(_ context.Context, visit func(survey.Round) error) error { return visit(b.round) }

func (b *book) Planned(context.Context, survey.Round) (map[string]bool, []string, error) {
	return b.planned, b.zones, nil
}

func (b *book) Plan(_ context.Context, _ survey.RoundID, kind survey.MessageKind) error {
	if !b.planned[string(kind)] {
		b.done = append(b.done, string(kind))
	}
	b.planned[string(kind)] = true
	return nil
}

func (b *book) Note(_ context.Context, _ survey.RoundID, names ...string) error {
	for _, n := range names {
		b.planned[n] = true
	}
	return nil
}

func (b *book) OweReminders(_ context.Context, _ survey.Round, due map[string][]survey.Moment) (int, error) {
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
	b.round.Posts = survey.ChannelPlan{Off: []survey.MessageKind{survey.LastDay, survey.WorkshopEve}}
	var now time.Time
	p := reminders.NewPlanner(b, diary, func() time.Time { return now }, slog.New(slog.NewTextHandler(log, nil)))
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

// Each time zone has its reminder when it is due there, once.
func TestPlanByZone(t *testing.T) {
	b, sweep, _ := planning(t)
	b.zones = append(b.zones, "America/New_York", "Asia/Tokyo", "Nowhere/Else")
	want(t, sweep("2026-12-04 00:59"))
	want(t, sweep("2026-12-04 01:00"), "closes@2026-12-04 Asia/Tokyo")
	want(t, sweep("2026-12-04 09:59"))
	want(t, sweep("2026-12-04 10:00"), "closes@2026-12-04 Europe/London")
	want(t, sweep("2026-12-04 10:01"))
	want(t, sweep("2026-12-04 15:30"), "closes@2026-12-04 America/New_York")
	want(t, sweep("2026-12-08 15:30"), "closes@2026-12-08 America/New_York", "closes@2026-12-08 Asia/Tokyo", "closes@2026-12-08 Europe/London")
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

// A loop that plans does so when it starts, and every minute.
func TestLoopPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := planning(t)
		b.zones = nil
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

func (c counting) Each(ctx context.Context, visit func(survey.Round) error) error {
	*c.n++
	return c.book.Each(ctx, visit)
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
