package fake

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/adapters/discord/discordschema"
	"maturitybot/adapters/platformtest"
)

// answer is a JSON object.
type answer map[string]any

// refusal is an error response of Discord.
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

// check compares a body with the schema, and fails the test if Discord would refuse it.
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

// serve serves the REST API. It does not hold the mutex.
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

// operations are the calls by method and path, in which * stands for an id or a token.
var operations = map[string]string{
	"GET users/@me":                          "me",
	"GET users/*":                            "user",
	"GET users/@me/guilds":                   "guilds",
	"POST users/@me/channels":                "dm",
	"GET applications/@me":                   "application",
	"GET applications/*/commands":            "commands",
	"PUT applications/*/commands":            "overwrite",
	"GET applications/*/guilds/*/commands":   "commands",
	"PUT applications/*/guilds/*/commands":   "overwrite",
	"GET gateway/bot":                        "gateway",
	"GET channels/*":                         "channel",
	"POST channels/*/messages":               "send",
	"PATCH channels/*/messages/*":            "edit",
	"POST interactions/*/*/callback":         "callback",
	"POST webhooks/*/*":                      "followup",
	"PATCH webhooks/*/*/messages/@original":  "original",
	"DELETE webhooks/*/*/messages/@original": "delete",
	"GET guilds/*":                           "guild",
	"GET guilds/*/members":                   "members",
	"GET guilds/*/members/*":                 "member",
	"GET guilds/*/members/search":            "search",
}

// operation returns the operation of a call, or "" if there is none.
func operation(method string, path []string) string {
	shape := slices.Clone(path)
	for i, p := range path {
		byToken := path[0] == "interactions" || path[0] == "webhooks"
		if p != "" && p[0] >= '0' && p[0] <= '9' || byToken && i == 2 {
			shape[i] = "*"
		}
	}
	return operations[method+" "+strings.Join(shape, "/")]
}

// run makes one call, with the fault that is set for it. It does not hold the mutex.
func (s *Server) run(w http.ResponseWriter, r *http.Request, path []string) {
	body, files, err := read(r)
	if err != nil {
		s.t.Errorf("%s %s: a body that cannot be read: %v", r.Method, r.URL.Path, err)
		return
	}
	op := operation(r.Method, path)
	s.mu.Lock()
	fault, latency := s.Begin(op, Call{
		Op:   op,
		Path: strings.Join(path, "/"),
		At:   time.Now(),
		Body: body,
	})
	s.Tick()
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
	if !platformtest.Sleep(fault.Wait+latency, s.ended) {
		return
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
		write(w, fault.Status, answer{
			"message": "You are being rate limited.", "retry_after": fault.After, "global": fault.Global,
		})
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

// do makes a call without a fault.
func (s *Server) do(
	r *http.Request, op string, path []string, body []byte, files map[string]File,
) (any, error) {
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
		limit := answer{
			"total": 1000, "remaining": s.left(), "max_concurrency": 1,
			"reset_after": max(0, s.Gateway.reset.Sub(s.now()).Milliseconds()),
		}
		return answer{
			"url": "ws://" + r.Host + "/gateway", "shards": 1, "session_start_limit": limit,
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
	// As Discord returns them: with ids, defaults and permissions as strings, in an order of its own.
	var all []map[string]any
	json.Unmarshal(s.commands[guild], &all)
	out := []map[string]any{}
	for _, c := range slices.Backward(all) {
		c = maps.Clone(c)
		maps.Copy(c, answer{
			"id": s.id(), "application_id": App, "version": s.id(), "nsfw": false,
			"name_localizations": nil, "description_localizations": nil,
		})
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
