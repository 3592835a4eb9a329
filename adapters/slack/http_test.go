package slack

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/adapters/webhook"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// request returns a delivery of Slack, signed with the given time.
func request(kind, body string, at time.Time) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://bot.fake/slack", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", kind)
	fake.Sign(r, []byte(body), at)
	return r
}

const formKind = "application/x-www-form-urlencoded"

// commandBody returns a command whose response URL is not Slack's.
func commandBody(n int) string {
	return url.Values{
		"command": {"/maturity"}, "text": {"help"}, "user_id": {ben}, "channel_id": {team}, "team_id": {fake.Team},
		"trigger_id": {fmt.Sprint("t", n)}, "response_url": {"http://example.org/elsewhere"},
	}.Encode()
}

func TestUnsignedDeliveryRefused(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		w.Tolerate()
		good := func() *http.Request { return request(formKind, commandBody(1), time.Now()) }
		for name, spoil := range map[string]func(*http.Request){
			"unsigned":           func(r *http.Request) { r.Header.Del("X-Slack-Signature") },
			"without a time":     func(r *http.Request) { r.Header.Del("X-Slack-Request-Timestamp") },
			"stale":              func(r *http.Request) { fake.Sign(r, []byte(commandBody(1)), time.Now().Add(-301*time.Second)) },
			"of the future":      func(r *http.Request) { fake.Sign(r, []byte(commandBody(1)), time.Now().Add(301*time.Second)) },
			"with another time":  func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", fmt.Sprint(time.Now().Unix()-1)) },
			"with another body":  func(r *http.Request) { fake.Sign(r, []byte("other"), time.Now()) },
			"of another version": func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v1"+r.Header.Get("X-Slack-Signature")[2:]) },
			"with nonsense":      func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0=zz") },
		} {
			r := good()
			spoil(r)
			if a := w.Post(r); a.Status != http.StatusUnauthorized || a.Header.Get("X-Slack-No-Retry") != "1" {
				t.Errorf("%s: %+v", name, a)
			}
		}
		get := good()
		get.Method = http.MethodGet
		if a := w.Post(get); a.Status != http.StatusMethodNotAllowed {
			t.Errorf("GET: %+v", a)
		}
		large := request(formKind, strings.Repeat("x", maxDeliveryBytes+1), time.Now())
		if a := w.Post(large); a.Err == nil && a.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("too large: %+v", a)
		}
		synctest.Wait()
		w.want(t, "handled", fmt.Sprint(len(w.bot.Events)), "0")
		if a := w.Post(good()); a.Status != http.StatusOK {
			t.Errorf("a good one: %+v", a)
		}
		synctest.Wait()
		w.want(t, "handled", fmt.Sprint(len(w.bot.Events)), "1")
	})
}

// unread is a body that fails the test if it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func (unread) Close() error { return nil }

func TestBodyNotReadWithoutPlausibleHeaders(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		for name, spoil := range map[string]func(http.Header){
			"no signature":       func(h http.Header) { h.Del("X-Slack-Signature") },
			"half a signature":   func(h http.Header) { h.Set("X-Slack-Signature", "v0=0123") },
			"no time":            func(h http.Header) { h.Del("X-Slack-Request-Timestamp") },
			"no number":          func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "now") },
			"long ago":           func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "1") },
			"in a hundred years": func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "4100000000") },
		} {
			r := request(formKind, commandBody(1), time.Now())
			spoil(r.Header)
			r.Body = unread{t}
			res := httptest.NewRecorder()
			w.slack.Handler().ServeHTTP(res, r)
			if res.Code != http.StatusUnauthorized || res.Header().Get("X-Slack-No-Retry") != "1" || res.Header().Get("Connection") != "close" {
				t.Errorf("%s: %d %v", name, res.Code, res.Header())
			}
		}
	})
}

func TestReadMemoryLimit(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		w.Tolerate()
		slow, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		var all sync.WaitGroup
		send := func(n, size int) {
			for range n {
				all.Go(func() {
					r := request(formKind, commandBody(1), time.Now())
					r.ContentLength, r.Body = maxDeliveryBytes, &trickle{slow, size}
					w.Post(r)
				})
			}
			synctest.Wait()
		}
		send(webhook.ReservedBytes/maxDeliveryBytes+1, maxDeliveryBytes*3/4)
		long := commandBody(2) + "&more=" + strings.Repeat("x", maxDeliveryBytes/2)
		if a := w.Post(request(formKind, long, time.Now())); a.Status != http.StatusServiceUnavailable || a.Header.Get("X-Slack-No-Retry") != "" || a.Took > time.Second {
			t.Errorf("beyond: %+v", a)
		}
		if a := w.Post(request(formKind, commandBody(1), time.Now())); !a.OK() || a.Took > time.Second {
			t.Errorf("a small one beside them: %+v", a)
		}
		all.Wait()
		if a := w.Post(request(formKind, long, time.Now())); !a.OK() {
			t.Errorf("after that: %+v", a)
		}
		send(2000, 0)
		if a := w.Post(request(formKind, commandBody(3), time.Now())); !a.OK() || a.Took > time.Second {
			t.Errorf("beside 2,000 who say nothing: %+v", a)
		}
		all.Wait()
	})
}

func TestRefusalLogRateLimit(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		refused := func() {
			r := request(formKind, commandBody(1), time.Now())
			r.Header.Del("X-Slack-Signature")
			w.slack.Handler().ServeHTTP(httptest.NewRecorder(), r)
		}
		for range 100 {
			refused()
		}
		w.want(t, "lines", fmt.Sprint(strings.Count(w.log.String(), "delivery refused")), fmt.Sprint(webhook.MaxRefusalsLogged))
		time.Sleep(time.Minute)
		refused()
		if !strings.Contains(w.log.String(), fmt.Sprint("unlogged=", 100-webhook.MaxRefusalsLogged)) {
			t.Errorf("the rest is not counted:\n%s", w.log)
		}
	})
}

func TestReplayRefused(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		made := time.Now()
		send := func() int { return w.Post(request(formKind, commandBody(1), made)).Status }
		w.want(t, "the first", fmt.Sprint(send()), "200")
		for _, wait := range []time.Duration{0, 2 * time.Minute, 2 * time.Minute, 2 * time.Minute, 10 * time.Minute} {
			time.Sleep(wait)
			w.want(t, "a copy", fmt.Sprint(send()), "401")
		}
		w.want(t, "handled", fmt.Sprint(len(w.bot.Events)), "1")
		// A time in the future stays good for longer.
		made = time.Now().Add(4 * time.Minute)
		w.want(t, "from a fast clock", fmt.Sprint(send()), "200")
		for n := range 8 {
			time.Sleep(time.Minute)
			w.Post(request(formKind, commandBody(n), time.Now()))
		}
		w.want(t, "its copy", fmt.Sprint(send()), "401")
	})
}

func TestReplayFilterBounded(t *testing.T) {
	var r replayFilter
	for n := range 3 * maxReplays {
		if !r.accept(fmt.Sprintf("v0=%016x%048x", n, 0)) {
			t.Fatalf("%d is not new", n)
		}
	}
	if n := len(r.current) + len(r.previous); n > 2*maxReplays {
		t.Errorf("%d are kept", n)
	}
}

func TestBusyStatus(t *testing.T) {
	var ready chan struct{}
	waits := func(ctx context.Context, e chat.Event) []chat.Reply {
		<-ready
		return updates(ctx, e)
	}
	byHTTP(t, waits, func(t *testing.T, w *world) {
		ready = make(chan struct{})
		w.Tolerate()
		var all sync.WaitGroup
		var last fake.Ack
		made := time.Now()
		for n := range 40 {
			all.Go(func() {
				if a := w.Post(request(formKind, commandBody(n), made)); n == 39 {
					last = a
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if last.Status != http.StatusServiceUnavailable || last.Header.Get("X-Slack-No-Retry") != "" {
			t.Errorf("the fortieth was answered %+v", last)
		}
		close(ready)
		synctest.Wait()
		if a := w.Post(request(formKind, commandBody(39), made)); a.Status != http.StatusOK {
			t.Errorf("the same again was answered %+v", a)
		}
	})
}

func TestDeliveriesWithoutAction(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		w.Tolerate()
		for _, c := range []struct {
			name, kind, body string
			status           int
			said             string
		}{
			{"challenge", "application/json", `{"type":"url_verification","challenge":"abc","token":"x"}`, 200, "abc"},
			{"check of the certificate", formKind, "ssl_check=1&token=x", 200, ""},
			{"another app's button", formKind, url.Values{"payload": {`{"type":"block_actions","trigger_id":"t","user":{"id":"U1"},"team":{"id":"T1"},"container":{"type":"message","channel_id":"C1","message_ts":"1.1"},"actions":[{"type":"button","action_id":"A B"}]}`}}.Encode(), 200, ""},
			{"a shortcut", formKind, url.Values{"payload": {`{"type":"shortcut","trigger_id":"t","user":{"id":"U1"},"team":{"id":"T1"}}`}}.Encode(), 200, ""},
			{"another app's form", formKind, url.Values{"payload": {string(payload(t, "submit-foreign.json"))}}.Encode(), 200, ""},
			{"an event of another kind", "application/json", `{"type":"event_callback","team_id":"T1","event_id":"E1","event":{"type":"reaction_added","user":"U1"}}`, 200, ""},
			{"no JSON", "application/json", `{`, 400, ""},
			{"no payload", formKind, url.Values{"payload": {`{"type":"block_actions"`}}.Encode(), 400, ""},
			{"no form", formKind, "%zz", 400, ""},
			{"nothing", formKind, "", 400, ""},
		} {
			a := w.Post(request(c.kind, c.body, time.Now()))
			if a.Status != c.status || string(a.Body) != c.said {
				t.Errorf("%s: %d %q", c.name, a.Status, a.Body)
			}
			if no := a.Header.Get("X-Slack-No-Retry"); (no == "1") != (c.status == 400) {
				t.Errorf("%s: no-retry is %q", c.name, no)
			}
		}
		w.want(t, "handled", fmt.Sprint(len(w.bot.Events)), "0")
	})
}

// An event that the operator must know of is one line in the log, with the workspace or the
// organisation.
func TestOperatorEvents(t *testing.T) {
	const gone = "level=ERROR msg=\"the app was uninstalled, or its token revoked"
	for _, c := range []struct{ payload, line, attributes string }{
		{"event-uninstalled.json", gone, "workspace=T0NORTH"},
		{"event-revoked.json", gone, "workspace=T0NORTH"},
		{"event-uninstalled-org.json", gone, "organisation=E0NORTH"},
		{"event-revoked-org.json", gone, "organisation=E0NORTH"},
		{"event-access-granted.json", "level=INFO msg=\"the app was given access to workspaces", "organisation=E0NORTH workspaces=\"[T0NORTH T0SOUTH]\""},
		{"event-access-revoked.json", "level=ERROR msg=\"the app lost access to workspaces", "organisation=E0NORTH workspaces=[T0NORTH]"},
		{"event-limited.json", "level=ERROR msg=\"slack holds events back", "workspace=T0NORTH"},
		{"event-channel-object.json", "", ""},
		{"event-revoked-user.json", "", ""},
	} {
		byHTTP(t, updates, func(t *testing.T, w *world) {
			before := len(w.log.String())
			if a := w.Post(request("application/json", string(payload(t, c.payload)), time.Now())); !a.OK() {
				t.Errorf("%s was answered %+v", c.payload, a)
			}
			got := strings.TrimSpace(w.log.String()[before:])
			if c.line == "" && got != "" || c.line != "" && strings.Count(got, "\n") != 0 || !strings.Contains(got, c.line) || !strings.HasSuffix(got, c.attributes) {
				t.Errorf("%s: logged %q, want one line with %q and %q at its end", c.payload, got, c.line, c.attributes)
			}
		})
	}
}

func TestPanicContained(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		good := w.slack.replays
		w.slack.replays = nil
		res := httptest.NewRecorder()
		w.slack.Handler().ServeHTTP(res, request(formKind, commandBody(1), time.Now()))
		w.slack.replays = good
		if res.Code != http.StatusInternalServerError || !strings.Contains(w.log.String(), "panic") {
			t.Errorf("answered %d\n%s", res.Code, w.log)
		}
		w.bot.Does = func(context.Context, chat.Event) []chat.Reply { panic("private words") }
		if a := w.Command(ben, team, "help"); !a.OK() {
			t.Errorf("answered %+v", a)
		}
		if log := w.log.String(); !strings.Contains(log, "doing=handling") || strings.Contains(log, "private words") {
			t.Errorf("the log is\n%s", log)
		}
	})
}

func TestBodyReadTimeout(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		r := request(formKind, commandBody(1), time.Now())
		r.ContentLength = 1000
		began := time.Now()
		slow, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		r.Body = &trickle{ctx: slow}
		w.Tolerate()
		a := w.Post(r)
		if took := time.Since(began); took > 4*time.Second || a.Status != http.StatusBadRequest {
			t.Errorf("waited %v, answered %+v", took, a)
		}
	})
}

// trickle is a body that sends a part at once and then a byte now and then. None is due at the moment when the server gives up: the
// client would not see the answer.
type trickle struct {
	ctx  context.Context
	part int
}

func (t *trickle) Read(p []byte) (int, error) {
	if n := min(len(p), t.part); n > 0 {
		t.part -= n
		return copy(p, strings.Repeat("x", n)), nil
	}
	if err := dispatch.Sleep(t.ctx, 700*time.Millisecond); err != nil {
		return 0, err
	}
	p[0] = 'x'
	return 1, nil
}

func (t *trickle) Close() error { return nil }
