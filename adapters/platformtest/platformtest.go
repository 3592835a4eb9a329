// Package platformtest is what the fake platforms share: a network inside the process, so that a
// bubble of testing/synctest holds it, and a count of what has changed, to wait by. It also has
// what the tests of both adapters tell a bot to do. It knows nothing of any platform.
package platformtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"maturitybot/bot/chat"
)

// TB is what of testing.TB is used.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(func())
}

// Serve serves HTTP inside the process until the test ends.
func Serve(t TB, h http.Handler) *Network {
	n := &Network{listener: &listener{opened: make(chan net.Conn), ended: make(chan struct{})}}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(n.listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		n.Down(true)
	})
	return n
}

// Network leads to a server, whatever the address.
type Network struct {
	listener *listener

	mu   sync.Mutex
	near []net.Conn
	down bool
}

// Client makes requests by the network until the test ends.
func (n *Network) Client(t TB) *http.Client {
	transport := &http.Transport{DialContext: n.Dial, MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Dial connects to the server, or fails while it is down.
func (n *Network) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	n.mu.Lock()
	down := n.down
	n.mu.Unlock()
	if down {
		return nil, Refused(network)
	}
	near, far := net.Pipe()
	select {
	case n.listener.opened <- far:
	case <-n.listener.ended:
		return nil, &net.OpError{Op: "dial", Net: network, Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.mu.Lock()
	n.near = append(n.near, near)
	n.mu.Unlock()
	return near, nil
}

// Refused is the error of dialling where nobody listens.
func Refused(network string) error {
	return &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
}

// Down ends every connection, and lets none begin until it is called with false.
func (n *Network) Down(down bool) {
	n.mu.Lock()
	n.down = down
	all := n.near
	n.near = nil
	n.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

// listener is the far end.
type listener struct {
	opened chan net.Conn
	once   sync.Once
	ended  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.opened:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "fake", Net: "unix"} }

// Changes counts the changes of something that a mutex guards.
type Changes struct {
	mu     sync.Locker
	cond   *sync.Cond
	number int
}

// NewChanges counts the changes of what the mutex guards.
func NewChanges(mu sync.Locker) *Changes { return &Changes{mu: mu, cond: sync.NewCond(mu)} }

// Tick counts a change, and returns its number. The caller holds the mutex.
func (c *Changes) Tick() int {
	c.number++
	c.cond.Broadcast()
	return c.number
}

// Until waits until something holds and says whether it did within ten seconds. It asks after every
// change, and also every 10 to 100 ms, since the answer may depend on what the mutex does not guard.
func (c *Changes) Until(holds func() bool) bool { return c.Within(10*time.Second, holds) }

// Within is Until for another time.
func (c *Changes) Within(most time.Duration, holds func() bool) bool {
	pause := 10 * time.Millisecond
	for deadline := time.Now().Add(most); ; pause = min(2*pause, 100*time.Millisecond) {
		c.mu.Lock()
		before := c.number
		c.mu.Unlock()
		if holds() {
			return true
		}
		if !time.Now().Before(deadline) {
			return false
		}
		c.mu.Lock()
		timer := time.AfterFunc(pause, func() {
			c.mu.Lock() // which the wait below gives up
			defer c.mu.Unlock()
			c.cond.Broadcast()
		})
		if c.number == before {
			c.cond.Wait()
		}
		c.mu.Unlock()
		timer.Stop()
	}
}

// AckPolicy says how a platform takes acknowledgements that are late or missing.
type AckPolicy struct {
	timeout  atomic.Int64 // in nanoseconds; zero for three seconds
	tolerate atomic.Bool
}

// AckTimeout lets the platform wait for an acknowledgement as long as a test says: on a busy
// machine, a test of something else would fail by chance after the platform's three seconds.
func (a *AckPolicy) AckTimeout(d time.Duration) { a.timeout.Store(int64(d)) }

// AckLimit returns how long the platform waits for an acknowledgement: three seconds, as both
// platforms do, unless a test says otherwise.
func (a *AckPolicy) AckLimit() time.Duration {
	return cmp.Or(time.Duration(a.timeout.Load()), 3*time.Second)
}

// Tolerate keeps late and missing acknowledgements from failing the test.
func (a *AckPolicy) Tolerate() { a.tolerate.Store(true) }

// Tolerates reports whether Tolerate was called.
func (a *AckPolicy) Tolerates() bool { return a.tolerate.Load() }

// Clock is the clock by which a platform says when a gesture was made. It is the machine's, unless
// a test says otherwise.
type Clock struct {
	mu     sync.Mutex
	next   time.Time                // of the next gesture, or zero
	pause  time.Duration            // at least, between two gestures of one person
	last   map[string]time.Time     // the last gesture of a person
	atOnce map[string]time.Duration // how long after it the next one follows
	made   map[string][]Made
}

// Made is when somebody made a gesture: by the platform's clock and by the machine's.
type Made struct{ Platform, Real time.Time }

// Gestures returns when a person made each of their gestures, in order.
func (c *Clock) Gestures(person string) []Made {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.made[person])
}

// GestureAt says when the next gesture is made.
func (c *Clock) GestureAt(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = at
}

// Pause keeps the gestures of one person at least so far apart by the platform's clock, however
// fast a test makes them.
func (c *Clock) Pause(between time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pause = between
}

// AtOnce says how long after the last gesture of a person their next one follows.
func (c *Clock) AtOnce(person string, after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.atOnce == nil {
		c.atOnce = map[string]time.Duration{}
	}
	c.atOnce[person] = after
}

// Gesture returns the time of a gesture that a person makes now.
func (c *Clock) Gesture(person string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := time.Now()
	if earliest := c.last[person].Add(c.pause); at.Before(earliest) {
		at = earliest
	}
	if after, ok := c.atOnce[person]; ok {
		at = c.last[person].Add(after)
		delete(c.atOnce, person)
	}
	if !c.next.IsZero() {
		at, c.next = c.next, time.Time{}
	}
	if c.last == nil {
		c.last, c.made = map[string]time.Time{}, map[string][]Made{}
	}
	c.last[person] = at
	c.made[person] = append(c.made[person], Made{Platform: at, Real: time.Now()})
	return at
}

// Script is a responder that does as a test says.
type Script struct {
	How  func(chat.Event) chat.Ack // nil changes the card
	Does func(context.Context, chat.Event) []chat.Reply

	mu sync.Mutex
	// Events are what was handled so far, in order; to be read when nothing is under way.
	Events []chat.Event
}

// Ack says how to acknowledge the event.
func (s *Script) Ack(e chat.Event) chat.Ack {
	if s.How != nil {
		return s.How(e)
	}
	return chat.AckUpdate
}

// Handle does what the script says.
func (s *Script) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s.mu.Lock()
	s.Events = append(s.Events, e)
	s.mu.Unlock()
	if s.Does == nil {
		return nil
	}
	return s.Does(ctx, e)
}

// Verbs are what was handled so far, in order.
func (s *Script) Verbs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, e := range s.Events {
		all = append(all, e.Action.Verb)
	}
	return strings.Join(all, " ")
}

// Log keeps what was logged.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Observer keeps what it is told.
type Observer struct {
	mu           sync.Mutex
	acknowledged []time.Duration
	limited      []time.Duration
	connected    []int
}

// Acknowledged keeps how long an acknowledgement took.
func (o *Observer) Acknowledged(took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acknowledged = append(o.acknowledged, took)
}

// Limited keeps a wait.
func (o *Observer) Limited(wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limited = append(o.limited, wait)
}

// Connected keeps how many connections are up.
func (o *Observer) Connected(up int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.connected = append(o.connected, up)
}

// String is what it was told since it was last asked, as "acknowledged [2s] limited [] connected [1
// 2]".
func (o *Observer) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := fmt.Sprintf("acknowledged %v limited %v connected %v", o.acknowledged, o.limited, o.connected)
	o.acknowledged, o.limited, o.connected = nil, nil, nil
	return s
}
