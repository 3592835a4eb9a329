package fake

import (
	"encoding/json"
	"slices"
	"time"

	"maturitybot/adapters/discord/discordschema"
)

// send makes a message.
func (s *Server) send(channel string, body []byte, files map[string]File) (any, error) {
	switch c := s.channels[channel]; {
	case channel[0] == '9':
		u := s.users[userOf(channel)]
		switch {
		case u == nil:
			return nil, unknownChannel
		case u.Outside:
			return nil, noSharedGuild
		case u.Closed:
			return nil, closedDM
		}
	case c == nil:
		return nil, unknownChannel
	case s.rights(c)&View == 0:
		return nil, missingAccess
	case !thread(c) && s.rights(c)&Send == 0, thread(c) && s.rights(c)&SendInThreads == 0,
		c.Locked, len(files) > 0 && s.rights(c)&Attach == 0:
		return nil, missingPermissions
	case len(files) > 0 && c.NoFiles:
		return nil, tooLarge
	}
	if err := s.check(discordschema.Message, body); err != nil {
		return nil, err
	}
	var in struct {
		Nonce   string `json:"nonce"`
		Enforce bool   `json:"enforce_nonce"`
	}
	json.Unmarshal(body, &in)
	if in.Nonce != "" && in.Enforce {
		for _, m := range s.messages {
			if m.nonce == in.Nonce && m.Channel == channel && s.now().Sub(m.made) < 5*time.Minute {
				return answer{"id": m.ID, "channel_id": channel}, nil
			}
		}
	}
	m := &Message{Channel: channel, nonce: in.Nonce}
	if err := s.attach(m, body, files); err != nil {
		return nil, err
	}
	s.add(m, body)
	return answer{"id": m.ID, "channel_id": channel}, nil
}

// attach adds files to a message.
func (s *Server) attach(m *Message, body []byte, files map[string]File) error {
	var in struct {
		Attachments []struct {
			ID          string `json:"id"`
			Filename    string `json:"filename"`
			Description string `json:"description"`
		} `json:"attachments"`
	}
	json.Unmarshal(body, &in)
	if len(in.Attachments) != len(files) {
		s.t.Errorf("%d attachments are announced, %d are there", len(in.Attachments), len(files))
		return badForm
	}
	for _, a := range in.Attachments {
		f, ok := files[a.ID]
		if !ok || f.Name != a.Filename {
			s.t.Errorf("attachment %s is announced as %q, and is %q", a.ID, a.Filename, f.Name)
			return badForm
		}
		f.Alt = a.Description
		m.Files = append(m.Files, f)
	}
	return nil
}

func (s *Server) add(m *Message, body []byte) {
	m.ID, m.From, m.made = s.id(), App, s.now()
	s.messages = append(s.messages, m)
	m.Components = components(body)
	m.Changed = s.Tick()
}

func components(body []byte) json.RawMessage {
	var in struct {
		Components json.RawMessage `json:"components"`
	}
	json.Unmarshal(body, &in)
	return in.Components
}

func (s *Server) redraw(m *Message, body []byte) {
	if c := components(body); c != nil {
		m.Components = c
	}
	if !m.Loading {
		m.Edits++
	}
	m.Loading = false
	m.Changed = s.Tick()
}

func (s *Server) find(id string) *Message {
	for _, m := range s.messages {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// hook is a call through an interaction's token.
func (s *Server) hook(op string, path []string, body []byte, files map[string]File) (any, error) {
	i := s.interactions[path[2]]
	switch {
	case path[1] != App, i == nil, i.acked.IsZero():
		return nil, unknownWebhook
	case s.now().Sub(i.made) > 15*time.Minute:
		return nil, deadToken
	}
	switch op {
	case "followup":
		if err := s.check(discordschema.Followup, body); err != nil {
			return nil, err
		}
		if m := i.original; m != nil && m.Loading { // it replaces the message that says that the bot is thinking
			s.redraw(m, body)
			return answer{"id": m.ID}, s.attach(m, body, files)
		}
		m := s.reply(i, body)
		return answer{"id": m.ID}, s.attach(m, body, files)
	case "delete":
		if i.original == nil || s.find(i.original.ID) == nil {
			return nil, unknownMessage
		}
		s.messages = slices.DeleteFunc(s.messages, func(m *Message) bool { return m == i.original })
		i.original = nil
		return nil, nil
	}
	if err := s.check(discordschema.EditOriginal, body); err != nil {
		return nil, err
	}
	if i.original == nil || s.find(i.original.ID) == nil {
		return nil, unknownMessage
	}
	s.redraw(i.original, body)
	return answer{"id": i.original.ID}, s.attach(i.original, body, files)
}

// reply makes a message that answers an interaction.
func (s *Server) reply(i *interaction, body []byte) *Message {
	var in struct {
		Flags int `json:"flags"`
	}
	json.Unmarshal(body, &in)
	m := &Message{Channel: i.channel}
	if in.Flags&(1<<6) != 0 {
		m.For = i.user
	}
	s.add(m, body)
	return m
}
