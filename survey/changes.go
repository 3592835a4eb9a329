package survey

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/survey/audit"
)

// Changes returns the settings that differ between two versions of a round, the most important
// first.
func Changes(before, after Round) []audit.Change {
	var all []audit.Change
	add := func(field, was, is string) {
		if was != is {
			all = append(all, audit.Change{Field: field, Old: was, New: is})
		}
	}
	settings := []struct {
		name  string
		value func(Round) string
	}{
		{"area", func(r Round) string { return r.Area }},
		{"closed", func(r Round) string { return moment(r.ClosedAt) }},
		{"closes", func(r Round) string { return moment(r.ClosesAt) }},
		{"workshop", func(r Round) string { return moment(r.Workshop.At) }},
		{"place", func(r Round) string { return r.Workshop.Place }},
		{"matrix", func(r Round) string { return r.Matrix }},
		{"languages", func(r Round) string { return list(r.Languages) }},
		{"min_group", func(r Round) string { return number(r.MinGroup) }},
		{"agreed", func(r Round) string { return number(r.Consensus.Percent) }},
		{"far", func(r Round) string { return yes(r.Consensus.AllowFarMinority) }},
		{"time_zone", func(r Round) string { return r.TimeZone }},
		{"paused", func(r Round) string { return yes(r.Reminders.Paused) }},
		{"before_close", func(r Round) string { return numbers(r.Reminders.BeforeClose) }},
		{"before_workshop", func(r Round) string { return numbers(r.Reminders.BeforeWorkshop) }},
		{"hour", func(r Round) string {
			if r.Reminders.Hour == 0 { // no plan yet: a plan has an hour from 8 to 18
				return ""
			}
			return fmt.Sprintf("%02d:%02d", r.Reminders.Hour, r.Reminders.Minute)
		}},
		{"spec", func(r Round) string { return r.Reminders.Cron }},
		{"digest", func(r Round) string { return r.Posts.Digest }},
		{"posts_off", func(r Round) string { return list(r.Posts.Disabled) }},
		{"join", func(r Round) string { return yes(r.SelfJoin) }},
		{"channel", func(r Round) string { return r.Channel }},
	}
	for _, s := range settings {
		add(s.name, s.value(before), s.value(after))
	}
	removed := without(before.Coordinators, after.Coordinators)
	added := without(after.Coordinators, before.Coordinators)
	add("coordinators", list(removed), list(added))
	return all
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func numbers(all []int) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = strconv.Itoa(n)
	}
	return list(words)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func list[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// without returns those of all that are not in others.
func without(all, others []PersonID) []PersonID {
	return slices.DeleteFunc(slices.Clone(all), func(p PersonID) bool {
		return slices.Contains(others, p)
	})
}
