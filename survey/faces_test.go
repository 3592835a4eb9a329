package survey_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"maturitybot/survey"
)

// TestRoundsDoNothingWithoutAuthority: a call that reads or writes a round needs As, AsCreator,
// LinksAs, For, Attending, Visiting or System.
func TestRoundsDoNothingWithoutAuthority(t *testing.T) {
	var got []string
	for m := range reflect.TypeFor[*survey.Rounds]().Methods() {
		got = append(got, m.Name)
	}
	// Matrix looks up what the program was started with, and KeepAssessments and UseLinkKeys set it.
	want := []string{"As", "AsCreator", "Attending", "For", "KeepAssessments", "LinksAs", "Matrix", "System", "UseLinkKeys", "Visiting"}
	if !slices.Equal(got, want) {
		t.Errorf("the methods of Rounds are %q, want %q", got, want)
	}
}

// TestCoordinatorMethodsCheckThePerson calls every method that takes a round, for a person who does
// not coordinate it, in each state of the round.
func TestCoordinatorMethodsCheckThePerson(t *testing.T) {
	d := newTestRounds(t)
	_, err := d.AsCreator(ben).Create(t.Context(), d.proposal())
	if !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("Create: %v", err)
	}
	if _, err := d.AsCreator(ana).Create(t.Context(), d.proposal()); err != nil {
		t.Fatal(err)
	}
	checked := 0
	try := func() {
		t.Helper()
		face := reflect.ValueOf(d.LinksAs(ben)) // which may everything that As may
		for method := range face.Type().Methods() {
			if method.Type.NumIn() < 3 || method.Type.In(2) != reflect.TypeFor[survey.RoundID]() {
				continue
			}
			args := []reflect.Value{face, reflect.ValueOf(t.Context()), reflect.ValueOf(survey.RoundID("r"))}
			for i := 3; i < method.Type.NumIn(); i++ {
				args = append(args, reflect.Zero(method.Type.In(i)))
			}
			call := method.Func.Call
			if method.Type.IsVariadic() {
				call = method.Func.CallSlice
			}
			out := call(args)
			err, _ := out[len(out)-1].Interface().(error)
			if !errors.Is(err, survey.ErrNotCoordinator) {
				t.Errorf("%s: %v", method.Name, err)
			}
			checked++
		}
	}
	try()
	if _, _, err := d.As(ana).Open(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	try()
	if _, _, err := d.As(ana).Close(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	try()
	if checked < 3*15 {
		t.Errorf("%d calls checked", checked)
	}
	if rounds, err := d.As(ben).RoundsIn(t.Context(), "p:w:c"); err != nil || len(rounds) != 0 {
		t.Errorf("RoundsIn: %v, %v", rounds, err)
	}
}

// TestParticipantMethodsCheckThePerson calls every method that takes a participation with that of
// another person.
func TestParticipantMethodsCheckThePerson(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	for _, person := range []survey.PersonID{ana, ben} {
		d.takePart(t, person, survey.Unstated)
	}
	others, err := d.For(ana).Participation(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	face := reflect.ValueOf(d.For(ben))
	for method := range face.Type().Methods() {
		if method.Type.NumIn() < 3 || method.Type.In(2) != reflect.TypeFor[survey.Participation]() {
			continue
		}
		args := []reflect.Value{face, reflect.ValueOf(t.Context()), reflect.ValueOf(others)}
		for i := 3; i < method.Type.NumIn(); i++ {
			args = append(args, reflect.Zero(method.Type.In(i)))
		}
		out := method.Func.Call(args)
		if err, _ := out[len(out)-1].Interface().(error); !errors.Is(err, survey.ErrNotTakingPart) {
			t.Errorf("%s: %v", method.Name, err)
		}
		checked++
	}
	if checked < 2 {
		t.Errorf("%d methods checked", checked)
	}
}

// TestPersonIsNoArgument: only As, AsCreator and For say which person acts.
func TestPersonIsNoArgument(t *testing.T) {
	for _, face := range []reflect.Type{
		reflect.TypeFor[survey.Coordinator](), reflect.TypeFor[survey.Creator](),
		reflect.TypeFor[survey.Participant](),
	} {
		for method := range face.Methods() {
			for i := 1; i < method.Type.NumIn(); i++ {
				if method.Type.In(i) == reflect.TypeFor[survey.PersonID]() {
					t.Errorf("%s.%s takes a person", face.Name(), method.Name)
				}
			}
		}
	}
}
