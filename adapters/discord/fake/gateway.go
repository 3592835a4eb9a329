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

// gateway is what the server knows of connections.
type gateway struct {
	interval   time.Duration
	sessions   map[string]*session
	sockets    []*socket
	starts     int       // that are left today
	reset      time.Time // when there are all again
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

// send writes what is put, until the connection has ended.
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

// link takes a connection. It does not hold the mutex.
func (s *Server) link(w http.ResponseWriter, r *http.Request) {
	want := url.Values{"v": {"10"}, "encoding": {"json"}}
	if got := r.URL.Query(); got.Encode() != want.Encode() {
		s.t.Errorf("the gateway is asked for %q", got.Encode())
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if wrong, ok := errors.AsType[websocket.HandshakeError](err); ok {
		s.t.Errorf("upgrade: %v", wrong)
	}
	if err != nil { // or the connection was cut
		return
	}
	c := &socket{conn: conn, out: make(chan any, 1024), ended: make(chan struct{}), host: r.Host}
	go c.send()
	s.mu.Lock()
	s.gateway.sockets = append(s.gateway.sockets, c)
	interval, refuse := s.gateway.interval, s.gateway.refuse
	var greeting *packet
	if all := s.gateway.greetings; len(all) > 0 {
		greeting, s.gateway.greetings = &all[0], all[1:]
	}
	s.Tick()
	s.mu.Unlock()
	defer func() {
		conn.Close()
		close(c.ended)
		s.mu.Lock()
		s.gateway.sockets = slices.DeleteFunc(s.gateway.sockets, func(o *socket) bool { return o == c })
		if c.s != nil && c.s.on == c {
			c.s.on = nil
		}
		s.Tick()
		s.mu.Unlock()
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
			s.mu.Lock()
			deaf := s.gateway.deaf
			s.gateway.beats++
			s.Tick()
			s.mu.Unlock()
			if !deaf {
				c.write(packet{Op: 11})
			}
		case 2:
			s.identify(c, in.Data)
		case 6:
			s.resume(c, in.Data)
		}
	}
}

// drain reads until the other side has gone.
func (c *socket) drain() {
	for {
		if _, _, err := c.conn.ReadMessage(); err != nil {
			return
		}
	}
}

func (s *Server) identify(c *socket, data []byte) {
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
		s.t.Errorf("an identify without intents or properties")
		c.close(4002)
		return
	case *in.Intents&^(1<<12) != 0: // direct messages
		s.t.Errorf("intents %d: more than what people write to the bot", *in.Intents)
		c.close(4014)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.identifies++
	if s.left() < 1 {
		s.t.Errorf("a session too many: Discord resets the token")
	}
	s.gateway.starts--
	resumes := c.host
	if resumes == "discord.fake" {
		resumes = "resume.discord.fake"
	}
	c.s = &session{id: "session" + strconv.Itoa(s.Tick()), on: c}
	s.gateway.sessions[c.s.id] = c.s
	s.emit(c.s, "READY", answer{
		"v": 10, "user": answer{"id": App}, "session_id": c.s.id,
		"guilds":             []answer{{"id": Guild, "unavailable": true}},
		"resume_gateway_url": "ws://" + resumes + "/gateway", "application": answer{"id": App},
	})
}

func (s *Server) resume(c *socket, data []byte) {
	var in struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Seq     int    `json:"seq"`
	}
	json.Unmarshal(data, &in)
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.gateway.sessions[in.Session]
	if known == nil || in.Token != Token {
		c.write(packet{Op: 9, Data: false})
		return
	}
	s.gateway.resumes++
	c.s, known.on = known, c
	for _, p := range known.events {
		if *p.Seq > in.Seq {
			c.write(p)
		}
	}
	s.emit(known, "RESUMED", answer{})
}

// emit sends an event to a session, now or when it is resumed. The caller holds the mutex.
func (s *Server) emit(to *session, kind string, data any) {
	seq := len(to.events) + 1
	p := packet{Data: data, Seq: &seq, Type: kind}
	to.events = append(to.events, p)
	if to.on != nil {
		to.on.write(p)
	}
	s.Tick()
}

// Event delivers any event to every session.
func (s *Server) Event(kind string, data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, to := range s.gateway.sessions {
		s.emit(to, kind, data)
	}
}

// Sessions is how many sessions have a connection.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, x := range s.gateway.sessions {
		if x.on != nil {
			n++
		}
	}
	return n
}

// Sockets is how many connections the bot has open.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.gateway.sockets)
}

// Begun is how many sessions were begun.
func (s *Server) Begun() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gateway.identifies
}

// Resumed is how many connections went on with a session.
func (s *Server) Resumed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gateway.resumes
}

// each does something with every connection.
func (s *Server) each(do func(*socket)) {
	s.mu.Lock()
	all := slices.Clone(s.gateway.sockets)
	s.mu.Unlock()
	for _, c := range all {
		do(c)
	}
}

// Reconnect asks every connection to begin anew, as Discord does when it restarts.
func (s *Server) Reconnect() { s.each(func(c *socket) { c.write(packet{Op: 7}) }) }

// Invalidate tells every connection that its session is not valid. One that is not resumable is
// forgotten.
func (s *Server) Invalidate(resumable bool) {
	if !resumable {
		s.mu.Lock()
		clear(s.gateway.sessions)
		s.mu.Unlock()
	}
	s.each(func(c *socket) { c.write(packet{Op: 9, Data: resumable}) })
}

// CloseWith ends every connection with a code.
func (s *Server) CloseWith(code int) { s.each(func(c *socket) { c.close(code) }) }

// Cut ends every connection without a word.
func (s *Server) Cut() { s.each(func(c *socket) { c.conn.Close() }) }

// Deaf lets heartbeats go unanswered, or no longer, as on a line that is dead without having ended.
func (s *Server) Deaf(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.deaf = on
}

// Greet lets the next connections begin with requests to reconnect (7), invalid sessions (9) or a
// second hello (10), one each.
func (s *Server) Greet(ops ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range ops {
		p := packet{Op: op, Data: false}
		if op == 10 {
			p.Data = answer{"heartbeat_interval": s.gateway.interval.Milliseconds()}
		}
		s.gateway.greetings = append(s.gateway.greetings, p)
	}
}

// Refuse closes every connection from now on with a code, or takes them again when it is zero.
func (s *Server) Refuse(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.refuse = code
}

// Starts sets how many sessions may begin within the next hour.
func (s *Server) Starts(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.starts, s.gateway.reset = n, s.now().Add(time.Hour)
}

// left is how many sessions may begin. The caller holds the mutex.
func (s *Server) left() int {
	if !s.gateway.reset.After(s.now()) && !s.gateway.reset.IsZero() {
		s.gateway.starts, s.gateway.reset = 1000, time.Time{}
	}
	return s.gateway.starts
}

// Heartbeats is how many the bot has sent.
func (s *Server) Heartbeats() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gateway.beats
}

// Beat asks every connection for a heartbeat.
func (s *Server) Beat() { s.each(func(c *socket) { c.write(packet{Op: 1}) }) }
