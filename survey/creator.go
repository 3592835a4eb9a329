package survey

import (
	"context"
	"fmt"
	"slices"

	"maturitybot/survey/audit"
)

// Creator is what a person who may start rounds may do beyond coordinating their own. This package
// does not know who may start rounds: the caller has checked it.
type Creator struct {
	*core
	person PersonID
}

// Create saves the draft of a round. The person must be one of its coordinators. Create returns an
// *InputError for a value that is not allowed.
func (c Creator) Create(ctx context.Context, round Round) (Round, error) {
	round.State, round.Version = Draft, 0
	if err := c.check(&round); err != nil {
		return Round{}, err
	}
	if !slices.Contains(round.Coordinators, c.person) {
		return Round{}, fmt.Errorf("create round %s: %w", round.ID, ErrNotCoordinator)
	}
	entry := c.entry(c.person, audit.Created, Changes(Round{}, round))
	if err := c.store.CreateRound(ctx, round, entry); err != nil {
		return Round{}, err
	}
	return round, nil
}

// All calls visit for every round that is kept, in no stated order.
func (c Creator) All(ctx context.Context, visit func(Round) error) error {
	return c.store.Rounds(ctx, visit)
}

// Round returns the round, or ErrNoRound.
func (c Creator) Round(ctx context.Context, id RoundID) (Round, error) {
	return c.store.Round(ctx, id)
}

// AddSelf makes the person a coordinator of a round in any state, so that a round whose last
// coordinator has left is not lost. A post to the channel is queued then.
func (c Creator) AddSelf(ctx context.Context, id RoundID) (Round, error) {
	round, _, err := c.addCoordinator(ctx, id, c.person, c.person, audit.SelfAdded)
	return round, err
}
