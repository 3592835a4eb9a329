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
func (c Coordinator) Results(ctx context.Context, id RoundID, more ...audit.Change) (results.Published, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return results.Published{}, err
	}
	p, err := c.publish(ctx, round)
	if err != nil {
		return results.Published{}, err
	}
	return p, System{c.core}.Audit(ctx, id, c.person, audit.Results, more...)
}

// Export returns what Results does, to be taken away as files, and the record, which tells of this as well.
func (c Coordinator) Export(ctx context.Context, id RoundID, more ...audit.Change) (results.Published, AuditLog, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return results.Published{}, AuditLog{}, err
	}
	p, err := c.publish(ctx, round)
	if err != nil {
		return results.Published{}, AuditLog{}, err
	}
	err = System{c.core}.Audit(ctx, id, c.person, audit.Exported, more...)
	if err != nil {
		return results.Published{}, AuditLog{}, err
	}
	record, err := System{c.core}.AuditLog(ctx, round)
	return p, record, err
}

func (c *core) publish(ctx context.Context, round Round) (results.Published, error) {
	if round.State != Closed {
		return results.Published{}, fmt.Errorf("publish round %s: %w", round.ID, ErrStillOpen)
	}
	m, err := c.matrix(round)
	if err != nil {
		return results.Published{}, err
	}
	turnout, err := c.anonymise(ctx, round)
	if err != nil {
		return results.Published{}, err
	}
	tally := results.NewTally(m)
	err = c.store.Responses(ctx, round.ID, func(resp results.Response) error {
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
func (c Coordinator) Progress(ctx context.Context, id RoundID) (Progress, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return Progress{}, err
	}
	return c.progress(ctx, round)
}

func (c *core) progress(ctx context.Context, round Round) (Progress, error) {
	m, err := c.matrix(round)
	if err != nil {
		return Progress{}, err
	}
	s := Progress{Round: round}
	index := map[string]int{}
	for _, role := range m.Roles() {
		index[role.ID] = len(s.Roles)
		s.Roles = append(s.Roles, results.RoleCount{Role: role.ID})
	}
	err = c.store.Roster(ctx, round.ID, func(member Member) error {
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
func (c *core) anonymise(ctx context.Context, round Round) (results.Turnout, error) {
	if round.Anonymised && round.Turnout != nil {
		return *round.Turnout, nil
	}
	var turnout results.Turnout
	if round.Turnout != nil { // it was kept, and what came after it was stopped
		turnout = *round.Turnout
	} else {
		status, err := c.progress(ctx, round)
		if err != nil {
			return results.Turnout{}, err
		}
		turnout = status.Turnout
	}
	if err := c.store.AnonymiseRoster(ctx, round.ID, turnout); err != nil {
		return results.Turnout{}, err
	}
	// Somebody else may have sealed it while the roster was read: theirs stands.
	round, err := c.store.Round(ctx, round.ID)
	if err != nil || round.Turnout == nil {
		return turnout, err
	}
	return *round.Turnout, nil
}

// Progress returns how the round is going, for its own channel.
func (s System) Progress(ctx context.Context, id RoundID) (Progress, error) {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return Progress{}, err
	}
	return s.progress(ctx, round)
}

// Results returns what may be known of a closed round's answers, for the round's own channel.
func (s System) Results(ctx context.Context, id RoundID) (results.Published, error) {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return results.Published{}, err
	}
	return s.publish(ctx, round)
}
