package storetest

import (
	"errors"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// A round comes back as it was kept, every field of it.
func roundWhole(w *tester) {
	r := w.draft()
	r.Version, r.State = 3, survey.Open
	r.Area, r.Languages = "Ynys Môn \"<&>\"", []matrix.Lang{matrix.Welsh, matrix.English}
	r.Workshop = survey.Workshop{At: now.Add(20 * 24 * time.Hour), Place: "Neuadd y Dref"}
	r.Coordinators = append(r.Coordinators, w.person("carl"))
	r.Consensus.AllowFarMinority = true
	r.OpenedAt, r.RemindedAt, r.SelfJoin = now, now.Add(123*time.Millisecond), true
	r.Notice = "2027-01"
	r.Nudged = 3
	r.PlannedAt = now
	r.MatrixVersion, r.MatrixFingerprint = 2, "0123456789abcdef"
	r.Reminders = survey.ReminderPlan{
		BeforeClose: []int{3, 0}, BeforeWorkshop: []int{1}, Hour: 9, Minute: 30,
		Cron: "0 9 * * 1", Paused: true,
	}
	r.Posts = survey.ChannelPlan{Digest: "0 9 * * 1", Disabled: []survey.MessageKind{survey.LastDay}}
	r.LastDigest = &survey.DigestProgress{At: now, Invited: 3, Finished: 1}
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	closed := now.Add(time.Hour + time.Nanosecond)
	_, err := w.store.CloseRound(w.Context(), r.ID, closed, audit.Entry{})
	w.must(err)
	r.Turnout, r.Anonymised = &results.Turnout{Invited: 1}, true
	w.must(w.store.AnonymiseRoster(w.Context(), r.ID, *r.Turnout))
	got, err := w.store.CloseRound(w.Context(), r.ID, closed.Add(time.Hour), audit.Entry{})
	w.must(err)
	w.allFieldsSet(got)
	r.Version, r.State, r.ClosedAt = 4, survey.Closed, now.Add(time.Hour+time.Nanosecond)
	w.equal(got, r)
	got, err = w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got, r)
}

// Creating a round again changes nothing: not its fields, not its secret.
func createTwice(w *tester) {
	r := w.open()
	s := w.start(r, "ana")
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	w.equal(w.participation(r.ID, "ana"), s)
	changed := r
	changed.Area = "Elsewhere"
	w.must(w.store.CreateRound(w.Context(), changed, audit.Entry{}))
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got, r)
}

// What is asked of a round that is not there is refused as just that.
func missingRound(w *tester) {
	there := w.open()
	place := w.start(there, "ana")
	place.Round.ID = "nosuchround" + place.Round.ID
	id, ctx := place.Round.ID, w.Context()
	for what, err := range map[string]error{
		"round":         second(w.store.Round(ctx, id)),
		"save":          w.store.SaveRound(ctx, place.Round, audit.Entry{}),
		"close":         second(w.store.CloseRound(ctx, id, now, audit.Entry{})),
		"invite":        second(w.store.Invite(ctx, id, w.members("ana"), survey.Invitation, now, nil)),
		"participation": second(w.store.Participation(ctx, id, w.person("ana"))),
		"change":        second(w.store.ChangeMember(ctx, place, now, starts)),
		"note":          w.store.UpdateContact(ctx, id, w.person("ana"), setUnreachable(true)),
		"roster":        w.store.Roster(ctx, id, func(survey.Member) error { return nil }),
		"answer":        second(w.store.Answer(ctx, place, now, survey.Operation{ID: "o1"}, "vision", 1)),
		"detail":        w.tryDetail(place, now, "o1", "vision"),
		"withdraw":      w.store.Withdraw(ctx, place),
		"forget":        second(w.store.Forget(ctx, id, w.person("ana"))),
		"responses":     w.store.Responses(ctx, id, func(results.Response) error { return nil }),
		"record":        second(w.store.AuditLog(ctx, id)),
		"append":        w.store.AppendEntry(ctx, id, always(act(audit.Results))),
	} {
		if !errors.Is(err, survey.ErrNoRound) {
			w.Errorf("%s: got error %v, want %v", what, err, survey.ErrNoRound)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A change made from an older version is refused, and changes nothing.
func staleSave(w *tester) {
	r := w.open()
	first, other := r, r
	first.Area, other.Area = "First", "Other"
	w.must(w.store.SaveRound(w.Context(), first, audit.Entry{}))
	w.want(w.store.SaveRound(w.Context(), other, audit.Entry{}), survey.ErrChanged)
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	first.Version++
	w.equal(got, first)
}

// The same change again, its reply lost, is made once.
func saveReplayed(w *tester) {
	r := w.open()
	r.Area = "First"
	w.must(w.store.SaveRound(w.Context(), r, audit.Entry{}))
	w.must(w.store.SaveRound(w.Context(), r, audit.Entry{}))
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got.Version, r.Version+1)
}

// Nothing but CloseRound makes a round closed, since it is what destroys the secret.
func saveNeverCloses(w *tester) {
	r := w.open()
	closed := r
	closed.State = survey.Closed
	for range 2 {
		if w.store.SaveRound(w.Context(), closed, audit.Entry{}) == nil {
			w.Error("a save closed a round")
		}
		closed.ClosedAt = now
	}
	created := w.draft()
	created.State, created.ClosedAt = survey.Closed, now
	if w.store.CreateRound(w.Context(), created, audit.Entry{}) == nil {
		w.Error("a round was made closed")
	}
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got, r)
}

// A channel has its rounds, newest first, whatever their state, and no other's.
func roundsIn(w *tester) {
	got, err := w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	w.equal(len(got), 0)
	a, b, c := w.open(), w.draft(), w.draft()
	c.Channel += "-other"
	w.must(w.store.CreateRound(w.Context(), b, audit.Entry{}))
	w.must(w.store.CreateRound(w.Context(), c, audit.Entry{}))
	w.must(w.store.CreateRound(w.Context(), a, audit.Entry{})) // again: it is not newer for that
	_, err = w.store.CloseRound(w.Context(), a.ID, now, audit.Entry{})
	w.must(err)
	got, err = w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	w.equal(got, []survey.RoundID{b.ID, a.ID})
	b.Channel = c.Channel
	w.must(w.store.SaveRound(w.Context(), b, audit.Entry{}))
	got, err = w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	w.equal(got, []survey.RoundID{a.ID})
	got, err = w.store.RoundsIn(w.Context(), c.Channel)
	w.must(err)
	w.equal(got, []survey.RoundID{b.ID, c.ID})
}

// Closing again changes nothing and keeps the first time.
func closeTwice(w *tester) {
	r := w.open()
	first, err := w.store.CloseRound(w.Context(), r.ID, now.Add(time.Hour), audit.Entry{})
	w.must(err)
	r.State, r.ClosedAt, r.Version = survey.Closed, now.Add(time.Hour), r.Version+1
	w.equal(first, r)
	again, err := w.store.CloseRound(w.Context(), r.ID, now.Add(2*time.Hour), audit.Entry{})
	w.must(err)
	w.equal(again, first)
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got, first)
}

// While a round is open its participations have pseudonyms, one a person; from the close on there
// is none.
func closeDestroysSecret(w *tester) {
	r, other := w.open(), w.open()
	ana, ben := w.start(r, "ana"), w.start(r, "ben")
	if len(ana.Pseudonym) != 16 || ana.Pseudonym == ben.Pseudonym || ana.Pseudonym == w.start(other, "ana").Pseudonym {
		w.Errorf("pseudonyms do not differ by person and round")
	}
	_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	w.equal(w.participation(r.ID, "ana").Pseudonym, "")
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	w.equal(w.participation(r.ID, "ana").Pseudonym, "")
	if w.participation(other.ID, "ana").Pseudonym == "" {
		w.Error("another round lost its secret")
	}
}

// expiryDelay is how soon the rounds of the laws of expiry expire. It is long enough for a law to
// set up its rounds on a machine that does other work.
const expiryDelay = 10 * time.Second

// expiring keeps an open round with one answer, which expires after expiryDelay, in whole seconds.
func (w *tester) expiring() (survey.Round, survey.Participation) {
	r := w.draft()
	r.State = survey.Open
	r.ClosesAt = time.Now().Add(expiryDelay - survey.Retention).UTC().Truncate(time.Second)
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	place := w.start(r, "ana")
	w.answer(place, "o1", "vision", 2)
	return r, place
}

// When a round expires nothing of it is left, and nothing leads to it.
func expires(w *tester) {
	r, place := w.expiring()
	w.Parallel()
	w.eventually("the round is gone", func() bool {
		_, err := w.store.Round(w.Context(), r.ID)
		return errors.Is(err, survey.ErrNoRound)
	})
	w.eventually("the response is gone", func() bool { return len(w.response(place).Answers) == 0 })
	in, err := w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	of, err := w.store.RoundsOf(w.Context(), w.person("ana"))
	w.must(err)
	w.equal(len(in)+len(of), 0)
	// What comes under the same id later does not find anything of it.
	r.ClosesAt = now.Add(time.Hour)
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	w.equal(len(w.roster(r.ID))+len(w.responses(r.ID)), 0)
}

// When the closing date is moved, or the round closed, everything of it lives as long as the round.
func extendMovesExpiry(w *tester) {
	extended, place := w.expiring()
	closed, _ := w.expiring()
	marker, _ := w.expiring()
	extended.ClosesAt = now.Add(24 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), extended, audit.Entry{}))
	_, err := w.store.CloseRound(w.Context(), closed.ID, now, audit.Entry{})
	w.must(err)
	w.Parallel()
	w.eventually("the round made last is gone", func() bool {
		_, err := w.store.Round(w.Context(), marker.ID)
		return errors.Is(err, survey.ErrNoRound)
	})
	w.equal(w.participation(extended.ID, "ana").Pseudonym, place.Pseudonym)
	for _, id := range []survey.RoundID{extended.ID, closed.ID} {
		w.equal(w.participation(id, "ana").Member, place.Member)
		w.equal(w.responses(id), []results.Response{{Answers: rated(map[string]matrix.Rating{"vision": 2})}})
	}
	want := []survey.RoundID{closed.ID, extended.ID}
	of, err := w.store.RoundsOf(w.Context(), w.person("ana"))
	w.must(err)
	w.equal(of, want)
	in, err := w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	w.equal(in, want)
}

// Every round that is kept is visited, whatever its state.
func everyRound(w *tester) {
	want := map[survey.RoundID]survey.State{}
	for i := range 3 {
		r := w.open()
		want[r.ID] = survey.Open
		if i == 2 {
			_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
			w.must(err)
			want[r.ID] = survey.Closed
		}
	}
	got := map[survey.RoundID]survey.State{}
	w.must(w.store.Rounds(w.Context(), func(r survey.Round) error {
		if _, ours := want[r.ID]; ours {
			got[r.ID] = r.State
		}
		return nil
	}))
	w.equal(got, want)
	stop := errors.New("stop")
	w.want(w.store.Rounds(w.Context(), func(survey.Round) error { return stop }), stop)
}

// A round whose closing time was moved while it was about to close automatically stays open.
func closeDueUnlessMoved(w *tester) {
	r := w.open()
	place := w.start(r, "ana")
	was := r.ClosesAt
	r.ClosesAt = was.Add(7 * 24 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), r, audit.Entry{}))
	kept, err := w.store.CloseDue(w.Context(), r.ID, was, audit.Entry{})
	w.must(err)
	w.equal(kept.State, survey.Open)
	w.equal(w.participation(r.ID, "ana").Pseudonym, place.Pseudonym)
	closed, err := w.store.CloseDue(w.Context(), r.ID, r.ClosesAt, audit.Entry{})
	w.must(err)
	w.equal(closed.State, survey.Closed)
	w.equal(closed.ClosedAt.Equal(r.ClosesAt), true)
	again, err := w.store.CloseDue(w.Context(), r.ID, r.ClosesAt, audit.Entry{})
	w.must(err)
	w.equal(again.ClosedAt, closed.ClosedAt)
}
