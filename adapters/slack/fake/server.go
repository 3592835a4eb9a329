// Package fake is a Slack to test against: the Web API as far as the bot uses it, response URLs,
// signed deliveries, sockets, and what people see of it all. It behaves as Slack does where that
// hurts, refuses what Slack would refuse, and fails the test for what must not happen. It works
// without a network, in a bubble of testing/synctest as well.
package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"maturitybot/adapters/platformtest"
)

// What the fake workspace and its app are called.
const (
	Team     = "T0MATRIX00"
	Other    = "T0STRANGER" // another organisation
	App      = "A0MATURITY"
	Bot      = "U0BOT00000" // the bot as a user
	BotID    = "B0BOT00000"
	Token    = "xoxb-fake-bot-token"
	AppToken = "xapp-fake-app-token"
	Secret   = "0123456789abcdef0123456789abcdef"
	// URL is the address of the Web API; Server.Dial leads there.
	URL = "http://slack.fake/api/"
)

// User is somebody of the workspace.
type User struct {
	ID, Email, Locale, Zone      string
	Admin, Guest                 bool
	Unreachable                  bool // takes no messages
	Bot, Deleted, Stranger, Gone bool // Stranger: of another organisation. Gone: Slack does not know the id
}

// Channel is a conversation of several people.
type Channel struct {
	ID       string
	Members  []string // users; the bot goes by BotIn
	BotIn    bool
	Private  bool
	Archived bool
	Closed   bool // only some may post
	NoFiles  bool // no file can be shared in it
}

// Message is what people see in a channel.
type Message struct {
	Channel, TS string
	For         string // the user who alone sees it, or empty
	Text        string
	Blocks      json.RawMessage
	Files       []File
	From        string // the user who wrote it; the bot's are Bot
	Changed     int    // when it was made or last changed, in the order of all changes
	Edits       int
}

// File is something uploaded.
type File struct {
	ID, Name, Alt string
	Data          []byte
	shared        bool
}

// View is a modal or an App Home.
type View struct {
	ID, Hash string
	Body     json.RawMessage // as it was sent
	Changed  int
}

// Call is one call of the Web API, of a response URL ("response_url") or of an upload URL
// ("upload").
type Call struct {
	Method string
	At     time.Time
	Args   map[string]string // what is not a string as JSON
}

// Fault is something that goes wrong with one call.
type Fault struct {
	Status     int           // answered instead of doing it, if not zero
	RetryAfter int           // seconds, with Status 429
	Error      string        // answered with status 200 instead of doing it
	Wait       time.Duration // before anything else
	Lose       bool          // it is done, and the connection ends without an answer
	Cut        bool          // the connection ends, and it is not done
}

type trigger struct {
	user string
	made time.Time
	used bool
}

type hook struct {
	user, channel, ts string // ts of the message pressed, or empty
	made              time.Time
	uses              int
}

// Server is a Slack workspace with the bot's app in it.
type Server struct {
	*platformtest.Network
	*platformtest.Changes
	platformtest.AckPolicy
	platformtest.Clock
	platformtest.Deliveries
	// Client reaches the server.
	Client *http.Client

	t     platformtest.TB
	ended chan struct{}

	// mu is held by whoever calls a method without a capital letter, unless that says otherwise.
	mu         sync.Mutex
	users      map[string]*User
	channels   map[string]*Channel
	messages   []*Message
	modals     map[string]*View // by user
	homes      map[string]*View
	files      map[string]*File
	triggers   map[string]*trigger
	hooks      map[string]*hook
	calls      []Call
	faults     map[string][]Fault
	latency    func(method string) time.Duration
	tabOff     bool
	noSchema   bool
	last       *delivery
	acks       []Ack
	handler    *http.Client // to the bot, where it serves HTTP
	sockets    []*socket
	nextSocket int
	socketsOff bool
	scopes     string // of the bot token
	bounce     bool
	unacked    []*envelope
}

// New starts a workspace with nobody in it but the bot. It ends with the test.
func New(t platformtest.TB) *Server {
	s := &Server{
		t: t, ended: make(chan struct{}), users: map[string]*User{Bot: {ID: Bot, Bot: true}},
		channels: map[string]*Channel{}, modals: map[string]*View{}, homes: map[string]*View{}, files: map[string]*File{},
		triggers: map[string]*trigger{}, hooks: map[string]*hook{}, faults: map[string][]Fault{},
	}
	s.Changes = platformtest.NewChanges(&s.mu)
	s.Network = platformtest.Serve(t, http.HandlerFunc(s.serve))
	s.Client = s.Network.Client(t)
	t.Cleanup(func() { close(s.ended) })
	return s
}

// Scopes sets what the bot token was granted; until then that is not told.
func (s *Server) Scopes(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes = strings.Join(names, ",")
}

// AddUser lets somebody in.
func (s *Server) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.ID] = &u
}

// AddChannel makes a channel.
func (s *Server) AddChannel(c Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[c.ID] = &c
}

// MessagesTab switches the app's Messages tab, which is on.
func (s *Server) MessagesTab(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tabOff = !on
}

// Latency makes every call take a time. Methods are those of the Web API, "response_url" and
// "upload".
func (s *Server) Latency(of func(method string) time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = of
}

// Fail lets the next calls of a method go wrong, one fault each.
func (s *Server) Fail(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], faults...)
}

// Heal takes back the faults of a method that are still to come.
func (s *Server) Heal(method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.faults, method)
}

// IM is the conversation between a user and the bot.
func IM(user string) string { return "D" + user[1:] }

// Calls are the calls of a method so far, or all when it is empty.
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			out = append(out, c)
		}
	}
	return out
}

// Messages are what stands in a channel for everybody there, oldest first.
func (s *Server) Messages(channel string) []Message {
	return s.pick(func(m *Message) bool { return m.Channel == channel && m.For == "" })
}

// Whispers are the messages that only one user sees, oldest first.
func (s *Server) Whispers(user string) []Message {
	return s.pick(func(m *Message) bool { return m.For == user })
}

// Seen is what the bot shows to a user in channels and conversations, the last changed last.
func (s *Server) Seen(user string) []Message {
	all := s.pick(func(m *Message) bool {
		if m.From != Bot {
			return false
		}
		if m.For != "" {
			return m.For == user
		}
		c := s.channels[m.Channel]
		return m.Channel == IM(user) || c != nil && slices.Contains(c.Members, user)
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

// Delete deletes a message, as an admin can. The bot hears nothing of it.
func (s *Server) Delete(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.DeleteFunc(s.messages, func(o *Message) bool {
		return o.Channel == m.Channel && o.TS == m.TS
	})
	s.Tick()
}

// Files are the files in a channel, in the order they came.
func (s *Server) Files(channel string) []File {
	var out []File
	for _, m := range s.Messages(channel) {
		out = append(out, m.Files...)
	}
	return out
}

// Modal is the form that is open before a user, or nil.
func (s *Server) Modal(user string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.modals[user]
}

// CloseModal is what the user's Cancel does: the app hears nothing of it.
func (s *Server) CloseModal(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.modals, user)
	s.Tick()
}

// Home is a user's App Home, or nil.
func (s *Server) Home(user string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homes[user]
}

func (s *Server) id(prefix string) string { return fmt.Sprintf("%s%09d", prefix, s.Tick()) }

// stamp is a new message's ts.
func (s *Server) stamp() string { return fmt.Sprintf("%d.%06d", time.Now().Unix(), s.Tick()) }

func (s *Server) trigger(user string) string {
	id := fmt.Sprintf("%d.%d.%s", s.Tick(), time.Now().UnixMilli(), strings.ToLower(user))
	s.triggers[id] = &trigger{user: user, made: time.Now()}
	return id
}

// hook makes a response URL.
func (s *Server) hook(user, channel, ts string) string {
	id := s.id("hook")
	s.hooks[id] = &hook{user: user, channel: channel, ts: ts, made: time.Now()}
	return "http://slack.fake/hooks/" + id
}
