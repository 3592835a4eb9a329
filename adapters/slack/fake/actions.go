package fake

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"maturitybot/adapters/platformtest"
)

// Ack is the bot's response to a delivery.
type Ack struct {
	Status  int // of HTTP; 200 for an acknowledgement by a socket
	Header  http.Header
	Body    []byte            // of the answer, or the payload of a socket's
	Errors  map[string]string // field errors of a submission, by block
	Blocked string            // why Slack did not send a submission
	Took    time.Duration
	late    bool
	Err     error // no answer
}

// OK reports whether Slack accepts it as an acknowledgement.
func (a Ack) OK() bool {
	return a.Err == nil && a.Blocked == "" && a.Status == http.StatusOK && !a.late
}

// delivery is one event, interaction or command that Slack sends to the app.
type delivery struct {
	kind    string // "events_api", "interactive" or "slash_commands"
	payload []byte // JSON
	form    url.Values
	retries int
	user    string
	view    *View // that was sent, if one was
}

// Sign signs a request with a body as Slack does, with the given time.
func Sign(r *http.Request, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(Secret))
	fmt.Fprintf(mac, "v0:%s:", stamp)
	mac.Write(body)
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

// Serve delivers to a handler by HTTP instead of sockets.
func (s *Server) Serve(h http.Handler) {
	client := platformtest.Serve(s.t, h).Client(s.t)
	s.mu.Lock()
	s.handler = client
	s.mu.Unlock()
}

// pressed is the message with the button that was pressed.
type pressed struct {
	channel, ts string
	whispered   bool
	blocks      json.RawMessage
}

// Press presses a button of a message, or picks an option of its menu by value. It also sends an
// action that the message does not have, as a user with a client of their own could.
func (s *Server) Press(user string, m Message, actionID, picked string) Ack {
	return s.press(user, &pressed{m.Channel, m.TS, m.For != "", m.Blocks}, actionID, picked)
}

// PressHome presses a button in the user's App Home.
func (s *Server) PressHome(user, actionID, picked string) Ack {
	return s.press(user, nil, actionID, picked)
}

func (s *Server) press(user string, on *pressed, actionID, picked string) Ack {
	s.mu.Lock()
	at := s.Action(user)
	now := fmt.Sprintf("%d.%06d", at.Unix(), at.UnixMicro()%1e6)
	action := answer{"type": "button", "action_id": actionID, "block_id": "b1", "action_ts": now}
	if picked != "" {
		action = answer{
			"type": "static_select", "action_id": actionID, "block_id": "b1", "action_ts": now,
			"selected_option": answer{"text": answer{"type": "plain_text", "text": picked}, "value": picked},
		}
	}
	body := answer{
		"type":                  "block_actions",
		"api_app_id":            App,
		"token":                 "verification",
		"trigger_id":            s.trigger(user),
		"actions":               []answer{action},
		"user":                  s.who(user),
		"team":                  answer{"id": Team, "domain": "fake"},
		"enterprise":            nil,
		"is_enterprise_install": false,
		"state":                 answer{"values": answer{}},
	}
	if on == nil {
		view := answer{"id": "V0", "type": "home", "team_id": Team}
		if home := s.homes[user]; home != nil {
			view["id"], view["hash"] = home.ID, home.Hash
		}
		body["container"] = answer{"type": "view", "view_id": view["id"]}
		body["view"] = view
	} else {
		body["container"] = answer{
			"type": "message", "message_ts": on.ts, "channel_id": on.channel,
			"is_ephemeral": on.whispered,
		}
		body["channel"] = answer{"id": on.channel, "name": "channel"}
		body["response_url"] = s.hook(user, on.channel, on.ts)
		if !on.whispered {
			body["message"] = answer{
				"type": "message", "user": Bot, "bot_id": BotID, "ts": on.ts, "blocks": on.blocks,
			}
		}
	}
	s.mu.Unlock()
	return s.deliver(&delivery{kind: "interactive", payload: encode(body), user: user})
}

func (s *Server) who(user string) answer {
	team := Team
	if u := s.users[user]; u != nil && u.Stranger {
		team = Other
	}
	name := strings.ToLower(user)
	return answer{"id": user, "username": name, "name": name, "team_id": team}
}

func encode(body any) []byte {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // it is made of strings
	}
	return raw
}

// Command types a slash command in a channel, or in the conversation with the bot if the channel
// is empty.
func (s *Server) Command(user, channel, text string) Ack {
	if channel == "" {
		channel = IM(user)
	}
	s.mu.Lock()
	form := url.Values{
		"command":               {"/maturity"},
		"text":                  {text},
		"user_id":               {user},
		"user_name":             {strings.ToLower(user)},
		"channel_id":            {channel},
		"channel_name":          {"directmessage"},
		"team_id":               {Team},
		"team_domain":           {"fake"},
		"api_app_id":            {App},
		"token":                 {"verification"},
		"is_enterprise_install": {"false"},
		"trigger_id":            {s.trigger(user)},
		"response_url":          {s.hook(user, channel, "")},
	}
	s.mu.Unlock()
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	return s.deliver(&delivery{
		kind: "slash_commands", payload: encode(fields), form: form, user: user,
	})
}

// Say writes a message to the bot.
func (s *Server) Say(user, text string) Ack {
	s.mu.Lock()
	ts := s.stamp()
	event := answer{
		"type":          "message",
		"channel":       IM(user),
		"channel_type":  "im",
		"user":          user,
		"team":          Team,
		"text":          text,
		"ts":            ts,
		"event_ts":      ts,
		"client_msg_id": s.id("c"),
	}
	s.messages = append(s.messages, &Message{
		Channel: IM(user), TS: ts, From: user, Text: text, Changed: s.Tick(),
	})
	s.mu.Unlock()
	return s.Event(event)
}

// OpenHome opens App Home.
func (s *Server) OpenHome(user string) Ack {
	s.mu.Lock()
	event := answer{
		"type":     "app_home_opened",
		"user":     user,
		"channel":  IM(user),
		"tab":      "home",
		"event_ts": s.stamp(),
	}
	s.mu.Unlock()
	return s.Event(event)
}

// ChangeUser replaces a user's profile, and sends the app the event.
func (s *Server) ChangeUser(u User) Ack {
	s.AddUser(u)
	return s.Event(map[string]any{"type": "user_change", "user": u.profile(true)})
}

// Event delivers any event of the Events API.
func (s *Server) Event(event map[string]any) Ack {
	s.mu.Lock()
	body := answer{
		"type":                  "event_callback",
		"token":                 "verification",
		"team_id":               Team,
		"api_app_id":            App,
		"event_id":              s.id("Ev"),
		"event_time":            time.Now().Unix(),
		"event":                 event,
		"is_ext_shared_channel": false,
		"authorizations": []answer{
			{"team_id": Team, "user_id": Bot, "is_bot": true, "is_enterprise_install": false},
		},
	}
	s.mu.Unlock()
	return s.deliver(&delivery{kind: "events_api", payload: encode(body)})
}

// Submit submits the modal that a user has open. Fields without a value here are sent with the
// value that the modal has. People and channels are ids, or texts of chat.Person and chat.Place.
func (s *Server) Submit(user string, values map[string][]string) Ack {
	s.mu.Lock()
	open := s.modals[user]
	s.mu.Unlock()
	if open == nil {
		s.t.Errorf("%s has no form open", user)
		return Ack{Err: errors.New("no form")}
	}
	var view map[string]any
	if err := json.Unmarshal(open.Body, &view); err != nil {
		return Ack{Err: err}
	}
	state := answer{}
	var known []string
	blocks, _ := view["blocks"].([]any)
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		if block["type"] != "input" {
			continue
		}
		id, _ := block["block_id"].(string)
		known = append(known, id)
		element, _ := block["element"].(map[string]any)
		given, has := values[id]
		filled, why := fill(element, given, has)
		if why == "" && filled == nil && block["optional"] != true {
			why = "required"
		}
		if why != "" {
			return Ack{Blocked: id + ": " + why}
		}
		action, _ := element["action_id"].(string)
		if filled == nil {
			filled = answer{"value": nil}
			if kind := element["type"]; kind != "plain_text_input" {
				filled = answer{"selected_option": nil}
			}
		}
		filled["type"] = element["type"]
		state[id] = answer{action: filled}
	}
	for id := range values {
		if !slices.Contains(known, id) {
			s.t.Errorf("the form before %s has no field %q", user, id)
		}
	}
	view["id"] = open.ID
	view["hash"] = open.Hash
	view["team_id"] = Team
	view["app_id"] = App
	view["state"] = answer{"values": state}
	s.mu.Lock()
	body := answer{
		"type":          "view_submission",
		"team":          answer{"id": Team, "domain": "fake"},
		"user":          s.who(user),
		"api_app_id":    App,
		"token":         "verification",
		"trigger_id":    s.trigger(user),
		"view":          view,
		"response_urls": []any{},
		"enterprise":    nil,
	}
	s.mu.Unlock()
	return s.deliver(&delivery{kind: "interactive", payload: encode(body), user: user, view: open})
}

// fill returns what an element of a form holds when it is sent, or nil if it is empty, or why
// Slack would not send it.
func fill(e map[string]any, given []string, has bool) (answer, string) {
	text := func(name string) []string {
		if s, _ := e[name].(string); s != "" {
			return []string{s}
		}
		return nil
	}
	var options []map[string]any
	list := func(name string) []map[string]any {
		var out []map[string]any
		all, _ := e[name].([]any)
		for _, o := range all {
			if m, ok := o.(map[string]any); ok {
				out = append(out, m)
			}
		}
		return out
	}
	options = list("options")
	chosen := func(initial []map[string]any) ([]map[string]any, string) {
		if !has {
			return initial, ""
		}
		var out []map[string]any
		for _, v := range given {
			i := slices.IndexFunc(options, func(o map[string]any) bool { return o["value"] == v })
			if i < 0 {
				return nil, fmt.Sprintf("no option %q", v)
			}
			out = append(out, options[i])
		}
		return out, ""
	}
	first := func(initial []string) string {
		if has {
			initial = given
		}
		if len(initial) == 0 {
			return ""
		}
		return initial[0]
	}
	last := func(s string) string { return s[strings.LastIndex(s, ":")+1:] }
	switch kind := e["type"]; kind {
	case "plain_text_input":
		v := first(text("initial_value"))
		if v == "" {
			return nil, ""
		}
		if most, ok := e["max_length"].(float64); ok && len(utf16.Encode([]rune(v))) > int(most) {
			return nil, fmt.Sprintf("longer than %d", int(most))
		}
		return answer{"value": v}, ""
	case "static_select", "radio_buttons":
		var initial []map[string]any
		if o, ok := e["initial_option"].(map[string]any); ok {
			initial = append(initial, o)
		}
		all, why := chosen(initial)
		if why != "" || len(all) == 0 {
			return nil, why
		}
		return answer{"selected_option": all[0]}, ""
	case "checkboxes", "multi_static_select":
		all, why := chosen(list("initial_options"))
		if why != "" || len(all) == 0 {
			return nil, why
		}
		return answer{"selected_options": all}, ""
	case "datepicker", "timepicker":
		name := strings.TrimSuffix(kind.(string), "picker")
		v := first(text("initial_" + name))
		if v == "" {
			return nil, ""
		}
		layout := map[string]string{"date": time.DateOnly, "time": "15:04"}[name]
		if _, err := time.Parse(layout, v); err != nil {
			return nil, "no " + name
		}
		return answer{"selected_" + name: v}, ""
	case "multi_users_select":
		var ids []string
		for _, v := range given {
			ids = append(ids, last(v))
		}
		if len(ids) == 0 {
			return nil, ""
		}
		return answer{"selected_users": ids}, ""
	case "conversations_select":
		if v := first(nil); v != "" {
			return answer{"selected_conversation": last(v)}, ""
		}
		return nil, ""
	}
	return nil, fmt.Sprintf("the fake Slack knows no %v", e["type"])
}

// Again repeats the last delivery, as Slack does if it gets no acknowledgement.
func (s *Server) Again() Ack {
	s.mu.Lock()
	d := s.last
	d.retries++
	s.mu.Unlock()
	return s.deliver(d)
}

// Acks returns the acknowledgements of all deliveries so far.
func (s *Server) Acks() []Ack {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acks)
}

func (s *Server) deliver(d *delivery) Ack {
	if !s.Passes(d.user, func() { s.deliverNow(d) }) {
		return Ack{Err: platformtest.ErrHeld}
	}
	return s.deliverNow(d)
}

func (s *Server) deliverNow(d *delivery) Ack {
	s.mu.Lock()
	s.last = d
	byHTTP := s.handler != nil
	s.mu.Unlock()
	began := time.Now()
	var a Ack
	if byHTTP {
		a = s.post(d)
	} else {
		a = s.send(d)
	}
	a.Took = time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	a.late = a.Took > s.AckLimit()
	if !s.Tolerates() {
		switch {
		case a.Err != nil:
			s.t.Errorf("a %s was not acknowledged: %v", d.kind, a.Err)
		case a.late:
			s.t.Errorf("a %s was acknowledged after %v", d.kind, a.Took)
		}
	}
	if a.OK() && d.view != nil {
		s.sent(d, &a)
	}
	s.acks = append(s.acks, a)
	s.Tick()
	return a
}

// sent closes a form, or shows its field errors. The caller holds the mutex.
func (s *Server) sent(d *delivery, a *Ack) {
	var said struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
	}
	if len(bytes.TrimSpace(a.Body)) > 0 && string(a.Body) != "null" {
		if err := json.Unmarshal(a.Body, &said); err != nil {
			s.t.Errorf("a form was answered with what is no JSON: %v", err)
		}
	}
	if said.Action == "errors" {
		var view struct {
			Blocks []struct {
				Type    string `json:"type"`
				BlockID string `json:"block_id"`
			} `json:"blocks"`
		}
		json.Unmarshal(d.view.Body, &view)
		for id, text := range said.Errors {
			found := false
			for _, b := range view.Blocks {
				found = found || b.Type == "input" && b.BlockID == id
			}
			if !found || text == "" {
				s.t.Errorf("Slack shows no error at %q, which is no input of the form", id)
			}
		}
		a.Errors = said.Errors
		return
	}
	if s.modals[d.user] == d.view {
		delete(s.modals, d.user)
	}
}

// post delivers by HTTP.
func (s *Server) post(d *delivery) Ack {
	body, kind := d.payload, "application/json"
	if d.kind != "events_api" {
		kind = "application/x-www-form-urlencoded"
		form := d.form
		if form == nil {
			form = url.Values{"payload": {string(d.payload)}}
		}
		body = []byte(form.Encode())
	}
	req, err := http.NewRequest(http.MethodPost, "http://bot.fake/slack", bytes.NewReader(body))
	if err != nil {
		return Ack{Err: err}
	}
	req.Header.Set("Content-Type", kind)
	if d.retries > 0 && d.kind == "events_api" {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(d.retries))
		req.Header.Set("X-Slack-Retry-Reason", "http_timeout")
	}
	Sign(req, body, time.Now())
	return s.Post(req)
}

// Post sends any request to the bot's handler, with Slack's timeout.
func (s *Server) Post(req *http.Request) Ack {
	s.mu.Lock()
	client := s.handler
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(req.Context(), s.AckLimit()+100*time.Millisecond)
	defer cancel()
	began := time.Now()
	res, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return Ack{Err: err, Took: time.Since(began)}
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	took := time.Since(began)
	return Ack{
		Status: res.StatusCode,
		Header: res.Header,
		Body:   said,
		Err:    err,
		Took:   took,
		late:   took > s.AckLimit(),
	}
}
