package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

// meeting keeps an open round with a workshop that goes on, and returns its assessment.
func (w *tester) meeting() workshop.Assessment {
	w.Helper()
	return w.meetingOf(w.open())
}

// meetingOf starts the workshop of a round.
func (w *tester) meetingOf(r survey.Round) workshop.Assessment {
	w.Helper()
	a := workshop.Assessment{
		Round: string(r.ID), Stage: workshop.Meeting, Area: "Ashford " + w.name,
		Matrix: r.Matrix, Levels: 4, MinGroup: 5, Consensus: r.Consensus,
		Agenda:    []string{"vision", "needs", "assets"},
		StartedAt: now, ExpiresAt: now.AddDate(6, 0, 0),
	}
	return w.saved(a)
}

// saved saves an assessment and returns it as it is then kept.
func (w *tester) saved(a workshop.Assessment) workshop.Assessment {
	w.Helper()
	w.must(w.store.SaveAssessment(w.Context(), a, audit.Entry{}))
	return w.assessment(a)
}

// assessment returns what is now kept of an assessment.
func (w *tester) assessment(a workshop.Assessment) workshop.Assessment {
	w.Helper()
	kept, err := w.store.Assessment(w.Context(), survey.RoundID(a.Round))
	w.must(err)
	return kept
}

// begin opens a ballot on an element.
func (w *tester) begin(a workshop.Assessment, element string) workshop.Assessment {
	w.Helper()
	w.must(a.Begin(element))
	return w.saved(a)
}

// pressed is an operation that was made some seconds after now.
func pressed(id string, seconds int) survey.Operation {
	return survey.Operation{ID: id, At: now.Add(time.Duration(seconds) * time.Second)}
}

// tryVote returns the error of a vote in a ballot.
func (w *tester) tryVote(
	a workshop.Assessment, ballot int, name string, op survey.Operation, rating matrix.Rating,
) error {
	return w.store.Vote(w.Context(), survey.RoundID(a.Round), ballot, w.person(name), op, rating)
}

// vote gives a rating in the open ballot, by an operation of its own.
func (w *tester) vote(a workshop.Assessment, name string, rating matrix.Rating) {
	w.Helper()
	op := pressed(fmt.Sprint(name, a.Open.Number), 0)
	w.must(w.tryVote(a, a.Open.Number, name, op, rating))
}

// votes gives ratings of as many people.
func (w *tester) votes(a workshop.Assessment, ratings ...matrix.Rating) {
	w.Helper()
	for i, rating := range ratings {
		w.vote(a, fmt.Sprint("p", i), rating)
	}
}

// show shows a ballot by an operation.
func (w *tester) show(
	a workshop.Assessment, ballot int, operation string,
) (workshop.Assessment, error) {
	op := survey.Operation{ID: operation}
	return w.store.ShowBallot(w.Context(), a, ballot, op, act(audit.Shown))
}

// progress returns how many people are there, and how many have voted.
func (w *tester) progress(a workshop.Assessment) survey.WorkshopProgress {
	w.Helper()
	p, err := w.store.WorkshopProgress(w.Context(), survey.RoundID(a.Round))
	w.must(err)
	return p
}

// attend gives a person's role.
func (w *tester) attend(a workshop.Assessment, name, role string) {
	w.Helper()
	as := workshop.Attendee{Role: role, Language: matrix.Welsh}
	w.must(w.store.Attend(w.Context(), survey.RoundID(a.Round), w.person(name), as))
}

// object keeps or takes back an objection.
func (w *tester) object(a workshop.Assessment, element, name string, objects bool) error {
	return w.store.Object(w.Context(), survey.RoundID(a.Round), element, w.person(name), objects)
}

// objections counts the objections.
func (w *tester) objections(a workshop.Assessment) map[string]int {
	w.Helper()
	n, err := w.store.Objections(w.Context(), survey.RoundID(a.Round))
	w.must(err)
	return n
}

// end ends the workshop.
func (w *tester) end(a workshop.Assessment, at time.Time) (workshop.Assessment, error) {
	return w.store.EndWorkshop(w.Context(), a, at, act(audit.Stage))
}

// An assessment comes back as it was kept, every field of it.
func assessmentWhole(w *tester) {
	r := w.open()
	_, err := w.store.Assessment(w.Context(), r.ID)
	w.want(err, survey.ErrNoAssessment)
	rating := workshop.Rating{
		Level: 2, How: workshop.MostAgreed, Reason: "ŵ\"<&>\n", Others: "=1", At: now,
	}
	a := workshop.Assessment{
		Round: string(r.ID), Stage: workshop.Meeting, Area: "Ynys Môn \"<&>\"", Matrix: "wales",
		MatrixVersion: 2, Levels: 4, MinGroup: 5,
		Consensus: results.Consensus{Percent: 70, AllowFarMinority: true},
		Surveyed:  12, Survey: map[string][]int{"vision": {0, 5, 6, 0}}, Agenda: []string{"vision", "needs"},
		Postponed: []string{"needs"}, Discuss: []string{"vision"},
		Open: &workshop.OpenBallot{Number: 3, Element: "needs"},
		Ballots: []workshop.Ballot{{
			Number: 2, Element: "vision", Counts: []int{1, 4}, DontKnow: 2, Hands: []int{0, 9}, Doubled: true,
		}},
		Confirmed: 11, LastBallot: 3, Ratings: map[string]workshop.Rating{"vision": rating},
		Replaced:   map[string][]workshop.Rating{"vision": {{Level: 1, How: workshop.BySurvey, At: now}}},
		Previous:   map[string]workshop.Rating{"vision": rating},
		PreviousAt: now.AddDate(-1, 0, 0), ExpiresAt: now.AddDate(6, 0, 0),
		StartedAt: now, PausedAt: now.Add(time.Minute), FinishedAt: now.Add(time.Hour),
		Attendance: map[string]int{"midwife": 3}, Objections: map[string]int{},
	}
	w.must(w.store.SaveAssessment(w.Context(), a, audit.Entry{}))
	a.Version = 1
	w.allFieldsSet(a)
	w.allFieldsSet(a.Ballots[0])
	w.allFieldsSet(rating)
	w.equal(w.assessment(a), a)
}

// A change made from an older version is refused and changes nothing, whatever changed the
// assessment meanwhile.
func assessmentStale(w *tester) {
	r := w.draft()
	w.must(w.store.CreateRound(w.Context(), r, act(audit.Created)))
	a := w.begin(w.meetingOf(r), "vision")
	unsaved := a
	unsaved.Version = 0
	w.want(w.store.SaveAssessment(w.Context(), unsaved, audit.Entry{}), survey.ErrChanged)
	w.votes(a, 1, 1, 2, 2, 2)
	shown, err := w.show(a, 1, "show")
	w.must(err)
	stale := a
	w.must(stale.TalkAbout("needs"))
	w.want(w.store.SaveAssessment(w.Context(), stale, act(audit.Rated)), survey.ErrChanged)
	w.want(second(w.end(stale, now)), survey.ErrChanged)
	w.equal(w.assessment(a), shown)
	ended, err := w.end(shown, now)
	w.must(err)
	w.want(w.store.SaveAssessment(w.Context(), shown, act(audit.Rated)), survey.ErrChanged)
	w.equal(w.assessment(a), ended)
	acts, _ := w.record(r.ID)
	w.equal(acts, []audit.Action{audit.Created, audit.Shown, audit.Stage})
	other := w.meeting()
	other.Round = string(w.open().ID)
	w.want(w.store.SaveAssessment(w.Context(), other, audit.Entry{}), survey.ErrChanged) // there is none
}

// The same change again, its reply lost, is made once.
func assessmentReplayed(w *tester) {
	r := w.draft()
	w.must(w.store.CreateRound(w.Context(), r, act(audit.Created)))
	a := w.meetingOf(r)
	w.must(a.Begin("vision"))
	for range 2 {
		w.must(w.store.SaveAssessment(w.Context(), a, act(audit.Stage)))
	}
	kept := w.assessment(a)
	w.equal(kept.Version, a.Version+1)
	w.votes(kept, 1, 2, 3)
	w.must(w.store.SaveAssessment(w.Context(), a, act(audit.Stage)))
	w.equal(w.progress(a).Voted, 3)
	acts, _ := w.record(r.ID)
	w.equal(acts, []audit.Action{audit.Created, audit.Stage})
}

// Without the round, or without an assessment, nothing is kept.
func workshopMissing(w *tester) {
	gone := w.meeting()
	gone.Round += "x"
	gone.Version = 0
	none := gone
	none.Round = string(w.open().ID)
	w.want(w.store.SaveAssessment(w.Context(), gone, audit.Entry{}), survey.ErrNoRound)
	as := workshop.Attendee{Role: "midwife"}
	for a, want := range map[*workshop.Assessment]error{
		&gone: survey.ErrNoRound, &none: survey.ErrNoAssessment,
	} {
		id := survey.RoundID(a.Round)
		w.want(second(w.store.Assessment(w.Context(), id)), survey.ErrNoAssessment)
		w.want(w.store.Attend(w.Context(), id, w.person("ana"), as), want)
		w.want(w.object(*a, "vision", "ana", true), want)
		w.want(second(w.show(*a, 1, "show")), want)
		w.want(second(w.end(*a, now)), want)
		w.want(w.tryVote(*a, 1, "ana", pressed("o", 0), 1), workshop.ErrNoBallot)
		w.equal(w.progress(*a), survey.WorkshopProgress{})
		w.equal(len(w.objections(*a)), 0)
	}
}

// Nothing but EndWorkshop finishes a workshop, since it is what deletes who was there, and a
// finished one stays finished.
func savingNeverFinishes(w *tester) {
	a := w.meeting()
	finished := a
	w.must(finished.Finish(nil, nil, now))
	w.want(w.store.SaveAssessment(w.Context(), finished, audit.Entry{}), workshop.ErrStage)
	w.equal(w.assessment(a), a)
	ended, err := w.end(a, now)
	w.must(err)
	reopened := ended
	reopened.Stage = workshop.Meeting
	w.want(w.store.SaveAssessment(w.Context(), reopened, audit.Entry{}), workshop.ErrStage)
	w.must(ended.Change("vision", workshop.Rating{Level: 2, How: workshop.AllAgreed, Reason: "r", At: now}))
	kept := w.saved(ended)
	ended.Version++
	w.equal(kept, ended)
	w.want(second(w.end(kept, now)), workshop.ErrStage)
}

// An area has its assessments, the one that was started last first, however its name is written.
func assessmentsOfArea(w *tester) {
	earlier, later, other := w.meeting(), w.open(), w.open()
	of := func(area string, want ...survey.RoundID) {
		w.Helper()
		got, err := w.store.Assessments(w.Context(), area)
		w.must(err)
		w.equal(got, want)
	}
	area := "Y Fro'r {" + w.name + "}"
	of(area)
	earlier.Area = area
	earlier = w.saved(earlier)
	a := earlier
	a.Round, a.Version, a.StartedAt, a.Area = string(later.ID), 0, now.Add(time.Second), "y FRO’R  {"+w.name+"} "
	w.saved(a)
	a.Round, a.Area = string(other.ID), area+"2"
	w.saved(a)
	of(area, later.ID, survey.RoundID(earlier.Round))
	of(area+"2", other.ID)
	earlier.Area = area + "2"
	w.saved(earlier)
	of(area, later.ID)
	of(area+"2", other.ID, survey.RoundID(earlier.Round))
}

// What a person says of themselves is kept, and can be changed, until the workshop ends.
func attending(w *tester) {
	a := w.meeting()
	id, ctx, ana := survey.RoundID(a.Round), w.Context(), w.person("ana")
	is := func(want workshop.Attendee, present int) {
		w.Helper()
		got, err := w.store.Attendee(ctx, id, ana)
		w.must(err)
		w.equal(got, want)
		w.equal(w.progress(a).Present, present)
	}
	is(workshop.Attendee{}, 0)
	for _, as := range []workshop.Attendee{
		{Role: "midwife", Language: matrix.Welsh}, {Role: "parent", Language: matrix.English}, {Role: "none"},
	} {
		w.must(w.store.Attend(ctx, id, ana, as))
		is(as, 1)
	}
	w.attend(a, "ben", "parent")
	is(workshop.Attendee{Role: "none"}, 2)
	w.must(second(w.end(a, now)))
	w.want(w.store.Attend(ctx, id, ana, workshop.Attendee{Role: "midwife"}), workshop.ErrStage)
	is(workshop.Attendee{}, 0)
}

// A person has one vote in a ballot. Only the open ballot takes votes.
func voting(w *tester) {
	a := w.meeting()
	w.want(w.tryVote(a, 1, "ana", pressed("o", 0), 1), workshop.ErrNoBallot)
	a = w.begin(a, "vision")
	for _, odd := range []matrix.Rating{matrix.NotAnswered, matrix.NotApplicable, 1000} {
		w.want(w.tryVote(a, 1, "ana", pressed("o", 0), odd), matrix.ErrNoRating)
	}
	for _, other := range []int{0, 2, -1} {
		w.want(w.tryVote(a, other, "ana", pressed("o", 0), 1), workshop.ErrNoBallot)
	}
	w.votes(a, 1, 1, 1, 3, 3, matrix.DontKnow)
	w.must(w.tryVote(a, 1, "p0", pressed("again", 1), 3))
	w.must(w.tryVote(a, 1, "p1", pressed("again", 1), matrix.DontKnow))
	w.must(w.tryVote(a, 1, "p5", pressed("again", 1), 4))
	w.equal(w.progress(a).Voted, 6)
	shown, err := w.show(a, 1, "show")
	w.must(err)
	w.equal(shown.Ballots, []workshop.Ballot{
		{Number: 1, Element: "vision", Counts: []int{1, 0, 3, 1}, DontKnow: 1},
	})
}

// The vote that a person made last counts, in whatever order votes arrive. Votes without a time count
// in the order of arrival.
func lateVote(w *tester) {
	a := w.begin(w.meeting(), "vision")
	w.votes(a, 1, 1, 1, 1)
	arrive := func(op survey.Operation, rating matrix.Rating) {
		w.Helper()
		w.must(w.tryVote(a, 1, "ana", op, rating))
	}
	arrive(pressed("second", 2), 2)
	arrive(pressed("first", 1), 4)
	arrive(survey.Operation{ID: "third", At: now.Add(2*time.Second + time.Microsecond)}, 3)
	arrive(pressed("second", 2), 2) // delivered again
	w.vote(a, "ben", 1)
	w.must(w.tryVote(a, 1, "ben", survey.Operation{ID: "timeless"}, 4))
	w.must(w.tryVote(a, 1, "ben", pressed("earlier", -1), 2))
	shown, err := w.show(a, 1, "show")
	w.must(err)
	w.equal(shown.Ballots[0].Counts, []int{4, 0, 1, 1})
}

// A ballot is shown from the minimum on, once, with one audit entry. The same operation again returns
// the same, also after later changes; another is refused.
func showing(w *tester) {
	r := w.draft()
	w.must(w.store.CreateRound(w.Context(), r, act(audit.Created)))
	a := w.begin(w.meetingOf(r), "vision")
	w.votes(a, 1, 2, 2, 3, matrix.DontKnow, matrix.DontKnow)
	w.want(second(w.show(a, 1, "early")), workshop.ErrTooFew)
	w.want(second(w.show(a, 2, "other")), workshop.ErrNoBallot)
	w.equal(w.assessment(a), a)
	w.equal(w.progress(a).Voted, 6)
	w.vote(a, "ana", 4)
	shown, err := w.show(a, 1, "show")
	w.must(err)
	want := a
	want.Version++
	w.must(want.Shown(1, []int{1, 2, 1, 1}, 2))
	w.equal(shown, want)
	w.equal(w.assessment(a), want)
	w.equal(w.progress(a).Voted, 0)
	again, err := w.show(a, 1, "show")
	w.must(err)
	w.equal(again, want)
	w.want(second(w.show(a, 1, "other")), workshop.ErrNoBallot)
	w.want(w.tryVote(a, 1, "ben", pressed("late", 0), 1), workshop.ErrNoBallot)

	next := w.begin(shown, "needs")
	want.Version++
	w.must(want.Begin("needs"))
	w.equal(next, want)
	again, err = w.show(next, 1, "show")
	w.must(err)
	w.equal(again, want)
	acts, _ := w.record(r.ID)
	w.equal(acts, []audit.Action{audit.Created, audit.Shown})
}

// A vote that was counted is not refused when it is sent again after the ballot was shown.
func countedVoteAgain(w *tester) {
	a := w.begin(w.meeting(), "vision")
	w.votes(a, 1, 1, 1, 1)
	last := pressed("last", 1)
	w.must(w.tryVote(a, 1, "ana", last, 2))
	shown, err := w.show(a, 1, "show")
	w.must(err)
	w.must(w.tryVote(a, 1, "ana", last, 2))
	w.want(w.tryVote(a, 1, "ana", pressed("new", 2), 2), workshop.ErrNoBallot)
	w.equal(w.assessment(a), shown)
	next := w.begin(shown, "vision")
	w.must(w.tryVote(a, 1, "ana", last, 2))
	w.equal(w.progress(next).Voted, 0)
}

// Of several coordinators who show a ballot at once, one does. Each vote is counted or refused.
func showCrowd(w *tester) {
	a := w.begin(w.meeting(), "vision")
	w.votes(a, 1, 1, 1, 1, 1)
	var shown, refused atomic.Int64
	w.each(60, func(i int) {
		if i%10 == 9 {
			switch _, err := w.show(a, 1, fmt.Sprint("show", i)); {
			case err == nil:
				shown.Add(1)
			case !errors.Is(err, workshop.ErrNoBallot):
				w.Error(err)
			}
			return
		}
		err := w.tryVote(a, 1, fmt.Sprint("crowd", i), pressed(fmt.Sprint("crowd", i), 0), 2)
		if errors.Is(err, workshop.ErrNoBallot) {
			refused.Add(1)
		} else if err != nil {
			w.Error(err)
		}
	})
	w.equal(shown.Load(), int64(1))
	counted := int64(workshop.Sum(w.assessment(a).Ballots[0].Counts)) - 5
	w.equal(counted+refused.Load(), int64(54))
}
