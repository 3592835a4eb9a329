package fake

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// socket is one connection of the app.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex // writes
}

func (c *socket) write(body any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn.WriteJSON(body)
}

// envelope is a delivery by sockets that is not acknowledged yet.
type envelope struct {
	id      string
	d       *delivery
	on      *socket
	tries   int
	answers chan []byte // payload of the acknowledgement
}

// link accepts a socket.
func (s *Server) link(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if wrong, ok := errors.AsType[websocket.HandshakeError](err); ok {
		s.t.Errorf("upgrade: %v", wrong)
	}
	if err != nil { // the connection was cut
		return
	}
	c := &socket{conn: conn}
	s.mu.Lock()
	s.sockets = append(s.sockets, c)
	n := len(s.sockets)
	bounce := s.bounce
	s.mu.Unlock()
	gone := make(chan struct{})
	defer func() {
		close(gone)
		conn.Close()
		s.leave(c)
	}()
	if c.write(answer{
		"type": "hello", "num_connections": n, "connection_info": answer{"app_id": App},
		"debug_info": answer{"host": "fake", "approximate_connection_time": 3600},
	}) != nil {
		return
	}
	if bounce {
		c.write(answer{"type": "disconnect", "reason": "warning"})
		return
	}
	go func() { // Slack pings, and the app treats silence as a dead connection
		ticker := time.NewTicker(10 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				c.mu.Lock()
				conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second))
				c.mu.Unlock()
			case <-gone:
				return
			}
		}
	}()
	s.mu.Lock()
	s.Tick()
	waiting := slices.Clone(s.unacked)
	s.mu.Unlock()
	for _, e := range waiting {
		s.mu.Lock()
		alone := e.on == nil
		s.mu.Unlock()
		if alone {
			s.sendOn(c, e)
		}
	}
	for {
		var said struct {
			ID      string          `json:"envelope_id"`
			Payload json.RawMessage `json:"payload"`
		}
		if conn.ReadJSON(&said) != nil {
			return
		}
		if said.ID == "" {
			s.t.Errorf("an acknowledgement of no envelope")
			continue
		}
		s.mu.Lock()
		i := slices.IndexFunc(s.unacked, func(e *envelope) bool { return e.id == said.ID })
		if i >= 0 {
			e := s.unacked[i]
			s.unacked = slices.Delete(s.unacked, i, i+1)
			e.answers <- said.Payload
		}
		s.Tick()
		s.mu.Unlock()
	}
}

// leave removes a connection, and delivers over another one what was not acknowledged on it.
func (s *Server) leave(c *socket) {
	s.mu.Lock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == c })
	var again []*envelope
	for _, e := range s.unacked {
		if e.on == c {
			e.on = nil
			again = append(again, e)
		}
	}
	s.Tick()
	s.mu.Unlock()
	for _, e := range again {
		if next := s.nextOf(); next != nil {
			s.sendOn(next, e)
		}
	}
}

// nextOf returns the connection for the next payload: each in turn.
func (s *Server) nextOf() *socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sockets) == 0 {
		return nil
	}
	s.nextSocket++
	return s.sockets[s.nextSocket%len(s.sockets)]
}

func (s *Server) sendOn(c *socket, e *envelope) {
	s.mu.Lock()
	e.on = c
	e.tries++
	body := answer{
		"type": e.d.kind, "envelope_id": e.id, "payload": json.RawMessage(e.d.payload),
		"accepts_response_payload": e.d.kind != "events_api",
	}
	if e.d.kind == "events_api" {
		body["retry_attempt"], body["retry_reason"] = e.tries-1+e.d.retries, ""
	}
	s.mu.Unlock()
	c.write(body)
}

// ErrNoSocket is the result of a delivery while the app has no connection. The delivery waits for
// one.
var ErrNoSocket = errors.New("no socket is open")

// send delivers through one of the sockets.
func (s *Server) send(d *delivery) Ack {
	s.mu.Lock()
	e := &envelope{id: s.id("E"), d: d, answers: make(chan []byte, 1)}
	s.unacked = append(s.unacked, e)
	s.mu.Unlock()
	c := s.nextOf()
	if c != nil {
		s.sendOn(c, e)
	}
	timer := time.NewTimer(s.AckLimit() + 100*time.Millisecond)
	defer timer.Stop()
	select {
	case payload := <-e.answers:
		return Ack{Status: http.StatusOK, Body: payload}
	case <-timer.C:
	case <-s.ended:
	}
	if c == nil {
		return Ack{Err: ErrNoSocket}
	}
	return Ack{Err: errors.New("no acknowledgement")}
}

// Raw sends any message to the app over one of its sockets. It returns the payload of the
// acknowledgement of an id, or an error if none comes.
func (s *Server) Raw(message map[string]any) Ack {
	id, _ := message["envelope_id"].(string)
	e := &envelope{id: id, d: &delivery{}, answers: make(chan []byte, 1)}
	c := s.nextOf()
	if c == nil {
		return Ack{Err: ErrNoSocket}
	}
	s.mu.Lock()
	e.on = c
	s.unacked = append(s.unacked, e)
	s.mu.Unlock()
	began := time.Now()
	c.write(message)
	timer := time.NewTimer(s.AckLimit() + 100*time.Millisecond)
	defer timer.Stop()
	select {
	case payload := <-e.answers:
		took := time.Since(began)
		return Ack{Status: http.StatusOK, Body: payload, Took: took, late: took > s.AckLimit()}
	case <-timer.C:
		return Ack{Err: errors.New("no acknowledgement"), Took: time.Since(began)}
	}
}

// Unacked returns how many envelopes are not acknowledged.
func (s *Server) Unacked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unacked)
}

// Sockets returns how many connections the app has open.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// Disconnect ends one of the sockets with a reason, as Slack does every few hours: "warning",
// "refresh_requested" or "link_disabled".
func (s *Server) Disconnect(reason string) {
	if c := s.nextOf(); c != nil {
		c.write(answer{"type": "disconnect", "reason": reason, "debug_info": answer{"host": "fake"}})
	}
}

// Cut closes every socket without a disconnect message.
func (s *Server) Cut() {
	s.mu.Lock()
	all := slices.Clone(s.sockets)
	s.mu.Unlock()
	for _, c := range all {
		c.conn.Close()
	}
}

// Bounce makes every new socket end as soon as it opens, until it is called with false.
func (s *Server) Bounce(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bounce = on
}

// SocketMode turns Socket Mode, which is on at first, on or off. Turning it off ends every socket
// as Slack does.
func (s *Server) SocketMode(on bool) {
	s.mu.Lock()
	s.socketsOff = !on
	n := len(s.sockets)
	s.mu.Unlock()
	for range n {
		if !on {
			s.Disconnect("link_disabled")
		}
	}
}
