package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// due counts the messages that are due.
func (w *tester) due(at time.Time) int {
	w.Helper()
	n, err := w.store.Due(w.Context(), at)
	w.must(err)
	return n
}

// lease leases everything that is due, and returns the messages of these rounds.
func (w *tester) lease(at time.Time, rounds ...survey.Round) []survey.Delivery {
	w.Helper()
	all, err := w.store.Lease(w.Context(), at, at.Add(time.Minute), 1000)
	w.must(err)
	all = slices.DeleteFunc(all, func(d survey.Delivery) bool {
		return !slices.ContainsFunc(rounds, func(r survey.Round) bool { return r.ID == d.Round })
	})
	slices.SortFunc(all, func(a, b survey.Delivery) int {
		return cmp.Or(
			cmp.Compare(a.Round, b.Round), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Person, b.Person),
		)
	})
	return all
}

// An invited person gets one invitation in the queue. A person who was in the roster before gets
// none.
func enqueuedOnce(w *tester) {
	r := w.open()
	people := w.members("ana", "ben", "cem")
	ana, ben, cem := people[0], people[1], people[2]
	before := w.due(now) // of other laws
	_, err := w.store.Invite(w.Context(), r.ID, []survey.Member{cem}, "", time.Time{}, nil)
	w.must(err)
	for range 2 {
		_, err = w.store.Invite(w.Context(), r.ID, []survey.Member{ana, ben, cem}, survey.Invitation, now, nil)
		w.must(err)
	}
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Invitation, now.Add(-time.Hour), []survey.PersonID{ana.Person}))
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Nudge, now.Add(time.Hour), []survey.PersonID{ana.Person}))
	w.equal(len(w.lease(now.Add(-time.Second), r)), 0)
	w.equal(w.due(now)-before, 2)
	invitations := []survey.Delivery{
		{Round: r.ID, Person: ana.Person, Kind: survey.Invitation},
		{Round: r.ID, Person: ben.Person, Kind: survey.Invitation},
	}
	w.equal(w.lease(now, r), invitations)
	w.equal(w.due(now), 0) // they are leased
	for _, d := range invitations {
		w.must(w.store.Ack(w.Context(), d))
		w.must(w.store.Ack(w.Context(), d))
	}
	w.equal(w.lease(now.Add(time.Hour), r), []survey.Delivery{{Round: r.ID, Person: ana.Person, Kind: survey.Nudge}})
	w.want(w.store.Enqueue(w.Context(), w.draft().ID, survey.Nudge, now, []survey.PersonID{ana.Person}), survey.ErrNoRound)
}

// Of many that lease at once, one gets each message.
func leasedOnce(w *tester) {
	r := w.open()
	var people []survey.PersonID
	for i := range 100 {
		people = append(people, w.person(fmt.Sprint("p", i)))
	}
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Nudge, now, people))
	var mu sync.Mutex
	got := map[survey.PersonID]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				some, err := w.store.Lease(w.Context(), now, now.Add(time.Hour), 7)
				if err != nil {
					w.Error(err)
				}
				if len(some) == 0 || len(some) > 7 {
					return
				}
				mu.Lock()
				for _, d := range some {
					if d.Round == r.ID {
						got[d.Person]++
					}
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	w.equal(len(got), len(people))
	for person, n := range got {
		if n != 1 {
			w.Errorf("%s was leased %d times", person, n)
		}
	}
}

// A message that was leased and not acknowledged is leased again, but not before the lease ends.
func leaseEnds(w *tester) {
	r := w.open()
	w.invite(r.ID, "ana")
	at := time.Now()
	want := []survey.Delivery{{Round: r.ID, Person: w.person("ana"), Kind: survey.Invitation}}
	w.equal(w.lease(at, r), want)
	w.equal(len(w.lease(at.Add(58*time.Second), r)), 0)
	w.equal(w.lease(at.Add(61*time.Second), r), want)
}

// A rescheduled message is due at its new time; one that was acknowledged does not come back.
func rescheduled(w *tester) {
	r := w.open()
	w.invite(r.ID, "ana", "ben")
	at := time.Now()
	taken := w.lease(at, r)
	w.equal(len(taken), 2)
	w.must(w.store.Ack(w.Context(), taken[1]))
	for _, d := range taken {
		w.must(w.store.Reschedule(w.Context(), d, at.Add(10*time.Second)))
	}
	w.equal(len(w.lease(at.Add(5*time.Second), r)), 0)
	w.equal(w.lease(at.Add(11*time.Second), r), taken[:1])
}

// A round with very much to send leaves room for the others.
func largeRoundDelaysNone(w *tester) {
	large, small := w.open(), w.open()
	var people []survey.PersonID
	for i := range 300 {
		people = append(people, w.person(fmt.Sprint("p", i)))
	}
	w.must(w.store.Enqueue(w.Context(), large.ID, survey.Nudge, now.Add(-time.Hour), people))
	w.must(w.store.Enqueue(w.Context(), small.ID, survey.Nudge, now, []survey.PersonID{w.person("ana")}))
	some, err := w.store.Lease(w.Context(), now, now.Add(time.Hour), 50)
	w.must(err)
	want := survey.Delivery{Round: small.ID, Person: w.person("ana"), Kind: survey.Nudge}
	if !slices.Contains(some, want) || len(some) > 50 {
		w.Errorf("the small round's message is not among the %d leased", len(some))
	}
}

// A new message does not wait until everything that was due before it was leased.
func backlogDelaysNone(w *tester) {
	r := w.open()
	var people []survey.PersonID
	for i := range 100 {
		people = append(people, w.person(fmt.Sprint("p", i)))
	}
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Nudge, now.Add(-time.Hour), people))
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Invitation, now, []survey.PersonID{w.person("ana")}))
	some, err := w.store.Lease(w.Context(), now, now.Add(time.Hour), 10)
	w.must(err)
	w.equal(len(some), 10)
	if !slices.ContainsFunc(some, func(d survey.Delivery) bool { return d.Kind == survey.Invitation }) {
		w.Errorf("the latest was not among %v", some)
	}
}

// A post is planned once, even after it was acknowledged. Names that were marked are beside it.
func plannedOnce(w *tester) {
	r := w.open()
	digest := survey.Digest.On("2026-12-04")
	for range 2 {
		w.must(w.store.Plan(w.Context(), r.ID, digest, now))
	}
	const tokyo, london = "closes@2026-12-04 Asia/Tokyo", "closes@2026-12-04 Europe/London"
	w.must(w.store.MarkPlanned(w.Context(), r.ID, []string{tokyo, london}))
	w.must(w.store.MarkPlanned(w.Context(), r.ID, nil))
	post := survey.Delivery{Round: r.ID, Kind: digest}
	w.equal(w.lease(now, r), []survey.Delivery{post})
	w.must(w.store.Ack(w.Context(), post))
	w.must(w.store.Plan(w.Context(), r.ID, digest, now))
	w.equal(len(w.lease(now.Add(time.Hour), r)), 0)
	names, _, err := w.store.Planned(w.Context(), r.ID)
	w.must(err)
	w.equal(names, map[string]bool{string(digest): true, tokyo: true, london: true})
	missing := w.draft().ID
	w.want(w.store.Plan(w.Context(), missing, digest, now), survey.ErrNoRound)
	w.want(w.store.MarkPlanned(w.Context(), missing, []string{"x"}), survey.ErrNoRound)
}

// plans returns which of the rounds are visited to be planned at a time, each of which is next due
// at another.
func (w *tester) plans(now, next time.Time, ours ...survey.Round) []survey.RoundID {
	w.Helper()
	var mu sync.Mutex
	var all []survey.RoundID
	w.must(w.store.EachToPlan(w.Context(), now, func(r survey.Round) (time.Time, error) {
		mu.Lock()
		defer mu.Unlock()
		if slices.ContainsFunc(ours, func(o survey.Round) bool { return o.ID == r.ID }) {
			all = append(all, r.ID)
			return next, nil
		}
		return time.Time{}, nil
	}))
	slices.Sort(all)
	return all
}

// A round is visited when it is due, and as long as its visit fails, and never again when nothing
// is next.
func planWhatIsDue(w *tester) {
	r, none := w.open(), []survey.RoundID(nil)
	due := []survey.RoundID{r.ID}
	later := now.Add(time.Hour)
	var fails atomic.Int32
	w.must(w.store.EachToPlan(w.Context(), now, func(survey.Round) (time.Time, error) {
		fails.Add(1)
		return later, errors.New("fails")
	}))
	w.equal(fails.Load() > 0, true)
	w.equal(w.plans(now, later, r), due)
	w.equal(w.plans(later.Add(-time.Second), later, r), none)
	w.equal(w.plans(later, time.Time{}, r), due)
	w.equal(w.plans(later.AddDate(1, 0, 0), later, r), none)
	w.want(w.store.EachToPlan(w.Context(), later, func(survey.Round) (time.Time, error) {
		w.Error("visited")
		return later, nil
	}), nil)
}

// A round that has changed is visited, also when it changes while it is visited.
func planWhatHasChanged(w *tester) {
	r := w.open()
	never := now.AddDate(1, 0, 0)
	w.plans(now, never, r)
	changed := func(what string) {
		w.Helper()
		if got := w.plans(now, never, r); !slices.Equal(got, []survey.RoundID{r.ID}) {
			w.Errorf("%s: visited %v", what, got)
		}
		if got := w.plans(now, never, r); len(got) > 0 {
			w.Errorf("%s: visited again", what)
		}
	}
	save := func() {
		r.ClosesAt = r.ClosesAt.Add(time.Hour)
		w.must(w.store.SaveRound(w.Context(), r, audit.Entry{}))
		r.Version++
	}
	save()
	changed("saved")
	save()
	w.must(w.store.EachToPlan(w.Context(), now, func(visited survey.Round) (time.Time, error) {
		if visited.ID == r.ID {
			save()
		}
		return never, nil
	}))
	changed("saved while it was visited")
	place := w.start(r, "ana")
	w.plans(now, never, r)
	_, err := w.store.ChangeMember(w.Context(), place, now, func(m *survey.Member) error {
		m.TimeZone = "Asia/Tokyo"
		return nil
	})
	w.must(err)
	changed("a time zone is new")
	_, err = w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	changed("closed")
}

// Every round can be had visited, whenever it is due.
func planAll(w *tester) {
	r, never := w.open(), now.AddDate(1, 0, 0)
	draft := w.draft()
	w.must(w.store.CreateRound(w.Context(), draft, audit.Entry{}))
	w.plans(now, never, r)
	w.plans(now, time.Time{}, draft)
	w.must(w.store.PlanAll(w.Context()))
	w.equal(len(w.plans(now, never, r, draft)), 2)
	w.equal(len(w.plans(now, never, r, draft)), 0)
}
