package survey

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// Create keeps a draft of a round, made by its first coordinator. It returns an *InputError when a field cannot stand.
func (r *Rounds) Create(ctx context.Context, round Round) (Round, error) {
	round.State, round.Version = Draft, 0
	if err := r.check(&round); err != nil {
		return Round{}, err
	}
	if err := r.store.CreateRound(ctx, round, r.entry(round.Coordinators[0], audit.Created, Changes(Round{}, round))); err != nil {
		return Round{}, err
	}
	return round, nil
}

func (r *Rounds) check(round *Round) error {
	round.Area, round.Workshop.Place = plaintext.Line(round.Area), plaintext.Line(round.Workshop.Place)
	m, known := r.matrices[round.Matrix]
	switch {
	case round.Area == "":
		return &InputError{Field: "area", Reason: "empty"}
	case utf8.RuneCountInString(round.Area) > MaxAreaRunes:
		return &InputError{Field: "area", Reason: "long", Limit: MaxAreaRunes}
	case !known:
		return &InputError{Field: "matrix", Reason: "unknown"}
	case len(round.Languages) == 0 || slices.ContainsFunc(round.Languages, func(l matrix.Lang) bool { return !m.Has(l) }):
		return &InputError{Field: "languages", Reason: "unknown"}
	case len(round.Coordinators) == 0:
		return &InputError{Field: "coordinators", Reason: "empty"}
	case round.MinGroup < results.MinGroupFloor:
		return &InputError{Field: "min_group", Reason: "low", Limit: results.MinGroupFloor}
	case round.Consensus.Percent < 50 || round.Consensus.Percent > 100:
		return &InputError{Field: "agreed", Reason: "range"}
	case utf8.RuneCountInString(round.Workshop.Place) > MaxPlaceRunes:
		return &InputError{Field: "place", Reason: "long", Limit: MaxPlaceRunes}
	}
	if _, err := time.LoadLocation(round.TimeZone); err != nil || round.TimeZone == "" || round.TimeZone == "Local" {
		return &InputError{Field: "time_zone", Reason: "unknown"}
	}
	if err := r.checkClosing(round.ClosesAt); err != nil {
		return err
	}
	if !round.Workshop.At.IsZero() && round.Workshop.At.Before(round.ClosesAt) {
		return &InputError{Field: "workshop", Reason: "early"}
	}
	return nil
}

// MaxOpen is the longest a survey may stay open from now: nobody remembers why after a year.
const MaxOpen = 365 * 24 * time.Hour

func (r *Rounds) checkClosing(at time.Time) error {
	switch now := r.now(); {
	case at.Before(now.Add(time.Hour)):
		return &InputError{Field: "closes", Reason: "early"}
	case at.After(now.Add(MaxOpen)):
		return &InputError{Field: "closes", Reason: "late"}
	}
	return nil
}

// Redraft changes what a coordinator proposed, while the round is a draft; an error of edit is returned as it is. Edit may be called
// several times.
func (r *Rounds) Redraft(ctx context.Context, id RoundID, by PersonID, edit func(*Round) error) (Round, error) {
	round, err := r.change(ctx, id, by, audit.Redrafted, func(round *Round) error {
		if round.State != Draft {
			return ErrOpened
		}
		proposal := *round
		if err := edit(&proposal); err != nil {
			return err
		}
		proposal.ID, proposal.Version, proposal.State = round.ID, round.Version, Draft
		proposal.Coordinators, proposal.Channel = round.Coordinators, round.Channel
		if err := r.check(&proposal); err != nil {
			return err
		}
		if len(Changes(*round, proposal)) == 0 {
			return errDone
		}
		*round = proposal
		return nil
	})
	return round, unlessDone(err)
}

// Open opens the survey of a draft. From then on the minimum group and the consensus rule stand.
// Opening an open round changes nothing; the bool says whether this call opened it.
func (r *Rounds) Open(ctx context.Context, id RoundID, by PersonID) (Round, bool, error) {
	round, err := r.change(ctx, id, by, audit.Opened, func(round *Round) error {
		switch round.State {
		case Open:
			return errDone
		case Closed:
			return ErrClosed
		}
		if err := r.checkClosing(round.ClosesAt); err != nil {
			return err
		}
		round.State, round.OpenedAt = Open, r.now()
		return nil
	})
	return round, err == nil, unlessDone(err)
}

// Extend moves the closing time of an open survey later, never earlier: people plan by it. The bool says
// whether this call moved it.
func (r *Rounds) Extend(ctx context.Context, id RoundID, by PersonID, closes time.Time) (Round, bool, error) {
	round, err := r.change(ctx, id, by, audit.Extended, func(round *Round) error {
		switch {
		case round.State != Open:
			return refuseState(round.State)
		case closes.Equal(round.ClosesAt):
			return errDone
		case closes.Before(round.ClosesAt):
			return &InputError{Field: "closes", Reason: "earlier"}
		}
		if err := r.checkClosing(closes); err != nil {
			return err
		}
		if closes.After(round.OpenedAt.Add(MaxOpen)) {
			return &InputError{Field: "closes", Reason: "late"}
		}
		round.ClosesAt, round.PlannedAt = closes, r.now()
		return nil
	})
	return round, err == nil, unlessDone(err)
}

// MaxCoordinators of one round.
const MaxCoordinators = 20

// AddCoordinators lets more people steer the round.
func (r *Rounds) AddCoordinators(ctx context.Context, id RoundID, by PersonID, people []PersonID) (Round, error) {
	round, err := r.change(ctx, id, by, audit.Team, func(round *Round) error {
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
			return errDone
		case len(round.Coordinators) > MaxCoordinators:
			return &InputError{Field: "people", Reason: "full", Limit: MaxCoordinators}
		}
		return nil
	})
	return round, unlessDone(err)
}

// AddCoordinator adds a coordinator to a round in any state, by the Operator, or by a person who may start rounds where the round is
// and adds themselves: a round whose last coordinator has left is not lost. The caller has checked that they may. The bool says whether
// this call added them; then the channel is told.
func (r *Rounds) AddCoordinator(ctx context.Context, id RoundID, person, by PersonID) (Round, bool, error) {
	act := audit.Team
	if person == by {
		act = audit.SelfAdded
	}
	for range attempts {
		round, err := r.store.Round(ctx, id)
		switch {
		case err != nil:
			return Round{}, false, err
		case slices.Contains(round.Coordinators, person):
			return round, false, nil
		case len(round.Coordinators) >= MaxCoordinators:
			return round, false, &InputError{Field: "people", Reason: "full", Limit: MaxCoordinators}
		}
		before := round
		round.Coordinators = append(slices.Clone(round.Coordinators), person)
		e := r.entry(by, act, Changes(before, round))
		err = r.store.SaveRound(ctx, round, e)
		if isChanged(err) {
			continue
		}
		if err != nil {
			return before, false, err
		}
		round.Version++
		return round, true, r.Plan(ctx, id, NewCoordinator.On(fmt.Sprintf("%d.%d", e.At.Unix(), round.Version)))
	}
	return Round{}, false, fmt.Errorf("save round %s: %w", id, ErrChanged)
}

// Close closes the round for good: nobody can answer, change or withdraw from then on, and nobody can tell any more
// whose response is whose. Closing again changes nothing; the bool says whether the round was open when this call came.
func (r *Rounds) Close(ctx context.Context, id RoundID, by PersonID) (Round, bool, error) {
	round, err := r.Round(ctx, id, by)
	switch {
	case err != nil:
		return Round{}, false, err
	case round.State == Draft:
		return Round{}, false, fmt.Errorf("close round %s: %w", id, ErrNotOpen)
	}
	was, now := round.State, r.now()
	round, err = r.store.CloseRound(ctx, id, now, r.closing(by, round, now))
	if err != nil {
		return Round{}, false, err
	}
	// Of two that close at once, the one whose time stands has closed it.
	closed := was == Open && round.ClosedAt.Equal(now)
	if _, err := r.seal(ctx, round); err != nil {
		return round, closed, err
	}
	return round, closed, nil
}

// closing is the entry of a round's closing as of that time.
func (r *Rounds) closing(by PersonID, round Round, at time.Time) audit.Entry {
	closed := round
	closed.ClosedAt = at
	return r.entry(by, audit.Closed, Changes(round, closed))
}

// AllowSelfJoin lets whoever wants to join an open round, from now on. Again, it changes nothing.
func (r *Rounds) AllowSelfJoin(ctx context.Context, id RoundID, by PersonID) (Round, error) {
	round, err := r.change(ctx, id, by, audit.SelfJoinAllowed, func(round *Round) error {
		if err := r.answering(*round); err != nil {
			return err
		}
		if round.SelfJoin {
			return errDone
		}
		round.SelfJoin = true
		return nil
	})
	return round, unlessDone(err)
}

// SetWorkshop changes when and where the workshop is, also after the close: a workshop is put off when somebody falls ill. A zero time
// takes it back, and with it its reminders.
func (r *Rounds) SetWorkshop(ctx context.Context, id RoundID, by PersonID, w Workshop) (Round, error) {
	w.Place = plaintext.Line(w.Place)
	round, err := r.change(ctx, id, by, audit.Workshop, func(round *Round) error {
		end := round.ClosesAt
		if round.State == Closed {
			end = round.ClosedAt // a coordinator may have closed it before its time
		}
		switch {
		case utf8.RuneCountInString(w.Place) > MaxPlaceRunes:
			return &InputError{Field: "place", Reason: "long", Limit: MaxPlaceRunes}
		case !w.At.IsZero() && w.At.Before(end):
			return &InputError{Field: "workshop", Reason: "early"}
		}
		if w.At.Equal(round.Workshop.At) && w.Place == round.Workshop.Place {
			return errDone
		}
		if round.State != Draft && !w.At.Equal(round.Workshop.At) {
			round.PlannedAt = r.now()
		}
		round.Workshop = w
		return nil
	})
	return round, unlessDone(err)
}

// CloseDue closes a survey whose closing time has passed, as of that time, and returns whether it is closed by itself: now, or when
// this was done before. It asks for no coordinator.
func (r *Rounds) CloseDue(ctx context.Context, id RoundID) (Round, bool, error) {
	round, err := r.store.Round(ctx, id)
	switch {
	case isNoRound(err):
		return Round{}, false, nil
	case err != nil:
		return Round{}, false, err
	case round.State == Draft || r.now().Before(round.ClosesAt):
		return round, false, nil
	}
	due := round.ClosesAt
	if round, err = r.store.CloseDue(ctx, id, due, r.closing("", round, due)); err != nil {
		return Round{}, false, err
	}
	if round.State != Closed { // a coordinator moved the time later meanwhile
		return round, false, nil
	}
	if _, err := r.seal(ctx, round); err != nil {
		return round, false, err
	}
	// A coordinator closes at the time they press, which is another.
	return round, round.ClosedAt.Equal(due), nil
}
