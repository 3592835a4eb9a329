package redis

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"
)

// EmbeddedStore is a Store on a Redis inside the process. It writes nothing to disk and loses
// everything on Close. It can be made to fail, and its clock can be set.
type EmbeddedStore struct {
	*Store
	server *miniredis.Miniredis
}

// Embedded starts a store inside the process.
func Embedded() (*EmbeddedStore, error) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	// It listens on the loopback interface, with a password against other users of the machine. An
	// in-memory pipe has no buffer: both sides of a long pipeline would wait to write.
	password := rand.Text()
	server.RequireAuth(password)
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded store: %w", err)
	}
	o, err := parseAddress("redis://:" + password + "@" + server.Addr())
	if err != nil {
		server.Close()
		return nil, err
	}
	goredis.SetLogger(debugLogger{})
	return &EmbeddedStore{
		Store:  &Store{client: goredis.NewUniversalClient(o), now: time.Now, rewrites: newRewrites()},
		server: server,
	}, nil
}

// Sleep makes every call return survey.ErrUnavailable until Wake.
func (e *EmbeddedStore) Sleep() {
	// The client does not retry after this refusal, so a call fails at once.
	e.server.SetError("MISCONF asleep")
}

// Wake ends Sleep. The data are unchanged.
func (e *EmbeddedStore) Wake() { e.server.SetError("") }

// SetTime sets the clock by which rounds expire; until then it is the machine's.
// With a clock that moves, miniredis visits all keys on each command.
func (e *EmbeddedStore) SetTime(now time.Time) { e.server.SetTime(now) }

// Close ends the store and discards its data.
func (e *EmbeddedStore) Close() error {
	err := e.Store.Close()
	e.server.Close()
	return err
}
