package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maturitybot/adapters/platformtest"
	"maturitybot/bot/chat"
	"maturitybot/bot/transcript"
)

// The conversations of bot/testdata are played through each platform too: what people do becomes the platform's payloads, and what they then
// see is read back from what the platform was sent. To the player a stage on a platform is a bot like any other.

// faked is a chat platform that is faked, and the adapter on it.
type faked interface {
	// connect starts the adapter, anew after a restart. Stop ends it.
	connect(t *testing.T, r chat.Responder, log *slog.Logger) (on messenger, stop func())
	// person and place are how the bot knows somebody and a channel of the stage; private is somebody's conversation with the bot.
	person(name string) chat.Person
	place(channel string) chat.Place
	private(name string) chat.Place
	// know lets the platform know somebody, or what has changed about them.
	know(a actor, changed bool)
	// channel makes a channel, or changes it; withBot says whether the bot is in it, and takesFiles whether files arrive in it.
	channel(id string, members []string, withBot, takesFiles bool)
	// Each gesture is one person's, given by id.
	command(user, channel string, words []string) acknowledged
	say(user string) acknowledged
	lookHome(user string) acknowledged
	press(user string, on message, known bool, action, picked string) acknowledged
	submit(user string, values map[string][]string) acknowledged
	again() acknowledged
	// messages are those that stand in these channels and before these people, oldest change first.
	messages(channels, users []string) []message
	// direct says whether the bot can answer in somebody's own conversation with it.
	direct() bool
	// form and page are what is open before somebody, with a name that another one does not have; empty when there is none.
	form(user string) (name string, body json.RawMessage, read func() (chat.Form, error))
	page(user string) (name string, shown message)
	// card reads what a message shows.
	card(m message) (chat.Card, error)
	until(holds func() bool) bool
	// GestureAt is when the next gesture is made by the platform's clock; Pause and AtOnce are
	// those of platformtest.Clock.
	GestureAt(at time.Time)
	Pause(between time.Duration)
	AtOnce(person string, after time.Duration)
	Gestures(person string) []platformtest.Made
	// Hold and Copy are those of platformtest.Deliveries.
	Hold(person string) (release func())
	Copy(person string) (release func())
	// listed is how a person of the stage is written in a list.
	listed(name string) string
}

// actor is somebody, as a platform knows them.
type actor struct {
	id, name           string
	locale, zone       string
	admin, unreachable bool
}

// message is what stands somewhere on a platform.
type message struct {
	id, channel string
	private     bool   // the channel is somebody's own
	whispered   string // who alone sees it, or empty
	bot         bool
	changed     int
	body        json.RawMessage
	files       []chat.File
	raw         any // as the fake knows it
	look        any // as a previewer takes it
}

// acknowledged is how a gesture was answered at first.
type acknowledged struct {
	why     string            // it was not, or too late
	never   string            // why the platform's own means do not let anybody do this
	refused map[string]string // shown at the fields of the form
	mute    bool              // the platform shows nobody what comes of it
	unsaid  bool              // it may not have been handled yet
}

var bodies = flag.String("bodies", "", "a folder to write what the platforms were sent to, for looking at")

// onPlatform is a stage on a platform.
type onPlatform struct {
	t        *testing.T
	platform faked
	people   *transcript.People
	bot      func() chat.Responder // as it is now: it may have restarted
	log      *slog.Logger

	adapter messenger
	stop    func()

	mu       sync.Mutex
	replies  []*chat.Reply // what the bot itself answered to the last gesture, as far as it is known
	pending  int           // cards of these of which it is not known yet what becomes of them
	updated  bool          // one of these changes a card and is compared once more with what is saved
	compared bool          // that was done
	handled  int
	names    map[string]string              // of people and channels, by the platform's ids
	known    map[string]actor               // as the platform knows them now
	actions  map[string]message             // the last message on which an action stood, by who sees it and action
	opened   map[string]func() acknowledged // what opened somebody's form
	// visitors are who has typed in a channel that the stage has put nobody in, by the platform's id of it.
	visitors map[string][]string
	last     string // event
	kept     int
	shared   chat.CardRef // the last card that everybody sees and that was pressed
}

func (s *onPlatform) connect() {
	s.t.Helper()
	if s.stop != nil {
		s.stop()
	}
	s.adapter, s.stop = s.platform.connect(s.t, noting{s}, s.log)
}

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

// noting is the bot, whose answers are noted on their way.
type noting struct{ s *onPlatform }

func (n noting) Ack(e chat.Event) chat.Ack { return n.s.bot().Ack(e) }

func (n noting) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	replies := n.s.bot().Handle(ctx, e)
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.s.compare(replies)
	n.s.replies = n.s.follow(replies)
	n.s.handled++
	return replies
}

// compare notes when a changed card has been compared with what is saved. The next gesture waits for
// that: it may be made at a time when the card would be drawn otherwise. The caller holds the mutex.
func (s *onPlatform) compare(replies []chat.Reply) {
	for i, r := range replies {
		u, ok := r.(chat.Update)
		if !ok || u.Refresh == nil {
			continue
		}
		refresh := u.Refresh
		u.Refresh = func(ctx context.Context) (chat.Update, bool) {
			next, changed := refresh(ctx)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.compared = true
			return next, changed
		}
		replies[i], s.updated = u, true
	}
}

// follow notes what the bot answers once it is known what became of a card. The caller holds the mutex.
func (s *onPlatform) follow(replies []chat.Reply) []*chat.Reply {
	all := make([]*chat.Reply, len(replies))
	for i, r := range replies {
		at := &r
		all[i] = at
		replies[i] = chat.WrapThen(r, func(then chat.Then) chat.Then { return s.heard(at, then) })
	}
	return all
}

func (s *onPlatform) heard(at *chat.Reply, then chat.Then) chat.Then {
	s.pending++
	return func(d chat.Delivered) []chat.Reply {
		next := then(d)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pending--
		i := slices.Index(s.replies, at)
		if i < 0 {
			return next
		}
		more := s.follow(next)
		if !d.Stands() {
			for _, dropped := range s.replies[i+1:] {
				if p, ok := (*dropped).(chat.Post); ok && p.Then != nil {
					s.pending--
				}
			}
			s.replies = append(s.replies[:i:i], more...)
			return next
		}
		if p, ok := (*at).(chat.Post); ok {
			p.Files = slices.DeleteFunc(slices.Clone(p.Files), func(f chat.File) bool { return slices.Contains(d.Missing, f.Name) })
			*at = p
		}
		s.replies = slices.Insert(s.replies, i+1, more...)
		return next
	}
}

// Find, Members, Send and Post let the bot reach the adapter that is connected now.
func (s *onPlatform) Find(ctx context.Context, from chat.Place, word string) (chat.Person, error) {
	return s.adapter.Find(ctx, from, word)
}

func (s *onPlatform) Members(ctx context.Context, in chat.Place) ([]chat.Person, error) {
	return s.adapter.Members(ctx, in)
}

// CanPost asks the platform.
func (s *onPlatform) CanPost(ctx context.Context, in chat.Place) error {
	s.mu.Lock()
	s.settle()
	s.mu.Unlock()
	return s.adapter.CanPost(ctx, in)
}

// Send sends through the platform, and brings what arrives there to the stage.
func (s *onPlatform) Send(ctx context.Context, id string, to chat.Person, card chat.Card) error {
	s.mu.Lock()
	name := s.names[to.ID]
	conversation := s.platform.private(name).Channel
	before := s.inConversation(conversation)
	s.mu.Unlock()
	if !s.people.Agreed(name) {
		return chat.ErrNoConsent // the adapter is told who has agreed; here the stage says so
	}
	if err := s.adapter.Send(ctx, id, to, card); err != nil {
		_ = s.people.Send(ctx, id, transcript.Person(name), card) // it is noted as refused
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.inConversation(conversation)[len(before):] {
		card = s.read(to.ID, m)
	}
	return s.people.Send(ctx, id, transcript.Person(name), card)
}

// Post posts through the platform, and brings what stands there then to the stage.
func (s *onPlatform) Post(ctx context.Context, id string, to chat.Place, card chat.Card, files []chat.File) error {
	s.mu.Lock()
	name := s.names[to.Channel]
	s.settle()
	before := s.inConversation(to.Channel)
	s.mu.Unlock()
	if err := s.adapter.Post(ctx, id, to, card, files); err != nil {
		_ = s.people.Post(ctx, id, chat.Place{Platform: "play", Workspace: "w", Channel: name}, card, nil) // it is noted as refused
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	files = nil
	for _, m := range s.inConversation(to.Channel)[len(before):] {
		if len(m.body) > 0 {
			card = s.read(to.Channel, m)
		}
		files = append(files, m.files...)
	}
	return s.people.Post(ctx, id, chat.Place{Platform: "play", Workspace: "w", Channel: name}, card, files)
}

// inConversation are the bot's messages in a channel, or in somebody's own conversation with it, oldest first. The caller holds the mutex.
func (s *onPlatform) inConversation(channel string) []message {
	var all []message
	for _, m := range s.everything() {
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

func (s *onPlatform) Ack(e chat.Event) chat.Ack { return s.bot().Ack(e) }

// everybody makes people and channels of the stage known to the platform.
func (s *onPlatform) everybody(e chat.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, members := range s.people.Channels() {
		id := s.platform.place(name).Channel
		var ids []string
		for _, m := range members {
			s.meet(actor{name: m}, false)
			ids = append(ids, s.platform.person(m).ID)
		}
		s.names[id] = name
		s.platform.channel(id, ids, s.people.HasBot(name), s.people.TakesFiles(name))
	}
	s.meet(actor{name: e.Who.ID, admin: e.Admin, locale: e.Locale, zone: e.TimeZone}, true)
	id := s.platform.place(e.Where.Channel).Channel
	if _, staged := s.people.Channels()[e.Where.Channel]; strings.HasPrefix(e.Where.Channel, "#") && !staged {
		s.names[id] = e.Where.Channel
		if me := s.platform.person(e.Who.ID).ID; !slices.Contains(s.visitors[id], me) {
			s.visitors[id] = append(s.visitors[id], me)
		}
	}
	s.settle()
}

// settle tells the platform where the bot is now. The caller holds the mutex.
func (s *onPlatform) settle() {
	for id, people := range s.visitors {
		s.platform.channel(id, people, s.people.HasBot(s.names[id]), s.people.TakesFiles(s.names[id]))
	}
}

func (s *onPlatform) meet(a actor, acting bool) {
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

// everything is every message that stands anywhere. The caller holds the mutex.
func (s *onPlatform) everything() []message {
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

// Handle plays one gesture through the platform, and returns what people see of it.
func (s *onPlatform) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s.t.Helper()
	s.everybody(e)
	user := s.platform.person(e.Who.ID).ID
	if e.ID == s.last {
		s.connect() // another process: this one would know the event again by itself
	}
	before := map[string]int{}
	s.mu.Lock()
	for _, m := range s.everything() {
		before[m.channel+" "+m.id] = m.changed
	}
	handled := s.handled
	s.replies, s.pending, s.updated, s.compared = nil, 0, false, false
	s.mu.Unlock()
	form, _, _ := s.platform.form(user)
	page, _ := s.platform.page(user)

	ack := s.gesture(e, user)
	if ack.never != "" {
		// What the platform's own means do not let through, somebody may send with tools of their own.
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
		return s.pending == 0 && len(seen) >= len(want) && files(seen) >= files(want)
	})
	if !ok {
		s.t.Errorf("the bot answered %d times with %d files, people see %d with %d", len(want), files(want), len(seen), files(seen))
	}
	if len(want) == 1 && len(seen) == 1 {
		return []chat.Reply{s.asked(want[0], seen[0])}
	}
	return s.inOrder(want, seen)
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

// asked is a refusal that a platform cannot show at the fields of a form, where it says the same in words.
func (s *onPlatform) asked(want, seen chat.Reply) chat.Reply {
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

// gesture lets a user do what the event says.
func (s *onPlatform) gesture(e chat.Event, user string) acknowledged {
	if e.ID == s.last {
		return s.platform.again()
	}
	s.last = e.ID
	s.platform.GestureAt(e.At)
	where := s.translate(e).Where.Channel
	switch e.Kind {
	case chat.Command:
		do := func() acknowledged {
			return s.platform.command(user, where, append([]string{e.Action.Verb}, e.Action.Args...))
		}
		s.opens(e, user, do)
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
	do := func() acknowledged { return s.platform.press(user, on, known, id, e.Value(chat.Picked)) }
	s.opens(e, user, do)
	return do()
}

// opens remembers what opened a form.
func (s *onPlatform) opens(e chat.Event, user string, do func() acknowledged) {
	if s.bot().Ack(e) == chat.AckForm {
		s.opened[user] = do
	}
}

// reopen does again what opened somebody's form.
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

// seen is what has changed before people's eyes, as the replies that brought it about.
func (s *onPlatform) seen(e chat.Event, user string, before map[string]int, form, page string) []chat.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []chat.Reply
	direct := slices.ContainsFunc(s.replies, func(r *chat.Reply) bool { _, ok := (*r).(chat.Direct); return ok })
	for _, m := range s.everything() {
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
		".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	}[filepath.Ext(name)]
}

// alike is a transcript without what may differ between platforms: where rows of buttons break, and a round's id, which comes of the event
// that made it.
func alike(played string) string {
	played = roundInFile.ReplaceAllString(rows.ReplaceAllString(played, "] ["), "${1}ROUND")
	return seal.ReplaceAllString(played, "SEAL")
}

var (
	rows        = regexp.MustCompile(`\]\n    \[`)
	roundInFile = regexp.MustCompile(`(maturity-[a-z0-9-]+-\d{4}-\d{2}-)[a-z2-7]{10}\b`)
	seal        = regexp.MustCompile(`\b[0-9a-f]{4}( [0-9a-f]{4}){3}\b`) // of entries that name other people and another round
)

// onABusyMachine is how long a platform waits for an answer in a transcript. That answers come within
// three seconds has tests of its own, whose clock no other process slows down.
const onABusyMachine = time.Minute

// playOn plays one conversation on a platform. Same makes two transcripts alike that differ only as the platforms do.
func playOn(t *testing.T, path string, f faked, same func(string) string, secrets ...string) {
	t.Helper()
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if direct := bytes.Contains(written, []byte("\n~ answers go to direct messages\n")); direct != f.direct() &&
		(direct || bytes.Contains(written, []byte("\n~ answers stay in the channel\n"))) {
		t.Skip("the conversation is one of platforms that answer elsewhere")
	}
	var log locked
	s := &onPlatform{
		t: t, platform: f, log: slog.New(slog.NewTextHandler(&log, nil)),
		names: map[string]string{}, known: map[string]actor{}, actions: map[string]message{}, opened: map[string]func() acknowledged{}, visitors: map[string][]string{},
	}
	scene, inside, done, err := newStage(transcripts, testOptions(editions(t), s.log), func(people *transcript.People) messenger {
		s.people = people
		return s
	})
	if err != nil {
		t.Fatal(err)
	}
	s.bot = inside
	scene.Responder = s
	restart, change := scene.Restart, scene.Matrix
	scene.Restart = func() chat.Responder { restart(); s.connect(); return s }
	scene.Matrix = func(file string) (chat.Responder, error) {
		_, err := change(file)
		return s, err
	}
	s.connect()
	t.Cleanup(func() {
		s.stop()
		if err := done(); err != nil {
			t.Error(err)
		}
	})
	played, err := transcript.Play(t.Context(), bytes.NewReader(written), scene)
	if err != nil {
		t.Fatalf("%v\n\nup to then:\n%s", err, last(played, 40))
	}
	if want, got := same(string(written)), same(played); got != want {
		t.Errorf("on this platform it goes otherwise:\n%s", firstDifference(want, got))
	}
	logged := log.String()
	for _, secret := range append(secrets, "Parents say", "a secret note", "Northshire") {
		if strings.Contains(logged, secret) {
			t.Errorf("in the log: %q", secret)
		}
	}
}

// conversations are the transcripts' paths.
func conversations(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(transcripts, "*.chat"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %d transcripts: %v", len(paths), err)
	}
	slices.Sort(paths)
	return paths
}

// locked lets several goroutines write to one buffer.
type locked struct {
	mu sync.Mutex
	to bytes.Buffer
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.String()
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
