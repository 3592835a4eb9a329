package survey

import (
	"context"
	"slices"
	"time"
)

// LeaseTTL is how long a process has for sending the messages that it takes, at a platform's pace. It is also how long they wait where
// the process is killed.
const LeaseTTL = 3 * time.Minute

// LeaseDue hands out at most limit messages that are due; each is to be given to Settle or Postpone within minutes, or it is
// handed out again.
func (s System) LeaseDue(ctx context.Context, limit int) ([]Delivery, error) {
	now := s.now()
	due, err := s.store.Lease(ctx, now, now.Add(LeaseTTL), limit)
	if err != nil {
		return nil, err
	}
	return due, nil
}

// Due counts the messages that are due now and that nobody has in hand.
func (s System) Due(ctx context.Context) (int, error) {
	n, err := s.store.Due(ctx, s.now())
	if err != nil {
		return 0, err
	}
	return n, nil
}

// StillWanted says whether a message still has something to tell its person, whose seat it returns: of a round that takes answers,
// or has its workshop ahead, and to somebody who has not done what it is about and has not been reminded since it was due; or to a coordinator of a closed round. It
// does not say that this is the hour for it.
func (s System) StillWanted(ctx context.Context, d Delivery) (Participation, bool, error) {
	seat, err := s.store.Participation(ctx, d.Round, d.Person)
	switch {
	case isNoRound(err):
		return seat, false, nil
	case err != nil:
		return seat, false, err
	}
	wanted := d.Kind.timely(seat.Round, s.now()) && d.Kind.wantedBy(seat.Round, seat.Member)
	return seat, wanted, nil
}

// Ack forgets a message that was sent, or is not awaited any more.
func (s System) Ack(ctx context.Context, d Delivery) error {
	return s.store.Ack(ctx, d)
}

// Reschedule makes a message that could not be sent due again after a while.
func (s System) Reschedule(ctx context.Context, d Delivery, wait time.Duration) error {
	return s.store.Reschedule(ctx, d, s.now().Add(wait))
}

// EachToPlan calls visit, from several goroutines at once, for each round that has something to plan now, or that has changed since it
// was last visited. Visit returns when there is next something to plan, or a zero time for never. When visit fails, the round is
// visited again by the next call; that error is not returned.
func (s System) EachToPlan(ctx context.Context, visit func(Round) (next time.Time, err error)) error {
	return s.store.EachToPlan(ctx, s.now(), visit)
}

// PlanAll makes EachToPlan visit every round the next time.
func (s System) PlanAll(ctx context.Context) error {
	return s.store.PlanAll(ctx)
}

// Planned returns what has been planned of a round, by the names that Plan and Note were given, and the time zones its people are in.
func (s System) Planned(ctx context.Context, round Round) (names map[string]bool, zones []string, err error) {
	names, zones, err = s.store.Planned(ctx, round.ID)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(zones, round.TimeZone) {
		zones = append(zones, round.TimeZone)
	}
	return names, zones, nil
}

// Plan owes the coordinator's channel a post, at once. A kind that was planned before is not planned again.
func (s System) Plan(ctx context.Context, id RoundID, kind MessageKind) error {
	// What goes to the channel is a few messages; as if due long ago, they need not stand behind thousands of reminders.
	return s.store.Plan(ctx, id, kind, time.Unix(0, 0))
}

// TellUnposted owes each coordinator of a round the message that its results could not be posted.
func (s System) TellUnposted(ctx context.Context, id RoundID) error {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return err
	}
	if err := s.store.Enqueue(ctx, id, Unposted, s.now(), round.Coordinators); err != nil {
		return err
	}
	return nil
}

// MarkPlanned keeps that these were planned, until the round is gone.
func (s System) MarkPlanned(ctx context.Context, id RoundID, names ...string) error {
	return s.store.MarkPlanned(ctx, id, names)
}

// NotYetError is returned by whoever sends messages for one that is to be sent after a while.
type NotYetError struct{ Wait time.Duration }

func (e *NotYetError) Error() string { return "not to be sent for " + e.Wait.String() }
