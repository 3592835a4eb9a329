package redis

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	goredis "github.com/redis/go-redis/v9"
)

// EmbeddedStore is a Store on a Redis inside the process. It writes nothing to disk and loses
// everything on Close. It can be made to fail, and its clock can be set.
type EmbeddedStore struct {
	*Store
	server *miniredis.Miniredis
}

// Embedded starts a store inside the process. Nothing listens on the network.
func Embedded() (*EmbeddedStore, error) {
	redis := miniredis.NewMiniRedis()
	redis.ClockTTL(true)
	// The first connection starts the server.
	first, err := redis.Dial()
	if err != nil {
		return nil, fmt.Errorf("start the embedded store: %w", err)
	}
	_ = first.Close() // nothing was sent
	o, err := parseAddress("redis://embedded")
	if err != nil {
		return nil, err
	}
	// There is no server to be lost, and a busy machine may take long over a script.
	o.ReadTimeout = -1
	o.Dialer = func(context.Context, string, string) (net.Conn, error) {
		conn, err := redis.Dial()
		if err != nil {
			return nil, err
		}
		return &pipeConn{Conn: conn}, nil
	}
	goredis.SetLogger(debugLogger{})
	return &EmbeddedStore{Store: newStore(goredis.NewUniversalClient(o)), server: redis}, nil
}

// pipeConn is the client's end of a net.Pipe. Its Write does not wait for the server: with a long
// pipeline of commands, the client would wait for the server to read the next command, and the server
// for the client to read the reply to the last.
type pipeConn struct {
	net.Conn

	mu      sync.Mutex
	queue   []byte // not written to the pipe yet
	writing bool
}

// Write queues the bytes. When the pipe is closed, Read says so.
func (c *pipeConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, p...)
	if !c.writing {
		c.writing = true
		go c.writeQueue()
	}
	return len(p), nil
}

// writeQueue writes the queue to the pipe until it is empty or the pipe is closed.
func (c *pipeConn) writeQueue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for len(c.queue) > 0 && err == nil {
		p := c.queue
		c.queue = nil
		c.mu.Unlock()
		_, err = c.Conn.Write(p)
		c.mu.Lock()
	}
	c.writing = false
}

// SetReadDeadline sets the deadline of Read. When the pipe is closed, Read says so.
func (c *pipeConn) SetReadDeadline(t time.Time) error {
	_ = c.Conn.SetReadDeadline(t) // its only error is that the pipe is closed
	return nil
}

// SetWriteDeadline does nothing, because Write does not wait.
func (c *pipeConn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline sets the deadline of Read.
func (c *pipeConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// Sleep makes every call return survey.ErrUnavailable until Wake.
func (e *EmbeddedStore) Sleep() {
	e.server.Server().SetPreHook(func(c *server.Peer, cmd string, _ ...string) bool {
		// The client does not retry after this refusal, so a call fails at once.
		c.WriteError("MISCONF asleep")
		// When MULTI is refused, the client leaves the other replies of the transaction unread. They
		// would be taken for the replies to the next command.
		if cmd == "MULTI" {
			c.Close()
		}
		return true
	})
}

// Wake ends Sleep. The data are unchanged.
func (e *EmbeddedStore) Wake() { e.server.Server().SetPreHook(nil) }

// SetTime sets the clock by which rounds expire; until then it is the machine's.
// With a clock that moves, miniredis visits all keys on each command.
func (e *EmbeddedStore) SetTime(now time.Time) { e.server.SetTime(now) }

// Close ends the store and discards its data.
func (e *EmbeddedStore) Close() error {
	err := e.Store.Close()
	e.server.Close()
	return err
}
