package survey

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

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

// SetRemindersOff keeps whether a person is not to be reminded any more; in any state of the round.
func (r *Rounds) SetRemindersOff(ctx context.Context, id RoundID, person PersonID, quiet bool) (Participation, error) {
	seat, err := r.Participation(ctx, id, person)
	switch {
	case err != nil:
		return seat, err
	case seat.Member.Status == NotInvited:
		return seat, ErrNotTakingPart
	case seat.Member.Status == Withdrawn:
		return seat, ErrWithdrawn
	}
	change := func(m *Member) {
		if m.RemindersOff = quiet; quiet {
			m.RemindOnDate = ""
		}
	}
	if err := r.store.UpdateContact(ctx, id, person, change); err != nil {
		return seat, err
	}
	change(&seat.Member)
	return seat, nil
}

// SetTimeZone keeps where a person's clock is, as their platform tells it. A name that is no time zone, or that is kept
// already, changes nothing.
func (r *Rounds) SetTimeZone(ctx context.Context, seat Participation, zone string) (Participation, error) {
	if zone == "" || zone == "Local" || zone == seat.Member.TimeZone || !seat.Member.TakesPart() || !seat.Round.AcceptsAnswers(r.now()) {
		return seat, nil
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return seat, nil
	}
	return r.member(ctx, seat, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		m.TimeZone = zone
		return nil
	})
}
