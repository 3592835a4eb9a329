package redis

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// inFile reports whether the append-only files of a server contain a text.
func inFile(t *testing.T, server *redistest.Server, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(server.Dir, "appendonlydir", "*"))
	must(t, err)
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil && bytes.Contains(raw, []byte(text)) { // the file may just have gone
			return true
		}
	}
	return false
}

// TestErasedDataLeavesAOF checks that erased data leaves the append-only file although the server
// refuses a rewrite while another runs.
func TestErasedDataLeavesAOF(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{AOF: true})
	s := open(t, server.URL())
	s.rewrites.delay, s.rewrites.interval = time.Millisecond, 20*time.Millisecond
	ctx := t.Context()
	var erased []string
	_, places := opened(t, s, "open", "withdraws", "forgotten")
	for i, place := range places {
		note := fmt.Sprintf("a note of %s", place.Member.Person)
		must(t, errorOf(s.Detail(ctx, place, time.Now(), survey.Operation{ID: fmt.Sprint(i)}, "vision", results.Detail{Note: note})))
		erased = append(erased, note)
	}
	for i := range 12 {
		id := survey.RoundID(fmt.Sprint("r", i))
		opened(t, s, id, "p1")
		secret, err := s.client.Get(ctx, secretKey(id)).Result()
		must(t, err)
		erased = append(erased, secret)
	}
	for _, text := range erased {
		if !inFile(t, server, text) {
			t.Fatal("what is to be erased is not in the file before")
		}
	}
	for i := range 12 {
		must(t, errorOf(s.CloseRound(ctx, survey.RoundID(fmt.Sprint("r", i)), time.Now(), audit.Entry{})))
	}
	must(t, s.Withdraw(ctx, places[0]), errorOf(s.Forget(ctx, "open", "forgotten")))
	left := 0
	for began := time.Now(); time.Since(began) < time.Minute; <-time.After(20 * time.Millisecond) {
		left = 0
		for _, text := range erased {
			if inFile(t, server, text) {
				left++
			}
		}
		if left == 0 {
			return
		}
	}
	t.Errorf("%d of %d texts are still in the file", left, len(erased))
}

// TestEachErasureRequestsRewrite checks each kind of erasure, also when the process ends at once,
// as the command forget does.
func TestEachErasureRequestsRewrite(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{AOF: true})
	other := open(t, server.URL())
	_, places := opened(t, other, "r1", "p1", "p2")
	meetingOf(t, other, "r1")
	for _, erase := range []struct {
		what string
		by   func(*Store) error
	}{
		{"withdraw", func(s *Store) error { return s.Withdraw(t.Context(), places[0]) }},
		{"forget", func(s *Store) error { return errorOf(s.Forget(t.Context(), "r1", "p2")) }},
		{"a ballot is replaced", func(s *Store) error {
			a := assessmentOf(t, s, "r1")
			return errors.Join(a.Begin("vision"), s.SaveAssessment(t.Context(), a, audit.Entry{}))
		}},
		{"a ballot is shown", func(s *Store) error {
			a := assessmentOf(t, s, "r1")
			takesPartInWorkshop(t, s, a, "p1")
			a.MinGroup = 1
			return errorOf(s.ShowBallot(t.Context(), a, 2, survey.Operation{ID: "show"}, audit.Entry{}))
		}},
		{"the workshop ends", func(s *Store) error {
			return errorOf(s.EndWorkshop(t.Context(), assessmentOf(t, s, "r1"), time.Now(), audit.Entry{}))
		}},
		{"close", func(s *Store) error { return errorOf(s.CloseRound(t.Context(), "r1", time.Now(), audit.Entry{})) }},
		{"anonymise", func(s *Store) error { return s.AnonymiseRoster(t.Context(), "r1", results.Turnout{}) }},
		{"replace", func(s *Store) error {
			return errorOf(s.Restore(t.Context(), again(backedUp(t, embedded(t).Store)), RestoreOptions{Replace: true}))
		}},
	} {
		before := stat(t, other.client, "persistence", "aof_rewrites")
		s := open(t, server.URL())
		must(t, erase.by(s), s.Close())
		if n := stat(t, other.client, "persistence", "aof_rewrites"); n != before+1 {
			t.Errorf("%s: %d rewrites, want one", erase.what, n-before)
		}
		for stat(t, other.client, "persistence", "aof_rewrite_in_progress") > 0 { // or the next would be refused
			<-time.After(time.Millisecond)
		}
	}
}

// TestRewriteAskedAgain checks after which replies a server is asked again.
func TestRewriteAskedAgain(t *testing.T) {
	t.Parallel()
	var reply string
	fake := miniredis.RunT(t)
	fake.Server().SetPreHook(func(c *server.Peer, name string, _ ...string) bool {
		switch {
		case name == "SLOWLOG":
			c.WriteOK()
		case name == "INFO":
			c.WriteBulk("aof_enabled:1\r\n")
		case name != "BGREWRITEAOF":
			return false
		case reply == "":
			c.WriteOK()
		default:
			c.WriteError(reply)
		}
		return true
	})
	s := open(t, "redis://"+fake.Addr())
	for text, again := range map[string]bool{
		"": false,
		"NOPERM this user has no permissions to run the 'bgrewriteaof' command":                             false,
		"ERR Background append only file rewriting already in progress":                                     true,
		"ERR Can't execute an AOF background rewriting. Please check the server logs for more information.": true,
	} {
		reply = text
		if got := rewrite(t.Context(), s.client); got != again {
			t.Errorf("%q: asked again is %v", text, got)
		}
	}
}
