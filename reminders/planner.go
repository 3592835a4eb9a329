package reminders

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"maturitybot/survey"
)

// RoundPlans keeps the rounds, and what has been planned of them; survey.System is one.
type RoundPlans interface {
	Each(ctx context.Context, visit func(survey.Round) error) error
	Planned(ctx context.Context, r survey.Round) (names map[string]bool, zones []string, err error)
	Plan(ctx context.Context, id survey.RoundID, kind survey.MessageKind) error
	MarkPlanned(ctx context.Context, id survey.RoundID, names ...string) error
	EachToPlan(ctx context.Context, visit func(survey.Round) (next time.Time, err error)) error
	PlanAll(ctx context.Context) error
	AnonymiseRoster(ctx context.Context, id survey.RoundID) error
	EnqueueReminders(ctx context.Context, r survey.Round, due map[string][]survey.Moment) (int, error)
}

// Planner looks what of each round has become due, and has it owed: a post once, a reminder to everybody in a time zone who is to get it.
// Nothing is owed before it is due, so that whatever is changed until then simply holds. Any number of processes may do this on the same
// store: what two of them do at once, or one has left half done, is done again and gives nobody anything twice.
type Planner struct {
	book  RoundPlans
	diary *Schedule
	now   func() time.Time
	log   *slog.Logger

	checked time.Time // when every round was last planned
}

// checkInterval is how often every round is planned, whether it is due or not. It bounds how late a message is planned when the
// index of what is due is wrong: after a failover of Redis, say, or when an older version runs beside this one.
const checkInterval = time.Hour

// NewPlanner makes a planner that goes by the clock given.
func NewPlanner(book RoundPlans, diary *Schedule, now func() time.Time, log *slog.Logger) *Planner {
	return &Planner{book: book, diary: diary, now: now, log: log}
}

// Sweep plans what has become due: of every round the first time and once an hour, else of those alone that are due or have changed.
// A round that cannot be planned does not keep the others from it, and is planned again by the next sweep.
func (p *Planner) Sweep(ctx context.Context) error {
	now := p.now()
	if since := now.Sub(p.checked); p.checked.IsZero() || since < 0 || since >= checkInterval {
		if err := p.book.PlanAll(ctx); err != nil {
			return fmt.Errorf("plan what is due: %w", err)
		}
		p.checked = now
	}
	err := p.book.EachToPlan(ctx, func(r survey.Round) (time.Time, error) {
		next, err := p.visit(ctx, r)
		if err != nil && ctx.Err() == nil {
			p.log.Error("cannot plan", "round", r.ID, "error", err)
		}
		return next, err
	})
	if err != nil {
		return fmt.Errorf("plan what is due: %w", err)
	}
	return nil
}

// visit is round, with a panic as an error.
func (p *Planner) visit(ctx context.Context, r survey.Round) (next time.Time, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			p.log.Error("panic", "fault", fmt.Sprintf("%T", fault), "stack", string(debug.Stack()))
			err = fmt.Errorf("plan a round: panic of %T", fault)
		}
	}()
	return p.round(ctx, r)
}

// round plans what is due of a round, and returns when something is next.
func (p *Planner) round(ctx context.Context, r survey.Round) (next time.Time, err error) {
	var unsealed error // does not keep the round from being planned
	if r.State == survey.Closed && !r.Anonymised {
		if err := p.book.AnonymiseRoster(ctx, r.ID); err != nil && !errors.Is(err, survey.ErrNoRound) {
			unsealed = fmt.Errorf("the roster of a closed survey still holds roles and times: %w", err)
		}
	}
	now := p.now()
	if !r.HasPlan(now) {
		return next, unsealed
	}
	planned, zones, err := p.book.Planned(ctx, r)
	if err != nil {
		return next, err
	}
	if err := p.posts(ctx, r, planned, now); err != nil {
		return next, err
	}
	if err := p.reminders(ctx, r, planned, zones, now); err != nil {
		return next, err
	}
	next, _ = p.diary.NextMoment(r, zones, now)
	return next, unsealed
}

func (p *Planner) posts(ctx context.Context, r survey.Round, planned map[string]bool, now time.Time) error {
	posts := slices.DeleteFunc(p.diary.Posts(r, now.Add(-lookback)), func(m survey.Moment) bool {
		return m.At.After(now) || past(r, m)
	})
	for _, m := range append(posts, p.diary.overdue(r, now)...) {
		if planned[string(m.Kind)] {
			continue
		}
		if _, ok := p.diary.SendWindow(r, survey.Member{}, m.Kind, now); !ok {
			p.log.Warn("too late for a post", "message", m.Kind, "round", r.ID, "due", m.At)
			if err := p.book.MarkPlanned(ctx, r.ID, string(m.Kind)); err != nil {
				return err
			}
			continue
		}
		if err := p.book.Plan(ctx, r.ID, m.Kind); err != nil {
			return err
		}
	}
	return nil
}

// past says whether a moment lies before the plan that it comes from: it was not to be then, and is not made up for.
func past(r survey.Round, m survey.Moment) bool { return !m.At.After(r.PlannedAt) }

func (p *Planner) reminders(ctx context.Context, r survey.Round, planned map[string]bool, zones []string, now time.Time) error {
	due := map[string][]survey.Moment{}
	var names []string
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			continue // a name from a newer list than this machine has: its people are reminded by nobody's clock but the round's
		}
		for _, m := range p.diary.Reminders(r, zone, now.Add(-lookback)) {
			key := string(m.Kind) + " " + name
			if m.At.After(now) || planned[key] || past(r, m) {
				continue
			}
			names = append(names, key)
			// A member who has finished, since for such a one nothing takes a workshop's place.
			if _, ok := p.diary.SendWindow(r, survey.Member{TimeZone: name, Status: survey.Finished}, m.Kind, now); !ok {
				p.log.Warn("too late for a reminder", "message", m.Kind, "round", r.ID, "due", m.At)
				continue
			}
			due[name] = append(due[name], m)
		}
	}
	if len(due) > 0 {
		n, err := p.book.EnqueueReminders(ctx, r, due)
		if err != nil {
			return err
		}
		p.log.Info("reminders planned", "round", r.ID, "people", n)
	}
	if len(names) == 0 {
		return nil
	}
	return p.book.MarkPlanned(ctx, r.ID, names...)
}

// Next is the earliest time at which something of any round may be due.
func (p *Planner) Next(ctx context.Context) (time.Time, bool, error) {
	now := p.now()
	var next time.Time
	err := p.book.Each(ctx, func(r survey.Round) error {
		_, zones, err := p.book.Planned(ctx, r)
		if err != nil {
			return err
		}
		if at, ok := p.diary.Next(r, zones, now); ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
		return nil
	})
	return next, !next.IsZero(), err
}
