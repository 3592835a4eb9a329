package survey

import (
	"context"
	"fmt"
	"slices"
	"time"

	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
)

// Rounds is everything that can be done with rounds. Each method checks that the person may do it.
type Rounds struct {
	store    Store
	matrices map[string]*matrix.Matrix
	now      func() time.Time
}

// NewRounds works on the store, with the matrices that rounds may be asked with, by the clock given.
func NewRounds(store Store, matrices []*matrix.Matrix, now func() time.Time) *Rounds {
	r := &Rounds{store: store, matrices: map[string]*matrix.Matrix{}, now: now}
	for _, m := range matrices {
		r.matrices[m.ID] = m
	}
	return r
}

// Matrix returns the matrix a round is asked with.
func (r *Rounds) Matrix(round Round) (*matrix.Matrix, error) {
	m, ok := r.matrices[round.Matrix]
	if !ok {
		return nil, fmt.Errorf("find matrix %q of round %s: this installation does not have it", round.Matrix, round.ID)
	}
	return m, nil
}

func (r *Rounds) entry(by PersonID, act audit.Action, changes []audit.Change) audit.Entry {
	return audit.Entry{At: r.now(), By: string(by), Action: act, Changes: changes}
}

// Round returns a round to one of its coordinators; to anybody else ErrNotCoordinator.
func (r *Rounds) Round(ctx context.Context, id RoundID, by PersonID) (Round, error) {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return Round{}, err
	}
	if !slices.Contains(round.Coordinators, by) {
		return Round{}, fmt.Errorf("read round %s: %w", id, ErrNotCoordinator)
	}
	return round, nil
}

// attempts is how often a change is tried again when somebody else changed the round in between.
const attempts = 5

// change reads the round, lets edit change it, and saves it, again from the start when it was changed in between. The act is recorded
// with what has changed, and what more there is to say of it.
func (r *Rounds) change(ctx context.Context, id RoundID, by PersonID, act audit.Action, edit func(*Round) error, more ...audit.Change) (Round, error) {
	for range attempts {
		round, err := r.Round(ctx, id, by)
		if err != nil {
			return Round{}, err
		}
		before := round
		before.Coordinators = slices.Clone(round.Coordinators)
		if err := edit(&round); err != nil {
			return before, err
		}
		err = r.store.SaveRound(ctx, round, r.entry(by, act, append(Changes(before, round), more...)))
		if err == nil {
			round.Version++
			return round, nil
		}
		if !isChanged(err) {
			return before, err
		}
	}
	return Round{}, fmt.Errorf("save round %s: %w", id, ErrChanged)
}
