package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// An answer is kept, and the whole response comes back.
func answer(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	w.equal(w.response(place), results.Response{Answers: rated(nil)})
	w.equal(w.answer(place, "o1", "vision", 2).Answers, rated(map[string]matrix.Rating{"vision": 2}))
	want := rated(map[string]matrix.Rating{"vision": 2, "needs": matrix.DontKnow})
	w.equal(w.answer(place, "o2", "needs", matrix.DontKnow).Answers, want)
	w.equal(w.response(place).Answers, want)
	w.equal(w.answer(place, "o3", "vision", matrix.NotApplicable).Answers["vision"].Rating, matrix.NotApplicable)
}

// The same operation twice is one answer, even when the second has another rating.
func answerTwice(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	want := w.answer(place, "o1", "vision", 2)
	w.equal(w.answer(place, "o1", "vision", 2), want)
	w.equal(w.answer(place, "o1", "vision", 4), want)
	w.equal(w.responses(r.ID), []results.Response{want})
}

// An operation that is sent again, its reply lost, does not undo what was answered since.
func answerReplayedAfterNewer(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	w.answer(place, "o1", "vision", 1)
	w.answer(place, "o2", "vision", 2)
	w.answer(place, "o3", "needs", 3)
	newest := w.answer(place, "o4", "vision", 4)
	w.equal(newest.Answers, rated(map[string]matrix.Rating{"vision": 4, "needs": 3}))
	for _, replayed := range []string{"o1", "o2"} {
		w.equal(w.answer(place, replayed, "vision", 1), newest)
		w.equal(w.response(place), newest)
	}
	ben := w.start(r, "ben")
	w.equal(w.answer(ben, "o4", "vision", 1).Answers, rated(map[string]matrix.Rating{"vision": 1}))
}

// One operation, such as a form, may set several things, each once.
func oneOperationManyElements(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	for range 2 {
		w.answer(place, "o1", "vision", 1)
		w.answer(place, "o1", "needs", 2)
		resp, err := w.store.Detail(w.Context(), place, now, survey.Operation{ID: "o1"}, "needs", results.Detail{Note: "n"})
		w.must(err)
		w.equal(resp.Answers, map[string]results.Answer{
			"vision": {Rating: 1}, "needs": {Rating: 2, Detail: results.Detail{Note: "n"}},
		})
	}
}

// A rating that is taken back is gone; the person still takes part, and what they added stays.
func takeBack(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	w.answer(place, "o1", "vision", 2)
	w.equal(w.answer(place, "o2", "vision", matrix.NotAnswered), results.Response{Answers: rated(nil)})
	w.equal(len(w.responses(r.ID)), 1)
	w.answer(place, "o3", "vision", 3)
	_, err := w.store.Detail(w.Context(), place, now, survey.Operation{ID: "o4"}, "vision", results.Detail{Note: "n"})
	w.must(err)
	w.equal(w.answer(place, "o5", "vision", matrix.NotAnswered).Answers,
		map[string]results.Answer{"vision": {Detail: results.Detail{Note: "n"}}})
}

// A detail replaces the one before, beside the rating; an empty one takes it away.
func detail(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	w.answer(place, "o1", "vision", 2)
	for i, d := range []results.Detail{
		{Information: []string{"audit", "survey, local"}, Note: "a note", Barrier: "a barrier"},
		{Note: "another"},
		{Information: []string{"audit"}},
		{},
	} {
		resp, err := w.store.Detail(w.Context(), place, now, survey.Operation{ID: fmt.Sprint("d", i)}, "vision", d)
		w.must(err)
		want := map[string]results.Answer{"vision": {Rating: 2, Detail: d}}
		w.equal(resp.Answers, want)
		w.equal(w.response(place).Answers, want)
	}
}

// Neither does a detail that is sent again.
func detailReplayedAfterNewer(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	var newest results.Response
	for _, note := range []string{"old", "new", "old"} {
		var err error
		op, d := survey.Operation{ID: note}, results.Detail{Note: note}
		newest, err = w.store.Detail(w.Context(), place, now, op, "vision", d)
		w.must(err)
	}
	w.equal(newest.Answers["vision"].Detail.Note, "new")
}

// Free text comes back as it was written.
func freeTextSurvives(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	for i, text := range []string{
		strings.Repeat("ŵ", matrix.MaxNoteRunes), strings.Repeat("👩🏽‍🍼", matrix.MaxNoteRunes/4),
		"one\ntwo\r\n\tthree", "nul \x00 and \x7f", `quotes " ' \ {braces} [[ ]] -- KEYS[1]`,
		"0", " ", "\u202eright to left", "<!everyone> *x* @here",
	} {
		want := results.Detail{Note: text, Barrier: text}
		resp, err := w.store.Detail(w.Context(), place, now, survey.Operation{ID: fmt.Sprint("o", i)}, "vision", want)
		w.must(err)
		w.equal(resp.Answers["vision"].Detail, want)
		w.equal(w.responses(r.ID)[0].Answers["vision"].Detail, want)
	}
}

// An element that cannot be distinguished from what else a response holds is refused.
func oddElement(w *tester) {
	place := w.start(w.open(), "ana")
	for _, element := range []string{"", ".g", ".o", ".n:vision"} {
		w.want(w.tryAnswer(place, now, "o1", element, 1), matrix.ErrNoElement)
		w.want(w.tryDetail(place, now, "o1", element), matrix.ErrNoElement)
	}
	w.equal(w.response(place), results.Response{Answers: rated(nil)})
}

// A person who has not started, or has declined, has no response and cannot answer.
func notTakingPart(w *tester) {
	r := w.open()
	w.invite(r.ID, "ana")
	place := w.participation(r.ID, "ana")
	w.want(w.tryAnswer(place, now, "o1", "vision", 1), survey.ErrNotTakingPart)
	w.want(w.tryDetail(place, now, "o1", "vision"), survey.ErrNotTakingPart)
	place, err := w.store.ChangeMember(w.Context(), place, now, func(m *survey.Member) error {
		m.Status = survey.Declined
		return nil
	})
	w.must(err)
	w.want(w.tryAnswer(place, now, "o1", "vision", 1), survey.ErrNotTakingPart)
	w.equal(len(w.response(place).Answers), 0)
	w.equal(len(w.responses(r.ID)), 0)
}

// In a draft people can be invited, but cannot start or answer.
func draftRefuses(w *tester) {
	r := w.draft()
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	w.invite(r.ID, "ana")
	place := w.participation(r.ID, "ana")
	w.want(second(w.store.ChangeMember(w.Context(), place, now, starts)), survey.ErrNotOpen)
	w.want(w.tryAnswer(place, now, "o1", "vision", 1), survey.ErrNotOpen)
	w.want(w.tryDetail(place, now, "o1", "vision"), survey.ErrNotOpen)
	w.equal(w.participation(r.ID, "ana"), place)
}

// From the closing time on nothing counts, although the round is not closed yet; it may be
// extended.
func lateRefuses(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	want := w.answer(place, "o1", "vision", 2)
	for _, late := range []time.Time{r.ClosesAt, r.ClosesAt.Add(time.Hour)} {
		w.want(w.tryAnswer(place, late, "o2", "vision", 3), survey.ErrClosed)
		w.want(w.tryDetail(place, late, "o3", "vision"), survey.ErrClosed)
		w.want(second(w.store.ChangeMember(w.Context(), place, late, func(m *survey.Member) error {
			m.Status = survey.Finished
			return nil
		})), survey.ErrClosed)
		w.want(second(w.store.ChangeMember(w.Context(), place, late, starts)), survey.ErrClosed)
	}
	w.equal(w.response(place), want)
	w.equal(w.participation(r.ID, "ana").Member, place.Member)
	extended := r
	extended.ClosesAt = r.ClosesAt.Add(2 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), extended, audit.Entry{}))
	_, err := w.store.Answer(w.Context(), place, r.ClosesAt.Add(time.Hour), survey.Operation{ID: "o4"}, "vision", 4)
	w.must(err)
}

// After the close no answer and no entry is changed, and the round stays closed.
func closedRefuses(w *tester) {
	r := w.open()
	want := w.answer(w.start(r, "ana"), "o1", "vision", 2)
	closed, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	place := w.participation(r.ID, "ana")
	w.want(second(w.store.ChangeMember(w.Context(), place, now, starts)), survey.ErrClosed)
	w.want(w.tryAnswer(place, now, "o2", "vision", 3), survey.ErrClosed)
	w.want(w.tryDetail(place, now, "o3", "vision"), survey.ErrClosed)
	w.want(w.store.Withdraw(w.Context(), place), survey.ErrClosed)
	w.want(second(w.store.Response(w.Context(), place)), survey.ErrClosed)
	_, err = w.store.Invite(w.Context(), r.ID, w.members("ben"), survey.Invitation, time.Now(), nil)
	w.want(err, survey.ErrClosed)
	r.Version = closed.Version
	w.want(w.store.SaveRound(w.Context(), r, audit.Entry{}), survey.ErrClosed)
	moved := closed
	moved.Workshop.At = now.Add(48 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), moved, audit.Entry{}))
	w.must(w.store.SaveRound(w.Context(), moved, audit.Entry{})) // its reply was lost
	kept, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	moved.Version++
	w.equal(kept, moved)
	w.want(w.store.SaveRound(w.Context(), closed, audit.Entry{}), survey.ErrChanged)
	w.equal(w.responses(r.ID), []results.Response{want})
	w.equal(len(w.roster(r.ID)), 1)
}

// A participation that was read before the close, with its pseudonym, cannot be used after it.
func participationFromBeforeTheClose(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	want := w.answer(place, "o1", "vision", 2)
	w.invite(r.ID, "ben")
	ben := w.participation(r.ID, "ben")
	_, err := w.store.CloseRound(w.Context(), r.ID, now.Add(time.Minute), audit.Entry{})
	w.must(err)
	w.want(w.tryAnswer(place, now, "o2", "vision", 3), survey.ErrClosed)
	w.want(w.tryDetail(place, now, "o3", "vision"), survey.ErrClosed)
	w.want(second(w.store.ChangeMember(w.Context(), ben, now, starts)), survey.ErrClosed)
	w.want(second(w.store.ChangeMember(w.Context(), place, now, starts)), survey.ErrClosed)
	w.want(w.store.Withdraw(w.Context(), place), survey.ErrClosed)
	w.equal(w.responses(r.ID), []results.Response{want})
}

// Every response of a large round is visited, once, in two rounds side by side.
func responsesPages(w *tester) {
	const people = 520
	r := w.open()
	var all []survey.Member
	for i := range people {
		all = append(all, survey.Member{Person: w.person(fmt.Sprint(i))})
	}
	_, err := w.store.Invite(w.Context(), r.ID, all, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.each(people, func(i int) {
		place, err := w.store.ChangeMember(w.Context(), w.participation(r.ID, fmt.Sprint(i)), now, starts)
		if err == nil {
			_, err = w.store.Answer(w.Context(), place, now, survey.Operation{ID: "o1"}, fmt.Sprint("e", i), 1)
		}
		if err != nil {
			w.Error(err)
		}
	})
	seen := map[string]bool{}
	for _, resp := range w.responses(r.ID) {
		for element := range resp.Answers {
			seen[element] = true
		}
	}
	w.equal(len(seen), people)
	w.equal(len(w.responses(r.ID)), people)
	stop := errors.New("enough")
	w.want(w.store.Responses(w.Context(), r.ID, func(results.Response) error { return stop }), stop)
}

// The order in which responses come is not the one in which people came, and is the same before and
// after the close. With twelve people the two are alike once in 479 million runs.
func responsesUnlinkableOrder(w *tester) {
	r := w.open()
	var came []string
	for i := range 12 {
		element := fmt.Sprint("e", i)
		came = append(came, element)
		w.answer(w.start(r, element), "o1", element, 1)
	}
	order := func() (elements []string) {
		for _, resp := range w.responses(r.ID) {
			for e := range resp.Answers {
				elements = append(elements, e)
			}
		}
		return elements
	}
	before := order()
	if slices.Equal(before, came) {
		w.Error("responses come in the order of their people")
	}
	_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	w.equal(order(), before)
}

// When 200 people start and answer at once, each operation sent twice, nothing is lost or counted
// twice.
func crowd(w *tester) {
	const people = 200
	r := w.open()
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			name := fmt.Sprint("p", i)
			place := w.start(r, name)
			for e := range 3 {
				for range 2 {
					element, rating := fmt.Sprint("e", e), matrix.Rating(1+i%4)
					if err := w.tryAnswer(place, now, fmt.Sprint("o", e), element, rating); err != nil {
						w.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	w.equal(len(w.roster(r.ID)), people)
	counts := map[matrix.Rating]int{}
	for _, resp := range w.responses(r.ID) {
		for _, a := range resp.Answers {
			counts[a.Rating]++
		}
	}
	w.equal(counts, map[matrix.Rating]int{1: 150, 2: 150, 3: 150, 4: 150})
}

// An operation that was made before another and arrives after it changes nothing and is no error.
func lateOperation(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	made := func(id string, second int) survey.Operation {
		return survey.Operation{ID: id, At: now.Add(time.Duration(second) * time.Second)}
	}
	say := func(g survey.Operation, element string, rating matrix.Rating) results.Response {
		resp, err := w.store.Answer(w.Context(), place, now, g, element, rating)
		w.must(err)
		return resp
	}
	say(made("second", 2), "vision", 3)
	w.equal(say(made("first", 1), "vision", 1).Answers, rated(map[string]matrix.Rating{"vision": 3}))
	say(made("first", 1), "needs", 2) // of another element it is the last
	_, err := w.store.Detail(w.Context(), place, now, made("first", 1), "vision", results.Detail{Note: "n"})
	w.must(err)
	w.equal(w.response(place).Answers, map[string]results.Answer{
		"vision": {Rating: 3, Detail: results.Detail{Note: "n"}}, "needs": {Rating: 2},
	})
	say(made("third", 3), "vision", 4)
	say(survey.Operation{ID: "timeless"}, "vision", 1) // without a time: in order of arrival
	w.equal(w.response(place).Answers["vision"].Rating, matrix.Rating(1))
}

// An answer to an open element that was made within DoubleTap of the answer to another is refused,
// and so it is when it is delivered again. Any other is kept: of the same element, of one that was
// answered before, made later, or made earlier.
func tooSoon(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	made := func(id string, after time.Duration) survey.Operation {
		return survey.Operation{ID: id, At: now.Add(after)}
	}
	kept := func(g survey.Operation, element string, rating matrix.Rating) {
		w.Helper()
		resp, err := w.store.Answer(w.Context(), place, now, g, element, rating)
		w.must(err)
		w.equal(resp.Answers[element].Rating, rating)
	}
	refused := func(g survey.Operation, element string, before string) {
		w.Helper()
		resp, err := w.store.Answer(w.Context(), place, now, g, element, 4)
		var soon *survey.TooSoonError
		if !errors.As(err, &soon) || soon.Before != before {
			w.Errorf("answered %s with %v, want it too soon after %s", element, err, before)
		}
		if _, has := resp.Answers[element]; has || resp.Answers[before].Rating == matrix.NotAnswered {
			w.Errorf("beside the refusal comes %v", resp.Answers)
		}
		w.equal(w.response(place).Answers, resp.Answers)
	}
	kept(made("a1", 0), "vision", 1)
	refused(made("a2", 400*time.Millisecond), "needs", "vision")
	refused(made("a2", 400*time.Millisecond), "needs", "vision")
	kept(made("a3", 500*time.Millisecond), "vision", 2) // the person corrects themselves
	refused(made("a4", 500*time.Millisecond+survey.DoubleTap-time.Microsecond), "needs", "vision")
	kept(made("a5", 500*time.Millisecond+survey.DoubleTap), "needs", 3)
	refused(made("a6", 2100*time.Millisecond), "outcomes", "needs")
	kept(made("a7", 2200*time.Millisecond), "vision", 4) // it was answered before
	kept(made("a8", 5*time.Second), "assets", 4)
	refused(made("a6", 2100*time.Millisecond), "outcomes", "assets") // a known operation of which nothing was kept
	kept(made("a9", time.Second), "leadership", 1)                   // it was made before the last, and arrives after it
	kept(survey.Operation{ID: "a10"}, "quality", 1)                  // without a time every answer counts
	kept(made("a11", 20*time.Second), "workforce", 1)
	kept(made("a12", 30*time.Second), "resources", 1)
	refused(made("a13", 20400*time.Millisecond), "experience", "workforce") // it arrives after a later answer
	kept(made("a14", 20*time.Second+survey.DoubleTap), "experience", 1)
	detailed := made("d1", 2200*time.Millisecond)
	_, err := w.store.Detail(w.Context(), place, now, detailed, "needs", results.Detail{Note: "n"})
	w.must(err)
	// Other people are not concerned.
	place = w.start(r, "ben")
	kept(made("b1", 2200*time.Millisecond), "needs", 1)
}

// Current notices a change of the response and of the entry, and none where there is none.
func current(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	is := func(place survey.Participation, resp results.Response, want bool) {
		w.Helper()
		same, err := w.store.Current(w.Context(), place, resp)
		w.must(err)
		if same != want {
			w.Errorf("current is %v, want %v", same, want)
		}
	}
	empty := w.versioned(place)
	is(place, empty, true)
	w.answer(place, "o1", "vision", 1)
	first := w.versioned(place)
	is(place, empty, false)
	is(place, results.Response{}, true) // which was not read
	is(place, first, true)
	w.answer(place, "o1", "vision", 1) // delivered again
	is(place, first, true)
	_, err := w.store.Detail(w.Context(), place, now, survey.Operation{ID: "o2"}, "vision", results.Detail{Note: "n"})
	w.must(err)
	is(place, first, false)
	latest := w.versioned(place)
	is(place, latest, true)
	_, err = w.store.ChangeMember(w.Context(), place, now, func(m *survey.Member) error {
		m.Language = matrix.Welsh
		return nil
	})
	w.must(err)
	is(place, latest, false)
	place = w.participation(r.ID, "ana")
	is(place, latest, true)
	w.must(w.store.Withdraw(w.Context(), place))
	is(place, latest, false)
}
