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

	"maturitybot/bot/chat"
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
	// minReconnectDelay and longestPause bound the pause between connections, which doubles with
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
	// claimTimeout bounds a claim, and the suggestions for a user who is typing.
	claimTimeout = 1500 * time.Millisecond
	// responseTimeout bounds the first response: Discord takes it for three seconds.
	responseTimeout = 3 * time.Second
)

// errFatal marks errors that only a change in the Developer Portal corrects.
var errFatal = errors.New("the gateway cannot be used")

// session is a gateway session. It outlives its connections.
type session struct {
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
	s := session{starts: rate.NewLimiter(rate.Every(startInterval), startBurst)}
	pause := minReconnectDelay
	for ctx.Err() == nil {
		began := time.Now()
		s.established = false
		err := d.connect(ctx, &s)
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
func (d *Discord) connect(ctx context.Context, s *session) error {
	address := s.url
	if address == "" {
		var err error
		if address, err = d.gatewayURL(ctx, s); err != nil {
			return err
		}
	}
	dialer := &websocket.Dialer{HandshakeTimeout: requestTimeout, NetDialContext: d.options.Dial}
	if d.options.Dial == nil {
		dialer.Proxy = http.ProxyFromEnvironment
	}
	socket, res, err := dialer.DialContext(ctx, strings.TrimSuffix(address, "/")+"/?v=10&encoding=json", nil)
	if err != nil {
		s.url = "" // that address may be gone; the session is resumed elsewhere
		return fmt.Errorf("connect to the gateway: %w", d.client.caller.Redactor.Error(err))
	}
	_ = res.Body.Close()
	l := &connection{socket: socket, ended: make(chan struct{})}
	var beats sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { l.close(websocket.CloseNormalClosure) })
	defer func() {
		d.options.Observer.Connected(0)
		stop()
		close(l.ended)
		_ = socket.Close()
		beats.Wait()
	}()
	socket.SetReadLimit(longestPacket)
	_ = socket.SetReadDeadline(time.Now().Add(helloTimeout))
	greeted := false
	for {
		var p packet
		if err := socket.ReadJSON(&p); err != nil {
			return d.closeError(s, l, err)
		}
		if p.Seq != nil && p.Op == opDispatch {
			s.seq.Store(*p.Seq)
		}
		switch p.Op {
		case opHello:
			if greeted { // one heartbeat is enough
				continue
			}
			greeted = true
			var hello struct {
				Interval int64 `json:"heartbeat_interval"`
			}
			if json.Unmarshal(p.Data, &hello) != nil || hello.Interval <= 0 || hello.Interval > int64(time.Hour/time.Millisecond) {
				return errors.New("greet the gateway: it tells no interval")
			}
			_ = socket.SetReadDeadline(time.Time{}) // from here on heartbeats tell whether it lives
			l.acked.Store(true)
			beats.Go(func() { l.heartbeatLoop(s, time.Duration(hello.Interval)*time.Millisecond) })
			if err := d.identifyOrResume(s, l); err != nil {
				return err
			}
		case opHeartbeat:
			l.heartbeat(s)
		case opAck:
			l.acked.Store(true)
		case opReconnect:
			l.close(closeToResume)
			return errors.New("discord asks to connect again")
		case opInvalid:
			resumable := false
			_ = json.Unmarshal(p.Data, &resumable) // what it is not, it is not
			if !resumable {
				s.id, s.url = "", ""
				s.seq.Store(0)
			}
			l.close(closeToResume)
			return errors.New("discord says that the session is not valid")
		case opDispatch:
			d.handlePacket(s, p)
		}
	}
}

// gatewayURL returns the address to connect to. It waits if too many sessions were started today.
func (d *Discord) gatewayURL(ctx context.Context, s *session) (string, error) {
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
	err := d.client.do(ctx, get("ask for the gateway", "gateway/bot"), &at)
	if r, ok := errors.AsType[*apiError](err); ok && r.status == http.StatusUnauthorized {
		return "", fmt.Errorf("%w: Discord refuses the bot token; it may have been reset: copy "+
			"it from the page Bot at %s: %w", errFatal, portal, err)
	}
	if err != nil {
		return "", err
	}
	if s.id == "" && at.Limit.Total > 0 && at.Limit.Remaining == 0 {
		wait := time.Duration(at.Limit.After)*time.Millisecond + time.Second // not a moment too early
		d.log.Error("too many gateway sessions were begun today: waiting, since Discord would "+
			"reset the token", "wait", wait)
		if err := dispatch.Sleep(ctx, wait); err != nil {
			return "", err
		}
	}
	return at.URL, nil
}

// identifyOrResume resumes the session, or starts one. Its only intent is for direct messages;
// interactions need none.
func (d *Discord) identifyOrResume(s *session, l *connection) error {
	if s.id != "" {
		return l.write(opResume, map[string]any{"token": string(d.options.Token), "session_id": s.id, "seq": s.seq.Load()})
	}
	s.starts.Allow() // awaitStart has waited for it
	s.identified = time.Now()
	return l.write(opIdentify, map[string]any{
		"token": string(d.options.Token), "intents": discordgo.IntentDirectMessages,
		"properties": map[string]string{"os": "linux", "browser": "maturitybot", "device": "maturitybot"},
	})
}

// closeError returns why a connection ended, and drops a session that cannot be resumed.
func (d *Discord) closeError(s *session, l *connection, err error) error {
	if l.ackMissed.Load() {
		return errors.New("no answer to heartbeats: the line was dead")
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
	case closeNotIdentified, closeSequence, closeTimedOut, websocket.CloseNormalClosure, websocket.CloseGoingAway:
		s.id, s.url = "", ""
		s.seq.Store(0)
	}
	return fmt.Errorf("read from the gateway: closed with %d", c.Code)
}

// connection is one connection.
type connection struct {
	socket    *websocket.Conn
	ended     chan struct{}
	acked     atomic.Bool // the last heartbeat was answered
	ackMissed atomic.Bool // one was not
	mu        sync.Mutex  // writes
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
	_ = l.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
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

// handlePacket takes one event. It waits for nothing, so that events keep their order.
func (d *Discord) handlePacket(s *session, p packet) {
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

// onInteraction takes an interaction, and answers it in another goroutine.
func (d *Discord) onInteraction(payload []byte) {
	g, err := decodeInteraction(payload, d.options.Commands)
	if err != nil {
		d.log.Warn("interaction not understood", "error", err)
		if !errors.Is(err, errForeign) {
			return
		}
	}
	if g.kind != gestureMade {
		at := time.Now()
		d.running.Go(func() {
			if said, ok := d.immediateResponse(context.Background(), g); ok && d.claimed(g.event.ID) {
				if err := d.sendResponse(context.Background(), g, at, said); err != nil {
					d.log.Info("not answered", "error", err)
				}
			}
		})
		return
	}
	x, err := d.accept(g, payload, time.Now(), true)
	if err != nil {
		d.log.Error("interaction not taken", "error", err)
		return
	}
	if x.ticket.Duplicate {
		return
	}
	d.running.Go(func() { d.claim(x) })
	d.running.Go(func() {
		// What was begun is finished, also when the connection ends.
		ctx := context.Background()
		answer := d.awaitResponse(ctx, x)
		if !x.waitClaim(x.arrived.Add(formTimeout)) {
			x.answeredElsewhere = true
			close(x.answered)
			return
		}
		d.responded(x, d.sendResponse(ctx, g, x.arrived, answer))
	})
}

// sendResponse sends the first response to an interaction. It is repeated while there is time: if
// an earlier attempt has arrived after all, Discord says so.
func (d *Discord) sendResponse(ctx context.Context, g inbound, at time.Time, answer response) error {
	ctx, cancel := context.WithDeadline(ctx, at.Add(responseTimeout))
	defer cancel()
	r := request{
		what: "answer an interaction", method: http.MethodPost,
		path:   "interactions/" + g.origin.Interaction + "/" + g.origin.Token + "/callback",
		bucket: "interactions/" + g.origin.Interaction, body: answer, own: true,
	}
	for try := 1; ; try++ {
		err := d.client.do(ctx, r, nil)
		switch {
		case try > 1 && code(err) == discordgo.ErrCodeInteractionHasAlreadyBeenAcknowledged:
			return nil
		case !errors.Is(err, chat.ErrUnsure), dispatch.Sleep(ctx, tokenRetryDelay) != nil:
			return err
		}
	}
}

// claim finds out whether this process answers an exchange, and closes claimDone.
func (d *Discord) claim(x *exchange) {
	if x.claimDone == nil {
		return
	}
	x.claimedElsewhere = !d.claimed(x.event.ID)
	close(x.claimDone)
}

// claimed returns true if this process is to answer an event. It also does so if the claim fails:
// Discord then takes the first response.
func (d *Discord) claimed(event string) bool {
	if d.options.Claims == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), claimTimeout)
	defer cancel()
	mine, err := d.options.Claims.Claim(ctx, claimName(event))
	if err != nil {
		d.log.Warn("not known whether another process answers", "error", err)
		return true
	}
	return mine
}

// claimName returns the name under which an event is claimed.
func claimName(event string) string { return "discord " + event }

// waitClaim waits, no longer than until a time, and returns true if this process answers.
func (x *exchange) waitClaim(until time.Time) bool {
	if x.claimDone == nil {
		return true
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-x.claimDone:
		return !x.claimedElsewhere
	case <-timer.C:
		return true
	}
}

// withClaims is a responder that passes an event on to the bot, unless another process has claimed
// it, or it comes from a server that is not listed.
type withClaims struct {
	chat.Responder
	discord *Discord
}

// Handle does what the event asks for, unless another process does.
func (c withClaims) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	d := c.discord
	d.mu.Lock()
	x := d.byEvent[e.ID]
	d.mu.Unlock()
	if x != nil && !x.waitClaim(x.arrived.Add(claimTimeout)) {
		return nil
	}
	if !d.allowsGuild(e.Where.Workspace) {
		// The bot says nothing in other servers: a press changes nothing, and the deferred answer
		// to a command is removed.
		d.log.Warn("event dropped: its server is not listed", "guild", e.Where.Workspace)
		return nil
	}
	return c.Responder.Handle(ctx, e)
}

// onMessage takes a direct message to the bot. Its text is not read.
func (d *Discord) onMessage(payload []byte) {
	var m struct {
		ID      string `json:"id"`
		Type    int    `json:"type"`
		Channel string `json:"channel_id"`
		Guild   string `json:"guild_id"`
		Author  struct {
			ID  string `json:"id"`
			Bot bool   `json:"bot"`
		} `json:"author"`
	}
	const written, answered = 0, 19
	if json.Unmarshal(payload, &m) != nil || m.Author.Bot || m.Author.ID == d.app ||
		m.Guild != "" || m.Type != written && m.Type != answered {
		return
	}
	id, known := snowflake(m.ID)
	_, who := snowflake(m.Author.ID)
	_, where := snowflake(m.Channel)
	if !known || !who || !where {
		return
	}
	x, err := d.accept(inbound{
		event: chat.Event{
			ID: m.ID, Kind: chat.Message, At: snowflakeTime(id), Who: person(m.Author.ID),
			Where: place("", m.Channel), Private: true, Community: chat.Server,
		},
		origin: origin{Channel: m.Channel},
	}, nil, time.Now(), true)
	if err != nil {
		d.log.Error("message not taken", "error", err)
		return
	}
	if x.ticket.Duplicate {
		return
	}
	x.tokenDead = true // there is no interaction to answer
	d.running.Go(func() {
		d.claim(x)
		x.answeredElsewhere = x.claimedElsewhere
		close(x.answered)
	})
}

// immediateResponse returns the response to an interaction that the bot does not handle.
func (d *Discord) immediateResponse(ctx context.Context, g inbound) (response, bool) {
	switch g.kind {
	case ping:
		return pongResponse, true
	case dismissed:
		return deferredUpdate, true
	case completing:
		var options []chat.Option
		if d.options.Suggest != nil && d.allowsGuild(g.origin.Guild) {
			ctx, cancel := context.WithTimeout(ctx, claimTimeout)
			defer cancel()
			options = d.suggest(ctx, g)
		}
		return choicesResponse(options), true
	}
	return response{}, false
}

func (d *Discord) suggest(ctx context.Context, g inbound) (options []chat.Option) {
	defer dispatch.RecoverAndLog(d.log, "suggesting")
	return d.options.Suggest(ctx, g.event, g.typing)
}
