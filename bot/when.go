package bot

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/plaintext"
)

// readDay reads a day, the day of the month first, in the ways that people in Britain write it:
// 11/12/2026, 11.12.26, 11 December 2026, Friday 11th Dec 2026, 11 Rhagfyr 2026, dydd Gwener 11eg
// o Ragfyr 2026; or 2026-12-11, as forms give it. It returns false for text that is no day, and
// for a day with the wrong weekday.
func readDay(text string) (year int, month time.Month, day int, ok bool) {
	words := strings.FieldsFunc(
		plaintext.Key(text),
		func(r rune) bool { return strings.ContainsRune(" ,./-", r) },
	)
	weekday := -1
	var monthName string
	var numbers []int
	yearFirst := false
	for _, word := range words {
		digits := strings.TrimRight(word, "abcdefghijklmnopqrstuvwxyz")
		n, err := strconv.Atoi(digits)
		switch {
		case err == nil && (digits == word || slices.Contains(ordinals, word[len(digits):])):
			yearFirst = yearFirst || len(numbers) == 0 && len(digits) == 4
			if len(digits) == 2 && len(numbers) == 2 ||
				len(digits) == 2 && len(numbers) == 1 && month > 0 {
				n += 2000
			}
			numbers = append(numbers, n)
		case slices.Contains([]string{"dydd", "ddydd", "dy", "o", "of", "the"}, word):
		case month == 0 && nameIn(word, months) > 0:
			month, monthName = time.Month(1+(nameIn(word, months)-1)%12), word
		case weekday < 0 && nameIn(word, months) > 0 && nameIn(monthName, weekdays) > 0:
			// In Welsh, Tuesday and March have the same name; Tuesday comes first.
			weekday = (nameIn(monthName, weekdays) - 1) % 7
			month = time.Month(1 + (nameIn(word, months)-1)%12)
		case weekday < 0 && nameIn(word, weekdays) > 0:
			weekday = (nameIn(word, weekdays) - 1) % 7
		default:
			return 0, 0, 0, false
		}
	}
	switch {
	case month > 0 && len(numbers) == 2:
		day, year = numbers[0], numbers[1]
	case month == 0 && len(numbers) == 3:
		day, month, year = numbers[0], time.Month(numbers[1]), numbers[2]
		if yearFirst {
			day, year = numbers[2]%2000, numbers[0]
		}
	default:
		return 0, 0, 0, false
	}
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	ok = year >= 2000 && year < 10000 && t.Day() == day && t.Month() == month &&
		(weekday < 0 || int(t.Weekday()) == weekday)
	return year, month, day, ok
}

// ordinals are the endings of numbers, in English and Welsh.
var ordinals = []string{"st", "nd", "rd", "th", "af", "il", "ydd", "ed", "fed", "eg", "ain"}

// months and weekdays are their names in English, in Welsh, and in Welsh after "o" or "dydd", which
// changes their first letter. Each can be shortened to three letters or more.
var (
	months = []string{
		"january", "february", "march", "april", "may", "june",
		"july", "august", "september", "october", "november", "december",
		"ionawr", "chwefror", "mawrth", "ebrill", "mai", "mehefin",
		"gorffennaf", "awst", "medi", "hydref", "tachwedd", "rhagfyr",
		"ionawr", "chwefror", "fawrth", "ebrill", "fai", "fehefin",
		"orffennaf", "awst", "fedi", "hydref", "dachwedd", "ragfyr",
	}
	weekdays = []string{
		"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
		"sul", "llun", "mawrth", "mercher", "iau", "gwener", "sadwrn",
	}
)

// nameIn returns the place of a name from 1, or 0. A name can be shortened to three letters.
func nameIn(word string, names []string) int {
	if len(word) < 3 {
		return 0
	}
	return 1 + slices.IndexFunc(
		names,
		func(name string) bool { return strings.HasPrefix(name, word) },
	)
}

// readClock reads a time of day as people in Britain write it: 17:00, 17.00, 1700, 17, 5pm, 5.30 pm, 5yp,
// noon, midnight, hanner nos. A number up to 12 alone could be before or after noon, so it is
// not read.
func readClock(text string) (hour, minute int, ok bool) {
	word := strings.ReplaceAll(plaintext.Key(text), " ", "")
	switch word {
	case "noon", "midday", "12noon", "hannerdydd":
		return 12, 0, true
	case "midnight", "12midnight", "hannernos":
		return 0, 0, true
	}
	half := ""
	for _, h := range []struct{ ending, half string }{
		{"a.m.", "am"}, {"p.m.", "pm"}, {"am", "am"}, {"pm", "pm"},
		{"yb", "am"}, {"yp", "pm"}, {"yh", "pm"}, {"y.b.", "am"}, {"y.p.", "pm"}, {"y.h.", "pm"},
	} {
		if rest, found := strings.CutSuffix(word, h.ending); found {
			word, half = rest, h.half
			break
		}
	}
	hours, minutes, separated := strings.Cut(
		strings.NewReplacer(".", ":", ";", ":", "h", ":").Replace(word),
		":",
	)
	if !separated && len(hours) == 4 {
		hours, minutes = hours[:2], hours[2:]
	} else if minutes == "" {
		if half == "" && len(hours) < 2 || separated {
			return 0, 0, false
		}
		minutes = "00"
	}
	hour, err := strconv.Atoi(hours)
	minute, minuteErr := strconv.Atoi(minutes)
	switch {
	case err != nil || minuteErr != nil || len(hours) > 2 || len(minutes) != 2:
		return 0, 0, false
	case hour < 0 || hour > 23 || minute < 0 || minute > 59:
		return 0, 0, false
	case half == "" && !separated && len(word) < 4 && hour <= 12:
		return 0, 0, false
	case half != "" && (hour < 1 || hour > 12):
		return 0, 0, false
	case half == "pm" && hour < 12:
		hour += 12
	case half == "am" && hour == 12:
		hour = 0
	}
	return hour, minute, true
}

// enteredTime is a time that a user entered, and how a change of the clocks affected it.
type enteredTime struct {
	time.Time
	wall    time.Time // the day and time of day as they were understood, in UTC
	skipped bool      // the clock skips it: Time is as much later as the clock goes forward
	twice   bool      // the clock shows it twice: Time is the first
}

// clockTime is the moment of a day and a time of day in a zone.
func clockTime(year int, month time.Month, day, hour, minute int, zone *time.Location) enteredTime {
	wall := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	m := enteredTime{wall: wall}
	// A zone is as far from UTC as it was a day before, or as it is a day later.
	before, after := offset(wall.AddDate(0, 0, -1), zone), offset(wall.AddDate(0, 0, 1), zone)
	early, late := wall.Add(-max(before, after)), wall.Add(-min(before, after))
	shows := func(t time.Time) bool {
		return t.In(zone).Format(time.DateTime) == wall.Format(time.DateTime)
	}
	switch {
	case shows(early):
		m.Time, m.twice = early, !early.Equal(late) && shows(late)
	case shows(late):
		m.Time = late
	default:
		// As in RFC 5545: with the offset that was in force before the gap.
		m.Time, m.skipped = wall.Add(-before), true
	}
	m.Time = m.In(zone)
	return m
}

func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// remark returns a note on how a change of the clocks affected the time, or nothing.
func (m enteredTime) remark(v locale.Voice) []chat.Block {
	switch {
	case m.skipped:
		said := v.Say("when.skipped", "wrote", v.Clock(m.wall), "when", v.Time(m.Time))
		return []chat.Block{chat.Footnote(said)}
	case m.twice:
		zone, _ := m.Zone()
		said := v.Say("when.twice", "wrote", v.Clock(m.wall), "zone", zone)
		return []chat.Block{chat.Footnote(said)}
	}
	return nil
}

// readTime reads a date field and its time field in the round's time zone. A date field may also
// hold the time of day, as locale.Voice.Time writes both; then the time field does not count.
func readTime(e chat.Event, field, otherwise string, loc *time.Location) (enteredTime, error) {
	clock, date := cutClock(e.Value(field))
	clock = cmp.Or(clock, e.Value(field+"_time"), otherwise)
	hour, minute, ok := readClock(clock)
	if !ok {
		//locale:says input.closes_time.unreadable input.workshop_time.unreadable
		return enteredTime{}, &survey.InputError{Field: field + "_time", Reason: "unreadable"}
	}
	year, month, day, ok := readDay(date)
	if !ok {
		//locale:says input.closes.unreadable input.workshop.unreadable
		return enteredTime{}, &survey.InputError{Field: field, Reason: "unreadable"}
	}
	return clockTime(year, month, day, hour, minute, loc), nil
}

// cutClock cuts the time of day off a time as locale.Voice.Time writes it. For any other text, the
// time of day is empty.
func cutClock(text string) (clock, date string) {
	text = plaintext.Key(text)
	for _, between := range []string{" on ", " ddydd ", " at the start of ", " ar ddechrau "} {
		if clock, date, ok := strings.Cut(text, between); ok {
			return clock, date
		}
	}
	return "", text
}
