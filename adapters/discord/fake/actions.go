package fake

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"maturitybot/adapters/discord/discordschema"
	"maturitybot/adapters/platformtest"
)

// Ack is the first response to an interaction.
type Ack struct {
	Status  int             // of HTTP; by the gateway it is 200
	Body    json.RawMessage // the answer
	Type    int             // of the answer, or 0
	Blocked string          // why Discord did not send a form
	Took    time.Duration
	late    bool
	Err     error // no response, or one that Discord refuses
}

// OK reports whether Discord accepts it as a response.
func (a Ack) OK() bool { return a.Err == nil && a.Blocked == "" && !a.late }

// interaction is an event that Discord delivers to the bot, and how it was answered so far.
type interaction struct {
	id, token, user, channel string
	kind                     int
	pressed                  *Message // whose component it was
	made                     time.Time
	acked                    time.Time
	said                     json.RawMessage
	original                 *Message
}

// delivery is an interaction with its payload.
type delivery struct {
	i       *interaction
	payload []byte
	modal   *Modal // that was sent
}

// Sign signs a request with a body as Discord does, with the given time.
func Sign(r *http.Request, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("X-Signature-Timestamp", stamp)
	signature := ed25519.Sign(key, append([]byte(stamp), body...))
	r.Header.Set("X-Signature-Ed25519", hex.EncodeToString(signature))
}

// Serve delivers interactions to a handler by HTTP instead of the gateway.
func (s *Server) Serve(h http.Handler) {
	client := platformtest.Serve(s.t, h).Client(s.t)
	s.mu.Lock()
	s.handler, s.endpoint = client, "http://bot.fake/discord"
	s.mu.Unlock()
}

// begin makes an interaction and its payload. The caller holds the mutex.
func (s *Server) begin(kind int, user, channel string, pressed *Message, data answer) *delivery {
	i := &interaction{
		id:      s.idAt(s.Action(user).Add(s.ahead)),
		token:   "aW50ZXJhY3Rpb24-" + strconv.Itoa(s.Tick()),
		user:    user,
		channel: channel,
		kind:    kind,
		pressed: pressed,
		made:    s.now(),
	}
	s.interactions[i.token] = i
	u := s.users[user]
	if u == nil {
		u = &User{ID: user, Name: "stranger"}
	}
	locale := u.Locale
	if locale == "" {
		locale = "en-GB"
	}
	profile := answer{
		"id": user, "username": u.Name, "global_name": u.Name, "bot": u.Bot, "avatar": nil,
		"discriminator": "0",
	}
	body := answer{
		"id": i.id, "application_id": App, "type": kind, "token": i.token, "version": 1,
		"channel_id": channel, "locale": locale, "data": data, "entitlements": []any{},
		"authorizing_integration_owners": answer{"0": Guild}, "attachment_size_limit": 10485760,
	}
	if c := s.channels[channel]; c == nil {
		body["channel"] = answer{"id": channel, "type": 0}
	} else {
		body["channel"] = answer{
			"id": channel, "type": c.Type,
			"thread_metadata": answer{"archived": c.Locked, "locked": c.Locked},
		}
		body["app_permissions"] = strconv.FormatUint(s.rights(c), 10)
	}
	if channel == DM(user) {
		body["user"], body["context"] = profile, 1
	} else {
		guild := Guild
		if c := s.channels[channel]; c != nil {
			guild = cmp.Or(c.Guild, Guild)
		}
		permissions := uint64(1 << 10)
		if u.Admin {
			permissions |= 1 << 5
		}
		body["guild_id"], body["context"], body["guild_locale"] = guild, 0, "en-GB"
		body["guild"] = answer{"id": guild, "locale": "en-GB", "features": []any{}}
		body["member"] = answer{
			"user": profile, "roles": slices.Concat([]string{}, u.Roles), "nick": nil,
			"permissions": strconv.FormatUint(permissions, 10), "joined_at": "2024-01-01T00:00:00Z",
		}
	}
	if pressed != nil {
		flags := 1 << 15
		if pressed.For != "" {
			flags |= 1 << 6
		}
		body["message"] = answer{
			"id": pressed.ID, "channel_id": pressed.Channel, "flags": flags, "type": 0, "content": "",
			"components": pressed.Components, "embeds": []any{}, "attachments": []any{},
			"author": answer{"id": App, "username": "maturity", "bot": true},
		}
	}
	return &delivery{i: i, payload: encode(body)}
}

func encode(body any) []byte {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // it is made of strings
	}
	return raw
}

// Press presses a button of a message, or picks an option of its menu by value, and confirms if
// the button asks for confirmation. It also sends an id that the message does not have, as a user
// with another client could.
func (s *Server) Press(user string, m Message, customID, picked string) Ack {
	s.mu.Lock()
	data := answer{"custom_id": customID, "component_type": 2}
	switch {
	case holds(m.Components, "?"+customID) && picked == "":
		data = answer{"custom_id": "?" + customID, "component_type": 3, "values": []string{"yes"}}
	case picked != "":
		data["component_type"], data["values"] = 3, []string{picked}
	}
	on := s.find(m.ID)
	if on == nil {
		on = &m // it was dismissed or deleted while it was being pressed
	}
	d := s.begin(3, user, m.Channel, on, data)
	s.mu.Unlock()
	return s.deliver(d)
}

// holds reports whether components include one with a custom id.
func holds(components json.RawMessage, id string) bool {
	return bytes.Contains(components, []byte(`"custom_id":`+string(encode(id))))
}

// Command sends a command in a channel, "maturity" or "maturity-round" with a subcommand, and
// options by name; an empty channel is the conversation with the bot. An option whose value is a
// role's id is of that type when it is called everyone-with.
func (s *Server) Command(user, channel, words string, options map[string]string) Ack {
	s.mu.Lock()
	d := s.begin(2, user, s.where(user, channel), nil, command(words, options, ""))
	s.mu.Unlock()
	return s.deliver(d)
}

// Complete types a command as far as the value of one of its options.
func (s *Server) Complete(
	user, channel, words string, options map[string]string, typing string,
) Ack {
	s.mu.Lock()
	d := s.begin(4, user, s.where(user, channel), nil, command(words, options, typing))
	s.mu.Unlock()
	return s.deliver(d)
}

func (s *Server) where(user, channel string) string {
	if channel == "" {
		return DM(user)
	}
	return channel
}

func command(words string, options map[string]string, typing string) answer {
	name, sub, _ := strings.Cut(words, " ")
	var given []answer
	for _, o := range slices.Sorted(func(yield func(string) bool) {
		for k := range options {
			if !yield(k) {
				return
			}
		}
	}) {
		kind := 3
		if o == "everyone-with" {
			kind = 8
		}
		g := answer{"name": o, "type": kind, "value": options[o]}
		if o == typing {
			g["focused"] = true
		}
		given = append(given, g)
	}
	data := answer{"id": "1100000000000000002", "name": name, "type": 1}
	switch {
	case sub != "":
		data["options"] = []answer{{"name": sub, "type": 1, "options": given}}
	case len(given) > 0:
		data["options"] = given
	}
	return data
}

// Ping sends a ping to the interactions endpoint.
func (s *Server) Ping() Ack {
	s.mu.Lock()
	d := s.begin(1, Owner, DM(Owner), nil, nil)
	s.mu.Unlock()
	return s.deliver(d)
}

// Say writes a message to the bot. Only the gateway delivers it.
func (s *Server) Say(user, text string) {
	s.mu.Lock()
	id := s.id()
	s.messages = append(s.messages, &Message{
		ID: id, Channel: DM(user), From: user, Changed: s.Tick(), made: s.now(),
	})
	s.mu.Unlock()
	s.Event("MESSAGE_CREATE", answer{
		"id": id, "type": 0, "channel_id": DM(user), "content": text, "embeds": []any{},
		"author": answer{"id": user, "username": "somebody"},
	})
}

// Submit sends the form that a user has open. Fields without a value here are sent with the value
// that the form has. People and channels are ids, or texts of chat.Person and chat.Place.
func (s *Server) Submit(user string, values map[string][]string) Ack {
	s.mu.Lock()
	open := s.modals[user]
	s.mu.Unlock()
	if open == nil {
		s.t.Errorf("%s has no form open", user)
		return Ack{Err: errors.New("no form")}
	}
	var view struct {
		CustomID   string      `json:"custom_id"`
		Components []component `json:"components"`
	}
	if err := json.Unmarshal(open.Body, &view); err != nil {
		return Ack{Err: err}
	}
	var sent []answer
	var known []string
	users, channels := answer{}, answer{}
	for _, c := range view.Components {
		if c.Component == nil {
			sent = append(sent, answer{"type": c.Type, "id": len(sent) + 1})
			continue
		}
		f := c.Component
		known = append(known, f.CustomID)
		given, has := values[f.CustomID]
		filled, why := f.fill(given, has)
		if why != "" {
			return Ack{Blocked: f.CustomID + ": " + why}
		}
		for _, v := range values[f.CustomID] { // the bot gives none of these beforehand
			switch v = v[strings.LastIndex(v, ":")+1:]; f.Type {
			case 5:
				users[v] = answer{"id": v}
			case 8:
				channels[v] = answer{"id": v}
			}
		}
		sent = append(sent, answer{"type": c.Type, "id": len(sent) + 1, "component": filled})
	}
	for id := range values {
		if !slices.Contains(known, id) {
			s.t.Errorf("the form before %s has no field %q", user, id)
		}
	}
	s.mu.Lock()
	delete(s.modals, user) // Discord closes it, whatever the response is
	d := s.begin(5, user, open.channel, open.message, answer{
		"custom_id": view.CustomID, "components": sent,
		"resolved": answer{"users": users, "channels": channels},
	})
	d.modal = open
	s.mu.Unlock()
	return s.deliver(d)
}

// fill returns what a field holds when it is sent, or why Discord would not send it.
func (c component) fill(given []string, has bool) (answer, string) {
	out := answer{"type": c.Type, "custom_id": c.CustomID, "id": 1}
	required := c.Required == nil || *c.Required
	if c.Type == 4 {
		v := c.Value
		if has {
			v = strings.Join(given, "")
		}
		switch n := utf8.RuneCountInString(v); {
		case v == "" && required:
			return nil, "required"
		case c.MaxLength > 0 && n > c.MaxLength:
			return nil, fmt.Sprintf("longer than %d", c.MaxLength)
		}
		out["value"] = v
		return out, ""
	}
	chosen := []string{}
	if !has {
		for _, o := range c.Options {
			if o.Default {
				chosen = append(chosen, o.Value)
			}
		}
	}
	for _, v := range given {
		if c.Type == 3 && !slices.ContainsFunc(c.Options, func(o option) bool { return o.Value == v }) {
			return nil, fmt.Sprintf("no option %q", v)
		}
		if c.Type != 3 {
			v = v[strings.LastIndex(v, ":")+1:]
		}
		if v != "" {
			chosen = append(chosen, v)
		}
	}
	switch {
	case len(chosen) == 0 && required:
		return nil, "required"
	case len(chosen) > max(1, c.MaxValues):
		return nil, fmt.Sprintf("more than %d", c.MaxValues)
	}
	out["values"] = chosen
	return out, ""
}

// Again delivers the last interaction again, as a connection that resumes can.
func (s *Server) Again() Ack {
	s.mu.Lock()
	d := s.last
	s.mu.Unlock()
	return s.deliver(d)
}

// Raw delivers any payload, of an interaction that is unknown here and cannot be answered.
func (s *Server) Raw(payload []byte) Ack {
	return s.deliver(&delivery{i: &interaction{acked: time.Now()}, payload: payload})
}

// Acks returns the first responses to all interactions so far.
func (s *Server) Acks() []Ack {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acks)
}

func (s *Server) deliver(d *delivery) Ack {
	if !s.Passes(d.i.user, func() { s.deliverNow(d) }) {
		return Ack{Err: platformtest.ErrHeld}
	}
	return s.deliverNow(d)
}

func (s *Server) deliverNow(d *delivery) Ack {
	s.mu.Lock()
	s.last = d
	byHTTP := s.handler != nil
	again := !d.i.acked.IsZero()
	s.mu.Unlock()
	began := time.Now()
	var a Ack
	if byHTTP {
		a = s.post(d)
	} else {
		s.Event("INTERACTION_CREATE", json.RawMessage(d.payload))
		a = s.wait(d, s.AckLimit())
	}
	a.Took = time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	a.late = a.Took > s.AckLimit()
	if !s.Tolerates() && !again {
		switch {
		case a.Err != nil:
			s.t.Errorf("an interaction of type %d was not answered: %v", d.i.kind, a.Err)
		case a.late:
			s.t.Errorf("an interaction of type %d was answered after %v", d.i.kind, a.Took)
		}
	}
	s.acks = append(s.acks, a)
	s.Tick()
	return a
}

// wait waits for an interaction's first answer through the REST API. It does not hold the mutex.
func (s *Server) wait(d *delivery, most time.Duration) Ack {
	acked := s.Within(most, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !d.i.acked.IsZero()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if !acked {
		return Ack{Err: errors.New("the application did not respond")}
	}
	return Ack{Status: http.StatusOK, Body: d.i.said, Type: kindOf(d.i.said)}
}

func kindOf(said json.RawMessage) int {
	var r struct {
		Type int `json:"type"`
	}
	json.Unmarshal(said, &r)
	return r.Type
}

// post delivers by HTTP.
func (s *Server) post(d *delivery) Ack {
	req, err := http.NewRequest(http.MethodPost, "http://bot.fake/discord", bytes.NewReader(d.payload))
	if err != nil {
		return Ack{Err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	began := time.Now()
	s.mu.Lock()
	at := s.now()
	if d.i.kind != 0 {
		at = time.Now() // the bot's clock is not moved forward
	}
	client, digest := s.handler, s.digest
	s.mu.Unlock()
	Sign(req, d.payload, at)
	ctx, cancel := context.WithTimeout(context.Background(), s.AckLimit()+100*time.Millisecond)
	defer cancel()
	res, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return Ack{Err: err}
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err != nil {
		return Ack{Err: err}
	}
	a := Ack{Status: res.StatusCode, Body: said, Type: kindOf(said)}
	switch {
	case res.StatusCode == http.StatusAccepted && len(said) == 0:
		b := s.wait(d, s.AckLimit()-time.Since(began))
		a.Body, a.Type, a.Err = b.Body, b.Type, b.Err
	case res.StatusCode != http.StatusOK:
		a.Err = fmt.Errorf("status %d", res.StatusCode)
	default:
		time.Sleep(digest)
		s.mu.Lock()
		a.Err = s.first(d.i, said)
		s.mu.Unlock()
	}
	return a
}

// first accepts the first response to an interaction. The caller holds the mutex.
func (s *Server) first(i *interaction, body []byte) error {
	switch {
	case !i.acked.IsZero():
		return acknowledged
	case s.now().Sub(i.made) > s.AckLimit():
		return unknownInteraction
	}
	if err := s.check(discordschema.Response, body); err != nil {
		return err
	}
	var r struct {
		Type int             `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return badForm
	}
	onMessage := i.pressed != nil
	fits := map[int]bool{
		1: i.kind == 1,
		4: i.kind != 1 && i.kind != 4,
		5: i.kind != 1 && i.kind != 4,
		6: onMessage && i.kind != 4,
		7: onMessage && i.kind != 4,
		8: i.kind == 4, 9: i.kind == 2 || i.kind == 3,
	}[r.Type]
	if !fits {
		s.t.Errorf("an interaction of type %d cannot be answered with type %d", i.kind, r.Type)
		return badForm
	}
	switch r.Type {
	case 4:
		i.original = s.reply(i, r.Data)
	case 5:
		i.original = s.reply(i, r.Data)
		i.original.Loading = true
	case 6, 7:
		i.original = i.pressed
		if r.Type == 7 {
			if s.find(i.pressed.ID) == nil {
				return unknownMessage
			}
			s.redraw(i.pressed, r.Data)
		}
	case 9:
		s.modals[i.user] = &Modal{Body: r.Data, channel: i.channel, message: i.pressed}
	}
	i.acked, i.said = s.now(), body
	s.Tick()
	return nil
}
