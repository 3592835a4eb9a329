package redis

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// commandLog is a hook that records every command.
type commandLog struct {
	passHook
	mu  sync.Mutex
	all []string
}

func (c *commandLog) note(cmds ...goredis.Cmder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cmd := range cmds {
		c.all = append(c.all, fmt.Sprint(cmd.Args()...))
	}
}

func (c *commandLog) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		c.note(cmd)
		return next(ctx, cmd)
	}
}

func (c *commandLog) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		c.note(cmds...)
		return next(ctx, cmds)
	}
}

// TestNoCommandTakesPersonAndPseudonym checks that no command of any operation has both a person
// and a pseudonym as arguments, because Redis' log of slow commands keeps the arguments.
func TestNoCommandTakesPersonAndPseudonym(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	sent := &commandLog{}
	s.client.AddHook(sent)
	ctx, now := t.Context(), time.Now()
	people := []string{"slack:T1:UANA", "slack:T1:UBEN", "slack:T1:UCEM", "slack:T1:UDAI"}
	_, places := opened(t, s, "r1", people...)
	for _, place := range places {
		must(t,
			errorOf(s.Participation(ctx, "r1", place.Member.Person)),
			errorOf(s.Answer(ctx, place, now, survey.Operation{ID: "a", At: now}, "vision", 2)),
			errorOf(s.Detail(ctx, place, now, survey.Operation{ID: "d", At: now}, "vision", results.Detail{Note: "n"})),
			errorOf(s.Response(ctx, place)),
			errorOf(s.ChangeMember(ctx, place, now, func(m *survey.Member) error {
				m.Role, m.Group, m.TimeZone = "midwife", "health", "Europe/London"
				return nil
			})),
			s.UpdateContact(ctx, "r1", place.Member.Person, setUnreachable(false)),
			s.Enqueue(ctx, "r1", survey.Nudge, now, []survey.PersonID{place.Member.Person}),
		)
	}
	backup := backedUp(t, s)
	must(t, s.Withdraw(ctx, places[0]), errorOf(s.Forget(ctx, "r1", places[1].Member.Person)))
	must(t, errorOf(s.CloseRound(ctx, "r1", now, audit.Entry{})), s.AnonymiseRoster(ctx, "r1", results.Turnout{Invited: 2}))
	restoring(t, s, backup, RestoreOptions{Replace: true})
	backedUp(t, s)
	if len(sent.all) < 50 {
		t.Fatalf("only %d commands were seen", len(sent.all))
	}
	both := 0
	for _, command := range sent.all {
		for _, place := range places {
			for _, other := range places {
				if strings.Contains(command, string(place.Member.Person)) && strings.Contains(command, other.Pseudonym) {
					both++
					t.Errorf("a command has a person and a pseudonym: %.300s", command)
				}
			}
			if both > 5 {
				return
			}
		}
	}
}

// TestNothingIsComparedAfterTheClose checks that a card that is drawn late does not make the store
// name a response together with its person: the log of slow commands is emptied only once after a
// close.
func TestNothingIsComparedAfterTheClose(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx, now := t.Context(), time.Now()
	_, places := opened(t, s, "r1", "slack:T1:UANA")
	r, err := s.Answer(ctx, places[0], now, survey.Operation{ID: "a", At: now}, "vision", 2)
	must(t, err, errorOf(s.CloseRound(ctx, "r1", now, audit.Entry{})))
	sent := &commandLog{}
	s.client.AddHook(sent)
	same, err := s.Current(ctx, places[0], r)
	must(t, err)
	if same {
		t.Error("a card of a closed round is current")
	}
	for _, command := range sent.all {
		if strings.Contains(command, places[0].Pseudonym) {
			t.Errorf("a command names the response: %s", command)
		}
	}
}

// TestSlowLogIsEmptied checks that no entry is left in the log of slow commands after a close:
// entries hold pseudonyms, answers and times.
func TestSlowLogIsEmptied(t *testing.T) {
	t.Parallel()
	for _, options := range []redistest.Options{{AOF: true}, {}} {
		server := redistest.Start(t, options)
		server.Do(t, "CONFIG", "SET", "slowlog-log-slower-than", "0")
		s := open(t, server.URL())
		_, places := opened(t, s, "r1", "p1")
		must(t, errorOf(s.Answer(t.Context(), places[0], time.Now(), survey.Operation{ID: "a"}, "vision", 2)))
		if !strings.Contains(fmt.Sprint(s.client.SlowLogGet(t.Context(), -1).Val()), places[0].Pseudonym) {
			t.Fatal("the log of slow commands does not hold the answer before")
		}
		must(t, errorOf(s.CloseRound(t.Context(), "r1", time.Now(), audit.Entry{})))
		s.rewriteWanted(t.Context())
		if got := fmt.Sprint(s.client.SlowLogGet(t.Context(), -1).Val()); strings.Contains(got, places[0].Pseudonym) {
			t.Errorf("AOF %v: the log of slow commands holds %s", options.AOF, got)
		}
	}
}

// TestRostersAnonymisedByEarlierVersions checks rosters of earlier versions, which kept the second
// of consent. Such a roster counts as not anonymised, also after a restore, and is anonymised
// again without another turnout.
func TestRostersAnonymisedByEarlierVersions(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	r, places := opened(t, s, "r1", "p1")
	consent := time.Date(2026, 3, 4, 23, 50, 7, 0, time.UTC)
	must(t, errorOf(s.ChangeMember(ctx, places[0], time.Now(), func(m *survey.Member) error {
		m.Status, m.Notice, m.NoticeAt = survey.Finished, "1", consent
		return nil
	})))
	must(t, errorOf(s.CloseRound(ctx, "r1", time.Now(), audit.Entry{})))
	must(t, s.client.HSet(ctx, roundKey("r1"), "turnout", `{"Invited":1,"Finished":1}`, "sealed", 1).Err())
	must(t, s.client.HSet(ctx, rosterKey("r1"), "p1", `{"s":"f","n":"1","t":1772668207}`).Err())

	other := embedded(t).Store
	restoring(t, other, backedUp(t, s), RestoreOptions{WithoutErasures: true})
	for name, store := range map[string]*Store{"kept": s, "restored": other} {
		if got, err := store.Round(ctx, "r1"); err != nil || got.Anonymised {
			t.Errorf("%s: counts as anonymised: %v, %v", name, got.Anonymised, err)
		}
		now := time.Now()
		must(t, planner(store, &now).Sweep(ctx))
		got, err := store.Round(ctx, "r1")
		if err != nil || !got.Anonymised || got.Turnout == nil || got.Turnout.Finished != 1 || got.ExpiresAt().Before(r.OpenedAt) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if raw := store.client.HGet(ctx, rosterKey("r1"), "p1").Val(); raw != `{"s":"f","n":"1","t":1772582400}` {
			t.Errorf("%s: the roster has %s, want midnight", name, raw)
		}
		if backup := backedUp(t, store); bytes.Contains(backup, []byte("1772668207")) {
			t.Errorf("%s: a backup made after that has the second", name)
		}
	}
}
