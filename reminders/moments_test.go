package reminders

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"maturitybot/survey"
)

const minute = "2006-01-02 15:04"

// remindersOf returns when people in the place are reminded by a plan.
func remindersOf(p survey.ReminderPlan, r survey.Round, place *time.Location, c *Calendar, now time.Time) []survey.Moment {
	r.Reminders = p
	return NewSchedule(c).Reminders(r, place, now)
}

// digestsOf returns when the channel gets its digest by a cron expression.
func digestsOf(spec string, r survey.Round, c *Calendar, now time.Time) []survey.Moment {
	r.Posts.Digest = spec
	return slices.DeleteFunc(NewSchedule(c).Posts(r, now), func(m survey.Moment) bool { return m.Kind.Base() != survey.Digest })
}

// TestMoments covers weeks with bank holidays, clock changes and other time zones.
func TestMoments(t *testing.T) {
	for name, tt := range map[string]struct {
		plan           survey.ReminderPlan // the default when zero
		opened, closes string
		workshop, now  string // may be empty: none; the opening
		zone, place    string // London when empty; the round's
		want           string // local, a moment a line
	}{
		"a week like any other": {
			opened: "2026-11-02 09:00", closes: "2026-12-11 17:00", workshop: "2027-01-20 13:00",
			want: `closes Fri 2026-12-04 10:00 +0000
closes Tue 2026-12-08 10:00 +0000
closes Thu 2026-12-10 10:00 +0000
workshop Wed 2027-01-13 10:00 +0000
workshop Tue 2027-01-19 10:00 +0000`,
		},
		"autumn clock change 2026": { // Sunday 25 October
			opened: "2026-10-01 09:00", closes: "2026-10-28 17:00", plan: survey.ReminderPlan{BeforeClose: []int{1, 2, 3, 5, 6, 7}, Hour: 8, Minute: 30},
			want: `closes Wed 2026-10-21 08:30 +0100
closes Thu 2026-10-22 08:30 +0100
closes Fri 2026-10-23 08:30 +0100
closes Mon 2026-10-26 08:30 +0000
closes Tue 2026-10-27 08:30 +0000`,
		},
		"Easter 2027, with the spring clock change on its Sunday": { // 26 to 29 March
			opened: "2027-03-01 09:00", closes: "2027-03-30 17:00",
			want: `closes Tue 2027-03-23 10:00 +0000
closes Thu 2027-03-25 10:00 +0000`,
		},
		"after the spring clock change 2027": {
			opened: "2027-03-01 09:00", closes: "2027-03-31 17:00",
			want: `closes Wed 2027-03-24 10:00 +0000
closes Thu 2027-03-25 10:00 +0000
closes Tue 2027-03-30 10:00 +0100`,
		},
		"autumn clock change 2027": { // Sunday 31 October
			opened: "2027-10-04 09:00", closes: "2027-11-01 17:00", plan: survey.ReminderPlan{Cron: "0 9 * * *", Hour: 10}, now: "2027-10-27 12:00",
			want: `closes Thu 2027-10-28 09:00 +0100
closes Fri 2027-10-29 09:00 +0100
closes Mon 2027-11-01 09:00 +0000`,
		},
		"Christmas 2026": { // Friday, and Monday for Boxing Day
			opened: "2026-12-01 09:00", closes: "2026-12-29 17:00", workshop: "2027-01-04 09:30", plan: survey.ReminderPlan{BeforeClose: []int{0, 1, 2, 3, 4, 5}, BeforeWorkshop: []int{0, 1, 7}, Hour: 10},
			want: `closes Thu 2026-12-24 10:00 +0000
workshop Thu 2026-12-24 10:00 +0000
closes Tue 2026-12-29 10:00 +0000
workshop Thu 2026-12-31 10:00 +0000`,
		},
		"Christmas 2027": { // on a Saturday: Monday and Tuesday
			opened: "2027-12-01 09:00", closes: "2027-12-29 17:00",
			want: `closes Wed 2027-12-22 10:00 +0000
closes Fri 2027-12-24 10:00 +0000`,
		},
		"Christmas Day as a cron expression": {
			opened: "2026-12-01 09:00", closes: "2026-12-31 17:00", plan: survey.ReminderPlan{Cron: "0 10 25 12 *", Hour: 10},
			want: `closes Thu 2026-12-24 10:00 +0000`,
		},
		"August bank holiday 2026": { // Monday 31
			opened: "2026-08-03 09:00", closes: "2026-09-01 17:00",
			want: `closes Tue 2026-08-25 10:00 +0100
closes Fri 2026-08-28 10:00 +0100`,
		},
		"weekly on the bank holiday": {
			opened: "2027-08-02 09:00", closes: "2027-09-06 09:00", plan: survey.ReminderPlan{Cron: "15 10 * * 1", Hour: 10},
			want: `closes Mon 2027-08-02 10:15 +0100
closes Mon 2027-08-09 10:15 +0100
closes Mon 2027-08-16 10:15 +0100
closes Mon 2027-08-23 10:15 +0100
closes Fri 2027-08-27 10:15 +0100`, // 6 September comes after the close, and is not moved before it
		},
		"moved to a day that is past": {
			opened: "2026-12-01 09:00", now: "2026-12-04 10:00", closes: "2026-12-08 17:00", // 3 days before is Saturday the 5th
			want: `closes Mon 2026-12-07 10:00 +0000`,
		},
		"moved to before the opening": {
			opened: "2026-12-04 11:00", closes: "2026-12-08 17:00",
			want: `closes Mon 2026-12-07 10:00 +0000`,
		},
		"the last day, closed before the hour": {
			opened: "2026-12-01 09:00", closes: "2026-12-08 09:00", plan: survey.ReminderPlan{BeforeClose: []int{0, 1}, Hour: 10},
			want: `closes Mon 2026-12-07 10:00 +0000`,
		},
		"the last day": {
			opened: "2026-12-01 09:00", closes: "2026-12-08 10:01", plan: survey.ReminderPlan{BeforeClose: []int{0}, Hour: 10},
			want: `closes Tue 2026-12-08 10:00 +0000`,
		},
		"not at the close itself": {
			opened: "2026-12-01 09:00", closes: "2026-12-08 10:00", plan: survey.ReminderPlan{BeforeClose: []int{0}, Hour: 10},
			want: `closes Mon 2026-12-07 10:00 +0000`,
		},
		"paused":                            {opened: "2026-11-02 09:00", closes: "2026-12-11 17:00", plan: survey.ReminderPlan{BeforeClose: []int{1}, Hour: 10, Paused: true}},
		"refused":                           {opened: "2026-11-02 09:00", closes: "2026-12-11 17:00", plan: survey.ReminderPlan{BeforeClose: []int{1}, Hour: 3}},
		"a cron expression that is refused": {opened: "2026-11-02 09:00", closes: "2026-12-11 17:00", plan: survey.ReminderPlan{BeforeClose: []int{1}, Hour: 10, Cron: "@daily"}},
		"a person in Tokyo": {
			opened: "2026-12-01 09:00", closes: "2026-12-11 17:00", place: "Asia/Tokyo",
			want: `closes Fri 2026-12-04 10:00 +0900
closes Tue 2026-12-08 10:00 +0900
closes Thu 2026-12-10 10:00 +0900`,
		},
		"a person in Los Angeles, now in their night": {
			opened: "2026-12-01 09:00", now: "2026-12-04 11:00", closes: "2026-12-11 17:00", place: "America/Los_Angeles",
			want: `closes Fri 2026-12-04 10:00 -0800
closes Tue 2026-12-08 10:00 -0800
closes Thu 2026-12-10 10:00 -0800`,
		},
		"closed before their morning": { // 08:00 in London is midnight in Los Angeles
			opened: "2026-12-01 09:00", closes: "2026-12-14 08:30", plan: survey.ReminderPlan{Cron: "0 8 * * 1", Hour: 10}, place: "America/Los_Angeles",
			want: `closes Mon 2026-12-07 08:00 -0800
closes Fri 2026-12-11 08:00 -0800`,
		},
		"closes at midnight, far in the west": {
			opened: "2026-12-01 09:00", closes: "2026-12-11 00:00", plan: survey.ReminderPlan{BeforeClose: []int{1, 3}, Hour: 17}, place: "Pacific/Pago_Pago",
			want: `closes Tue 2026-12-08 17:00 -1100
closes Wed 2026-12-09 17:00 -1100`,
		},
		"the far side of the date line": { // it closes there on Saturday 12 December, 01:00
			opened: "2026-12-01 09:00", closes: "2026-12-11 11:00", place: "Pacific/Kiritimati",
			want: `closes Fri 2026-12-04 10:00 +1400
closes Tue 2026-12-08 10:00 +1400
closes Thu 2026-12-10 10:00 +1400`,
		},
		"a round on one side, a person on the other": {
			zone: "Pacific/Kiritimati", place: "Pacific/Pago_Pago", opened: "2026-12-01 09:00", now: "2026-12-08 10:00", closes: "2026-12-11 17:00",
			plan: survey.ReminderPlan{Cron: "0 10 * * 1-5", Hour: 10},
			want: `closes Mon 2026-12-07 10:00 -1100
closes Tue 2026-12-08 10:00 -1100
closes Wed 2026-12-09 10:00 -1100
closes Thu 2026-12-10 10:00 -1100`,
		},
		"summer time elsewhere": { // New York changes its clocks on 14 March, London on the 28th
			opened: "2027-03-01 09:00", closes: "2027-03-19 17:00", place: "America/New_York", plan: survey.ReminderPlan{BeforeClose: []int{4, 7}, Hour: 10},
			want: `closes Fri 2027-03-12 10:00 -0500
closes Mon 2027-03-15 10:00 -0400`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.zone == "" {
				tt.zone = "Europe/London"
			}
			z := zone(t, tt.zone)
			at := func(s string) time.Time {
				if s == "" {
					return time.Time{}
				}
				at, err := time.ParseInLocation(minute, s, z)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			r := survey.Round{OpenedAt: at(tt.opened), ClosesAt: at(tt.closes), Workshop: survey.Workshop{At: at(tt.workshop)}, TimeZone: z.String()}
			p := tt.plan
			if reflect.DeepEqual(p, survey.ReminderPlan{}) {
				p = survey.DefaultReminders()
			}
			var place *time.Location
			if tt.place != "" {
				place = zone(t, tt.place)
			}
			var lines []string
			for _, m := range remindersOf(p, r, place, EnglandAndWales(), at(tt.now)) {
				lines = append(lines, string(m.Kind.Base())+m.At.Format(" Mon 2006-01-02 15:04 -0700"))
				if m.Kind != m.Kind.Base().On(m.At.Format(time.DateOnly)) {
					t.Errorf("kind %q", m.Kind)
				}
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestMovedDatesCoincide: three dates that move to one working day are one reminder.
func TestMovedDatesCoincide(t *testing.T) {
	z := zone(t, "Europe/London")
	r := survey.Round{ClosesAt: time.Date(2026, 12, 29, 17, 0, 0, 0, z), TimeZone: z.String()}
	for _, days := range [][]int{{1, 3, 5}, {1}} {
		got := remindersOf(survey.ReminderPlan{BeforeClose: days, Hour: 10}, r, nil, EnglandAndWales(), time.Date(2026, 12, 20, 0, 0, 0, 0, z))
		if len(got) != 1 || got[0].Kind != "closes@2026-12-24" {
			t.Errorf("%v days before: %v", days, got)
		}
	}
}

// TestMomentsAtZeroTime: with a zero time for now and for the opening, dates are searched back from
// the close, and not from the year 1.
func TestMomentsAtZeroTime(t *testing.T) {
	got := remindersOf(survey.ReminderPlan{Cron: "0 10 * * 1", Hour: 10}, survey.Round{ClosesAt: time.Date(2026, 12, 29, 17, 0, 0, 0, time.UTC)}, nil, &Calendar{}, time.Time{})
	if len(got) < 100 || len(got) > 106 {
		t.Errorf("%d moments", len(got))
	}
}

func TestTomorrow(t *testing.T) {
	z := zone(t, "Europe/London")
	r := survey.Round{OpenedAt: time.Date(2026, 12, 1, 9, 0, 0, 0, z), ClosesAt: time.Date(2026, 12, 30, 9, 0, 0, 0, z), TimeZone: z.String()}
	for _, tt := range []struct {
		plan       survey.ReminderPlan
		now, place string
		want       string // empty: not
	}{
		{survey.DefaultReminders(), "2026-12-08 15:00", "Europe/London", "closes@2026-12-09 10:00 +0000"},
		{survey.DefaultReminders(), "2026-12-11 09:00", "Europe/London", "closes@2026-12-14 10:00 +0000"}, // a Friday
		{survey.DefaultReminders(), "2026-12-24 15:00", "Europe/London", "closes@2026-12-29 10:00 +0000"},
		{survey.DefaultReminders(), "2026-12-29 08:00", "Europe/London", ""}, // closed by then
		{survey.ReminderPlan{Hour: 8, Minute: 45}, "2026-12-29 08:00", "Europe/London", "closes@2026-12-30 08:45 +0000"},
		{survey.ReminderPlan{Cron: "30 14 * * 5", Hour: 10, Paused: true}, "2026-12-08 15:00", "Europe/London", "closes@2026-12-09 14:30 +0000"},
		{survey.DefaultReminders(), "2026-12-08 15:00", "Asia/Tokyo", "closes@2026-12-10 10:00 +0900"}, // the 9th there already
		// The default plan stands in for one that is refused.
		{survey.ReminderPlan{Hour: 3}, "2026-12-08 15:00", "Europe/London", "closes@2026-12-09 10:00 +0000"},
	} {
		now, err := time.ParseInLocation(minute, tt.now, z)
		if err != nil {
			t.Fatal(err)
		}
		r.Reminders = tt.plan
		m, ok := NewSchedule(EnglandAndWales()).Tomorrow(r, survey.Member{TimeZone: tt.place}, now)
		got := ""
		if ok {
			got = string(m.Kind) + m.At.Format(" 15:04 -0700")
		}
		if got != tt.want {
			t.Errorf("%s, %s: %q, want %q", tt.now, tt.place, got, tt.want)
		}
	}
	r.Reminders = survey.DefaultReminders()
	if m, ok := NewSchedule(EnglandAndWales()).Tomorrow(r, survey.Member{}, r.OpenedAt); !ok || m.Kind != "closes@2026-12-02" {
		t.Errorf("in the round's own zone: %v, %v", m, ok)
	}
}

func TestCheckPlan(t *testing.T) {
	for name, tt := range map[string]struct {
		plan survey.ReminderPlan
		want string // field and reason
	}{
		"default":        {survey.DefaultReminders(), ""},
		"none":           {survey.ReminderPlan{Hour: 10}, ""},
		"paused":         {survey.ReminderPlan{Hour: 10, Paused: true}, ""},
		"first and last": {survey.ReminderPlan{Hour: 18, BeforeClose: []int{0, 60}}, ""},
		"spec":           {survey.ReminderPlan{Hour: 10, Cron: "0 10 * * 1"}, ""},
		"negative":       {survey.ReminderPlan{Hour: 10, BeforeClose: []int{7, -1}}, "before_close: range"},
		"far":            {survey.ReminderPlan{Hour: 10, BeforeWorkshop: []int{61}}, "before_workshop: range"},
		"crowd":          {survey.ReminderPlan{Hour: 10, BeforeWorkshop: make([]int, 11)}, "before_workshop: crowd"},
		"zero":           {survey.ReminderPlan{}, "hour: night"},
		"early":          {survey.ReminderPlan{Hour: 7, Minute: 59}, "hour: night"},
		"late":           {survey.ReminderPlan{Hour: 18, Minute: 1}, "hour: night"},
		"no hour":        {survey.ReminderPlan{Hour: 24}, "hour: range"},
		"no minute":      {survey.ReminderPlan{Hour: 10, Minute: -1}, "hour: range"},
		"bad spec":       {survey.ReminderPlan{Hour: 10, Cron: "@daily"}, "spec: night"},
	} {
		err := NewSchedule(EnglandAndWales()).Check(tt.plan, survey.ChannelPlan{})
		got := ""
		if err != nil {
			got = err.Error()
			var input *survey.InputError
			if !errors.As(err, &input) {
				t.Errorf("%s: %T", name, err)
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestPlanJSON: a plan is stored as JSON with its round, so its keys must not change.
func TestPlanJSON(t *testing.T) {
	p := survey.DefaultReminders()
	p.Cron, p.Paused = "0 10 * * 1", true
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"before_close":[7,3,1],"before_workshop":[7,1],"hour":10,"minute":0,"spec":"0 10 * * 1","paused":true}`; string(text) != want {
		t.Errorf("%s", text)
	}
	var back survey.ReminderPlan
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, p) {
		t.Errorf("%+v, %v", back, err)
	}
}

var zoneNames = []string{
	"Europe/London", "UTC", "Europe/Dublin", "Europe/Warsaw", "America/New_York", "America/Los_Angeles", "America/Havana", "America/St_Johns",
	"America/Santiago", "America/Asuncion", "America/Sao_Paulo", "Africa/Cairo", "Africa/Casablanca", "Africa/Lagos", "Asia/Beirut", "Asia/Gaza",
	"Asia/Tehran", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "Asia/Karachi", "Australia/Lord_Howe", "Australia/Sydney", "Antarctica/Troll",
	"Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Honolulu", "Etc/GMT+12",
}

func zones(t testing.TB) []*time.Location {
	var all []*time.Location
	for _, name := range zoneNames {
		all = append(all, zone(t, name))
	}
	return all
}

func anyPlan(t *rapid.T) survey.ReminderPlan {
	leads := func(label string) []int { return rapid.SliceOfN(rapid.IntRange(0, MaxLead), 0, 6).Draw(t, label) }
	p := survey.ReminderPlan{BeforeClose: leads("before close"), BeforeWorkshop: leads("before workshop"), Hour: rapid.IntRange(8, 17).Draw(t, "hour"), Minute: rapid.IntRange(0, 59).Draw(t, "minute")}
	if rapid.IntRange(0, 2).Draw(t, "spec") == 0 {
		days := rapid.SampledFrom([]string{"* * *", "* * 1-5", "*/3 * *", "1,15 * *", "* * 5", "* 12 6,0,1", "25-31 12 *", "13 * 5"}).Draw(t, "days")
		p.Cron = fmt.Sprintf("%d %d %s", rapid.IntRange(0, 59).Draw(t, "spec minute"), rapid.IntRange(8, 17).Draw(t, "spec hour"), days)
	}
	return p
}

func anyTime(t *rapid.T, label string, from time.Time, days int) time.Time {
	return from.Add(time.Duration(rapid.IntRange(0, days*24*60).Draw(t, label)) * time.Minute)
}

// check checks what holds for all moments of one person.
func check(t *rapid.T, ms []survey.Moment, r survey.Round, p survey.ReminderPlan, place *time.Location, c *Calendar, now time.Time) {
	t.Helper()
	kinds := map[survey.MessageKind]bool{}
	for i, m := range ms {
		end, days := r.ClosesAt, p.BeforeClose
		if m.Kind.Base() == survey.WorkshopSoon {
			end, days = r.Workshop.At, p.BeforeWorkshop
		} else if p.Cron != "" {
			days = nil
		}
		notLater := func(d Date) bool { return !DateOf(m.At.In(place)).after(d) }
		switch local := m.At.In(place); {
		case !m.At.After(now):
			t.Fatalf("%v is not after now", m)
		case m.At.Before(r.OpenedAt):
			t.Fatalf("%v is before the opening", m)
		case !m.At.Before(end):
			t.Fatalf("%v is not before %v", m, end)
		case local.Hour() < 8 || local.Hour() > 18 || local.Hour() == 18 && local.Minute() > 0:
			t.Fatalf("%v is at night in %v", m, place)
		case local.Weekday() == time.Saturday || local.Weekday() == time.Sunday || c.Holiday(DateOf(local)):
			t.Fatalf("%v is on a day off in %v", m, place)
		case !c.Allows(m.At):
			t.Fatalf("%v is not allowed", m)
		case m.Kind != m.Kind.Base().On(local.Format(time.DateOnly)):
			t.Fatalf("the suffix of %v is not its local date", m)
		case kinds[m.Kind]:
			t.Fatalf("two of %s", m.Kind)
		case i > 0 && m.At.Before(ms[i-1].At):
			t.Fatalf("%v comes after %v", m, ms[i-1])
		case days != nil && !slices.ContainsFunc(datesBefore(end.In(r.Location()), days), notLater):
			t.Fatalf("%v is moved later", m)
		}
		kinds[m.Kind] = true
	}
}

func TestMomentsProperties(t *testing.T) {
	all, c := zones(t), EnglandAndWales()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		opened := anyTime(t, "opened", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 3*365)
		closes := anyTime(t, "closes", opened.Add(time.Hour), 90)
		r := survey.Round{OpenedAt: opened, ClosesAt: closes, Workshop: survey.Workshop{At: anyTime(t, "workshop", closes, 60)}, TimeZone: rapid.SampledFrom(all).Draw(t, "zone").String()}
		place := rapid.SampledFrom(all).Draw(t, "place")
		now := anyTime(t, "now", opened.AddDate(0, 0, -3), 100)
		ms := remindersOf(p, r, place, c, now)
		check(t, ms, r, p, place, c, now)

		// Later on, the moments are the same without those that are past.
		later := anyTime(t, "later", now, 30)
		want := slices.DeleteFunc(slices.Clone(ms), func(m survey.Moment) bool { return !m.At.After(later) })
		if got := remindersOf(p, r, place, c, later); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Fatalf("at %v: %v, want %v", later, got, want)
		}

		// In a survey that is open for long enough, there is a reminder.
		if p.Cron == "" && now.Before(opened.AddDate(0, 0, 1)) && closes.Sub(opened) > 75*24*time.Hour && len(p.BeforeClose) > 0 && !slices.ContainsFunc(ms, func(m survey.Moment) bool { return m.Kind.Base() == survey.ClosesSoon }) {
			t.Fatalf("nobody is reminded: %v", r)
		}
	})
}

// TestMovedDeadline: when the closing time moves, again and again, a kind that was sent is not due
// again, so that nobody gets two reminders of one kind on one date.
func TestMovedDeadline(t *testing.T) {
	all, c := zones(t), EnglandAndWales()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		opened := anyTime(t, "opened", time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), 365)
		place := rapid.SampledFrom(all).Draw(t, "place")
		r := survey.Round{OpenedAt: opened, TimeZone: rapid.SampledFrom(all).Draw(t, "zone").String()}
		sent := map[survey.MessageKind]time.Time{}
		now := opened
		for range rapid.IntRange(2, 5).Draw(t, "moves") {
			r.ClosesAt = anyTime(t, "closes", now.Add(time.Hour), 40)
			r.Workshop.At = anyTime(t, "workshop", r.ClosesAt, 20)
			ms := remindersOf(p, r, place, c, now)
			check(t, ms, r, p, place, c, now)
			until := anyTime(t, "until", now, 20)
			for _, m := range ms {
				if at, before := sent[m.Kind]; before {
					t.Fatalf("%v was sent already at %v", m, at)
				}
				if !m.At.After(until) {
					sent[m.Kind] = m.At
				}
			}
			now = until
		}
	})
}

// TestPlanAndHourChange: when the time of day changes on a date that has had its reminder, the kind is
// the same, so that no second reminder is sent.
func TestPlanAndHourChange(t *testing.T) {
	z := zone(t, "Europe/London")
	r := survey.Round{OpenedAt: time.Date(2026, 12, 1, 9, 0, 0, 0, z), ClosesAt: time.Date(2026, 12, 9, 17, 0, 0, 0, z), TimeZone: z.String()}
	first := remindersOf(survey.ReminderPlan{BeforeClose: []int{1}, Hour: 10}, r, nil, EnglandAndWales(), r.OpenedAt)
	r.ClosesAt = r.ClosesAt.AddDate(0, 0, 2)
	second := remindersOf(survey.ReminderPlan{BeforeClose: []int{3}, Hour: 15}, r, nil, EnglandAndWales(), first[0].At)
	third := remindersOf(survey.ReminderPlan{Cron: "0 16 8 * *", Hour: 10}, r, nil, EnglandAndWales(), first[0].At)
	if len(second) != 1 || len(third) != 1 || second[0].Kind != first[0].Kind || third[0].Kind != first[0].Kind {
		t.Errorf("%v, then %v, %v", first, second, third)
	}
}

func TestDigestsProperties(t *testing.T) {
	all, c := zones(t), EnglandAndWales()
	rapid.Check(t, func(t *rapid.T) {
		spec := rapid.SampledFrom([]string{survey.DefaultDigest, "0 9 * * *", "30 17 * * 0,6", "0 8 1 * *", "0 18 */2 * 3"}).Draw(t, "spec")
		s, err := ParseDigestCron(spec)
		if err != nil {
			t.Fatal(err)
		}
		opened := anyTime(t, "opened", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 3*365)
		r := survey.Round{OpenedAt: opened, ClosesAt: anyTime(t, "closes", opened, 90), TimeZone: rapid.SampledFrom(all).Draw(t, "zone").String()}
		now := anyTime(t, "now", opened.AddDate(0, 0, -3), 60)
		seen := map[Date]bool{}
		for _, m := range digestsOf(spec, r, c, now) {
			local := m.At.In(r.Location())
			d := DateOf(local)
			if seen[d] || !m.At.After(now) || !m.At.After(opened) || !m.At.Before(r.ClosesAt) || c.Holiday(d) || local.Hour() != s.Hour || local.Minute() != s.Minute {
				t.Fatalf("%v", m)
			}
			seen[d] = true
		}
	})
}

// BenchmarkMoments is the moments of 100,000 people in 30 zones: one plan a zone, and a look-up a
// person.
func BenchmarkMoments(b *testing.B) {
	all, c := zones(b), EnglandAndWales()
	z := zone(b, "Europe/London")
	r := survey.Round{OpenedAt: time.Date(2026, 11, 2, 9, 0, 0, 0, z), ClosesAt: time.Date(2026, 12, 11, 17, 0, 0, 0, z), Workshop: survey.Workshop{At: time.Date(2027, 1, 20, 13, 0, 0, 0, z)}, TimeZone: z.String()}
	const people = 100_000
	for name, p := range map[string]survey.ReminderPlan{"default": survey.DefaultReminders(), "every weekday": {Cron: "0 10 * * 1-5", BeforeWorkshop: []int{7, 1}, Hour: 10}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plans := map[*time.Location][]survey.Moment{}
				due := 0
				for i := range people {
					place := all[i%len(all)]
					ms, ok := plans[place]
					if !ok {
						ms = remindersOf(p, r, place, c, r.OpenedAt)
						plans[place] = ms
					}
					due += len(ms)
				}
				if due == 0 {
					b.Fatal("nobody is due")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/people, "ns/person")
		})
	}
}

func BenchmarkMomentsOfOneZone(b *testing.B) {
	c, z := EnglandAndWales(), zone(b, "Europe/London")
	r := survey.Round{OpenedAt: time.Date(2026, 11, 2, 9, 0, 0, 0, z), ClosesAt: time.Date(2026, 12, 11, 17, 0, 0, 0, z), Workshop: survey.Workshop{At: time.Date(2027, 1, 20, 13, 0, 0, 0, z)}, TimeZone: z.String()}
	b.ReportAllocs()
	for b.Loop() {
		remindersOf(survey.DefaultReminders(), r, nil, c, r.OpenedAt)
	}
}
