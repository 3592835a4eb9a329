package reminders

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rickar/cal/v2/gb"

	"maturitybot/survey/plaintext"
)

// Date is a day of the calendar, in no time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day it is at t, in t's own time zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// String writes the day as 2026-12-04.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// AddDays is the day n days later, or earlier when n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.utc().AddDate(0, 0, n)) }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

func (d Date) compare(e Date) int { return d.utc().Compare(e.utc()) }

func (d Date) after(e Date) bool { return d.compare(e) > 0 }

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// at is the one moment of that day that stands for the time of the clock in the zone. Of an hour
// that comes twice it is the first; of an hour that the clock skips, the moment the clock goes on
// from. It is false when the zone has no such moment on that day, as Samoa had none on 30 December
// 2011.
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
	// time.Date answers a skipped time with one on either side of the gap, and does not say which.
	wanted := d.utc().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	y, m, day := t.Date()
	if time.Date(y, m, day, t.Hour(), t.Minute(), 0, 0, time.UTC).Before(wanted) {
		start = end
	}
	return start, DateOf(start) == d
}

// The waking hours, in minutes of the day: nobody is reminded before the first or after the last.
const (
	firstMinute = 8 * 60
	lastMinute  = 18 * 60
)

func waking(hour, minute int) bool {
	return hour*60+minute >= firstMinute && hour*60+minute <= lastMinute
}

// The years whose bank holidays are known by rule. Past holidays need no keeping, since reminders
// lie ahead.
const (
	firstYear = 2024
	lastYear  = 2099
)

// Calendar knows the working days of England and Wales. It does not change once made.
type Calendar struct {
	holidays map[Date]bool
}

// EnglandAndWales is the calendar by the rules of the bank holidays, substitute days included, from
// 2024 to 2099. A holiday proclaimed for one year only, as for a coronation, comes by LoadHolidays.
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

// Holiday says whether the day is a bank holiday.
func (c *Calendar) Holiday(d Date) bool { return c.holidays[d] }

// WorkingDay says whether the day is neither on a weekend nor a bank holiday.
func (c *Calendar) WorkingDay(d Date) bool {
	w := d.Weekday()
	return w != time.Saturday && w != time.Sunday && !c.holidays[d]
}

// Allows says whether a person may be reminded at t, by the clock of t's own time zone: on a
// working day, from 08:00 to 18:00. A sender asks it again for a reminder that comes late.
func (c *Calendar) Allows(t time.Time) bool {
	return waking(t.Hour(), t.Minute()) && c.WorkingDay(DateOf(t))
}

// wholeYear is how many bank holidays England and Wales have in a year when none is added.
const wholeYear = 8

// maxHolidayBytes is far above gov.uk's list, which has some 30 kB for eleven years and three
// divisions.
const maxHolidayBytes = 1 << 20

// LoadHolidays returns the calendar of EnglandAndWales with the changes in a file. The file has one
// of two forms:
//
//   - The list that gov.uk publishes as bank-holidays.json. Its division england-and-wales replaces
//     the rules for every year that it contains, so it must list the whole of each year.
//   - A list of days, one a line. "2027-06-07" adds a bank holiday, "not 2027-05-31" removes one,
//     and a # begins a comment.
//
// If the file is not valid, LoadHolidays returns plaintext.Faults, with file as its name, and no
// calendar.
func LoadHolidays(file string, r io.Reader) (*Calendar, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxHolidayBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read bank holidays: %w", err)
	}
	if len(text) > maxHolidayBytes {
		return nil, plaintext.Faults{{
			File: file,
			Line: 1,
			What: "is larger than 1 MiB",
			Want: "a list of bank holidays",
		}}
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	l := loader{file: file, text: text, calendar: EnglandAndWales()}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		l.published()
	} else {
		l.list()
	}
	if len(l.faults) > 0 {
		slices.SortStableFunc(l.faults, func(a, b plaintext.Fault) int { return a.Line - b.Line })
		return nil, l.faults
	}
	return l.calendar, nil
}

type loader struct {
	file     string
	text     []byte
	calendar *Calendar
	faults   plaintext.Faults
}

func (l *loader) fault(line int, what, want string) {
	l.faults = append(l.faults, plaintext.Fault{File: l.file, Line: line, What: what, Want: want})
}

// line is the line of the first token at or after the offset.
func (l *loader) line(offset int64) int {
	rest := l.text[offset:]
	offset += int64(len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,:")))
	return 1 + bytes.Count(l.text[:offset], []byte("\n"))
}

func parseDate(s string) (Date, bool) {
	t, err := time.Parse(time.DateOnly, s)
	return DateOf(t), err == nil
}

const wantDate = "want a date such as 2027-12-27"

func (l *loader) list() {
	seen := map[Date]int{}
	n := 0
	for line := range strings.Lines(string(l.text)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		date, away := strings.CutPrefix(line, "not ")
		d, ok := parseDate(strings.TrimSpace(date))
		switch {
		case !ok:
			l.fault(n, fmt.Sprintf("%q is no date", line),
				wantDate+`, "not" before it to take a holiday away`)
			continue
		case d.Year < firstYear || d.Year > lastYear:
			l.fault(n, fmt.Sprintf("the year of %s is not known", d),
				fmt.Sprintf("want one from %d to %d", firstYear, lastYear))
		case seen[d] > 0:
			l.fault(n, fmt.Sprintf("%s is here twice", d),
				fmt.Sprintf("it stands on line %d already", seen[d]))
		case away && !l.calendar.holidays[d]:
			l.fault(n, fmt.Sprintf("%s is no bank holiday", d), `"not" takes one away that would be`)
		case away:
			delete(l.calendar.holidays, d)
		default:
			l.calendar.holidays[d] = true
		}
		seen[d] = n
	}
	if len(seen) == 0 && len(l.faults) == 0 {
		l.fault(1, "there is no date in it", wantDate)
	}
}

// published reads gov.uk's list.
func (l *loader) published() {
	var whole any
	if err := json.Unmarshal(l.text, &whole); err != nil {
		var syntax *json.SyntaxError
		offset := int64(0)
		if errors.As(err, &syntax) {
			offset = max(0, syntax.Offset-1) // the offset includes the byte that is not valid
		}
		line := 1 + bytes.Count(l.text[:offset], []byte("\n"))
		l.fault(line, "is not JSON: "+err.Error(), "want gov.uk's bank-holidays.json")
		return
	}
	dec := json.NewDecoder(bytes.NewReader(l.text))
	for _, key := range []string{"england-and-wales", "events"} {
		line := l.line(dec.InputOffset())
		if !enter(dec, key) {
			l.fault(line, fmt.Sprintf("there is no %q", key), "want gov.uk's bank-holidays.json")
			return
		}
	}
	line := l.line(dec.InputOffset())
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		l.fault(line, `"events" is no list`, "want a list of bank holidays")
		return
	}
	type year struct{ first, count int }
	years := map[int]year{}
	seen := map[Date]int{}
	for dec.More() {
		line := l.line(dec.InputOffset())
		var event struct{ Date string }
		if err := dec.Decode(&event); err != nil {
			var typed *json.UnmarshalTypeError
			if !errors.As(err, &typed) { // the text was read as JSON before, so nothing else can be wrong
				l.fault(line, err.Error(), "want gov.uk's bank-holidays.json")
				return
			}
			l.fault(line, "is no bank holiday", `want an object with a "date"`)
			continue
		}
		d, ok := parseDate(event.Date)
		switch {
		case !ok:
			l.fault(line, fmt.Sprintf("%q is no date", event.Date), wantDate)
			continue
		case seen[d] > 0:
			l.fault(line, fmt.Sprintf("%s is here twice", d),
				fmt.Sprintf("it stands on line %d already", seen[d]))
			continue
		}
		seen[d] = line
		y := years[d.Year]
		if y.count == 0 {
			y.first = line
		}
		y.count++
		years[d.Year] = y
	}
	for n, y := range years {
		if y.count < wholeYear && len(l.faults) == 0 {
			l.fault(y.first,
				fmt.Sprintf("%d has %d of at least %d bank holidays", n, y.count, wholeYear),
				"a year must be whole; give single days as a list of dates")
		}
	}
	if len(seen) == 0 && len(l.faults) == 0 {
		l.fault(line, "there is no bank holiday in it", `want "events" with a "date" each`)
	}
	for d := range l.calendar.holidays {
		if years[d.Year].count > 0 {
			delete(l.calendar.holidays, d)
		}
	}
	for d := range seen {
		l.calendar.holidays[d] = true
	}
}

// enter moves into the object that comes next, up to the value of the key. It is false when there
// is none.
func enter(dec *json.Decoder, key string) bool {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return false
		}
		if name == key {
			return true
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return false
		}
	}
	return false
}
