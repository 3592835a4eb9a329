package survey

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// Rounds is everything that can be done with rounds. Each method checks that the person may do it.
type Rounds struct {
	store    Store
	matrices map[string]*matrix.Matrix
	now      func() time.Time
}

// NewRounds works on the store, with the matrices that rounds may be asked with, by the clock given.
func NewRounds(store Store, matrices []*matrix.Matrix, now func() time.Time) *Rounds {
	r := &Rounds{store: store, matrices: map[string]*matrix.Matrix{}, now: now}
	for _, m := range matrices {
		r.matrices[m.ID] = m
	}
	return r
}

// Matrix returns the matrix a round is asked with.
func (r *Rounds) Matrix(round Round) (*matrix.Matrix, error) {
	m, ok := r.matrices[round.Matrix]
	if !ok {
		return nil, fmt.Errorf("find matrix %q of round %s: this installation does not have it", round.Matrix, round.ID)
	}
	return m, nil
}

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

func (r *Rounds) entry(by PersonID, act audit.Action, changes []audit.Change) audit.Entry {
	return audit.Entry{At: r.now(), By: string(by), Action: act, Changes: changes}
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

// Round returns a round to one of its coordinators; to anybody else ErrNotCoordinator.
func (r *Rounds) Round(ctx context.Context, id RoundID, by PersonID) (Round, error) {
	round, err := r.store.Round(ctx, id)
	if err != nil {
		return Round{}, err
	}
	if !slices.Contains(round.Coordinators, by) {
		return Round{}, fmt.Errorf("read round %s: %w", id, ErrNotCoordinator)
	}
	return round, nil
}

// attempts is how often a change is tried again when somebody else changed the round in between.
const attempts = 5

// change reads the round, lets edit change it, and saves it, again from the start when it was changed in between. The act is recorded
// with what has changed, and what more there is to say of it.
func (r *Rounds) change(ctx context.Context, id RoundID, by PersonID, act audit.Action, edit func(*Round) error, more ...audit.Change) (Round, error) {
	for range attempts {
		round, err := r.Round(ctx, id, by)
		if err != nil {
			return Round{}, err
		}
		before := round
		before.Coordinators = slices.Clone(round.Coordinators)
		if err := edit(&round); err != nil {
			return before, err
		}
		err = r.store.SaveRound(ctx, round, r.entry(by, act, append(Changes(before, round), more...)))
		if err == nil {
			round.Version++
			return round, nil
		}
		if !isChanged(err) {
			return before, err
		}
	}
	return Round{}, fmt.Errorf("save round %s: %w", id, ErrChanged)
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

// RemindEvery is the least time between two reminders by hand.
const RemindEvery = 20 * time.Hour

// Remind owes a reminder to everybody invited or started who can be reached, and returns how many they are.
// Within RemindEvery of the last time it returns an *InputError.
func (r *Rounds) Remind(ctx context.Context, id RoundID, by PersonID) (Round, int, error) {
	soon := func(round *Round) error {
		switch now := r.now(); {
		case round.State != Open:
			return refuseState(round.State)
		case !now.Before(round.ClosesAt):
			return ErrClosed
		case now.Before(round.RemindedAt.Add(RemindEvery)):
			return &InputError{Field: "remind", Reason: "soon"}
		}
		return nil
	}
	round, err := r.Round(ctx, id, by)
	if err == nil {
		err = soon(&round)
	}
	if err != nil {
		return round, 0, err
	}
	// Owed before it is noted that it was done: what stops this in between must not keep people from being reminded for a day.
	zones := map[string][]Moment{}
	all := []Moment{{Kind: Nudge.On(r.now().In(round.Location()).Format(time.DateOnly)), At: r.now()}} // dated, so that nobody gets two in a day
	_, names, err := r.Planned(ctx, round)
	if err != nil {
		return round, 0, err
	}
	for _, zone := range names {
		zones[zone] = all
	}
	due, err := r.EnqueueReminders(ctx, round, zones)
	if err != nil || due == 0 { // where nobody is due, nothing was done: somebody else may be invited and reminded
		return round, 0, err
	}
	date := r.now().In(round.Location()).Format(time.DateOnly)
	if err := r.store.Plan(ctx, id, NudgesSent.On(date), r.now().Add(nudgesFirst)); err != nil {
		return round, due, err
	}
	round, err = r.change(ctx, id, by, audit.Reminded, func(round *Round) error {
		if err := soon(round); err != nil {
			return err
		}
		round.RemindedAt, round.Nudged = r.now(), due
		return nil
	}, ofPeople(due))
	return round, due, err
}

// ofPeople says of how many people an entry of the record is.
func ofPeople(n int) audit.Change {
	return audit.Change{Field: audit.FieldPeople, New: strconv.Itoa(n)}
}

// LeaseTTL is how long a process has for sending the messages that it takes, at a platform's pace. It is also how long they wait where
// the process is killed.
const LeaseTTL = 3 * time.Minute

// LeaseDue hands out at most limit messages that are due; each is to be given to Settle or Postpone within minutes, or it is
// handed out again.
func (r *Rounds) LeaseDue(ctx context.Context, limit int) ([]Delivery, error) {
	now := r.now()
	due, err := r.store.Lease(ctx, now, now.Add(LeaseTTL), limit)
	if err != nil {
		return nil, err
	}
	return due, nil
}

// Due counts the messages that are due now and that nobody has in hand.
func (r *Rounds) Due(ctx context.Context) (int, error) {
	n, err := r.store.Due(ctx, r.now())
	if err != nil {
		return 0, err
	}
	return n, nil
}

// StillWanted says whether a message still has something to tell its person, whose seat it returns: of a round that takes answers,
// or has its workshop ahead, and to somebody who has not done what it is about and has not been reminded since it was due; or to a coordinator of a closed round. It
// does not say that this is the hour for it.
func (r *Rounds) StillWanted(ctx context.Context, d Delivery) (Participation, bool, error) {
	seat, err := r.Participation(ctx, d.Round, d.Person)
	switch {
	case isNoRound(err):
		return seat, false, nil
	case err != nil:
		return seat, false, err
	}
	if d.Kind.Base() == Unposted {
		return seat, seat.Round.State == Closed && slices.Contains(seat.Round.Coordinators, d.Person), nil
	}
	return seat, seat.Round.takes(d.Kind, r.now()) && seat.Member.wants(d.Kind), nil
}

// Ack forgets a message that was sent, or is not awaited any more.
func (r *Rounds) Ack(ctx context.Context, d Delivery) error {
	return r.store.Ack(ctx, d)
}

// Reschedule makes a message that could not be sent due again after a while.
func (r *Rounds) Reschedule(ctx context.Context, d Delivery, wait time.Duration) error {
	return r.store.Reschedule(ctx, d, r.now().Add(wait))
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

// MaxInvited is how many people one call of Invite takes: each gets a message of their own.
const MaxInvited = 2000

// Invite adds people to the roster of an open round, owes each of them an invitation, and returns those who were not in it yet, in the order
// given. With an error it returns those who were added before it.
func (r *Rounds) Invite(ctx context.Context, id RoundID, by PersonID, people []Member) (Round, []Member, error) {
	round, err := r.Round(ctx, id, by)
	if err != nil {
		return Round{}, nil, err
	}
	if err := r.answering(round); err != nil {
		return round, nil, err
	}
	m, err := r.Matrix(round)
	if err != nil {
		return round, nil, err
	}
	if len(people) > MaxInvited {
		return round, nil, &InputError{Field: "people", Reason: "crowd", Limit: MaxInvited}
	}
	fresh := make([]Member, 0, len(people))
	for _, p := range people {
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
	added, err := r.store.Invite(ctx, id, fresh, Invitation, r.now(), func(n int) audit.Entry { return r.entry(by, audit.Invited, []audit.Change{ofPeople(n)}) })
	if err != nil {
		return round, added, err
	}
	return round, added, nil
}

func (r *Rounds) answering(round Round) error {
	if round.AcceptsAnswers(r.now()) {
		return nil
	}
	return refuseState(round.State)
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

// Join lets a person in by their own wish: somebody who declined or withdrew before, or, once a coordinator has opened the
// door, somebody not invited yet.
func (r *Rounds) Join(ctx context.Context, id RoundID, person PersonID) (Participation, error) {
	seat, err := r.answeringSeat(ctx, id, person)
	if err != nil {
		return seat, err
	}
	switch seat.Member.Status {
	case NotInvited:
		if !seat.Round.SelfJoin {
			return seat, ErrNotTakingPart
		}
		if _, err := r.store.Invite(ctx, id, []Member{{Person: person, Status: Invited}}, "", time.Time{}, nil); err != nil {
			return seat, err
		}
		return r.Participation(ctx, id, person)
	case Declined, Withdrawn:
		return r.member(ctx, seat, func(m *Member) error {
			if m.Status == Declined || m.Status == Withdrawn {
				m.Status = Invited
			}
			return nil
		})
	}
	return seat, nil
}

// Participation returns a person's place in a round, whatever it is. It does not say that they may take part.
func (r *Rounds) Participation(ctx context.Context, id RoundID, person PersonID) (Participation, error) {
	seat, err := r.store.Participation(ctx, id, person)
	if err != nil {
		return Participation{}, err
	}
	return seat, nil
}

// Response returns a person's place and what they said so far. Once the round is closed there is no telling what they said.
func (r *Rounds) Response(ctx context.Context, id RoundID, person PersonID) (Participation, results.Response, error) {
	seat, err := r.taking(ctx, id, person)
	if err != nil {
		return seat, results.Response{}, err
	}
	resp, err := r.store.Response(ctx, seat)
	if err != nil {
		return seat, results.Response{}, err
	}
	return seat, resp, nil
}

// PersonalData returns everything that is kept about a person who takes part, also after the closing time: until the round is closed,
// they may see it and withdraw.
func (r *Rounds) PersonalData(ctx context.Context, id RoundID, person PersonID) (Participation, results.Response, error) {
	seat, err := r.Participation(ctx, id, person)
	switch {
	case err != nil:
		return seat, results.Response{}, err
	case seat.Round.State != Open:
		return seat, results.Response{}, refuseState(seat.Round.State)
	case seat.Member.Status == Withdrawn:
		return seat, results.Response{}, ErrWithdrawn
	case !seat.Member.TakesPart():
		return seat, results.Response{}, ErrNotTakingPart
	}
	resp, err := r.store.Response(ctx, seat)
	if err != nil {
		return seat, results.Response{}, err
	}
	return seat, resp, nil
}

// answeringSeat returns a person's place, whatever it is, in a survey that takes answers.
func (r *Rounds) answeringSeat(ctx context.Context, id RoundID, person PersonID) (Participation, error) {
	seat, err := r.Participation(ctx, id, person)
	if err != nil {
		return seat, err
	}
	return seat, r.answering(seat.Round)
}

// taking returns the seat of somebody who takes part in a survey that takes answers.
func (r *Rounds) taking(ctx context.Context, id RoundID, person PersonID) (Participation, error) {
	seat, err := r.answeringSeat(ctx, id, person)
	if err != nil {
		return seat, err
	}
	switch {
	case seat.Member.Status == Withdrawn:
		return seat, ErrWithdrawn
	case !seat.Member.TakesPart():
		return seat, ErrNotTakingPart
	}
	return seat, nil
}

// member changes an entry at the wish of the person themselves, who can be reached, then.
func (r *Rounds) member(ctx context.Context, seat Participation, change func(*Member) error) (Participation, error) {
	changed, err := r.store.ChangeMember(ctx, seat, r.now(), func(m *Member) error {
		m.Unreachable = false
		return change(m)
	})
	if err != nil {
		return seat, err
	}
	return changed, nil
}

// invited returns the seat of somebody in the roster, of a survey that takes answers.
func (r *Rounds) invited(ctx context.Context, id RoundID, person PersonID) (Participation, error) {
	seat, err := r.answeringSeat(ctx, id, person)
	if err != nil {
		return seat, err
	}
	switch seat.Member.Status {
	case NotInvited:
		return seat, ErrNotTakingPart
	case Withdrawn:
		return seat, ErrWithdrawn
	}
	return seat, nil
}

// SetLanguage keeps the language a person wants to be asked in.
func (r *Rounds) SetLanguage(ctx context.Context, id RoundID, person PersonID, lang matrix.Lang) (Participation, error) {
	seat, err := r.invited(ctx, id, person)
	if err != nil {
		return seat, err
	}
	if !slices.Contains(seat.Round.Languages, lang) {
		return seat, &InputError{Field: "language", Reason: "unknown"}
	}
	return r.member(ctx, seat, func(m *Member) error {
		if m.Status == Withdrawn {
			return ErrWithdrawn
		}
		m.Language = lang
		return nil
	})
}

// Start records that a person accepted a version of the privacy notice, and lets them answer.
func (r *Rounds) Start(ctx context.Context, id RoundID, person PersonID, notice string) (Participation, error) {
	seat, err := r.invited(ctx, id, person)
	if err != nil {
		return seat, err
	}
	return r.member(ctx, seat, func(m *Member) error {
		switch {
		case m.Status == Withdrawn:
			return ErrWithdrawn
		case m.TakesPart() && m.Notice == notice:
			return nil
		case !m.TakesPart():
			m.Status = Started
		}
		m.Notice, m.NoticeAt = notice, r.now().UTC().Truncate(time.Second)
		return nil
	})
}

// Decline records that a person does not want to take part. Whoever has started withdraws instead.
func (r *Rounds) Decline(ctx context.Context, id RoundID, person PersonID) (Participation, error) {
	seat, err := r.invited(ctx, id, person)
	if err != nil || seat.Member.TakesPart() {
		return seat, err
	}
	return r.member(ctx, seat, func(m *Member) error {
		if m.Status == Invited {
			m.Status = Declined
		}
		return nil
	})
}

// SetRole keeps the role a person says they have; Unstated when they would rather not say.
func (r *Rounds) SetRole(ctx context.Context, id RoundID, person PersonID, role string) (Participation, error) {
	seat, err := r.taking(ctx, id, person)
	if err != nil {
		return seat, err
	}
	m, err := r.Matrix(seat.Round)
	if err != nil {
		return seat, err
	}
	group := ""
	if role != Unstated {
		_, g, ok := m.Role(role)
		if !ok {
			return seat, &InputError{Field: "role", Reason: "unknown"}
		}
		group = g.ID
	}
	return r.member(ctx, seat, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		m.Role, m.Group = role, group
		return nil
	})
}

// Unstated is the role of somebody who would rather not say theirs; no matrix has a role of that id.
const Unstated = "-"

// SetOrganisation keeps where a person works; empty takes it back.
func (r *Rounds) SetOrganisation(ctx context.Context, id RoundID, person PersonID, organisation string) (Participation, error) {
	organisation = plaintext.Line(organisation)
	if utf8.RuneCountInString(organisation) > MaxOrganisationRunes {
		return Participation{}, &InputError{Field: "organisation", Reason: "long", Limit: MaxOrganisationRunes}
	}
	return r.describe(ctx, id, person, func(m *Member) { m.Organisation = organisation })
}

// SetScope keeps for whom a person answers.
func (r *Rounds) SetScope(ctx context.Context, id RoundID, person PersonID, scope Scope) (Participation, error) {
	if !slices.Contains(Scopes, scope) {
		return Participation{}, &InputError{Field: "scope", Reason: "unknown"}
	}
	return r.describe(ctx, id, person, func(m *Member) { m.Scope = scope })
}

func (r *Rounds) describe(ctx context.Context, id RoundID, person PersonID, set func(*Member)) (Participation, error) {
	seat, err := r.taking(ctx, id, person)
	if err != nil {
		return seat, err
	}
	return r.member(ctx, seat, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		set(m)
		return nil
	})
}

// Answer keeps a rating of an element, given by one gesture. It returns the response as it stands
// after it. An answer that is refused with a *TooSoonError comes with the response as well.
func (r *Rounds) Answer(ctx context.Context, id RoundID, person PersonID, g Operation, element string, rating matrix.Rating) (Participation, results.Response, error) {
	seat, m, err := r.about(ctx, id, person, element)
	if err != nil {
		return seat, results.Response{}, err
	}
	if rating < matrix.NotApplicable || int(rating) > len(m.Levels) {
		return seat, results.Response{}, fmt.Errorf("answer %s: %w", element, matrix.ErrNoRating)
	}
	resp, err := r.store.Answer(ctx, seat, r.now(), g, element, rating)
	return seat, resp, err
}

// Current says whether a person's entry, and their response, are still as they were read. Of a
// response that was not read, which has no answers, only the entry is compared. Nothing is current
// in a round that has closed.
func (r *Rounds) Current(ctx context.Context, seat Participation, resp results.Response) (bool, error) {
	return r.store.Current(ctx, seat, resp)
}

// about returns the seat of somebody who may answer the element, and the matrix that has it.
func (r *Rounds) about(ctx context.Context, id RoundID, person PersonID, element string) (Participation, *matrix.Matrix, error) {
	seat, err := r.taking(ctx, id, person)
	if err != nil {
		return seat, nil, err
	}
	m, err := r.Matrix(seat.Round)
	if err != nil {
		return seat, nil, err
	}
	if _, _, ok := m.Element(element); !ok {
		return seat, nil, fmt.Errorf("find element: %w", matrix.ErrNoElement)
	}
	return seat, m, nil
}

// Detail keeps what a person adds to an element, in place of what they added before.
func (r *Rounds) Detail(ctx context.Context, id RoundID, person PersonID, g Operation, element string, d results.Detail) (Participation, results.Response, error) {
	seat, m, err := r.about(ctx, id, person, element)
	if err != nil {
		return seat, results.Response{}, err
	}
	for _, k := range d.Information {
		if _, ok := m.InformationType(k); !ok {
			return seat, results.Response{}, &InputError{Field: "information", Reason: "unknown"}
		}
	}
	d.Information = slices.Compact(slices.Sorted(slices.Values(d.Information)))
	d.Note, d.Barrier = strings.TrimSpace(plaintext.Clean(d.Note)), strings.TrimSpace(plaintext.Clean(d.Barrier))
	switch {
	case utf8.RuneCountInString(d.Note) > matrix.MaxNoteRunes:
		return seat, results.Response{}, &InputError{Field: "note", Reason: "long", Limit: matrix.MaxNoteRunes}
	case utf8.RuneCountInString(d.Barrier) > matrix.MaxBarrierRunes:
		return seat, results.Response{}, &InputError{Field: "barrier", Reason: "long", Limit: matrix.MaxBarrierRunes}
	}
	resp, err := r.store.Detail(ctx, seat, r.now(), g, element, d)
	if err != nil {
		return seat, results.Response{}, err
	}
	return seat, resp, nil
}

// Submit records that a person has finished. They may still change their answers until the survey closes.
func (r *Rounds) Submit(ctx context.Context, id RoundID, person PersonID) (Participation, results.Response, error) {
	seat, resp, err := r.Response(ctx, id, person)
	switch {
	case err != nil:
		return seat, resp, err
	case resp.Rated() == 0:
		return seat, resp, &InputError{Field: "answers", Reason: "empty"}
	}
	seat, err = r.member(ctx, seat, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		m.Status = Finished
		return nil
	})
	return seat, resp, err
}

// Withdraw erases everything of a person but the fact that they withdrew, which keeps them from being asked again.
func (r *Rounds) Withdraw(ctx context.Context, id RoundID, person PersonID) (Participation, error) {
	seat, err := r.Participation(ctx, id, person)
	switch {
	case err != nil:
		return seat, err
	case seat.Round.State == Closed:
		return seat, ErrClosed
	case seat.Member.Status == NotInvited:
		return seat, ErrNotTakingPart
	}
	if err := r.store.Withdraw(ctx, seat); err != nil {
		return seat, err
	}
	seat.Member = Member{Person: person, Status: Withdrawn}
	return seat, nil
}

// SetUnreachable notes that the platform would not, or would again, deliver to a person.
func (r *Rounds) SetUnreachable(ctx context.Context, id RoundID, person PersonID, unreachable bool) error {
	return r.store.UpdateContact(ctx, id, person, func(m *Member) { m.Unreachable = unreachable })
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

// RoundsOf returns the rounds a person was invited to or coordinates, newest first, without those that are gone.
func (r *Rounds) RoundsOf(ctx context.Context, person PersonID) ([]Participation, error) {
	ids, err := r.store.RoundsOf(ctx, person)
	if err != nil {
		return nil, err
	}
	var seats []Participation
	for _, id := range ids {
		seat, err := r.Participation(ctx, id, person)
		switch {
		case isNoRound(err):
		case err != nil:
			return nil, err
		default:
			seats = append(seats, seat)
		}
	}
	return seats, nil
}

// RoundsIn returns the rounds of a coordinator's channel that the person coordinates, newest first.
func (r *Rounds) RoundsIn(ctx context.Context, channel string, by PersonID) ([]Round, error) {
	ids, err := r.store.RoundsIn(ctx, channel)
	if err != nil {
		return nil, err
	}
	var rounds []Round
	for _, id := range ids {
		round, err := r.store.Round(ctx, id)
		switch {
		case isNoRound(err):
		case err != nil:
			return nil, err
		case slices.Contains(round.Coordinators, by):
			rounds = append(rounds, round)
		}
	}
	return rounds, nil
}
