package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
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

// fakePlatform is a fake chat platform with its adapter.
type fakePlatform interface {
	// connect starts the adapter, anew after a restart. Stop ends it.
	connect(t *testing.T, r chat.Responder, log *slog.Logger) (on messenger, stop func())
	// person and place return a person and a channel of the transcript as the bot knows them; private returns a person's
	// own conversation with the bot.
	person(name string) chat.Person
	place(channel string) chat.Place
	private(name string) chat.Place
	// know adds a person to the platform, or changes what it knows about them.
	know(a actor, changed bool)
	// channel makes a channel, or changes it; withBot says whether the bot is in it, and takesFiles whether files arrive in it.
	channel(id string, members []string, withBot, takesFiles bool)
	// Each action is one person's, given by id.
	command(user, channel string, words []string) acknowledged
	say(user string) acknowledged
	lookHome(user string) acknowledged
	press(user string, on message, known bool, action, picked string) acknowledged
	submit(user string, values map[string][]string) acknowledged
	again() acknowledged
	// messages are those that stand in these channels and before these people, oldest change first.
	messages(channels, users []string) []message
	// pressNeedsCard reports whether only a press on a message that exists can change a card.
	pressNeedsCard() bool
	// direct reports whether the bot can answer in a person's own conversation with it.
	direct() bool
	// form and page return what is open before a person, with a unique name; the name is empty when nothing is open.
	form(user string) (name string, body json.RawMessage, read func() (chat.Form, error))
	page(user string) (name string, shown message)
	// card reads what a message shows.
	card(m message) (chat.Card, error)
	until(holds func() bool) bool
	// ActionAt is when the next action is made by the platform's clock; Pause and AtOnce are
	// those of platformtest.Clock.
	ActionAt(at time.Time)
	Pause(between time.Duration)
	AtOnce(person string, after time.Duration)
	Actions(person string) []platformtest.Made
	// Hold and Copy are those of platformtest.Deliveries.
	Hold(person string) (release func())
	Copy(person string) (release func())
	// listed is how a person of the stage is written in a list.
	listed(name string) string
}

// actor is a person as a platform knows them.
type actor struct {
	id, name           string
	locale, zone       string
	admin, unreachable bool
}

// message is what stands somewhere on a platform.
type message struct {
	id, channel string
	private     bool   // the channel is a person's own conversation with the bot
	whispered   string // who alone sees it, or empty
	bot         bool
	changed     int
	body        json.RawMessage
	files       []chat.File
	raw         any // as the fake knows it
	look        any // as a previewer takes it
}

// acknowledged is how an action was answered at first.
type acknowledged struct {
	why     string            // it was not, or too late
	never   string            // why the platform's own means do not let anybody do this
	refused map[string]string // shown at the fields of the form
	mute    bool              // the platform shows no result
	unsaid  bool              // it may not have been handled yet
}

// onPlatform is a stage on a platform.
type onPlatform struct {
	t        *testing.T
	platform fakePlatform
	people   *transcript.People
	bot      func() chat.Responder // as it is now: it may have restarted
	log      *slog.Logger

	adapter messenger
	stop    func()

	mu      sync.Mutex
	replies []*chat.Reply // to the last action, as far as known
	pending int           // cards of these of which it is not known yet what becomes of them
	// redrawing is how many cards that everybody sees are not drawn yet as they are now.
	redrawing int
	updated   bool // one of these changes a card and is compared once more with what is saved
	compared  bool // that was done
	handled   int
	names     map[string]string              // of people and channels, by the platform's ids
	known     map[string]actor               // as the platform knows them now
	actions   map[string]message             // the last message with an action, by who sees it and the action
	opened    map[string]func() acknowledged // the action that opened a person's form
	// visitors are people who typed in a channel without members in the transcript, by the platform's id of the channel.
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
	s.adapter, s.stop = s.platform.connect(s.t, recordingBot{s}, s.log)
}

// recordingBot is the bot. It records what the bot replies.
type recordingBot struct{ s *onPlatform }

func (n recordingBot) Ack(e chat.Event) chat.Ack { return n.s.bot().Ack(e) }

func (n recordingBot) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	replies := n.s.bot().Handle(ctx, e)
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.s.trackRefresh(replies)
	n.s.trackRedraws(replies)
	n.s.replies = n.s.trackReplies(replies)
	n.s.handled++
	return replies
}

// trackRefresh notes when a changed card has been compared with what is saved. The next action waits for
// that: it may be made at a time when the card would be drawn otherwise. The caller holds the mutex.
func (s *onPlatform) trackRefresh(replies []chat.Reply) {
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

// trackRedraws counts the cards that everybody sees and that are not drawn as they are now: a redraw is done once a second
// drawing shows the same. What people do next waits for that. The caller holds the mutex.
func (s *onPlatform) trackRedraws(replies []chat.Reply) {
	for i, r := range replies {
		redraw, ok := r.(chat.Redraw)
		if !ok {
			continue
		}
		draw, done := redraw.Draw, false
		var last *chat.Card
		redraw.Draw = func(ctx context.Context) (chat.Card, error) {
			card, err := draw(ctx)
			s.mu.Lock()
			defer s.mu.Unlock()
			if err == nil && !done && last != nil && reflect.DeepEqual(card, *last) {
				done = true
				s.redrawing--
			}
			last = &card
			return card, err
		}
		replies[i] = redraw
		s.redrawing++
	}
}

// trackReplies records what the bot replies after a card was delivered or failed. The caller holds the mutex.
func (s *onPlatform) trackReplies(replies []chat.Reply) []*chat.Reply {
	all := make([]*chat.Reply, len(replies))
	for i, r := range replies {
		at := &r
		all[i] = at
		replies[i] = chat.WrapThen(r, func(then chat.Then) chat.Then { return s.resolveAfter(at, then) })
	}
	return all
}

func (s *onPlatform) resolveAfter(at *chat.Reply, then chat.Then) chat.Then {
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
		more := s.trackReplies(next)
		if d.Failed() {
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
	s.updateChannels()
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
		return chat.ErrNoConsent // the adapter does not know who has agreed
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
	s.updateChannels()
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

func (s *onPlatform) Ack(e chat.Event) chat.Ack { return s.bot().Ack(e) }

// withoutIDs returns a transcript without what may differ between platforms: where rows of buttons break, and a round's
// id, which is derived from an event's.
func withoutIDs(played string) string {
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
const testTimeout = time.Minute

// playOn plays one conversation on a platform. Same makes two transcripts alike that differ only as the platforms do.
func playOn(t *testing.T, path string, f fakePlatform, same func(string) string, secrets ...string) {
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
	scene, inside, done, err := newStage(transcripts, testOptions(editions(), s.log), func(people *transcript.People) messenger {
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
