package reminders

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"maturitybot/survey"
)

// Schedule computes when the messages of a round are due and until when they are sent, from
// survey.MessageTypes, the plans of the round and the time zones of its people. It keeps no state.
type Schedule struct{ calendar *Calendar }

// NewSchedule returns a schedule that uses the calendar.
func NewSchedule(c *Calendar) *Schedule { return &Schedule{c} }

// Limits of a plan.
const (
	MaxLead  = 60 // days before the survey closes or the workshop begins
	MaxLeads = 10 // of each list of days
)

// Check returns an *survey.InputError for a plan that is not allowed. For a cron expression, the
// field is spec or digest, and the reason is one of Reasons, or "malformed_" and the name of the
// malformed part. The other fields are before_close and before_workshop (reasons range and crowd)
// and hour (reasons range and night).
func (s *Schedule) Check(p survey.ReminderPlan, c survey.ChannelPlan) error {
	err := checkDays(p)
	if err == nil && p.Cron != "" {
		_, err = ParseCron(p.Cron)
		err = inputError("spec", err)
	}
	if err == nil && c.Digest != "" {
		_, err = ParseDigestCron(c.Digest)
		err = inputError("digest", err)
	}
	return err
}

// checkDays checks the days and the time of day of a plan.
func checkDays(p survey.ReminderPlan) error {
	for _, leads := range []struct {
		field string
		days  []int
	}{{"before_close", p.BeforeClose}, {"before_workshop", p.BeforeWorkshop}} {
		if len(leads.days) > MaxLeads {
			//locale:says input.before_close.crowd input.before_workshop.crowd
			return &survey.InputError{Field: leads.field, Reason: "crowd", Limit: MaxLeads}
		}
		if slices.ContainsFunc(leads.days, func(n int) bool { return n < 0 || n > MaxLead }) {
			//locale:says input.before_close.range input.before_workshop.range
			return &survey.InputError{Field: leads.field, Reason: "range", Limit: MaxLead}
		}
	}
	switch {
	case p.Hour < 0 || p.Hour > 23 || p.Minute < 0 || p.Minute > 59:
		return &survey.InputError{Field: "hour", Reason: "range"}
	case !waking(p.Hour, p.Minute):
		return &survey.InputError{Field: "hour", Reason: "night"}
	}
	return nil
}

// inputError turns a *CronError into a *survey.InputError of the field. It returns any other error
// unchanged.
//
//locale:says input.digest.interval input.digest.malformed input.digest.malformed_day
//locale:says input.digest.malformed_hour input.digest.malformed_minute
//locale:says input.digest.malformed_month input.digest.malformed_weekday input.digest.never
//locale:says input.digest.night input.digest.time_zone input.digest.too_often
//locale:says input.spec.interval input.spec.malformed input.spec.malformed_day
//locale:says input.spec.malformed_hour input.spec.malformed_minute input.spec.malformed_month
//locale:says input.spec.malformed_weekday input.spec.never input.spec.night
//locale:says input.spec.time_zone input.spec.too_often input.spec.weekend
func inputError(field string, err error) error {
	var refused *CronError
	if !errors.As(err, &refused) {
		return err
	}
	reason := string(refused.Reason)
	if refused.Reason == Malformed && refused.Field != "" {
		reason += "_" + refused.Field
	}
	return &survey.InputError{Field: field, Reason: reason}
}

// Reminders returns when people in the zone are due to be reminded after now, earliest first. A nil
// zone is the round's own. A plan that is paused, or that Check refuses, has no reminders.
//
// The days are counted in the round's zone, back from the day on which the survey closes or the
// workshop is held. They are the same dates in every zone: each person is reminded on such a date,
// at the plan's time of day by their own clock. A person east of the round is reminded up to a day
// earlier than people in the round's zone, and a person west of it up to a day later.
//
// A reminder is always after the opening and before its event, on a working day, in waking hours. A
// date that does not allow this moves to the nearest earlier working day. If that day is past, or
// before the opening, there is no reminder. Reminders of one kind on one day are one reminder.
// Dates of a cron expression after the close are dropped, and not moved before it.
func (s *Schedule) Reminders(r survey.Round, zone *time.Location, now time.Time) []survey.Moment {
	if r.Reminders.Paused || s.Check(r.Reminders, survey.ChannelPlan{}) != nil {
		return nil
	}
	if zone == nil {
		zone = r.Location()
	}
	return s.moments(r, zone, now, func(t survey.MessageType) bool {
		return t.Audience == survey.ToPerson
	})
}

// Posts returns when posts to the coordinators' channel, and the closing, are due after now,
// earliest first.
func (s *Schedule) Posts(r survey.Round, now time.Time) []survey.Moment {
	return s.moments(r, r.Location(), now, func(t survey.MessageType) bool {
		return t.Audience != survey.ToPerson && r.Posts.Enabled(t.Kind)
	})
}

// moments returns when messages of the types that match are due after now, earliest first. Messages
// that are due at one time are in the order of their types.
func (s *Schedule) moments(
	r survey.Round, zone *time.Location, now time.Time, match func(survey.MessageType) bool,
) []survey.Moment {
	var all []survey.Moment
	for _, t := range survey.MessageTypes {
		if t.Plan != nil && match(t) {
			all = append(all, s.planned(r, t, zone, now)...)
		}
	}
	slices.SortStableFunc(all, func(a, b survey.Moment) int { return a.At.Compare(b.At) })
	return all
}

// planned returns when messages of one type are due after now.
func (s *Schedule) planned(
	r survey.Round, t survey.MessageType, zone *time.Location, now time.Time,
) []survey.Moment {
	event, due := t.Event(r), t.Plan(r)
	after := now
	if r.OpenedAt.After(after) {
		after = r.OpenedAt
	}
	switch {
	case event.IsZero():
		return nil
	case due.AtEvent && event.After(after):
		return []survey.Moment{eventMoment(t, event)}
	case due.AtEvent:
		return nil
	}
	d := days{
		kind: t.Kind, hour: due.Hour, minute: due.Minute, zone: zone, after: after, before: event,
		dates:   datesBefore(event.In(r.Location()), due.Days),
		allowed: s.calendar.WorkingDay, maxMove: maxMove,
	}
	if due.Cron == "" {
		return d.moments()
	}
	parse := ParseCron
	if t.Audience == survey.ToChannel {
		// A coordinator chose these days, so weekends are allowed. On a bank holiday there is no
		// digest, and none is moved: the next digest covers that day.
		parse = ParseDigestCron
		d.allowed = func(d Date) bool { return !s.calendar.Holiday(d) }
		d.maxMove = 1
	}
	c, err := parse(due.Cron)
	if err != nil {
		return nil
	}
	d.hour, d.minute, d.dates = c.Hour, c.Minute, c.dates(after, event, r.Location())
	return d.moments()
}

// eventMoment returns the moment of a message that is due at its event. The suffix of its kind is
// the time, so that an event that is moved has another message.
func eventMoment(t survey.MessageType, event time.Time) survey.Moment {
	return survey.Moment{Kind: t.Kind.On(strconv.FormatInt(event.Unix(), 10)), At: event}
}

// overdue returns the moments up to now of messages that are due at their event and never too late.
func (s *Schedule) overdue(r survey.Round, now time.Time) []survey.Moment {
	var all []survey.Moment
	for _, t := range survey.MessageTypes {
		if t.Plan == nil || !t.Plan(r).AtEvent {
			continue
		}
		if event := t.Event(r); !event.IsZero() && !event.After(now) {
			all = append(all, eventMoment(t, event))
		}
	}
	return all
}

// maxMove bounds how many days a date is moved. No run of days off is that long.
const maxMove = 31

// days holds the dates, in order, on which messages of one kind are to be sent, and the conditions
// for them.
type days struct {
	kind          survey.MessageKind
	dates         []Date
	hour, minute  int
	zone          *time.Location
	after, before time.Time
	allowed       func(Date) bool
	maxMove       int // 1 to not move a date
}

// moments returns when the messages are due. It moves a date that is not allowed to the nearest
// earlier date that is.
func (d days) moments() []survey.Moment {
	var all []survey.Moment
	var last Date
	for _, planned := range d.dates {
		for date := planned; date.after(planned.AddDays(-d.maxMove)); date = date.AddDays(-1) {
			if !d.allowed(date) {
				continue
			}
			at, ok := date.at(d.hour, d.minute, d.zone)
			if !ok || !at.Before(d.before) {
				continue
			}
			// Dates stay in order when they move, so two equal dates follow each other.
			if at.After(d.after) && date != last {
				all = append(all, survey.Moment{Kind: d.kind.On(date.String()), At: at})
				last = date
			}
			break
		}
	}
	return all
}

// datesBefore returns the dates that lie the given numbers of days before the date of end, in
// order.
func datesBefore(end time.Time, leads []int) []Date {
	dates := make([]Date, len(leads))
	for i, n := range leads {
		dates[i] = DateOf(end).AddDays(-n)
	}
	slices.SortFunc(dates, Date.compare)
	return dates
}

// timeOfDay returns the time of day at which a plan reminds people that the survey closes.
func timeOfDay(p survey.ReminderPlan) (hour, minute int) {
	if c, err := ParseCron(p.Cron); err == nil {
		return c.Hour, c.Minute
	}
	return p.Hour, p.Minute
}

// Tomorrow returns the reminder for a member who asks at now to be reminded tomorrow: on the next
// working day after today by their clock, at the plan's time of day. The bool reports whether the
// survey is still open then. The moment has the same kind as a planned reminder of that day, so
// that the member gets one of the two. A paused plan counts. If Check refuses the plan, the default
// plan is used.
func (s *Schedule) Tomorrow(
	r survey.Round, m survey.Member, now time.Time,
) (survey.Moment, bool) {
	plan := r.Reminders
	if s.Check(plan, survey.ChannelPlan{}) != nil {
		plan = survey.DefaultReminders() // the round reminds nobody by itself
	}
	zone := r.ZoneOf(m)
	hour, minute := timeOfDay(plan)
	today := DateOf(now.In(zone))
	for d := today.AddDays(1); !d.after(today.AddDays(maxMove)); d = d.AddDays(1) {
		if !s.calendar.WorkingDay(d) {
			continue
		}
		if at, ok := d.at(hour, minute, zone); ok {
			open := r.State != survey.Closed && at.Before(r.ClosesAt)
			return survey.Moment{Kind: survey.ClosesSoon.On(d.String()), At: at}, open
		}
	}
	return survey.Moment{}, false
}

// SendWindow returns when a message that is due may be sent: now, or later if it is night, a
// weekend or a bank holiday for its recipient. It returns false for a message that is no longer in
// the round's plan, that is replaced by a later message, or that is too late (survey.Until). A
// message without a limit may be sent at any time.
func (s *Schedule) SendWindow(
	r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time,
) (time.Time, bool) {
	t := kind.Type()
	if t.Until == survey.NoLimit {
		return now, true
	}
	zone, end := zoneFor(t, r, m), t.Event(r)
	last := end
	if t.Plan != nil {
		_, suffix := kind.Split()
		date, ok := parseDate(suffix)
		if !ok || !s.inPlan(r, m, kind, now) {
			return time.Time{}, false
		}
		switch t.Until {
		case survey.UntilEvening:
			last = evening(date, zone)
		case survey.UntilNextEvening:
			last = s.nextEvening(date, zone)
		}
	}
	local := now.In(zone)
	at := s.nextAllowed(local)
	if t.Until == survey.UntilEvening && waking(local.Hour(), local.Minute()) {
		at = now // a coordinator chose the days, which may be weekends
	}
	return at, at.Before(end) && !at.After(last)
}

// zoneFor returns the time zone of the recipient.
func zoneFor(t survey.MessageType, r survey.Round, m survey.Member) *time.Location {
	if t.Audience == survey.ToPerson {
		return r.ZoneOf(m)
	}
	return r.Location()
}

// FirstDue returns when a message was first due. It returns false if that is not known, as for a
// message that is no longer in the plan.
func (s *Schedule) FirstDue(
	r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time,
) (time.Time, bool) {
	t := kind.Type()
	_, suffix := kind.Split()
	zone := zoneFor(t, r, m)
	if t.Since != nil {
		at := t.Since(r, suffix)
		if at.IsZero() {
			return time.Time{}, false
		}
		if t.Until != survey.NoLimit {
			at = s.nextAllowed(at.In(zone))
		}
		return at, true
	}
	plan := s.plannedSince(r, t, zone, now)
	if date, ok := parseDate(suffix); ok && t.Requestable && m.RemindOnDate == suffix {
		asked := time.Date(date.Year, date.Month, date.Day-1, 0, 0, 0, 0, zone)
		if own, open := s.Tomorrow(r, m, asked); open {
			plan = append(plan, own)
		}
	}
	for _, p := range plan {
		if p.Kind == kind {
			return p.At, true
		}
	}
	return time.Time{}, false
}

// lookback is how far in the past the planner searches. It exceeds the longest lateness that
// SendWindow allows.
const lookback = 14 * 24 * time.Hour

// plannedSince returns what is planned for the recipients of a type, from lookback before now on.
func (s *Schedule) plannedSince(
	r survey.Round, t survey.MessageType, zone *time.Location, now time.Time,
) []survey.Moment {
	if t.Audience == survey.ToPerson {
		return s.Reminders(r, zone, now.Add(-lookback))
	}
	return s.Posts(r, now.Add(-lookback))
}

// inPlan reports whether a message is in the plan or the member asked for it, and no other message
// replaces it. It is replaced by a later message of its kind that is due, and by a reminder of an
// earlier type in survey.MessageTypes on its day.
func (s *Schedule) inPlan(
	r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time,
) bool {
	t := kind.Type()
	base, date := kind.Split()
	zone := zoneFor(t, r, m)
	planned := map[survey.MessageKind]bool{}
	replaced := false
	for _, p := range s.plannedSince(r, t, zone, now) {
		planned[p.Kind] = true
		other, on := p.Kind.Split()
		if t.Audience == survey.ToPerson && other == base && on > date && !p.At.After(now) {
			replaced = true
		}
	}
	if t.Requestable && m.RemindOnDate != "" {
		planned[base.On(m.RemindOnDate)] = true
		if m.RemindOnDate > date && m.RemindOnDate <= DateOf(now.In(zone)).String() {
			replaced = true
		}
	}
	for _, earlier := range survey.MessageTypes {
		if earlier.Kind == base {
			break
		}
		if planned[earlier.Kind.On(date)] && earlier.Reminder && earlier.Wanted(r, m, date) {
			replaced = true
		}
	}
	return planned[kind] && !replaced
}

// evening returns the last minute of the waking hours on a date.
func evening(d Date, zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, lastMinute/60, lastMinute%60, 0, 0, zone)
}

// morning returns the first minute of the waking hours on a date.
func morning(d Date, zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, firstMinute/60, firstMinute%60, 0, 0, zone)
}

// nextEvening returns the evening of the working day after d.
func (s *Schedule) nextEvening(d Date, zone *time.Location) time.Time {
	for range maxMove {
		if d = d.AddDays(1); s.calendar.WorkingDay(d) {
			break
		}
	}
	return evening(d, zone)
}

// nextAllowed returns t or the first time after it that is in the waking hours of a working day, in
// t's time zone.
func (s *Schedule) nextAllowed(t time.Time) time.Time {
	for range maxMove {
		if s.calendar.Allows(t) {
			return t
		}
		day := DateOf(t)
		if first := morning(day, t.Location()); t.Before(first) && s.calendar.WorkingDay(day) {
			return first
		}
		// Not midnight, which does not exist on each day in each zone.
		t = morning(day.AddDays(1), t.Location())
	}
	return t
}

// earliest returns the earlier of two times. A zero time does not count.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// NextMoment returns the earliest time after now at which a post or a reminder of the round is due,
// or false when there is none.
func (s *Schedule) NextMoment(
	r survey.Round, zones []string, now time.Time,
) (next time.Time, ok bool) {
	all := s.Posts(r, now)
	for _, name := range zones {
		zone := r.ZoneOf(survey.Member{TimeZone: name})
		all = append(all, s.Reminders(r, zone, now)...)
	}
	for _, m := range all {
		next = earliest(next, m.At)
	}
	return next, !next.IsZero()
}

// Next returns the earliest time after now at which anything may be sent. This is the NextMoment,
// or an earlier time at which a postponed message, or one that a member asked for, may be due.
// Tests and trials, which skip the time in between, go there next.
func (s *Schedule) Next(r survey.Round, zones []string, now time.Time) (time.Time, bool) {
	next, _ := s.NextMoment(r, zones, now)
	consider := func(t time.Time) {
		if t.After(now) {
			next = earliest(next, t)
		}
	}
	hour, minute := timeOfDay(r.Reminders)
	for _, name := range zones {
		zone := r.ZoneOf(survey.Member{TimeZone: name})
		today := DateOf(now.In(zone))
		for _, day := range []Date{today, today.AddDays(1)} {
			consider(morning(day, zone))
			if at, ok := day.at(hour, minute, zone); ok {
				consider(at)
			}
		}
		consider(r.Workshop.At)
	}
	return next, !next.IsZero()
}
