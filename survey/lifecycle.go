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

// Create keeps a draft of a round that the person coordinates. It returns an *InputError for a field
// with a value that is not allowed.
func (c Coordinator) Create(ctx context.Context, round Round) (Round, error) {
	round.State, round.Version = Draft, 0
	if err := c.check(&round); err != nil {
		return Round{}, err
	}
	if !slices.Contains(round.Coordinators, c.person) {
		return Round{}, fmt.Errorf("create round %s: %w", round.ID, ErrNotCoordinator)
	}
	entry := c.entry(c.person, audit.Created, Changes(Round{}, round))
	if err := c.store.CreateRound(ctx, round, entry); err != nil {
		return Round{}, err
	}
	return round, nil
}

func (c Coordinator) check(round *Round) error {
	round.Area, round.Workshop.Place = plaintext.Line(round.Area), plaintext.Line(round.Workshop.Place)
	m, known := c.matrices[round.Matrix]
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
	if err := c.checkClosing(round.ClosesAt); err != nil {
		return err
	}
	if !round.Workshop.At.IsZero() && round.Workshop.At.Before(round.ClosesAt) {
		return &InputError{Field: "workshop", Reason: "early"}
	}
	return nil
}

// MaxOpen is the longest a survey may stay open from now: nobody remembers why after a year.
const MaxOpen = 365 * 24 * time.Hour

func (c Coordinator) checkClosing(at time.Time) error {
	switch now := c.now(); {
	case at.Before(now.Add(time.Hour)):
		return &InputError{Field: "closes", Reason: "early"}
	case at.After(now.Add(MaxOpen)):
		return &InputError{Field: "closes", Reason: "late"}
	}
	return nil
}

// Redraft changes what a coordinator proposed, while the round is a draft; an error of edit is returned as it is. Edit may be called
// several times.
func (c Coordinator) Redraft(ctx context.Context, id RoundID, edit func(*Round) error) (Round, error) {
	round, err := c.change(ctx, id, audit.Redrafted, func(round *Round) error {
		if round.State != Draft {
			return ErrOpened
		}
		proposal := *round
		if err := edit(&proposal); err != nil {
			return err
		}
		proposal.ID, proposal.Version, proposal.State = round.ID, round.Version, Draft
		proposal.Coordinators, proposal.Channel = round.Coordinators, round.Channel
		if err := c.check(&proposal); err != nil {
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
func (c Coordinator) Open(ctx context.Context, id RoundID) (Round, bool, error) {
	round, err := c.change(ctx, id, audit.Opened, func(round *Round) error {
		switch round.State {
		case Open:
			return errDone
		case Closed:
			return ErrClosed
		}
		if err := c.checkClosing(round.ClosesAt); err != nil {
			return err
		}
		round.State, round.OpenedAt = Open, c.now()
		return nil
	})
	return round, err == nil, unlessDone(err)
}

// Extend moves the closing time of an open survey later, never earlier: people plan by it. The bool says
// whether this call moved it.
func (c Coordinator) Extend(ctx context.Context, id RoundID, closes time.Time) (Round, bool, error) {
	round, err := c.change(ctx, id, audit.Extended, func(round *Round) error {
		switch {
		case round.State != Open:
			return refuseState(round.State)
		case closes.Equal(round.ClosesAt):
			return errDone
		case closes.Before(round.ClosesAt):
			return &InputError{Field: "closes", Reason: "earlier"}
		}
		if err := c.checkClosing(closes); err != nil {
			return err
		}
		if closes.After(round.OpenedAt.Add(MaxOpen)) {
			return &InputError{Field: "closes", Reason: "late"}
		}
		round.ClosesAt, round.PlannedAt = closes, c.now()
		return nil
	})
	return round, err == nil, unlessDone(err)
}

// Close closes the round for good: nobody can answer, change or withdraw from then on, and nobody can tell any more
// whose response is whose. Closing again changes nothing; the bool says whether the round was open when this call came.
func (c Coordinator) Close(ctx context.Context, id RoundID) (Round, bool, error) {
	round, err := c.Round(ctx, id)
	switch {
	case err != nil:
		return Round{}, false, err
	case round.State == Draft:
		return Round{}, false, fmt.Errorf("close round %s: %w", id, ErrNotOpen)
	}
	was, now := round.State, c.now()
	round, err = c.store.CloseRound(ctx, id, now, c.closing(c.person, round, now))
	if err != nil {
		return Round{}, false, err
	}
	// Of two that close at once, the one whose time stands has closed it.
	closed := was == Open && round.ClosedAt.Equal(now)
	if _, err := c.anonymise(ctx, round); err != nil {
		return round, closed, err
	}
	return round, closed, nil
}

// closing is the entry of a round's closing as of that time.
func (c *core) closing(by PersonID, round Round, at time.Time) audit.Entry {
	closed := round
	closed.ClosedAt = at
	return c.entry(by, audit.Closed, Changes(round, closed))
}

// SetWorkshop changes when and where the workshop is, also after the close: a workshop is put off when somebody falls ill. A zero time
// takes it back, and with it its reminders.
func (c Coordinator) SetWorkshop(ctx context.Context, id RoundID, w Workshop) (Round, error) {
	w.Place = plaintext.Line(w.Place)
	round, err := c.change(ctx, id, audit.Workshop, func(round *Round) error {
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
			round.PlannedAt = c.now()
		}
		round.Workshop = w
		return nil
	})
	return round, unlessDone(err)
}

// CloseDue closes a survey whose closing time has passed, as of that time, and returns whether it is closed by itself: now, or when
// this was done before. It asks for no coordinator.
func (s System) CloseDue(ctx context.Context, id RoundID) (Round, bool, error) {
	round, err := s.store.Round(ctx, id)
	switch {
	case isNoRound(err):
		return Round{}, false, nil
	case err != nil:
		return Round{}, false, err
	case round.State == Draft || s.now().Before(round.ClosesAt):
		return round, false, nil
	}
	due := round.ClosesAt
	if round, err = s.store.CloseDue(ctx, id, due, s.closing("", round, due)); err != nil {
		return Round{}, false, err
	}
	if round.State != Closed { // a coordinator moved the time later meanwhile
		return round, false, nil
	}
	if _, err := s.anonymise(ctx, round); err != nil {
		return round, false, err
	}
	// A coordinator closes at the time they press, which is another.
	return round, round.ClosedAt.Equal(due), nil
}
