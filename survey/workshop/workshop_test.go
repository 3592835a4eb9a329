package workshop

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

var at = time.Date(2026, time.December, 14, 10, 0, 0, 0, time.UTC)

// meeting is a workshop on three elements: the survey shows consensus on b, disagreement on a, and
// nothing on c.
func meeting() Assessment {
	return Assessment{
		Round: "r", Stage: Meeting, MinGroup: 5,
		Consensus: results.Consensus{Percent: 70}, Surveyed: 10,
		Agenda: []string{"a", "b", "c"},
		Survey: map[string][]int{"a": {4, 1, 5}, "b": {0, 9, 1}},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestMoves: each stage can be followed by the next one and no other.
func TestMoves(t *testing.T) {
	stages := []Stage{NotStarted, Meeting, Agreed}
	for i, from := range stages {
		for j, to := range stages {
			if err := from.MoveTo(to); (err == nil) != (j == i+1) {
				t.Errorf("from %q to %q: %v", from, to, err)
			}
		}
	}
}

// TestNew takes over what the survey published, and nothing that it hides.
func TestNew(t *testing.T) {
	m := &matrix.Matrix{ID: "m", Version: 2, Levels: make([]matrix.Level, 3)}
	elements := []matrix.Element{{ID: "a"}, {ID: "b"}}
	m.Dimensions = []matrix.Dimension{{CoreElements: []matrix.CoreElement{{Elements: elements}}}}
	tally := results.NewTally(m)
	for i := range 6 {
		answers := map[string]results.Answer{"a": {Rating: 2}}
		if i < 4 {
			answers["b"] = results.Answer{Rating: 1}
		}
		tally.Add(results.Response{Answers: answers})
	}
	rule := results.Consensus{Percent: 70}
	p := results.Publish(tally, results.Context{MinGroup: 5, Consensus: rule})
	a := New("r", "Northshire", p, at)
	want := Assessment{
		Round: "r", Stage: Meeting, Area: "Northshire", Matrix: "m", MatrixVersion: 2, Levels: 3,
		MinGroup: 5, Consensus: rule, Surveyed: 6, StartedAt: at,
		Agenda: []string{"a", "b"}, Survey: map[string][]int{"a": {0, 6, 0}},
	}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("%+v\nwant %+v", a, want)
	}
}

// TestAgenda: elements in consensus wait for the others, and whoever wants to talk about one puts it
// back.
func TestAgenda(t *testing.T) {
	a := meeting()
	next := func(want string) {
		t.Helper()
		if e, _ := a.Next(); e != want {
			t.Errorf("next is %q, want %q", e, want)
		}
	}
	next("a")
	must(t, a.Postpone("a"))
	next("c")
	must(t, a.Record("c", Rating{Level: 1, How: AllAgreed}, nil, 0))
	next("") // a was postponed, and b is in consensus
	must(t, a.TalkAbout("b"))
	must(t, a.TalkAbout("b"))
	next("b")
	if got := a.InConsensus(); got != nil {
		t.Errorf("%v are in consensus", got)
	}
	if got := a.Undecided(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("undecided are %v", got)
	}
	if err := a.TalkAbout("x"); !errors.Is(err, matrix.ErrNoElement) {
		t.Errorf("an unknown element: %v", err)
	}
}

// TestTakeConsensus records the survey's ratings of exactly the elements that the coordinator saw.
func TestTakeConsensus(t *testing.T) {
	a := meeting()
	if err := a.TakeConsensus([]string{"a"}, at); !errors.Is(err, ErrChanged) || a.Ratings != nil {
		t.Errorf("an element without consensus: %v, %v", err, a.Ratings)
	}
	must(t, a.TakeConsensus([]string{"b"}, at))
	if want := (Rating{Level: 2, How: BySurvey, At: at}); a.Ratings["b"] != want {
		t.Errorf("%+v, want %+v", a.Ratings["b"], want)
	}
	if err := a.TakeConsensus(nil, at); !errors.Is(err, ErrChanged) {
		t.Errorf("no element is left: %v", err)
	}
}

// TestShownCountsEachLevel: a ballot has a count for each level, also where nobody chose the highest.
func TestShownCountsEachLevel(t *testing.T) {
	a := meeting()
	a.Levels = 4
	must(t, a.Begin("a"))
	must(t, a.Shown(1, []int{1, 4}, 0))
	if got := a.Ballots[0].Counts; !slices.Equal(got, []int{1, 4, 0, 0}) {
		t.Errorf("the counts are %v", got)
	}
}

// TestBallots: an element has three ballots at most, each with a number of its own.
func TestBallots(t *testing.T) {
	a := meeting()
	for n := 1; n <= MaxBallots; n++ {
		must(t, a.Begin("a"))
		if err := a.Shown(n+1, []int{1, 2, 3}, 0); !errors.Is(err, ErrNoBallot) {
			t.Errorf("another ballot: %v", err)
		}
		must(t, a.Shown(n, []int{1, 2, 3}, 1))
		if err := a.Shown(n, []int{1, 2, 3}, 1); !errors.Is(err, ErrNoBallot) {
			t.Errorf("the same ballot twice: %v", err)
		}
	}
	if err := a.Begin("a"); !errors.Is(err, ErrAgain) {
		t.Errorf("a fourth ballot: %v", err)
	}
	must(t, a.Begin("c"))
	if want := (OpenBallot{Number: 4, Element: "c"}); *a.Open != want {
		t.Errorf("%+v, want %+v", *a.Open, want)
	}
	must(t, a.Begin("b"))
	if len(a.Ballots) != 3 || a.Open.Number != 5 {
		t.Errorf("a ballot that was left: %+v", a)
	}
	must(t, a.Postpone("b"))
	if a.Open != nil {
		t.Error("a postponed element can still be rated")
	}
}

// TestReasons: a rating that differs from what people rated needs a reason.
func TestReasons(t *testing.T) {
	tests := []struct {
		element string
		ballot  []int // or nil
		hands   []int
		rating  Rating
		needed  bool
	}{
		{"a", nil, nil, Rating{Level: 3, How: AllAgreed}, false}, // as the survey
		{"a", nil, nil, Rating{Level: 1, How: AllAgreed}, true},
		{"a", []int{5, 1, 0}, nil, Rating{Level: 1, How: MostAgreed}, false}, // as the ballot
		{"a", []int{5, 1, 0}, nil, Rating{Level: 3, How: MostAgreed}, true},
		{"a", []int{3, 3, 0}, nil, Rating{Level: 2, How: MostAgreed}, false}, // a tie
		{"a", []int{5, 1, 0}, []int{0, 0, 9}, Rating{Level: 3, How: AllAgreed}, false},
		{"a", nil, []int{0, 6, 0}, Rating{Level: 2, How: AllAgreed}, false},
		{"c", nil, nil, Rating{Level: 2, How: AllAgreed}, false}, // nothing to differ from
		{"c", nil, nil, Rating{Level: 2, How: NoAgreement}, true},
		{"a", []int{5, 1, 0}, nil, Rating{How: AllAgreed}, true}, // not rated
	}
	for _, c := range tests {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			a := meeting()
			if c.ballot != nil {
				must(t, a.Begin(c.element))
				must(t, a.Shown(1, c.ballot, 0))
			}
			err := a.Record(c.element, c.rating, c.hands, 0)
			if c.needed {
				if !errors.Is(err, ErrNoReason) || a.Ratings != nil {
					t.Fatalf("without a reason: %v, %v", err, a.Ratings)
				}
				c.rating.Reason = "We heard from families."
				err = a.Record(c.element, c.rating, c.hands, 0)
			}
			c.rating.At = time.Time{}.UTC()
			if err != nil || a.Ratings[c.element] != c.rating {
				t.Errorf("%v, %+v", err, a.Ratings[c.element])
			}
		})
	}
}

// TestHands: a show of hands adds to the devices, must reach the minimum, and says when more
// people were counted than are there.
func TestHands(t *testing.T) {
	a := meeting()
	if err := a.CountHands("c", []int{1, 3, 0}, 0); !errors.Is(err, ErrTooFew) || a.Ballots != nil {
		t.Errorf("four hands: %v, %v", err, a.Ballots)
	}
	must(t, a.Begin("a"))
	must(t, a.Shown(1, []int{3, 0, 0}, 1))
	must(t, a.CountHands("a", []int{0, 4}, 8))
	if b := a.Ballots[0]; !slices.Equal(b.Totals(), []int{3, 4, 0}) || b.Doubled {
		t.Errorf("%+v", b)
	}
	must(t, a.CountHands("a", []int{0, 5}, 8))
	if b := a.Ballots[0]; !slices.Equal(b.Totals(), []int{3, 5, 0}) || !b.Doubled {
		t.Errorf("nine ratings of eight people: %+v", b)
	}
	must(t, a.ConfirmHands("a"))
	must(t, a.CountHands("a", []int{0, 5}, 8))
	if a.Ballots[0].Doubled {
		t.Error("nine people were confirmed, and are asked about again")
	}
	must(t, a.CountHands("c", []int{0, 6}, 0))
	if b := a.Ballots[1]; b.Number != 2 || b.Element != "c" || a.LastBallot != 2 {
		t.Errorf("a ballot by hands alone: %+v", b)
	}
	must(t, a.CountHands("c", []int{0, 0}, 0))
	if len(a.Ballots) != 1 || a.LastBallot != 2 {
		t.Errorf("hands that were taken back: %+v", a.Ballots)
	}
}

// TestChange keeps what a rating was before, and wants a reason.
func TestChange(t *testing.T) {
	a := meeting()
	if err := a.Change("a", Rating{Level: 1, Reason: "x"}); !errors.Is(err, matrix.ErrNoElement) {
		t.Errorf("nothing to change: %v", err)
	}
	must(t, a.Record("a", Rating{Level: 3, How: AllAgreed, At: at}, nil, 0))
	if err := a.Change("a", Rating{Level: 2, How: AllAgreed}); !errors.Is(err, ErrNoReason) {
		t.Errorf("without a reason: %v", err)
	}
	must(t, a.Finish(map[string]int{"midwife": 6}, nil, at))
	changed := Rating{Level: 2, How: MostAgreed, Reason: "A mistake.", At: at.Add(time.Hour)}
	must(t, a.Change("a", changed))
	old := a.Replaced["a"]
	if a.Ratings["a"] != changed || len(old) != 1 || old[0].Level != 3 {
		t.Errorf("%+v, before %+v", a.Ratings["a"], old)
	}
}

// TestFinish records what is left as not rated, and hides objections of a few people.
func TestFinish(t *testing.T) {
	for people, want := range map[int]int{4: 0, 5: 2} {
		a := meeting()
		must(t, a.Begin("a"))
		must(t, a.Finish(map[string]int{"midwife": people}, map[string]int{"b": 2}, at))
		if a.Stage != Agreed || a.Open != nil || len(a.Undecided()) != 0 || a.Ratings["a"].Level != 0 {
			t.Errorf("%+v", a)
		}
		if a.Objections["b"] != want {
			t.Errorf("%d people: %d objections, want %d", people, a.Objections["b"], want)
		}
		for what, err := range map[string]error{
			"finish": a.Finish(nil, nil, at), "begin": a.Begin("a"), "pause": a.Pause(at),
			"postpone": a.Postpone("a"), "talk about": a.TalkAbout("b"),
			"record": a.Record("a", Rating{Level: 1}, nil, 0), "take": a.TakeConsensus([]string{"b"}, at),
		} {
			if !errors.Is(err, ErrStage) {
				t.Errorf("%s after the end: %v", what, err)
			}
		}
	}
}

// TestUnchangedOnError: a method that fails changes nothing.
func TestUnchangedOnError(t *testing.T) {
	a := meeting()
	must(t, a.Begin("a"))
	before := fmt.Sprintf("%+v %+v", a, *a.Open)
	_ = a.Record("a", Rating{Level: 1, How: AllAgreed}, []int{0, 0, 9}, 0) // a reason is missing
	_ = a.CountHands("c", []int{1}, 0)
	_ = a.Shown(7, nil, 0)
	_ = a.Change("a", Rating{})
	if after := fmt.Sprintf("%+v %+v", a, *a.Open); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
}
