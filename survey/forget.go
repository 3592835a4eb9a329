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
	Messages       int  // that were queued for them
	WasCoordinator bool // they were a coordinator, and are not any more
	// SoleCoordinator says that they stay a coordinator, since they are the only one of a round
	// that is not closed. Once another is added, or the round is closed, they can be forgotten.
	SoleCoordinator bool
}

// Found says whether anything was kept about the person.
func (f Forgotten) Found() bool {
	return f.Invited || f.Answers || f.Messages > 0 || f.WasCoordinator || f.SoleCoordinator
}

// Forget removes a person from every round, and erases their answers in rounds that are not closed,
// for an operator who has a written request. A closed round may be left without coordinators. The
// audit log of a round keeps what they did as its coordinator. They can be invited again. Forget
// returns what was erased in each round in which anything was, also with an error; it can then be
// called again.
func (s System) Forget(ctx context.Context, person PersonID) ([]Forgotten, error) {
	// Every round is searched, in case the person's own list of rounds is incomplete.
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
	round, removed, err := s.removeCoordinator(ctx, id, person)
	if err != nil {
		return Forgotten{}, err
	}
	f, err := s.store.Forget(ctx, id, person)
	f.Round, f.WasCoordinator = round, removed
	f.SoleCoordinator = slices.Contains(round.Coordinators, person)
	if err != nil {
		return f, err
	}
	if !removed && (f.Invited || f.Answers || f.Messages > 0) {
		err = s.Audit(ctx, id, audit.Operator, audit.Forgotten) // not who: the record outlives them here
	}
	return f, err
}

// removeCoordinator removes a person from a round's coordinators, unless an unclosed round would be
// left without any, and reports whether it did. A closed round takes no other coordinator, and
// needs none.
func (s System) removeCoordinator(
	ctx context.Context, id RoundID, person PersonID,
) (Round, bool, error) {
	for range attempts {
		round, err := s.store.Round(ctx, id)
		if err != nil {
			return Round{}, false, err
		}
		alone := len(round.Coordinators) == 1 && round.State != Closed
		if alone || !slices.Contains(round.Coordinators, person) {
			return round, false, nil
		}
		round.Coordinators = without(round.Coordinators, []PersonID{person})
		err = s.store.SaveRound(ctx, round, s.entry(audit.Operator, audit.Forgotten, nil))
		if err == nil {
			return round, true, nil
		}
		if !isChanged(err) {
			return Round{}, false, err
		}
	}
	return Round{}, false, errOvertaken(id)
}

// AnonymiseRoster makes the roster of a closed round forget who did what, if it has not: the
// closing may have stopped half-way, or a backup may have brought it back.
func (s System) AnonymiseRoster(ctx context.Context, id RoundID) error {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return err
	}
	_, err = s.anonymise(ctx, round)
	return err
}
