package survey

import (
	"context"
	"errors"
	"fmt"
	"maturitybot/survey/audit"
	"slices"
)

// Forgotten is what was erased of one person in one round.
type Forgotten struct {
	Round          Round
	Invited        bool // they were in the roster
	Answers        bool // what they had said was erased; never in a closed round
	Messages       int  // that were owed to them
	WasCoordinator bool // they were a coordinator, and are not any more
	// Alone says that they are the only coordinator of a round that is not closed, and stay it: somebody has to steer the round. Once
	// another is added, or it is closed, they can be forgotten.
	SoleCoordinator bool
}

// Found says whether anything was kept about the person.
func (f Forgotten) Found() bool {
	return f.Invited || f.Answers || f.Messages > 0 || f.WasCoordinator || f.SoleCoordinator
}

// Forget takes a person out of every round, and erases what they answered where the round is not closed, at the wish of the operator,
// who has a written request. A closed round may be left without coordinators. The record of a round keeps what they did as its
// coordinator. It returns what was erased of each round in which something was, also beside an error: then it is to
// be done again, which changes nothing where it was done. It asks for no coordinator. The person can be invited anew.
func (r *Rounds) Forget(ctx context.Context, person PersonID) ([]Forgotten, error) {
	// Not only the person's own list of rounds: every round is asked, whatever may be amiss with the list.
	var ids []RoundID
	if err := r.All(ctx, func(round Round) error {
		ids = append(ids, round.ID)
		return nil
	}); err != nil {
		return nil, err
	}
	slices.Sort(ids) // a scan may meet a round twice
	var all []Forgotten
	var failed []error
	for _, id := range slices.Compact(ids) {
		f, err := r.forget(ctx, id, person)
		if isNoRound(err) { // it has just expired
			continue
		}
		if err != nil {
			failed = append(failed, err)
		}
		if f.Found() {
			all = append(all, f)
		}
	}
	return all, errors.Join(failed...)
}

func (r *Rounds) forget(ctx context.Context, id RoundID, person PersonID) (Forgotten, error) {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return Forgotten{}, err
	}
	if round.State == Closed { // first, or the person would be missing from the turnout
		if _, err := r.seal(ctx, round); err != nil {
			return Forgotten{}, err
		}
	}
	round, steered, err := r.removeCoordinator(ctx, id, person)
	if err != nil {
		return Forgotten{}, err
	}
	f, err := r.store.Forget(ctx, id, person)
	f.Round, f.WasCoordinator, f.SoleCoordinator = round, steered, slices.Contains(round.Coordinators, person)
	if err != nil {
		return f, err
	}
	if !steered && (f.Invited || f.Answers || f.Messages > 0) {
		err = r.Audit(ctx, id, audit.Operator, audit.Forgotten) // not who: the record outlives them here
	}
	return f, err
}

// removeCoordinator takes a person out of a round's coordinators, unless nobody would be left to steer it, and says whether it did.
func (r *Rounds) removeCoordinator(ctx context.Context, id RoundID, person PersonID) (Round, bool, error) {
	for range attempts {
		round, err := r.store.Round(ctx, id)
		if err != nil {
			return Round{}, false, err
		}
		alone := len(round.Coordinators) == 1 && round.State != Closed // a closed round takes no other coordinator, and needs none
		if alone || !slices.Contains(round.Coordinators, person) {
			return round, false, nil
		}
		round.Coordinators = slices.DeleteFunc(round.Coordinators, func(p PersonID) bool { return p == person })
		if err = r.store.SaveRound(ctx, round, r.entry(audit.Operator, audit.Forgotten, nil)); err == nil {
			return round, true, nil
		}
		if !isChanged(err) {
			return Round{}, false, err
		}
	}
	return Round{}, false, fmt.Errorf("save round %s: %w", id, ErrChanged)
}

// AnonymiseRoster makes the roster of a closed round forget who did what, if that has not been done: closing may have been stopped half-way, an
// earlier version may have kept more, or a backup may have brought it back.
func (r *Rounds) AnonymiseRoster(ctx context.Context, id RoundID) error {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return err
	}
	_, err = r.seal(ctx, round)
	return err
}
