package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/transcript"
)

var bodies = flag.String("bodies", "", "a folder to write what the platforms were sent to, for looking at")

// keep checks that a previewer can draw a body, and writes it where the flag says.
func (s *onPlatform) keep(kind string, body any) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Error(err)
		return
	}
	if err := drawable(raw); err != nil {
		s.t.Errorf("a %s cannot be drawn: %v: %.80s", kind, err, raw)
	}
	if *bodies == "" {
		return
	}
	s.kept++
	name := fmt.Sprintf("%s-%03d-%s.json", strings.Split(s.t.Name(), "/")[1], s.kept, kind)
	if err := os.WriteFile(filepath.Join(*bodies, name), raw, 0o600); err != nil {
		s.t.Error(err)
	}
}

// drawable says why a previewer could not tell what a body is, or nil.
func drawable(raw json.RawMessage) error {
	var body struct {
		Platform, Type, Title any
		Blocks, Components    []json.RawMessage
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return err
	}
	known := body.Platform == "slack" || body.Platform == "discord" ||
		body.Type == "modal" || body.Type == "home" || body.Title != nil
	if !known || len(body.Blocks)+len(body.Components) == 0 {
		return errors.New("want a message, a modal or a home with something in it")
	}
	return nil
}

// inConversation returns the bot's messages in a channel, or in a person's own conversation with it, oldest first. The
// caller holds the mutex.
func (s *onPlatform) inConversation(channel string) []message {
	var all []message
	for _, m := range s.allMessages() {
		if m.channel == channel && m.bot && m.whispered == "" {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b message) int { return strings.Compare(a.id, b.id) })
	return all
}

// read is a message as a card, with people as they are called on stage. The caller holds the mutex.
func (s *onPlatform) read(user string, m message) chat.Card {
	s.t.Helper()
	kind := "message"
	if m.id == inHome {
		kind = "home"
	}
	s.keep(kind, m.look)
	card, err := s.platform.card(m)
	if err != nil {
		s.t.Errorf("read what the platform was sent: %v", err)
	}
	for _, b := range card.Blocks {
		var spans []chat.Span
		switch b := b.(type) {
		case chat.Text:
			spans = b.Spans
		case chat.Note:
			spans = b.Spans
		}
		for j, span := range spans {
			if mention, ok := span.(chat.Mention); ok {
				spans[j] = chat.Mention{Person: transcript.Person(s.names[mention.Person.ID])}
			}
			if link, ok := span.(chat.Link); ok {
				spans[j] = chat.Link{Place: chat.Place{Channel: s.names[link.Place.Channel]}}
			}
		}
		for _, action := range actionsOf(b) {
			if id, err := action.Encode(); err == nil {
				s.actions[user+" "+id], s.actions[m.channel+" "+id] = m, m
			}
		}
	}
	return card
}

func actionsOf(block chat.Block) []chat.Action {
	var all []chat.Action
	switch b := block.(type) {
	case chat.Choice:
		all = append(all, b.Button.Action)
	case chat.Menu:
		all = append(all, b.Action)
	case chat.Buttons:
		for _, x := range b.Buttons {
			all = append(all, x.Action)
		}
	}
	return all
}

// allMessages returns every message in every channel and conversation. The caller holds the mutex.
func (s *onPlatform) allMessages() []message {
	var channels, users []string
	for id, name := range s.names {
		if strings.HasPrefix(name, "#") {
			channels = append(channels, id)
		} else {
			users = append(users, id)
		}
	}
	return s.platform.messages(channels, users)
}

// inOrder puts what people see in the order in which the bot gave it, where that is in several places: each place keeps its own order, but
// no platform promises that one place is served before another.
func (s *onPlatform) inOrder(want, seen []chat.Reply) []chat.Reply {
	at := func(r chat.Reply) string {
		if p, ok := r.(chat.Post); ok {
			return cmp.Or(s.names[p.To.Channel], p.To.Channel)
		}
		if _, ok := r.(chat.Direct); ok {
			return "in their conversation"
		}
		if _, ok := r.(chat.Redraw); ok {
			return "on the card that everybody sees"
		}
		return "before the person"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen = slices.Clone(seen)
	ordered := make([]chat.Reply, 0, len(seen))
	for _, w := range want {
		if i := slices.IndexFunc(seen, func(r chat.Reply) bool { return at(r) == at(w) }); i >= 0 {
			ordered, seen = append(ordered, seen[i]), slices.Delete(seen, i, i+1)
		}
	}
	return append(ordered, seen...)
}

// asFieldErrors returns the refusal of a form that a platform cannot show at the fields, and shows as a card with the
// same sentences.
func (s *onPlatform) asFieldErrors(want, seen chat.Reply) chat.Reply {
	refused, ok := want.(chat.FieldErrors)
	told, whispered := seen.(chat.Whisper)
	if !ok || !whispered {
		return seen
	}
	words := told.Card.String()
	for _, sentence := range refused.Fields {
		for line := range strings.Lines(sentence) {
			if !strings.Contains(words, strings.TrimSpace(line)) {
				s.t.Errorf("%q is not said in\n%s", line, words)
			}
		}
	}
	return refused
}

func files(replies []chat.Reply) int {
	n := 0
	for _, r := range replies {
		switch r := r.(type) {
		case chat.Post:
			n += len(r.Files)
		case chat.Whisper:
			n += len(r.Files)
		}
	}
	return n
}

// seen is what has changed before people's eyes, as the replies that brought it about.
func (s *onPlatform) seen(e chat.Event, user string, before map[string]int, form, page string) []chat.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []chat.Reply
	direct := slices.ContainsFunc(s.replies, func(r *chat.Reply) bool { _, ok := (*r).(chat.Direct); return ok })
	for _, m := range s.allMessages() {
		was, known := before[m.channel+" "+m.id]
		if !m.bot || known && was == m.changed {
			continue
		}
		if len(m.body) == 0 {
			for i := len(all) - 1; i >= 0; i-- { // files alone belong to the card posted before them
				if p, ok := all[i].(chat.Post); ok && p.To.Channel == s.names[m.channel] {
					p.Files = append(p.Files, m.files...)
					all[i] = p
					break
				}
				if w, ok := all[i].(chat.Whisper); ok && m.private {
					w.Files = append(w.Files, m.files...)
					all[i] = w
					break
				}
			}
			continue
		}
		card := s.read(user, m)
		switch {
		case known && m.whispered == "" && !m.private:
			draw := func(context.Context) (chat.Card, error) { return card, nil }
			all = append(all, chat.Redraw{Of: s.sharedCard(e), Draw: draw})
		case known:
			all = append(all, chat.Update{Card: card})
		case m.private && direct && m.channel == s.platform.private(s.names[user]).Channel:
			all = append(all, chat.Direct{Card: card})
		case m.whispered == user, m.private && m.channel == s.platform.private(s.names[user]).Channel:
			all = append(all, chat.Whisper{Card: card, Files: m.files})
		case m.whispered == "" && !m.private:
			all = append(all, chat.Post{To: chat.Place{Platform: "play", Workspace: "w", Channel: s.names[m.channel]}, Card: card, Files: m.files})
		default:
			s.t.Errorf("somebody else sees something: %+v", m)
		}
	}
	if name, body, read := s.platform.form(user); name != "" && name != form {
		s.keep("form", body)
		f, err := read()
		if err != nil {
			s.t.Errorf("read a form that the platform was sent: %v", err)
		}
		for _, r := range s.replies {
			if meant, ok := (*r).(chat.OpenForm); ok { // what a platform has words of its own for, or no room
				f.Submit, f.Cancel, f.Intro = cmp.Or(f.Submit, meant.Form.Submit), cmp.Or(f.Cancel, meant.Form.Cancel), cmp.Or(f.Intro, meant.Form.Intro)
			}
		}
		all = append(all, chat.OpenForm{Form: f})
	}
	if name, shown := s.platform.page(user); name != "" && name != page && e.Kind == chat.Home {
		shown.id, shown.channel, shown.private = inHome, s.platform.private(e.Who.ID).Channel, true
		all = append(all, chat.Update{Card: s.read(user, shown)})
	}
	return all
}

// sharedCard is the card that everybody sees, as the stage names it: the last one that was pressed.
func (s *onPlatform) sharedCard(e chat.Event) chat.CardRef {
	if e.SharedCard != (chat.CardRef{}) {
		s.shared = e.SharedCard
	}
	return s.shared
}

// inHome stands for a page of the bot's own where a message's id would be.
const inHome = "home"

func mediaType(name string) string {
	return map[string]string{
		".png": "image/png", ".csv": "text/csv", ".json": "application/json", ".svg": "image/svg+xml",
		".html": "text/html",
		".txt":  "text/plain",
		".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	}[filepath.Ext(name)]
}
