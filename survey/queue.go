package survey

import (
	"context"
	"slices"
	"strconv"
	"time"

	"maturitybot/survey/audit"
)

// RemindEvery is the least time between two reminders by hand.
const RemindEvery = 20 * time.Hour

// Remind owes a reminder to everybody invited or started who can be reached, and returns how many they are.
// Within RemindEvery of the last time it returns an *InputError.
func (r *Rounds) Remind(ctx context.Context, id RoundID, by PersonID) (Round, int, error) {
	soon := func(round *Round) error {
		switch now := r.now(); {
		case round.State != Open:
			return refuseState(round.State)
		case !now.Before(round.ClosesAt):
			return ErrClosed
		case now.Before(round.RemindedAt.Add(RemindEvery)):
			return &InputError{Field: "remind", Reason: "soon"}
		}
		return nil
	}
	round, err := r.Round(ctx, id, by)
	if err == nil {
		err = soon(&round)
	}
	if err != nil {
		return round, 0, err
	}
	// Owed before it is noted that it was done: what stops this in between must not keep people from being reminded for a day.
	zones := map[string][]Moment{}
	all := []Moment{{Kind: Nudge.On(r.now().In(round.Location()).Format(time.DateOnly)), At: r.now()}} // dated, so that nobody gets two in a day
	_, names, err := r.Planned(ctx, round)
	if err != nil {
		return round, 0, err
	}
	for _, zone := range names {
		zones[zone] = all
	}
	due, err := r.EnqueueReminders(ctx, round, zones)
	if err != nil || due == 0 { // where nobody is due, nothing was done: somebody else may be invited and reminded
		return round, 0, err
	}
	date := r.now().In(round.Location()).Format(time.DateOnly)
	if err := r.store.Plan(ctx, id, NudgesSent.On(date), r.now().Add(nudgesFirst)); err != nil {
		return round, due, err
	}
	round, err = r.change(ctx, id, by, audit.Reminded, func(round *Round) error {
		if err := soon(round); err != nil {
			return err
		}
		round.RemindedAt, round.Nudged = r.now(), due
		return nil
	}, ofPeople(due))
	return round, due, err
}

// ofPeople says of how many people an entry of the record is.
func ofPeople(n int) audit.Change {
	return audit.Change{Field: audit.FieldPeople, New: strconv.Itoa(n)}
}

// LeaseTTL is how long a process has for sending the messages that it takes, at a platform's pace. It is also how long they wait where
// the process is killed.
const LeaseTTL = 3 * time.Minute

// LeaseDue hands out at most limit messages that are due; each is to be given to Settle or Postpone within minutes, or it is
// handed out again.
func (r *Rounds) LeaseDue(ctx context.Context, limit int) ([]Delivery, error) {
	now := r.now()
	due, err := r.store.Lease(ctx, now, now.Add(LeaseTTL), limit)
	if err != nil {
		return nil, err
	}
	return due, nil
}

// Due counts the messages that are due now and that nobody has in hand.
func (r *Rounds) Due(ctx context.Context) (int, error) {
	n, err := r.store.Due(ctx, r.now())
	if err != nil {
		return 0, err
	}
	return n, nil
}

// StillWanted says whether a message still has something to tell its person, whose seat it returns: of a round that takes answers,
// or has its workshop ahead, and to somebody who has not done what it is about and has not been reminded since it was due; or to a coordinator of a closed round. It
// does not say that this is the hour for it.
func (r *Rounds) StillWanted(ctx context.Context, d Delivery) (Participation, bool, error) {
	seat, err := r.Participation(ctx, d.Round, d.Person)
	switch {
	case isNoRound(err):
		return seat, false, nil
	case err != nil:
		return seat, false, err
	}
	if d.Kind.Base() == Unposted {
		return seat, seat.Round.State == Closed && slices.Contains(seat.Round.Coordinators, d.Person), nil
	}
	return seat, seat.Round.takes(d.Kind, r.now()) && seat.Member.wants(d.Kind), nil
}

// Ack forgets a message that was sent, or is not awaited any more.
func (r *Rounds) Ack(ctx context.Context, d Delivery) error {
	return r.store.Ack(ctx, d)
}

// Reschedule makes a message that could not be sent due again after a while.
func (r *Rounds) Reschedule(ctx context.Context, d Delivery, wait time.Duration) error {
	return r.store.Reschedule(ctx, d, r.now().Add(wait))
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

// NotYetError is returned by whoever sends messages for one that is to be sent after a while.
type NotYetError struct{ Wait time.Duration }

func (e *NotYetError) Error() string { return "not to be sent for " + e.Wait.String() }
