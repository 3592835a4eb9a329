package reminders

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/survey"
)

func TestParseCronAccepts(t *testing.T) {
	for spec, want := range map[string]Cron{
		"0 10 * * *":             {Hour: 10},
		"30 9 * * 1-5":           {Hour: 9, Minute: 30},
		" 0  8 * * MON,wed ":     {Hour: 8},
		"0 18 * * ?":             {Hour: 18},
		"0 10 29 2 *":            {Hour: 10}, // in leap years
		"0 10 25 12 *":           {Hour: 10}, // never a working day: moved
		"0 10 1 * 6":             {Hour: 10}, // the 1st, and every Saturday
		"0,0 10-10 */2 1-12 0":   {Hour: 10},
		"0 10 * * 0-6":           {Hour: 10},
		"05 09 1-31/7 jan-dec *": {Hour: 9, Minute: 5},
	} {
		s, err := ParseCron(spec)
		if err != nil || s.Hour != want.Hour || s.Minute != want.Minute {
			t.Errorf("%q: %d:%d, %v", spec, s.Hour, s.Minute, err)
		}
	}
}

func TestParseCronRefuses(t *testing.T) {
	for spec, want := range map[string]CronError{
		"":                                      {Malformed, ""},
		"10":                                    {Malformed, ""},
		"0 0 10 * * *":                          {Malformed, ""}, // seconds
		"@reboot":                               {Malformed, ""},
		"60 10 * * *":                           {Malformed, "minute"},
		", 10 * * *":                            {Malformed, "minute"}, // matches no minute, and the parser accepts it
		"0 24 * * *":                            {Malformed, "hour"},
		"0 ten * * *":                           {Malformed, "hour"},
		"0 10 L * *":                            {Malformed, "day"},
		"0 10 * 13 *":                           {Malformed, "month"},
		"0 10 * * 7":                            {Malformed, "weekday"},
		"0 10 * * 5-1":                          {Malformed, "weekday"},
		strings.Repeat("0,", 60) + "0 10 * * *": {Malformed, ""},
		"CRON_TZ=Europe/London":                 {TimeZone, ""}, // the library panics
		"TZ=":                                   {TimeZone, ""},
		" CRON_TZ=Europe/London 0 10 * * *":     {TimeZone, ""},
		"tz=Asia/Tokyo 0 10 * * *":              {TimeZone, ""},
		"@every 24h":                            {Interval, ""},
		"* * * * *":                             {TooOften, ""},
		"0 9,15 * * 1-5":                        {TooOften, ""},
		"*/30 10 * * *":                         {TooOften, ""},
		"@hourly":                               {TooOften, ""},
		"0 10 30 2 *":                           {Never, ""},
		"0 10 31 4,6,9,11 *":                    {Never, ""},
		"0 3 30 2 *":                            {Never, ""},
		"0 3 * * *":                             {Night, ""},
		"59 7 * * 1":                            {Night, ""},
		"1 18 * * 1":                            {Night, ""},
		"@daily":                                {Night, ""},
		"@weekly":                               {Night, ""},
		"0 3 * * 6":                             {Night, ""},
		"0 10 * * 6":                            {Weekend, ""},
		"0 10 * * sun,SAT":                      {Weekend, ""},
		"0 10 * 8 0":                            {Weekend, ""},
	} {
		_, err := ParseCron(spec)
		var refused *CronError
		if !errors.As(err, &refused) || *refused != want {
			t.Errorf("%q: %v, want %v", spec, err, &want)
		}
	}
}

// TestDigestMayBeOnWeekends covers the one difference between ParseCron and ParseDigestCron.
func TestDigestMayBeOnWeekends(t *testing.T) {
	for _, spec := range []string{survey.DefaultDigest, "0 10 * * 6", "0 10 * * 0,6"} {
		if _, err := ParseDigestCron(spec); err != nil {
			t.Errorf("%q: %v", spec, err)
		}
	}
	for spec, want := range map[string]Reason{"CRON_TZ=X": TimeZone, "@every 1h": Interval, "@daily": Night, "0 10 30 2 *": Never, "0 * * * *": TooOften, "x": Malformed} {
		_, err := ParseDigestCron(spec)
		var refused *CronError
		if !errors.As(err, &refused) || refused.Reason != want {
			t.Errorf("%q: %v, want %s", spec, err, want)
		}
	}
}

// TestCronErrorHidesExpression: what a user typed must not get into logs.
func TestCronErrorHidesExpression(t *testing.T) {
	_, err := ParseCron("0 secret * * *")
	if err == nil || strings.Contains(err.Error(), "secret") || err.Error() != "cron expression: malformed in hour" {
		t.Errorf("error %q", err)
	}
	if errors.Unwrap(err) != nil {
		t.Error("it wraps the library's error, which repeats the expression")
	}
}

// TestScheduleThroughClockChanges: there is one moment on each weekday, at the same time of day, in
// zones that change their clocks at different hours. robfig/cron alone would skip or double a day.
func TestScheduleThroughClockChanges(t *testing.T) {
	c := &Calendar{} // weekends alone
	for _, name := range []string{"Europe/London", "America/Havana", "Australia/Lord_Howe", "America/New_York", "Africa/Casablanca", "America/Santiago", "Asia/Beirut", "Pacific/Chatham", "UTC"} {
		for _, spec := range []string{"0 8 * * *", "30 9 * * 1-5", "0 18 * * *"} {
			z := zone(t, name)
			s, err := ParseCron(spec)
			if err != nil {
				t.Fatal(err)
			}
			opened := time.Date(2027, 1, 4, 0, 0, 0, 0, z)
			r := survey.Round{OpenedAt: opened, ClosesAt: opened.AddDate(0, 11, 0), TimeZone: z.String()}
			got := map[Date]int{}
			for _, m := range remindersOf(survey.ReminderPlan{Cron: spec, Hour: 10}, r, nil, c, opened) {
				got[DateOf(m.At)]++
				if m.At.Hour() != s.Hour || m.At.Minute() != s.Minute {
					t.Errorf("%s, %q: %v", name, spec, m.At)
				}
			}
			for d := DateOf(opened); DateOf(r.ClosesAt).after(d); d = d.AddDays(1) {
				want := 0
				if c.WorkingDay(d) {
					want = 1
				}
				if got[d] != want {
					t.Errorf("%s, %q: %d moments on %s, want %d", name, spec, got[d], d, want)
				}
			}
		}
	}
}

// TestSkippedDay: Samoa skipped 30 December 2011, a Friday. A reminder for that day comes on the
// 29th.
func TestSkippedDay(t *testing.T) {
	z := zone(t, "Pacific/Apia")
	r := survey.Round{ClosesAt: time.Date(2012, 1, 2, 12, 0, 0, 0, z), TimeZone: z.String()}
	now := time.Date(2011, 12, 26, 12, 0, 0, 0, z)
	for name, p := range map[string]survey.ReminderPlan{"leads": {BeforeClose: []int{3}, Hour: 10}, "spec": {Cron: "0 10 30 12 *", Hour: 10}} {
		got := remindersOf(p, r, nil, &Calendar{}, now)
		if len(got) != 1 || got[0].Kind != "closes@2011-12-29" {
			t.Errorf("%s: %v", name, got)
		}
	}
	var kinds []survey.MessageKind
	for _, m := range digestsOf("0 9 * * *", r, &Calendar{}, now.AddDate(0, 0, 2)) {
		kinds = append(kinds, m.Kind)
	}
	if want := []survey.MessageKind{"digest@2011-12-29", "digest@2011-12-31", "digest@2012-01-01", "digest@2012-01-02"}; !slices.Equal(kinds, want) {
		t.Errorf("digests %v", kinds)
	}
}

func TestDigests(t *testing.T) {
	z := zone(t, "Europe/London")
	day := func(y int, m time.Month, d, h int) time.Time { return time.Date(y, m, d, h, 0, 0, 0, z) }
	c := EnglandAndWales()
	times := func(spec string, r survey.Round, now time.Time) string {
		var days []string
		for _, m := range digestsOf(spec, r, c, now) {
			if m.Kind != survey.Digest.On(DateOf(m.At).String()) {
				t.Errorf("moment %+v", m)
			}
			days = append(days, m.At.Format("01-02T15:04Z07:00"))
		}
		return strings.Join(days, " ")
	}
	easter := survey.Round{OpenedAt: day(2027, 3, 24, 9), ClosesAt: day(2027, 3, 31, 9), TimeZone: z.String()}
	// Not at the opening itself, nor on Good Friday, the weekend of the clock change, Easter Monday,
	// nor at the close.
	if got := times(survey.DefaultDigest, easter, time.Time{}); got != "03-25T09:00Z 03-30T09:00+01:00" {
		t.Errorf("Easter: %s", got)
	}
	if got := times("0 9 * * *", easter, day(2027, 3, 26, 9)); got != "03-27T09:00Z 03-28T09:00+01:00 03-30T09:00+01:00" {
		t.Errorf("Easter, every day: %s", got)
	}
	if got := times(survey.DefaultDigest, easter, day(2027, 3, 30, 9)); got != "" {
		t.Errorf("after the last: %s", got)
	}
}

func FuzzParseCron(f *testing.F) {
	for _, s := range []string{survey.DefaultDigest, "CRON_TZ=Europe/London", "TZ= 0 10 * * *", "@every 1h", "@", "* * * * *", "0 10 30 2 *", ", , , , ,",
		"0/9223372036854775807 10 * * *", "0-0-0 10 * * *", "0 10 */2 * 6", "0 10 ? feb sun", "\x000 10 * * *", "0 10 29 2 0,6", "0 10 29 2 *", "+0 +10 * * *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := ParseCron(spec)
		var refused *CronError
		if err != nil {
			if !errors.As(err, &refused) || !slices.Contains(Reasons, refused.Reason) || refused.Field != "" && refused.Reason != Malformed {
				t.Fatalf("%q: %#v", spec, err)
			}
			return
		}
		if !waking(s.Hour, s.Minute) {
			t.Fatalf("%q at %d:%d", spec, s.Hour, s.Minute)
		}
		if _, err := ParseDigestCron(spec); err != nil {
			t.Fatalf("%q may be a reminder, but not a digest: %v", spec, err)
		}
		for d, n := (Date{2026, 1, 1}), 0; n < 12; n++ {
			next, ok := s.next(d)
			if !ok {
				t.Fatalf("%q has no day after %s", spec, d)
			}
			if d.after(next) {
				t.Fatalf("%q: %s after %s", spec, next, d)
			}
			d = next.AddDays(1)
		}
	})
}

// TestParserPanic: an expression that makes the library panic is an error.
func TestParserPanic(t *testing.T) {
	if s, err := parse("CRON_TZ=Europe/London"); err == nil || s != nil {
		t.Errorf("%v, %v", s, err)
	}
}
