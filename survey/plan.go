package survey

import (
	"slices"
	"strings"
	"time"
)

// MessageKind is what a message that nobody asked for just now is about. A kind that can come on several days carries its date,
// as "closes@2026-12-04". A person, or the coordinator's channel, is owed at most one of each kind in a round.
type MessageKind string

// The kinds of messages to a person.
const (
	Invitation   MessageKind = "invitation"
	Nudge        MessageKind = "nudge"    // a reminder that a coordinator sends by hand; dated
	ClosesSoon   MessageKind = "closes"   // a reminder that the survey closes; dated
	WorkshopSoon MessageKind = "workshop" // a reminder of the workshop; dated
	Unposted     MessageKind = "unposted" // to a coordinator: the results could not be posted in the channel
)

// The kinds of posts to the coordinator's channel.
const (
	Opened      MessageKind = "opened"
	Digest      MessageKind = "digest"  // how it is going; dated
	LastDay     MessageKind = "last"    // the survey closes tomorrow; dated
	Closing     MessageKind = "close"   // the survey closes by itself; carries its closing time in unix seconds
	ResultsPost MessageKind = "results" // the results of a survey that closed by itself
	TablePost   MessageKind = "table"   // the same as a table, after them
	WorkshopEve MessageKind = "eve"     // the workshop is tomorrow; dated
	NudgesSent  MessageKind = "nudged"  // no post: the record is told how many reminders by hand were sent; dated
	// NewCoordinator is about a coordinator who was added by others than coordinators; with the time of the record's entry in
	// unix seconds, and the version of the round that it made.
	NewCoordinator MessageKind = "coordinator"
	OpenCall       MessageKind = "call" // to people who take no direct messages: press Join; dated
	kindSeparator              = "@"
)

// MessageKinds are all kinds.
var MessageKinds = []MessageKind{
	Invitation, Nudge, ClosesSoon, WorkshopSoon, Unposted,
	Opened, Digest, LastDay, Closing, ResultsPost, TablePost, WorkshopEve, NudgesSent,
	NewCoordinator, OpenCall,
}

// OptionalPosts are the posts that a coordinator may switch off, in the order they come.
var OptionalPosts = []MessageKind{Opened, Digest, LastDay, ResultsPost, WorkshopEve}

// On is the kind with its date, or what else tells it from others of its kind.
func (k MessageKind) On(date string) MessageKind { return k + kindSeparator + MessageKind(date) }

// Split takes a kind and its date apart; the date is empty where there is none.
func (k MessageKind) Split() (base MessageKind, date string) {
	b, date, _ := strings.Cut(string(k), kindSeparator)
	return MessageKind(b), date
}

// Base is the kind without its date.
func (k MessageKind) Base() MessageKind {
	base, _ := k.Split()
	return base
}

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

// wants reports whether a message of that kind is still of use to the member.
func (m Member) wants(kind MessageKind) bool {
	base, date := kind.Split()
	wants := !m.Unreachable && !m.RemindersOff
	unfinished := m.Status == Invited || m.Status == Started
	switch base {
	case Invitation:
		return m.Status == Invited
	case Nudge:
		return wants && unfinished && m.LastRemindedDate < date
	case ClosesSoon:
		return wants && unfinished && m.LastRemindedDate < date
	case WorkshopSoon:
		return wants && (unfinished || m.Status == Finished) && m.LastRemindedDate < date
	}
	return false
}

// takes says whether a round still has use for a message of that kind to a person at now.
func (r Round) takes(kind MessageKind, now time.Time) bool {
	if kind.Base() == WorkshopSoon {
		return r.State != Draft && now.Before(r.Workshop.At)
	}
	return r.AcceptsAnswers(now)
}

// HasPlan says whether messages of the round may be planned at now: of an open one, and of a closed one whose workshop is ahead.
func (r Round) HasPlan(now time.Time) bool {
	return r.State == Open || r.State == Closed && now.Before(r.Workshop.At)
}

// Equal says whether two plans are the same.
func (p ReminderPlan) Equal(q ReminderPlan) bool {
	return slices.Equal(p.BeforeClose, q.BeforeClose) && slices.Equal(p.BeforeWorkshop, q.BeforeWorkshop) &&
		p.Hour == q.Hour && p.Minute == q.Minute && p.Cron == q.Cron && p.Paused == q.Paused
}
