package card

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// weekly matches the cron expressions of a time of day on every day, on working days, or on one day
// of the week.
var weekly = regexp.MustCompile(`^(\d{1,2}) (\d{1,2}) \* \* (\*|1-5|[0-6])$`)

// schedule returns a cron expression in words, such as "every Tuesday at 10am", to follow a verb. An
// expression of another form is quoted as it is.
func schedule(v locale.Voice, cron string) string {
	at, days, ok := readSchedule(cron)
	if !ok {
		return v.Say("schedule.as_written", "spec", cron)
	}
	return v.Say("schedule.at", "days", scheduleDays(v, days), "clock", v.Clock(at))
}

// readSchedule returns the time of day of a cron expression, and its days as in scheduleDays. It is
// false for an expression of another form than weekly.
func readSchedule(cron string) (at time.Time, days string, ok bool) {
	parts := weekly.FindStringSubmatch(cron)
	if parts == nil {
		return time.Time{}, "", false
	}
	minute, _ := strconv.Atoi(parts[1])
	hour, _ := strconv.Atoi(parts[2])
	return time.Date(1, 1, 1, hour, minute, 0, 0, time.UTC), parts[3], true
}

// scheduleDays returns the last part of a cron expression in words: working days, every day, or one
// day of the week.
func scheduleDays(v locale.Voice, days string) string {
	switch days {
	case "*":
		return v.Say("schedule.daily")
	case "1-5":
		return v.Say("schedule.weekdays")
	}
	day, _ := strconv.Atoi(days)
	return v.Say("schedule.weekly", "weekday", v.Weekday(time.Weekday(day)))
}

// scheduleOptions offers the usual days at the time of a cron expression, and the expression itself
// if it is of another form.
func scheduleOptions(v locale.Voice, cron string) []chat.Option {
	at, _, usual := readSchedule(cron)
	var options []chat.Option
	if !usual {
		options = []chat.Option{{Value: cron, Label: schedule(v, cron)}}
		at, _, _ = readSchedule(survey.DefaultDigest)
	}
	for _, days := range []string{"1-5", "1", "2", "3", "4", "5", "6", "0", "*"} {
		options = append(options, chat.Option{
			Value: fmt.Sprintf("%d %d * * %s", at.Minute(), at.Hour(), days),
			Label: scheduleDays(v, days),
		})
	}
	return options
}

// scheduleTime returns the time of day of a cron expression as forms show it, or that of the default
// if the expression is of another form.
func scheduleTime(cron string) string {
	at, _, ok := readSchedule(cron)
	if !ok {
		at, _, _ = readSchedule(survey.DefaultDigest)
	}
	return at.Format(clock)
}

// ScheduleAt returns a cron expression at another time of day. One of another form than those that
// the form offers stays as it is.
func ScheduleAt(cron string, hour, minute int) string {
	if _, days, ok := readSchedule(cron); ok {
		return fmt.Sprintf("%d %d * * %s", minute, hour, days)
	}
	return cron
}
