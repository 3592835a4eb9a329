package survey

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"maturitybot/survey/audit"
)

// RemindEvery is the shortest time between two reminders by hand.
const RemindEvery = 20 * time.Hour

// Remind queues a reminder for each person who was invited or has started, and who can be reached.
// It returns how many they are. Within RemindEvery of the last time it returns an *InputError.
func (c Coordinator) Remind(ctx context.Context, id RoundID) (Round, int, error) {
	round, err := c.Round(ctx, id)
	if err == nil {
		err = c.checkRemind(round)
	}
	if err != nil {
		return round, 0, err
	}
	// The messages are queued before RemindedAt is saved. If saving fails, the coordinator can try
	// again on the same day, and nobody gets a second reminder.
	now := c.now()
	date := now.In(round.Location()).Format(time.DateOnly)
	_, zones, err := System{c.core}.Planned(ctx, round)
	if err != nil {
		return round, 0, err
	}
	moments := map[string][]Moment{}
	for _, zone := range zones {
		moments[zone] = []Moment{{Kind: Nudge.On(date), At: now}} // dated: at most one a day
	}
	n, err := System{c.core}.EnqueueReminders(ctx, round, moments)
	if err != nil || n == 0 { // if nobody was reminded, RemindEvery does not start
		return round, 0, err
	}
	if err := c.store.Plan(ctx, id, NudgesSent.On(date), now.Add(nudgesFirstDelay)); err != nil {
		return round, n, err
	}
	round, err = c.change(ctx, id, audit.Reminded, func(round *Round) error {
		if err := c.checkRemind(*round); err != nil {
			return err
		}
		round.RemindedAt, round.Nudged = c.now(), n
		return nil
	}, peopleCount(n))
	return round, n, err
}

// checkRemind returns why people of the round cannot be reminded by hand now, or nil.
func (c Coordinator) checkRemind(round Round) error {
	if err := c.answering(round); err != nil {
		return err
	}
	if c.now().Before(round.RemindedAt.Add(RemindEvery)) {
		return &InputError{Field: "remind", Reason: "soon"}
	}
	return nil
}

// peopleCount returns the change in an audit entry that says how many people it is about.
func peopleCount(n int) audit.Change {
	return audit.Change{Field: audit.FieldPeople, New: strconv.Itoa(n)}
}

// enqueueBatch is how many messages are queued in one step. Other clients of the store wait for it.
const enqueueBatch = 500

// EnqueueReminders queues one message for each member: the first of those due in their time zone
// that the member wants. It returns the number of members who have one. Calling it again queues no
// message twice.
func (s System) EnqueueReminders(
	ctx context.Context, round Round, due map[string][]Moment,
) (int, error) {
	n := 0
	waiting := map[Moment][]PersonID{}
	enqueue := func(m Moment) error {
		if err := s.store.Enqueue(ctx, round.ID, m.Kind, m.At, waiting[m]); err != nil {
			return err
		}
		n += len(waiting[m])
		waiting[m] = waiting[m][:0]
		return nil
	}
	err := s.store.Scan(ctx, round.ID, func(member Member) error {
		zone := member.TimeZone
		if zone == "" {
			zone = round.TimeZone
		}
		for _, m := range due[zone] {
			if !m.Kind.wantedBy(round, member) {
				continue
			}
			waiting[m] = append(waiting[m], member.Person)
			if len(waiting[m]) == enqueueBatch {
				return enqueue(m)
			}
			break // a member gets one message a day
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
		if err := enqueue(m); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Reminded saves that a person was reminded on a date of their own time zone, or may have been, so
// that they get no second reminder on that date.
func (s System) Reminded(ctx context.Context, d Delivery, date string) error {
	return s.store.UpdateContact(ctx, d.Round, d.Person, func(m *Member) {
		m.LastRemindedDate = max(m.LastRemindedDate, date)
		if base, roundDate := d.Kind.Split(); base == Nudge {
			m.LastNudgedDate = max(m.LastNudgedDate, roundDate)
		}
		if m.RemindOnDate <= date {
			m.RemindOnDate = ""
		}
	})
}

// When the number of reminders by hand that were sent is recorded.
const (
	nudgesFirstDelay = time.Minute      // until the first attempt
	nudgesRetryDelay = 10 * time.Minute // from one attempt to the next
	// nudgesTimeout is when the number is recorded as it is. It may stay below the expected one,
	// because some members have finished before their reminder was sent.
	nudgesTimeout = 4 * 24 * time.Hour
)

// AuditNudges records how many reminders by hand of that date were sent: once all are sent, or
// after nudgesTimeout. Before that it returns a *NotYetError. It records nothing for a closed round,
// in which the number is no longer known.
func (s System) AuditNudges(ctx context.Context, id RoundID, date string) error {
	round, err := s.store.Round(ctx, id)
	switch {
	case isNoRound(err):
		return nil
	case err != nil:
		return err
	case round.State != Open:
		return nil
	}
	sent := 0
	err = s.store.Roster(ctx, id, func(m Member) error {
		if m.LastNudgedDate == date {
			sent++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if sent < round.Nudged && s.now().Before(round.RemindedAt.Add(nudgesTimeout)) {
		return &NotYetError{Wait: nudgesRetryDelay}
	}
	return s.Audit(ctx, id, "", audit.Nudged, peopleCount(sent))
}

// RemindLater queues a reminder that the person asked for, whatever the round's plan is. It returns
// ErrNotTakingPart for a person who takes part by link, because no message reaches them, and for one
// who has finished or declined, because nothing is awaited from them.
func (p Participant) RemindLater(
	ctx context.Context, id RoundID, at Moment,
) (Participation, error) {
	part, err := p.invited(ctx, id)
	if err != nil {
		return part, err
	}
	if p.person.ByLink() {
		return part, fmt.Errorf("remind a person who takes part by link: %w", ErrNotTakingPart)
	}
	if !part.Member.awaited() {
		return part, fmt.Errorf("remind a person whose status is %q: %w", part.Member.Status, ErrNotTakingPart)
	}
	_, date := at.Kind.Split()
	part, err = p.member(ctx, part, func(m *Member) error {
		m.RemindOnDate, m.RemindersOff = date, false
		return nil
	})
	if err != nil {
		return part, err
	}
	return part, p.store.Enqueue(ctx, id, at.Kind, at.At, []PersonID{p.person})
}

// SetRemindersOff saves whether the person wants no more reminders. It works in any state of the
// round.
func (p Participant) SetRemindersOff(
	ctx context.Context, id RoundID, off bool,
) (Participation, error) {
	part, err := p.Participation(ctx, id)
	switch {
	case err != nil:
		return part, err
	case part.Member.Status == NotInvited:
		return part, ErrNotTakingPart
	case part.Member.Status == Withdrawn:
		return part, ErrWithdrawn
	}
	change := func(m *Member) {
		m.RemindersOff = off
		if off {
			m.RemindOnDate = ""
		}
	}
	if err := p.store.UpdateContact(ctx, id, p.person, change); err != nil {
		return part, err
	}
	change(&part.Member)
	return part, nil
}
