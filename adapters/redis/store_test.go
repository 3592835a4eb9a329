package redis

import (
	"strings"
	"testing"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/redis/storetest"
	"maturitybot/survey"
)

func embedded(t testing.TB) *EmbeddedStore {
	t.Helper()
	e, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // the test is over
	return e
}

func open(t testing.TB, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the test is over
	return s
}

func TestLawsEmbedded(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) survey.Store { return embedded(t) })
}

func TestLawsServer(t *testing.T) {
	t.Parallel()
	store := open(t, redistest.Start(t, redistest.Options{AOF: true}).URL())
	storetest.Run(t, func(*testing.T) survey.Store { return store })
}

func TestLawsCluster(t *testing.T) {
	t.Parallel()
	store := open(t, redistest.StartCluster(t))
	// Every master is asked, and what they have in common is said once.
	if got := store.Check(t.Context()); len(got) != 1 || !strings.Contains(string(got[0]), "appendonly yes") {
		t.Errorf("got warnings %q", got)
	}
	storetest.Run(t, func(*testing.T) survey.Store { return store })
}
