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

// check tidies the texts of a round and returns an *InputError for a value that is not allowed.
func (c *core) check(round *Round) error {
	round.Area = plaintext.Line(round.Area)
	round.Workshop.Place = plaintext.Line(round.Workshop.Place)
	m, known := c.matrices.ForNewRounds(round.Matrix)
	missing := func(l matrix.Lang) bool { return !m.Has(l) }
	if err := checkPeople(round.Coordinators); err != nil {
		return err
	}
	switch {
	case round.Area == "":
		return &InputError{Field: "area", Reason: "empty"}
	case utf8.RuneCountInString(round.Area) > MaxAreaRunes:
		return &InputError{Field: "area", Reason: "long", Limit: MaxAreaRunes}
	case !known:
		return &InputError{Field: "matrix", Reason: "unknown"}
	case len(round.Languages) == 0 || slices.ContainsFunc(round.Languages, missing):
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
	// LoadLocation accepts "" and "Local", which are not names of time zones.
	_, err := time.LoadLocation(round.TimeZone)
	if err != nil || round.TimeZone == "" || round.TimeZone == "Local" {
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

// MaxOpen is the longest time that a survey may be open.
const MaxOpen = 365 * 24 * time.Hour

// checkClosing returns an *InputError for a closing time that is less than an hour or more than
// MaxOpen from now.
func (c *core) checkClosing(at time.Time) error {
	switch now := c.now(); {
	case at.Before(now.Add(time.Hour)):
		return &InputError{Field: "closes", Reason: "early"}
	case at.After(now.Add(MaxOpen)):
		return &InputError{Field: "closes", Reason: "late"}
	}
	return nil
}

// Redraft changes the settings of a draft with edit, which may be called several times. It returns
// ErrOpened for a round that is no longer a draft, an *InputError for a value that is not allowed,
// and an error of edit unchanged.
func (c Coordinator) Redraft(
	ctx context.Context, id RoundID, edit func(*Round) error,
) (Round, error) {
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
			return errUnchanged
		}
		*round = proposal
		return nil
	})
	return round, ignoreUnchanged(err)
}

// Open opens the survey of a draft. From then on the minimum group size and the consensus rule are
// fixed. Opening an open round changes nothing. The bool reports whether this call opened it.
func (c Coordinator) Open(ctx context.Context, id RoundID) (Round, bool, error) {
	round, err := c.change(ctx, id, audit.Opened, func(round *Round) error {
		switch round.State {
		case Open:
			return errUnchanged
		case Closed:
			return ErrClosed
		}
		if err := c.checkClosing(round.ClosesAt); err != nil {
			return err
		}
		m, err := c.matrix(*round)
		if err != nil {
			return err
		}
		round.MatrixVersion, round.MatrixFingerprint = m.Version, m.Fingerprint()
		round.State, round.OpenedAt, round.Notice = Open, c.now(), NoticeVersion
		return nil
	})
	return round, err == nil, ignoreUnchanged(err)
}

// Extend moves the closing time of an open survey later. It never moves it earlier, because people
// plan by the time that they were given. The bool reports whether this call moved it.
func (c Coordinator) Extend(
	ctx context.Context, id RoundID, closes time.Time,
) (Round, bool, error) {
	round, err := c.change(ctx, id, audit.Extended, func(round *Round) error {
		switch {
		case round.State != Open:
			return notOpenErr(round.State)
		case closes.Equal(round.ClosesAt):
			return errUnchanged
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
	return round, err == nil, ignoreUnchanged(err)
}

// Close closes the round for good. From then on people cannot answer, change answers or withdraw,
// and a response can no longer be linked to a person. Closing again changes nothing. The bool
// reports whether this call closed the round.
func (c Coordinator) Close(ctx context.Context, id RoundID) (Round, bool, error) {
	round, err := c.Round(ctx, id)
	switch {
	case err != nil:
		return Round{}, false, err
	case round.State == Draft:
		return Round{}, false, fmt.Errorf("close round %s: %w", id, ErrNotOpen)
	}
	before, now := round.State, c.now()
	round, err = c.store.CloseRound(ctx, id, now, c.closing(c.person, round, now))
	if err != nil {
		return Round{}, false, err
	}
	// Of two calls at once, the one whose time was saved closed the round.
	closed := before == Open && round.ClosedAt.Equal(now)
	if _, err := c.anonymise(ctx, round); err != nil {
		return round, closed, err
	}
	return round, closed, nil
}

// closing returns the log entry for closing the round at that time.
func (c *core) closing(by PersonID, round Round, at time.Time) audit.Entry {
	closed := round
	closed.ClosedAt = at
	return c.entry(by, audit.Closed, Changes(round, closed))
}

// SetWorkshop changes when and where the workshop is. It also works after the survey has closed,
// because a workshop may have to be put off. A zero time removes the workshop and its reminders.
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
			return errUnchanged
		}
		if round.State != Draft && !w.At.Equal(round.Workshop.At) {
			round.PlannedAt = c.now()
		}
		round.Workshop = w
		return nil
	})
	return round, ignoreUnchanged(err)
}

// CloseDue closes a survey whose closing time has passed, as of that time. The bool reports whether
// the round was closed in this way, by this call or an earlier one. It is false for a round that a
// coordinator closed. CloseDue ignores a round that no longer exists.
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
	if round.State != Closed { // a coordinator has extended the survey meanwhile
		return round, false, nil
	}
	if _, err := s.anonymise(ctx, round); err != nil {
		return round, false, err
	}
	// A coordinator closes a round at the time of the request, which differs from the due time.
	return round, round.ClosedAt.Equal(due), nil
}
