package reminders

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"maturitybot/survey"
)

// Schedule says what of a round is sent when: the plan that is kept with the round, on the clocks of its people. It keeps nothing.
type Schedule struct{ calendar *Calendar }

// NewSchedule goes by the calendar.
func NewSchedule(c *Calendar) *Schedule { return &Schedule{c} }

// Check says why a plan, or what the channel is to get, cannot stand, as a *survey.InputError. Of a cron expression the field is spec or
// digest, and the reason one of Reasons, or for one of five fields that cannot be read "malformed_" and its name.
func (d *Schedule) Check(p survey.ReminderPlan, c survey.ChannelPlan) error {
	var spec *SpecError
	if err := CheckPlan(p); errors.As(err, &spec) {
		return spec.input("spec")
	} else if err != nil {
		return err
	}
	if c.Digest != "" {
		if _, err := ParseDigest(c.Digest); errors.As(err, &spec) {
			return spec.input("digest")
		} else if err != nil {
			return err
		}
	}
	return nil
}

// input returns the error of a form's field.
//
//locale:says input.digest.interval input.digest.malformed input.digest.malformed_day
//locale:says input.digest.malformed_hour input.digest.malformed_minute
//locale:says input.digest.malformed_month input.digest.malformed_weekday input.digest.never
//locale:says input.digest.night input.digest.time_zone input.digest.too_often
//locale:says input.spec.interval input.spec.malformed input.spec.malformed_day
//locale:says input.spec.malformed_hour input.spec.malformed_minute input.spec.malformed_month
//locale:says input.spec.malformed_weekday input.spec.never input.spec.night
//locale:says input.spec.time_zone input.spec.too_often input.spec.weekend
func (e *SpecError) input(field string) error {
	reason := string(e.Reason)
	if e.Reason == Malformed && e.Field != "" {
		reason += "_" + e.Field
	}
	return &survey.InputError{Field: field, Reason: reason}
}

// postHour is when the channel is told that something is tomorrow.
const postHour = 10

// times is what the plan needs of a round. A survey that is closed closes no more.
func times(r survey.Round) Times {
	t := Times{Opened: r.OpenedAt, Closes: r.ClosesAt, Workshop: r.Workshop.At, Zone: r.Location()}
	if r.State == survey.Closed {
		t.Closes = time.Time{}
	}
	return t
}

// Reminders is when people of the zone are reminded after now, earliest first.
func (d *Schedule) Reminders(r survey.Round, zone *time.Location, now time.Time) []survey.Moment {
	var all []survey.Moment
	for _, m := range Moments(r.Reminders, times(r), zone, d.calendar, now) {
		all = append(all, survey.Moment{Kind: survey.MessageKind(m.Key), At: m.At})
	}
	return all
}

// Posts is when the coordinator's channel gets something after now, earliest first. The last of an open survey is its closing.
func (d *Schedule) Posts(r survey.Round, now time.Time) []survey.Moment {
	t := times(r)
	after := now
	if r.OpenedAt.After(after) {
		after = r.OpenedAt
	}
	var found []Moment
	eve := func(kind Kind, of time.Time) {
		if !of.IsZero() && r.Posts.Enabled(kind) {
			found = fit(found, kind, before(of.In(t.zone()), []int{1}), postHour, 0, t.zone(), d.calendar, after, of)
		}
	}
	eve(survey.LastDay, t.Closes)
	eve(survey.WorkshopEve, t.Workshop)
	if s, err := ParseDigest(r.Posts.Digest); err == nil && r.Posts.Enabled(survey.Digest) && !t.Closes.IsZero() {
		found = append(found, Digests(s, t, d.calendar, now)...)
	}
	var all []survey.Moment
	for _, m := range found {
		all = append(all, survey.Moment{Kind: survey.MessageKind(m.Key), At: m.At})
	}
	if t.Closes.After(after) {
		all = append(all, closing(r))
	}
	slices.SortStableFunc(all, func(a, b survey.Moment) int { return a.At.Compare(b.At) })
	return all
}

// closing is when a survey closes by itself. It carries the time, so that one that is moved is another.
func closing(r survey.Round) survey.Moment {
	return survey.Moment{Kind: survey.Closing.On(strconv.FormatInt(r.ClosesAt.Unix(), 10)), At: r.ClosesAt}
}

// Tomorrow is when somebody who asks now to be reminded tomorrow is, and whether the survey is still open then.
func (d *Schedule) Tomorrow(r survey.Round, m survey.Member, now time.Time) (survey.Moment, bool) {
	plan := r.Reminders
	if CheckPlan(plan) != nil {
		plan = DefaultPlan() // a round that reminds nobody of itself
	}
	found, ok := Tomorrow(plan, times(r), r.ZoneOf(m), d.calendar, now)
	return survey.Moment{Kind: survey.MessageKind(found.Key), At: found.At}, ok
}

// SendWindow says when a message that is due may be sent: at now, or later where it is night, a weekend or a bank holiday for its person.
// It is false for one that is no part of the round's plan any more, that another has taken the place of, or that is too late: a
// reminder is sent until the evening of the working day after the day it was due, a digest until the evening of its day, and nothing
// after what it tells of. An invitation, and what follows a closing, is sent at any time.
func (d *Schedule) SendWindow(r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time) (time.Time, bool) {
	base, date := kind.Split()
	zone, end := r.ZoneOf(m), r.ClosesAt
	var last time.Time
	switch base {
	case survey.Nudge:
		last = end
	case survey.ClosesSoon, survey.WorkshopSoon:
		day, ok := parseDate(date)
		if !ok || !d.stands(r, m, zone, kind, now) {
			return time.Time{}, false
		}
		if base == survey.WorkshopSoon {
			end = r.Workshop.At
		}
		last = d.nextEvening(day, zone)
	case survey.Digest, survey.LastDay, survey.WorkshopEve:
		zone = r.Location()
		day, ok := parseDate(date)
		if !ok || !slices.ContainsFunc(d.Posts(r, now.Add(-back)), func(m survey.Moment) bool { return m.Kind == kind }) {
			return time.Time{}, false
		}
		if base == survey.WorkshopEve {
			end = r.Workshop.At
		}
		if last = end; base == survey.Digest {
			last = evening(day, zone)
		}
	case survey.OpenCall:
		last = end
	default:
		return now, true
	}
	at := d.allowed(now.In(zone))
	if base == survey.Digest && waking(now.In(zone).Hour(), now.In(zone).Minute()) {
		at = now // the channel chose its days, which may be weekends
	}
	return at, at.Before(end) && !at.After(last)
}

// FirstDue is when a message of that kind was first to be sent, or false where that is not known: of what is due as soon as somebody asks
// for it, and of what is no part of the plan any more.
func (d *Schedule) FirstDue(r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time) (time.Time, bool) {
	base, date := kind.Split()
	zone := r.ZoneOf(m)
	var plan []survey.Moment
	switch base {
	case survey.Opened:
		return r.OpenedAt, !r.OpenedAt.IsZero()
	case survey.ResultsPost, survey.TablePost:
		return r.ClosedAt, !r.ClosedAt.IsZero()
	case survey.Closing:
		seconds, err := strconv.ParseInt(date, 10, 64)
		return time.Unix(seconds, 0), err == nil
	case survey.Nudge:
		return d.allowed(r.RemindedAt.In(zone)), !r.RemindedAt.IsZero()
	case survey.ClosesSoon, survey.WorkshopSoon:
		plan = d.Reminders(r, zone, now.Add(-back))
		if day, ok := parseDate(date); ok && m.RemindOnDate == date {
			if own, ok := d.Tomorrow(r, m, time.Date(day.Year, day.Month, day.Day-1, 0, 0, 0, 0, zone)); ok {
				plan = append(plan, own)
			}
		}
	case survey.Digest, survey.LastDay, survey.WorkshopEve:
		plan = d.Posts(r, now.Add(-back))
	}
	for _, p := range plan {
		if p.Kind == kind {
			return p.At, true
		}
	}
	return time.Time{}, false
}

// back is how long ago something may have been due that is still looked at: longer than anything is sent late.
const back = 14 * 24 * time.Hour

// stands says whether a reminder is still in the plan, or was asked for by its person, and is the latest of its kind that is due.
func (d *Schedule) stands(r survey.Round, m survey.Member, zone *time.Location, kind survey.MessageKind, now time.Time) bool {
	base, date := kind.Split()
	in, later := false, false
	for _, p := range d.Reminders(r, zone, now.Add(-back)) {
		b, on := p.Kind.Split()
		in = in || p.Kind == kind
		later = later || b == base && on > date && !p.At.After(now)
		// Who has not finished is told once a day, of what comes first.
		if base == survey.WorkshopSoon && m.Status != survey.Finished && b == survey.ClosesSoon && on == date {
			return false
		}
	}
	if base == survey.ClosesSoon && m.RemindOnDate != "" {
		in = in || m.RemindOnDate == date
		later = later || m.RemindOnDate > date && m.RemindOnDate <= DateOf(now.In(zone)).String()
	}
	return in && !later
}

// evening is the last minute of the day at which somebody may be written to.
func evening(d Date, zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, lastMinute/60, lastMinute%60, 0, 0, zone)
}

// nextEvening is that of the working day after d.
func (d *Schedule) nextEvening(day Date, zone *time.Location) time.Time {
	for range farthest {
		if day = day.AddDays(1); d.calendar.WorkingDay(day) {
			break
		}
	}
	return evening(day, zone)
}

// allowed is t, or the first time after it at which somebody may be written to, by t's own clock.
func (d *Schedule) allowed(t time.Time) time.Time {
	for range farthest {
		if d.calendar.Allows(t) {
			return t
		}
		day := DateOf(t)
		if morning := time.Date(day.Year, day.Month, day.Day, firstMinute/60, firstMinute%60, 0, 0, t.Location()); t.Before(morning) && d.calendar.WorkingDay(day) {
			return morning
		}
		day = day.AddDays(1)
		t = time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, t.Location())
	}
	return t
}

// NextMoment is the earliest time after now at which a post or a reminder of the round is due. It is false when there is none.
func (d *Schedule) NextMoment(r survey.Round, zones []string, now time.Time) (next time.Time, ok bool) {
	take := func(all []survey.Moment) { // they are in order
		if len(all) > 0 && (next.IsZero() || all[0].At.Before(next)) {
			next = all[0].At
		}
	}
	take(d.Posts(r, now))
	for _, name := range zones {
		if zone, err := time.LoadLocation(name); err == nil {
			take(d.Reminders(r, zone, now))
		}
	}
	return next, !next.IsZero()
}

// Next is NextMoment, or an earlier time at which something may be sent again: for whoever can skip the time in between.
func (d *Schedule) Next(r survey.Round, zones []string, now time.Time) (time.Time, bool) {
	next, _ := d.NextMoment(r, zones, now)
	take := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			continue
		}
		hour, minute := r.Reminders.Hour, r.Reminders.Minute
		if s, err := ParseSpec(r.Reminders.Cron); err == nil {
			hour, minute = s.Hour, s.Minute
		}
		today := DateOf(now.In(zone))
		for _, day := range []Date{today, today.AddDays(1)} {
			take(time.Date(day.Year, day.Month, day.Day, firstMinute/60, firstMinute%60, 0, 0, zone)) // what waits for the morning
			if at, ok := day.at(hour, minute, zone); ok {
				take(at) // what somebody asked for
			}
		}
		take(r.Workshop.At)
	}
	return next, !next.IsZero()
}
