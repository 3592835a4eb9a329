package redis

import (
	"fmt"
	"testing"
	"time"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
)

// TestIdleRoundsCostLittle counts what Redis is asked for with a thousand rounds of which nothing is due: by what is due, and not by
// rounds.
func TestIdleRoundsCostLittle(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	s := open(t, server.URL())
	const rounds, minutes = 1000, 10
	now := time.Now()
	for i := range rounds {
		id := survey.RoundID(fmt.Sprint("r", i))
		r := survey.Round{
			ID: id, State: survey.Open, Area: "Ashford", Matrix: "england", Languages: []survey.Lang{survey.English}, TimeZone: survey.DefaultTimeZone,
			ClosesAt: now.Add(100 * time.Hour), Channel: "slack:T1:C1", Coordinators: []survey.PersonID{"slack:T1:UC"}, MinGroup: survey.DefaultMinGroup,
		}
		if err := s.CreateRound(t.Context(), r, survey.Entry{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Take(t.Context(), now, now.Add(time.Minute), 24); err != nil { // looks at each once
		t.Fatal(err)
	}
	before := stat(t, s.client, "stats", "total_commands_processed")
	for second := range minutes * 60 {
		at := now.Add(time.Duration(second) * time.Second)
		if all, err := s.Take(t.Context(), at, at.Add(time.Minute), 24); err != nil || len(all) > 0 {
			t.Fatalf("took %v, %v", all, err)
		}
	}
	commands := stat(t, s.client, "stats", "total_commands_processed") - before
	t.Logf("%.1f commands a second", float64(commands)/(minutes*60))
	if commands > 20*minutes*60 {
		t.Errorf("%d commands in %d minutes", commands, minutes)
	}
}

// TestMessagesFromBeforeTheIndex: what was queued when there was no index, or while it was lost, is sent: at once by a process that
// starts, and within minutes by one that runs.
func TestMessagesFromBeforeTheIndex(t *testing.T) {
	for name, restart := range map[string]bool{"a process that starts": true, "one that runs": false} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, redistest.Options{})
			s := open(t, server.URL())
			opened(t, s, "r1", "p1")
			now := time.Now()
			first, err := s.Take(t.Context(), now, now.Add(time.Minute), 10) // the invitation
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
				later = now.Add(lookAgain)
			}
			again, err := s.Take(t.Context(), later, later.Add(time.Minute), 10)
			if err != nil || len(again) != 1 || again[0] != first[0] {
				t.Errorf("took %v, %v", again, err)
			}
		})
	}
}

// TestIndexIsNeverLate: whatever is written between two looks at a round, the index is no later than its first message.
func TestIndexIsNeverLate(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	s := open(t, server.URL())
	opened(t, s, "r1", "p1")
	now := time.Now().Truncate(time.Second)
	if _, err := s.Take(t.Context(), now, now.Add(time.Hour), 10); err != nil {
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
	if err := s.Owe(t.Context(), "r1", "reminder", now.Add(time.Minute), []survey.PersonID{"p1"}); err != nil {
		t.Fatal(err)
	}
	if n := due(now.Add(59 * time.Second)); n != 0 {
		t.Errorf("%d due too early", n)
	}
	if n := due(now.Add(time.Minute)); n != 1 {
		t.Errorf("%d due", n)
	}
	d := survey.Delivery{Round: "r1", Person: "p1", Kind: "reminder"}
	if err := s.Postpone(t.Context(), d, now.Add(2*time.Minute)); err != nil {
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
