package survey_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

var testMatrix = &matrix.Matrix{
	ID: "m", Languages: []matrix.Lang{"en"},
	Levels: []matrix.Level{{ID: "low"}, {ID: "high"}},
	Dimensions: []matrix.Dimension{{ID: "d", CoreElements: []matrix.CoreElement{{Elements: []matrix.Element{
		{ID: "one", Descriptors: make([]matrix.Text, 2)}, {ID: "two", Descriptors: make([]matrix.Text, 2)},
	}}}}},
	RoleGroups:  []matrix.RoleGroup{{ID: "health", Roles: []matrix.Role{{ID: "midwife"}}}, {ID: "family", Roles: []matrix.Role{{ID: "parent"}}}},
	Information: []matrix.InformationType{{ID: "figures"}},
}

const ana, ben = survey.PersonID("p:w:ana"), survey.PersonID("p:w:ben")

// testRounds are rounds on an embedded store, with a clock that tests set.
type testRounds struct {
	*survey.Rounds
	store survey.Store
	now   time.Time
}

func newTestRounds(t *testing.T) *testRounds {
	t.Helper()
	store, err := redis.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &testRounds{store: store, now: time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)}
	store.SetTime(d.now)
	d.Rounds = survey.NewRounds(store, matrix.List{testMatrix}, func() time.Time { return d.now })
	return d
}

func (d *testRounds) proposal() survey.Round {
	return survey.Round{
		ID: "r", Area: "Northshire", Matrix: "m", Languages: []matrix.Lang{"en"}, TimeZone: "Europe/London", Channel: "p:w:c",
		ClosesAt: d.now.AddDate(0, 0, 14), Coordinators: []survey.PersonID{ana}, MinGroup: 5, Consensus: results.Consensus{Percent: 70},
	}
}

func (d *testRounds) open(t *testing.T) survey.Round {
	t.Helper()
	if _, err := d.AsCreator(ana).Create(t.Context(), d.proposal()); err != nil {
		t.Fatal(err)
	}
	r, opened, err := d.As(ana).Open(t.Context(), "r")
	if err != nil || !opened {
		t.Fatal(opened, err)
	}
	return r
}

func TestCreateInvalid(t *testing.T) {
	d := newTestRounds(t)
	for want, change := range map[string]func(*survey.Round){
		"area: empty":         func(r *survey.Round) { r.Area = "  " },
		"area: long":          func(r *survey.Round) { r.Area = strings.Repeat("ŵ", survey.MaxAreaRunes+1) },
		"matrix: unknown":     func(r *survey.Round) { r.Matrix = "x" },
		"languages: unknown":  func(r *survey.Round) { r.Languages = []matrix.Lang{"en", "cy"} },
		"coordinators: empty": func(r *survey.Round) { r.Coordinators = nil },
		"min_group: low":      func(r *survey.Round) { r.MinGroup = results.MinGroupFloor - 1 },
		"agreed: range":       func(r *survey.Round) { r.Consensus.Percent = 49 },
		"place: long":         func(r *survey.Round) { r.Workshop.Place = strings.Repeat("x", survey.MaxPlaceRunes+1) },
		"time_zone: unknown":  func(r *survey.Round) { r.TimeZone = "Local" },
		"closes: early":       func(r *survey.Round) { r.ClosesAt = d.now.Add(59 * time.Minute) },
		"closes: late":        func(r *survey.Round) { r.ClosesAt = d.now.Add(survey.MaxOpen + time.Minute) },
		"workshop: early":     func(r *survey.Round) { r.Workshop.At = r.ClosesAt.Add(-time.Minute) },
	} {
		r := d.proposal()
		change(&r)
		var input *survey.InputError
		if _, err := d.AsCreator(ana).Create(t.Context(), r); !errors.As(err, &input) || input.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	longest := d.proposal()
	longest.Area, longest.MinGroup, longest.Consensus.Percent = strings.Repeat("ŵ", survey.MaxAreaRunes), results.MinGroupFloor, 100
	if _, err := d.AsCreator(ana).Create(t.Context(), longest); err != nil {
		t.Errorf("the largest valid values: %v", err)
	}
}

// TestSettingsFixedOnceOpen: the minimum group and the consensus rule can change in a draft, and
// not later.
func TestSettingsFixedOnceOpen(t *testing.T) {
	d := newTestRounds(t)
	if _, err := d.AsCreator(ana).Create(t.Context(), d.proposal()); err != nil {
		t.Fatal(err)
	}
	change := func(r *survey.Round) error {
		r.MinGroup, r.Consensus.Percent = 8, 60
		return nil
	}
	if r, err := d.As(ana).Redraft(t.Context(), "r", change); err != nil || r.MinGroup != 8 || r.Consensus.Percent != 60 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := d.As(ben).Redraft(t.Context(), "r", change); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("another person: %v", err)
	}
	if _, _, err := d.As(ana).Open(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.As(ana).Redraft(t.Context(), "r", change); !errors.Is(err, survey.ErrOpened) {
		t.Errorf("after opening: %v", err)
	}
	if r, err := d.As(ana).Round(t.Context(), "r"); err != nil || r.MinGroup != 8 {
		t.Errorf("the minimum group is %d, %v", r.MinGroup, err)
	}
}

func TestOpenAfterClosingTime(t *testing.T) {
	d := newTestRounds(t)
	if _, err := d.AsCreator(ana).Create(t.Context(), d.proposal()); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.AddDate(0, 0, 15)
	var input *survey.InputError
	if _, _, err := d.As(ana).Open(t.Context(), "r"); !errors.As(err, &input) {
		t.Errorf("got %v", err)
	}
}

func TestExtendLimits(t *testing.T) {
	d := newTestRounds(t)
	r := d.open(t)
	for closes, want := range map[time.Time]string{
		r.ClosesAt.Add(-time.Hour):                   "closes: earlier",
		d.now.Add(survey.MaxOpen + 24*time.Hour):     "closes: late",
		r.OpenedAt.Add(survey.MaxOpen + time.Second): "closes: late",
	} {
		var input *survey.InputError
		if _, _, err := d.As(ana).Extend(t.Context(), "r", closes); !errors.As(err, &input) || input.Error() != want {
			t.Errorf("%v: got %v, want %s", closes, err, want)
		}
	}
	later := r.ClosesAt.AddDate(0, 0, 7)
	if _, moved, err := d.As(ana).Extend(t.Context(), "r", later); err != nil || !moved {
		t.Errorf("moved %v, %v", moved, err)
	}
	if _, moved, err := d.As(ana).Extend(t.Context(), "r", later); err != nil || moved {
		t.Errorf("the same again: moved %v, %v", moved, err)
	}
	// The longest time counts from the opening.
	d.now = d.now.AddDate(0, 0, 20)
	var input *survey.InputError
	if _, _, err := d.As(ana).Extend(t.Context(), "r", r.OpenedAt.Add(survey.MaxOpen+24*time.Hour)); !errors.As(err, &input) {
		t.Errorf("beyond a year from the opening: %v", err)
	}
	if _, _, err := d.As(ana).Close(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.As(ana).Extend(t.Context(), "r", d.now.AddDate(0, 0, 30)); !errors.Is(err, survey.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

func TestMaxCoordinators(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	var people []survey.PersonID
	for i := range survey.MaxCoordinators - 1 {
		people = append(people, survey.PersonID(fmt.Sprintf("p:w:c%d", i)))
	}
	if r, err := d.As(ana).AddCoordinators(t.Context(), "r", append(people, ana)); err != nil || len(r.Coordinators) != survey.MaxCoordinators {
		t.Fatalf("%d coordinators, %v", len(r.Coordinators), err)
	}
	var input *survey.InputError
	if _, err := d.As(ana).AddCoordinators(t.Context(), "r", []survey.PersonID{"p:w:more"}); !errors.As(err, &input) {
		t.Errorf("one more: %v", err)
	}
	if _, _, err := d.As(ana).Close(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.As(ana).AddCoordinators(t.Context(), "r", people[:1]); !errors.Is(err, survey.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

// TestConcurrentChanges: changes that several coordinators make at the same time are all saved.
func TestConcurrentChanges(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			if _, err := d.As(ana).AddCoordinators(t.Context(), "r", []survey.PersonID{survey.PersonID(fmt.Sprintf("p:w:c%d", i))}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if r, err := d.As(ana).Round(t.Context(), "r"); err != nil || len(r.Coordinators) != 4 {
		t.Errorf("%v, %v", r.Coordinators, err)
	}
}

func (d *testRounds) takePart(t *testing.T, person survey.PersonID, role string) {
	t.Helper()
	ctx := t.Context()
	_, _, err := d.As(ana).Invite(ctx, "r", []survey.Member{{Person: person}})
	if err == nil {
		_, err = d.For(person).Start(ctx, "r")
	}
	if err == nil {
		_, err = d.For(person).SetRole(ctx, "r", role)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCloseAnonymises: after the close, roles and role groups do not identify the only parent among
// midwives.
func TestCloseAnonymises(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	for i := range 5 {
		d.takePart(t, survey.PersonID(fmt.Sprintf("p:w:m%d", i)), "midwife")
	}
	d.takePart(t, ben, "parent")
	for _, p := range []survey.PersonID{ben, "p:w:m0"} {
		if _, _, err := d.For(p).Answer(t.Context(), "r", survey.Operation{ID: "op"}, "one", 2); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.For(p).Submit(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
	}
	if _, closed, err := d.As(ana).Close(t.Context(), "r"); err != nil || !closed {
		t.Fatal(closed, err)
	}
	part, err := d.For(ben).Participation(t.Context(), "r")
	if err != nil || part.Pseudonym != "" {
		t.Errorf("pseudonym %q, %v", part.Pseudonym, err)
	}
	if m := part.Member; m.Role != "" || m.Group != "" || m.Language != "" || m.Status != survey.Finished {
		t.Errorf("the roster still holds %+v", m)
	}
	// The turnout is kept as numbers, and each call returns the same.
	for range 2 {
		p, err := d.As(ana).Results(t.Context(), "r")
		if err != nil || p.Turnout.Invited.String() != "6" || p.Turnout.Finished.String() != "2" {
			t.Errorf("%+v, %v", p.Turnout, err)
		}
		kept := d.participation(t, ben).Round.Turnout
		if kept.Roles[1] != (results.RoleCount{Role: "parent", Invited: 1, Finished: 1}) {
			t.Errorf("kept %+v", kept)
		}
	}
	if _, closed, err := d.As(ana).Close(t.Context(), "r"); err != nil || closed {
		t.Errorf("closing again: %v, %v", closed, err)
	}
}

func TestResultsOnlyAfterClose(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	if _, err := d.As(ana).Results(t.Context(), "r"); !errors.Is(err, survey.ErrStillOpen) {
		t.Errorf("while open: %v", err)
	}
	if _, err := d.As(ben).Results(t.Context(), "r"); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("another person: %v", err)
	}
}

func TestInvalidAnswers(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	if _, _, err := d.For(ben).Answer(t.Context(), "r", survey.Operation{ID: "op"}, "one", 1); !errors.Is(err, survey.ErrNotTakingPart) {
		t.Errorf("not invited: %v", err)
	}
	d.takePart(t, ben, survey.Unstated)
	for _, c := range []struct {
		element string
		rating  matrix.Rating
		want    error
	}{{"none", 1, matrix.ErrNoElement}, {"one", 3, matrix.ErrNoRating}, {"one", -3, matrix.ErrNoRating}, {"one", 2, nil}, {"one", matrix.DontKnow, nil}} {
		if _, _, err := d.For(ben).Answer(t.Context(), "r", survey.Operation{ID: "op" + fmt.Sprint(c.rating)}, c.element, c.rating); !errors.Is(err, c.want) {
			t.Errorf("%s %d: got %v, want %v", c.element, c.rating, err, c.want)
		}
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = "figures"
	}
	if _, resp, err := d.For(ben).Detail(t.Context(), "r", survey.Operation{ID: "d"}, "one", results.Detail{Information: many}); err != nil || len(resp.Answers["one"].Detail.Information) != 1 {
		t.Errorf("%d kinds kept, %v", len(resp.Answers["one"].Detail.Information), err)
	}
	if _, _, err := d.For(ben).Detail(t.Context(), "r", survey.Operation{ID: "d"}, "one", results.Detail{Information: []string{"x"}}); err == nil {
		t.Error("an unknown kind is kept")
	}
}

// TestStartClearsUnreachable: a person who uses the bot can be reached again.
func TestStartClearsUnreachable(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	if _, _, err := d.As(ana).Invite(t.Context(), "r", []survey.Member{{Person: ben}}); err != nil {
		t.Fatal(err)
	}
	if err := d.System().SetUnreachable(t.Context(), "r", ben, true); err != nil {
		t.Fatal(err)
	}
	if _, due, err := d.As(ana).Remind(t.Context(), "r"); err != nil || due != 0 {
		t.Errorf("%v are due, %v", due, err)
	}
	if part, err := d.For(ben).Start(t.Context(), "r"); err != nil || part.Member.Unreachable {
		t.Errorf("%+v, %v", part.Member, err)
	}
	d.now = d.now.Add(survey.RemindEvery)
	if _, due, err := d.As(ana).Remind(t.Context(), "r"); err != nil || due != 1 {
		t.Errorf("%v are due, %v", due, err)
	}
}

// TestProgressHidesRefusals: the lists do not tell people who declined or withdrew from those who
// have not finished.
func TestProgressHidesRefusals(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	for i, name := range []survey.PersonID{"p:w:a", "p:w:b", "p:w:c"} {
		role := []string{"parent", "midwife", "midwife"}[i]
		if _, _, err := d.As(ana).Invite(t.Context(), "r", []survey.Member{{Person: name, Role: role}}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if _, err := d.For(name).Decline(t.Context(), "r"); err != nil {
				t.Fatal(err)
			}
		}
		if i == 1 {
			if _, err := d.For(name).Withdraw(t.Context(), "r"); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := d.As(ana).Progress(t.Context(), "r")
	if err != nil || len(s.Waiting) != 3 || s.Declined != 1 || s.Withdrawn != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if parents := s.Roles[1]; parents != (results.RoleCount{Role: "parent", Invited: 1}) {
		t.Errorf("the only parent who was invited has declined: %+v", parents)
	}
}

func TestCancelledContext(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.As(ana).Progress(ctx, "r"); err == nil {
		t.Error("no error")
	}
}

// openedMeanwhile is a store on which another coordinator opens a round after its assessment was read.
type openedMeanwhile struct {
	survey.Store
	open func()
}

func (s openedMeanwhile) Assessment(ctx context.Context, id survey.RoundID) (workshop.Assessment, error) {
	defer s.open()
	return s.Store.Assessment(ctx, id)
}

// TestStartWorkshopOfOpenRound: a workshop without a survey does not close a survey that was opened at the same moment.
func TestStartWorkshopOfOpenRound(t *testing.T) {
	d := newTestRounds(t)
	if _, err := d.AsCreator(ana).Create(t.Context(), d.proposal()); err != nil {
		t.Fatal(err)
	}
	d.Rounds = survey.NewRounds(openedMeanwhile{d.store, func() {
		if _, _, err := survey.NewRounds(d.store, matrix.List{testMatrix}, func() time.Time { return d.now }).As(ana).Open(t.Context(), "r"); err != nil {
			t.Error(err)
		}
	}}, matrix.List{testMatrix}, func() time.Time { return d.now })
	_, _, started, err := d.As(ana).StartWorkshop(t.Context(), "r")
	round, roundErr := d.store.Round(t.Context(), "r")
	if !errors.Is(err, survey.ErrStillOpen) || started || roundErr != nil || round.State != survey.Open {
		t.Errorf("started %v, %v; the round is %s, %v", started, err, round.State, roundErr)
	}
}

// TestRemindLaterAfterDeclining: nobody is promised a reminder that would not come.
func TestRemindLaterAfterDeclining(t *testing.T) {
	d := newTestRounds(t)
	d.invite(t, ben)
	at := survey.Moment{Kind: survey.ClosesSoon.On("2027-01-05"), At: d.now.Add(24 * time.Hour)}
	if _, err := d.For(ben).RemindLater(t.Context(), "r", at); err != nil {
		t.Error(err)
	}
	if _, err := d.For(ben).Decline(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.For(ben).RemindLater(t.Context(), "r", at); !errors.Is(err, survey.ErrNotTakingPart) {
		t.Errorf("after declining: %v", err)
	}
}
