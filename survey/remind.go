package survey

import (
	"context"
	"strconv"
	"time"

	"maturitybot/survey/audit"
)

// RemindEvery is the least time between two reminders by hand.
const RemindEvery = 20 * time.Hour

// Remind owes a reminder to everybody invited or started who can be reached, and returns how many they are.
// Within RemindEvery of the last time it returns an *InputError.
func (c Coordinator) Remind(ctx context.Context, id RoundID) (Round, int, error) {
	soon := func(round *Round) error {
		switch now := c.now(); {
		case round.State != Open:
			return refuseState(round.State)
		case !now.Before(round.ClosesAt):
			return ErrClosed
		case now.Before(round.RemindedAt.Add(RemindEvery)):
			return &InputError{Field: "remind", Reason: "soon"}
		}
		return nil
	}
	round, err := c.Round(ctx, id)
	if err == nil {
		err = soon(&round)
	}
	if err != nil {
		return round, 0, err
	}
	// Owed before it is noted that it was done: what stops this in between must not keep people from being reminded for a day.
	zones := map[string][]Moment{}
	all := []Moment{{Kind: Nudge.On(c.now().In(round.Location()).Format(time.DateOnly)), At: c.now()}} // dated, so that nobody gets two in a day
	_, names, err := System{c.core}.Planned(ctx, round)
	if err != nil {
		return round, 0, err
	}
	for _, zone := range names {
		zones[zone] = all
	}
	due, err := System{c.core}.EnqueueReminders(ctx, round, zones)
	if err != nil || due == 0 { // where nobody is due, nothing was done: somebody else may be invited and reminded
		return round, 0, err
	}
	date := c.now().In(round.Location()).Format(time.DateOnly)
	if err := c.store.Plan(ctx, id, NudgesSent.On(date), c.now().Add(nudgesFirst)); err != nil {
		return round, due, err
	}
	round, err = c.change(ctx, id, audit.Reminded, func(round *Round) error {
		if err := soon(round); err != nil {
			return err
		}
		round.RemindedAt, round.Nudged = c.now(), due
		return nil
	}, ofPeople(due))
	return round, due, err
}

// ofPeople says of how many people an entry of the record is.
func ofPeople(n int) audit.Change {
	return audit.Change{Field: audit.FieldPeople, New: strconv.Itoa(n)}
}

// owedAtOnce is how many people are owed a message in one step: every other client of the store waits for it.
const owedAtOnce = 500

// EnqueueReminders owes everybody the first of the messages of their time zone that is for them, and returns how many they are. It may
// be done again: nobody is then owed what they got before.
func (s System) EnqueueReminders(ctx context.Context, round Round, due map[string][]Moment) (int, error) {
	n := 0
	waiting := map[Moment][]PersonID{}
	owe := func(m Moment) error {
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

// Reminded notes that a person was reminded on that date of their clock, also where that is not sure: nobody is reminded twice on one day.
func (s System) Reminded(ctx context.Context, d Delivery, date string) error {
	err := s.store.UpdateContact(ctx, d.Round, d.Person, func(m *Member) {
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

// AuditNudges records how many reminders by hand of that date were sent: once all that were asked for are sent, or a day later. Before, it
// returns a *NotYetError. A round that has closed has forgotten it.
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
	if sent < round.Nudged && s.now().Before(round.RemindedAt.Add(nudgesLast)) {
		return &NotYetError{Wait: nudgesAgain}
	}
	return s.Audit(ctx, id, "", audit.Nudged, ofPeople(sent))
}

const (
	// nudgesFirst is how long after reminders were asked for it is first looked how many were sent, and nudgesAgain how long
	// after that again.
	nudgesFirst = time.Minute
	nudgesAgain = 10 * time.Minute
	// nudgesLast is when it is recorded however many they are: somebody may have finished meanwhile.
	nudgesLast = 4 * 24 * time.Hour
)

// RemindLater owes a person who asked for it a reminder at that moment, whatever the round's plan is.
func (p Participant) RemindLater(ctx context.Context, id RoundID, m Moment) (Participation, error) {
	seat, err := p.invited(ctx, id)
	if err != nil {
		return seat, err
	}
	_, date := m.Kind.Split()
	seat, err = p.member(ctx, seat, func(m *Member) error {
		m.RemindOnDate, m.RemindersOff = date, false
		return nil
	})
	if err != nil {
		return seat, err
	}
	if err := p.store.Enqueue(ctx, id, m.Kind, m.At, []PersonID{p.person}); err != nil {
		return seat, err
	}
	return seat, nil
}

// SetRemindersOff keeps whether a person is not to be reminded any more; in any state of the round.
func (p Participant) SetRemindersOff(ctx context.Context, id RoundID, quiet bool) (Participation, error) {
	seat, err := p.Participation(ctx, id)
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
	if err := p.store.UpdateContact(ctx, id, p.person, change); err != nil {
		return seat, err
	}
	change(&seat.Member)
	return seat, nil
}
