package survey

import (
	"context"
	"fmt"
	"slices"

	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// Results returns the results of a closed round and logs that the coordinator asked for them. It
// returns ErrStillOpen for a round that is not closed. The log entry also holds the changes in
// more.
func (c Coordinator) Results(
	ctx context.Context, id RoundID, more ...audit.Change,
) (results.Published, error) {
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

// Export is like Results, but logs an export of files. It also returns the audit log, which
// includes this export.
func (c Coordinator) Export(
	ctx context.Context, id RoundID, more ...audit.Change,
) (results.Published, AuditLog, error) {
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
	log, err := System{c.core}.AuditLog(ctx, round)
	return p, log, err
}

// publish returns the results of a closed round, whose roster it anonymises first.
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
	tally.SetTurnout(turnout)
	err = c.store.Responses(ctx, round.ID, func(resp results.Response) error {
		tally.Add(resp)
		return nil
	})
	if err != nil {
		return results.Published{}, err
	}
	resultContext := results.Context{
		Round:     string(round.ID),
		Area:      round.Area,
		MinGroup:  round.MinGroup,
		Consensus: round.Consensus,
		OpenedAt:  round.OpenedAt.In(round.Location()),
		ClosedAt:  round.ClosedAt.In(round.Location()),
	}
	if !round.Reminders.Equal(ReminderPlan{}) {
		resultContext.Reminders = round.Reminders
	}
	return results.Publish(tally, resultContext), nil
}

// Progress is how far the people of a round have come. It holds no answers. Each list of people is
// in the order of their ids. People who take part by link are counted, and on none of the lists.
type Progress struct {
	results.Turnout
	Round Round
	// Waiting are the people who have not finished, whatever their status. A person who finished
	// and then withdrew is among them.
	Waiting []PersonID
	Done    []PersonID // finished
	Lost    []PersonID // not finished, and the platform did not deliver a message to them
}

// Progress returns the progress of the round.
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
	p := Progress{Round: round}
	index := map[string]int{}
	for _, role := range m.Roles() {
		index[role.ID] = len(p.Roles)
		p.Roles = append(p.Roles, results.RoleCount{Role: role.ID})
	}
	err = c.store.Roster(ctx, round.ID, func(member Member) error {
		p.Invited++
		count := &p.Unstated
		if i, ok := index[member.Role]; ok {
			count = &p.Roles[i]
		}
		if member.Status != Withdrawn { // withdrawing erases the role
			count.Invited++
		}
		byLink := member.Person.ByLink()
		switch member.Status {
		case Finished:
			p.Finished++
			count.Finished++
			if member.Person.ByOpenLink() {
				p.OpenLink++
			}
			if !byLink {
				p.Done = append(p.Done, member.Person)
			}
			return nil
		case Started:
			p.Started++
		case Declined:
			p.Declined++
		case Withdrawn:
			p.Withdrawn++
		}
		if byLink {
			return nil
		}
		if member.Unreachable {
			p.Lost = append(p.Lost, member.Person)
		} else {
			p.Waiting = append(p.Waiting, member.Person)
		}
		return nil
	})
	if err != nil {
		return Progress{}, err
	}
	if round.Turnout != nil {
		p.Turnout = *round.Turnout
	}
	slices.Sort(p.Waiting)
	slices.Sort(p.Done)
	slices.Sort(p.Lost)
	return p, nil
}

// anonymise deletes from the roster of a closed round what each person did, unless that is done
// already. It returns the turnout, which the round keeps instead. After an error, the next call
// continues the work.
func (c *core) anonymise(ctx context.Context, round Round) (results.Turnout, error) {
	if round.Anonymised && round.Turnout != nil {
		return *round.Turnout, nil
	}
	var turnout results.Turnout
	if round.Turnout != nil { // an earlier call saved it, and then failed
		turnout = *round.Turnout
	} else {
		progress, err := c.progress(ctx, round)
		if err != nil {
			return results.Turnout{}, err
		}
		turnout = progress.Turnout
	}
	if err := c.store.AnonymiseRoster(ctx, round.ID, turnout); err != nil {
		return results.Turnout{}, err
	}
	// Another process may have anonymised the roster meanwhile. The turnout that it saved counts.
	round, err := c.store.Round(ctx, round.ID)
	if err != nil || round.Turnout == nil {
		return turnout, err
	}
	return *round.Turnout, nil
}

// Progress returns the progress of the round, for the coordinator's channel.
func (s System) Progress(ctx context.Context, id RoundID) (Progress, error) {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return Progress{}, err
	}
	return s.progress(ctx, round)
}

// Results returns the results of a closed round, for the coordinator's channel. It returns
// ErrStillOpen for a round that is not closed.
func (s System) Results(ctx context.Context, id RoundID) (results.Published, error) {
	round, err := s.store.Round(ctx, id)
	if err != nil {
		return results.Published{}, err
	}
	return s.publish(ctx, round)
}
