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

// ReminderPlan is when a round's people are reminded. The zero value reminds nobody.
type ReminderPlan struct {
	BeforeClose    []int  `json:"before_close,omitempty"`    // whole days before the day the survey closes; 0 is that day
	BeforeWorkshop []int  `json:"before_workshop,omitempty"` // whole days before the day of the workshop
	Hour           int    `json:"hour"`                      // of the clock where the person is, from 08:00 to 18:00
	Minute         int    `json:"minute"`
	Cron           string `json:"spec,omitempty"` // a cron expression, in place of BeforeClose; it brings its own time of day
	Paused         bool   `json:"paused,omitempty"`
}

// DefaultReminders is 7, 3 and 1 days before the survey closes and 7 and 1 days before the workshop, at 10:00.
func DefaultReminders() ReminderPlan {
	return ReminderPlan{BeforeClose: []int{7, 3, 1}, BeforeWorkshop: []int{7, 1}, Hour: 10}
}

// ChannelPlan is what the coordinator's channel gets by itself.
type ChannelPlan struct {
	Digest   string        `json:"digest,omitempty"` // when the digest comes, as a cron expression; empty for none
	Disabled []MessageKind `json:"off,omitempty"`    // of OptionalPosts, what it does not get
}

// DefaultDigest is on the mornings of weekdays, by the round's clock.
const DefaultDigest = "0 9 * * 1-5"

// DefaultPosts is everything there is, with the usual digest.
func DefaultPosts() ChannelPlan { return ChannelPlan{Digest: DefaultDigest} }

// Enabled says whether the channel gets posts of that kind.
func (p ChannelPlan) Enabled(kind MessageKind) bool {
	return !slices.Contains(p.Disabled, kind.Base()) && (kind.Base() != Digest || p.Digest != "")
}

// DigestProgress is how far a round had come when its last digest was posted.
type DigestProgress struct {
	At       time.Time
	Invited  int
	Finished int
}

// ZoneOf is the time zone a person is reminded by: their own where it is known, else the round's.
func (r Round) ZoneOf(m Member) *time.Location {
	if loc, err := time.LoadLocation(m.TimeZone); err == nil && m.TimeZone != "" {
		return loc
	}
	return r.Location()
}

// Equal says whether two plans are the same.
func (p ReminderPlan) Equal(q ReminderPlan) bool {
	return slices.Equal(p.BeforeClose, q.BeforeClose) && slices.Equal(p.BeforeWorkshop, q.BeforeWorkshop) &&
		p.Hour == q.Hour && p.Minute == q.Minute && p.Cron == q.Cron && p.Paused == q.Paused
}

// HasPlan reports whether messages of the round may be planned at now: the round is open, or it is
// closed and its workshop is still to come.
func (r Round) HasPlan(now time.Time) bool {
	return r.State == Open || r.State == Closed && now.Before(r.Workshop.At)
}
