package redis

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"
)

// EmbeddedStore is a Store on a Redis inside the process. Nothing of it touches a disk, and all of it is gone
// after Close. It can be put to sleep, and its clock can be set.
type EmbeddedStore struct {
	*Store
	server *miniredis.Miniredis
}

// Embedded starts a store that lives in the process.
func Embedded() (*EmbeddedStore, error) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	// It listens on this machine's own interface (a pipe in memory would jam: it buffers nothing, and both
	// sides of a long pipeline would wait to write), and lets nobody else of this machine in.
	password := rand.Text()
	server.RequireAuth(password)
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded store: %w", err)
	}
	o, err := options("redis://:" + password + "@" + server.Addr())
	if err != nil {
		server.Close()
		return nil, err
	}
	goredis.SetLogger(quiet{})
	return &EmbeddedStore{
		Store:  &Store{client: goredis.NewUniversalClient(o), now: time.Now, files: newRewrites()},
		server: server,
	}, nil
}

// Sleep makes every call return survey.ErrUnavailable, until Wake.
func (e *EmbeddedStore) Sleep() {
	// One of the refusals that the client does not try again, so that sleeping takes no time.
	e.server.SetError("MISCONF asleep")
}

// Wake ends Sleep. What was kept before is there.
func (e *EmbeddedStore) Wake() { e.server.SetError("") }

// SetTime sets the clock by which rounds expire, which is the machine's until then.
func (e *EmbeddedStore) SetTime(now time.Time) { e.server.SetTime(now) }

// Close ends the store; nothing of it is kept.
func (e *EmbeddedStore) Close() error {
	err := e.Store.Close()
	e.server.Close()
	return err
}
