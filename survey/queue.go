package survey

import (
	"context"
	"slices"
	"time"
)

// LeaseTTL is how long a process has to send the messages that it leases, at a platform's pace. If
// the process is killed, its messages wait as long.
const LeaseTTL = 3 * time.Minute

// LeaseDue leases up to limit messages that are due. Each must be given to Ack or Reschedule within
// LeaseTTL, or it is leased again.
func (s System) LeaseDue(ctx context.Context, limit int) ([]Delivery, error) {
	now := s.now()
	return s.store.Lease(ctx, now, now.Add(LeaseTTL), limit)
}

// Due counts the messages that are due now and not leased.
func (s System) Due(ctx context.Context) (int, error) { return s.store.Due(ctx, s.now()) }

// StillWanted reports whether the person of a message still wants it: its event is to come, they
// have not yet done what it is about, and they have not been reminded since it was due. It does not
// say whether this is an hour to send it. It also returns their participation.
func (s System) StillWanted(ctx context.Context, d Delivery) (Participation, bool, error) {
	part, err := s.store.Participation(ctx, d.Round, d.Person)
	switch {
	case isNoRound(err):
		return part, false, nil
	case err != nil:
		return part, false, err
	}
	wanted := d.Kind.timely(part.Round, s.now()) && d.Kind.wantedBy(part.Round, part.Member)
	return part, wanted, nil
}

// Ack removes a message that was sent, or that is no longer wanted.
func (s System) Ack(ctx context.Context, d Delivery) error { return s.store.Ack(ctx, d) }

// Reschedule makes a message that could not be sent due again after wait.
func (s System) Reschedule(ctx context.Context, d Delivery, wait time.Duration) error {
	return s.store.Reschedule(ctx, d, s.now().Add(wait))
}

// EachToPlan calls visit for each round that has something to plan now, see DeliveryStore.
func (s System) EachToPlan(
	ctx context.Context, visit func(Round) (next time.Time, err error),
) error {
	return s.store.EachToPlan(ctx, s.now(), visit)
}

// PlanAll makes the next EachToPlan visit every round.
func (s System) PlanAll(ctx context.Context) error { return s.store.PlanAll(ctx) }

// Planned returns what was planned in a round, by the names given to Plan and MarkPlanned, and the
// time zones of its people.
func (s System) Planned(
	ctx context.Context, round Round,
) (names map[string]bool, zones []string, err error) {
	names, zones, err = s.store.Planned(ctx, round.ID)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(zones, round.TimeZone) {
		zones = append(zones, round.TimeZone)
	}
	return names, zones, nil
}

// Plan queues a post to the coordinators' channel, due at once. A kind is planned once only.
func (s System) Plan(ctx context.Context, id RoundID, kind MessageKind) error {
	// A channel gets few messages. Due long ago, they do not wait behind thousands of reminders.
	return s.store.Plan(ctx, id, kind, time.Unix(0, 0))
}

// MarkPlanned saves names of what was planned, as long as the round is kept.
func (s System) MarkPlanned(ctx context.Context, id RoundID, names ...string) error {
	return s.store.MarkPlanned(ctx, id, names)
}

// TellUnposted queues a message to each coordinator that the results could not be posted.
func (s System) TellUnposted(ctx context.Context, id RoundID) error {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return err
	}
	return s.store.Enqueue(ctx, id, Unposted, s.now(), round.Coordinators)
}

// TellChannelLost queues a message to each coordinator that their channel takes no posts. They get
// it once, at the first post that failed.
func (s System) TellChannelLost(ctx context.Context, id RoundID) error {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return err
	}
	names, _, err := s.store.Planned(ctx, id)
	if err != nil || names[string(ChannelLost)] {
		return err
	}
	if err := s.store.Enqueue(ctx, id, ChannelLost, s.now(), round.Coordinators); err != nil {
		return err
	}
	return s.store.MarkPlanned(ctx, id, []string{string(ChannelLost)})
}

// NotYetError is the answer to a message that is to be sent later.
type NotYetError struct{ Wait time.Duration }

func (e *NotYetError) Error() string { return "not to be sent for " + e.Wait.String() }
