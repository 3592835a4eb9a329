package reminders

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"maturitybot/survey/plaintext"
)

func date(t testing.TB, s string) Date {
	t.Helper()
	d, ok := parseDate(s)
	if !ok {
		t.Fatalf("%q is no date", s)
	}
	return d
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// published is the list of gov.uk/bank-holidays for England and Wales.
var published = map[int]string{
	2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
	2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
	2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
	2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
	2028: "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
}

func holidaysOf(c *Calendar, year int) string {
	var days []string
	for d := (Date{year, 1, 1}); d.Year == year; d = d.AddDays(1) {
		// Christmas on a Saturday is not a working day anyway, and gov.uk lists the substitute day alone.
		if w := d.Weekday(); c.Holiday(d) && w != time.Saturday && w != time.Sunday {
			days = append(days, d.String()[5:])
		}
	}
	return strings.Join(days, " ")
}

func TestHolidaysAreThePublished(t *testing.T) {
	c := EnglandAndWales()
	for year, want := range published {
		if got := holidaysOf(c, year); got != want {
			t.Errorf("%d: %s, published %s", year, got, want)
		}
	}
}

// TestSubstituteDays has every way in which Christmas and New Year can fall, past what is published.
func TestSubstituteDays(t *testing.T) {
	c := EnglandAndWales()
	for year, want := range map[int]string{
		2029: "12-25 12-26", // Tuesday, Wednesday
		2031: "12-25 12-26", // Thursday, Friday
		2032: "12-27 12-28", // Saturday, Sunday
		2033: "12-26 12-27", // Sunday, Monday
		2034: "12-25 12-26", // Monday, Tuesday
		2037: "12-25 12-28", // Friday, Saturday
	} {
		if got := holidaysOf(c, year); !strings.HasSuffix(got, want) || len(strings.Fields(got)) != wholeYear {
			t.Errorf("%d: %s, want eight that end in %s", year, got, want)
		}
	}
	for year, want := range map[int]string{2033: "01-03", 2034: "01-02", 2035: "01-01"} {
		if got := holidaysOf(c, year); !strings.HasPrefix(got, want) {
			t.Errorf("%d: %s, want %s first", year, got, want)
		}
	}
}

// TestHolidaysReachTheLastYear guards against a rule that ends before the table does.
func TestHolidaysReachTheLastYear(t *testing.T) {
	c := EnglandAndWales()
	for year := firstYear; year <= lastYear; year++ {
		// New Year's Day on a Saturday or Sunday is kept on a Monday of the same year, so each year has its eight.
		if n := len(strings.Fields(holidaysOf(c, year))); n != wholeYear {
			t.Errorf("%d has %d bank holidays: %s", year, n, holidaysOf(c, year))
		}
	}
}

func TestWorkingDayAndAllows(t *testing.T) {
	c, london := EnglandAndWales(), zone(t, "Europe/London")
	for _, tt := range []struct {
		at   string
		want bool
	}{
		{"2026-12-24 10:00", true},
		{"2026-12-25 10:00", false}, // Christmas
		{"2026-12-26 10:00", false}, // Saturday
		{"2026-12-27 10:00", false}, // Sunday
		{"2026-12-28 10:00", false}, // for Boxing Day
		{"2026-12-29 07:59", false},
		{"2026-12-29 08:00", true},
		{"2026-12-29 18:00", true},
		{"2026-12-29 18:01", false},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", tt.at, london)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Allows(at); got != tt.want {
			t.Errorf("%s: %v", tt.at, got)
		}
	}
}

// TestAt is the clock of a day through skipped and doubled hours.
func TestAt(t *testing.T) {
	for _, tt := range []struct {
		zone, day, clock string
		want             string // in UTC; empty when there is none
	}{
		{"Europe/London", "2027-03-28", "00:59", "2027-03-28 00:59"},
		{"Europe/London", "2027-03-28", "01:00", "2027-03-28 01:00"}, // skipped: goes on at 02:00
		{"Europe/London", "2027-03-28", "01:30", "2027-03-28 01:00"},
		{"Europe/London", "2027-03-28", "02:00", "2027-03-28 01:00"},
		{"Europe/London", "2027-03-28", "10:00", "2027-03-28 09:00"},
		{"Europe/London", "2027-10-31", "00:30", "2027-10-30 23:30"},
		{"Europe/London", "2027-10-31", "01:00", "2027-10-31 00:00"}, // the first of two
		{"Europe/London", "2027-10-31", "01:30", "2027-10-31 00:30"},
		{"Europe/London", "2027-10-31", "02:00", "2027-10-31 02:00"},
		{"America/Havana", "2027-03-14", "00:30", "2027-03-14 05:00"}, // no midnight on this day
		{"America/Havana", "2027-11-07", "00:30", "2027-11-07 04:30"},
		{"America/Havana", "2027-11-07", "01:00", "2027-11-07 06:00"},
		{"America/New_York", "2027-11-07", "01:30", "2027-11-07 05:30"},
		{"Australia/Lord_Howe", "2027-10-03", "02:15", "2027-10-02 15:30"}, // half an hour
		{"Australia/Lord_Howe", "2027-04-04", "01:45", "2027-04-03 14:45"},
		{"Australia/Lord_Howe", "2027-04-04", "02:00", "2027-04-03 15:30"},
		{"Pacific/Apia", "2011-12-30", "10:00", ""}, // a day across the date line
		{"Pacific/Apia", "2011-12-31", "10:00", "2011-12-30 20:00"},
		{"UTC", "2027-10-31", "01:30", "2027-10-31 01:30"},
	} {
		var hour, minute int
		if _, err := fmt.Sscanf(tt.clock, "%d:%d", &hour, &minute); err != nil {
			t.Fatal(err)
		}
		at, ok := date(t, tt.day).at(hour, minute, zone(t, tt.zone))
		got := ""
		if ok {
			got = at.UTC().Format("2006-01-02 15:04")
		}
		if got != tt.want {
			t.Errorf("%s %s %s: %q, want %q", tt.zone, tt.day, tt.clock, got, tt.want)
		}
	}
}

func TestLoadHolidaysList(t *testing.T) {
	c, err := LoadHolidays("days.txt", strings.NewReader("\ufeff# one more, one moved\n2027-06-07   # a jubilee\r\n\nnot 2027-05-31\n2027-06-03\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := holidaysOf(c, 2027), "01-01 03-26 03-29 05-03 06-03 06-07 08-30 12-27 12-28"; got != want {
		t.Errorf("2027: %s, want %s", got, want)
	}
	if got := holidaysOf(c, 2026); got != published[2026] {
		t.Errorf("2026: %s", got)
	}
	if got := holidaysOf(EnglandAndWales(), 2027); got != published[2027] {
		t.Errorf("a loaded file changed the rules for everybody: %s", got)
	}
}

// govUK writes a list as gov.uk does, with the other divisions around it.
func govUK(years ...string) string {
	var b strings.Builder
	b.WriteString(`{"scotland":{"division":"scotland","events":[{"title":"2nd January","date":"2027-01-04","notes":"Substitute day","bunting":true}]},` + "\n")
	b.WriteString(`"england-and-wales":{"division":"england-and-wales","events":[` + "\n")
	var events []string
	for _, year := range years {
		y, days, _ := strings.Cut(year, " ")
		for _, d := range strings.Fields(days) {
			events = append(events, fmt.Sprintf(`{"title":"New Year’s Day","date":"%s-%s","notes":"","bunting":true}`, y, d))
		}
	}
	b.WriteString(strings.Join(events, ",\n"))
	b.WriteString("\n]}}\n")
	return b.String()
}

func TestLoadHolidaysPublished(t *testing.T) {
	// In this world the spring holiday of 2027 is moved and one is added; 2028 is not published yet.
	c, err := LoadHolidays("bank-holidays.json", strings.NewReader(govUK("2019 01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26",
		"2027 01-01 03-26 03-29 05-03 06-03 06-04 08-30 12-27 12-28")))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := holidaysOf(c, 2027), "01-01 03-26 03-29 05-03 06-03 06-04 08-30 12-27 12-28"; got != want {
		t.Errorf("2027: %s, want %s", got, want)
	}
	if got := holidaysOf(c, 2028); got != published[2028] {
		t.Errorf("2028: %s, want the rules'", got)
	}
	if c.Holiday(date(t, "2027-01-04")) {
		t.Error("a holiday of Scotland alone is kept")
	}
}

func TestLoadHolidaysFaults(t *testing.T) {
	whole := "2027 " + published[2027]
	for name, tt := range map[string]struct {
		text string
		want []string // beginnings, one a fault
	}{
		"empty":               {"", []string{"f:1: there is no date"}},
		"remarks alone":       {"# none\n", []string{"f:1: there is no date"}},
		"not a date":          {"2027-06-07\n7 June 2027\n2027-02-30\n", []string{`f:2: "7 June 2027" is no date`, `f:3: "2027-02-30" is no date`}},
		"other years":         {"1999-01-01\n2100-01-01", []string{"f:1: the year of 1999-01-01", "f:2: the year of 2100-01-01"}},
		"twice":               {"2027-06-07\n\nnot 2027-06-07", []string{"f:3: 2027-06-07 is here twice; it stands on line 1"}},
		"away, but never was": {"not 2027-06-07", []string{"f:1: 2027-06-07 is no bank holiday"}},
		"broken JSON":         {"{\n \"england-and-wales\": {\n \"events\": [}\n}", []string{"f:3: is not JSON"}},
		"cut JSON":            {"{\n \"england-and-wales\": {\n", []string{"f:2: is not JSON"}},
		"no division":         {"{\n\"wales\": {}}", []string{`f:1: there is no "england-and-wales"`}},
		"no events":           {"{\n\"england-and-wales\":\n {\"events_\": []}}", []string{`f:3: there is no "events"`}},
		"events an object":    {"{\"england-and-wales\":\n{\"events\":\n {}}}", []string{`f:3: "events" is no list`}},
		"no event":            {"{\"england-and-wales\":{\"events\":[]}}", []string{"f:1: there is no bank holiday"}},
		"half a year":         {govUK("2027 01-01 03-26 03-29 05-03"), []string{"f:3: 2027 has 4 of at least 8"}},
		"a bad date":          {strings.Replace(govUK(whole), "2027-03-29", "29 March", 1), []string{`f:5: "29 March" is no date`}},
		"a date twice":        {strings.Replace(govUK(whole), "2027-03-29", "2027-03-26", 1), []string{"f:5: 2027-03-26 is here twice; it stands on line 4"}},
		"not an object":       {strings.Replace(govUK(whole), `{"title":"New Year’s Day","date":"2027-03-29","notes":"","bunting":true}`, "17", 1), []string{"f:5: is no bank holiday"}},
		"date not a text":     {strings.Replace(govUK(whole), `"2027-03-29"`, "20270329", 1), []string{"f:5: is no bank holiday"}},
		"too large":           {strings.Repeat("#", maxHolidayBytes+1), []string{"f:1: is larger"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := LoadHolidays("f", strings.NewReader(tt.text))
			var faults plaintext.Faults
			if !errors.As(err, &faults) || c != nil {
				t.Fatalf("calendar %v, error %v", c, err)
			}
			if !slices.EqualFunc(faults, tt.want, func(f plaintext.Fault, want string) bool { return strings.HasPrefix(f.Error(), want) }) {
				t.Errorf("faults:\n%s\nwant:\n%s", faults, strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestLoadHolidaysFailingReader(t *testing.T) {
	broken := errors.New("broken")
	if _, err := LoadHolidays("f", readerFunc(func([]byte) (int, error) { return 0, broken })); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func FuzzLoadHolidays(f *testing.F) {
	f.Add("2027-06-07\nnot 2027-05-31\n")
	f.Add(govUK("2027 " + published[2027]))
	f.Add(`{"england-and-wales":{"events":[{"date":"2027-01-01"},null,{}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := LoadHolidays("f", strings.NewReader(text))
		var faults plaintext.Faults
		if (c == nil) == (err == nil) || err != nil && !errors.As(err, &faults) {
			t.Fatalf("calendar %v, error %v", c != nil, err)
		}
		lines := 1 + strings.Count(text, "\n")
		for _, fault := range faults {
			if fault.Line < 1 || fault.Line > lines {
				t.Errorf("%v, of %d lines", fault, lines)
			}
		}
	})
}
