// Package fake is a Discord for tests: the part of the REST API that the bot uses, the gateway,
// signed deliveries, and what users see. It imitates Discord's limits and failures, rejects what
// Discord rejects, and fails the test if the bot breaks a rule. It needs no network, and works in a
// testing/synctest bubble. It does not know the bot.
//
// Server has a method for each thing that a user or an operator does in Discord. Its files are split
// by who acts.
package fake

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"maturitybot/adapters/platformtest"
)

// Ids of the fake server, its application and a second server.
const (
	App   = "1100000000000000001" // also the bot as a user
	Guild = "1100000000000000010"
	Other = "1100000000000000020" // a second server, which the bot is in too
	Owner = "1100000000000000011"
	Token = "MTEwMDAwMDAwMDAwMDAwMDAwMQ.fake.bot-token"
	// URL is the address of the REST API; Server.Dial leads there.
	URL = "http://discord.fake/api/v10/"
)

// key signs deliveries. It is always the same.
var key = ed25519.NewKeyFromSeed([]byte("a fake Discord's own signing key"))

// PublicKey is the application's, in hex.
var PublicKey = hex.EncodeToString(key.Public().(ed25519.PublicKey))

// User is a user of Discord. An id is a number of 17 to 19 digits that begins with 1.
type User struct {
	ID, Name, Locale string
	Roles            []string // in the server
	Admin            bool     // may manage the server
	Bot              bool
	Closed           bool // accepts no messages of the server's bots
	Outside          bool // is in no server with the bot
}

// Role is a role of the server; one with the server's id is everyone's.
type Role struct {
	ID          string
	Permissions uint64
}

// Permissions of roles and overwrites.
const (
	View          = 1 << 10
	Send          = 1 << 11
	Attach        = 1 << 15
	SendInThreads = 1 << 38

	administrator = 1 << 3
)

// Overwrite changes what a role, or a user, may do in a channel.
type Overwrite struct {
	ID          string
	Allow, Deny uint64
}

// Channel is a channel of a server.
type Channel struct {
	ID         string
	Guild      string // empty is Guild
	Type       int
	Hidden     bool   // from the bot
	Closed     bool   // the bot may not write
	NoFiles    bool   // every file is too large
	Locked     bool   // of a thread: it is archived, and cannot be opened again
	Parent     string // of a thread
	Overwrites []Overwrite
}

// Message is what people see in a channel.
type Message struct {
	ID, Channel string
	For         string          // the only user who sees it, or empty
	From        string          // the user who wrote it; the bot's are App
	Components  json.RawMessage // as they were sent
	Loading     bool            // the bot is thinking
	Files       []File
	Changed     int // the number of its last change among all changes
	Edits       int

	nonce string
	made  time.Time
}

// File is an uploaded file.
type File struct {
	Name, Type, Alt string
	Data            []byte
}

// Modal is an open form.
type Modal struct {
	Body json.RawMessage // as it was sent

	channel string
	message *Message // whose button opened it
}

// Call is one call of the REST API.
//
// Op is "me", "application", "commands", "overwrite", "dm", "send", "edit", "callback", "original"
// (to change it), "delete" (to delete it), "followup", "user", "member", "members", "search",
// "channel", "guild", "guilds" or "gateway".
type Call struct {
	Op   string
	Path string // with tokens
	At   time.Time
	Body json.RawMessage
}

// Fault makes one call fail.
type Fault struct {
	Status int           // the response in place of the call's, if not zero
	Code   int           // of the error
	After  float64       // seconds, with Status 429
	Global bool          // with Status 429: of all calls
	Mute   bool          // with Status 429: in headers alone
	HTML   bool          // a page for people, as Cloudflare's
	Wait   time.Duration // before anything else
	Lose   bool          // the call is made, and the connection ends without a response
	Cut    bool          // the connection ends, and the call is not made
}

// limit is a rate limit of one operation.
type limit struct {
	most  int
	per   time.Duration
	used  int
	since time.Time
}

// Server is a Discord with a server, and a second one of which channels and commands alone are
// known; the bot is in both.
type Server struct {
	*platformtest.Network
	*platformtest.Changes
	platformtest.AckPolicy
	platformtest.Clock
	platformtest.Deliveries
	platformtest.API[Call, Fault] // by Call.Op
	*Gateway

	t     platformtest.TB
	ended chan struct{}

	// mu is held by the caller of an unexported method, unless its comment says otherwise.
	mu           sync.Mutex
	ahead        time.Duration // of the clock
	users        map[string]*User
	channels     map[string]*Channel
	roles        map[string]*Role
	messages     []*Message
	modals       map[string]*Modal // by user
	interactions map[string]*interaction
	commands     map[string]json.RawMessage // by guild, or "" for all
	limits       map[string]*limit
	digest       time.Duration
	gone         string // a host that cannot be reached
	members      bool   // the Server Members Intent is on
	endpoint     string
	public       bool
	schemaless   bool
	last         *delivery
	acks         []Ack
	handler      *http.Client // to the bot, if it serves HTTP
}

// New starts a server whose only member is the bot. It ends with the test.
func New(t platformtest.TB) *Server {
	s := &Server{
		t:        t,
		ended:    make(chan struct{}),
		users:    map[string]*User{App: {ID: App, Name: "maturity", Bot: true}},
		channels: map[string]*Channel{},
		roles: map[string]*Role{
			Guild: {ID: Guild, Permissions: View | Send | Attach | SendInThreads},
		},
		modals:       map[string]*Modal{},
		interactions: map[string]*interaction{},
		commands:     map[string]json.RawMessage{},
		limits:       map[string]*limit{},
	}
	s.Gateway = &Gateway{
		server: s, interval: 41250 * time.Millisecond, sessions: map[string]*session{}, starts: 1000,
	}
	s.Changes = platformtest.NewChanges(&s.mu)
	s.Network = platformtest.Serve(t, http.HandlerFunc(s.serve))
	t.Cleanup(func() { close(s.ended) })
	return s
}

// Listen makes the server reachable by the network too, and returns the REST API's address there.
func (s *Server) Listen() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: http.HandlerFunc(s.serve)}
	go server.Serve(l)
	s.t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String() + "/api/v10/", nil
}

// Dial connects to the server, whatever the address. It fails while the server is down, and for a
// host given to Gone.
func (s *Server) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	gone := s.gone != "" && strings.HasPrefix(address, s.gone+":")
	s.mu.Unlock()
	if gone {
		return nil, platformtest.Refused(network)
	}
	return s.Network.Dial(ctx, network, address)
}

// Gone makes a host unreachable. Sessions are resumed at "resume.discord.fake".
func (s *Server) Gone(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = host
}

// AddUser adds a user to the server.
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

// AddRole makes a role.
func (s *Server) AddRole(r Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[r.ID] = &r
}

// MembersIntent turns the Server Members Intent, which is off at first, on or off.
func (s *Server) MembersIntent(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = on
}

// Endpoint sets the Interactions Endpoint URL.
func (s *Server) Endpoint(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoint = address
}

// Public allows everybody to add the application to a server.
func (s *Server) Public() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.public = true
}

// Digest sets how long the server takes to process the first response to each interaction by HTTP.
// Until then the interaction's token cannot be used.
func (s *Server) Digest(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.digest = d
}

// Limit sets the rate limit of an operation, which headers state as Discord's do.
func (s *Server) Limit(op string, most int, per time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits[op] = &limit{most: most, per: per}
}

// Later moves the server's clock forward.
func (s *Server) Later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// DM returns the id of the conversation between a user and the bot.
func DM(user string) string { return "9" + user[1:] }

func userOf(dm string) string { return "1" + dm[1:] }

// now returns the time of the server's clock.
func (s *Server) now() time.Time { return time.Now().Add(s.ahead) }

// id returns a new snowflake.
func (s *Server) id() string { return s.idAt(s.now()) }

func (s *Server) idAt(at time.Time) string {
	ms := at.UnixMilli() - 1420070400000
	if ms < 0 { // a bubble of synctest begins in 2000, before Discord's first second
		ms += 25 * 365 * 24 * time.Hour.Milliseconds()
	}
	return strconv.FormatInt(ms<<22|int64(s.Tick()%(1<<22)), 10)
}
