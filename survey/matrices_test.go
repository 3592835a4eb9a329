package survey_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
)

// version returns the test matrix with a version, and with words of its own.
func version(n int, words string) *matrix.Matrix {
	m := *testMatrix
	m.Version, m.Name = n, matrix.Text{matrix.English: words}
	return &m
}

// rounds returns the rounds of the store as a program has them that knows these matrices.
func rounds(store survey.Store, now time.Time, matrices ...*matrix.Matrix) *survey.Rounds {
	return survey.NewRounds(store, matrices, func() time.Time { return now })
}

func TestRoundKeepsItsMatrixVersion(t *testing.T) {
	d := newTestRounds(t)
	store, err := redis.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	store.SetTime(d.now)
	one, two := version(1, "first words"), version(2, "second words")
	name := func(r *survey.Rounds, round survey.Round) string {
		t.Helper()
		m, err := r.Matrix(round)
		if err != nil {
			t.Fatal(err)
		}
		return m.Name.In(matrix.English)
	}

	before := rounds(store, d.now, one)
	begun, draft := d.proposal(), d.proposal()
	begun.ID, draft.ID = "begun", "draft"
	for _, r := range []survey.Round{begun, draft} {
		if _, err := before.AsCreator(ana).Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	begun, _, err = before.As(ana).Open(t.Context(), begun.ID)
	if err != nil {
		t.Fatal(err)
	}
	old := d.proposal() // as it was kept before there were versions
	old.ID, old.State, old.OpenedAt = "old", survey.Open, d.now
	if err := store.CreateRound(t.Context(), old, audit.Entry{}); err != nil {
		t.Fatal(err)
	}

	after := rounds(store, d.now, two, one)
	draft, _, err = after.As(ana).Open(t.Context(), draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	next := d.proposal()
	next.ID = "next"
	if next, err = after.AsCreator(ana).Create(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		round survey.Round
		want  string
	}{
		"open since version 1":         {begun, "first words"},
		"kept without a version":       {old, "first words"},
		"draft, opened with version 2": {draft, "second words"},
		"new since version 2":          {next, "second words"},
	} {
		kept, err := after.As(ana).Round(t.Context(), c.round.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := name(after, kept); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}

	only := rounds(store, d.now, two)
	if _, err := only.Matrix(begun); err == nil || !strings.Contains(err.Error(), `version 1 of the matrix "m"`) {
		t.Errorf("without version 1: %v", err)
	}
	if got := name(only, old); got != "second words" { // a matrix that never had another version
		t.Errorf("without version 1, kept without a version: %q", got)
	}
}

func TestCheckMatrices(t *testing.T) {
	d := newTestRounds(t)
	store, err := redis.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	store.SetTime(d.now)
	before := rounds(store, d.now, version(1, "words"))
	for _, id := range []survey.RoundID{"a", "b", "draft"} {
		r := d.proposal()
		r.ID, r.Area = id, "Area "+string(id)
		if _, err := before.AsCreator(ana).Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if id == "draft" {
			continue
		}
		if _, _, err := before.As(ana).Open(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct {
		matrices matrix.List
		changed  bool
	}{
		"the same":                     {matrix.List{version(1, "words")}, false},
		"a new version beside it":      {matrix.List{version(2, "other"), version(1, "words")}, false},
		"gone":                         {nil, false},
		"other words":                  {matrix.List{version(1, "other")}, true},
		"other words beside a new one": {matrix.List{version(2, "words"), version(1, "other")}, true},
	} {
		err := rounds(store, d.now, c.matrices...).System().CheckMatrices(t.Context())
		if errors.Is(err, survey.ErrMatrixChanged) != c.changed || err != nil && !c.changed {
			t.Errorf("%s: %v", what, err)
		}
		if c.changed && !strings.Contains(err.Error(), "m, version 1 has other words than when these rounds opened: a (Area a), b (Area b).") {
			t.Errorf("%s: %v does not name the rounds", what, err)
		}
	}
}
