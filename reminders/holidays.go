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

	"maturitybot/survey/plaintext"
)

// wholeYear is the number of bank holidays in a year to which none is added.
const wholeYear = 8

// maxHolidayBytes bounds a file of holidays. gov.uk's list has some 30 kB for eleven years and
// three divisions.
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
	l := loader{file: file, text: text, calendar: EnglandAndWales(), seen: map[Date]int{}}
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

// loader adds the holidays of a file to a calendar, and collects the faults of the file.
type loader struct {
	file     string
	text     []byte
	calendar *Calendar
	seen     map[Date]int // the line of each date
	faults   plaintext.Faults
}

func (l *loader) fault(line int, what, want string) {
	l.faults = append(l.faults, plaintext.Fault{File: l.file, Line: line, What: what, Want: want})
}

// line returns the line of the first token at or after the offset.
func (l *loader) line(offset int64) int {
	rest := l.text[offset:]
	offset += int64(len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,:")))
	return l.lineAt(offset)
}

// lineAt returns the line of the byte at the offset.
func (l *loader) lineAt(offset int64) int {
	return 1 + bytes.Count(l.text[:offset], []byte("\n"))
}

func parseDate(s string) (Date, bool) {
	t, err := time.Parse(time.DateOnly, s)
	return DateOf(t), err == nil
}

// take notes the line of a date. For a date that has a line already, it adds a fault and returns
// false.
func (l *loader) take(d Date, line int) bool {
	if first := l.seen[d]; first > 0 {
		l.fault(line, fmt.Sprintf("%s is here twice", d), fmt.Sprintf("it is on line %d already", first))
		return false
	}
	l.seen[d] = line
	return true
}

const (
	wantDate = "want a date such as 2027-12-27"
	wantFile = "want gov.uk's bank-holidays.json"
)

// list reads a list of days.
func (l *loader) list() {
	n := 0
	for line := range strings.Lines(string(l.text)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			l.listed(n, line)
		}
	}
	if len(l.seen) == 0 && len(l.faults) == 0 {
		l.fault(1, "there is no date in it", wantDate)
	}
}

// listed reads one line of a list, which adds or removes a holiday.
func (l *loader) listed(n int, line string) {
	date, removed := strings.CutPrefix(line, "not ")
	d, ok := parseDate(strings.TrimSpace(date))
	switch {
	case !ok:
		l.fault(n, fmt.Sprintf("%q is no date", line),
			wantDate+`, "not" before it to take a holiday away`)
	case d.Year < firstYear || d.Year > lastYear:
		l.seen[d] = n
		l.fault(n, fmt.Sprintf("the year of %s is not known", d),
			fmt.Sprintf("want one from %d to %d", firstYear, lastYear))
	case !l.take(d, n):
	case removed && !l.calendar.holidays[d]:
		l.fault(n, fmt.Sprintf("%s is no bank holiday", d), `"not" takes one away that would be`)
	case removed:
		delete(l.calendar.holidays, d)
	default:
		l.calendar.holidays[d] = true
	}
}

// published reads gov.uk's list.
func (l *loader) published() {
	dec, ok := l.events()
	if !ok {
		return
	}
	type year struct{ first, count int } // the line of its first holiday, and their number
	years := map[int]year{}
	for dec.More() {
		line := l.line(dec.InputOffset())
		d, err := l.event(dec, line)
		if err != nil {
			l.fault(line, err.Error(), wantFile)
			return
		}
		if d == (Date{}) || !l.take(d, line) {
			continue
		}
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
	for d := range l.calendar.holidays {
		if years[d.Year].count > 0 {
			delete(l.calendar.holidays, d)
		}
	}
	for d := range l.seen {
		l.calendar.holidays[d] = true
	}
}

// events returns a decoder of the events of England and Wales. It adds a fault and returns false
// if the text has none.
func (l *loader) events() (*json.Decoder, bool) {
	var whole any
	if err := json.Unmarshal(l.text, &whole); err != nil {
		var offset int64
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			offset = max(0, syntax.Offset-1) // the offset includes the byte that is not valid
		}
		l.fault(l.lineAt(offset), "is not JSON: "+err.Error(), wantFile)
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(l.text))
	for _, key := range []string{"england-and-wales", "events"} {
		line := l.line(dec.InputOffset())
		if !enter(dec, key) {
			l.fault(line, fmt.Sprintf("there is no %q", key), wantFile)
			return nil, false
		}
	}
	line := l.line(dec.InputOffset())
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		l.fault(line, `"events" is no list`, "want a list of bank holidays")
		return nil, false
	}
	if !dec.More() {
		l.fault(line, "there is no bank holiday in it", `want "events" with a "date" each`)
		return nil, false
	}
	return dec, true
}

// event reads one event of the list and returns its date. It adds a fault and returns the zero Date
// for an event without a date. After an error, the rest of the list cannot be read.
func (l *loader) event(dec *json.Decoder, line int) (Date, error) {
	var event struct{ Date string }
	err := dec.Decode(&event)
	if _, mistyped := errors.AsType[*json.UnmarshalTypeError](err); mistyped {
		l.fault(line, "is no bank holiday", `want an object with a "date"`)
		return Date{}, nil
	}
	if err != nil { // the text is JSON, so there should be no other error
		return Date{}, fmt.Errorf("read an event: %w", err)
	}
	d, ok := parseDate(event.Date)
	if !ok {
		l.fault(line, fmt.Sprintf("%q is no date", event.Date), wantDate)
		return Date{}, nil
	}
	return d, nil
}

// enter moves the decoder into the object that comes next, to the value of the key. It returns
// false if there is none.
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
