package storetest

import (
	"errors"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/workshop"
)

// A change of the assessment leaves the votes of a ballot that stays open, and deletes those of one
// that does not. An earlier ballot takes no votes.
func ballotReplaced(w *tester) {
	a := w.begin(w.meeting(), "vision")
	w.votes(a, 1, 1, 1, 1, 1)
	w.must(a.TalkAbout("needs"))
	a = w.saved(a)
	w.equal(w.progress(a).Voted, 5)
	a = w.begin(a, "vision")
	w.equal(w.progress(a).Voted, 0)
	w.want(w.tryVote(a, 1, "ana", pressed("old", 0), 1), workshop.ErrNoBallot)
	w.want(second(w.show(a, 1, "old")), workshop.ErrNoBallot)
	w.votes(a, 2, 2, 2, 2)
	w.want(second(w.show(a, 2, "few")), workshop.ErrTooFew)
	w.must(a.Postpone("vision"))
	a = w.saved(a)
	w.equal(w.progress(a).Voted, 0)
	w.want(w.tryVote(a, 2, "ana", pressed("old", 0), 1), workshop.ErrNoBallot)
	a = w.begin(a, "needs")
	w.votes(a, 3, 3, 3, 3, 3)
	w.must(a.Pause(now))
	a = w.saved(a)
	w.want(second(w.show(a, 3, "paused")), workshop.ErrNoBallot)
	w.equal(w.progress(a).Voted, 0)
	w.equal(len(a.Ballots), 0)
}

// A person objects once to the rating of an element, and can take that back.
func objecting(w *tester) {
	a := w.meeting()
	for range 2 {
		w.must(w.object(a, "vision", "ana", true))
	}
	w.must(w.object(a, "vision", "ben", true))
	w.must(w.object(a, "needs", "ana", true))
	w.equal(w.objections(a), map[string]int{"vision": 2, "needs": 1})
	a = w.begin(a, "assets")
	for range 2 {
		w.must(w.object(a, "vision", "ana", false))
	}
	w.equal(w.objections(a), map[string]int{"vision": 1, "needs": 1})
	w.must(second(w.end(a, now)))
	w.want(w.object(a, "vision", "ana", true), workshop.ErrStage)
	w.equal(len(w.objections(a)), 0)
}

// A workshop ends once, with how many people of each role were there and how many objected. Who they
// were is no longer known.
func ending(w *tester) {
	r := w.draft()
	w.must(w.store.CreateRound(w.Context(), r, act(audit.Created)))
	a := w.begin(w.meetingOf(r), "vision")
	for name, role := range map[string]string{
		"ana": "midwife", "ben": "midwife", "cem": "parent", "dai": "midwife", "eve": "health-visitor",
	} {
		w.attend(a, name, role)
		w.vote(a, name, 1)
		w.must(w.object(a, "needs", name, true))
	}
	w.must(w.object(a, "needs", "eve", false))
	a.ExpiresAt = a.ExpiresAt.Add(time.Hour)
	var ended workshop.Assessment
	for range 2 {
		var err error
		ended, err = w.end(a, now.Add(time.Hour+time.Millisecond))
		w.must(err)
	}
	want := a
	attendance := map[string]int{"midwife": 3, "parent": 1, "health-visitor": 1}
	w.must(want.Finish(attendance, map[string]int{"needs": 4}, now.Add(time.Hour)))
	want.Version++
	w.equal(ended, want)
	w.equal(w.assessment(a), want)
	w.want(second(w.end(a, now.Add(2*time.Hour))), survey.ErrChanged)
	w.want(second(w.end(ended, now.Add(2*time.Hour))), workshop.ErrStage)
	w.equal(w.progress(a), survey.WorkshopProgress{})
	w.equal(len(w.objections(a)), 0)
	w.want(w.tryVote(a, 1, "ana", pressed("late", 0), 1), workshop.ErrNoBallot)
	w.want(second(w.show(a, 1, "late")), workshop.ErrNoBallot)
	acts, _ := w.record(r.ID)
	w.equal(acts, []audit.Action{audit.Created, audit.Stage})
}

// Where fewer people than the minimum were there, objections are not kept: they could be traced.
func endingWithFew(w *tester) {
	a := w.meeting()
	for _, name := range []string{"ana", "ben", "cem", "dai"} {
		w.attend(a, name, "midwife")
		w.must(w.object(a, "needs", name, true))
	}
	ended, err := w.end(a, now)
	w.must(err)
	w.equal(ended.Attendance, map[string]int{"midwife": 4})
	w.equal(len(ended.Objections), 0)
	w.equal(w.assessment(a), ended)
}

// Of several coordinators who end a workshop at once, one does.
func endCrowd(w *tester) {
	a := w.meeting()
	w.attend(a, "ana", "midwife")
	var ended [8]bool
	w.each(len(ended), func(i int) {
		_, err := w.end(a, now.Add(time.Duration(i)*time.Second))
		ended[i] = err == nil
		if err != nil && !errors.Is(err, survey.ErrChanged) {
			w.Error(err)
		}
	})
	times := 0
	for _, did := range ended {
		if did {
			times++
		}
	}
	w.equal(times, 1)
	w.equal(w.assessment(a).Attendance, map[string]int{"midwife": 1})
}

// What was shown and ended is there at once, together, and after the next change.
func stepsOneAfterAnother(w *tester) {
	a := w.begin(w.meeting(), "vision")
	w.votes(a, 1, 1, 1, 1, 1)
	w.attend(a, "ana", "midwife")
	shown, err := w.show(a, 1, "show")
	w.must(err)
	ended, err := w.end(shown, now)
	w.must(err)
	w.equal(ended.Ballots, shown.Ballots)
	w.equal(ended.Attendance, map[string]int{"midwife": 1})
	w.equal(w.assessment(a), ended)
	rating := workshop.Rating{Level: 2, How: workshop.AllAgreed, Reason: "r", At: now}
	w.must(ended.Change("vision", rating))
	kept := w.saved(ended)
	ended.Version++
	w.equal(kept, ended)
}

// A person who is forgotten leaves no role, vote or objection behind. What others gave stays, and so
// does the assessment.
func forgetInWorkshop(w *tester) {
	a := w.begin(w.meeting(), "vision")
	id := survey.RoundID(a.Round)
	w.votes(a, 1, 1, 1, 1)
	for _, name := range []string{"ana", "ben"} {
		w.attend(a, name, "midwife")
		w.vote(a, name, 2)
		w.must(w.object(a, "needs", name, true))
		w.must(w.object(a, "assets", name, true))
	}
	for _, found := range []bool{true, false} {
		f, err := w.store.Forget(w.Context(), id, w.person("ana"))
		w.must(err)
		w.equal(f.Attended, found)
	}
	w.equal(w.progress(a), survey.WorkshopProgress{Present: 1, Voted: 5})
	w.equal(w.objections(a), map[string]int{"needs": 1, "assets": 1})
	as, err := w.store.Attendee(w.Context(), id, w.person("ana"))
	w.must(err)
	w.equal(as, workshop.Attendee{})
	w.equal(w.assessment(a), a)
	shown, err := w.show(a, 1, "show")
	w.must(err)
	w.equal(shown.Ballots[0].Counts, []int{4, 1, 0, 0})
	w.must(second(w.store.Forget(w.Context(), id, w.person("ben"))))
	ended, err := w.end(shown, now)
	w.must(err)
	w.equal(len(ended.Attendance)+len(ended.Objections), 0)
}

// With the round everything about persons ends. The assessment is kept as long as it says.
func workshopExpires(w *tester) {
	r, _ := w.expiring()
	a := w.begin(w.meetingOf(r), "vision")
	short := a
	short.Round, short.Version = string(w.open().ID), 0
	short.Area += " short"
	short.ExpiresAt = r.ExpiresAt()
	short = w.saved(short)
	ended := w.meeting()
	ended.ExpiresAt = r.ExpiresAt()
	w.must(second(w.end(ended, now)))
	w.attend(a, "ana", "midwife")
	w.vote(a, "ana", 1)
	w.must(w.object(a, "needs", "ana", true))
	w.Parallel()
	gone := func(a workshop.Assessment) bool {
		_, err := w.store.Assessment(w.Context(), survey.RoundID(a.Round))
		return errors.Is(err, survey.ErrNoAssessment)
	}
	w.eventually("the round is gone", func() bool {
		_, err := w.store.Round(w.Context(), r.ID)
		return errors.Is(err, survey.ErrNoRound)
	})
	w.eventually("the workshop is gone", func() bool {
		return w.progress(a) == survey.WorkshopProgress{} && len(w.objections(a)) == 0
	})
	w.eventually("the other assessments are gone", func() bool { return gone(short) && gone(ended) })
	w.equal(w.assessment(a), a)
	of, err := w.store.Assessments(w.Context(), a.Area)
	w.must(err)
	w.equal(of, []survey.RoundID{r.ID})
	of, err = w.store.Assessments(w.Context(), short.Area)
	w.must(err)
	w.equal(len(of), 0)
	w.want(w.store.SaveAssessment(w.Context(), a, audit.Entry{}), survey.ErrNoRound)
}

// When the closing date is moved, or the round closed, the workshop lives as long as the round.
func workshopMovesExpiry(w *tester) {
	extended, _ := w.expiring()
	closed, _ := w.expiring()
	marker, _ := w.expiring()
	a, b := w.begin(w.meetingOf(extended), "vision"), w.begin(w.meetingOf(closed), "vision")
	for _, a := range []workshop.Assessment{a, b} {
		w.attend(a, "ana", "midwife")
		w.vote(a, "ana", 1)
		w.must(w.object(a, "needs", "ana", true))
	}
	extended.ClosesAt = now.Add(24 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), extended, audit.Entry{}))
	w.must(second(w.store.CloseRound(w.Context(), closed.ID, now, audit.Entry{})))
	w.Parallel()
	w.eventually("the round made last is gone", func() bool {
		_, err := w.store.Round(w.Context(), marker.ID)
		return errors.Is(err, survey.ErrNoRound)
	})
	for _, a := range []workshop.Assessment{a, b} {
		w.equal(w.progress(a), survey.WorkshopProgress{Present: 1, Voted: 1})
		w.equal(w.objections(a), map[string]int{"needs": 1})
		w.must(w.tryVote(a, 1, "ana", pressed("more", 1), 2))
	}
}
