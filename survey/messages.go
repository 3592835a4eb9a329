package survey

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// MessageKind says what a queued message is about. A kind that can come several times carries a
// suffix, mostly the date, as in "closes@2026-12-04". In one round, a person or the coordinators'
// channel gets at most one message of a kind with its suffix.
type MessageKind string

// The kinds of messages to a person.
const (
	Invitation   MessageKind = "invitation"
	Nudge        MessageKind = "nudge"    // a reminder that a coordinator sends by hand; dated
	ClosesSoon   MessageKind = "closes"   // a reminder that the survey closes; dated
	WorkshopSoon MessageKind = "workshop" // a reminder of the workshop; dated
	Unposted     MessageKind = "unposted" // to coordinators: the results could not be posted
	ChannelLost  MessageKind = "lost"     // to coordinators: their channel takes no posts; once
)

// The kinds of posts to the coordinators' channel.
const (
	Opened      MessageKind = "opened"
	Digest      MessageKind = "digest"  // the progress of the round; dated
	LastDay     MessageKind = "last"    // the survey closes tomorrow; dated
	ResultsPost MessageKind = "results" // the results of a survey that closed automatically
	TablePost   MessageKind = "table"   // the same as a table, after them
	WorkshopEve MessageKind = "eve"     // the workshop is tomorrow; dated
	// NewCoordinator announces a coordinator who was not added by another coordinator. Its suffix is the time of
	// the audit entry in Unix seconds and the version of the round, as in
	// "coordinator@1796748660.3".
	NewCoordinator MessageKind = "coordinator"
	OpenCall       MessageKind = "call" // asks people who take no direct messages to join; dated
)

// The kinds of tasks: they are queued like messages, and nothing is sent.
const (
	// Closing closes the survey. Its suffix is the closing time in Unix seconds.
	Closing    MessageKind = "close"
	NudgesSent MessageKind = "nudged" // records how many reminders by hand were sent; dated
)

// kindSeparator stands between a kind and its suffix.
const kindSeparator = "@"

// On returns the kind with a suffix.
func (k MessageKind) On(suffix string) MessageKind {
	return k + kindSeparator + MessageKind(suffix)
}

// Split returns the kind without its suffix, and the suffix, which is empty where there is none.
func (k MessageKind) Split() (base MessageKind, suffix string) {
	b, suffix, _ := strings.Cut(string(k), kindSeparator)
	return MessageKind(b), suffix
}

// Base returns the kind without its suffix.
func (k MessageKind) Base() MessageKind {
	base, _ := k.Split()
	return base
}

// Audience says who gets the messages of a kind.
type Audience int

// The audiences. A Task has none.
const (
	ToPerson Audience = iota
	ToChannel
	Task
)

// Until says until when a message that is due is still sent.
type Until int

// The limits. With any but NoLimit, a message is sent in waking hours of working days only, and
// never after its Event.
const (
	NoLimit          Until = iota // at any time, at any hour
	UntilEvent                    // until its Event
	UntilEvening                  // until the evening of the day in its suffix
	UntilNextEvening              // until the evening of the working day after that
)

// Due says on which days messages of a kind are due, by the clock of their recipient. They lie
// before the Event or on its day: the planner does not know messages about a past event.
type Due struct {
	Days         []int // whole days before the day of the Event
	Hour, Minute int
	Cron         string // a cron expression, in place of the other fields
	AtEvent      bool   // at the Event itself, in place of the other fields, and however late
}

// MessageType holds what is the same for all messages of a kind.
type MessageType struct {
	Kind     MessageKind
	Audience Audience
	Optional bool // a coordinator may disable it
	Until    Until

	// Event returns the time of what the message is about, or a zero time if there is no such
	// event. A message to a person is not wanted after it.
	Event func(Round) time.Time
	// Plan returns when the planner queues messages of the kind. It is nil for a kind that is
	// queued when something happens.
	Plan func(Round) Due
	// Since returns when a message of the kind was first due, for a kind that is not planned by
	// day. It is nil where that is not known.
	Since func(r Round, suffix string) time.Time

	// Wanted says whether the member still wants a message to a person. The suffix is the date.
	Wanted func(r Round, m Member, suffix string) bool
	// Requestable says that a member may ask for a message on a day of their own (RemindOnDate).
	Requestable bool
	// Reminder says that the message counts as the one reminder that a member gets on a day.
	Reminder bool
	// CallInChannel says that an OpenCall is posted if the member takes no direct messages.
	CallInChannel bool
}

// MessageTypes has a row for each kind of message. Of two reminders for one person and day, only
// the one that comes first here is sent.
var MessageTypes = []MessageType{
	{Kind: Invitation, Event: closing, Wanted: isInvited, CallInChannel: true},
	{
		Kind: Nudge, Until: UntilEvent, Event: closing, Since: remindedAt,
		Wanted: awaitsAnswers, Reminder: true, CallInChannel: true,
	},
	{
		Kind: ClosesSoon, Until: UntilNextEvening, Event: closing, Plan: reminderDays,
		Wanted: awaitsAnswers, Requestable: true, Reminder: true, CallInChannel: true,
	},
	{
		Kind: WorkshopSoon, Until: UntilNextEvening, Event: workshopTime, Plan: workshopDays,
		Wanted: awaitsWorkshop, Reminder: true,
	},
	{Kind: Unposted, Wanted: coordinatesClosed},
	{Kind: ChannelLost, Event: closing, Wanted: coordinates},

	{Kind: Opened, Audience: ToChannel, Optional: true, Since: openedAt},
	{
		Kind: Digest, Audience: ToChannel, Optional: true, Until: UntilEvening, Event: closing,
		Plan: digestDays,
	},
	{
		Kind: LastDay, Audience: ToChannel, Optional: true, Until: UntilEvent, Event: closing,
		Plan: dayBefore,
	},
	{Kind: Closing, Audience: Task, Event: closing, Plan: atEvent, Since: suffixTime},
	{Kind: ResultsPost, Audience: ToChannel, Optional: true, Since: closedAt},
	{Kind: TablePost, Audience: ToChannel, Since: closedAt},
	{
		Kind: WorkshopEve, Audience: ToChannel, Optional: true, Until: UntilEvent, Event: workshopTime,
		Plan: dayBefore,
	},
	{Kind: NudgesSent, Audience: Task},
	{Kind: NewCoordinator, Audience: ToChannel},
	{Kind: OpenCall, Audience: ToChannel, Until: UntilEvent, Event: closing},
}

// Type returns the row of MessageTypes for the kind, with or without a suffix. For an unknown kind,
// as from a newer version of the bot, it returns a type that nobody wants.
func (k MessageKind) Type() MessageType {
	base := k.Base()
	for _, t := range MessageTypes {
		if t.Kind == base {
			return t
		}
	}
	return MessageType{Kind: base}
}

// MessageKinds are all kinds.
var MessageKinds = kindsWhere(func(MessageType) bool { return true })

// OptionalPosts are the kinds that a coordinator may disable, in the order in which they come.
var OptionalPosts = kindsWhere(func(t MessageType) bool { return t.Optional })

func kindsWhere(keep func(MessageType) bool) []MessageKind {
	var kinds []MessageKind
	for _, t := range MessageTypes {
		if keep(t) {
			kinds = append(kinds, t.Kind)
		}
	}
	return kinds
}

// wantedBy reports whether the member can still do something about the message. It does not look at
// the time: see timely. Nobody who takes part by link can be sent a message.
func (k MessageKind) wantedBy(r Round, m Member) bool {
	if m.Person.ByLink() {
		return false
	}
	_, suffix := k.Split()
	wanted := k.Type().Wanted
	return wanted != nil && wanted(r, m, suffix)
}

// timely reports whether the event of the message is still to come in an opened round. A message
// without an event is always timely.
func (k MessageKind) timely(r Round, now time.Time) bool {
	event := k.Type().Event
	return event == nil || r.State != Draft && now.Before(event(r))
}

// closing returns when an open survey closes. A closed survey does not close again.
func closing(r Round) time.Time {
	if r.State == Closed {
		return time.Time{}
	}
	return r.ClosesAt
}

func workshopTime(r Round) time.Time { return r.Workshop.At }

func openedAt(r Round, _ string) time.Time   { return r.OpenedAt }
func closedAt(r Round, _ string) time.Time   { return r.ClosedAt }
func remindedAt(r Round, _ string) time.Time { return r.RemindedAt }

// suffixTime returns the time that the suffix holds in Unix seconds, or a zero time.
func suffixTime(_ Round, suffix string) time.Time {
	seconds, err := strconv.ParseInt(suffix, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

func reminderDays(r Round) Due {
	p := r.Reminders
	return Due{Days: p.BeforeClose, Hour: p.Hour, Minute: p.Minute, Cron: p.Cron}
}

func workshopDays(r Round) Due {
	p := r.Reminders
	return Due{Days: p.BeforeWorkshop, Hour: p.Hour, Minute: p.Minute}
}

func digestDays(r Round) Due { return Due{Cron: r.Posts.Digest} }

func dayBefore(Round) Due { return Due{Days: []int{1}, Hour: 10} }

func atEvent(Round) Due { return Due{AtEvent: true} }

func isInvited(_ Round, m Member, _ string) bool { return m.Status == Invited }

func awaitsAnswers(_ Round, m Member, date string) bool {
	return mayRemind(m, date) && m.awaited()
}

func awaitsWorkshop(_ Round, m Member, date string) bool {
	return mayRemind(m, date) && (m.awaited() || m.Status == Finished)
}

// mayRemind reports whether the member can be reminded on the date: at most once a day.
func mayRemind(m Member, date string) bool {
	return !m.Unreachable && !m.RemindersOff && m.LastRemindedDate < date
}

func coordinates(r Round, m Member, _ string) bool {
	return slices.Contains(r.Coordinators, m.Person)
}

func coordinatesClosed(r Round, m Member, _ string) bool {
	return r.State == Closed && slices.Contains(r.Coordinators, m.Person)
}
