package redistest

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between clients and a server, and can lose a reply or cut every connection.
type Proxy struct {
	Addr   string // host:port
	target string
	mu     sync.Mutex
	word   []byte // in a request: its reply is to be lost
	then   func()
	lost   int
	conns  map[net.Conn]bool // of clients
}

// ProxyTo starts a proxy to a server's address. It ends with the test.
func ProxyTo(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, conns: map[net.Conn]bool{}}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // it has served
		p.Cut()
		conns.Wait()
	})
	return p
}

// Drop makes the proxy lose the reply to the next request with the word in it: the server has done
// what it asks for; then is called; then the connection ends.
func (p *Proxy) Drop(word string, then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.word, p.then = []byte(word), then
}

// Losses is how many replies were lost so far.
func (p *Proxy) Losses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Cut ends every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close() // that is what is to happen
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close() // as the server itself would, which is away
		return
	}
	p.mu.Lock()
	p.conns[client] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, client)
	}()
	var then atomic.Pointer[func()]
	var replies sync.WaitGroup
	replies.Go(func() {
		defer func() { _ = client.Close() }() // that is what was to happen
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			if f := then.Load(); f != nil {
				(*f)()
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			break
		}
		p.mu.Lock()
		if p.word != nil && bytes.Contains(buf[:n], p.word) {
			f := p.then
			if f == nil {
				f = func() {}
			}
			then.Store(&f)
			p.word, p.lost = nil, p.lost+1
		}
		p.mu.Unlock()
		if _, err := server.Write(buf[:n]); err != nil {
			break
		}
	}
	_ = server.Close() // nothing is left to lose
	replies.Wait()
}
