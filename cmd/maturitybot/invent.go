package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"

	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// opinions generates the ratings of invented people. The same seed gives the same ratings.
type opinions struct {
	rng    *rand.Rand
	matrix *matrix.Matrix
	centre map[string]float64 // the mean level of an element, by its id
	spread map[string]float64 // the standard deviation of the level, by the element's id
}

func newOpinions(seed uint64, m *matrix.Matrix) *opinions {
	o := &opinions{
		rng:    rand.New(rand.NewPCG(seed, 17)),
		matrix: m,
		centre: map[string]float64{},
		spread: map[string]float64{},
	}
	for _, e := range m.Elements() {
		// Most of the areas in the report are on the lower levels (its Appendix B).
		o.centre[e.ID] = 1 + float64(len(m.Levels)-1)*(0.1+0.45*o.rng.Float64())
		o.spread[e.ID] = 0.3 + 0.45*o.rng.Float64()
	}
	return o
}

// rate returns the rating that one person gives an element. bias is how many levels higher than
// others the person rates.
func (o *opinions) rate(element string, bias float64) matrix.Rating {
	switch x := o.rng.Float64(); {
	case x < 0.08:
		return matrix.DontKnow
	case x < 0.11:
		return matrix.NotApplicable
	case x < 0.13:
		return matrix.NotAnswered
	}
	level := int(o.centre[element] + bias + o.spread[element]*o.rng.NormFloat64() + 0.5)
	return matrix.Rating(min(max(level, 1), len(o.matrix.Levels)))
}

// invent invites a number of invented people and answers for them. About five in six finish. The rest
// do not start, decline, or stop half-way. lead is the coordinator who invites them.
func invent(ctx context.Context, t *trial, seed uint64, people int, lead survey.PersonID) error {
	o := newOpinions(seed, t.matrix)
	roles := t.matrix.Roles()
	for i := range people {
		id := survey.PersonID(tryPerson(fmt.Sprintf("person-%d", i+1)).String())
		role := roles[o.rng.IntN(len(roles))].ID
		member := survey.Member{Person: id, Role: role}
		_, _, err := t.rounds.As(lead).Invite(ctx, t.round, []survey.Member{member})
		if err != nil {
			return fmt.Errorf("invite an invented person: %w", err)
		}
		if err := o.takePart(ctx, t, id, role); err != nil {
			return fmt.Errorf("answer for an invented person: %w", err)
		}
	}
	return nil
}

// takePart does what one invented person does after the invitation.
func (o *opinions) takePart(
	ctx context.Context, t *trial, id survey.PersonID, role string,
) error {
	fate := o.rng.Float64()
	bias := 0.4 * o.rng.NormFloat64()
	participant := t.rounds.For(id)
	switch {
	case fate < 0.07:
		return nil
	case fate < 0.11:
		_, err := participant.Decline(ctx, t.round)
		return err
	}
	if _, err := participant.Start(ctx, t.round); err != nil {
		return err
	}
	if _, err := participant.SetRole(ctx, t.round, role); err != nil {
		return err
	}
	elements := t.matrix.Elements()
	upTo := len(elements)
	if fate < 0.17 {
		upTo = 1 + o.rng.IntN(len(elements))
	}
	for _, e := range elements[:upTo] {
		rating := o.rate(e.ID, bias)
		if rating == matrix.NotAnswered {
			continue
		}
		answer := survey.Operation{ID: string(id) + e.ID}
		if _, _, err := participant.Answer(ctx, t.round, answer, e.ID, rating); err != nil {
			return err
		}
		if o.rng.Float64() < 0.04 {
			detail := results.Detail{Note: t.voice.Say(notes[o.rng.IntN(len(notes))])}
			comment := survey.Operation{ID: string(id) + e.ID + "note"}
			if _, _, err := participant.Detail(ctx, t.round, comment, e.ID, detail); err != nil {
				return err
			}
		}
	}
	if upTo < len(elements) {
		return nil
	}
	_, _, err := participant.Submit(ctx, t.round)
	return err
}

// notes are the comments of invented people, as keys of texts.
var notes = [...]string{"try.note_1", "try.note_2", "try.note_3", "try.note_4"}

// answerAlone presses the buttons that a person would press, and shows each card that the bot
// returns.
func (t *trial) answerAlone(ctx context.Context, seed uint64) error {
	o := newOpinions(seed+1, t.matrix)
	round := string(t.round)
	n := 0
	press := func(show bool, a chat.Action, picked ...string) error {
		n++
		e := chat.Event{
			ID: fmt.Sprintf("try-%d", n), Kind: chat.Press,
			Who: tryPerson(you), Where: tryPlace("@" + you), Locale: t.voice.Lang,
			Action: a, Values: map[string][]string{chat.Picked: picked},
		}
		for _, reply := range t.bot.Handle(ctx, e) {
			u, ok := reply.(chat.Update)
			if !ok {
				return fmt.Errorf("press %s: the bot refused", a.Verb)
			}
			if show {
				if err := t.terminal.Show(u.Card); err != nil {
					return err
				}
			}
		}
		return nil
	}
	participation, err := t.participation(ctx)
	if err != nil {
		return fmt.Errorf("find your invitation: %w", err)
	}
	if err := t.terminal.Show(t.bot.Invitation(participation.Round, t.matrix)); err != nil {
		return err
	}
	lang := string(participation.Round.Languages[0])
	roles := t.matrix.Roles()
	steps := []struct {
		show   bool
		action chat.Action
		picked string
	}{
		{true, chat.NewAction("lang", round, lang, "begin"), ""},
		{false, chat.NewAction("accept", round), ""},
		{true, chat.NewAction("role", round), roles[o.rng.IntN(len(roles))].ID},
		{true, chat.NewAction("go", round), ""},
	}
	for _, s := range steps {
		if err := press(s.show, s.action, s.picked); err != nil {
			return err
		}
	}
	for _, e := range t.matrix.Elements() {
		word := ""
		switch rating := o.rate(e.ID, 0); rating {
		case matrix.NotAnswered, matrix.DontKnow:
			word = "dk"
		case matrix.NotApplicable:
			word = "na"
		default:
			word = strconv.Itoa(int(rating))
		}
		if err := press(true, chat.NewAction("answer", round, e.ID, word)); err != nil {
			return err
		}
	}
	return press(true, chat.NewAction("submit", round))
}
