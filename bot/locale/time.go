package locale

import (
	"strconv"
	"time"
)

// The names of days and months, by time.Weekday and by time.Month.
var (
	weekdayKeys = [...]string{
		"weekday.0", "weekday.1", "weekday.2", "weekday.3", "weekday.4", "weekday.5", "weekday.6",
	}
	monthKeys = [...]string{
		1: "month.1", "month.2", "month.3", "month.4", "month.5", "month.6",
		"month.7", "month.8", "month.9", "month.10", "month.11", "month.12",
	}
	shortMonthKeys = [...]string{
		1: "month_short.1", "month_short.2", "month_short.3", "month_short.4", "month_short.5",
		"month_short.6", "month_short.7", "month_short.8", "month_short.9", "month_short.10",
		"month_short.11", "month_short.12",
	}
)

// Day returns a date in words: "Friday 4 December 2026".
func (v Voice) Day(t time.Time) string { return v.dated("time.day", t) }

// ShortDay returns a date for a place with little room: "4 Dec 2026".
func (v Voice) ShortDay(t time.Time) string {
	return strconv.Itoa(t.Day()) + " " + v.Say(shortMonthKeys[t.Month()]) + " " +
		strconv.Itoa(t.Year())
}

// Time returns a time of day and a date in words: "5pm on Friday 4 December 2026". It follows
// "at", "until", "by" and the like, never "on".
func (v Voice) Time(t time.Time) string {
	if isMidnight(t) {
		// Midnight on Friday could be the beginning of that day or its end.
		return v.dated("time.midnight_day", t)
	}
	return v.dated("time.moment", t, "clock", v.Clock(t))
}

// Clock returns a time of day in words, to the minute: "5pm", "5.30pm", "midday", "midnight".
func (v Voice) Clock(t time.Time) string {
	hour := strconv.Itoa((t.Hour()+11)%12 + 1)
	if t.Minute() != 0 {
		hour += t.Format(".04")
	}
	switch {
	case isMidnight(t):
		return v.Say("time.midnight")
	case t.Hour() == 12 && t.Minute() == 0:
		return v.Say("time.midday")
	case t.Hour() < 12:
		return v.Say("time.morning", "hour", hour)
	case t.Hour() < 18:
		return v.Say("time.afternoon", "hour", hour)
	}
	return v.Say("time.evening", "hour", hour)
}

// Weekday returns the name of a day of the week: "Friday".
func (v Voice) Weekday(day time.Weekday) string { return v.Say(weekdayKeys[day]) }

func isMidnight(t time.Time) bool { return t.Hour() == 0 && t.Minute() == 0 }

// dated returns the sentence of a key with the date of t in it, and with more values.
func (v Voice) dated(key string, t time.Time, more ...any) string {
	return v.Say(key, append(more,
		"weekday", v.Say(weekdayKeys[t.Weekday()]),
		"day", t.Day(),
		"month", v.Say(monthKeys[t.Month()]),
		"year", t.Year(),
	)...)
}
