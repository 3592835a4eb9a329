package server

import (
	"container/list"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxConnections bounds the connections to the address for the platforms' requests. Until the
	// signature of its request is verified, a connection takes up to about 40 KB, and a body of
	// webhook.UnreservedBytes.
	maxConnections = 1024
	// maxOperationsConnections bounds the connections to the address for operations.
	maxOperationsConnections = 256
	// acceptDelay is the delay before a connection replaces another. In this time the connections
	// that were accepted before it read the headers that have arrived.
	acceptDelay = 100 * time.Microsecond
	// headerBytes bounds the headers of a request, in bytes. net/http reads 4 KB more than
	// Server.MaxHeaderBytes.
	headerBytes = 8 << 10
)

// connections bounds how many connections a server has. At the limit it closes the connection that
// has been silent longest. A platform sends its headers at once, so clients that open connections
// and send no complete request push out each other. Next is the connection that has been idle
// longest after a request. Where a request is served on every connection, the new one is closed.
type connections struct {
	limit int

	mu     sync.Mutex
	open   map[net.Conn]*list.Element // its place in silent or idle, or nil while it has a request
	silent *list.List                 // of net.Conn that brought no request yet, the oldest first
	idle   *list.List                 // of net.Conn after a request, the oldest first
}

func newConnections(limit int) *connections {
	return &connections{
		limit: limit, open: map[net.Conn]*list.Element{}, silent: list.New(), idle: list.New(),
	}
}

// closeUnlessSigned closes each connection after its request, unless the handler deletes the header
// Connection. Handlers delete it when the signature of a request is right, or a person has a session,
// so that nobody else reuses connections.
func closeUnlessSigned(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		handler.ServeHTTP(w, r)
	})
}

// track records a change of a connection's state. It is a Server.ConnState.
func (c *connections) track(conn net.Conn, state http.ConnState) {
	if state == http.StateNew && c.full() {
		time.Sleep(acceptDelay)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	place, known := c.open[conn]
	if !known && state != http.StateNew { // closeOne has closed it
		return
	}
	if place != nil {
		c.silent.Remove(place) // one of the two has it
		c.idle.Remove(place)
		c.open[conn] = nil
	}
	switch state {
	case http.StateNew:
		if len(c.open) >= c.limit && !c.closeOne() {
			_ = conn.Close() // the client has sent nothing that could be lost
			return
		}
		c.open[conn] = c.silent.PushBack(conn)
	case http.StateIdle:
		c.open[conn] = c.idle.PushBack(conn)
	case http.StateHijacked, http.StateClosed:
		delete(c.open, conn)
	}
}

func (c *connections) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open) >= c.limit
}

// closeOne closes the connection that has been silent longest, or else idle longest. It reports
// whether there was one.
func (c *connections) closeOne() bool {
	for _, waiting := range []*list.List{c.silent, c.idle} {
		if oldest := waiting.Front(); oldest != nil {
			conn, _ := waiting.Remove(oldest).(net.Conn)
			delete(c.open, conn)
			_ = conn.Close() // no request of the client is being served
			return true
		}
	}
	return false
}
