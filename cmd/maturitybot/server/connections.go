package server

import (
	"container/list"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxConnections bounds the connections to the address for requests of platforms. Before its request is known to be signed,
	// each takes up to about 40 KB, and a body of webhook.UnreservedBytes.
	maxConnections = 1024
	// maxOperationsConnections bounds those to the address for operations.
	maxOperationsConnections = 256
	// acceptPause is taken before a connection is accepted in place of another, so that those accepted before it get to read the
	// headers that are there.
	acceptPause = 100 * time.Microsecond
	// headerBytes bounds the headers of a request, for which net/http reads 4 KB more than Server.MaxHeaderBytes says.
	headerBytes = 8 << 10
)

// connections bounds how many connections a server has. Where there are too many, it closes the one that has been silent
// longest: a platform sends its headers at once, so that strangers who open connections and send nothing, or not all, push out
// each other. Where each has brought a request, the new one is closed. Track is for Server.ConnState.
type connections struct {
	most int

	mu     sync.Mutex
	open   map[net.Conn]*list.Element // its place in silent, or nil once it has brought a request
	silent *list.List                 // of net.Conn, the oldest first
}

func newConnections(most int) *connections {
	return &connections{most: most, open: map[net.Conn]*list.Element{}, silent: list.New()}
}

// closeUnlessSigned has each connection closed after its request, unless the handler deletes the header: who has signed a request may
// keep a connection, and strangers may not.
func closeUnlessSigned(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		handler.ServeHTTP(w, r)
	})
}

// track takes note of the state of a connection.
func (c *connections) track(conn net.Conn, state http.ConnState) {
	if state == http.StateNew && c.full() {
		time.Sleep(acceptPause)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	place, known := c.open[conn]
	if !known && state != http.StateNew { // it was closed here
		return
	}
	if place != nil {
		c.silent.Remove(place)
		c.open[conn] = nil
	}
	switch state {
	case http.StateNew:
		if len(c.open) >= c.most && !c.closeOne() {
			_ = conn.Close() // there was nobody to tell
			return
		}
		c.open[conn] = c.silent.PushBack(conn)
	case http.StateHijacked, http.StateClosed:
		delete(c.open, conn)
	}
}

func (c *connections) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open) >= c.most
}

// closeOne closes the connection that has been silent longest, if one is.
func (c *connections) closeOne() bool {
	oldest := c.silent.Front()
	if oldest == nil {
		return false
	}
	conn, _ := c.silent.Remove(oldest).(net.Conn)
	delete(c.open, conn)
	_ = conn.Close() // there was nobody to tell
	return true
}
