package bot

import (
	"fmt"
	"testing"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
)

func TestReadDay(t *testing.T) {
	for _, text := range []string{
		"2026-12-11", "2026‑12‑11", "2026/12/11", "11/12/2026", "11.12.2026", "11-12-26", "11–12–2026", "11 December 2026", "11 Dec 2026", "11th December, 2026",
		"Friday 11 December 2026", "Fri 11th of Dec 26", "11 Rhagfyr 2026", "11eg o Ragfyr 2026", "ddydd Gwener 11 Rhagfyr 2026", "dydd Gwener 11 Rhagfyr 2026", "11 RHAG 2026",
		"December 11, 2026", "11\u00a0December\u202f2026",
	} {
		if y, m, d, ok := readDay(text); !ok || y != 2026 || m != 12 || d != 11 {
			t.Errorf("%q is %d-%d-%d, %v", text, y, m, d, ok)
		}
	}
	for text, want := range map[string]string{
		"1af o Fawrth 2027": "2027-03-01", "2il Mai 2027": "2027-05-02", "dydd Mawrth 2 Mawrth 2027": "2027-03-02", "Maw 15 Rhag 2026": "2026-12-15", "2 Mawrth 2027, dydd Mawrth": "2027-03-02", "3ydd o Fedi 2027": "2027-09-03",
		"30 Gorff 2027": "2027-07-30", "Iau 1 Gorffennaf 2027": "2027-07-01", "29 Feb 2028": "2028-02-29", "5 Mehefin 2027": "2027-06-05", "1 Awst 2027": "2027-08-01",
	} {
		if y, m, d, ok := readDay(text); !ok || fmt.Sprintf("%04d-%02d-%02d", y, m, d) != want {
			t.Errorf("%q is %d-%d-%d, %v, want %s", text, y, m, d, ok, want)
		}
	}
	for _, text := range []string{
		"", "11", "11 December", "11/12", "31/02/2027", "12/31/2026", "29 Feb 2027", "Saturday 11 December 2026", "tomorrow", "11 Foo 2026", "11/12/2026 17:00",
		"0/12/2026", "11 Dec 1026", "11 11 Dec 2026", "11/12/20266", "11x/12/2026",
	} {
		if y, m, d, ok := readDay(text); ok {
			t.Errorf("%q is %d-%d-%d", text, y, m, d)
		}
	}
}

func TestReadClock(t *testing.T) {
	for text, want := range map[string]string{
		"17:00": "17:00", "17.00": "17:00", "1700": "17:00", "17": "17:00", "5pm": "17:00", "5 PM": "17:00", "5.30 p.m.": "17:30", "5yp": "17:00", "5:15 yh": "17:15",
		"9yb": "09:00", "9.30am": "09:30", "12am": "00:00", "12pm": "12:00", "noon": "12:00", "hanner dydd": "12:00", "9:05": "09:05", "0:00": "00:00", "00:30": "00:30",
		"midnight": "00:00", "Hanner nos": "00:00", "6yh": "18:00", "5.30yp": "17:30", "17h30": "17:30", "\u00a017:00\u200b": "17:00", "0900": "09:00",
	} {
		if h, m, ok := readClock(text); !ok || fmt.Sprintf("%02d:%02d", h, m) != want {
			t.Errorf("%q is %d:%d, %v, want %s", text, h, m, ok, want)
		}
	}
	for _, text := range []string{"", "5", "12", "24:00", "25", "17:60", "17:0", "17:", "pm", "13pm", "0am", "17:00:00", "-1:00", "5 o'clock", "a:b", "1e3"} {
		if h, m, ok := readClock(text); ok {
			t.Errorf("%q is %d:%d", text, h, m)
		}
	}
}

func TestClockChanges(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for wrote, c := range map[string]struct {
		m              enteredTime
		want           string
		skipped, twice bool
	}{
		"as usual":       {clockTime(2027, 3, 27, 1, 30, london), "2027-03-27T01:30:00Z", false, false},
		"in the gap":     {clockTime(2027, 3, 28, 1, 30, london), "2027-03-28T02:30:00+01:00", true, false},
		"before the gap": {clockTime(2027, 3, 28, 0, 59, london), "2027-03-28T00:59:00Z", false, false},
		"after the gap":  {clockTime(2027, 3, 28, 2, 0, london), "2027-03-28T02:00:00+01:00", false, false},
		"twice":          {clockTime(2027, 10, 31, 1, 30, london), "2027-10-31T01:30:00+01:00", false, true},
		"after it":       {clockTime(2027, 10, 31, 2, 0, london), "2027-10-31T02:00:00Z", false, false},
	} {
		if got := c.m.Format(time.RFC3339); got != c.want || c.m.skipped != c.skipped ||
			c.m.twice != c.twice {
			t.Errorf("%s: %s, skipped %v, twice %v", wrote, got, c.m.skipped, c.m.twice)
		}
	}
}

// TestReadsWhatItWrites gives back each minute of a day, and each day of a year, as the bot writes
// them: in the two fields of a form, and whole in the date field.
func TestReadsWhatItWrites(t *testing.T) {
	words := locale.New()
	start := time.Date(2026, 12, 11, 0, 0, 0, 0, time.UTC)
	var times []time.Time
	for minute := range 24 * 60 {
		times = append(times, start.Add(time.Duration(minute)*time.Minute))
	}
	for day := range 366 {
		times = append(times, start.AddDate(0, 0, day), start.AddDate(0, 0, day).Add(17*time.Hour))
	}
	for _, lang := range []string{"en", "cy"} {
		v := words.In(lang)
		for _, want := range times {
			for _, fields := range []map[string][]string{
				{"closes": {v.Day(want)}, "closes_time": {v.Clock(want)}},
				{"closes": {v.Time(want)}},
				{"closes": {v.Time(want)}, "closes_time": {"09:59"}},
			} {
				e := chat.Event{Values: fields}
				if got, err := readTime(e, "closes", "09:59", time.UTC); err != nil ||
					!got.Equal(want) {
					t.Fatalf("%s: %v is %v, %v, want %v", lang, fields, got.Time, err, want)
				}
			}
		}
	}
}
