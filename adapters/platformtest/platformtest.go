// Package platformtest has what the fake platforms share: a network inside the process, which a
// bubble of testing/synctest can hold, a counter of changes to wait for, a clock, faults of an API,
// and a bot whose replies a test sets. It knows nothing of any platform.
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

// TB is the part of testing.TB that the package uses.
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

// Network is a network on which every address leads to one server.
type Network struct {
	listener *listener

	mu   sync.Mutex
	near []net.Conn
	down bool
}

// Client returns an HTTP client that uses the network until the test ends.
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

// Refused returns the error of dialling an address at which nothing listens.
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

// listener is the server's side of the network.
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

// AckPolicy is how a fake platform treats acknowledgements that are late or missing.
type AckPolicy struct {
	timeout  atomic.Int64 // in nanoseconds; zero for three seconds
	tolerate atomic.Bool
}

// AckTimeout sets how long the platform waits for an acknowledgement. A busy machine may need more
// than the platform's three seconds in a test of something else.
func (a *AckPolicy) AckTimeout(d time.Duration) { a.timeout.Store(int64(d)) }

// AckLimit returns how long the platform waits for an acknowledgement: three seconds, as both
// platforms do, unless AckTimeout has set another time.
func (a *AckPolicy) AckLimit() time.Duration {
	return cmp.Or(time.Duration(a.timeout.Load()), 3*time.Second)
}

// Tolerate keeps late and missing acknowledgements from failing the test.
func (a *AckPolicy) Tolerate() { a.tolerate.Store(true) }

// Tolerates reports whether Tolerate was called.
func (a *AckPolicy) Tolerates() bool { return a.tolerate.Load() }

// Clock is the clock of a fake platform: the times at which users acted. It is the
// machine's clock unless a test sets a time.
type Clock struct {
	mu     sync.Mutex
	next   time.Time                // of the next action, or zero
	pause  time.Duration            // at least, between two actions of one person
	last   map[string]time.Time     // the last action of a person
	atOnce map[string]time.Duration // how long after it the next one follows
	made   map[string][]Made
}

// Made is when an action was made, by the platform's clock and by the machine's.
type Made struct{ Platform, Real time.Time }

// Actions returns the times of a person's actions, in order.
func (c *Clock) Actions(person string) []Made {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.made[person])
}

// ActionAt sets the time of the next action.
func (c *Clock) ActionAt(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = at
}

// Pause sets the least time between two actions of one person by the platform's clock, however
// fast a test makes them.
func (c *Clock) Pause(between time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pause = between
}

// AtOnce sets how long after a person's last action the next one follows.
func (c *Clock) AtOnce(person string, after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.atOnce == nil {
		c.atOnce = map[string]time.Duration{}
	}
	c.atOnce[person] = after
}

// Action records an action of a person, made now, and returns its time.
func (c *Clock) Action(person string) time.Time {
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

// Script is a chat.Responder whose replies a test sets.
type Script struct {
	How  func(chat.Event) chat.Ack // nil for AckUpdate
	Does func(context.Context, chat.Event) []chat.Reply

	mu sync.Mutex
	// Events are the handled events, in order. Read them only when no event is being handled.
	Events []chat.Event
}

// Ack returns what How returns for the event, or AckUpdate if How is nil.
func (s *Script) Ack(e chat.Event) chat.Ack {
	if s.How != nil {
		return s.How(e)
	}
	return chat.AckUpdate
}

// Handle records the event and returns what Does returns for it.
func (s *Script) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s.mu.Lock()
	s.Events = append(s.Events, e)
	s.mu.Unlock()
	if s.Does == nil {
		return nil
	}
	return s.Does(ctx, e)
}

// Verbs returns the verbs of the handled events, in order, with spaces between them.
func (s *Script) Verbs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, e := range s.Events {
		all = append(all, e.Action.Verb)
	}
	return strings.Join(all, " ")
}

// Log is an io.Writer that keeps what was logged.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns everything that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Observer is a chat.Observer that records its calls.
type Observer struct {
	mu           sync.Mutex
	acknowledged []time.Duration
	limited      []time.Duration
	connected    []int
}

// Acknowledged records how long an acknowledgement took.
func (o *Observer) Acknowledged(took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acknowledged = append(o.acknowledged, took)
}

// Limited records a wait.
func (o *Observer) Limited(wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limited = append(o.limited, wait)
}

// Connected records how many connections are open.
func (o *Observer) Connected(up int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.connected = append(o.connected, up)
}

// String returns the calls since String was last called, as
// "acknowledged [2s] limited [] connected [1 2]".
func (o *Observer) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := fmt.Sprintf("acknowledged %v limited %v connected %v", o.acknowledged, o.limited, o.connected)
	o.acknowledged, o.limited, o.connected = nil, nil, nil
	return s
}
