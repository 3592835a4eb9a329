package redis

import (
	"context"
	"errors"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
)

// TestObserved checks that each call is reported by its kind, never by a key, and with whether it
// failed.
func TestObserved(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	var mu sync.Mutex
	calls, failures := map[string]int{}, map[string]int{}
	s, err := Open(t.Context(), "redis://"+server.Addr(), Observed(func(operation string, took time.Duration, failed bool) {
		mu.Lock()
		defer mu.Unlock()
		calls[operation]++
		if failed {
			failures[operation]++
		}
		if took < 0 || took > time.Minute {
			t.Errorf("%s took %v", operation, took)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	opened(t, s, "r1", "p1")
	place, err := s.Participation(t.Context(), "r1", "p1")
	if err == nil {
		_, err = s.Answer(t.Context(), place, time.Now(), survey.Operation{ID: "o1"}, elements[0], 2)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Withdraw(t.Context(), place); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Forget(t.Context(), "r1", "p1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finished(t.Context(), "an unknown event"); err != nil { // there is no such value
		t.Error(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Ping(gone)
	if len(failures) > 0 {
		t.Errorf("failed are %v", failures)
	}
	for _, want := range []string{"ping", "pipeline", "create_round", "invite", "change_member", "write_response", "withdraw", "forget", "get"} {
		if calls[want] == 0 {
			t.Errorf("%s is not among %v", want, slices.Sorted(maps.Keys(calls)))
		}
	}
	for operation := range calls {
		if strings.ContainsAny(operation, ":{} ") || len(operation) > 20 || strings.HasPrefix(operation, "eval") {
			t.Errorf("%q is not a kind of call", operation)
		}
	}
	server.SetError("MISCONF no disk")
	if err := s.Ping(t.Context()); !errors.Is(err, survey.ErrUnavailable) || failures["ping"] != 1 {
		t.Errorf("%v; failed are %v", err, failures)
	}
}

// TestEveryScriptHasItsName checks that each file in lua is a script with a name, except the one
// that other scripts include.
func TestEveryScriptHasItsName(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("lua/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v", files, err)
	}
	var want []string
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".lua"); name != "ledger" {
			want = append(want, name)
		}
	}
	if got := slices.Sorted(maps.Values(scriptNames())); !slices.Equal(got, want) {
		t.Errorf("names are %v, want %v", got, want)
	}
}

// TestOpenUnavailable checks that Open returns ErrUnavailable for an outage, and not for an error
// that the operator must correct.
func TestOpenUnavailable(t *testing.T) {
	t.Parallel()
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	says := func(fault string) string {
		s := miniredis.RunT(t)
		s.SetError(fault)
		return "redis://" + s.Addr()
	}
	locked := miniredis.RunT(t)
	locked.RequireAuth("right")
	for name, c := range map[string]struct {
		address string
		pass    bool
		said    string
	}{
		"no listener":    {"redis://:secret@" + free, true, "Redis cannot be reached at the address in REDIS_URL: see whether it runs"},
		"loading":        {says("LOADING Redis is loading the dataset in memory"), true, "connect to Redis: "},
		"too many":       {says("ERR max number of clients reached"), true, "connect to Redis: "},
		"no password":    {"redis://" + locked.Addr(), false, "compare REDIS_URL with requirepass or the ACL of Redis: NOAUTH"},
		"wrong password": {"redis://:secret@" + locked.Addr(), false, "compare REDIS_URL with requirepass or the ACL of Redis: WRONGPASS"},
		"not allowed":    {says("NOPERM this user has no permissions"), false, "connect to Redis: "},
		"no address":     {"redis:/" + free, false, ""},
	} {
		s, err := Open(t.Context(), c.address)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || errors.Is(err, survey.ErrUnavailable) != c.pass || !strings.Contains(err.Error(), c.said) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	open := redistest.Start(t, redistest.Options{})
	if _, err := Open(t.Context(), open.URL()+"/99"); err == nil || errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("a missing database: %v", err)
	}
}
