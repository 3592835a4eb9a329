package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"maturitybot/bot/chat/dispatch"
)

// The gateway connection is this package's own, because the one of discordgo v0.29.0 fails tests.
// With a loop around Session.Open that waits between connections and between session starts, with
// its reconnecting switched off, these failed:
//
//   - TestGatewayReconnects/asked_to_reconnect_at_once hangs. Open holds the session's mutex while
//     it reads the first packets, and a request to reconnect among them locks it again.
//   - TestGatewayReconnects/session_to_be_resumed and /invalid_at_once have too many sessions. An
//     invalid session is answered by starting another one on the same connection, also where it
//     could be resumed.
//   - TestGatewayReconnects/too_many_sessions starts a session when none is left today, and
//     TestGatewaySessionsPerDay 86,260 in a day, of which Discord allows 1,000 before it resets the
//     token. The session started for an invalid one waits for nothing.
//   - TestObserverGateway is told of the end of a connection a second late, because Close sleeps.
//   - All tests fail unless the fake takes the property "$os", a name older than version 10.
//
// No handler of discordgo sees the two packets, nor can its dialer return another connection. They
// could be caught only by reading WebSocket frames under the session, and by connecting through TLS
// and proxies for that: more code than the loop below. It would still resume at the general address
// instead of the one that READY names, and notice a dead connection only after five heartbeats.

// Operations of the gateway (topics/opcodes-and-status-codes.mdx).
const (
	opDispatch  = 0
	opHeartbeat = 1
	opIdentify  = 2
	opResume    = 6
	opReconnect = 7
	opInvalid   = 9
	opHello     = 10
	opAck       = 11
)

// Close codes after which connecting again is of no use, or which end the session.
const (
	closeNotIdentified = 4003
	closeToken         = 4004
	closeSequence      = 4007
	closeTimedOut      = 4009
	closeShard         = 4010
	closeSharding      = 4011
	closeVersion       = 4012
	closeIntents       = 4013
	closeForbidden     = 4014
	// closeToResume keeps the session: any code but 1000 and 1001 does.
	closeToResume = 4900
)

const (
	// longestPacket is far more than any packet without privileged intents.
	longestPacket = 4 << 20
	// helloTimeout bounds the wait for the first packet.
	helloTimeout = 10 * time.Second
	// minReconnectDelay and maxReconnectDelay bound the pause between connections, which doubles with
	// each that is not established: with each that Discord answers neither READY nor RESUMED. After
	// an invalid session Discord asks for one second at least. A connection that lasted is followed
	// at once.
	minReconnectDelay = time.Second
	maxReconnectDelay = 2 * time.Minute
	stableAfter       = time.Minute
	// identifyInterval is the least time between two session starts (max_concurrency in
	// events/gateway.mdx).
	identifyInterval = 5 * time.Second
	// startInterval and startBurst bound the sessions that one process starts. Discord allows a bot
	// 1000 a day in all its processes, and resets the token of one that starts more. Resumed
	// sessions do not count.
	startInterval = 4 * time.Minute
	startBurst    = 10
)

// errFatal marks errors that only a change in the Developer Portal corrects.
var errFatal = errors.New("the gateway cannot be used")

// session is a gateway session. It outlives its connections.
type session struct {
	discord *Discord

	id  string
	url string // where it is resumed
	seq atomic.Int64

	established bool          // the connection got READY or RESUMED
	starts      *rate.Limiter // of session starts
	identified  time.Time     // when the last session was started
}

// awaitStart waits until a new session may be started.
func (s *session) awaitStart(ctx context.Context) error {
	wait := time.Until(s.identified.Add(identifyInterval))
	if tokens := s.starts.Tokens(); tokens < 1 {
		wait = max(wait, time.Duration((1-tokens)*float64(startInterval)))
	}
	return dispatch.Sleep(ctx, wait)
}

type packet struct {
	Op   int             `json:"op"`
	Seq  *int64          `json:"s,omitempty"`
	Type string          `json:"t,omitempty"`
	Data json.RawMessage `json:"d"`
}

// RunGateway takes deliveries by the gateway. It returns nil when the context ends, and an error
// that says what to change if Discord refuses the connection for good. Exchanges under way
// continue; Drain waits for them.
func (d *Discord) RunGateway(ctx context.Context) error {
	if d.endpoint {
		return errEndpoint
	}
	s := session{discord: d, starts: rate.NewLimiter(rate.Every(startInterval), startBurst)}
	pause := minReconnectDelay
	for ctx.Err() == nil {
		began := time.Now()
		s.established = false
		err := s.connect(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errFatal):
			return err
		}
		if s.established {
			pause = minReconnectDelay
		}
		wait := pause + rand.N(pause)
		if s.established && s.id != "" && time.Since(began) > stableAfter {
			wait = rand.N(minReconnectDelay / 10)
		}
		pause = min(2*pause, maxReconnectDelay)
		d.log.Warn("gateway connection ended", "error", err, "resumes", s.id != "", "wait", wait)
		if dispatch.Sleep(ctx, wait) != nil {
			return nil
		}
	}
	return nil
}

// connect opens one connection, and serves it until it ends.
func (s *session) connect(ctx context.Context) error {
	socket, err := s.dial(ctx)
	if err != nil {
		return err
	}
	l := &connection{socket: socket, ended: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { l.close(websocket.CloseNormalClosure) })
	defer func() {
		s.discord.options.Observer.Connected(0)
		stop()
		close(l.ended)
		_ = socket.Close()
		l.beats.Wait()
	}()
	socket.SetReadLimit(longestPacket)
	_ = socket.SetReadDeadline(time.Now().Add(helloTimeout))
	for {
		var p packet
		if err := socket.ReadJSON(&p); err != nil {
			return s.closeError(l, err)
		}
		if err := s.handlePacket(l, p); err != nil {
			return err
		}
	}
}

// dial connects to where the session is resumed, or to the address that Discord names.
func (s *session) dial(ctx context.Context) (*websocket.Conn, error) {
	o := s.discord.options
	address := s.url
	if address == "" {
		var err error
		if address, err = s.gatewayURL(ctx); err != nil {
			return nil, err
		}
	}
	address = strings.TrimSuffix(address, "/") + "/?v=10&encoding=json"
	dialer := &websocket.Dialer{HandshakeTimeout: requestTimeout, NetDialContext: o.Dial}
	if o.Dial == nil {
		dialer.Proxy = http.ProxyFromEnvironment
	}
	socket, res, err := dialer.DialContext(ctx, address, nil)
	if err != nil {
		s.url = "" // that address may be gone; the session is resumed elsewhere
		err = s.discord.client.caller.Redactor.Error(err)
		return nil, fmt.Errorf("connect to the gateway: %w", err)
	}
	_ = res.Body.Close()
	return socket, nil
}

// handlePacket does what a packet asks for. An error ends the connection.
func (s *session) handlePacket(l *connection, p packet) error {
	switch p.Op {
	case opHello:
		return s.greet(l, p.Data)
	case opHeartbeat:
		l.heartbeat(s)
	case opAck:
		l.acked.Store(true)
	case opReconnect:
		l.close(closeToResume)
		return errors.New("discord asks to connect again")
	case opInvalid:
		var resumable bool
		if json.Unmarshal(p.Data, &resumable) != nil || !resumable {
			s.forget()
		}
		l.close(closeToResume)
		return errors.New("discord says that the session is not valid")
	case opDispatch:
		if p.Seq != nil {
			s.seq.Store(*p.Seq)
		}
		s.handleEvent(p)
	}
	return nil
}

// greet begins to send heartbeats, and resumes the session or starts one. It does nothing for a
// second greeting.
func (s *session) greet(l *connection, data []byte) error {
	if l.greeted {
		return nil
	}
	l.greeted = true
	var hello struct {
		Interval int64 `json:"heartbeat_interval"` // in milliseconds
	}
	err := json.Unmarshal(data, &hello)
	if err != nil || hello.Interval <= 0 || hello.Interval > time.Hour.Milliseconds() {
		return errors.New("greet the gateway: it gives no heartbeat interval")
	}
	_ = l.socket.SetReadDeadline(time.Time{}) // heartbeats find a dead connection from here on
	l.acked.Store(true)
	interval := time.Duration(hello.Interval) * time.Millisecond
	l.beats.Go(func() { l.heartbeatLoop(s, interval) })
	return s.identifyOrResume(l)
}

// forget drops a session that cannot be resumed.
func (s *session) forget() {
	s.id, s.url = "", ""
	s.seq.Store(0)
}

// gatewayURL returns the address to connect to. It waits if too many sessions were started today.
func (s *session) gatewayURL(ctx context.Context) (string, error) {
	if s.id == "" {
		if err := s.awaitStart(ctx); err != nil {
			return "", err
		}
	}
	var at struct {
		URL   string `json:"url"`
		Limit struct {
			Total     int   `json:"total"`
			Remaining int   `json:"remaining"`
			After     int64 `json:"reset_after"`
		} `json:"session_start_limit"`
	}
	err := s.discord.client.do(ctx, get("ask for the gateway", "gateway/bot"), &at)
	if r, ok := errors.AsType[*apiError](err); ok && r.status == http.StatusUnauthorized {
		return "", fmt.Errorf("%w: Discord refuses the bot token; it may have been reset: copy "+
			"it from the page Bot at %s: %w", errFatal, portal, err)
	}
	if err != nil {
		return "", err
	}
	if s.id == "" && at.Limit.Total > 0 && at.Limit.Remaining == 0 {
		wait := time.Duration(at.Limit.After)*time.Millisecond + time.Second // not a moment too early
		s.discord.log.Error("too many gateway sessions today: waiting, because Discord would "+
			"reset the token", "wait", wait)
		if err := dispatch.Sleep(ctx, wait); err != nil {
			return "", err
		}
	}
	return at.URL, nil
}

// identifyOrResume resumes the session, or starts one. Its only intent is for direct messages;
// interactions need none.
func (s *session) identifyOrResume(l *connection) error {
	token := string(s.discord.options.Token)
	if s.id != "" {
		return l.write(opResume, map[string]any{
			"token": token, "session_id": s.id, "seq": s.seq.Load(),
		})
	}
	s.starts.Allow() // awaitStart has waited for it
	s.identified = time.Now()
	return l.write(opIdentify, map[string]any{
		"token":   token,
		"intents": discordgo.IntentDirectMessages,
		"properties": map[string]string{
			"os": "linux", "browser": "maturitybot", "device": "maturitybot",
		},
	})
}

// closeError returns why a connection ended, and drops a session that cannot be resumed.
func (s *session) closeError(l *connection, err error) error {
	if l.ackMissed.Load() {
		return errors.New("a heartbeat was not acknowledged")
	}
	var c *websocket.CloseError
	if !errors.As(err, &c) {
		return fmt.Errorf("read from the gateway: %w", err)
	}
	switch c.Code {
	case closeToken:
		return fmt.Errorf("%w: Discord refuses the bot token; it may have been reset: copy it "+
			"from the page Bot at %s", errFatal, portal)
	case closeIntents, closeForbidden, closeVersion:
		return fmt.Errorf("%w: Discord no longer takes what this version of the bot asks for "+
			"(%d): use a newer one", errFatal, c.Code)
	case closeShard, closeSharding:
		return fmt.Errorf("%w: the bot is in more servers than one connection may serve: let it "+
			"serve an Interactions Endpoint URL instead, set on the page General Information at "+
			"%s", errFatal, portal)
	case closeNotIdentified, closeSequence, closeTimedOut,
		websocket.CloseNormalClosure, websocket.CloseGoingAway:
		s.forget()
	}
	return fmt.Errorf("read from the gateway: closed with %d", c.Code)
}

// connection is one connection.
type connection struct {
	socket    *websocket.Conn
	greeted   bool
	beats     sync.WaitGroup // the goroutine that sends heartbeats
	ended     chan struct{}
	acked     atomic.Bool // the last heartbeat was acknowledged
	ackMissed atomic.Bool // one was not
	mu        sync.Mutex  // guards writes
}

func (l *connection) write(op int, data any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.socket.SetWriteDeadline(time.Now().Add(requestTimeout))
	if err := l.socket.WriteJSON(map[string]any{"op": op, "d": data}); err != nil {
		return fmt.Errorf("write to the gateway: %w", err)
	}
	return nil
}

// close closes the connection with a code.
func (l *connection) close(code int) {
	message := websocket.FormatCloseMessage(code, "")
	_ = l.socket.WriteControl(websocket.CloseMessage, message, time.Now().Add(time.Second))
	_ = l.socket.Close()
}

func (l *connection) heartbeat(s *session) {
	var seq *int64 // null before the first event
	if n := s.seq.Load(); n > 0 {
		seq = &n
	}
	_ = l.write(opHeartbeat, seq) // when it fails, so does reading
}

// heartbeatLoop sends heartbeats, and ends the connection if one is not acknowledged by the time of
// the next.
func (l *connection) heartbeatLoop(s *session, interval time.Duration) {
	// Not all bots are to send theirs at once after an outage.
	wait := time.Duration(rand.Int64N(int64(interval)))
	for {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.ended:
			timer.Stop()
			return
		}
		if !l.acked.Swap(false) {
			l.ackMissed.Store(true)
			l.close(closeToResume)
			return
		}
		l.heartbeat(s)
		wait = interval
	}
}

// handleEvent takes one event. It waits for nothing, so that events keep their order.
func (s *session) handleEvent(p packet) {
	d := s.discord
	defer dispatch.RecoverAndLog(d.log, "taking a delivery")
	switch p.Type {
	case "READY":
		var ready struct {
			Session string `json:"session_id"`
			URL     string `json:"resume_gateway_url"`
		}
		if json.Unmarshal(p.Data, &ready) == nil {
			s.id, s.url = ready.Session, ready.URL
		}
		s.established = true
		d.options.Observer.Connected(1)
		d.log.Info("gateway ready")
	case "RESUMED":
		s.established = true
		d.options.Observer.Connected(1)
		d.log.Info("gateway resumed")
	case "INTERACTION_CREATE":
		d.onInteraction(p.Data)
	case "MESSAGE_CREATE":
		d.onMessage(p.Data)
	}
}
