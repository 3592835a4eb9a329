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

// A person has the rounds they were invited to or coordinate, newest first, those they left too.
func roundsOf(w *tester) {
	a, b, _ := w.open(), w.open(), w.open()
	place := w.start(a, "ana")
	w.invite(b.ID, "ana", "ben")
	w.invite(a.ID, "ana")
	w.must(w.store.Withdraw(w.Context(), place))
	for name, want := range map[string][]survey.RoundID{"ana": {b.ID, a.ID}, "ben": {b.ID}, "eve": nil} {
		got, err := w.store.RoundsOf(w.Context(), w.person(name))
		w.must(err)
		w.equal(got, want)
	}
	got, err := w.store.RoundsOf(w.Context(), w.person("cora"))
	w.must(err)
	w.equal(len(got), 3)
	b.Coordinators = append(b.Coordinators, w.person("carl"))
	w.must(w.store.SaveRound(w.Context(), b, audit.Entry{}))
	got, err = w.store.RoundsOf(w.Context(), w.person("carl"))
	w.must(err)
	w.equal(got, []survey.RoundID{b.ID})
}

// A person is invited once, however often; an entry that exists is left as it is.
func inviteOnce(w *tester) {
	r := w.open()
	ana := survey.Member{Person: w.person("ana"), Status: survey.Invited, Role: "midwife", Group: "health"}
	ben := survey.Member{Person: w.person("ben"), Status: survey.Invited}
	added, err := w.store.Invite(w.Context(), r.ID, []survey.Member{ana}, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(added, []survey.Member{ana})
	added, err = w.store.Invite(w.Context(), r.ID, []survey.Member{ana}, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(len(added), 0)
	other := ana
	other.Role = "parent"
	added, err = w.store.Invite(w.Context(), r.ID, []survey.Member{other, ben}, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(added, []survey.Member{ben})
	w.equal(w.roster(r.ID), map[survey.PersonID]survey.Member{ana.Person: ana, ben.Person: ben})
}

// A person named twice in one call is added once, as named first; no status means invited.
func inviteSameTwiceInOne(w *tester) {
	r := w.open()
	first := survey.Member{Person: w.person("ana"), Role: "midwife"}
	people := []survey.Member{first, first, {Person: first.Person, Role: "parent"}}
	added, err := w.store.Invite(w.Context(), r.ID, people, survey.Invitation, time.Now(), nil)
	w.must(err)
	first.Status = survey.Invited
	w.equal(added, []survey.Member{first})
	w.equal(w.participation(r.ID, "ana").Member, first)
}

// An entry in the roster comes back as it was kept, every field of it.
func memberWhole(w *tester) {
	r := w.open()
	w.invite(r.ID, "ana")
	want := survey.Member{
		Person: w.person("ana"), Status: survey.Finished, Language: matrix.Welsh, Role: "midwife", Group: "health",
		Notice: "2", NoticeAt: now, Unreachable: true,
		TimeZone: "Asia/Tokyo", RemindersOff: true,
		RemindOnDate: "2026-12-04", LastRemindedDate: "2026-12-03", LastNudgedDate: "2026-12-02",
	}
	w.allFieldsSet(want)
	place, err := w.store.ChangeMember(w.Context(), w.participation(r.ID, "ana"), now, func(m *survey.Member) error {
		*m = want
		return nil
	})
	w.must(err)
	w.equal(place.Member, want)
	w.equal(w.participation(r.ID, "ana"), place)
	w.equal(w.roster(r.ID), map[survey.PersonID]survey.Member{want.Person: want})
}

// A person who is not in the roster has a participation without a status, which allows nothing.
func notInRoster(w *tester) {
	r := w.open()
	place := w.participation(r.ID, "eve")
	w.equal(place.Member, survey.Member{Person: w.person("eve")})
	w.want(second(w.store.ChangeMember(w.Context(), place, now, starts)), survey.ErrNotTakingPart)
	w.want(w.tryAnswer(place, now, "o1", "vision", 1), survey.ErrNotTakingPart)
	w.want(w.store.Withdraw(w.Context(), place), survey.ErrNotTakingPart)
	w.must(w.store.UpdateContact(w.Context(), r.ID, place.Member.Person, setUnreachable(true)))
	w.equal(len(w.roster(r.ID)), 0)
}

// A change is made to the current entry, not to the one that was read before.
func changeFromStaleParticipation(w *tester) {
	r := w.open()
	w.invite(r.ID, "ana")
	stale := w.participation(r.ID, "ana")
	w.start(r, "ana")
	place, err := w.store.ChangeMember(w.Context(), stale, now, func(m *survey.Member) error {
		m.Language = matrix.Welsh
		return nil
	})
	w.must(err)
	w.equal(place.Member, survey.Member{Person: w.person("ana"), Status: survey.Started, Language: matrix.Welsh})
	w.equal(w.participation(r.ID, "ana").Member, place.Member)
}

// An error of the change is returned, and nothing is kept.
func changeRefused(w *tester) {
	r := w.open()
	w.invite(r.ID, "ana")
	before := w.participation(r.ID, "ana")
	refusal := errors.New("no")
	w.want(second(w.store.ChangeMember(w.Context(), before, now, func(m *survey.Member) error {
		m.Status = survey.Declined
		return refusal
	})), refusal)
	w.equal(w.participation(r.ID, "ana"), before)
}

// Of changes to one entry made at once, none is lost.
func changeCrowd(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if _, err := w.store.ChangeMember(w.Context(), place, now, func(m *survey.Member) error {
				m.Role += fmt.Sprint(i)
				return nil
			}); err != nil {
				w.Error(err)
			}
		})
	}
	wg.Wait()
	letters := strings.Split(w.participation(r.ID, "ana").Member.Role, "")
	slices.Sort(letters)
	w.equal(letters, []string{"0", "1", "2", "3", "4"})
}

// setUnreachable changes whether messages reach a member.
func setUnreachable(unreachable bool) func(*survey.Member) {
	return func(m *survey.Member) { m.Unreachable = unreachable }
}

// Whether messages reach a person can be changed in any state of the round, beside the other
// fields.
func unreachable(w *tester) {
	r := w.open()
	started := w.start(r, "ana").Member
	for _, want := range []bool{true, true, false, true} {
		w.must(w.store.UpdateContact(w.Context(), r.ID, started.Person, setUnreachable(want)))
		started.Unreachable = want
		w.equal(w.participation(r.ID, "ana").Member, started)
	}
	_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	w.must(w.store.UpdateContact(w.Context(), r.ID, started.Person, setUnreachable(false)))
	started.Unreachable = false
	w.equal(w.participation(r.ID, "ana").Member, started)
}

// The response carries the group of the role the person last gave.
func roleGroupFollowsRole(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	w.answer(place, "o1", "vision", 2)
	for _, group := range []string{"health", "council", ""} {
		var err error
		place, err = w.store.ChangeMember(w.Context(), place, now, func(m *survey.Member) error {
			m.Group = group
			return nil
		})
		w.must(err)
		w.equal(w.responses(r.ID), []results.Response{{Group: group, Answers: rated(map[string]matrix.Rating{"vision": 2})}})
	}
}

// Every member of a large roster is visited, once.
func rosterPages(w *tester) {
	const people = 1020
	r := w.open()
	var all []survey.Member
	want := map[survey.PersonID]survey.Member{}
	for i := range people {
		m := survey.Member{Person: w.person(fmt.Sprint(i)), Status: survey.Invited}
		all, want[m.Person] = append(all, m), m
	}
	added, err := w.store.Invite(w.Context(), r.ID, all, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(added, all)
	w.equal(w.roster(r.ID), want)
	stop := errors.New("enough")
	w.want(w.store.Roster(w.Context(), r.ID, func(survey.Member) error { return stop }), stop)
}

// An anonymous roster keeps each person's status and little more; the first turnout stands.
func anonymiseForgets(w *tester) {
	r := w.open()
	ana := w.start(r, "ana")
	ana, err := w.store.ChangeMember(w.Context(), ana, now, func(m *survey.Member) error {
		*m = survey.Member{
			Person: m.Person, Status: survey.Finished, Language: "cy", Role: "midwife", Group: "health",
			Notice: "1", NoticeAt: now, TimeZone: "Asia/Tokyo", RemindersOff: true, RemindOnDate: "2026-12-04",
			LastRemindedDate: "2026-12-03", LastNudgedDate: "2026-12-02",
		}
		return nil
	})
	w.must(err)
	w.invite(r.ID, "ben")
	turnout := results.Turnout{
		Invited: 2, Finished: 1,
		Roles:    []results.RoleCount{{Role: "midwife", Invited: 1, Finished: 1}},
		Unstated: results.RoleCount{Invited: 1},
	}
	w.want(w.store.AnonymiseRoster(w.Context(), r.ID, turnout), survey.ErrStillOpen)
	w.equal(w.roster(r.ID)[ana.Member.Person], ana.Member)
	_, err = w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	w.must(w.store.AnonymiseRoster(w.Context(), r.ID, turnout))
	w.must(w.store.AnonymiseRoster(w.Context(), r.ID, results.Turnout{Invited: 99}))
	w.equal(w.roster(r.ID), map[survey.PersonID]survey.Member{
		w.person("ana"): {
			Person: w.person("ana"), Status: survey.Finished, Notice: "1",
			NoticeAt: now.Truncate(24 * time.Hour), RemindersOff: true,
		},
		w.person("ben"): {Person: w.person("ben"), Status: survey.Invited},
	})
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got.Turnout, &turnout)
	w.equal(got.Anonymised, true)
	w.want(w.store.AnonymiseRoster(w.Context(), "nothing", turnout), survey.ErrNoRound)
}

// Withdrawing erases the response and all of the entry but itself; again, it changes nothing.
func withdrawErases(w *tester) {
	r := w.open()
	ana, ben := w.start(r, "ana"), w.start(r, "ben")
	w.answer(ana, "o1", "vision", 2)
	kept := w.answer(ben, "o1", "vision", 3)
	ana, err := w.store.ChangeMember(w.Context(), ana, now, func(m *survey.Member) error {
		m.Role, m.Group, m.Notice, m.NoticeAt = "midwife", "health", "1", now
		return nil
	})
	w.must(err)
	for range 2 {
		w.must(w.store.Withdraw(w.Context(), ana))
		gone := w.participation(r.ID, "ana")
		w.equal(gone.Member, survey.Member{Person: w.person("ana"), Status: survey.Withdrawn})
		w.equal(len(w.response(gone).Answers), 0)
		w.equal(w.responses(r.ID), []results.Response{kept})
	}
	w.want(w.tryAnswer(ana, now, "o2", "vision", 1), survey.ErrNotTakingPart)
	w.must(w.store.UpdateContact(w.Context(), r.ID, ana.Member.Person, setUnreachable(true)))
	w.equal(w.participation(r.ID, "ana").Member, survey.Member{Person: w.person("ana"), Status: survey.Withdrawn})
	added, err := w.store.Invite(w.Context(), r.ID, w.members("ana"), survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(len(added), 0)
}

// A person who returns after withdrawing begins with an empty response.
func withdrawAndReturn(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	w.answer(place, "o1", "vision", 2)
	w.must(w.store.Withdraw(w.Context(), place))
	place = w.start(r, "ana")
	w.equal(w.answer(place, "o2", "needs", 3).Answers, rated(map[string]matrix.Rating{"needs": 3}))
	w.equal(len(w.responses(r.ID)), 1)
}

// A person who is forgotten in an open round leaves neither entry, response, message nor index
// entry. Other people lose nothing. The person can be invited again, and then starts with no
// answers.
func forgetOpen(w *tester) {
	r, other := w.open(), w.open()
	ctx, ana := w.Context(), w.start(r, "ana")
	w.answer(ana, "o1", "vision", 2)
	kept := w.answer(w.start(r, "ben"), "o1", "vision", 3)
	w.answer(w.start(other, "ana"), "o1", "vision", 1)
	odd := survey.PersonID(string(w.person("ana")) + "*") // a pattern, were it not taken literally
	_, err := w.store.Invite(ctx, r.ID, []survey.Member{{Person: odd}}, survey.Invitation, now, nil)
	w.must(err)
	w.must(w.store.Enqueue(ctx, r.ID, "nudge@2026-12-04", now.Add(time.Hour), []survey.PersonID{ana.Member.Person}))

	f, err := w.store.Forget(ctx, r.ID, odd)
	w.must(err)
	w.equal(f, survey.Forgotten{Invited: true, Messages: 1})
	for _, want := range []survey.Forgotten{{Invited: true, Answers: true, Messages: 2}, {}} {
		f, err := w.store.Forget(ctx, r.ID, ana.Member.Person)
		w.must(err)
		w.equal(f, want)
		w.equal(w.participation(r.ID, "ana").Member, survey.Member{Person: w.person("ana")})
		w.equal(w.responses(r.ID), []results.Response{kept})
		w.equal(len(w.roster(r.ID)), 1)
		of, err := w.store.RoundsOf(ctx, ana.Member.Person)
		w.must(err)
		w.equal(of, []survey.RoundID{other.ID})
	}
	w.equal(len(w.responses(other.ID)), 1)

	again := w.start(r, "ana")
	w.equal(len(w.response(again).Answers), 0)
	of, err := w.store.RoundsOf(ctx, ana.Member.Person)
	w.must(err)
	w.equal(len(of), 2)
}

// In a closed round Forget erases the entry and leaves the response. Anonymising brings no entry
// back.
func forgetClosed(w *tester) {
	r := w.open()
	w.answer(w.start(r, "ana"), "o1", "vision", 2)
	w.start(r, "ben")
	_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	for _, want := range []survey.Forgotten{{Invited: true, Messages: 1}, {}} {
		f, err := w.store.Forget(w.Context(), r.ID, w.person("ana"))
		w.must(err)
		w.equal(f, want)
		w.equal(len(w.roster(r.ID)), 1)
		w.equal(len(w.responses(r.ID)), 2)
	}
	w.must(w.store.AnonymiseRoster(w.Context(), r.ID, results.Turnout{Invited: 2}))
	w.equal(len(w.roster(r.ID)), 1)
}

// An operation that was under way when its person was forgotten brings nothing back.
func forgetInTheMiddle(w *tester) {
	r := w.open()
	ctx, ana := w.Context(), w.start(r, "ana")
	w.answer(ana, "o1", "vision", 2)
	forget := func() {
		_, err := w.store.Forget(ctx, r.ID, ana.Member.Person)
		w.must(err)
	}
	_, err := w.store.ChangeMember(ctx, ana, now, func(m *survey.Member) error {
		m.Status = survey.Finished
		forget()
		return nil
	})
	w.want(err, survey.ErrNotTakingPart)
	w.want(second(w.store.Answer(ctx, ana, now, survey.Operation{ID: "o2", At: now}, "needs", 1)), survey.ErrNotTakingPart)
	detailed := survey.Operation{ID: "o3", At: now}
	_, err = w.store.Detail(ctx, ana, now, detailed, "needs", results.Detail{Note: "x"})
	w.want(err, survey.ErrNotTakingPart)
	w.want(w.store.Withdraw(ctx, ana), survey.ErrNotTakingPart)
	w.must(w.store.UpdateContact(ctx, r.ID, ana.Member.Person, setUnreachable(true)))
	w.equal(len(w.roster(r.ID)), 0)
	w.equal(len(w.responses(r.ID)), 0)
}

// The time zones of a round's people are known without reading its roster.
func zones(w *tester) {
	r := w.open()
	for name, zone := range map[string]string{"ana": "Asia/Tokyo", "ben": "Europe/London", "cem": "Asia/Tokyo"} {
		_, err := w.store.ChangeMember(w.Context(), w.start(r, name), now, func(m *survey.Member) error {
			m.TimeZone = zone
			return nil
		})
		w.must(err)
	}
	names, got, err := w.store.Planned(w.Context(), r.ID)
	w.must(err)
	slices.Sort(got)
	w.equal(got, []string{"Asia/Tokyo", "Europe/London"})
	w.equal(len(names), 0)
}

// Each member of a large roster is visited, at least once.
func scanPages(w *tester) {
	const people = 1020
	r := w.open()
	var members []survey.Member
	for i := range people {
		members = append(members, survey.Member{Person: w.person(fmt.Sprint("p", i)), Status: survey.Invited})
	}
	_, err := w.store.Invite(w.Context(), r.ID, members, "", time.Time{}, nil)
	w.must(err)
	seen := map[survey.PersonID]bool{}
	w.must(w.store.Scan(w.Context(), r.ID, func(m survey.Member) error {
		seen[m.Person] = true
		return nil
	}))
	w.equal(len(seen), people)
	stop := errors.New("stop")
	w.want(w.store.Scan(w.Context(), r.ID, func(survey.Member) error { return stop }), stop)
}
