package survey

import (
	"context"
	"fmt"
	"slices"
	"time"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Participant is what one person may do about their own participation in a round.
type Participant struct {
	*core
	person PersonID
}

// checkOwn returns an error for the participation of another person.
func (p Participant) checkOwn(part Participation) error {
	if part.Member.Person != p.person {
		return fmt.Errorf("use a participation in round %s: %w", part.Round.ID, ErrNotTakingPart)
	}
	return nil
}

// Join adds the person to the roster at their own request. This is possible after they declined or
// withdrew. Once a coordinator has called AllowSelfJoin, it is also possible without an invitation,
// but not for a person who takes part by link: their link puts them on the roster.
func (p Participant) Join(ctx context.Context, id RoundID) (Participation, error) {
	part, err := p.answeringPart(ctx, id)
	if err != nil {
		return part, err
	}
	switch part.Member.Status {
	case NotInvited:
		if !part.Round.SelfJoin || p.person.ByLink() {
			return part, ErrNotTakingPart
		}
		joined := []Member{{Person: p.person, Status: Invited}}
		if _, err := p.store.Invite(ctx, id, joined, "", time.Time{}, nil); err != nil {
			return part, err
		}
		return p.Participation(ctx, id)
	case Declined, Withdrawn:
		return p.member(ctx, part, func(m *Member) error {
			if m.Status == Declined || m.Status == Withdrawn {
				m.Status = Invited
			}
			return nil
		})
	}
	return part, nil
}

// Participation returns the person's participation in a round. A person who is not in the roster
// has the status NotInvited.
func (p Participant) Participation(ctx context.Context, id RoundID) (Participation, error) {
	found, ok := ctx.Value(foundKey{}).(Participation)
	if ok && found.Round.ID == id && found.Member.Person == p.person {
		return found, nil
	}
	return p.store.Participation(ctx, id, p.person)
}

// PersonalData returns everything that is kept about a person who takes part. They may see it until
// the round is closed, also after the closing time.
func (p Participant) PersonalData(
	ctx context.Context, id RoundID,
) (Participation, results.Response, error) {
	part, err := p.Participation(ctx, id)
	switch {
	case err != nil:
		return part, results.Response{}, err
	case part.Round.State != Open:
		return part, results.Response{}, notOpenErr(part.Round.State)
	case part.Member.Status == Withdrawn:
		return part, results.Response{}, ErrWithdrawn
	case !part.Member.TakesPart():
		return part, results.Response{}, ErrNotTakingPart
	}
	resp, err := p.store.Response(ctx, part)
	if err != nil {
		return part, results.Response{}, err
	}
	return part, resp, nil
}

// answeringPart is like Participation, but returns an error unless the survey takes answers.
func (p Participant) answeringPart(ctx context.Context, id RoundID) (Participation, error) {
	part, err := p.Participation(ctx, id)
	if err != nil {
		return part, err
	}
	return part, p.answering(part.Round)
}

// takingPart returns the participation of a person who takes part in a survey that takes answers.
func (p Participant) takingPart(ctx context.Context, id RoundID) (Participation, error) {
	part, err := p.answeringPart(ctx, id)
	if err != nil {
		return part, err
	}
	switch {
	case part.Member.Status == Withdrawn:
		return part, ErrWithdrawn
	case !part.Member.TakesPart():
		return part, ErrNotTakingPart
	}
	return part, nil
}

// member changes the person's entry in the roster. Since the person has just used the bot, the
// entry no longer says that they cannot be reached.
func (p Participant) member(
	ctx context.Context, part Participation, change func(*Member) error,
) (Participation, error) {
	changed, err := p.store.ChangeMember(ctx, part, p.now(), func(m *Member) error {
		m.Unreachable = false
		return change(m)
	})
	if err != nil {
		return part, err
	}
	return changed, nil
}

// invited returns the participation of a person on the roster of a survey that takes answers.
func (p Participant) invited(ctx context.Context, id RoundID) (Participation, error) {
	part, err := p.answeringPart(ctx, id)
	if err != nil {
		return part, err
	}
	switch part.Member.Status {
	case NotInvited:
		return part, ErrNotTakingPart
	case Withdrawn:
		return part, ErrWithdrawn
	}
	return part, nil
}

// SetLanguage saves the language that the person wants to be asked in.
func (p Participant) SetLanguage(
	ctx context.Context, id RoundID, lang matrix.Lang,
) (Participation, error) {
	part, err := p.invited(ctx, id)
	if err != nil {
		return part, err
	}
	if !slices.Contains(part.Round.Languages, lang) {
		return part, &InputError{Field: "language", Reason: "unknown"}
	}
	return p.member(ctx, part, func(m *Member) error {
		if m.Status == Withdrawn {
			return ErrWithdrawn
		}
		m.Language = lang
		return nil
	})
}

// Start records that the person accepted the round's privacy notice. From then on they may answer.
func (p Participant) Start(ctx context.Context, id RoundID) (Participation, error) {
	part, err := p.invited(ctx, id)
	if err != nil {
		return part, err
	}
	notice := part.Round.NoticeVersion()
	if p.person.ByLink() {
		notice += linkNotice
	}
	return p.member(ctx, part, func(m *Member) error {
		switch {
		case m.Status == Withdrawn:
			return ErrWithdrawn
		case m.TakesPart() && m.Notice == notice:
			return nil
		case !m.TakesPart():
			m.Status = Started
		}
		m.Notice, m.NoticeAt = notice, p.now().UTC().Truncate(time.Second)
		return nil
	})
}

// Decline records that the person does not want to take part. It changes nothing for a person who
// has started: they can withdraw.
func (p Participant) Decline(ctx context.Context, id RoundID) (Participation, error) {
	part, err := p.invited(ctx, id)
	if err != nil || part.Member.TakesPart() {
		return part, err
	}
	return p.member(ctx, part, func(m *Member) error {
		if m.Status == Invited {
			m.Status = Declined
		}
		return nil
	})
}

// SetRole saves the person's role: the id of a role of the matrix, or Unstated.
func (p Participant) SetRole(ctx context.Context, id RoundID, role string) (Participation, error) {
	part, err := p.takingPart(ctx, id)
	if err != nil {
		return part, err
	}
	m, err := p.matrix(part.Round)
	if err != nil {
		return part, err
	}
	group := ""
	if role != Unstated {
		_, g, ok := m.Role(role)
		if !ok {
			return part, &InputError{Field: "role", Reason: "unknown"}
		}
		group = g.ID
	}
	return p.member(ctx, part, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		m.Role, m.Group = role, group
		return nil
	})
}

// Unstated is the role of a person who does not want to state it. No matrix has a role with this
// id.
const Unstated = "-"

// Withdraw erases everything about the person except that they withdrew, so that they are not asked
// again.
func (p Participant) Withdraw(ctx context.Context, id RoundID) (Participation, error) {
	part, err := p.Participation(ctx, id)
	switch {
	case err != nil:
		return part, err
	case part.Round.State == Closed:
		return part, ErrClosed
	case part.Member.Status == NotInvited:
		return part, ErrNotTakingPart
	}
	if err := p.store.Withdraw(ctx, part); err != nil {
		return part, err
	}
	part.Member = Member{Person: p.person, Status: Withdrawn}
	return part, nil
}

// Participations returns the person's participations in the rounds that they were invited to or
// coordinate, newest first, without rounds that no longer exist.
func (p Participant) Participations(ctx context.Context) ([]Participation, error) {
	ids, err := p.store.RoundsOf(ctx, p.person)
	if err != nil {
		return nil, err
	}
	var parts []Participation
	for _, id := range ids {
		part, err := p.Participation(ctx, id)
		switch {
		case isNoRound(err):
		case err != nil:
			return nil, err
		default:
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// SetTimeZone saves the person's time zone, as their platform tells it. A name that is no time
// zone, or that is saved already, changes nothing. part is the person's own participation.
func (p Participant) SetTimeZone(
	ctx context.Context, part Participation, zone string,
) (Participation, error) {
	if err := p.checkOwn(part); err != nil {
		return part, err
	}
	if zone == "" || zone == "Local" || zone == part.Member.TimeZone {
		return part, nil
	}
	if !part.Member.TakesPart() || !part.Round.AcceptsAnswers(p.now()) {
		return part, nil
	}
	if _, err := loadZone(zone); err != nil {
		return part, nil
	}
	return p.member(ctx, part, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		m.TimeZone = zone
		return nil
	})
}
