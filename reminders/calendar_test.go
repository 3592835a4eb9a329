package reminders

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
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

// published are the bank holidays of England and Wales that gov.uk/bank-holidays lists.
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
		// Of Christmas on a Saturday, gov.uk lists the substitute day alone.
		if w := d.Weekday(); c.Holiday(d) && w != time.Saturday && w != time.Sunday {
			days = append(days, d.String()[5:])
		}
	}
	return strings.Join(days, " ")
}

func TestHolidaysMatchPublished(t *testing.T) {
	c := EnglandAndWales()
	for year, want := range published {
		if got := holidaysOf(c, year); got != want {
			t.Errorf("%d: %s, published %s", year, got, want)
		}
	}
}

// TestSubstituteDays covers each weekday of Christmas and New Year, in years after the published
// ones.
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

// TestHolidaysUntilLastYear: no rule of the library ends before lastYear.
func TestHolidaysUntilLastYear(t *testing.T) {
	c := EnglandAndWales()
	for year := firstYear; year <= lastYear; year++ {
		// The substitute day of New Year's Day is in the same year, so each year has eight.
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

// TestDateAt covers hours that a clock skips, and hours that it shows twice.
func TestDateAt(t *testing.T) {
	for _, tt := range []struct {
		zone, day, clock string
		want             string // in UTC; empty when there is none
	}{
		{"Europe/London", "2027-03-28", "00:59", "2027-03-28 00:59"},
		{"Europe/London", "2027-03-28", "01:00", "2027-03-28 01:00"}, // skipped: 02:00 comes next
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
