package redis

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/reminders"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// backends runs a test on each of the stores whose commands are counted.
func backends(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, embedded(t).Store)
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, redistest.Start(t, redistest.Options{}).URL()))
	})
}

// manyRounds makes open rounds with the default reminders and posts, and returns a time at which
// nothing of them is due: after the reminders and the digest of a day.
func manyRounds(t testing.TB, s *Store, rounds int) time.Time {
	t.Helper()
	year, month, day := time.Now().AddDate(0, 0, 1).Date()
	zone, err := time.LoadLocation(survey.DefaultTimeZone)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(year, month, day, 11, 5, 0, 0, zone)
	for i := range rounds {
		r := survey.Round{
			ID: survey.RoundID(fmt.Sprint("r", i)), State: survey.Open, Area: "Ashford", Matrix: "england",
			Languages: []matrix.Lang{matrix.English}, TimeZone: survey.DefaultTimeZone, ClosesAt: now.AddDate(0, 0, 30),
			Channel: "slack:T1:C1", Coordinators: []survey.PersonID{"slack:T1:UC"}, MinGroup: results.DefaultMinGroup,
			Reminders: survey.DefaultReminders(), Posts: survey.DefaultPosts(), OpenedAt: now,
		}
		if err := s.CreateRound(t.Context(), r, audit.Entry{}); err != nil {
			t.Fatal(err)
		}
	}
	return now
}

// planner returns a planner for the store, with a clock that the caller sets.
func planner(s *Store, now *time.Time) *reminders.Planner {
	clock := func() time.Time { return *now }
	schedule := reminders.NewSchedule(reminders.EnglandAndWales())
	return reminders.NewPlanner(survey.NewRounds(s, nil, clock).System(), schedule, clock, slog.New(slog.DiscardHandler))
}

// TestLeaseSkipsUnreadableMessages leases what can be read, and returns an error for the rest.
func TestLeaseSkipsUnreadableMessages(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, s *Store) {
		now := manyRounds(t, s, 1)
		rounds, err := s.client.ZRange(t.Context(), roundsKey, 0, -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		id := survey.RoundID(rounds[0])
		people := []survey.PersonID{"test:a", "test:b"}
		if err := s.Enqueue(t.Context(), id, survey.Invitation, now, people); err != nil {
			t.Fatal(err)
		}
		first := goredis.Z{Score: 0, Member: "unreadable"}
		if err := s.client.ZAdd(t.Context(), queueKey(id), first).Err(); err != nil {
			t.Fatal(err)
		}
		leased, err := s.Lease(t.Context(), now, now.Add(time.Minute), 24)
		if err == nil || len(leased) != len(people) {
			t.Errorf("leased %v, %v", leased, err)
		}
	})
}

// TestIdleRoundsCommandRate counts the commands that Redis receives for a thousand rounds of which
// nothing is due, while a process plans once a minute and leases messages once a second. The rate
// must not grow with the number of rounds.
func TestIdleRoundsCommandRate(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, s *Store) {
		const rounds, most = 1000, 20
		minutes := 61 // every round is planned once in an hour
		if strings.HasSuffix(t.Name(), "embedded") {
			minutes = 10 // miniredis is slow
		}
		now := manyRounds(t, s, rounds)
		plan := planner(s, &now)
		minute := func() {
			if err := plan.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 60 {
				if all, err := s.Lease(t.Context(), now, now.Add(time.Minute), 24); err != nil || len(all) > 0 {
					t.Fatalf("took %v, %v", all, err)
				}
				now = now.Add(time.Second)
			}
		}
		minute() // looks at each round once
		before := stat(t, s.client, "stats", "total_commands_processed")
		for range minutes {
			minute()
		}
		commands := stat(t, s.client, "stats", "total_commands_processed") - before
		t.Logf("%.1f commands a second", float64(commands)/float64(minutes*60))
		if commands > most*minutes*60 {
			t.Errorf("%d commands in %d minutes", commands, minutes)
		}
	})
}

// TestPlanningCommandCount counts the commands that planning ten rounds of a thousand takes.
func TestPlanningCommandCount(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, s *Store) {
		const rounds, due, most = 1000, 10, 25
		now := manyRounds(t, s, rounds)
		plan := planner(s, &now)
		must(t, plan.Sweep(t.Context()))
		for i := range due {
			must(t, s.markPlan(t.Context(), survey.RoundID(fmt.Sprint("r", i))))
		}
		before := stat(t, s.client, "stats", "total_commands_processed")
		must(t, plan.Sweep(t.Context()))
		if commands := stat(t, s.client, "stats", "total_commands_processed") - before; commands > most*due {
			t.Errorf("%d commands for %d rounds", commands, due)
		}
	})
}

// BenchmarkPlanning plans a digest and the reminders of ten people in each of a thousand rounds,
// all due at the same minute.
func BenchmarkPlanning(b *testing.B) {
	rounds, people := 1000, 10
	if testing.Short() {
		rounds = 20
	}
	s := open(b, redistest.Start(b, redistest.Options{}).URL())
	now := manyRounds(b, s, rounds)
	due := now
	for i := range rounds {
		id := survey.RoundID(fmt.Sprint("r", i))
		r, err := s.Round(b.Context(), id)
		must(b, err)
		r.Posts.Digest, r.ClosesAt = "0 10 * * *", now.AddDate(0, 0, 9)
		must(b, s.SaveRound(b.Context(), r, audit.Entry{}))
		var all []survey.Member
		for i := range people {
			all = append(all, survey.Member{Person: survey.PersonID(fmt.Sprint("p", i))})
		}
		_, err = s.Invite(b.Context(), id, all, "", now, nil)
		must(b, err)
		due = reminders.NewSchedule(reminders.EnglandAndWales()).Reminders(r, r.Location(), now)[0].At
	}
	plan := planner(s, &now)
	for b.Loop() {
		now = due.Add(-time.Minute)
		must(b, plan.Sweep(b.Context()))
		now = due
		began := time.Now()
		must(b, plan.Sweep(b.Context()))
		b.ReportMetric(time.Since(began).Seconds(), "s-planning")
		if queued := s.client.ZCard(b.Context(), queueKey("r0")).Val(); queued < int64(people)+1 {
			b.Errorf("%d messages are queued in a round", queued)
		}
	}
}

// TestPlanIndexRebuilt checks that every round is planned again when a process starts, and within
// an hour by a process that is running.
func TestPlanIndexRebuilt(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, s *Store) {
		now := manyRounds(t, s, 3)
		plan := planner(s, &now)
		must(t, plan.Sweep(t.Context()))
		entries := func(when string, want int64) {
			t.Helper()
			must(t, plan.Sweep(t.Context()))
			if n := s.client.ZCard(t.Context(), plansKey).Val(); n != want {
				t.Errorf("%s: %d rounds in the index", when, n)
			}
		}
		entries("at first", 3)
		must(t, s.client.Del(t.Context(), plansKey).Err())
		now = now.Add(time.Minute)
		entries("lost", 0)
		now = now.Add(time.Hour)
		entries("an hour later", 3)
		must(t, s.client.Del(t.Context(), plansKey).Err())
		plan = planner(s, &now)
		entries("after a restart", 3)
		must(t, s.client.ZAdd(t.Context(), plansKey, goredis.Z{Score: 4e9, Member: "r1"}).Err())
		plan = planner(s, &now)
		must(t, plan.Sweep(t.Context()))
		if at := s.client.ZScore(t.Context(), plansKey, "r1").Val(); at <= 0 || at > 3e9 {
			t.Errorf("an entry that is too late stays: %v", at)
		}
	})
}

// TestMessagesWithoutIndexEntry checks that messages that were enqueued without an entry in the
// index, or whose entry was lost, are sent: at once by a process that starts, and within minutes
// by one that is running.
func TestMessagesWithoutIndexEntry(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"a process that starts": true, "one that runs": false} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, redistest.Options{})
			s := open(t, server.URL())
			opened(t, s, "r1", "p1")
			now := time.Now()
			first, err := s.Lease(t.Context(), now, now.Add(time.Minute), 10) // the invitation
			if err != nil || len(first) != 1 {
				t.Fatalf("took %v, %v", first, err)
			}
			if err := s.client.Del(t.Context(), dueKey).Err(); err != nil {
				t.Fatal(err)
			}
			later := now.Add(2 * time.Minute)
			if restart {
				s = open(t, server.URL())
			} else {
				later = now.Add(recheckInterval)
			}
			again, err := s.Lease(t.Context(), later, later.Add(time.Minute), 10)
			if err != nil || len(again) != 1 || again[0] != first[0] {
				t.Errorf("took %v, %v", again, err)
			}
		})
	}
}

// TestDueIndexNeverLate checks that the index is never later than the first message of a round,
// whatever is written while a round is examined.
func TestDueIndexNeverLate(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	s := open(t, server.URL())
	opened(t, s, "r1", "p1")
	now := time.Now().Truncate(time.Second)
	if _, err := s.Lease(t.Context(), now, now.Add(time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	due := func(at time.Time) int {
		t.Helper()
		n, err := s.Due(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := s.Enqueue(t.Context(), "r1", "reminder", now.Add(time.Minute), []survey.PersonID{"p1"}); err != nil {
		t.Fatal(err)
	}
	if n := due(now.Add(59 * time.Second)); n != 0 {
		t.Errorf("%d due too early", n)
	}
	if n := due(now.Add(time.Minute)); n != 1 {
		t.Errorf("%d due", n)
	}
	d := survey.Delivery{Round: "r1", Person: "p1", Kind: "reminder"}
	if err := s.Reschedule(t.Context(), d, now.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n := due(now.Add(2*time.Minute)) + due(now.Add(3*time.Minute)); n != 2 {
		t.Errorf("postponed, %d due", n)
	}
	if err := s.Plan(t.Context(), "r1", survey.Digest, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	if n := due(now.Add(time.Minute)); n != 1 {
		t.Errorf("a post: %d due", n)
	}
}
