package reminders_test

import (
	"errors"
	"testing"
	"time"

	"maturitybot/reminders"
	"maturitybot/survey"
)

func in(t *testing.T, zone string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// clockIn reads a time by the clock of a zone.
func clockIn(t *testing.T, zone, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, in(t, zone))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// round is open from 23 November 2026, a Monday, until Friday 11 December at 17:00; its workshop is
// a week later at 14:00.
func round(t *testing.T) survey.Round {
	t.Helper()
	return survey.Round{
		ID: "r", State: survey.Open, TimeZone: "Europe/London",
		OpenedAt: clockIn(t, "Europe/London", "2026-11-23 09:00"), ClosesAt: clockIn(t, "Europe/London", "2026-12-11 17:00"),
		Workshop:  survey.Workshop{At: clockIn(t, "Europe/London", "2026-12-18 14:00")},
		Reminders: survey.DefaultReminders(), Posts: survey.DefaultPosts(),
	}
}

var schedule = reminders.NewSchedule(reminders.EnglandAndWales())

func TestSendWindow(t *testing.T) {
	const never = "never"
	planned := clockIn(t, "Europe/London", "2026-12-04 10:04")
	early := clockIn(t, "Europe/London", "2026-12-11 07:30")
	for _, c := range []struct {
		name, zone, kind, now, want string
		change                      func(*survey.Round, *survey.Member)
	}{
		{name: "at its time", kind: "closes@2026-12-04", now: "2026-12-04 10:00", want: "2026-12-04 10:00"},
		{name: "a little late", kind: "closes@2026-12-04", now: "2026-12-04 17:59", want: "2026-12-04 17:59"},
		{name: "late in the evening", kind: "closes@2026-12-04", now: "2026-12-04 18:01", want: "2026-12-07 08:00"},
		{name: "on the next working day", kind: "closes@2026-12-04", now: "2026-12-07 17:00", want: "2026-12-07 17:00"},
		{name: "too late", kind: "closes@2026-12-04", now: "2026-12-07 18:01", want: never},
		{name: "replaced by a later one", kind: "closes@2026-12-08", now: "2026-12-10 10:00", want: never},
		{name: "the morning is after the close", kind: "closes@2026-12-10", now: "2026-12-10 18:01", want: never,
			change: func(r *survey.Round, _ *survey.Member) { r.ClosesAt = early }},
		{name: "not in the plan", kind: "closes@2026-12-03", now: "2026-12-03 10:00", want: never},
		{name: "asked for", kind: "closes@2026-12-03", now: "2026-12-03 10:00", want: "2026-12-03 10:00",
			change: func(_ *survey.Round, m *survey.Member) { m.RemindOnDate = "2026-12-03" }},
		{name: "asked for, plan paused", kind: "closes@2026-12-03", now: "2026-12-03 10:00", want: "2026-12-03 10:00",
			change: func(r *survey.Round, m *survey.Member) { m.RemindOnDate, r.Reminders.Paused = "2026-12-03", true }},
		{name: "replaced by the one asked for", kind: "closes@2026-12-04", now: "2026-12-07 10:00", want: never,
			change: func(_ *survey.Round, m *survey.Member) { m.RemindOnDate = "2026-12-07" }},
		{name: "paused", kind: "closes@2026-12-04", now: "2026-12-04 10:00", want: never,
			change: func(r *survey.Round, _ *survey.Member) { r.Reminders.Paused = true }},
		{name: "closing time moved since", kind: "closes@2026-12-04", now: "2026-12-04 10:05", want: never,
			change: func(r *survey.Round, _ *survey.Member) { r.ClosesAt = r.ClosesAt.AddDate(0, 0, 7) }},
		{name: "another plan, with the same day", kind: "closes@2026-12-04", now: "2026-12-04 10:05", want: "2026-12-04 10:05",
			change: func(r *survey.Round, _ *survey.Member) {
				r.PlannedAt, r.Reminders.Hour = planned, 14
			}},
		{name: "night in New York", zone: "America/New_York", kind: "closes@2026-12-04", now: "2026-12-04 10:00", want: "2026-12-04 13:00"},
		{name: "evening in Tokyo", zone: "Asia/Tokyo", kind: "closes@2026-12-04", now: "2026-12-04 10:00", want: "2026-12-06 23:00"},
		{name: "by hand", kind: "nudge", now: "2026-12-02 10:00", want: "2026-12-02 10:00"},
		{name: "by hand at the weekend", kind: "nudge", now: "2026-12-05 10:00", want: "2026-12-07 08:00"},
		{name: "by hand before a day without midnight", zone: "America/Santiago", kind: "nudge", now: "2026-09-05 15:00", want: "2026-09-07 12:00"},
		{name: "by hand before dawn", kind: "nudge", now: "2026-12-07 06:00", want: "2026-12-07 08:00"},
		{name: "an invitation at night", kind: "invitation", now: "2026-12-05 03:00", want: "2026-12-05 03:00"},
		{name: "workshop", kind: "workshop@2026-12-17", now: "2026-12-17 10:00", want: "2026-12-17 10:00",
			change: func(r *survey.Round, _ *survey.Member) { r.State = survey.Closed }},
		{name: "workshop on a day of both", kind: "workshop@2026-12-11", now: "2026-12-11 10:00", want: never,
			change: func(r *survey.Round, _ *survey.Member) { r.Reminders.BeforeClose = []int{0} }},
		{name: "workshop on a day of both, finished", kind: "workshop@2026-12-11", now: "2026-12-11 10:00", want: "2026-12-11 10:00",
			change: func(r *survey.Round, m *survey.Member) {
				r.Reminders.BeforeClose, m.Status = []int{0}, survey.Finished
			}},
		{name: "digest", kind: "digest@2026-12-01", now: "2026-12-01 09:00", want: "2026-12-01 09:00"},
		{name: "digest in the evening", kind: "digest@2026-12-01", now: "2026-12-01 19:00", want: never},
		{name: "digest switched off", kind: "digest@2026-12-01", now: "2026-12-01 09:00", want: never,
			change: func(r *survey.Round, _ *survey.Member) { r.Posts.Disabled = []survey.MessageKind{survey.Digest} }},
		{name: "last day, late", kind: "last@2026-12-10", now: "2026-12-10 20:00", want: "2026-12-11 08:00"},
		{name: "last day, over", kind: "last@2026-12-10", now: "2026-12-11 17:00", want: never},
		{name: "closing at night", kind: "close@1", now: "2026-12-13 03:00", want: "2026-12-13 03:00"},
		{name: "not a date", kind: "closes@soon", now: "2026-12-04 10:00", want: never},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, m := round(t), survey.Member{Status: survey.Invited, TimeZone: c.zone}
			if c.change != nil {
				c.change(&r, &m)
			}
			got := never
			if at, ok := schedule.SendWindow(r, m, survey.MessageKind(c.kind), clockIn(t, "Europe/London", c.now)); ok {
				got = at.In(in(t, "Europe/London")).Format("2006-01-02 15:04")
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestFirstDue(t *testing.T) {
	const never = "never"
	for _, c := range []struct {
		name, kind, zone, now string
		want                  string // by London's clock
		change                func(*survey.Round, *survey.Member)
	}{
		{name: "in the plan", kind: "closes@2026-12-04", now: "2026-12-04 12:00", want: "2026-12-04 10:00"},
		{name: "by their own clock", kind: "closes@2026-12-04", zone: "America/New_York", now: "2026-12-04 18:00", want: "2026-12-04 15:00"},
		{name: "not in the plan", kind: "closes@2026-12-03", now: "2026-12-03 12:00", want: never},
		{name: "asked for", kind: "closes@2026-12-03", now: "2026-12-03 12:00", want: "2026-12-03 10:00",
			change: func(_ *survey.Round, m *survey.Member) { m.RemindOnDate = "2026-12-03" }},
		{name: "workshop", kind: "workshop@2026-12-17", now: "2026-12-17 12:00", want: "2026-12-17 10:00"},
		{name: "digest", kind: "digest@2026-12-01", now: "2026-12-01 12:00", want: "2026-12-01 09:00"},
		{name: "last day", kind: "last@2026-12-10", now: "2026-12-10 12:00", want: "2026-12-10 10:00"},
		{name: "closing", kind: "close@1796748660", now: "2026-12-11 18:00", want: "2026-12-08 16:51"},
		{name: "by hand, on a Saturday", kind: "nudge@2026-12-05", now: "2026-12-07 09:00", want: "2026-12-07 08:00",
			change: func(r *survey.Round, _ *survey.Member) {
				r.RemindedAt = clockIn(t, "Europe/London", "2026-12-05 12:00")
			}},
		{name: "by hand, time not saved", kind: "nudge@2026-12-05", now: "2026-12-07 09:00", want: never},
		{name: "opened", kind: "opened", now: "2026-12-01 12:00", want: "2026-11-20 09:00",
			change: func(r *survey.Round, _ *survey.Member) { r.OpenedAt = clockIn(t, "Europe/London", "2026-11-20 09:00") }},
		{name: "results", kind: "results", now: "2026-12-12 12:00", want: "2026-12-11 17:00",
			change: func(r *survey.Round, _ *survey.Member) { r.ClosedAt = clockIn(t, "Europe/London", "2026-12-11 17:00") }},
		{name: "an invitation", kind: "invitation", now: "2026-12-01 12:00", want: never},
		{name: "a call", kind: "call@2026-12-01", now: "2026-12-01 12:00", want: never},
		{name: "no number", kind: "close@soon", now: "2026-12-01 12:00", want: never},
	} {
		r, m := round(t), survey.Member{Status: survey.Invited, TimeZone: c.zone}
		if c.change != nil {
			c.change(&r, &m)
		}
		got := never
		if at, ok := schedule.FirstDue(r, m, survey.MessageKind(c.kind), clockIn(t, "Europe/London", c.now)); ok {
			got = at.In(in(t, "Europe/London")).Format("2006-01-02 15:04")
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPosts(t *testing.T) {
	kinds := func(r survey.Round, now string) string {
		s := ""
		for _, m := range schedule.Posts(r, clockIn(t, "Europe/London", now)) {
			s += string(m.Kind.Base()) + " " + m.At.In(in(t, "Europe/London")).Format("02/15:04") + "; "
		}
		return s
	}
	r := round(t)
	if got, want := kinds(r, "2026-12-09 12:00"), "digest 10/09:00; last 10/10:00; digest 11/09:00; close 11/17:00; eve 17/10:00; "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.Posts = survey.ChannelPlan{Digest: "30 16 * * *", Disabled: []survey.MessageKind{survey.LastDay, survey.WorkshopEve}}
	if got, want := kinds(r, "2026-12-09 12:00"), "digest 09/16:30; digest 10/16:30; digest 11/16:30; close 11/17:00; "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.Posts, r.State = survey.DefaultPosts(), survey.Closed
	if got, want := kinds(r, "2026-12-09 12:00"), "eve 17/10:00; "; got != want {
		t.Errorf("closed: got  %s\nwant %s", got, want)
	}
	// A closing time that is moved has a message of its own.
	a := round(t)
	b := a
	b.ClosesAt = b.ClosesAt.Add(time.Minute)
	last := func(r survey.Round) survey.MessageKind {
		all := schedule.Posts(r, clockIn(t, "Europe/London", "2026-12-11 16:00"))
		return all[0].Kind
	}
	if last(a).Base() != survey.Closing || last(a) == last(b) {
		t.Errorf("closings %s and %s", last(a), last(b))
	}
}

func TestCheck(t *testing.T) {
	for want, c := range map[string]struct {
		plan   survey.ReminderPlan
		digest string
	}{
		"":                      {survey.DefaultReminders(), survey.DefaultDigest},
		"hour: night":           {survey.ReminderPlan{Hour: 7}, ""},
		"spec: time_zone":       {survey.ReminderPlan{Hour: 10, Cron: "CRON_TZ=Europe/London"}, ""},
		"spec: malformed":       {survey.ReminderPlan{Hour: 10, Cron: "often"}, ""},
		"spec: malformed_month": {survey.ReminderPlan{Hour: 10, Cron: "0 10 * 13 *"}, ""},
		"digest: night":         {survey.DefaultReminders(), "0 3 * * *"},
	} {
		err := schedule.Check(c.plan, survey.ChannelPlan{Digest: c.digest})
		var input *survey.InputError
		if want == "" && err != nil || want != "" && (!errors.As(err, &input) || input.Error() != want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestTomorrowWithoutAPlan: a member can ask for a reminder in a round without planned reminders.
func TestTomorrowWithoutAPlan(t *testing.T) {
	r := round(t)
	r.Reminders = survey.ReminderPlan{}
	m, open := schedule.Tomorrow(r, survey.Member{TimeZone: "America/New_York"}, clockIn(t, "Europe/London", "2026-12-04 12:00"))
	if !open || m.Kind != "closes@2026-12-07" || !m.At.Equal(clockIn(t, "America/New_York", "2026-12-07 10:00")) {
		t.Errorf("got %v, %v", m, open)
	}
}
