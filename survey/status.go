package survey

import (
	"context"
	"fmt"
	"slices"

	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// Results returns what may be known of a closed round's answers, and records who asked. Of an open one it returns ErrStillOpen.
// More is what the entry says beyond that.
func (r *Rounds) Results(ctx context.Context, id RoundID, by PersonID, more ...audit.Change) (results.Published, error) {
	round, err := r.Round(ctx, id, by)
	if err != nil {
		return results.Published{}, err
	}
	p, err := r.publish(ctx, round)
	if err != nil {
		return results.Published{}, err
	}
	return p, r.Audit(ctx, id, by, audit.Results, more...)
}

// Export returns what Results does, to be taken away as files, and the record, which tells of this as well.
func (r *Rounds) Export(ctx context.Context, id RoundID, by PersonID, more ...audit.Change) (results.Published, AuditLog, error) {
	round, err := r.Round(ctx, id, by)
	if err != nil {
		return results.Published{}, AuditLog{}, err
	}
	p, err := r.publish(ctx, round)
	if err != nil {
		return results.Published{}, AuditLog{}, err
	}
	if err := r.Audit(ctx, id, by, audit.Exported, more...); err != nil {
		return results.Published{}, AuditLog{}, err
	}
	record, err := r.SystemAuditLog(ctx, round)
	return p, record, err
}

func (r *Rounds) publish(ctx context.Context, round Round) (results.Published, error) {
	if round.State != Closed {
		return results.Published{}, fmt.Errorf("publish round %s: %w", round.ID, ErrStillOpen)
	}
	m, err := r.Matrix(round)
	if err != nil {
		return results.Published{}, err
	}
	turnout, err := r.seal(ctx, round)
	if err != nil {
		return results.Published{}, err
	}
	tally := results.NewTally(m)
	err = r.store.Responses(ctx, round.ID, func(resp results.Response) error {
		tally.Add(resp)
		return nil
	})
	if err != nil {
		return results.Published{}, err
	}
	terms := results.Context{
		Round: string(round.ID), Area: round.Area,
		MinGroup: round.MinGroup, Consensus: round.Consensus,
		OpenedAt: round.OpenedAt.In(round.Location()), ClosedAt: round.ClosedAt.In(round.Location()),
		Turnout: turnout,
	}
	if !round.Reminders.Equal(ReminderPlan{}) {
		terms.Reminders = round.Reminders
	}
	return results.Publish(tally, terms), nil
}

// Progress is how a round is going. It holds no answers.
type Progress struct {
	results.Turnout
	Round   Round
	Waiting []PersonID // not finished, for whatever reason, in the order of their ids. Who had finished and withdrew appears here again
	Done    []PersonID // finished
	Lost    []PersonID // not finished, and the platform would not deliver to them
}

// Progress tells a coordinator how the round is going.
func (r *Rounds) Progress(ctx context.Context, id RoundID, by PersonID) (Progress, error) {
	round, err := r.Round(ctx, id, by)
	if err != nil {
		return Progress{}, err
	}
	return r.status(ctx, round)
}

func (r *Rounds) status(ctx context.Context, round Round) (Progress, error) {
	m, err := r.Matrix(round)
	if err != nil {
		return Progress{}, err
	}
	s := Progress{Round: round}
	index := map[string]int{}
	for _, role := range m.Roles() {
		index[role.ID] = len(s.Roles)
		s.Roles = append(s.Roles, results.RoleCount{Role: role.ID})
	}
	err = r.store.Roster(ctx, round.ID, func(member Member) error {
		s.Invited++
		count := &s.Unstated
		if i, ok := index[member.Role]; ok {
			count = &s.Roles[i]
		}
		if member.Status != Declined && member.Status != Withdrawn {
			count.Invited++
		}
		switch member.Status {
		case Finished:
			s.Finished++
			count.Finished++
			s.Done = append(s.Done, member.Person)
			return nil
		case Started:
			s.Started++
		case Declined:
			s.Declined++
		case Withdrawn:
			s.Withdrawn++
		}
		if member.Unreachable {
			s.Lost = append(s.Lost, member.Person)
		} else {
			s.Waiting = append(s.Waiting, member.Person)
		}
		return nil
	})
	if err != nil {
		return Progress{}, err
	}
	if round.Turnout != nil {
		s.Turnout = *round.Turnout
	}
	slices.Sort(s.Waiting)
	slices.Sort(s.Done)
	slices.Sort(s.Lost)
	return s, nil
}

// seal makes a closed round forget who did what, if that has not been done, and returns the turnout it keeps in its place.
// Whatever stops it half-way, the next results of the round go on with it.
func (r *Rounds) seal(ctx context.Context, round Round) (results.Turnout, error) {
	if round.Anonymised && round.Turnout != nil {
		return *round.Turnout, nil
	}
	var turnout results.Turnout
	if round.Turnout != nil { // it was kept, and what came after it was stopped
		turnout = *round.Turnout
	} else {
		status, err := r.status(ctx, round)
		if err != nil {
			return results.Turnout{}, err
		}
		turnout = status.Turnout
	}
	if err := r.store.AnonymiseRoster(ctx, round.ID, turnout); err != nil {
		return results.Turnout{}, err
	}
	// Somebody else may have sealed it while the roster was read: theirs stands.
	round, err := r.store.Round(ctx, round.ID)
	if err != nil || round.Turnout == nil {
		return turnout, err
	}
	return *round.Turnout, nil
}

// SystemProgress is how the round is going, for the round's own channel.
func (r *Rounds) SystemProgress(ctx context.Context, id RoundID) (Progress, error) {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return Progress{}, err
	}
	return r.status(ctx, round)
}

// SystemResults returns what may be known of a closed round's answers, for the round's own channel.
func (r *Rounds) SystemResults(ctx context.Context, id RoundID) (results.Published, error) {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return results.Published{}, err
	}
	return r.publish(ctx, round)
}

// Posted notes the figures of a digest, against which the next one is read.
func (r *Rounds) Posted(ctx context.Context, id RoundID, p DigestProgress) error {
	for range attempts {
		round, err := r.store.Round(ctx, id)
		if err != nil {
			return err
		}
		if round.State != Open {
			return nil
		}
		round.LastDigest = &p
		if err = r.store.SaveRound(ctx, round, audit.Entry{}); err == nil || !isChanged(err) {
			return err
		}
	}
	return fmt.Errorf("save round %s: %w", id, ErrChanged)
}
