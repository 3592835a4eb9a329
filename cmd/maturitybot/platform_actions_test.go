package main

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/transcript"
)

// introduce adds the people and channels of the transcript to the platform.
func (s *onPlatform) introduce(e chat.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, members := range s.people.Channels() {
		id := s.platform.place(name).Channel
		var ids []string
		for _, m := range members {
			s.addPerson(actor{name: m}, false)
			ids = append(ids, s.platform.person(m).ID)
		}
		s.names[id] = name
		s.platform.channel(id, ids, s.people.HasBot(name), s.people.TakesFiles(name))
	}
	s.addPerson(actor{name: e.Who.ID, admin: e.Admin, locale: e.Locale, zone: e.TimeZone}, true)
	id := s.platform.place(e.Where.Channel).Channel
	if _, staged := s.people.Channels()[e.Where.Channel]; strings.HasPrefix(e.Where.Channel, "#") && !staged {
		s.names[id] = e.Where.Channel
		if me := s.platform.person(e.Who.ID).ID; !slices.Contains(s.visitors[id], me) {
			s.visitors[id] = append(s.visitors[id], me)
		}
	}
	s.updateChannels()
}

// updateChannels updates in which channels of the platform the bot is. The caller holds the mutex.
func (s *onPlatform) updateChannels() {
	for id, people := range s.visitors {
		s.platform.channel(id, people, s.people.HasBot(s.names[id]), s.people.TakesFiles(s.names[id]))
	}
}

func (s *onPlatform) addPerson(a actor, acting bool) {
	a.id, a.unreachable = s.platform.person(a.name).ID, !s.people.Reachable(a.name)
	had, known := s.known[a.id]
	if known && !acting { // what the stage says of them only when they act stays
		a.admin, a.locale, a.zone = had.admin, had.locale, had.zone
	}
	if known && had == a {
		return
	}
	s.known[a.id], s.names[a.id] = a, a.name
	s.platform.know(a, known)
}

// Handle plays one action through the platform, and returns what people see of it.
func (s *onPlatform) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s.t.Helper()
	s.introduce(e)
	user := s.platform.person(e.Who.ID).ID
	if e.ID == s.last {
		s.connect() // another process: this one would know the event again by itself
	}
	before := map[string]int{}
	s.mu.Lock()
	for _, m := range s.allMessages() {
		before[m.channel+" "+m.id] = m.changed
	}
	handled := s.handled
	s.replies, s.pending, s.redrawing, s.updated, s.compared = nil, 0, 0, false, false
	s.mu.Unlock()
	form, _, _ := s.platform.form(user)
	page, _ := s.platform.page(user)

	ack := s.act(e, user)
	if ack.never != "" {
		// A platform's own client does not send this, but other programs can.
		return s.bot().Handle(ctx, s.translate(e))
	}
	if ack.why != "" {
		s.t.Errorf("%v was not acknowledged: %s", e.Kind, ack.why)
	}
	if ack.mute {
		return nil
	}
	if len(ack.refused) > 0 {
		return []chat.Reply{chat.FieldErrors{Fields: ack.refused}}
	}
	if ack.unsaid {
		for range 6 { // a minute: results take long to draw on a machine that is doing much else
			if s.platform.until(func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return s.handled > handled
			}) {
				break
			}
		}
	}
	var want, seen []chat.Reply
	ok := s.platform.until(func() bool {
		seen = s.seen(e, user, before, form, page)
		s.mu.Lock()
		defer s.mu.Unlock()
		want = nil
		for _, r := range s.replies {
			want = append(want, *r)
		}
		if s.handled == handled {
			want = nil
		}
		changes := slices.ContainsFunc(seen, func(r chat.Reply) bool { _, ok := r.(chat.Update); return ok })
		if s.updated && changes && !s.compared {
			return false
		}
		return s.pending == 0 && s.redrawing <= 0 && len(seen) >= len(want) && files(seen) >= files(want)
	})
	if !ok {
		s.t.Errorf("the bot answered %d times with %d files, people see %d with %d", len(want), files(want), len(seen), files(seen))
	}
	if len(want) == 1 && len(seen) == 1 {
		return []chat.Reply{s.asFieldErrors(want[0], seen[0])}
	}
	return s.inOrder(want, seen)
}

// act lets a user do what the event says.
func (s *onPlatform) act(e chat.Event, user string) acknowledged {
	if e.ID == s.last {
		return s.platform.again()
	}
	s.last = e.ID
	s.platform.ActionAt(e.At)
	where := s.translate(e).Where.Channel
	switch e.Kind {
	case chat.Command:
		do := func() acknowledged {
			return s.platform.command(user, where, append([]string{e.Action.Verb}, e.Action.Args...))
		}
		s.rememberForm(e, user, do)
		return do()
	case chat.Message:
		return s.platform.say(user)
	case chat.Home:
		return s.platform.lookHome(user)
	case chat.Submit:
		if form, _, _ := s.platform.form(user); form == "" {
			s.reopen(user) // the platform closed the form with its refusal
		}
		return s.platform.submit(user, s.translate(e).Values)
	}
	id, err := e.Action.Encode()
	if err != nil {
		s.t.Errorf("press: %v", err)
	}
	s.mu.Lock()
	on, known := s.actions[user+" "+id]
	if other, stands := s.actions[where+" "+id]; !known && stands && !e.Private {
		on, known = other, true
	}
	s.mu.Unlock()
	if !known && s.platform.pressNeedsCard() && s.bot().Ack(e) == chat.AckUpdate {
		return acknowledged{never: "there is no card that could be changed"}
	}
	do := func() acknowledged { return s.platform.press(user, on, known, id, e.Value(chat.Picked)) }
	s.rememberForm(e, user, do)
	return do()
}

// rememberForm remembers the action that opened a form.
func (s *onPlatform) rememberForm(e chat.Event, user string, do func() acknowledged) {
	if s.bot().Ack(e) == chat.AckForm {
		s.opened[user] = do
	}
}

// reopen repeats the action that opened a person's form.
func (s *onPlatform) reopen(user string) {
	do := s.opened[user]
	if do == nil {
		return
	}
	if ack := do(); ack.why != "" {
		s.t.Errorf("the form does not open again: %s", ack.why)
	}
	s.platform.until(func() bool { form, _, _ := s.platform.form(user); return form != "" })
}

// translate is the event with everybody's ids on the platform.
func (s *onPlatform) translate(e chat.Event) chat.Event {
	values := map[string][]string{}
	for field, all := range e.Values {
		for _, v := range all {
			if field == "list" {
				v = inList.ReplaceAllStringFunc(v, func(word string) string {
					m := inList.FindStringSubmatch(word)
					name := m[1] + m[2]
					if s.known[s.platform.person(name).ID].name == "" {
						return word
					}
					return s.platform.listed(name) + m[3]
				})
			}
			if name, ok := strings.CutPrefix(v, transcript.Person("").String()); ok {
				v = s.platform.person(name).String()
				if strings.HasPrefix(name, "#") {
					v = s.platform.place(name).String()
				}
			}
			values[field] = append(values[field], v)
		}
	}
	name := e.Who.ID
	e.Who, e.Values = s.platform.person(name), values
	if e.Private {
		e.Where = s.platform.private(strings.TrimPrefix(e.Where.Channel, "@"))
	} else {
		e.Where = s.platform.place(e.Where.Channel)
	}
	return e
}

// inList are the people of a list: at the beginnings of its lines, or by their addresses.
var inList = regexp.MustCompile(`(?m)(?:^@?([a-z]+)(?:@example\.org)?|\b([a-z]+)@example\.org)(\s*(?:[,;|\t]|$))`)
