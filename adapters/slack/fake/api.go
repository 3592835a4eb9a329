package fake

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"maturitybot/adapters/platformtest"
)

// args are the arguments of a call.
type args map[string]string

func (a args) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(a[name]); err == nil {
		return n
	}
	return otherwise
}

// answer is a JSON object.
type answer map[string]any

// refusal is one of Slack's error codes.
type refusal string

func (r refusal) Error() string { return string(r) }

// serve serves the Web API. It does not hold the mutex.
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

// read returns the arguments of a call, and its token.
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

// run makes one call, with the fault that is set for it. It does not hold the mutex.
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
	fault, latency := s.Begin(method, Call{Method: method, At: time.Now(), Args: given})
	s.Tick()
	s.mu.Unlock()
	if !platformtest.Sleep(fault.Wait+latency, s.ended) {
		return
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

// do makes a call without a fault.
func (s *Server) do(
	r *http.Request, method string, a args, token string, body []byte,
) (answer, error) {
	switch method {
	case "response_url":
		return nil, s.respond(strings.TrimPrefix(r.URL.Path, "/hooks/"), a)
	case "apps.connections.open":
		if token != AppToken {
			return nil, refusal("invalid_auth")
		}
		out := answer{"url": "ws://slack.fake/link?ticket=" + s.id("t")}
		if s.socketsOff { // Slack returns an address even so
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
	if call := methods[method]; call != nil {
		return call(s, a)
	}
	s.t.Errorf("the fake Slack knows no method %q", method)
	return nil, refusal("unknown_method")
}
