package server

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
)

// TestConnectionsAreBounded: what is silent longest makes room, then what is idle longest. What has a request is kept, and no place is
// lost.
func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConnections(3)
		closed := map[net.Conn]bool{}
		var mu sync.Mutex // of closed
		open := func() net.Conn {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { _ = theirs.Close() })
			c.track(ours, http.StateNew)
			go func() { // a connection that is closed cannot be read
				_, _ = theirs.Read(make([]byte, 1))
				mu.Lock()
				defer mu.Unlock()
				closed[ours] = true
			}()
			return ours
		}
		want := func(what string, conns map[net.Conn]bool) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			for conn, is := range conns {
				if closed[conn] != is {
					t.Errorf("%s: closed is %v", what, closed[conn])
				}
			}
		}
		kept, first, second := open(), open(), open()
		c.track(kept, http.StateActive)
		c.track(kept, http.StateIdle)
		third := open()
		want("the oldest silent one makes room", map[net.Conn]bool{kept: false, first: true, second: false, third: false})
		c.track(first, http.StateClosed) // net/http tells of it as well
		c.track(second, http.StateActive)
		c.track(third, http.StateActive)
		c.track(kept, http.StateActive)
		fourth := open()
		want("each has a request", map[net.Conn]bool{kept: false, second: false, third: false, fourth: true})
		c.track(fourth, http.StateClosed)
		c.track(second, http.StateIdle)
		c.track(kept, http.StateIdle)
		idle := open()
		want("the one that has been idle longest makes room", map[net.Conn]bool{kept: false, second: true, third: false, idle: false})
		c.track(second, http.StateClosed)
		_ = idle.Close()
		c.track(idle, http.StateClosed)
		second = open()
		c.track(second, http.StateActive)
		_ = kept.Close()
		c.track(kept, http.StateClosed)
		fifth, sixth := open(), open()
		want("a place is free again, once", map[net.Conn]bool{second: false, third: false, fifth: true, sixth: false})
		if len(c.open) != 3 || c.silent.Len() != 1 {
			t.Errorf("%d open, %d silent", len(c.open), c.silent.Len())
		}
	})
}
