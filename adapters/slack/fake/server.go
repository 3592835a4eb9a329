// Package fake is a Slack workspace for tests: the part of the Web API that the bot uses, response
// URLs, signed deliveries, sockets, and what users see. It imitates Slack's limits and failures,
// rejects what Slack rejects, and fails the test if the bot breaks a rule. It needs no network, and
// works in a testing/synctest bubble. It does not know the bot.
//
// Server has a method for each thing that a user or an operator does in Slack. Its files are split by
// who acts.
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

// Ids and names of the fake workspace and its app.
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

// User is a member of the workspace.
type User struct {
	ID, Email, Locale, Zone string
	Admin, Guest            bool
	Unreachable             bool // cannot be sent messages
	Bot, Deleted            bool
	Stranger                bool // of another organisation
	Gone                    bool // Slack does not know the id
}

// Channel is a conversation of several users.
type Channel struct {
	ID       string
	Members  []string // users; for the bot see BotIn
	BotIn    bool
	Private  bool
	Archived bool
	Closed   bool // only some members may post
	NoFiles  bool // no file can be shared in it
}

// Message is what people see in a channel.
type Message struct {
	Channel, TS string
	For         string // the only user who sees it, or empty
	Text        string
	Blocks      json.RawMessage
	Files       []File
	From        string // the user who wrote it; the bot's are Bot
	Changed     int    // the number of its last change among all changes
	Edits       int
}

// File is an uploaded file.
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

// Call is one call of the Web API.
type Call struct {
	Method string // or "response_url" or "upload" for the URLs that Slack gives out
	At     time.Time
	Args   map[string]string // values other than strings are JSON
}

// Fault makes one call fail.
type Fault struct {
	Status     int           // the response in place of the call's, if not zero
	RetryAfter int           // seconds, with Status 429
	Error      string        // the response in place of the call's, with status 200
	Wait       time.Duration // before anything else
	Lose       bool          // the call is made, and the connection ends without a response
	Cut        bool          // the connection ends, and the call is not made
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
	platformtest.API[Call, Fault] // by Call.Method
	// Client reaches the server.
	Client *http.Client

	t     platformtest.TB
	ended chan struct{}

	// mu is held by the caller of an unexported method, unless its comment says otherwise.
	mu         sync.Mutex
	users      map[string]*User
	channels   map[string]*Channel
	messages   []*Message
	modals     map[string]*View // by user
	homes      map[string]*View
	files      map[string]*File
	triggers   map[string]*trigger
	hooks      map[string]*hook
	tabOff     bool
	noSchema   bool
	last       *delivery
	acks       []Ack
	handler    *http.Client // to the bot, if it serves HTTP
	sockets    []*socket
	nextSocket int
	socketsOff bool
	scopes     string // of the bot token
	bounce     bool
	unacked    []*envelope
}

// New starts a workspace whose only member is the bot. It ends with the test.
func New(t platformtest.TB) *Server {
	s := &Server{
		t:        t,
		ended:    make(chan struct{}),
		users:    map[string]*User{Bot: {ID: Bot, Bot: true}},
		channels: map[string]*Channel{},
		modals:   map[string]*View{},
		homes:    map[string]*View{},
		files:    map[string]*File{},
		triggers: map[string]*trigger{},
		hooks:    map[string]*hook{},
	}
	s.Changes = platformtest.NewChanges(&s.mu)
	s.Network = platformtest.Serve(t, http.HandlerFunc(s.serve))
	s.Client = s.Network.Client(t)
	t.Cleanup(func() { close(s.ended) })
	return s
}

// Scopes sets the scopes of the bot token. Before that, responses do not state them.
func (s *Server) Scopes(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes = strings.Join(names, ",")
}

// AddUser adds a user to the workspace.
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

// MessagesTab turns the app's Messages tab, which is on at first, on or off.
func (s *Server) MessagesTab(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tabOff = !on
}

// IM returns the id of the conversation between a user and the bot.
func IM(user string) string { return "D" + user[1:] }

// Messages returns the messages in a channel that everybody there sees, oldest first.
func (s *Server) Messages(channel string) []Message {
	return s.pick(func(m *Message) bool { return m.Channel == channel && m.For == "" })
}

// Whispers returns the messages that only one user sees, oldest first.
func (s *Server) Whispers(user string) []Message {
	return s.pick(func(m *Message) bool { return m.For == user })
}

// Seen returns the bot's messages that a user sees in channels and conversations, the last changed
// last.
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

// Delete deletes a message, as an admin can. The bot gets no event.
func (s *Server) Delete(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.DeleteFunc(s.messages, func(o *Message) bool {
		return o.Channel == m.Channel && o.TS == m.TS
	})
	s.Tick()
}

// Files returns the files in a channel, in the order in which they were shared.
func (s *Server) Files(channel string) []File {
	var out []File
	for _, m := range s.Messages(channel) {
		out = append(out, m.Files...)
	}
	return out
}

// Modal returns the modal that a user has open, or nil.
func (s *Server) Modal(user string) *View {
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

// Home returns a user's App Home, or nil.
func (s *Server) Home(user string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homes[user]
}

func (s *Server) id(prefix string) string { return fmt.Sprintf("%s%09d", prefix, s.Tick()) }

// stamp returns the ts of a new message.
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
