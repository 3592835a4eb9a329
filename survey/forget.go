package survey

import (
	"context"
	"errors"
	"slices"

	"maturitybot/survey/audit"
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
func (s System) Forget(ctx context.Context, person PersonID) ([]Forgotten, error) {
	// Not only the person's own list of rounds: every round is asked, whatever may be amiss with the list.
	var ids []RoundID
	if err := s.All(ctx, func(round Round) error {
		ids = append(ids, round.ID)
		return nil
	}); err != nil {
		return nil, err
	}
	slices.Sort(ids) // a scan may meet a round twice
	var all []Forgotten
	var failed []error
	for _, id := range slices.Compact(ids) {
		f, err := s.forget(ctx, id, person)
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

func (s System) forget(ctx context.Context, id RoundID, person PersonID) (Forgotten, error) {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return Forgotten{}, err
	}
	if round.State == Closed { // first, or the person would be missing from the turnout
		if _, err := s.anonymise(ctx, round); err != nil {
			return Forgotten{}, err
		}
	}
	round, steered, err := s.removeCoordinator(ctx, id, person)
	if err != nil {
		return Forgotten{}, err
	}
	f, err := s.store.Forget(ctx, id, person)
	f.Round, f.WasCoordinator, f.SoleCoordinator = round, steered, slices.Contains(round.Coordinators, person)
	if err != nil {
		return f, err
	}
	if !steered && (f.Invited || f.Answers || f.Messages > 0) {
		err = s.Audit(ctx, id, audit.Operator, audit.Forgotten) // not who: the record outlives them here
	}
	return f, err
}

// removeCoordinator takes a person out of a round's coordinators, unless nobody would be left to steer it, and says whether it did.
func (s System) removeCoordinator(ctx context.Context, id RoundID, person PersonID) (Round, bool, error) {
	for range attempts {
		round, err := s.store.Round(ctx, id)
		if err != nil {
			return Round{}, false, err
		}
		alone := len(round.Coordinators) == 1 && round.State != Closed // a closed round takes no other coordinator, and needs none
		if alone || !slices.Contains(round.Coordinators, person) {
			return round, false, nil
		}
		round.Coordinators = slices.DeleteFunc(round.Coordinators, func(p PersonID) bool { return p == person })
		if err = s.store.SaveRound(ctx, round, s.entry(audit.Operator, audit.Forgotten, nil)); err == nil {
			return round, true, nil
		}
		if !isChanged(err) {
			return Round{}, false, err
		}
	}
	return Round{}, false, errOvertaken(id)
}

// AnonymiseRoster makes the roster of a closed round forget who did what, if that has not been done: closing may have been stopped half-way, an
// earlier version may have kept more, or a backup may have brought it back.
func (s System) AnonymiseRoster(ctx context.Context, id RoundID) error {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return err
	}
	_, err = s.anonymise(ctx, round)
	return err
}
