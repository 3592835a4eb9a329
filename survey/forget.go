package survey

import (
	"context"
	"errors"
	"slices"

	"maturitybot/survey/audit"
)

// Forgotten says what was erased about one person in one round.
type Forgotten struct {
	Round          Round
	Invited        bool // the person was in the roster
	Answers        bool // the person's answers were erased; false in a closed round
	Messages       int  // the number of messages that were queued for the person
	Attended       bool // the person's role and open vote in a workshop that goes on were erased
	WasCoordinator bool // the person was removed from the coordinators
	// SoleCoordinator says that the person stays a coordinator, because they are the only one of a
	// round that is not closed. Once another is added, or the round is closed, they can be
	// forgotten.
	SoleCoordinator bool
}

// Found reports whether anything was kept about the person.
func (f Forgotten) Found() bool {
	return f.erased() || f.WasCoordinator || f.SoleCoordinator
}

// erased reports whether anything was erased other than that the person coordinated the round.
func (f Forgotten) erased() bool {
	return f.Invited || f.Answers || f.Messages > 0 || f.Attended
}

// Forget removes a person from every round, and erases their answers in rounds that are not closed,
// when the operator has a written request for it. A closed round may be left without coordinators.
// The audit log of a round keeps what the person did as its coordinator. The person can be invited
// again. Forget returns what was erased, for each round in which the person was found, also with an
// error. After an error it can be called again.
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
		if isNoRound(err) { // it has expired since
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

// forget removes a person from one round.
func (s System) forget(ctx context.Context, id RoundID, person PersonID) (Forgotten, error) {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return Forgotten{}, err
	}
	if round.State == Closed { // first, so that the turnout still counts the person
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
	if !removed && f.erased() {
		// The entry does not name the person, because the audit log is kept.
		err = s.Audit(ctx, id, audit.Operator, audit.Forgotten)
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

// AnonymiseRoster anonymises the roster of a closed round, unless that is done already. It is called
// in case the closing stopped half-way, or a backup restored the roster.
func (s System) AnonymiseRoster(ctx context.Context, id RoundID) error {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return err
	}
	_, err = s.anonymise(ctx, round)
	return err
}
