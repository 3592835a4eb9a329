package fake

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// Gateway is the gateway of a Server: its sessions and connections.
type Gateway struct {
	server     *Server // whose mutex guards the fields
	interval   time.Duration
	sessions   map[string]*session
	sockets    []*socket
	starts     int       // that may still be started today
	reset      time.Time // when all may be started again
	beats      int
	deaf       bool
	greetings  []packet // the first packets of the next connections, after hello
	identifies int
	resumes    int
	refuse     int // closes every connection at once with this code, if not zero
}

type packet struct {
	Op   int    `json:"op"`
	Data any    `json:"d"`
	Seq  *int   `json:"s,omitempty"`
	Type string `json:"t,omitempty"`
}

// session outlives its connections.
type session struct {
	id     string
	events []packet
	on     *socket
}

// socket is one connection of the bot.
type socket struct {
	conn  *websocket.Conn
	out   chan any // a packet, or the code to close with: each end of a pipe may be writing
	ended chan struct{}
	host  string // where the bot reached it
	s     *session
}

func (c *socket) put(v any) {
	select {
	case c.out <- v:
	case <-c.ended:
	}
}

func (c *socket) write(p packet) { c.put(p) }
func (c *socket) close(code int) { c.put(code) }

// send writes the packets of a connection until it has ended.
func (c *socket) send() {
	for {
		select {
		case v := <-c.out:
			if code, ok := v.(int); ok {
				message := websocket.FormatCloseMessage(code, "")
				c.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(time.Second))
				c.conn.Close()
				return
			}
			c.conn.WriteJSON(v)
		case <-c.ended:
			return
		}
	}
}

// link serves a connection. It does not hold the mutex.
func (g *Gateway) link(w http.ResponseWriter, r *http.Request) {
	want := url.Values{"v": {"10"}, "encoding": {"json"}}
	if got := r.URL.Query(); got.Encode() != want.Encode() {
		g.server.t.Errorf("the gateway is asked for %q", got.Encode())
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if wrong, ok := errors.AsType[websocket.HandshakeError](err); ok {
		g.server.t.Errorf("upgrade: %v", wrong)
	}
	if err != nil { // the connection was cut
		return
	}
	c := &socket{conn: conn, out: make(chan any, 1024), ended: make(chan struct{}), host: r.Host}
	go c.send()
	g.server.mu.Lock()
	g.sockets = append(g.sockets, c)
	interval, refuse := g.interval, g.refuse
	var greeting *packet
	if all := g.greetings; len(all) > 0 {
		greeting, g.greetings = &all[0], all[1:]
	}
	g.server.Tick()
	g.server.mu.Unlock()
	defer func() {
		conn.Close()
		close(c.ended)
		g.server.mu.Lock()
		g.sockets = slices.DeleteFunc(g.sockets, func(o *socket) bool { return o == c })
		if c.s != nil && c.s.on == c {
			c.s.on = nil
		}
		g.server.Tick()
		g.server.mu.Unlock()
	}()
	if refuse != 0 {
		c.close(refuse)
		c.drain()
		return
	}
	c.write(packet{Op: 10, Data: answer{"heartbeat_interval": interval.Milliseconds()}})
	if greeting != nil {
		c.write(*greeting)
		if greeting.Op == 7 {
			c.drain()
			return
		}
	}
	for {
		var in struct {
			Op   int             `json:"op"`
			Data json.RawMessage `json:"d"`
		}
		if err := conn.ReadJSON(&in); err != nil {
			return
		}
		switch in.Op {
		case 1:
			g.server.mu.Lock()
			deaf := g.deaf
			g.beats++
			g.server.Tick()
			g.server.mu.Unlock()
			if !deaf {
				c.write(packet{Op: 11})
			}
		case 2:
			g.identify(c, in.Data)
		case 6:
			g.resume(c, in.Data)
		}
	}
}

// drain reads until the other side has closed the connection.
func (c *socket) drain() {
	for {
		if _, _, err := c.conn.ReadMessage(); err != nil {
			return
		}
	}
}

func (g *Gateway) identify(c *socket, data []byte) {
	var in struct {
		Token      string            `json:"token"`
		Intents    *int              `json:"intents"`
		Properties map[string]string `json:"properties"`
	}
	json.Unmarshal(data, &in)
	switch {
	case in.Token != Token:
		c.close(4004)
		return
	case in.Intents == nil, in.Properties["os"] == "":
		g.server.t.Errorf("an identify without intents or properties")
		c.close(4002)
		return
	case *in.Intents&^(1<<12) != 0: // direct messages
		g.server.t.Errorf("intents %d: more than direct messages", *in.Intents)
		c.close(4014)
		return
	}
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.identifies++
	if g.left() < 1 {
		g.server.t.Errorf("a session too many: Discord resets the token")
	}
	g.starts--
	resumes := c.host
	if resumes == "discord.fake" {
		resumes = "resume.discord.fake"
	}
	c.s = &session{id: "session" + strconv.Itoa(g.server.Tick()), on: c}
	g.sessions[c.s.id] = c.s
	g.emit(c.s, "READY", answer{
		"v": 10, "user": answer{"id": App}, "session_id": c.s.id,
		"guilds":             []answer{{"id": Guild, "unavailable": true}},
		"resume_gateway_url": "ws://" + resumes + "/gateway", "application": answer{"id": App},
	})
}

func (g *Gateway) resume(c *socket, data []byte) {
	var in struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Seq     int    `json:"seq"`
	}
	json.Unmarshal(data, &in)
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	known := g.sessions[in.Session]
	if known == nil || in.Token != Token {
		c.write(packet{Op: 9, Data: false})
		return
	}
	g.resumes++
	c.s, known.on = known, c
	for _, p := range known.events {
		if *p.Seq > in.Seq {
			c.write(p)
		}
	}
	g.emit(known, "RESUMED", answer{})
}

// emit sends an event to a session, now or when it is resumed. The caller holds the mutex.
func (g *Gateway) emit(to *session, kind string, data any) {
	seq := len(to.events) + 1
	p := packet{Data: data, Seq: &seq, Type: kind}
	to.events = append(to.events, p)
	if to.on != nil {
		to.on.write(p)
	}
	g.server.Tick()
}

// Event delivers any event to every session.
func (g *Gateway) Event(kind string, data any) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	for _, to := range g.sessions {
		g.emit(to, kind, data)
	}
}

// Sessions returns how many sessions have a connection.
func (g *Gateway) Sessions() int {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	n := 0
	for _, x := range g.sessions {
		if x.on != nil {
			n++
		}
	}
	return n
}

// Sockets returns how many connections the bot has open.
func (g *Gateway) Sockets() int {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	return len(g.sockets)
}

// Begun returns how many sessions were started.
func (g *Gateway) Begun() int {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	return g.identifies
}

// Resumed returns how many connections resumed a session.
func (g *Gateway) Resumed() int {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	return g.resumes
}

// each calls a function for every connection.
func (g *Gateway) each(do func(*socket)) {
	g.server.mu.Lock()
	all := slices.Clone(g.sockets)
	g.server.mu.Unlock()
	for _, c := range all {
		do(c)
	}
}

// Reconnect asks every connection to reconnect, as Discord does when it restarts.
func (g *Gateway) Reconnect() { g.each(func(c *socket) { c.write(packet{Op: 7}) }) }

// Invalidate sends an invalid session to every connection. A session that is not resumable is
// forgotten.
func (g *Gateway) Invalidate(resumable bool) {
	if !resumable {
		g.server.mu.Lock()
		clear(g.sessions)
		g.server.mu.Unlock()
	}
	g.each(func(c *socket) { c.write(packet{Op: 9, Data: resumable}) })
}

// CloseWith ends every connection with a code.
func (g *Gateway) CloseWith(code int) { g.each(func(c *socket) { c.close(code) }) }

// Cut ends every connection without a close frame.
func (g *Gateway) Cut() { g.each(func(c *socket) { c.conn.Close() }) }

// Deaf stops the acknowledgement of heartbeats, or resumes it, as on a dead connection.
func (g *Gateway) Deaf(on bool) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.deaf = on
}

// Greet makes each of the next connections begin with a request to reconnect (7), an invalid
// session (9) or a second hello (10).
func (g *Gateway) Greet(ops ...int) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	for _, op := range ops {
		p := packet{Op: op, Data: false}
		if op == 10 {
			p.Data = answer{"heartbeat_interval": g.interval.Milliseconds()}
		}
		g.greetings = append(g.greetings, p)
	}
}

// Refuse closes every connection from now on with a code, until it is called with zero.
func (g *Gateway) Refuse(code int) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.refuse = code
}

// Starts sets how many sessions may be started within the next hour.
func (g *Gateway) Starts(n int) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.starts, g.reset = n, g.server.now().Add(time.Hour)
}

// left returns how many sessions may still be started. The caller holds the mutex.
func (g *Gateway) left() int {
	if !g.reset.After(g.server.now()) && !g.reset.IsZero() {
		g.starts, g.reset = 1000, time.Time{}
	}
	return g.starts
}

// Heartbeats returns how many heartbeats the bot has sent.
func (g *Gateway) Heartbeats() int {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	return g.beats
}

// Beat asks every connection for a heartbeat.
func (g *Gateway) Beat() { g.each(func(c *socket) { c.write(packet{Op: 1}) }) }
