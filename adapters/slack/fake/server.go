// Package fake is a Slack to test against: the Web API as far as the bot uses it, response URLs,
// signed deliveries, sockets, and what people see of it all. It behaves as Slack does where that
// hurts, refuses what Slack would refuse, and fails the test for what must not happen. It works
// without a network, in a bubble of testing/synctest as well.
package fake

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"maturitybot/adapters/platformtest"
	"maturitybot/adapters/slack/slackschema"
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

// args are what a call was given.
type args map[string]string

func (a args) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(a[name]); err == nil {
		return n
	}
	return otherwise
}

// answer is a JSON object.
type answer map[string]any

// refusal is Slack's word for why not.
type refusal string

func (r refusal) Error() string { return string(r) }

// serve does not hold the mutex.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Host != "slack.fake":
		s.t.Errorf("a request for %s, which is not Slack", r.Host)
		http.NotFound(w, r)
	case r.URL.Path == "/link":
		s.link(w, r)
	case strings.HasPrefix(r.URL.Path, "/hooks/"):
		s.run(w, r, "response_url")
	case strings.HasPrefix(r.URL.Path, "/upload/"):
		s.run(w, r, "upload")
	case strings.HasPrefix(r.URL.Path, "/api/"):
		s.run(w, r, strings.TrimPrefix(r.URL.Path, "/api/"))
	default:
		s.t.Errorf("a request for %s%s, which is nothing of Slack's", r.Host, r.URL.Path)
		http.NotFound(w, r)
	}
}

// read returns what a call was given, and its token.
func read(r *http.Request, method string, body []byte) (given args, token string, err error) {
	given = args{}
	switch {
	case method == "upload":
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		var fields map[string]json.RawMessage
		if len(body) > 0 {
			if err := json.Unmarshal(body, &fields); err != nil {
				return nil, "", err
			}
		}
		for name, raw := range fields {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
			given[name] = text
		}
	default:
		if r.Method == http.MethodGet {
			body = []byte(r.URL.RawQuery)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, "", err
		}
		for name := range form {
			given[name] = form.Get(name)
		}
	}
	token = given["token"]
	delete(given, "token")
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = t
	}
	return given, token, nil
}

// run makes one call go as it was told to go. It does not hold the mutex.
func (s *Server) run(w http.ResponseWriter, r *http.Request, method string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	given, token, err := read(r, method, body)
	if err != nil {
		s.t.Errorf("%s: a body that cannot be read: %v", method, err)
		write(w, http.StatusOK, answer{"ok": false, "error": "invalid_form_data"})
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, Call{Method: method, At: time.Now(), Args: given})
	s.Tick()
	var fault Fault
	if all := s.faults[method]; len(all) > 0 {
		fault, s.faults[method] = all[0], all[1:]
	}
	if s.latency != nil {
		fault.Wait += s.latency(method)
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
	case fault.Status != 0:
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(fault.RetryAfter))
		}
		w.WriteHeader(fault.Status)
		io.WriteString(w, "<html>no</html>")
		return
	case fault.Error != "":
		write(w, http.StatusOK, answer{"ok": false, "error": fault.Error})
		return
	}
	s.mu.Lock()
	if s.scopes != "" {
		w.Header().Set("X-OAuth-Scopes", s.scopes)
	}
	out, err := s.do(r, method, given, token, body)
	s.Tick()
	s.mu.Unlock()
	switch {
	case fault.Lose:
		panic(http.ErrAbortHandler)
	case err != nil && method == "response_url":
		write(w, http.StatusNotFound, answer{"ok": false, "error": err.Error()})
	case err != nil:
		write(w, http.StatusOK, answer{"ok": false, "error": err.Error()})
	case method == "upload", method == "response_url":
		io.WriteString(w, "ok")
	default:
		out["ok"] = true
		write(w, http.StatusOK, out)
	}
}

func write(w http.ResponseWriter, status int, body answer) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// do does what a call asks for.
func (s *Server) do(r *http.Request, method string, a args, token string, body []byte) (answer, error) {
	switch method {
	case "response_url":
		return nil, s.respond(strings.TrimPrefix(r.URL.Path, "/hooks/"), a)
	case "apps.connections.open":
		if token != AppToken {
			return nil, refusal("invalid_auth")
		}
		out := answer{"url": "ws://slack.fake/link?ticket=" + s.id("t")}
		if s.socketsOff { // Slack gives out an address all the same
			messages := []string{"[WARN] Socket Mode is not turned on."}
			out["response_metadata"] = answer{"messages": messages}
		}
		return out, nil
	case "upload":
		return nil, s.upload(r, body)
	}
	switch token {
	case Token:
	case "":
		return nil, refusal("not_authed")
	default:
		return nil, refusal("invalid_auth")
	}
	switch method {
	case "auth.test":
		return answer{"url": "https://fake.slack.com/", "team": "Fake", "user": "maturity", "team_id": Team, "user_id": Bot, "bot_id": BotID}, nil
	case "users.info":
		u, err := s.user(a["user"])
		if err != nil {
			return nil, err
		}
		return answer{"user": u.profile(a["include_locale"] == "true")}, nil
	case "users.lookupByEmail":
		for _, u := range s.users {
			if u.Email != "" && strings.EqualFold(u.Email, a["email"]) && !u.Deleted {
				return answer{"user": u.profile(false)}, nil
			}
		}
		return nil, refusal("users_not_found")
	case "users.list":
		ids := slices.DeleteFunc(slices.Sorted(maps.Keys(s.users)), func(id string) bool { return s.users[id].Stranger || s.users[id].Gone })
		ids, next := paged(ids, a)
		members := []answer{}
		for _, id := range ids {
			members = append(members, s.users[id].profile(false))
		}
		return answer{"members": members, "response_metadata": answer{"next_cursor": next}}, nil
	case "conversations.members":
		c := s.channels[a["channel"]]
		if c == nil || c.Private && !c.BotIn {
			return nil, refusal("channel_not_found")
		}
		ids := slices.Clone(c.Members)
		if c.BotIn {
			ids = append(ids, Bot)
		}
		ids, next := paged(ids, a)
		return answer{"members": ids, "response_metadata": answer{"next_cursor": next}}, nil
	case "conversations.info":
		c := s.channels[a["channel"]]
		if c == nil || c.Private && !c.BotIn {
			return nil, refusal("channel_not_found")
		}
		return answer{"channel": answer{"id": c.ID, "is_archived": c.Archived, "is_member": c.BotIn, "is_private": c.Private}}, nil
	case "chat.postMessage":
		channel, err := s.place(a["channel"])
		if err != nil {
			return nil, err
		}
		m, err := s.draw(a)
		if err != nil {
			return nil, err
		}
		m.Channel = channel
		s.messages = append(s.messages, m)
		return answer{"channel": channel, "ts": m.TS, "message": answer{"text": m.Text}}, nil
	case "chat.getPermalink":
		if m := s.find(a["channel"], a["message_ts"]); m == nil || m.For != "" {
			return nil, refusal("message_not_found")
		}
		at := strings.ReplaceAll(a["message_ts"], ".", "")
		return answer{"permalink": "https://fake.slack.com/archives/" + a["channel"] + "/p" + at}, nil
	case "chat.postEphemeral":
		channel, err := s.place(a["channel"])
		if err != nil {
			return nil, err
		}
		if c := s.channels[channel]; c != nil && !slices.Contains(c.Members, a["user"]) {
			return nil, refusal("user_not_in_channel")
		}
		m, err := s.draw(a)
		if err != nil {
			return nil, err
		}
		m.Channel, m.For = channel, a["user"]
		s.messages = append(s.messages, m)
		return answer{"message_ts": m.TS}, nil
	case "chat.update":
		m := s.find(a["channel"], a["ts"])
		switch {
		case m == nil, m.For != "":
			return nil, refusal("message_not_found")
		case m.From != Bot:
			return nil, refusal("cant_update_message")
		case utf8.RuneCountInString(a["text"]) > 4000:
			return nil, refusal("msg_too_long")
		}
		if err := s.redraw(m, a); err != nil {
			return nil, err
		}
		return answer{"channel": m.Channel, "ts": m.TS, "text": m.Text}, nil
	case "views.open":
		t := s.triggers[a["trigger_id"]]
		switch {
		case t == nil:
			return nil, refusal("invalid_trigger_id")
		case t.used:
			return nil, refusal("exchanged_trigger_id")
		case time.Since(t.made) > s.AckLimit():
			return nil, refusal("expired_trigger_id")
		}
		t.used = true
		v, err := s.view(slackschema.Modal, a["view"])
		if err != nil {
			return nil, err
		}
		s.modals[t.user] = v
		return v.told("modal"), nil
	case "views.update":
		for user, old := range s.modals {
			if old.ID != a["view_id"] {
				continue
			}
			v, err := s.view(slackschema.Modal, a["view"])
			if err != nil {
				return nil, err
			}
			v.ID = old.ID
			s.modals[user] = v
			return v.told("modal"), nil
		}
		return nil, refusal("not_found")
	case "views.publish":
		if _, err := s.user(a["user_id"]); err != nil {
			return nil, err
		}
		if old := s.homes[a["user_id"]]; old != nil && a["hash"] != "" && a["hash"] != old.Hash {
			return nil, refusal("hash_conflict")
		}
		v, err := s.view(slackschema.Home, a["view"])
		if err != nil {
			return nil, err
		}
		s.homes[a["user_id"]] = v
		return v.told("home"), nil
	case "files.getUploadURLExternal":
		if a["filename"] == "" || a.number("length", 0) < 1 {
			return nil, refusal("invalid_arguments")
		}
		f := &File{ID: s.id("F"), Name: a["filename"], Alt: a["alt_txt"]}
		s.files[f.ID] = f
		return answer{"upload_url": "http://slack.fake/upload/" + f.ID + "?length=" + a["length"], "file_id": f.ID}, nil
	case "files.completeUploadExternal":
		return s.complete(a)
	}
	s.t.Errorf("the fake Slack knows no method %q", method)
	return nil, refusal("unknown_method")
}

// paged is one page of a list, and the cursor of the next.
func paged(all []string, a args) (page []string, next string) {
	from := min(a.number("cursor", 0), len(all))
	to := min(len(all), from+min(a.number("limit", 100), 1000))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next
}

func (s *Server) user(id string) (*User, error) {
	u := s.users[id]
	if u == nil || u.Gone {
		return nil, refusal("user_not_found")
	}
	return u, nil
}

// profile is a user as the Web API tells of one.
func (u *User) profile(locale bool) answer {
	team := Team
	if u.Stranger {
		team = Other
	}
	out := answer{
		"id": u.ID, "team_id": team, "name": strings.ToLower(u.ID), "deleted": u.Deleted, "is_bot": u.Bot, "is_admin": u.Admin,
		"is_owner": false, "is_primary_owner": false, "is_restricted": u.Guest, "is_ultra_restricted": false, "is_stranger": u.Stranger,
		"is_app_user": false, "tz": u.Zone, "updated": time.Now().Unix(), "profile": answer{"email": u.Email, "real_name": u.ID},
	}
	if locale {
		out["locale"] = cmp.Or(u.Locale, "en-GB")
	}
	return out
}

// place is the channel where a message to a channel or a user goes.
func (s *Server) place(to string) (string, error) {
	user := to
	if strings.HasPrefix(to, "D") {
		user = "U" + to[1:]
	}
	if u := s.users[user]; u != nil {
		switch {
		case s.tabOff:
			return "", refusal("messages_tab_disabled")
		case u.Bot:
			return "", refusal("cannot_dm_bot")
		case u.Deleted:
			return "", refusal("user_disabled")
		case u.Unreachable:
			return "", refusal("restricted_action")
		case u.Gone, u.Stranger:
			return "", refusal("channel_not_found")
		}
		return IM(user), nil
	}
	c := s.channels[to]
	switch {
	case c == nil, c.Private && !c.BotIn:
		return "", refusal("channel_not_found")
	case c.Archived:
		return "", refusal("is_archived")
	case c.Closed:
		return "", refusal("restricted_action")
	case !c.BotIn:
		return "", refusal("not_in_channel")
	}
	return to, nil
}

func (s *Server) find(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts {
			return m
		}
	}
	return nil
}

// draw makes a message of what a call was given.
func (s *Server) draw(a args) (*Message, error) {
	m := &Message{TS: s.stamp(), From: Bot}
	if err := s.redraw(m, a); err != nil {
		return nil, err
	}
	m.Edits = 0
	return m, nil
}

func (s *Server) redraw(m *Message, a args) error {
	if a["text"] == "" {
		s.t.Errorf("a message without a text: screen readers read nothing else")
	}
	body := answer{"text": a["text"]}
	if a["blocks"] != "" {
		body["blocks"] = json.RawMessage(a["blocks"])
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return refusal("invalid_blocks_format")
	}
	if !s.valid(slackschema.Message, raw) {
		return refusal("invalid_blocks")
	}
	m.Text, m.Blocks, m.Changed = a["text"], json.RawMessage(a["blocks"]), s.Tick()
	m.Edits++
	return nil
}

func (s *Server) valid(kind string, body []byte) bool {
	err := slackschema.Validate(kind, body)
	if errors.Is(err, slackschema.ErrMissing) {
		if !s.noSchema {
			s.noSchema = true
			s.t.Logf("bodies are not held against Block Kit's schema: %v", err)
		}
		return true
	}
	if err != nil {
		s.t.Errorf("Slack would refuse this: %v\n%s", err, body)
	}
	return err == nil
}

func (s *Server) view(kind, body string) (*View, error) {
	if len(body) > 250_000 {
		return nil, refusal("view_too_large")
	}
	if !s.valid(kind, []byte(body)) {
		return nil, refusal("invalid_arguments")
	}
	return &View{ID: s.id("V"), Hash: s.id("h"), Body: json.RawMessage(body), Changed: s.Tick()}, nil
}

func (v *View) told(kind string) answer {
	return answer{"view": answer{"id": v.ID, "hash": v.Hash, "type": kind}}
}

// respond is a response URL being used.
func (s *Server) respond(id string, a args) error {
	h := s.hooks[id]
	switch {
	case h == nil:
		return refusal("invalid_url")
	case h.uses >= 5:
		return refusal("used_url")
	case time.Since(h.made) > 30*time.Minute:
		return refusal("expired_url")
	}
	h.uses++
	if a["replace_original"] == "true" {
		if m := s.find(h.channel, h.ts); m != nil {
			return s.redraw(m, a)
		}
	}
	m, err := s.draw(a)
	if err != nil {
		return err
	}
	m.Channel = h.channel
	if a["response_type"] != "in_channel" {
		m.For = h.user
	}
	s.messages = append(s.messages, m)
	return nil
}

func (s *Server) upload(r *http.Request, body []byte) error {
	f := s.files[strings.TrimPrefix(r.URL.Path, "/upload/")]
	if f == nil {
		return refusal("file_not_found")
	}
	if r.Header.Get("Authorization") != "" {
		s.t.Errorf("a token was sent to an upload address, which needs none")
	}
	if kind := r.Header.Get("Content-Type"); kind != "application/octet-stream" {
		s.t.Errorf("an upload as %q; the fake Slack takes the file itself", kind)
		return refusal("invalid_form_data")
	}
	f.Data = body
	if want := r.URL.Query().Get("length"); want != strconv.Itoa(len(f.Data)) {
		s.t.Errorf("an upload of %d bytes, announced were %s", len(f.Data), want)
	}
	return nil
}

func (s *Server) complete(a args) (answer, error) {
	var listed []struct{ ID, Title string }
	if json.Unmarshal([]byte(a["files"]), &listed) != nil || len(listed) == 0 {
		return nil, refusal("invalid_arguments")
	}
	channel := a["channel_id"]
	if !strings.ContainsAny(channel[:min(1, len(channel))], "CDG") || channel == "" {
		return nil, refusal("invalid_channel")
	}
	channel, err := s.place(channel)
	if err != nil {
		return nil, err
	}
	if c := s.channels[channel]; c != nil && c.NoFiles {
		return nil, refusal("posting_to_channel_denied")
	}
	m := &Message{Channel: channel, TS: s.stamp(), From: Bot, Text: a["initial_comment"], Changed: s.Tick()}
	var out []answer
	for _, l := range listed {
		f := s.files[l.ID]
		if f == nil || f.Data == nil || f.shared {
			return nil, refusal("file_not_found")
		}
		f.shared = true
		m.Files = append(m.Files, *f)
		out = append(out, answer{"id": f.ID, "title": l.Title})
	}
	s.messages = append(s.messages, m)
	return answer{"files": out}, nil
}
