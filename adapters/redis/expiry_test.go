package redis

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// TestNoResponseOutlivesItsRound closes a round while an extension is held up between its script
// and the moving of expiries. What the extension does then must not keep the responses longer than
// the closed round.
func TestNoResponseOutlivesItsRound(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	now := time.Now().UTC().Truncate(time.Second)
	e.SetTime(now)
	ana := survey.PersonID("p:w:ana")
	r := survey.Round{ID: "r", State: survey.Open, Matrix: "m", Channel: "c", Coordinators: []survey.PersonID{ana}, ClosesAt: now.Add(time.Hour)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(e.CreateRound(ctx, r, audit.Entry{}))
	_, err := e.Invite(ctx, "r", []survey.Member{{Person: ana, Status: survey.Invited}}, survey.Invitation, time.Now(), nil)
	must(err)
	place, err := e.Participation(ctx, "r", ana)
	must(err)
	place, err = e.ChangeMember(ctx, place, now, func(m *survey.Member) error { m.Status = survey.Started; return nil })
	must(err)
	pseudonym := place.Pseudonym

	extended := r
	extended.ClosesAt = now.Add(200 * 24 * time.Hour)
	must(e.SaveRound(ctx, extended, audit.Entry{}))
	closed, err := e.CloseRound(ctx, "r", now, audit.Entry{})
	must(err)
	must(e.moveExpiry(ctx, extended)) // the extension continues with the round that it read

	kept, err := e.client.ExpireTime(ctx, responseKey("r", pseudonym)).Result()
	must(err)
	if want := time.Duration(closed.ExpiresAt().Unix()) * time.Second; kept != want {
		t.Errorf("the response lives until %v, its round until %v", time.Unix(int64(kept.Seconds()), 0), closed.ExpiresAt())
	}
}

// TestEverythingOfARoundExpiresWithIt checks each key of a round after each operation that writes
// it or moves the end of the round.
func TestEverythingOfARoundExpiresWithIt(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	now := time.Now().UTC().Truncate(time.Second)
	e.SetTime(now)
	ctx, ana := t.Context(), survey.PersonID("p:w:ana")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r := survey.Round{ID: "r", State: survey.Open, Matrix: "m", Channel: "c", Coordinators: []survey.PersonID{ana}, ClosesAt: now.Add(time.Hour)}
	expires := func(step string, r survey.Round, keys int) {
		t.Helper()
		all, err := e.client.Keys(ctx, "*{r}*").Result()
		must(err)
		all = slices.DeleteFunc(all, func(key string) bool {
			// One for half an hour, two for longer than the round.
			return strings.HasPrefix(key, "operation_times:") || key == erasedKey("r") || key == assessmentKey("r")
		})
		if len(all) != keys {
			t.Errorf("%s: %d keys: %v", step, len(all), all)
		}
		for _, key := range all {
			at, err := e.client.ExpireTime(ctx, key).Result()
			must(err)
			if want := time.Duration(r.ExpiresAt().Unix()) * time.Second; at != want {
				t.Errorf("%s: %s lives until %v, its round until %v", step, key, time.Unix(int64(at.Seconds()), 0), r.ExpiresAt())
			}
		}
	}
	must(e.CreateRound(ctx, r, audit.Entry{Action: audit.Created}))
	expires("made", r, 3) // the round, its secret and its record
	_, err := e.Invite(ctx, "r", []survey.Member{{Person: ana, Status: survey.Invited}}, "", time.Time{}, nil)
	must(err)
	expires("joined", r, 4)
	must(e.Enqueue(ctx, "r", survey.Nudge, now, []survey.PersonID{ana}))
	expires("owed", r, 5)
	must(e.MarkPlanned(ctx, "r", []string{"a name"}))
	expires("noted", r, 6)
	place, err := e.Participation(ctx, "r", ana)
	must(err)
	place, err = e.ChangeMember(ctx, place, now, func(m *survey.Member) error {
		m.Status, m.TimeZone = survey.Started, "Europe/London"
		return nil
	})
	must(err)
	expires("started", r, 9) // a response, the list of them, the time zones
	_, err = e.Answer(ctx, place, now, survey.Operation{ID: "g", At: now}, "vision", 2)
	must(err)
	expires("answered", r, 9)
	r.ClosesAt = now.Add(200 * 24 * time.Hour)
	must(e.SaveRound(ctx, r, audit.Entry{}))
	expires("extended", r, 9)
	closed, err := e.CloseRound(ctx, "r", now, audit.Entry{})
	must(err)
	expires("closed", closed, 8) // without the secret
	must(e.Plan(ctx, "r", survey.ResultsPost, now))
	expires("results planned", closed, 8)
	closed.Workshop.At = now.Add(time.Hour)
	must(e.SaveRound(ctx, closed, audit.Entry{}))
	expires("workshop moved", closed, 8)
	must(e.AppendEntry(ctx, "r", func([]audit.Entry) (audit.Entry, bool) {
		return audit.Entry{Action: audit.Exported}, true
	}))
	expires("exported", closed, 8)
	// The audit log may begin late: the round may be older than audit logs.
	must(e.client.Del(ctx, auditKey("r")).Err())
	must(e.AppendEntry(ctx, "r", func([]audit.Entry) (audit.Entry, bool) {
		return audit.Entry{Action: audit.Exported}, true
	}))
	expires("exported, the first entry", closed, 8)
	must(e.client.Del(ctx, auditKey("r")).Err())
	closed.Version++
	must(e.SaveRound(ctx, closed, audit.Entry{Action: audit.Workshop}))
	expires("saved, the first entry", closed, 8)
	a := meetingOf(t, e.Store, "r")
	expires("a workshop was started", closed, 8+1) // the secrets
	takesPartInWorkshop(t, e.Store, a, ana)
	expires("in a workshop", closed, 8+4) // votes, attendance and objections
	a.MinGroup = 1
	a, err = e.ShowBallot(ctx, a, 1, survey.Operation{ID: "show"}, audit.Entry{})
	must(err)
	expires("shown", closed, 8+3)
	must(errorOf(e.EndWorkshop(ctx, a, now, audit.Entry{})))
	expires("the workshop has ended", closed, 8)
}

// TestNoKeyOutlivesARoundThatCloses closes a round while people join, answer and are reminded and
// posts are planned. In whatever order that happens, each key of the round expires with it or
// before.
func TestNoKeyOutlivesARoundThatCloses(t *testing.T) {
	t.Parallel()
	s := open(t, redistest.Start(t, redistest.Options{}).URL())
	ctx := t.Context()
	for i := range 30 {
		id := survey.RoundID(fmt.Sprintf("r%d", i))
		now := time.Now()
		r, places := opened(t, s, id, "p0")
		r.ClosesAt = now.AddDate(0, 0, 30).UTC().Truncate(time.Second)
		must(t, s.SaveRound(ctx, r, audit.Entry{}))
		var all sync.WaitGroup
		begin := make(chan struct{})
		race := func(do func()) {
			all.Go(func() {
				<-begin
				do()
			})
		}
		for p := range 4 {
			race(func() { // some of it is refused, because the round has closed
				person := survey.PersonID(fmt.Sprintf("p%d", p))
				_, _ = s.Invite(ctx, id, []survey.Member{{Person: person}}, survey.Invitation, now, nil)
				place, err := s.Participation(ctx, id, person)
				if err != nil || place.Pseudonym == "" {
					return
				}
				place, err = s.ChangeMember(ctx, place, now, func(m *survey.Member) error {
					m.Status, m.TimeZone = survey.Started, fmt.Sprintf("Zone/%d", p)
					return nil
				})
				if err == nil {
					_, _ = s.Answer(ctx, place, now, survey.Operation{ID: "a", At: now}, "vision", 2)
				}
			})
		}
		race(func() { _ = s.Enqueue(ctx, id, survey.Nudge, now, []survey.PersonID{"p0", "p1"}) })
		race(func() { _ = s.MarkPlanned(ctx, id, []string{"a name"}) })
		race(func() { _ = s.Plan(ctx, id, survey.Digest.On("2026-12-04"), now) })
		race(func() { _ = s.UpdateContact(ctx, id, "p0", setUnreachable(false)) })
		race(func() {
			time.Sleep(time.Duration(i%6) * 200 * time.Microsecond)
			must(t, errorOf(s.CloseRound(ctx, id, now, audit.Entry{})), s.AnonymiseRoster(ctx, id, results.Turnout{}))
		})
		close(begin)
		all.Wait()
		must(t, errorOf(s.Response(ctx, places[0])))
		closed, err := s.Round(ctx, id)
		must(t, err)
		keys, err := s.client.Keys(ctx, "*{"+string(id)+"}*").Result()
		must(t, err)
		for _, key := range keys {
			at, err := s.client.ExpireTime(ctx, key).Result()
			must(t, err)
			latest := closed.ExpiresAt()
			if key == erasedKey(id) {
				latest = latest.Add(ledgerGrace)
			}
			if at <= 0 || at > time.Duration(latest.Unix())*time.Second {
				t.Errorf("%s lives until %v, its round until %v", key, time.Unix(int64(at.Seconds()), 0), closed.ExpiresAt())
			}
		}
	}
}
