package reminders

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"maturitybot/survey"
)

// RoundPlans keeps the rounds, and what was planned in them; survey.System is one.
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

// Planner queues what has become due in each round: a post once, and a reminder for each person of
// a time zone who wants it. Nothing is queued before it is due, so that a change of the plan counts
// until then. Any number of processes may plan on one store: nothing is queued twice, also if two
// of them plan at once or one ends half-way.
type Planner struct {
	rounds   RoundPlans
	schedule *Schedule
	now      func() time.Time
	log      *slog.Logger

	checked time.Time // when every round was last planned
}

// checkInterval is how often every round is planned, due or not. It bounds how late a message is
// planned when the index of what is due is wrong: after a failover of Redis, or when an older
// version of the bot runs beside this one.
const checkInterval = time.Hour

// NewPlanner returns a planner. The function now returns the current time.
func NewPlanner(
	rounds RoundPlans, schedule *Schedule, now func() time.Time, log *slog.Logger,
) *Planner {
	return &Planner{rounds: rounds, schedule: schedule, now: now, log: log}
}

// Sweep plans what has become due: in every round the first time and once an hour, and otherwise in
// the rounds that are due or have changed. A round that cannot be planned does not stop the others.
// The next sweep plans it again.
func (p *Planner) Sweep(ctx context.Context) error {
	now := p.now()
	if since := now.Sub(p.checked); p.checked.IsZero() || since < 0 || since >= checkInterval {
		if err := p.rounds.PlanAll(ctx); err != nil {
			return fmt.Errorf("plan what is due: %w", err)
		}
		p.checked = now
	}
	err := p.rounds.EachToPlan(ctx, func(r survey.Round) (time.Time, error) {
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

// visit calls round, and turns a panic into an error.
func (p *Planner) visit(ctx context.Context, r survey.Round) (next time.Time, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = panicError(p.log, "plan a round", fault)
		}
	}()
	return p.round(ctx, r)
}

// round plans what is due in a round, and returns the next time at which something is due.
func (p *Planner) round(ctx context.Context, r survey.Round) (next time.Time, err error) {
	var notAnonymised error // the round is planned all the same
	if r.State == survey.Closed && !r.Anonymised {
		if err := p.rounds.AnonymiseRoster(ctx, r.ID); err != nil && !errors.Is(err, survey.ErrNoRound) {
			notAnonymised = fmt.Errorf(
				"the roster of a closed survey still holds roles and times: %w", err,
			)
		}
	}
	now := p.now()
	if !r.HasPlan(now) {
		return next, notAnonymised
	}
	planned, zones, err := p.rounds.Planned(ctx, r)
	if err != nil {
		return next, err
	}
	if err := p.posts(ctx, r, planned, now); err != nil {
		return next, err
	}
	if err := p.reminders(ctx, r, planned, zones, now); err != nil {
		return next, err
	}
	next, _ = p.schedule.NextMoment(r, zones, now)
	return next, notAnonymised
}

// posts queues the posts to the channel that are due and were not planned before.
func (p *Planner) posts(
	ctx context.Context, r survey.Round, planned map[string]bool, now time.Time,
) error {
	posts := slices.DeleteFunc(p.schedule.Posts(r, now.Add(-lookback)), func(m survey.Moment) bool {
		return m.At.After(now) || past(r, m)
	})
	for _, m := range append(posts, p.schedule.overdue(r, now)...) {
		if planned[string(m.Kind)] {
			continue
		}
		if _, ok := p.schedule.SendWindow(r, survey.Member{}, m.Kind, now); !ok {
			p.log.Warn("post not queued: too late", "message", m.Kind, "round", r.ID, "due", m.At)
			if err := p.rounds.MarkPlanned(ctx, r.ID, string(m.Kind)); err != nil {
				return err
			}
			continue
		}
		if err := p.rounds.Plan(ctx, r.ID, m.Kind); err != nil {
			return err
		}
	}
	return nil
}

// past reports whether a moment is not after the last change of its plan. Such a message is not
// sent.
func past(r survey.Round, m survey.Moment) bool { return !m.At.After(r.PlannedAt) }

// reminders queues the reminders that are due in each zone and were not planned before.
func (p *Planner) reminders(
	ctx context.Context, r survey.Round, planned map[string]bool, zones []string, now time.Time,
) error {
	due := map[string][]survey.Moment{}
	var names []string
	for _, name := range zones {
		zone := r.ZoneOf(survey.Member{TimeZone: name})
		for _, m := range p.schedule.Reminders(r, zone, now.Add(-lookback)) {
			key := string(m.Kind) + " " + name
			if m.At.After(now) || planned[key] || past(r, m) {
				continue
			}
			names = append(names, key)
			// For a member who has finished, no reminder of the close replaces that of the workshop.
			finished := survey.Member{TimeZone: name, Status: survey.Finished}
			if _, ok := p.schedule.SendWindow(r, finished, m.Kind, now); !ok {
				p.log.Warn("reminder not queued: too late", "message", m.Kind, "round", r.ID, "due", m.At)
				continue
			}
			due[name] = append(due[name], m)
		}
	}
	if len(due) > 0 {
		n, err := p.rounds.EnqueueReminders(ctx, r, due)
		if err != nil {
			return err
		}
		p.log.Info("reminders planned", "round", r.ID, "people", n)
	}
	if len(names) == 0 {
		return nil
	}
	return p.rounds.MarkPlanned(ctx, r.ID, names...)
}

// Next returns the earliest time at which anything may be due in any round, or false for never.
func (p *Planner) Next(ctx context.Context) (time.Time, bool, error) {
	now := p.now()
	var next time.Time
	err := p.rounds.Each(ctx, func(r survey.Round) error {
		_, zones, err := p.rounds.Planned(ctx, r)
		if err != nil {
			return err
		}
		if at, ok := p.schedule.Next(r, zones, now); ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
		return nil
	})
	return next, !next.IsZero(), err
}
