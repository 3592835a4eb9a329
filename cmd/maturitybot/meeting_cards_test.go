package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

// TestEveryWorkshopCardFits draws each card and form of a workshop with the longest texts and the most of everything, on each
// edition and on the widest matrix that the loader lets through: each must fit both platforms.
func TestEveryWorkshopCardFits(t *testing.T) {
	t.Parallel()
	eight, err := loadMatrix("../../survey/matrix/testdata/eight.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range append(editions(), eight, widest(t)) {
		for _, lang := range m.Languages {
			t.Run(m.ID+" "+string(lang), func(t *testing.T) {
				t.Parallel()
				drawWorkshop(t, voice(lang), m)
			})
		}
	}
}

// longest is a text of as many characters as it may have.
func longest(n int) string { return strings.Repeat("ŵ", n) }

// fullWorkshop returns a workshop on the matrix in which everything that may be there is.
func fullWorkshop(m *matrix.Matrix) card.Meeting {
	counts := make([]int, len(m.Levels))
	for k := range counts {
		counts[k] = workshop.MaxHands
	}
	agreed := make([]int, len(m.Levels))
	agreed[len(agreed)-1] = workshop.MaxHands
	rating := workshop.Rating{
		Level: matrix.Rating(len(m.Levels)), How: workshop.NoAgreement,
		Reason: longest(workshop.MaxReasonRunes), Others: longest(workshop.MaxReasonRunes),
		At: time.Unix(1, 0),
	}
	a := workshop.Assessment{
		Stage: workshop.Meeting, MinGroup: 5, Consensus: results.Consensus{Percent: 70},
		Levels: len(m.Levels), Surveyed: 999, PreviousAt: time.Unix(1, 0), PausedAt: time.Unix(1, 0),
		Survey: map[string][]int{}, Previous: map[string]workshop.Rating{},
		Attendance: map[string]int{survey.Unstated: 999}, Objections: map[string]int{},
	}
	for _, e := range m.Elements() {
		a.Agenda = append(a.Agenda, e.ID)
		a.Survey[e.ID] = agreed
		a.Previous[e.ID] = rating
		a.Objections[e.ID] = 999
	}
	for _, r := range m.Roles() {
		a.Attendance[r.ID] = 999
	}
	a.Open = &workshop.OpenBallot{Number: 9, Element: a.Agenda[0]}
	a.LastBallot = 9
	for n := range workshop.MaxBallots {
		a.Ballots = append(a.Ballots, workshop.Ballot{
			Number: n + 1, Element: a.Agenda[1], Counts: counts, DontKnow: 999, Hands: counts, Doubled: true,
		})
	}
	a.Ratings = map[string]workshop.Rating{a.Agenda[2]: rating}
	a.Replaced = map[string][]workshop.Rating{a.Agenda[2]: {rating}}
	return card.Meeting{
		Round: survey.Round{
			ID: "abcdefgh23", Area: longest(survey.MaxAreaRunes), Languages: m.Languages,
			State: survey.Closed, TimeZone: survey.DefaultTimeZone,
		},
		Matrix: m, Assessment: a, Progress: survey.WorkshopProgress{Present: 999, Voted: 999},
	}
}

func drawWorkshop(t *testing.T, v locale.Voice, m *matrix.Matrix) {
	full := fullWorkshop(m)
	elements := full.Assessment.Agenda
	over := full // no ballot is open, and the second element waits for its rating
	over.Assessment.Open = nil
	ended := full
	ended.Assessment.Open, ended.Assessment.Stage = nil, workshop.Agreed
	ended.Assessment.Ratings = map[string]workshop.Rating{}
	for _, e := range elements {
		ended.Assessment.Ratings[e] = full.Assessment.Ratings[elements[2]]
	}
	empty := ended
	empty.Assessment.Attendance, empty.Assessment.Survey = nil, nil
	pressed := card.Pressed{Ballot: 999, Rating: matrix.DontKnow, Message: longestMessage}
	cards := map[string]chat.Card{
		"start": card.StartWorkshop(v, full), "begun": card.WorkshopBegun(v, full),
		"ask to meet": card.AskToMeet(v, full.Round), "consensus": card.Consensus(v, full),
		"no consensus": card.Consensus(v, ended), "ballot": card.Ballot(v, full, elements[0], 9),
		"ballot that is over": card.Ballot(v, over, elements[0], 9),
		"shown":               card.Shown(v, over, elements[1], workshop.MaxBallots),
		"first of three":      card.Shown(v, over, elements[1], 1),
		"recorded":            card.Recorded(v, full, elements[2]), "changed": card.Recorded(v, ended, elements[2]),
		"taken": card.Taken(v, ended, elements), "decided": card.Decided(v, full), "all": card.Decided(v, ended),
		"paused": card.Paused(v, over), "role": card.AskRole(v, full, pressed),
		"yours":   card.YourRating(v, full, elements[0], matrix.Rating(len(m.Levels))),
		"discuss": card.TalkedAbout(v, full, elements[0]), "object": card.Objected(v, full, elements[2], true),
		"taken back": card.Objected(v, full, elements[2], false), "twice": card.CountedTwice(v, full, elements[1]),
		"alone": card.Alone(v, over), "alone at the end": card.Alone(v, ended),
		"finished": card.Finished(v, ended), "nobody there": card.Finished(v, empty),
		"status": card.Of(card.WorkshopStatus(v, full, full.Assessment.Objections)...),
	}
	for what, c := range cards {
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if strings.Contains(c.String(), "⟦") || strings.Contains(c.String(), "<no value>") {
			t.Errorf("%s: a sentence is missing:\n%s", what, c)
		}
	}
	send := chat.NewAction("saverating", append(card.From(full.Round.ID, elements[0], card.FromAlone, 999), v.Lang)...)
	forms := map[string]chat.Form{
		"rate":       card.RatingForm(v, over, elements[1], card.FromShown, send),
		"rate alone": card.RatingForm(v, over, elements[0], card.FromAlone, send),
		"change":     card.RatingForm(v, full, elements[2], card.FromRecorded, send),
		"hands":      card.HandsForm(v, over, elements[1], send),
	}
	for what, f := range forms {
		if err := f.Check(); err != nil {
			t.Errorf("form %s: %v", what, err)
		}
	}
	if n := len(cards) + len(forms); n != 30 {
		t.Error(fmt.Sprint(n, " cards and forms"))
	}
}

// longestMessage is as long as a platform's id of a message may be.
const longestMessage = "12345678901234567890"
