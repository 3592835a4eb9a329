package redis

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	goredis "github.com/redis/go-redis/v9"
)

// TestEmbeddedLongPipeline checks that client and server do not wait for each other when the commands
// and the replies of a pipeline are larger than every buffer.
func TestEmbeddedLongPipeline(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	value := strings.Repeat("x", commandBytes)
	replies, err := e.client.Pipelined(t.Context(), func(p goredis.Pipeliner) error {
		for range 100 {
			p.Set(t.Context(), "key", value, 0)
			p.Get(t.Context(), "key")
		}
		return nil
	})
	if err != nil || len(replies) != 200 {
		t.Fatalf("got %d replies, error %v", len(replies), err)
	}
	if got := replies[199].(*goredis.StringCmd).Val(); got != value {
		t.Errorf("got %d bytes, want %d", len(got), len(value))
	}
}

// TestEmbeddedInBubble checks that the store works with the clock of testing/synctest: it has no
// connection that a bubble cannot hold.
func TestEmbeddedInBubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, err := Embedded()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := e.client.Set(t.Context(), "key", "value", 0).Err(); err != nil || time.Since(began) != 0 {
			t.Errorf("got error %v after %v", err, time.Since(began))
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestEmbeddedSlowCommand checks that a command may take longer than with a server that could be lost:
// on a busy machine, scripts inside the process do.
func TestEmbeddedSlowCommand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := embedded(t)
		e.server.Server().SetPreHook(func(*server.Peer, string, ...string) bool {
			time.Sleep(2 * commandTimeout)
			return false
		})
		if err := e.client.Set(t.Context(), "key", "value", 0).Err(); err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}
