package survey

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"maturitybot/survey/audit"
	"maturitybot/survey/results"
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

// awaited says whether a message of that kind still has something to tell this person.
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

// SetPlan changes when people are reminded and what the channel gets, of a round that is not closed; edit is given both, and its
// error is returned as it is. It may be called several times. A change counts from now on: what would have been due before it is not
// made up for.
func (r *Rounds) SetPlan(ctx context.Context, id RoundID, by PersonID, edit func(*ReminderPlan, *ChannelPlan) error) (Round, error) {
	round, err := r.change(ctx, id, by, audit.Plan, func(round *Round) error {
		if round.State == Closed {
			return ErrClosed
		}
		plan, posts := round.Reminders, round.Posts
		plan.BeforeClose, plan.BeforeWorkshop, posts.Disabled = slices.Clone(plan.BeforeClose), slices.Clone(plan.BeforeWorkshop), slices.Clone(posts.Disabled)
		if err := edit(&plan, &posts); err != nil {
			return err
		}
		samePlan := plan.Equal(round.Reminders)
		if samePlan && posts.Digest == round.Posts.Digest && slices.Equal(posts.Disabled, round.Posts.Disabled) {
			return errDone
		}
		if !samePlan || posts.Digest != round.Posts.Digest {
			round.PlannedAt = r.now()
		}
		round.Reminders, round.Posts = plan, posts
		return nil
	})
	return round, unlessDone(err)
}

// Equal says whether two plans are the same.
func (p ReminderPlan) Equal(q ReminderPlan) bool {
	return slices.Equal(p.BeforeClose, q.BeforeClose) && slices.Equal(p.BeforeWorkshop, q.BeforeWorkshop) &&
		p.Hour == q.Hour && p.Minute == q.Minute && p.Cron == q.Cron && p.Paused == q.Paused
}

// CountRecipients counts the people who would get a message of each of the kinds now, were it its day, for a coordinator.
func (r *Rounds) CountRecipients(ctx context.Context, id RoundID, by PersonID, kinds ...MessageKind) (map[MessageKind]int, error) {
	if _, err := r.Round(ctx, id, by); err != nil {
		return nil, err
	}
	const never = "9999-12-31" // a day on which nobody has been reminded
	counts := map[MessageKind]int{}
	err := r.store.Roster(ctx, id, func(m Member) error {
		for _, k := range kinds {
			if m.wants(k.On(never)) {
				counts[k]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// What the planning of reminders asks for. It is done by the bot itself, and so asks for no coordinator.

// HasPlan says whether messages of the round may be planned at now: of an open one, and of a closed one whose workshop is ahead.
func (r Round) HasPlan(now time.Time) bool {
	return r.State == Open || r.State == Closed && now.Before(r.Workshop.At)
}

// Each calls visit for every round that has a plan, in no stated order.
func (r *Rounds) Each(ctx context.Context, visit func(Round) error) error {
	now := r.now()
	return r.store.Rounds(ctx, func(round Round) error {
		if round.HasPlan(now) {
			return visit(round)
		}
		return nil
	})
}

// EachToPlan calls visit, from several goroutines at once, for each round that has something to plan now, or that has changed since it
// was last visited. Visit returns when there is next something to plan, or a zero time for never. When visit fails, the round is
// visited again by the next call; that error is not returned.
func (r *Rounds) EachToPlan(ctx context.Context, visit func(Round) (next time.Time, err error)) error {
	return r.store.EachToPlan(ctx, r.now(), visit)
}

// PlanAll makes EachToPlan visit every round the next time.
func (r *Rounds) PlanAll(ctx context.Context) error {
	return r.store.PlanAll(ctx)
}

// All calls visit for every round that is kept, in no stated order, for whoever runs the bot.
func (r *Rounds) All(ctx context.Context, visit func(Round) error) error {
	return r.store.Rounds(ctx, visit)
}

// Planned returns what has been planned of a round, by the names that Plan and Note were given, and the time zones its people are in.
func (r *Rounds) Planned(ctx context.Context, round Round) (names map[string]bool, zones []string, err error) {
	names, zones, err = r.store.Planned(ctx, round.ID)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(zones, round.TimeZone) {
		zones = append(zones, round.TimeZone)
	}
	return names, zones, nil
}

// Plan owes the coordinator's channel a post, at once. A kind that was planned before is not planned again.
func (r *Rounds) Plan(ctx context.Context, id RoundID, kind MessageKind) error {
	// What goes to the channel is a few messages; as if due long ago, they need not stand behind thousands of reminders.
	return r.store.Plan(ctx, id, kind, time.Unix(0, 0))
}

// TellUnposted owes each coordinator of a round the message that its results could not be posted.
func (r *Rounds) TellUnposted(ctx context.Context, id RoundID) error {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return err
	}
	if err := r.store.Enqueue(ctx, id, Unposted, r.now(), round.Coordinators); err != nil {
		return err
	}
	return nil
}

// MarkPlanned keeps that these were planned, until the round is gone.
func (r *Rounds) MarkPlanned(ctx context.Context, id RoundID, names ...string) error {
	return r.store.MarkPlanned(ctx, id, names)
}

// owedAtOnce is how many people are owed a message in one step: every other client of the store waits for it.
const owedAtOnce = 500

// EnqueueReminders owes everybody the first of the messages of their time zone that is for them, and returns how many they are. It may
// be done again: nobody is then owed what they got before.
func (r *Rounds) EnqueueReminders(ctx context.Context, round Round, due map[string][]Moment) (int, error) {
	n := 0
	waiting := map[Moment][]PersonID{}
	owe := func(m Moment) error {
		if err := r.store.Enqueue(ctx, round.ID, m.Kind, m.At, waiting[m]); err != nil {
			return err
		}
		n += len(waiting[m])
		waiting[m] = waiting[m][:0]
		return nil
	}
	err := r.store.Scan(ctx, round.ID, func(member Member) error {
		zone := member.TimeZone
		if zone == "" {
			zone = round.TimeZone
		}
		for _, m := range due[zone] {
			if !member.wants(m.Kind) {
				continue
			}
			if waiting[m] = append(waiting[m], member.Person); len(waiting[m]) == owedAtOnce {
				return owe(m)
			}
			break // two of one day would be one too many
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	for m, people := range waiting {
		if len(people) == 0 {
			continue
		}
		if err := owe(m); err != nil {
			return n, err
		}
	}
	return n, nil
}

// AuditNudges records how many reminders by hand of that date were sent: once all that were asked for are sent, or a day later. Before, it
// returns a *NotYetError. A round that has closed has forgotten it.
func (r *Rounds) AuditNudges(ctx context.Context, id RoundID, date string) error {
	round, err := r.store.Round(ctx, id)
	switch {
	case isNoRound(err):
		return nil
	case err != nil:
		return err
	case round.State != Open:
		return nil
	}
	sent := 0
	err = r.store.Roster(ctx, id, func(m Member) error {
		if m.LastNudgedDate == date {
			sent++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if sent < round.Nudged && r.now().Before(round.RemindedAt.Add(nudgesLast)) {
		return &NotYetError{Wait: nudgesAgain}
	}
	return r.Audit(ctx, id, "", audit.Nudged, ofPeople(sent))
}

const (
	// nudgesFirst is how long after reminders were asked for it is first looked how many were sent, and nudgesAgain how long
	// after that again.
	nudgesFirst = time.Minute
	nudgesAgain = 10 * time.Minute
	// nudgesLast is when it is recorded however many they are: somebody may have finished meanwhile.
	nudgesLast = 4 * 24 * time.Hour
)

// Reminded notes that a person was reminded on that date of their clock, also where that is not sure: nobody is reminded twice on one day.
func (r *Rounds) Reminded(ctx context.Context, d Delivery, date string) error {
	err := r.store.UpdateContact(ctx, d.Round, d.Person, func(m *Member) {
		m.LastRemindedDate = max(m.LastRemindedDate, date)
		if base, asked := d.Kind.Split(); base == Nudge {
			m.LastNudgedDate = max(m.LastNudgedDate, asked)
		}
		if m.RemindOnDate <= date {
			m.RemindOnDate = ""
		}
	})
	if err != nil {
		return err
	}
	return nil
}

// RemindLater owes a person who asked for it a reminder at that moment, whatever the round's plan is.
func (r *Rounds) RemindLater(ctx context.Context, id RoundID, person PersonID, m Moment) (Participation, error) {
	seat, err := r.invited(ctx, id, person)
	if err != nil {
		return seat, err
	}
	_, date := m.Kind.Split()
	seat, err = r.member(ctx, seat, func(m *Member) error {
		m.RemindOnDate, m.RemindersOff = date, false
		return nil
	})
	if err != nil {
		return seat, err
	}
	if err := r.store.Enqueue(ctx, id, m.Kind, m.At, []PersonID{person}); err != nil {
		return seat, err
	}
	return seat, nil
}

// SetRemindersOff keeps whether a person is not to be reminded any more; in any state of the round.
func (r *Rounds) SetRemindersOff(ctx context.Context, id RoundID, person PersonID, quiet bool) (Participation, error) {
	seat, err := r.Participation(ctx, id, person)
	switch {
	case err != nil:
		return seat, err
	case seat.Member.Status == NotInvited:
		return seat, ErrNotTakingPart
	case seat.Member.Status == Withdrawn:
		return seat, ErrWithdrawn
	}
	change := func(m *Member) {
		if m.RemindersOff = quiet; quiet {
			m.RemindOnDate = ""
		}
	}
	if err := r.store.UpdateContact(ctx, id, person, change); err != nil {
		return seat, err
	}
	change(&seat.Member)
	return seat, nil
}

// SetTimeZone keeps where a person's clock is, as their platform tells it. A name that is no time zone, or that is kept
// already, changes nothing.
func (r *Rounds) SetTimeZone(ctx context.Context, seat Participation, zone string) (Participation, error) {
	if zone == "" || zone == "Local" || zone == seat.Member.TimeZone || !seat.Member.TakesPart() || !seat.Round.AcceptsAnswers(r.now()) {
		return seat, nil
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return seat, nil
	}
	return r.member(ctx, seat, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		m.TimeZone = zone
		return nil
	})
}

// CloseDue closes a survey whose closing time has passed, as of that time, and returns whether it is closed by itself: now, or when
// this was done before. It asks for no coordinator.
func (r *Rounds) CloseDue(ctx context.Context, id RoundID) (Round, bool, error) {
	round, err := r.store.Round(ctx, id)
	switch {
	case isNoRound(err):
		return Round{}, false, nil
	case err != nil:
		return Round{}, false, err
	case round.State == Draft || r.now().Before(round.ClosesAt):
		return round, false, nil
	}
	due := round.ClosesAt
	if round, err = r.store.CloseDue(ctx, id, due, r.closing("", round, due)); err != nil {
		return Round{}, false, err
	}
	if round.State != Closed { // a coordinator moved the time later meanwhile
		return round, false, nil
	}
	if _, err := r.seal(ctx, round); err != nil {
		return round, false, err
	}
	// A coordinator closes at the time they press, which is another.
	return round, round.ClosedAt.Equal(due), nil
}

// SystemProgress is how the round is going, for the round's own channel.
func (r *Rounds) SystemProgress(ctx context.Context, id RoundID) (Progress, error) {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return Progress{}, err
	}
	return r.status(ctx, round)
}

// SystemResults returns what may be known of a closed round's answers, for the round's own channel.
func (r *Rounds) SystemResults(ctx context.Context, id RoundID) (results.Published, error) {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return results.Published{}, err
	}
	return r.publish(ctx, round)
}

// Posted notes the figures of a digest, against which the next one is read.
func (r *Rounds) Posted(ctx context.Context, id RoundID, p DigestProgress) error {
	for range attempts {
		round, err := r.store.Round(ctx, id)
		if err != nil {
			return err
		}
		if round.State != Open {
			return nil
		}
		round.LastDigest = &p
		if err = r.store.SaveRound(ctx, round, audit.Entry{}); err == nil || !isChanged(err) {
			return err
		}
	}
	return fmt.Errorf("save round %s: %w", id, ErrChanged)
}

// NotYetError is returned by whoever sends messages for one that is to be sent after a while.
type NotYetError struct{ Wait time.Duration }

func (e *NotYetError) Error() string { return "not to be sent for " + e.Wait.String() }
