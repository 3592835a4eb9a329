package survey

import (
	"slices"
	"time"
)

// Moment is when a message is due.
type Moment struct {
	Kind MessageKind
	At   time.Time
}

// ReminderPlan is when the people of a round are reminded. The zero value sends no reminders.
type ReminderPlan struct {
	// BeforeClose and BeforeWorkshop are whole days before the day on which the survey closes, and
	// before the day of the workshop. 0 is that day itself.
	BeforeClose    []int `json:"before_close,omitempty"`
	BeforeWorkshop []int `json:"before_workshop,omitempty"`
	// Hour and Minute are the time of day in the person's time zone, from 08:00 to 18:00.
	Hour   int `json:"hour"`
	Minute int `json:"minute"`
	// Cron is a cron expression that replaces BeforeClose, and Hour and Minute for these reminders.
	Cron   string `json:"spec,omitempty"`
	Paused bool   `json:"paused,omitempty"`
}

// DefaultReminders returns the usual plan: 7, 3 and 1 days before the survey closes and 7 and 1
// days before the workshop, at 10:00.
func DefaultReminders() ReminderPlan {
	return ReminderPlan{BeforeClose: []int{7, 3, 1}, BeforeWorkshop: []int{7, 1}, Hour: 10}
}

// ChannelPlan is what the bot posts in the coordinator's channel automatically.
type ChannelPlan struct {
	// Digest is a cron expression for when the digest is posted, or empty for no digest.
	Digest string `json:"digest,omitempty"`
	// Disabled are those of OptionalPosts that are not posted.
	Disabled []MessageKind `json:"off,omitempty"`
}

// DefaultDigest is 9:00 from Monday to Friday, in the round's time zone.
const DefaultDigest = "0 9 * * 1-5"

// DefaultPosts returns a plan with every post, and the digest at DefaultDigest.
func DefaultPosts() ChannelPlan { return ChannelPlan{Digest: DefaultDigest} }

// Enabled reports whether posts of that kind are posted.
func (p ChannelPlan) Enabled(kind MessageKind) bool {
	return !slices.Contains(p.Disabled, kind.Base()) && (kind.Base() != Digest || p.Digest != "")
}

// DigestProgress is how far a round had come when its last digest was posted.
type DigestProgress struct {
	At       time.Time
	Invited  int
	Finished int
}

// ZoneOf returns the time zone for a person's reminders: their own where it is known, else the
// round's.
func (r Round) ZoneOf(m Member) *time.Location {
	if m.TimeZone != "" {
		if loc, err := loadZone(m.TimeZone); err == nil {
			return loc
		}
	}
	return r.Location()
}

// Equal reports whether two plans are the same.
func (p ReminderPlan) Equal(q ReminderPlan) bool {
	return slices.Equal(p.BeforeClose, q.BeforeClose) &&
		slices.Equal(p.BeforeWorkshop, q.BeforeWorkshop) &&
		p.Hour == q.Hour && p.Minute == q.Minute &&
		p.Cron == q.Cron && p.Paused == q.Paused
}

// HasPlan reports whether messages of the round may be planned at now: the round is open, or it is
// closed and its workshop is still to come.
func (r Round) HasPlan(now time.Time) bool {
	return r.State == Open || r.State == Closed && now.Before(r.Workshop.At)
}
