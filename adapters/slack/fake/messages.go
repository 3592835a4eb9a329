package fake

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"maturitybot/adapters/slack/slackschema"
)

// place returns the channel of a message to a channel or a user.
func (s *Server) place(to string) (string, error) {
	user := to
	if strings.HasPrefix(to, "D") {
		user = "U" + to[1:]
	}
	if u := s.users[user]; u != nil {
		switch {
		case s.tabOff:
			return "", refusal("messages_tab_disabled")
		case u.Bot:
			return "", refusal("cannot_dm_bot")
		case u.Deleted:
			return "", refusal("user_disabled")
		case u.Unreachable:
			return "", refusal("restricted_action")
		case u.Gone, u.Stranger:
			return "", refusal("channel_not_found")
		}
		return IM(user), nil
	}
	c := s.channels[to]
	switch {
	case c == nil, c.Private && !c.BotIn:
		return "", refusal("channel_not_found")
	case c.Archived:
		return "", refusal("is_archived")
	case c.Closed:
		return "", refusal("restricted_action")
	case !c.BotIn:
		return "", refusal("not_in_channel")
	}
	return to, nil
}

func (s *Server) find(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts {
			return m
		}
	}
	return nil
}

// draw makes a message of the arguments of a call.
func (s *Server) draw(a args) (*Message, error) {
	m := &Message{TS: s.stamp(), From: Bot}
	if err := s.redraw(m, a); err != nil {
		return nil, err
	}
	m.Edits = 0
	return m, nil
}

func (s *Server) redraw(m *Message, a args) error {
	if a["text"] == "" {
		s.t.Errorf("a message without a text: screen readers read nothing else")
	}
	body := answer{"text": a["text"]}
	if a["blocks"] != "" {
		body["blocks"] = json.RawMessage(a["blocks"])
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return refusal("invalid_blocks_format")
	}
	if !s.valid(slackschema.Message, raw) {
		return refusal("invalid_blocks")
	}
	m.Text, m.Blocks, m.Changed = a["text"], json.RawMessage(a["blocks"]), s.Tick()
	m.Edits++
	return nil
}

func (s *Server) valid(kind string, body []byte) bool {
	err := slackschema.Validate(kind, body)
	if errors.Is(err, slackschema.ErrMissing) {
		if !s.noSchema {
			s.noSchema = true
			s.t.Logf("bodies are not held against Block Kit's schema: %v", err)
		}
		return true
	}
	if err != nil {
		s.t.Errorf("Slack would refuse this: %v\n%s", err, body)
	}
	return err == nil
}

func (s *Server) view(kind, body string) (*View, error) {
	if len(body) > 250_000 {
		return nil, refusal("view_too_large")
	}
	if !s.valid(kind, []byte(body)) {
		return nil, refusal("invalid_arguments")
	}
	return &View{ID: s.id("V"), Hash: s.id("h"), Body: json.RawMessage(body), Changed: s.Tick()}, nil
}

func (v *View) asAnswer(kind string) answer {
	return answer{"view": answer{"id": v.ID, "hash": v.Hash, "type": kind}}
}

// respond serves a response URL.
func (s *Server) respond(id string, a args) error {
	h := s.hooks[id]
	switch {
	case h == nil:
		return refusal("invalid_url")
	case h.uses >= 5:
		return refusal("used_url")
	case time.Since(h.made) > 30*time.Minute:
		return refusal("expired_url")
	}
	h.uses++
	if a["replace_original"] == "true" {
		if m := s.find(h.channel, h.ts); m != nil {
			return s.redraw(m, a)
		}
	}
	m, err := s.draw(a)
	if err != nil {
		return err
	}
	m.Channel = h.channel
	if a["response_type"] != "in_channel" {
		m.For = h.user
	}
	s.messages = append(s.messages, m)
	return nil
}

func (s *Server) upload(r *http.Request, body []byte) error {
	f := s.files[strings.TrimPrefix(r.URL.Path, "/upload/")]
	if f == nil {
		return refusal("file_not_found")
	}
	if r.Header.Get("Authorization") != "" {
		s.t.Errorf("a token was sent to an upload address, which needs none")
	}
	if kind := r.Header.Get("Content-Type"); kind != "application/octet-stream" {
		s.t.Errorf("an upload as %q; the fake Slack takes the file itself", kind)
		return refusal("invalid_form_data")
	}
	f.Data = body
	if want := r.URL.Query().Get("length"); want != strconv.Itoa(len(f.Data)) {
		s.t.Errorf("an upload of %d bytes, announced were %s", len(f.Data), want)
	}
	return nil
}

func (s *Server) complete(a args) (answer, error) {
	var listed []struct{ ID, Title string }
	if json.Unmarshal([]byte(a["files"]), &listed) != nil || len(listed) == 0 {
		return nil, refusal("invalid_arguments")
	}
	channel := a["channel_id"]
	if !strings.ContainsAny(channel[:min(1, len(channel))], "CDG") || channel == "" {
		return nil, refusal("invalid_channel")
	}
	channel, err := s.place(channel)
	if err != nil {
		return nil, err
	}
	if c := s.channels[channel]; c != nil && c.NoFiles {
		return nil, refusal("posting_to_channel_denied")
	}
	m := &Message{
		Channel: channel,
		TS:      s.stamp(),
		From:    Bot,
		Text:    a["initial_comment"],
		Changed: s.Tick(),
	}
	var out []answer
	for _, l := range listed {
		f := s.files[l.ID]
		if f == nil || f.Data == nil || f.shared {
			return nil, refusal("file_not_found")
		}
		f.shared = true
		m.Files = append(m.Files, *f)
		out = append(out, answer{"id": f.ID, "title": l.Title})
	}
	s.messages = append(s.messages, m)
	return answer{"files": out}, nil
}
