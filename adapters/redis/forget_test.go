package redis

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// interrupt does something once: just before a script is run, or just after a key was scanned.
type interruptHook struct {
	passHook
	script *goredis.Script
	key    string
	skip   int // how many times before
	do     func()
	done   bool
	// transaction is the first command of the transaction to interrupt.
	transaction string
}

func (i *interruptHook) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		scanned := i.key != "" && cmd.Name() == "hscan" && cmd.Args()[1] == i.key
		runs := i.script != nil && slices.Contains(cmd.Args(), any(i.script.Hash()))
		if !scanned && !runs || !i.now() {
			return next(ctx, cmd)
		}
		if scanned {
			defer i.do()
		} else {
			i.do()
		}
		return next(ctx, cmd)
	}
}

func (i *interruptHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		transaction := cmds[0].Name() == "multi" && cmds[1].Name() == i.transaction
		if transaction && i.now() {
			i.do()
		}
		return next(ctx, cmds)
	}
}

// now reports whether the call is the one to interrupt.
func (i *interruptHook) now() bool {
	if i.done {
		return false
	}
	i.skip--
	i.done = i.skip < 0
	return i.done
}

// TestForgetWhileAnonymising checks that anonymising, which has read a person's roster entry, does
// not write it back after the person was forgotten.
func TestForgetWhileAnonymising(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	opened(t, s, "r1", "p1", "p2")
	if _, err := s.CloseRound(ctx, "r1", time.Now(), audit.Entry{}); err != nil {
		t.Fatal(err)
	}
	s.client.AddHook(&interruptHook{script: replaceEntriesScript, do: func() {
		if _, err := s.Forget(ctx, "r1", "p1"); err != nil {
			t.Error(err)
		}
	}})
	if err := s.AnonymiseRoster(ctx, "r1", results.Turnout{Invited: 2}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.client.HKeys(ctx, rosterKey("r1")).Result(); err != nil || !slices.Equal(got, []string{"p2"}) {
		t.Errorf("the roster has %v, %v", got, err)
	}
}

// TestForgetDuringInvite checks that a person who is invited while being forgotten is in the
// roster and finds the round.
func TestForgetDuringInvite(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	opened(t, s, "r1")
	s.client.AddHook(&interruptHook{script: inviteScript, do: func() {
		if _, err := s.Forget(ctx, "r1", "p1"); err != nil {
			t.Error(err)
		}
	}})
	if _, err := s.Invite(ctx, "r1", []survey.Member{{Person: "p1"}}, "", time.Time{}, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := s.RoundsOf(ctx, "p1"); err != nil || !slices.Equal(got, []survey.RoundID{"r1"}) {
		t.Errorf("they find %v, %v", got, err)
	}
}

// TestForgetLeavesNoTrace checks that no key or value names a person who was forgotten; the ledger
// has a hash only.
func TestForgetLeavesNoTrace(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	_, places := opened(t, s, "r1", "stays", "goes")
	before := len(everything(t, s))
	for _, place := range places {
		if _, err := s.Answer(ctx, place, time.Now(), survey.Operation{ID: "g", At: time.Now()}, "vision", 2); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Forget(ctx, "r1", "goes"); err != nil {
		t.Fatal(err)
	}
	after := everything(t, s)
	for key, holds := range after {
		if strings.Contains(key+holds, "goes") || strings.Contains(key+holds, places[1].Pseudonym) {
			t.Errorf("%s: %s", key, holds)
		}
	}
	if times := s.client.HLen(ctx, operationTimesKeys("r1")[0]).Val(); times != 1 || len(after) != before-2+1 { // response and list gone, a ledger come
		t.Errorf("the times of %d people are left, and %d keys of %d", times, len(after), before)
	}
}
