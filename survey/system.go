package survey

import (
	"context"
	"fmt"
	"slices"

	"maturitybot/survey/audit"
)

// System is what the bot does by itself, and what the operator does on the command line. Its
// methods check no permission: the caller has done so, or nobody's permission is needed.
type System struct{ *core }

// Round returns the round, or ErrNoRound.
func (s System) Round(ctx context.Context, id RoundID) (Round, error) {
	return s.store.Round(ctx, id)
}

// All calls visit for every round that is kept, in no stated order.
func (s System) All(ctx context.Context, visit func(Round) error) error {
	return s.store.Rounds(ctx, visit)
}

// Each calls visit for every round that has a plan, in no stated order.
func (s System) Each(ctx context.Context, visit func(Round) error) error {
	now := s.now()
	return s.store.Rounds(ctx, func(round Round) error {
		if round.HasPlan(now) {
			return visit(round)
		}
		return nil
	})
}

// AddCoordinator adds a coordinator to a round in any state for the operator, so that a round whose
// last coordinator has left is not lost. The bool says whether this call added them. Then a post to
// the channel is queued.
func (s System) AddCoordinator(
	ctx context.Context, id RoundID, person PersonID,
) (Round, bool, error) {
	return s.addCoordinator(ctx, id, person, audit.Operator, audit.Team)
}

// addCoordinator adds a coordinator, and queues a post to the channel if the person was not one.
func (c *core) addCoordinator(
	ctx context.Context, id RoundID, person, by PersonID, act audit.Action,
) (Round, bool, error) {
	if err := checkPeople([]PersonID{person}); err != nil {
		return Round{}, false, err
	}
	for range attempts {
		round, err := c.store.Round(ctx, id)
		switch {
		case err != nil:
			return Round{}, false, err
		case slices.Contains(round.Coordinators, person):
			return round, false, nil
		case len(round.Coordinators) >= MaxCoordinators:
			return round, false, &InputError{Field: "people", Reason: "full", Limit: MaxCoordinators}
		}
		before := round
		round.Coordinators = append(slices.Clone(round.Coordinators), person)
		e := c.entry(by, act, Changes(before, round))
		err = c.store.SaveRound(ctx, round, e)
		if isChanged(err) {
			continue
		}
		if err != nil {
			return before, false, err
		}
		round.Version++
		suffix := fmt.Sprintf("%d.%d", e.At.Unix(), round.Version)
		return round, true, System{c}.Plan(ctx, id, NewCoordinator.On(suffix))
	}
	return Round{}, false, errOvertaken(id)
}

// SetUnreachable saves whether the platform refuses to deliver messages to a person.
func (s System) SetUnreachable(
	ctx context.Context, id RoundID, person PersonID, unreachable bool,
) error {
	return s.store.UpdateContact(ctx, id, person, func(m *Member) { m.Unreachable = unreachable })
}

// Posted saves the figures of a digest, with which the next one compares.
func (s System) Posted(ctx context.Context, id RoundID, p DigestProgress) error {
	for range attempts {
		round, err := s.store.Round(ctx, id)
		if err != nil {
			return err
		}
		if round.State != Open {
			return nil
		}
		round.LastDigest = &p
		if err = s.store.SaveRound(ctx, round, audit.Entry{}); err == nil || !isChanged(err) {
			return err
		}
	}
	return errOvertaken(id)
}
