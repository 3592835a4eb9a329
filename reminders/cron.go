package reminders

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"maturitybot/survey"
)

// MaxCronBytes is the longest cron expression that is read. The longest useful one names every day
// of the month.
const MaxCronBytes = 120

// Reason is why a cron expression is refused. Its values are the constants below.
type Reason string

// The reasons. A sentence for each tells the coordinator what to write instead.
const (
	// Malformed: not five fields, or one of them is out of range or not written as cron writes it.
	// CronError.Field says which, when there are five.
	Malformed Reason = "malformed"
	// TimeZone: it names a time zone (CRON_TZ= or TZ=); the round has one.
	TimeZone Reason = "time_zone"
	// Interval: @every has no time of day.
	Interval Reason = "interval"
	// TooOften: more than once on a day.
	TooOften Reason = "too_often"
	// Never: there is no such day, as 30 February.
	Never Reason = "never"
	// Night: before 08:00 or after 18:00. @daily and similar words mean midnight.
	Night Reason = "night"
	// Weekend: on Saturdays and Sundays only, which a digest may be.
	Weekend Reason = "weekend"
)

// Reasons lists every reason, for callers that have a text for each.
var Reasons = []Reason{Malformed, TimeZone, Interval, TooOften, Never, Night, Weekend}

// CronError is the error for a cron expression that is not allowed. It does not hold the
// expression, because that is a user's text.
type CronError struct {
	Reason Reason
	// Field is the field that is malformed: minute, hour, day, month or weekday. It is empty for
	// the other reasons, and when there are not five fields.
	Field string
}

// Error returns the reason for a log.
func (e *CronError) Error() string {
	if e.Field != "" {
		return "cron expression: " + string(e.Reason) + " in " + e.Field
	}
	return "cron expression: " + string(e.Reason)
}

// Cron is a cron expression that is allowed: one time of day, in waking hours, on some days. It has
// no time zone: Schedule applies that of the round or of a person, so an expression is not affected
// by an hour that a change of the clocks skips or repeats.
type Cron struct {
	Hour, Minute int
	days         cron.Schedule
}

// ParseCron reads a cron expression for reminders: five fields (minute, hour, day of the month,
// month, day of the week) as robfig/cron reads them. For an expression that is not allowed it
// returns a *CronError.
func ParseCron(spec string) (Cron, error) {
	s, err := ParseDigestCron(spec)
	if err != nil {
		return Cron{}, err
	}
	// Weekdays fall on the same dates again after 28 years, so that a day without a match until then
	// never matches.
	for d := epoch; d.Year < epoch.Year+28; d = d.AddDays(1) {
		next, ok := s.next(d)
		if !ok {
			break
		}
		if d = next; d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			return s, nil
		}
	}
	return Cron{}, &CronError{Reason: Weekend}
}

// epoch is the start of a leap year, so that 29 February is within the five years that robfig/cron
// looks ahead.
var epoch = Date{2024, time.January, 1}

// ParseDigestCron is like ParseCron, for the digest in the coordinator's channel. It also allows
// Saturdays and Sundays, because the readers of that channel choose the days themselves.
func ParseDigestCron(spec string) (Cron, error) {
	spec = strings.TrimSpace(spec)
	// robfig/cron v3.0.1 slices up to the first space after a time zone and panics when there is
	// none (its issue 470).
	upper := strings.ToUpper(spec)
	if strings.HasPrefix(upper, "CRON_TZ=") || strings.HasPrefix(upper, "TZ=") {
		return Cron{}, &CronError{Reason: TimeZone}
	}
	if len(spec) > MaxCronBytes {
		return Cron{}, &CronError{Reason: Malformed}
	}
	parsed, err := parse(spec)
	if err != nil {
		return Cron{}, &CronError{Reason: Malformed, Field: malformedField(spec)}
	}
	fields, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return Cron{}, &CronError{Reason: Interval}
	}
	hours, minutes := fields.Hour&^star, fields.Minute&^star
	if bits.OnesCount64(hours) > 1 || bits.OnesCount64(minutes) > 1 {
		return Cron{}, &CronError{Reason: TooOften}
	}
	s := Cron{Hour: bits.TrailingZeros64(hours), Minute: bits.TrailingZeros64(minutes), days: parsed}
	if _, ok := s.next(epoch); !ok {
		return Cron{}, &CronError{Reason: Never}
	}
	if !waking(s.Hour, s.Minute) {
		return Cron{}, &CronError{Reason: Night}
	}
	return s, nil
}

// star is the bit that robfig/cron sets in a field written as * or ?.
const star = 1 << 63

// parse calls robfig/cron's parser. It returns an error if the parser panics, and for a field that
// matches nothing, such as a comma, which the parser accepts.
func parse(spec string) (s cron.Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("parse cron expression: %v", p)
		}
	}()
	s, err = cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("parse cron expression: %w", err)
	}
	if f, ok := s.(*cron.SpecSchedule); ok {
		for _, field := range []uint64{f.Minute, f.Hour, f.Dom, f.Month, f.Dow} {
			if field == 0 {
				return nil, errors.New("parse cron expression: a field is empty")
			}
		}
	}
	return s, nil
}

// malformedField returns the name of the first field that the parser refuses by itself.
func malformedField(spec string) string {
	names := [5]string{"minute", "hour", "day", "month", "weekday"}
	fields := strings.Fields(spec)
	if len(fields) != len(names) {
		return ""
	}
	for i, field := range fields {
		alone := [5]string{"*", "*", "*", "*", "*"}
		alone[i] = field
		if _, err := parse(strings.Join(alone[:], " ")); err != nil {
			return names[i]
		}
	}
	return ""
}

// next returns the first day of the schedule from d on, or false if there is none within five
// years.
func (s Cron) next(d Date) (Date, bool) {
	// The library computes in the zone of the time that it is given, and in UTC no hour is skipped or
	// doubled. It searches after that time, which is midnight: no allowed expression means midnight.
	t := s.days.Next(d.utc())
	return DateOf(t), !t.IsZero()
}

// longestSearch bounds how long before the close a schedule is searched, for a round whose opening
// is not known. It is twice as long as a survey may be open.
const longestSearch = 2 * survey.MaxOpen

// dates returns the schedule's dates until end, by the round's clock. It begins with the day before
// the time after, because that may still be today for people up to 26 hours west of the round.
func (s Cron) dates(after, end time.Time, zone *time.Location) []Date {
	var all []Date
	from := DateOf(after.In(zone)).AddDays(-1)
	if first := DateOf(end.Add(-longestSearch)); first.after(from) {
		from = first
	}
	for d, ok := s.next(from); ok; d, ok = s.next(d.AddDays(1)) {
		if at, exists := d.at(s.Hour, s.Minute, zone); exists && !at.Before(end) {
			break
		}
		all = append(all, d)
	}
	return all
}
