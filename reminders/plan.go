package reminders

import (
	"slices"
	"time"

	"maturitybot/survey"
)

// Limits of a plan.
const (
	MaxLead  = 60 // days before the survey closes or the workshop begins
	MaxLeads = 10 // of each of the two
)

// Plan is when a round's people are reminded. It is kept with the round.
type Plan = survey.ReminderPlan

// DefaultPlan is 7, 3 and 1 days before the survey closes and 7 and 1 days before the workshop, at 10:00.
func DefaultPlan() Plan { return survey.DefaultReminders() }

// CheckPlan says why a plan cannot stand, as a *survey.InputError (fields before_close and before_workshop, for the reasons
// "range" and "crowd"; field hour, for the reasons "range" and "night") or a *SpecError.
func CheckPlan(p Plan) error {
	for _, l := range []struct {
		field string
		days  []int
	}{{"before_close", p.BeforeClose}, {"before_workshop", p.BeforeWorkshop}} {
		if len(l.days) > MaxLeads {
			//locale:says input.before_close.crowd input.before_workshop.crowd
			return &survey.InputError{Field: l.field, Reason: "crowd", Limit: MaxLeads}
		}
		if slices.ContainsFunc(l.days, func(n int) bool { return n < 0 || n > MaxLead }) {
			//locale:says input.before_close.range input.before_workshop.range
			return &survey.InputError{Field: l.field, Reason: "range", Limit: MaxLead}
		}
	}
	switch {
	case p.Hour < 0 || p.Hour > 23 || p.Minute < 0 || p.Minute > 59:
		return &survey.InputError{Field: "hour", Reason: "range"}
	case !waking(p.Hour, p.Minute):
		return &survey.InputError{Field: "hour", Reason: "night"}
	}
	if p.Cron != "" {
		if _, err := ParseSpec(p.Cron); err != nil {
			return err
		}
	}
	return nil
}

// Times is what a plan needs of a round. A zero Opened bounds nothing; a zero Closes or Workshop has no reminders.
type Times struct {
	Opened   time.Time
	Closes   time.Time
	Workshop time.Time
	Zone     *time.Location // the round's; UTC when nil
}

func (t Times) zone() *time.Location {
	if t.Zone == nil {
		return time.UTC
	}
	return t.Zone
}

// Kind is what a moment is for.
type Kind = survey.MessageKind

// The kinds.
const (
	Closes   Kind = survey.ClosesSoon   // remind a person that the survey closes
	Workshop Kind = survey.WorkshopSoon // remind a person of the workshop
	Digest   Kind = survey.Digest       // post a digest in the coordinator's channel
)

// Moment is one time at which something is due.
type Moment struct {
	At   time.Time // in the time zone it was planned for
	Kind Kind
	// Key is the kind and the local date, as "closes@2026-12-04": the same however often and for whatever reason the day
	// is planned again, so that who was reminded under it is not reminded twice.
	Key string
	// Meant is the day it would have been but for weekends and bank holidays: the day of At, or a later one.
	Meant Date
}

func moment(kind Kind, at time.Time, meant Date) Moment {
	return Moment{At: at, Kind: kind, Key: string(kind) + "@" + DateOf(at).String(), Meant: meant}
}

// Moments is when a person in the place is due to be reminded after now, earliest first; of two kinds at one time, that
// the survey closes comes first. People who share a place share its moments, so one call serves a time zone.
// A nil place is the round's own zone. A plan that is paused, or that CheckPlan refuses, has none.
//
// The days are counted in the round's zone, from the day on which the survey closes or the workshop is there, and are
// the same dates for everybody: each person is reminded on that date at the plan's time of their own clock. Who lives
// east of the round is so reminded up to a day before it, who lives west up to a day after, each on the date the
// coordinator was shown; at the far side of the date line the survey may then close on another date than the
// coordinator's.
//
// A moment is always after the opening and before what it reminds of, on a working day, in waking hours. Where the
// date, or the time on it, does not allow that, it moves to the nearest earlier working day, and when that is past, or
// before the opening, it is dropped. What then falls on one day is one moment of its kind. What a cron expression has
// after the close is no part of the round, and is not moved before it.
func Moments(p Plan, t Times, place *time.Location, cal *Calendar, now time.Time) []Moment {
	if p.Paused || CheckPlan(p) != nil {
		return nil
	}
	if place == nil {
		place = t.zone()
	}
	after := now
	if t.Opened.After(after) {
		after = t.Opened
	}
	var all []Moment
	if !t.Closes.IsZero() {
		hour, minute, days := p.Hour, p.Minute, before(t.Closes.In(t.zone()), p.BeforeClose)
		if s, err := ParseSpec(p.Cron); err == nil {
			hour, minute, days = s.Hour, s.Minute, s.within(after, t)
		}
		all = fit(all, Closes, days, hour, minute, place, cal, after, t.Closes)
	}
	if !t.Workshop.IsZero() {
		all = fit(all, Workshop, before(t.Workshop.In(t.zone()), p.BeforeWorkshop), p.Hour, p.Minute, place, cal, after, t.Workshop)
	}
	slices.SortStableFunc(all, func(a, b Moment) int { return a.At.Compare(b.At) })
	return all
}

// farthest is how many days earlier a moment is looked for: far more than any row of days off.
const farthest = 31

// fit puts one kind of moments on the clock of the place; days are in order. It appends to all.
func fit(all []Moment, kind Kind, days []Date, hour, minute int, place *time.Location, cal *Calendar, after, end time.Time) []Moment {
	var last Date
	for _, meant := range days {
		for d := meant; d.after(meant.AddDays(-farthest)); d = d.AddDays(-1) {
			if !cal.WorkingDay(d) {
				continue
			}
			at, ok := d.at(hour, minute, place)
			if !ok || !at.Before(end) {
				continue
			}
			// Days in order stay in order when they move, so a day met before is the last one.
			if at.After(after) && d != last {
				all = append(all, moment(kind, at, meant))
				last = d
			}
			break
		}
	}
	return all
}

// before is the days that lie so many days before the day of end, in order.
func before(end time.Time, leads []int) []Date {
	days := make([]Date, len(leads))
	for i, n := range leads {
		days[i] = DateOf(end).AddDays(-n)
	}
	slices.SortFunc(days, Date.compare)
	return days
}

// longest is how long before the close a schedule is looked at, so that a round of no known opening, asked about at no
// known time, does not have it counted out from the year 1. It is twice as long as a survey may be open.
const longest = 2 * survey.MaxOpen

// within is the schedule's days while the round is open, by the round's clock. It starts the day before after, since
// what is past for the round may be ahead for somebody up to 26 hours west of it; they have then the day before.
func (s Cron) within(after time.Time, t Times) []Date {
	var days []Date
	from := DateOf(after.In(t.zone())).AddDays(-1)
	if earliest := DateOf(t.Closes.Add(-longest)); earliest.after(from) {
		from = earliest
	}
	for d, ok := s.next(from); ok; d, ok = s.next(d.AddDays(1)) {
		if at, exists := d.at(s.Hour, s.Minute, t.zone()); exists && !at.Before(t.Closes) {
			break
		}
		days = append(days, d)
	}
	return days
}

// Tomorrow is when somebody in the place who asks at now to be reminded tomorrow is: on their next working day after
// today, at the plan's time, if that is before the survey closes. Its key is that of any other reminder of that day, so
// the two are one. A pause of the plan does not stop what a person asked for.
func Tomorrow(p Plan, t Times, place *time.Location, cal *Calendar, now time.Time) (Moment, bool) {
	if CheckPlan(p) != nil {
		return Moment{}, false
	}
	if place == nil {
		place = t.zone()
	}
	hour, minute := p.Hour, p.Minute
	if s, err := ParseSpec(p.Cron); err == nil {
		hour, minute = s.Hour, s.Minute
	}
	today := DateOf(now.In(place))
	for d := today.AddDays(1); !d.after(today.AddDays(farthest)); d = d.AddDays(1) {
		if !cal.WorkingDay(d) {
			continue
		}
		if at, ok := d.at(hour, minute, place); ok {
			return moment(Closes, at, d), at.Before(t.Closes)
		}
	}
	return Moment{}, false
}

// Digests is when the coordinator's channel gets its digest after now, while the survey is open, by the round's clock. A
// day of the schedule that is a bank holiday has none: the next digest says the same and more.
func Digests(s Cron, t Times, cal *Calendar, now time.Time) []Moment {
	after := now
	if t.Opened.After(after) {
		after = t.Opened
	}
	var all []Moment
	for _, d := range s.within(after, t) {
		at, ok := d.at(s.Hour, s.Minute, t.zone())
		if ok && at.After(after) && !cal.Holiday(d) {
			all = append(all, moment(Digest, at, d))
		}
	}
	return all
}
