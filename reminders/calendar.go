package reminders

import (
	"fmt"
	"time"

	"github.com/rickar/cal/v2/gb"
)

// Date is a day of the calendar, in no time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the date of t in its time zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// String returns the date in the form 2026-12-04.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// AddDays returns the date n days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.utc().AddDate(0, 0, n)) }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

func (d Date) compare(other Date) int { return d.utc().Compare(other.utc()) }

func (d Date) after(other Date) bool { return d.compare(other) > 0 }

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// at returns the time at which clocks in the zone show the hour and minute on that date. If they
// show it twice, at returns the first time. If they skip it, at returns the time at which they go
// forward. It returns false if the zone skips the whole date, as Samoa skipped 30 December 2011.
func (d Date) at(hour, minute int, zone *time.Location) (time.Time, bool) {
	t := time.Date(d.Year, d.Month, d.Day, hour, minute, 0, 0, zone)
	start, end := t.ZoneBounds()
	if DateOf(t) == d && t.Hour() == hour && t.Minute() == minute {
		if start.IsZero() {
			return t, true
		}
		_, before := start.Add(-1).Zone()
		_, offset := t.Zone()
		if first := t.Add(time.Duration(offset-before) * time.Second); first.Before(start) {
			return first, true
		}
		return t, true
	}
	// For a skipped time, time.Date returns a time before or after the gap and does not say which.
	wanted := d.utc().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	y, m, day := t.Date()
	if time.Date(y, m, day, t.Hour(), t.Minute(), 0, 0, time.UTC).Before(wanted) {
		start = end
	}
	return start, DateOf(start) == d
}

// The waking hours, in minutes of the day. Reminders are sent from the first to the last of them.
const (
	firstMinute = 8 * 60
	lastMinute  = 18 * 60
)

// waking reports whether a time of day is in the waking hours.
func waking(hour, minute int) bool {
	return hour*60+minute >= firstMinute && hour*60+minute <= lastMinute
}

// The years whose bank holidays are computed. Earlier years are not needed, because reminders are
// planned for the future.
const (
	firstYear = 2024
	lastYear  = 2099
)

// Calendar holds the bank holidays of England and Wales. It never changes.
type Calendar struct {
	holidays map[Date]bool
}

// EnglandAndWales returns a calendar of the bank holidays from 2024 to 2099 that follow from the
// rules, with their substitute days. LoadHolidays adds a holiday that is proclaimed for one year,
// as for a coronation.
func EnglandAndWales() *Calendar {
	c := &Calendar{holidays: map[Date]bool{}}
	for year := firstYear; year <= lastYear; year++ {
		for _, h := range gb.Holidays {
			if _, observed := h.Calc(year); !observed.IsZero() {
				c.holidays[DateOf(observed)] = true
			}
		}
	}
	return c
}

// Holiday reports whether the date is a bank holiday.
func (c *Calendar) Holiday(d Date) bool { return c.holidays[d] }

// WorkingDay reports whether the date is neither at a weekend nor a bank holiday.
func (c *Calendar) WorkingDay(d Date) bool {
	day := d.Weekday()
	return day != time.Saturday && day != time.Sunday && !c.holidays[d]
}

// Allows reports whether a person may be reminded at t, by the clock of t's time zone: on a working
// day, from 08:00 to 18:00.
func (c *Calendar) Allows(t time.Time) bool {
	return waking(t.Hour(), t.Minute()) && c.WorkingDay(DateOf(t))
}
