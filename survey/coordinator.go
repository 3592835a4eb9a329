package survey

import (
	"context"
	"fmt"
	"slices"

	"maturitybot/survey/audit"
)

// Coordinator is what one person may do in the rounds that they coordinate. Every method that takes
// a round id returns ErrNotCoordinator if they do not coordinate that round.
type Coordinator struct {
	*core
	person PersonID
}

// Round returns the round.
func (c Coordinator) Round(ctx context.Context, id RoundID) (Round, error) {
	round, err := c.store.Round(ctx, id)
	if err != nil {
		return Round{}, err
	}
	if !slices.Contains(round.Coordinators, c.person) {
		return Round{}, fmt.Errorf("read round %s: %w", id, ErrNotCoordinator)
	}
	return round, nil
}

// RoundsIn returns the rounds of a coordinator's channel that the person coordinates, newest first.
func (c Coordinator) RoundsIn(ctx context.Context, channel string) ([]Round, error) {
	ids, err := c.store.RoundsIn(ctx, channel)
	if err != nil {
		return nil, err
	}
	return c.coordinated(ctx, ids)
}

// Rounds returns all rounds that the person coordinates, newest first.
func (c Coordinator) Rounds(ctx context.Context) ([]Round, error) {
	ids, err := c.store.RoundsOf(ctx, c.person)
	if err != nil {
		return nil, err
	}
	return c.coordinated(ctx, ids)
}

// coordinated returns those of the rounds that the person coordinates.
func (c Coordinator) coordinated(ctx context.Context, ids []RoundID) ([]Round, error) {
	var rounds []Round
	for _, id := range ids {
		round, err := c.store.Round(ctx, id)
		switch {
		case isNoRound(err):
		case err != nil:
			return nil, err
		case slices.Contains(round.Coordinators, c.person):
			rounds = append(rounds, round)
		}
	}
	return rounds, nil
}

// attempts is how often a change is tried again when the round was changed in between.
const attempts = 5

// change applies edit to the round and saves it. It starts again when the round was changed in
// between. It records the action with the changed settings, and with more.
func (c Coordinator) change(
	ctx context.Context, id RoundID, act audit.Action, edit func(*Round) error, more ...audit.Change,
) (Round, error) {
	for range attempts {
		round, err := c.Round(ctx, id)
		if err != nil {
			return Round{}, err
		}
		before := round
		before.Coordinators = slices.Clone(round.Coordinators)
		if err := edit(&round); err != nil {
			return before, err
		}
		changes := append(Changes(before, round), more...)
		err = c.store.SaveRound(ctx, round, c.entry(c.person, act, changes))
		if err == nil {
			round.Version++
			return round, nil
		}
		if !isChanged(err) {
			return before, err
		}
	}
	return Round{}, errOvertaken(id)
}

// errOvertaken returns the error for a change before which another was saved in every attempt.
func errOvertaken(id RoundID) error {
	return fmt.Errorf("save round %s: %w", id, ErrChanged)
}

// MaxCoordinators of one round.
const MaxCoordinators = 20

// checkPeople returns an *InputError if one of the people takes part by link: such a person can be
// neither a coordinator nor invited, because nobody knows who holds the link.
func checkPeople(people []PersonID) error {
	if slices.ContainsFunc(people, PersonID.ByLink) {
		return &InputError{Field: "people", Reason: "web"}
	}
	return nil
}

// AddCoordinators makes more people coordinators of the round.
func (c Coordinator) AddCoordinators(
	ctx context.Context, id RoundID, people []PersonID,
) (Round, error) {
	round, err := c.change(ctx, id, audit.Team, func(round *Round) error {
		if err := checkPeople(people); err != nil {
			return err
		}
		had := len(round.Coordinators)
		for _, p := range people {
			if !slices.Contains(round.Coordinators, p) {
				round.Coordinators = append(round.Coordinators, p)
			}
		}
		switch {
		case round.State == Closed:
			return ErrClosed
		case len(round.Coordinators) == had:
			return errUnchanged
		case len(round.Coordinators) > MaxCoordinators:
			return &InputError{Field: "people", Reason: "full", Limit: MaxCoordinators}
		}
		return nil
	})
	return round, ignoreUnchanged(err)
}

// MaxInvited is how many people one call of Invite takes: each gets a message of their own.
const MaxInvited = 2000

// Invite adds people to the roster of an open round and queues an invitation for each. It returns
// the people who were added, in the order given. People who are in the roster already are not among
// them. With an error, it returns the people who were added before it.
func (c Coordinator) Invite(
	ctx context.Context, id RoundID, people []Member,
) (Round, []Member, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return Round{}, nil, err
	}
	if err := c.answering(round); err != nil {
		return round, nil, err
	}
	m, err := c.matrix(round)
	if err != nil {
		return round, nil, err
	}
	if len(people) > MaxInvited {
		return round, nil, &InputError{Field: "people", Reason: "crowd", Limit: MaxInvited}
	}
	fresh := make([]Member, 0, len(people))
	for _, p := range people {
		if err := checkPeople([]PersonID{p.Person}); err != nil {
			return round, nil, err
		}
		p.Status = Invited
		p.Group = ""
		if p.Role != "" {
			_, group, ok := m.Role(p.Role)
			if !ok {
				return round, nil, &InputError{Field: "role", Reason: "unknown"}
			}
			p.Group = group.ID
		}
		fresh = append(fresh, p)
	}
	record := func(added int) audit.Entry {
		return c.entry(c.person, audit.Invited, []audit.Change{peopleCount(added)})
	}
	added, err := c.store.Invite(ctx, id, fresh, Invitation, c.now(), record)
	return round, added, err
}

// AllowSelfJoin lets everybody join an open round from now on. Calling it again changes nothing.
func (c Coordinator) AllowSelfJoin(ctx context.Context, id RoundID) (Round, error) {
	round, err := c.change(ctx, id, audit.SelfJoinAllowed, func(round *Round) error {
		if err := c.answering(*round); err != nil {
			return err
		}
		if round.SelfJoin {
			return errUnchanged
		}
		round.SelfJoin = true
		return nil
	})
	return round, ignoreUnchanged(err)
}

// SetPlan changes when people of a round that is not closed are reminded, and what its channel
// gets. Edit changes both plans. It may be called several times, and SetPlan returns its error as
// it is. A change counts from now on: messages that would have been due before it are not sent.
func (c Coordinator) SetPlan(
	ctx context.Context, id RoundID, edit func(*ReminderPlan, *ChannelPlan) error,
) (Round, error) {
	round, err := c.change(ctx, id, audit.Plan, func(round *Round) error {
		if round.State == Closed {
			return ErrClosed
		}
		plan, posts := round.Reminders, round.Posts
		plan.BeforeClose = slices.Clone(plan.BeforeClose)
		plan.BeforeWorkshop = slices.Clone(plan.BeforeWorkshop)
		posts.Disabled = slices.Clone(posts.Disabled)
		if err := edit(&plan, &posts); err != nil {
			return err
		}
		sameTimes := plan.Equal(round.Reminders) && posts.Digest == round.Posts.Digest
		if sameTimes && slices.Equal(posts.Disabled, round.Posts.Disabled) {
			return errUnchanged
		}
		if !sameTimes {
			round.PlannedAt = c.now()
		}
		round.Reminders, round.Posts = plan, posts
		return nil
	})
	return round, ignoreUnchanged(err)
}

// CountRecipients counts, for each of the kinds, the people who would get a message if it were due
// today.
func (c Coordinator) CountRecipients(
	ctx context.Context, id RoundID, kinds ...MessageKind,
) (map[MessageKind]int, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return nil, err
	}
	const never = "9999-12-31" // a day on which nobody has been reminded
	counts := map[MessageKind]int{}
	err = c.store.Roster(ctx, id, func(m Member) error {
		for _, k := range kinds {
			if k.On(never).wantedBy(round, m) {
				counts[k]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}
