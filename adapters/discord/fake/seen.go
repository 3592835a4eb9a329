package fake

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Messages returns the messages in a channel that everybody there sees, oldest first.
func (s *Server) Messages(channel string) []Message {
	return s.pick(func(m *Message) bool { return m.Channel == channel && m.For == "" })
}

// Whispers returns the messages that only one user sees, oldest first.
func (s *Server) Whispers(user string) []Message {
	return s.pick(func(m *Message) bool { return m.For == user })
}

// Seen returns what the bot shows to a user in channels and conversations, the last changed last.
func (s *Server) Seen(user string) []Message {
	all := s.pick(func(m *Message) bool {
		switch {
		case m.From != App, m.Loading:
			return false
		case m.For != "":
			return m.For == user
		}
		return m.Channel == DM(user) || s.channels[m.Channel] != nil
	})
	slices.SortStableFunc(all, func(a, b Message) int { return cmp.Compare(a.Changed, b.Changed) })
	return all
}

func (s *Server) pick(which func(*Message) bool) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.messages {
		if which(m) {
			out = append(out, *m)
		}
	}
	return out
}

// Files returns the files in a channel, in the order they came.
func (s *Server) Files(channel string) []File {
	var out []File
	for _, m := range s.Messages(channel) {
		out = append(out, m.Files...)
	}
	return out
}

// Commands returns what is registered for a server, or for all when guild is empty, or nil.
func (s *Server) Commands(guild string) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commands[guild]
}

// Modal returns the modal that a user has open, or nil.
func (s *Server) Modal(user string) *Modal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.modals[user]
}

// CloseModal presses Cancel in a user's modal. The bot gets no event.
func (s *Server) CloseModal(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.modals, user)
	s.Tick()
}

// Dismiss hides a whisper from its only reader, or deletes another message. The bot gets no event.
func (s *Server) Dismiss(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.DeleteFunc(s.messages, func(o *Message) bool { return o.ID == m.ID })
	s.Tick()
}
