// Package fake is a Discord to test against: the REST API as far as the bot uses it, the gateway,
// signed deliveries, and what people see of it all. It behaves as Discord does where that hurts,
// refuses what Discord would refuse, and fails the test for what must not happen. It works without
// a network, in a bubble of testing/synctest as well.
package fake

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"maturitybot/adapters/discord/discordschema"
	"maturitybot/adapters/platformtest"
)

// What the fake server and its application are called.
const (
	App   = "1100000000000000001" // the bot as a user as well
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

// User is somebody in Discord. An id is a number of 17 to 19 digits that begins with 1.
type User struct {
	ID, Name, Locale string
	Roles            []string // in the server
	Admin            bool     // may manage the server
	Bot              bool
	Closed           bool // takes no messages of the server's bots
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
	Locked     bool   // of a thread: it is archived, and nobody can open it again
	Parent     string // of a thread
	Overwrites []Overwrite
}

// Message is what people see in a channel.
type Message struct {
	ID, Channel string
	For         string          // the user who alone sees it, or empty
	From        string          // the user who wrote it; the bot's are App
	Components  json.RawMessage // as they were sent
	Loading     bool            // the bot is thinking
	Files       []File
	Changed     int // when it was made or last changed, in the order of all changes
	Edits       int

	nonce string
	made  time.Time
}

// File is something uploaded.
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
type Call struct {
	Op   string // see Fail
	Path string // with tokens
	At   time.Time
	Body json.RawMessage
}

// Fault is something that goes wrong with one call.
type Fault struct {
	Status int           // answered instead of doing it, if not zero
	Code   int           // of the error
	After  float64       // seconds, with Status 429
	Global bool          // with Status 429: of all calls
	Mute   bool          // with Status 429: in headers alone
	HTML   bool          // a page for people, as Cloudflare's
	Wait   time.Duration // before anything else
	Lose   bool          // it is done, and the connection ends without an answer
	Cut    bool          // the connection ends, and it is not done
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

	t     platformtest.TB
	ended chan struct{}

	// mu is held by whoever calls a method without a capital letter, unless that says otherwise.
	mu           sync.Mutex
	ahead        time.Duration // of the clock
	users        map[string]*User
	channels     map[string]*Channel
	roles        map[string]*Role
	messages     []*Message
	modals       map[string]*Modal // by user
	interactions map[string]*interaction
	commands     map[string]json.RawMessage // by guild, or "" for all
	calls        []Call
	faults       map[string][]Fault
	limits       map[string]*limit
	latency      func(op string) time.Duration
	digest       time.Duration
	gone         string // an address that leads nowhere
	members      bool   // the Server Members Intent is on
	endpoint     string
	public       bool
	schemaless   bool
	last         *delivery
	acks         []Ack
	handler      *http.Client // to the bot, where it serves HTTP

	gateway gateway
}

// New starts a server with nobody in it but the bot. It ends with the test.
func New(t platformtest.TB) *Server {
	s := &Server{
		t: t, ended: make(chan struct{}), users: map[string]*User{App: {ID: App, Name: "maturity", Bot: true}},
		channels: map[string]*Channel{}, roles: map[string]*Role{Guild: {ID: Guild, Permissions: View | Send | Attach | SendInThreads}}, modals: map[string]*Modal{},
		interactions: map[string]*interaction{}, commands: map[string]json.RawMessage{}, faults: map[string][]Fault{}, limits: map[string]*limit{},
		gateway: gateway{interval: 41250 * time.Millisecond, sessions: map[string]*session{}, starts: 1000},
	}
	s.Changes = platformtest.NewChanges(&s.mu)
	s.Network = platformtest.Serve(t, http.HandlerFunc(s.serve))
	t.Cleanup(func() { close(s.ended) })
	return s
}

// Listen lets the server be reached by the network too, and returns the REST API's address there.
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

// Dial connects to the server, whatever the address, or fails while it is down or the host is gone.
func (s *Server) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	gone := s.gone != "" && strings.HasPrefix(address, s.gone+":")
	s.mu.Unlock()
	if gone {
		return nil, platformtest.Refused(network)
	}
	return s.Network.Dial(ctx, network, address)
}

// Gone lets a host name lead nowhere. Sessions are resumed at "resume.discord.fake".
func (s *Server) Gone(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = host
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

// AddRole makes a role.
func (s *Server) AddRole(r Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[r.ID] = &r
}

// MembersIntent switches the Server Members Intent, which is off.
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

// Public lets anybody add the application to a server.
func (s *Server) Public() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.public = true
}

// Latency makes every call take a time.
func (s *Server) Latency(of func(op string) time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = of
}

// Digest makes the server take a time over each first answer that came by HTTP: until then its
// token is of no use.
func (s *Server) Digest(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.digest = d
}

// Fail lets the next calls of an operation go wrong, one fault each. Operations are "me",
// "application", "commands", "overwrite", "dm", "send", "edit", "callback", "original" (changes of
// it), "delete" (of it), "followup", "user", "member", "members", "search", "channel", "guild",
// "guilds" and "gateway".
func (s *Server) Fail(op string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[op] = append(s.faults[op], faults...)
}

// Limit gives an operation a rate limit, told in headers as Discord does.
func (s *Server) Limit(op string, most int, per time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits[op] = &limit{most: most, per: per}
}

// Later puts the server's clock forward.
func (s *Server) Later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// DM is the conversation between a user and the bot.
func DM(user string) string { return "9" + user[1:] }

func userOf(dm string) string { return "1" + dm[1:] }

// Calls are the calls of an operation so far, or all when it is empty.
func (s *Server) Calls(op string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if op == "" || c.Op == op {
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

// Files are the files in a channel, in the order they came.
func (s *Server) Files(channel string) []File {
	var out []File
	for _, m := range s.Messages(channel) {
		out = append(out, m.Files...)
	}
	return out
}

// Commands are what is registered for the server, or for all when guild is empty; nil is nothing.
func (s *Server) Commands(guild string) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commands[guild]
}

// Modal is the form that is open before a user, or nil.
func (s *Server) Modal(user string) *Modal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.modals[user]
}

// CloseModal is what the user's Cancel does: the bot hears nothing of it.
func (s *Server) CloseModal(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.modals, user)
	s.Tick()
}

// Dismiss takes a message away from whoever alone sees it, or deletes another; the bot hears
// nothing of it.
func (s *Server) Dismiss(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.DeleteFunc(s.messages, func(o *Message) bool { return o.ID == m.ID })
	s.Tick()
}

// now is the time by the server's clock.
func (s *Server) now() time.Time { return time.Now().Add(s.ahead) }

// id makes a snowflake.
func (s *Server) id() string { return s.idAt(s.now()) }

func (s *Server) idAt(at time.Time) string {
	ms := at.UnixMilli() - 1420070400000
	if ms < 0 { // a bubble of synctest begins in 2000, before Discord's first second
		ms += 25 * 365 * 24 * time.Hour.Milliseconds()
	}
	return strconv.FormatInt(ms<<22|int64(s.Tick()%(1<<22)), 10)
}

// answer is a JSON object.
type answer map[string]any

// refusal is an error of Discord's.
type refusal struct {
	status, code int
	message      string
}

func (r refusal) Error() string { return r.message }

var (
	unauthorized       = refusal{401, 0, "401: Unauthorized"}
	missingAccess      = refusal{403, 50001, "Missing Access"}
	missingPermissions = refusal{403, 50013, "Missing Permissions"}
	tooLarge           = refusal{413, 40005, "Request entity too large"}
	unknownChannel     = refusal{404, 10003, "Unknown Channel"}
	unknownMember      = refusal{404, 10007, "Unknown Member"}
	unknownMessage     = refusal{404, 10008, "Unknown Message"}
	unknownUser        = refusal{404, 10013, "Unknown User"}
	unknownWebhook     = refusal{404, 10015, "Unknown Webhook"}
	unknownInteraction = refusal{404, 10062, "Unknown interaction"}
	acknowledged       = refusal{400, 40060, "Interaction has already been acknowledged."}
	closedDM           = refusal{403, 50007, "Cannot send messages to this user"}
	noSharedGuild      = refusal{403, 50278, "Cannot send messages to this user due to having no mutual guilds"}
	deadToken          = refusal{401, 50027, "Invalid Webhook Token"}
	badForm            = refusal{400, 50035, "Invalid Form Body"}
)

// check holds a body against the schema, and fails the test when Discord would refuse it.
func (s *Server) check(what string, body []byte) error {
	err := discordschema.Validate(what, body)
	if errors.Is(err, discordschema.ErrMissing) {
		if !s.schemaless {
			s.t.Logf("bodies are not held against the schema: %v", err)
		}
		s.schemaless = true
		err = nil
	}
	if err != nil {
		s.t.Errorf("%v\n%s", err, body)
		return badForm
	}
	return nil
}

// serve does not hold the mutex.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/gateway/" {
		s.link(w, r)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v10/")
	if !ok {
		s.t.Errorf("a call of %s %s", r.Method, r.URL.Path)
		http.NotFound(w, r)
		return
	}
	s.run(w, r, strings.Split(path, "/"))
}

// operation is what a call is of, and the last id in its path.
func operation(method string, path []string) string {
	shape := make([]string, len(path))
	for i, p := range path {
		shape[i] = p
		if p != "" && (p[0] >= '0' && p[0] <= '9') || i > 1 && path[0] != "channels" && path[0] != "guilds" && path[0] != "users" && path[0] != "applications" && (i == 2) {
			shape[i] = "*"
		}
	}
	return map[string]string{
		"GET users/@me": "me", "GET applications/@me": "application", "GET gateway/bot": "gateway", "GET users/@me/guilds": "guilds", "POST users/@me/channels": "dm", "GET users/*": "user",
		"GET applications/*/commands": "commands", "PUT applications/*/commands": "overwrite",
		"GET applications/*/guilds/*/commands": "commands", "PUT applications/*/guilds/*/commands": "overwrite",
		"POST channels/*/messages": "send", "PATCH channels/*/messages/*": "edit", "GET channels/*": "channel",
		"POST interactions/*/*/callback": "callback", "POST webhooks/*/*": "followup", "PATCH webhooks/*/*/messages/@original": "original",
		"DELETE webhooks/*/*/messages/@original": "delete", "GET guilds/*": "guild", "GET guilds/*/members/*": "member",
		"GET guilds/*/members": "members", "GET guilds/*/members/search": "search",
	}[method+" "+strings.Join(shape, "/")]
}

// run makes one call go as it was told to go. It does not hold the mutex.
func (s *Server) run(w http.ResponseWriter, r *http.Request, path []string) {
	body, files, err := read(r)
	if err != nil {
		s.t.Errorf("%s %s: a body that cannot be read: %v", r.Method, r.URL.Path, err)
		return
	}
	op := operation(r.Method, path)
	s.mu.Lock()
	s.calls = append(s.calls, Call{Op: op, Path: strings.Join(path, "/"), At: time.Now(), Body: body})
	s.Tick()
	var fault Fault
	if all := s.faults[op]; len(all) > 0 {
		fault, s.faults[op] = all[0], all[1:]
	}
	if s.latency != nil {
		fault.Wait += s.latency(op)
	}
	if l := s.limits[op]; l != nil && fault.Status == 0 {
		now := time.Now()
		if l.since.IsZero() || now.Sub(l.since) >= l.per {
			l.used, l.since = 0, now
		}
		l.used++
		rest := (l.per - now.Sub(l.since)).Seconds()
		if l.used > l.most {
			fault.Status, fault.After = 429, rest
		}
		w.Header().Set("X-RateLimit-Limit", strconv.Itoa(l.most))
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(0, l.most-l.used)))
		w.Header().Set("X-RateLimit-Reset-After", strconv.FormatFloat(rest, 'f', 3, 64))
		w.Header().Set("X-RateLimit-Bucket", op)
	}
	s.mu.Unlock()
	if fault.Wait > 0 {
		timer := time.NewTimer(fault.Wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.ended:
			return
		}
	}
	switch {
	case fault.Cut:
		panic(http.ErrAbortHandler)
	case fault.HTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(cmp.Or(fault.Status, 429))
		io.WriteString(w, "<html>You are being rate limited</html>")
		return
	case fault.Status == http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.FormatFloat(fault.After, 'f', 3, 64))
		if fault.Global {
			w.Header().Set("X-RateLimit-Global", "true")
		}
		if fault.Mute {
			w.Header().Set("X-RateLimit-Scope", "shared")
			w.WriteHeader(fault.Status)
			return
		}
		write(w, fault.Status, answer{"message": "You are being rate limited.", "retry_after": fault.After, "global": fault.Global})
		return
	case fault.Status >= 300 && fault.Status < 400:
		http.Redirect(w, r, "/api/v10/users/@me", fault.Status)
		return
	case fault.Status != 0:
		write(w, fault.Status, answer{"message": http.StatusText(fault.Status), "code": fault.Code})
		return
	}
	s.mu.Lock()
	out, err := s.do(r, op, path, body, files)
	s.Tick()
	s.mu.Unlock()
	var no refusal
	switch {
	case fault.Lose:
		panic(http.ErrAbortHandler)
	case errors.As(err, &no):
		write(w, no.status, answer{"message": no.message, "code": no.code})
	case out == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		write(w, http.StatusOK, out)
	}
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// read returns the JSON of a body, and its files by number.
func read(r *http.Request) (body []byte, files map[string]File, err error) {
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		body, err = io.ReadAll(r.Body)
		return body, nil, err
	}
	files = map[string]File{}
	parts := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return body, files, nil
		}
		if err != nil {
			return nil, nil, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, err
		}
		if part.FormName() == "payload_json" {
			body = data
			continue
		}
		id := strings.TrimSuffix(strings.TrimPrefix(part.FormName(), "files["), "]")
		files[id] = File{Name: part.FileName(), Type: part.Header.Get("Content-Type"), Data: data}
	}
}

// do does what a call asks for.
func (s *Server) do(r *http.Request, op string, path []string, body []byte, files map[string]File) (any, error) {
	switch op {
	case "callback", "followup", "original", "delete":
		if r.Header.Get("Authorization") != "" {
			s.t.Errorf("the bot token went with an interaction's own token")
		}
	default:
		if r.Header.Get("Authorization") != "Bot "+Token {
			return nil, unauthorized
		}
	}
	if !strings.HasPrefix(r.Header.Get("User-Agent"), "DiscordBot (") {
		s.t.Errorf("the user agent %q is none that Discord takes", r.Header.Get("User-Agent"))
	}
	switch op {
	case "me":
		return answer{"id": App, "username": "maturity", "bot": true}, nil
	case "application":
		a := answer{"id": App, "name": "maturity", "verify_key": PublicKey, "bot_public": s.public}
		if s.endpoint != "" {
			a["interactions_endpoint_url"] = s.endpoint
		}
		return a, nil
	case "guilds":
		return []answer{{"id": Guild, "name": "Northshire"}, {"id": Other, "name": "Elsewhere"}}, nil
	case "gateway":
		return answer{
			"url": "ws://" + r.Host + "/gateway", "shards": 1,
			"session_start_limit": answer{"total": 1000, "remaining": s.left(), "reset_after": max(0, s.gateway.reset.Sub(s.now()).Milliseconds()), "max_concurrency": 1},
		}, nil
	case "commands", "overwrite":
		return s.register(op, path, body)
	case "dm":
		var to struct {
			Recipient string `json:"recipient_id"`
		}
		json.Unmarshal(body, &to)
		u := s.users[to.Recipient]
		switch {
		case u == nil:
			return nil, refusal{400, 50033, "Invalid Recipient(s)"}
		case u.Bot:
			return nil, closedDM
		}
		return answer{"id": DM(u.ID), "type": 1}, nil
	case "send":
		return s.send(path[1], body, files)
	case "edit":
		m := s.find(path[3])
		if m == nil || m.For != "" || m.Channel != path[1] {
			return nil, unknownMessage
		}
		if m.From != App {
			return nil, refusal{403, 50005, "Cannot edit a message authored by another user"}
		}
		if err := s.check(discordschema.Edit, body); err != nil {
			return nil, err
		}
		s.redraw(m, body)
		return answer{"id": m.ID}, nil
	case "callback":
		i := s.interactions[path[2]]
		if i == nil || i.id != path[1] {
			return nil, unknownInteraction
		}
		return nil, s.first(i, body)
	case "followup", "original", "delete":
		return s.hook(op, path, body, files)
	case "user", "member", "members", "search", "channel", "guild":
		return s.look(op, path, r.URL.Query())
	}
	s.t.Errorf("the fake Discord knows no %s %s", r.Method, r.URL.Path)
	return nil, refusal{404, 0, "404: Not Found"}
}

func (s *Server) register(op string, path []string, body []byte) (any, error) {
	guild := ""
	if path[1] != App {
		return nil, missingAccess
	}
	if path[2] == "guilds" {
		if guild = path[3]; guild != Guild && guild != Other {
			return nil, missingAccess
		}
	}
	if op == "overwrite" {
		if err := s.check(discordschema.Commands, body); err != nil {
			return nil, err
		}
		s.commands[guild] = body
	}
	// As Discord tells them: with ids, defaults and permissions as strings, in an order of its own.
	var all []map[string]any
	json.Unmarshal(s.commands[guild], &all)
	out := []map[string]any{}
	for _, c := range slices.Backward(all) {
		c = maps.Clone(c)
		c["id"], c["application_id"], c["version"], c["nsfw"], c["name_localizations"], c["description_localizations"] = s.id(), App, s.id(), false, nil, nil
		if p, ok := c["default_member_permissions"].(float64); ok {
			c["default_member_permissions"] = strconv.Itoa(int(p))
		} else {
			c["default_member_permissions"] = nil
		}
		if guild != "" {
			c["guild_id"], c["contexts"], c["integration_types"] = guild, nil, []int{0}
		}
		out = append(out, c)
	}
	return out, nil
}

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
	case !thread(c) && s.rights(c)&Send == 0, thread(c) && s.rights(c)&SendInThreads == 0, c.Locked, len(files) > 0 && s.rights(c)&Attach == 0:
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

func thread(c *Channel) bool { return c.Type >= 10 && c.Type <= 12 }

// rights are the bot's permissions in a channel (topics/permissions.mdx).
func (s *Server) rights(c *Channel) uint64 {
	mine := s.users[App].Roles
	may := s.roles[Guild].Permissions
	for _, r := range mine {
		may |= s.roles[r].Permissions
	}
	if may&administrator != 0 {
		return may
	}
	overwrites := c.Overwrites
	if parent := s.channels[c.Parent]; parent != nil {
		overwrites = parent.Overwrites
	}
	var allow, deny uint64
	for _, o := range overwrites {
		switch {
		case o.ID == Guild:
			may = may&^o.Deny | o.Allow
		case slices.Contains(mine, o.ID):
			allow, deny = allow|o.Allow, deny|o.Deny
		}
	}
	may = may&^deny | allow
	for _, o := range overwrites {
		if o.ID == App {
			may = may&^o.Deny | o.Allow
		}
	}
	if c.Closed {
		may &^= Send | SendInThreads
	}
	if c.Hidden || may&View == 0 {
		return 0
	}
	return may
}

// attach gives a message its files.
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
		s.t.Errorf("%d attachments are told of, %d are there", len(in.Attachments), len(files))
		return badForm
	}
	for _, a := range in.Attachments {
		f, ok := files[a.ID]
		if !ok || f.Name != a.Filename {
			s.t.Errorf("attachment %s is told as %q, and is %q", a.ID, a.Filename, f.Name)
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
		if m := i.original; m != nil && m.Loading { // it takes the place of the answer that was promised
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

// reply makes a message in answer to an interaction.
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

// look answers questions about people and places.
func (s *Server) look(op string, path []string, query url.Values) (any, error) {
	profile := func(u *User) answer { return answer{"id": u.ID, "username": u.Name, "bot": u.Bot} }
	member := func(u *User) answer {
		return answer{"user": profile(u), "roles": slices.Concat([]string{}, u.Roles), "nick": nil}
	}
	if path[0] == "guilds" && path[1] != Guild {
		return nil, missingAccess
	}
	switch op {
	case "user":
		if u := s.users[path[1]]; u != nil {
			return profile(u), nil
		}
		return nil, unknownUser
	case "member":
		u := s.users[path[3]]
		switch {
		case u == nil:
			return nil, unknownUser
		case u.Outside:
			return nil, unknownMember
		}
		return member(u), nil
	case "members":
		if !s.members {
			return nil, missingAccess
		}
		most, _ := strconv.Atoi(query.Get("limit"))
		out := []answer{}
		for _, id := range slices.Sorted(maps.Keys(s.users)) {
			if u := s.users[id]; id > query.Get("after") && !u.Outside && len(out) < max(1, min(most, 1000)) {
				out = append(out, member(u))
			}
		}
		return out, nil
	case "search":
		out := []answer{}
		for _, id := range slices.Sorted(maps.Keys(s.users)) {
			if u := s.users[id]; !u.Outside && strings.HasPrefix(strings.ToLower(u.Name), strings.ToLower(query.Get("query"))) {
				out = append(out, member(u))
			}
		}
		return out, nil
	case "channel":
		if path[1][0] == '9' {
			if s.users[userOf(path[1])] == nil {
				return nil, unknownChannel
			}
			return answer{"id": path[1], "type": 1}, nil
		}
		c := s.channels[path[1]]
		switch {
		case c == nil:
			return nil, unknownChannel
		case s.rights(c)&View == 0 && cmp.Or(c.Guild, Guild) == Guild:
			return nil, missingAccess
		}
		over := []answer{}
		for _, o := range c.Overwrites {
			over = append(over, answer{"id": o.ID, "allow": strconv.FormatUint(o.Allow, 10), "deny": strconv.FormatUint(o.Deny, 10)})
		}
		return answer{"id": c.ID, "type": c.Type, "guild_id": cmp.Or(c.Guild, Guild), "permission_overwrites": over, "parent_id": c.Parent, "thread_metadata": answer{"archived": c.Locked, "locked": c.Locked}}, nil
	}
	roles := []answer{}
	for _, id := range slices.Sorted(maps.Keys(s.roles)) {
		roles = append(roles, answer{"id": id, "permissions": strconv.FormatUint(s.roles[id].Permissions, 10)})
	}
	return answer{"id": Guild, "owner_id": Owner, "roles": roles}, nil
}
