package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/bot/chat"
)

const (
	round    = "abcdefghij"
	personal = "token-of-a-personal-link"
	shared1  = "token-of-an-open-link"
	code     = "code-of-a-person"
	revoked  = "token-that-was-revoked"
)

// stage is a server with a bot of a few cards.
type stage struct {
	t      *testing.T
	server *Server
	log    bytes.Buffer
	now    time.Time

	mu      sync.Mutex
	events  []chat.Event
	entered int
	starts  []string // the events of people who entered
	down    bool     // the store cannot be reached
	deaf    bool     // the bot cannot save, and says so
	done    bool     // what people do was done before
	ended   int      // events whose context has ended
	full    bool
	lang    map[string]string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, now: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC), lang: map[string]string{}}
	address, err := url.Parse("https://survey.example.org")
	if err != nil {
		t.Fatal(err)
	}
	s.server = New(Options{
		URL: address, Responder: s, Links: s,
		Pages: []string{"begin", "at", "kept", "detail", "receipt"}, Actions: []string{"answer", "erase", "role", "jump", "submit"},
		Home: "begin", Last: []string{"submit", "erase"},
		Say: func(lang, key string, facts ...any) string { return fmt.Sprint(lang, " ", key, facts) },
		Log: slog.New(slog.NewTextHandler(&s.log, nil)), Now: func() time.Time { return s.now },
	})
	return s
}

func (s *stage) Ack(chat.Event) chat.Ack { return chat.AckUpdate }

// Handle shows a card that names the action.
func (s *stage) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	if ctx.Err() != nil {
		s.ended++
	}
	if s.done {
		return nil
	}
	if s.deaf {
		return []chat.Reply{chat.Whisper{Card: chat.Card{Blocks: []chat.Block{chat.Paragraph("cannot save")}}}}
	}
	a := func(verb string) chat.Action { return chat.NewAction(verb, round) }
	switch e.Action.Verb {
	case "detail":
		return []chat.Reply{chat.OpenForm{Form: chat.Form{
			Title: "Add detail", Submit: "Save", Cancel: "Cancel", Action: a("keep"),
			Fields: []chat.Field{chat.Input{Label: chat.Label{ID: "note", Text: "Note", Hint: "Up to 10"}, Max: 10, Lines: true}},
		}}}
	case "keep":
		if len(e.Value("note")) > 10 {
			return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"note": "Up to 10 characters"}}}
		}
	}
	update := chat.Update{Card: chat.Card{Blocks: []chat.Block{
		chat.Heading{Text: "Card " + e.Action.Verb},
		chat.Choice{Title: "Early", Text: "<b>words</b>", Button: chat.Button{Label: "Early", Action: a("answer"), Chosen: true, Spoken: "Early progress"}},
		chat.Buttons{Buttons: []chat.Button{
			{Label: "Erase", Action: a("erase"), Confirm: &chat.Confirm{Title: "Really?", Text: "All of it.", Yes: "Erase it", No: "Keep it"}},
			{Label: "Go on", Action: a("at")},
		}},
		chat.Menu{Placeholder: "Role", Action: a("role"), Options: []chat.Option{{Value: "mw", Label: "Midwife"}}},
		chat.Menu{Placeholder: "Questions", Action: a("jump"), Leads: true, Options: []chat.Option{{Value: "q1", Label: "First"}}},
	}}}
	switch e.Action.Verb {
	case "answer":
		update.Again = a("at")
	case "submit":
		update.Again = a("receipt")
	}
	return []chat.Reply{update}
}

func (s *stage) Find(_ context.Context, in, token string) (Visit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return Visit{}, fmt.Errorf("find: %w", ErrUnavailable)
	}
	titled := func(title string) func(string) chat.Card {
		return func(lang string) chat.Card {
			return chat.Card{Blocks: []chat.Block{chat.Heading{Text: title + ", in " + lang}}}
		}
	}
	v := Visit{Languages: []string{"en", "cy"}, About: titled("About"), Help: titled("Help")}
	if in != round {
		return Visit{}, ErrNoLink
	}
	switch token {
	case personal:
		v.Who = chat.Person{Platform: "web", ID: "p1"}
	case code:
		v.Who, v.Code = chat.Person{Platform: "web", ID: "p2"}, true
	case shared1:
		v.Open = true
	default:
		return Visit{}, ErrNoLink
	}
	v.Language = s.lang[v.Who.ID]
	return v, nil
}

func (s *stage) Enter(_ context.Context, _, token, event string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entered++
	s.starts = append(s.starts, event)
	if s.full {
		return "", ErrFull
	}
	if token == shared1 {
		return code, nil
	}
	return token, nil
}

func (s *stage) SetLanguage(_ context.Context, _ string, who chat.Person, lang string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lang[who.ID] = lang
	return nil
}

// browser is one browser, with its cookie.
type browser struct {
	*stage
	cookie string
	from   string // its address
}

func (s *stage) browser() *browser { return &browser{stage: s, from: "192.0.2.1:1000"} }

func (b *browser) send(method, path string, values url.Values, change ...func(*http.Request)) *httptest.ResponseRecorder {
	b.t.Helper()
	var body io.Reader
	if values != nil {
		body = strings.NewReader(values.Encode())
	}
	r := httptest.NewRequest(method, "https://survey.example.org"+path, body)
	r.RemoteAddr = b.from
	if values != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if b.cookie != "" {
		r.AddCookie(&http.Cookie{Name: "__Host-session", Value: b.cookie})
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c.Value
	}
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send("GET", path, nil)
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// fields are the hidden fields of a page, with other values added.
func fields(page *httptest.ResponseRecorder, more ...string) url.Values {
	values := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page.Body.String(), -1) {
		values.Set(m[1], m[2])
	}
	for i := 0; i < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	return values
}

// in returns a browser in which the person of a token has started.
func (s *stage) in(token string) *browser {
	s.t.Helper()
	b := s.browser()
	page := b.get("/" + round + "/" + token)
	w := b.send("POST", "/"+round+"/"+token, fields(page, "me", "yes"))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/survey" || b.cookie == "" {
		s.t.Fatalf("start: %d to %q, cookie %q", w.Code, w.Header().Get("Location"), b.cookie)
	}
	s.events = nil
	return b
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	for _, path := range []string{"/survey", "/survey/at:" + round, "/nothing", "/" + round + "/" + revoked, "/style.css", "/leave"} {
		w := b.get(path)
		for name, want := range map[string]string{
			"Content-Security-Policy":   "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"Referrer-Policy":           "no-referrer",
			"X-Content-Type-Options":    "nosniff",
			"X-Robots-Tag":              "noindex, nofollow",
			"Strict-Transport-Security": "max-age=31536000",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s has %s %q, want %q", path, name, got, want)
			}
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" && path != "/style.css" {
			t.Errorf("%s has Cache-Control %q", path, got)
		}
		if strings.Contains(w.Body.String(), "<script") || strings.Contains(w.Body.String(), "<b>words") {
			t.Errorf("%s has a script, or text that is not escaped:\n%s", path, w.Body)
		}
	}
	w := s.browser().send("POST", "/"+round+"/"+personal, url.Values{"me": {"yes"}})
	set := w.Header().Get("Set-Cookie")
	for _, want := range []string{"__Host-session=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(set, want) || strings.Contains(set, "Domain") || strings.Contains(set, "Max-Age") {
			t.Errorf("the cookie is %q, want %s", set, want)
		}
	}
}

// TestGetChangesNothing opens every page as a mail program does that checks links.
func TestGetChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	s.entered = 0
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{
			"/" + round + "/" + personal, "/" + round + "/" + shared1, "/" + round, "/survey", "/survey/at:" + round,
			"/survey/answer:" + round, "/survey/erase:" + round, "/survey/submit:" + round, "/survey/kept:" + round + "?ask=erase:" + round,
			"/leave", "/left", "/language",
		} {
			b.send(method, path, nil)
		}
	}
	for _, e := range s.events {
		if !slices.Contains(s.server.Pages, e.Action.Verb) {
			t.Errorf("a GET asked for %v", e.Action)
		}
	}
	if s.entered != 0 || len(s.lang) > 0 { // a language that the browser prefers was not chosen
		t.Errorf("a GET let in %d people, and set %v", s.entered, s.lang)
	}
	if w := b.get("/survey/answer:" + round); w.Code != http.StatusNotFound {
		t.Errorf("GET of an action: %d", w.Code)
	}
}

// TestScannerSendsForm lets a program send the form of a link's page as it is.
func TestScannerSendsForm(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, token := range []string{personal, shared1} {
		b := s.browser()
		page := b.get("/" + round + "/" + token)
		w := b.send("POST", "/"+round+"/"+token, fields(page))
		if w.Code != http.StatusUnprocessableEntity || b.cookie != "" || s.entered != 0 {
			t.Errorf("%s: %d, cookie %q, %d entered", token, w.Code, b.cookie, s.entered)
		}
		if !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("no error above the form:\n%s", w.Body)
		}
	}
}

// TestUnknownLinksLookAlike compares the answers to links that lead nowhere, for whatever reason.
func TestUnknownLinksLookAlike(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := ""
	for _, path := range []string{"/" + round + "/" + revoked, "/" + round + "/x", "/zzzzzzzzzz/" + personal, "/%00/%ff"} {
		for _, method := range []string{"GET", "POST"} {
			var values url.Values
			if method == "POST" {
				values = url.Values{"me": {"yes"}}
			}
			w := s.browser().send(method, path, values)
			// The link to the page in Welsh repeats the address.
			body := strings.ReplaceAll(w.Body.String(), path, "PATH")
			body = regexp.MustCompile(`(?s)<nav.*</nav>`).ReplaceAllString(body, "")
			if w.Code != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, w.Code)
			}
			if first == "" {
				first = body
			}
			if body != first {
				t.Errorf("%s %s differs:\n%s\nfrom\n%s", method, path, body, first)
			}
		}
	}
	b := s.browser()
	b.cookie = round + "." + revoked
	if w := b.get("/survey"); w.Code != http.StatusNotFound || b.cookie != "" {
		t.Errorf("a session of a link that was revoked: %d, cookie %q", w.Code, b.cookie)
	}
}

// TestRateLimit tries many tokens from one address. Others, and people who have started, go on.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	person := s.in(personal)
	codes := map[int]int{}
	for i := range 3 * unknownBurst {
		codes[s.browser().get(fmt.Sprintf("/%s/guess-%d", round, i)).Code]++
	}
	if codes[404] != unknownBurst || codes[429] != 2*unknownBurst {
		t.Errorf("answers to guesses: %v", codes)
	}
	if w := person.get("/survey"); w.Code != http.StatusOK {
		t.Errorf("a person at the same address: %d", w.Code)
	}
	if w := s.browser().get("/" + round + "/" + personal); w.Code != http.StatusOK {
		t.Errorf("a link that works, at the same address: %d", w.Code)
	}
	other := s.browser()
	other.from = "198.51.100.7:5"
	if w := other.get("/" + round + "/guess"); w.Code != http.StatusNotFound {
		t.Errorf("another address: %d", w.Code)
	}
	s.now = s.now.Add(unknownInterval)
	if w := s.browser().get("/" + round + "/guess"); w.Code != http.StatusNotFound {
		t.Errorf("later: %d", w.Code)
	}
	// The customer of a provider has a whole network of IPv6 addresses.
	l := newLimiter(func() time.Time { return s.now }, unknownBurst, unknownInterval)
	allowed := 0
	for i := range 2 * unknownBurst {
		if l.allow(origin(fmt.Sprintf("[2001:db8::%x]:1", i+1))) {
			allowed++
		}
	}
	if allowed != unknownBurst {
		t.Errorf("%d allowed from one network", allowed)
	}
}

// TestSessionLimit sends more from one session than a person can. What was typed last stays, and reading is
// not limited.
func TestSessionLimit(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	opened := b.get("/survey/detail:" + round)
	for i := range sentBurst {
		if w := b.send("POST", "/survey", fields(opened, "f.note", fmt.Sprint(i))); w.Code >= 400 {
			t.Fatalf("%d. time: %d", i+1, w.Code)
		}
	}
	events := len(s.events)
	w := b.send("POST", "/survey", fields(opened, "f.note", "my words"))
	if w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), "<blockquote>my words</blockquote>") {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	if len(s.events) != events {
		t.Error("the bot was asked")
	}
	if g := b.get("/survey"); g.Code != http.StatusOK {
		t.Errorf("reading: %d", g.Code)
	}
	s.now = s.now.Add(sentInterval)
	if again := b.send("POST", "/survey", fields(w)); again.Code != http.StatusOK {
		t.Errorf("a second later: %d", again.Code)
	}
	if last := s.events[len(s.events)-1]; last.Value("note") != "my words" {
		t.Errorf("the bot got %+v", last)
	}
}

// TestCrossOrigin sends a form from another website.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	page := b.get("/survey")
	s.events = nil
	for name, change := range map[string]func(*http.Request){
		"by Sec-Fetch-Site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"by Origin": func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "https://evil.example")
		},
	} {
		w := b.send("POST", "/survey", fields(page, "action", "answer:"+round), change)
		if w.Code != http.StatusForbidden || len(s.events) > 0 {
			t.Errorf("%s: %d, events %v", name, w.Code, s.events)
		}
	}
	// A proxy that rewrites the Host header does not keep people out.
	w := b.send("POST", "/survey", fields(page, "action", "answer:"+round), func(r *http.Request) {
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Set("Origin", "https://survey.example.org")
		r.Host = "inside:8080"
	})
	if w.Code != http.StatusSeeOther {
		t.Errorf("behind a proxy: %d", w.Code)
	}
}

func TestActionLeadsToPage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	page := b.get("/survey")
	s.events = nil
	values := fields(page, "action", "answer:"+round)
	for range 2 { // a double click
		w := b.send("POST", "/survey", values)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/survey/at:"+round {
			t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
		}
	}
	if len(s.events) != 2 || s.events[0].ID != s.events[1].ID || s.events[0].ID == "" {
		t.Errorf("a double click is two operations: %+v", s.events)
	}
	e := s.events[0]
	if e.Who.String() != "web::p1" || !e.Private || e.Admin || e.Kind != chat.Press || !e.At.Equal(s.now) {
		t.Errorf("event %+v", e)
	}
	again := b.send("POST", "/survey", fields(b.get("/survey"), "action", "answer:"+round))
	if again.Code != http.StatusSeeOther || s.events[len(s.events)-1].ID == e.ID {
		t.Error("two pages have one number")
	}
	for _, action := range []string{"status:" + round, "new", "closenow:" + round + ":en", "at:" + round, "", "answer", "x:\x00"} {
		before := len(s.events)
		w := b.send("POST", "/survey", fields(b.get("/left"), "who", values.Get("who"), "action", action))
		if action != "answer" && (w.Code != http.StatusNotFound || len(s.events) != before) {
			t.Errorf("%q: %d, %d events", action, w.Code, len(s.events)-before)
		}
	}
}

// TestOtherSession sends a page of one person after another has started in the same browser.
func TestOtherSession(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	page := b.get("/survey")
	b.cookie = s.in(code).cookie
	w := b.send("POST", "/survey", fields(page, "action", "answer:"+round))
	if w.Code != http.StatusConflict || len(s.events) > 0 {
		t.Errorf("%d, events %v", w.Code, s.events)
	}
}

func TestQuestionBeforeAction(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	link := "/survey/kept:" + round + "?ask=erase%3A" + round
	if page := b.get("/survey/kept:" + round).Body.String(); !strings.Contains(page, `href="`+link+`"`) {
		t.Fatalf("no link to the question:\n%s", page)
	}
	asked := b.get(link)
	for _, want := range []string{"<h1>Really?</h1>", "All of it.", "Erase it", "Keep it"} {
		if !strings.Contains(asked.Body.String(), want) {
			t.Errorf("no %q in the question", want)
		}
	}
	if w := b.get("/survey/kept:" + round + "?ask=submit:" + round); strings.Contains(w.Body.String(), "Really?") {
		t.Error("an action that needs no question has one")
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	opened := b.get("/survey/detail:" + round)
	wrong := b.send("POST", "/survey", fields(opened, "f.note", "much too <long>"))
	body := wrong.Body.String()
	if wrong.Code != http.StatusUnprocessableEntity || !strings.Contains(body, "much too &lt;long&gt;</textarea>") ||
		!strings.Contains(body, `<a href="#f.note">Up to 10 characters</a>`) || !strings.Contains(body, `aria-invalid="true"`) {
		t.Errorf("%d\n%s", wrong.Code, body)
	}
	if !strings.Contains(body, "<title>en web.error[] Add detail") {
		t.Error("the title does not say that there is an error")
	}
	w := b.send("POST", "/survey", fields(wrong, "f.note", "short"))
	last := s.events[len(s.events)-1]
	if w.Code != http.StatusOK || last.Kind != chat.Submit || last.Value("note") != "short" || last.Action.Verb != "keep" {
		t.Errorf("%d, %+v", w.Code, last)
	}
	if w := b.send("POST", "/survey", fields(opened, "form", "begin:"+round)); w.Code != http.StatusNotFound {
		t.Errorf("a form that no page opens: %d", w.Code)
	}
}

// TestStoreAway keeps what was typed while the store cannot be reached.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	values := fields(b.get("/survey/detail:"+round), "f.note", "my words")
	s.down = true
	w := b.send("POST", "/survey", values)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "<blockquote>my words</blockquote>") {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	if b.cookie == "" {
		t.Error("the session has ended")
	}
	if g := b.get("/survey"); g.Code != http.StatusServiceUnavailable || !strings.Contains(g.Body.String(), `href="/survey"`) ||
		!strings.Contains(g.Body.String(), "web.not_shown") {
		t.Errorf("a page: %d\n%s", g.Code, g.Body)
	}
	s.down = false
	again := b.send("POST", "/survey", fields(w))
	last := s.events[len(s.events)-1]
	if again.Code != http.StatusOK || last.Value("note") != "my words" {
		t.Errorf("sent again: %d, %+v", again.Code, last)
	}
	b.send("POST", "/survey", values)
	if twice := s.events[len(s.events)-1]; twice.ID != last.ID {
		t.Errorf("what was sent twice counts twice: %q, %q", last.ID, twice.ID)
	}
	// The store goes away between the look at the session and the bot's own call.
	opened := b.get("/survey/detail:" + round)
	s.deaf = true
	kept := b.send("POST", "/survey", fields(opened, "f.note", "my words"))
	if kept.Code != http.StatusServiceUnavailable || !strings.Contains(kept.Body.String(), "my words") {
		t.Errorf("%d\n%s", kept.Code, kept.Body)
	}
}

func TestSharedDevice(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.browser()
	page := b.get("/" + round + "/" + personal + "?shared")
	b.send("POST", "/"+round+"/"+personal, fields(page, "me", "yes"))
	if !strings.HasSuffix(b.cookie, "."+sharedMark) {
		t.Fatalf("cookie %q", b.cookie)
	}
	w := b.send("POST", "/survey", fields(b.get("/survey"), "action", "submit:"+round))
	if w.Code != http.StatusOK || b.cookie != "" || !strings.Contains(w.Body.String(), "Card submit") || strings.Contains(w.Body.String(), "<button") {
		t.Errorf("%d, cookie %q\n%s", w.Code, b.cookie, w.Body)
	}
	if w := b.get("/survey"); w.Code != http.StatusForbidden {
		t.Errorf("afterwards: %d", w.Code)
	}
}

// TestSharedDeviceByCode: a device that others use forgets a person who came by a return code, and one who withdraws.
func TestSharedDeviceByCode(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.browser()
	opened := b.get("/" + round + "/" + shared1 + "?shared")
	link := regexp.MustCompile(`href="(/` + round + `\?[^"]*)"`).FindStringSubmatch(opened.Body.String())
	if link == nil {
		t.Fatalf("no link to the return code:\n%s", opened.Body)
	}
	asked := b.get(strings.ReplaceAll(link[1], "&amp;", "&"))
	b.send("POST", "/"+round, fields(asked, "code", code))
	if b.cookie != round+"."+code+"."+sharedMark {
		t.Fatalf("cookie %q", b.cookie)
	}
	erase, cookie := fields(b.get("/survey"), "action", "erase:"+round), b.cookie
	b.send("POST", "/survey", erase)
	if b.cookie != "" {
		t.Errorf("cookie %q", b.cookie)
	}
	b.cookie, s.done = cookie, true // the answer was lost, and the person sends the page again
	if w := b.send("POST", "/survey", erase); w.Code != http.StatusOK || b.cookie != "" || strings.Contains(w.Body.String(), code) {
		t.Errorf("sent again: %d, cookie %q\n%s", w.Code, b.cookie, w.Body)
	}
}

// TestClosedPage: what a person sends is done although they close the page at once.
func TestClosedPage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	close := func(r *http.Request) { *r = *r.WithContext(ctx) }
	before := len(s.events)
	b.send("POST", "/survey", fields(b.get("/survey"), "action", "erase:"+round), close)
	if len(s.events) != before+2 || s.ended > 0 { // the page and the action
		t.Errorf("%d events, %d of them with a context that has ended", len(s.events)-before, s.ended)
	}
}

// TestOldStartPage lets two people start with one page: at once, as by a double click, and long after.
func TestOldStartPage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	page := s.browser().get("/" + round + "/" + shared1)
	start := func() {
		t.Helper()
		w := s.browser().send("POST", "/"+round+"/"+shared1, fields(page, "me", "yes"))
		if w.Code != http.StatusSeeOther {
			t.Fatalf("start: %d", w.Code)
		}
	}
	start()
	s.now = s.now.Add(-clockDifference) // of another process
	start()
	s.now = s.now.Add(clockDifference + startTimeout + time.Second)
	start()
	if s.starts[0] != s.starts[1] || s.starts[1] == s.starts[2] {
		t.Errorf("operations %q", s.starts)
	}
}

// TestChangedForm sends a page again with other values, as a person does who went back in the browser.
func TestChangedForm(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	opened := b.get("/survey/detail:" + round)
	ids := map[string]bool{}
	for _, note := range []string{"one", "two", "one"} {
		b.send("POST", "/survey", fields(opened, "f.note", note))
		ids[s.events[len(s.events)-1].ID] = true
	}
	if len(ids) != 2 {
		t.Errorf("two texts are %d operations", len(ids))
	}
	for id := range ids {
		if strings.Contains(id, fields(opened).Get("nonce")) || strings.Contains(id, fields(opened).Get("who")) {
			t.Errorf("%q leads to the session", id)
		}
	}
}

// TestOtherRound sends actions of a round that is not the one of the session.
func TestOtherRound(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	page := b.get("/survey")
	s.events = nil
	for _, action := range []string{"answer:otherround", "answer", "erase:otherround"} {
		if w := b.send("POST", "/survey", fields(page, "action", action)); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", action, w.Code)
		}
	}
	if w := b.get("/survey/at:otherround"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `href="/survey"`) {
		t.Errorf("a page of another round: %d\n%s", w.Code, w.Body)
	}
	if len(s.events) > 0 {
		t.Errorf("the bot got %v", s.events)
	}
}

// TestNothingPicked presses the button of a menu from which nothing was picked.
func TestNothingPicked(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	page := b.get("/survey/kept:" + round)
	s.events = nil
	w := b.send("POST", "/survey", fields(page, "action", "role:"+round, "picked.role:"+round, ""))
	for _, want := range []string{"<title>en web.error[] Card kept", `<a href="#picked.role%3a` + round + `">en web.choose_one`, `aria-invalid="true"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q:\n%s", want, w.Body)
		}
	}
	if w.Code != http.StatusUnprocessableEntity || len(s.events) != 1 || s.events[0].Action.Verb != "kept" {
		t.Errorf("%d, %v", w.Code, s.events)
	}
}

// TestOptionButton presses an option that is a button of its own.
func TestOptionButton(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	page := b.get("/survey")
	if want := `<button class="link" name="picked.jump:` + round + `" value="q1">First</button>`; !strings.Contains(page.Body.String(), want) {
		t.Fatalf("no %s:\n%s", want, page.Body)
	}
	w := b.send("POST", "/survey", fields(page, "picked.role:"+round, "", "picked.jump:"+round, "q1"))
	last := s.events[len(s.events)-1]
	if w.Code != http.StatusOK || last.Action.Verb != "jump" || last.Value(chat.Picked) != "q1" {
		t.Errorf("%d, %+v", w.Code, last)
	}
	if w := b.send("POST", "/survey", fields(page)); w.Code != http.StatusNotFound {
		t.Errorf("no action: %d", w.Code)
	}
}

// TestLanguageOfForm changes the language of a page with a form: what was typed stays, and nothing is saved.
func TestLanguageOfForm(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	page := b.get("/survey/detail:" + round)
	if !strings.Contains(page.Body.String(), `form="main-form" name="other_lang" value="cy"`) {
		t.Fatalf("no button of the form:\n%s", page.Body)
	}
	s.events = nil
	w := b.send("POST", "/survey", fields(page, "f.note", "my words", otherLanguage, "cy"))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "my words</textarea>") ||
		!strings.Contains(w.Body.String(), `<html lang="cy">`) || s.lang["p1"] != "cy" {
		t.Errorf("%d, %v\n%s", w.Code, s.lang, w.Body)
	}
	for _, e := range s.events {
		if e.Kind != chat.Press || e.Locale != "cy" {
			t.Errorf("the bot got %+v", e)
		}
	}
	s.down = true
	away := b.send("POST", "/survey", fields(page, "f.note", "my words"))
	english := b.send("POST", "/survey", fields(away, otherLanguage, "en"))
	if english.Code != http.StatusServiceUnavailable || !strings.Contains(english.Body.String(), `<html lang="en">`) ||
		!strings.Contains(english.Body.String(), "<blockquote>my words</blockquote>") {
		t.Errorf("while the store is away: %d\n%s", english.Code, english.Body)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	if !strings.Contains(b.get("/survey").Body.String(), `href="/help"`) {
		t.Error("no link to the help")
	}
	if w := b.get("/help"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Help, in en") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
}

// TestForeignAddress opens an address that a browser would take for another host if the page repeated it.
func TestForeignAddress(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, path := range []string{"/%2Fevil.example", "/%2Fevil.example/abc", "/%2F%2Fevil.example/%2F?shared"} {
		if body := s.browser().get(path).Body.String(); strings.Contains(body, `"//`) {
			t.Errorf("%s leads to another host:\n%s", path, body)
		}
	}
}

// TestSlowStore: a store that does not answer counts as away before the server gives up.
func TestSlowStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		b := s.in(personal)
		values := fields(b.get("/survey/detail:"+round), "f.note", "my words")
		s.server.Links = slow{s}
		began := time.Now()
		w := b.send("POST", "/survey", values)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "my words") {
			t.Errorf("%d\n%s", w.Code, w.Body)
		}
		if took := time.Since(began); took > requestTimeout {
			t.Errorf("it took %v", took)
		}
	})
}

// slow has a store that does not answer.
type slow struct{ *stage }

func (slow) Find(ctx context.Context, _, _ string) (Visit, error) {
	<-ctx.Done()
	return Visit{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
}

func TestBrokenForm(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	w := s.browser().send("POST", "/"+round, url.Values{}, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("code=%zz")) })
	if w.Code != http.StatusBadRequest {
		t.Errorf("%d", w.Code)
	}
}

func TestReturnCode(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(shared1)
	if b.cookie != round+"."+code {
		t.Fatalf("cookie %q", b.cookie)
	}
	for _, path := range []string{"/survey", "/leave"} {
		if !strings.Contains(b.get(path).Body.String(), `<p class="code">`+code) {
			t.Errorf("%s does not show the return code", path)
		}
	}
	if strings.Contains(s.in(personal).get("/survey").Body.String(), personal) {
		t.Error("a page shows the token of a personal link")
	}
	w := b.send("POST", "/leave", fields(b.get("/leave")))
	if w.Code != http.StatusSeeOther || b.cookie != "" {
		t.Errorf("leave: %d, cookie %q", w.Code, b.cookie)
	}
	if w := b.send("POST", "/"+round, url.Values{"code": {"wrong"}}); w.Code != http.StatusUnprocessableEntity || b.cookie != "" {
		t.Errorf("a wrong code: %d", w.Code)
	}
	if w := b.send("POST", "/"+round, url.Values{"code": {shared1}}); b.cookie != "" {
		t.Errorf("the token of an open link as a code: %d, cookie %q", w.Code, b.cookie)
	}
	if w := b.send("POST", "/"+round, url.Values{"code": {code}}); w.Code != http.StatusSeeOther || b.cookie != round+"."+code {
		t.Errorf("the code: %d, cookie %q", w.Code, b.cookie)
	}
	b = s.browser()
	b.cookie = round + "." + shared1
	if w := b.get("/survey"); w.Code != http.StatusNotFound {
		t.Errorf("the token of an open link as a session: %d", w.Code)
	}
	s.full = true
	if w := s.browser().send("POST", "/"+round+"/"+shared1, url.Values{"me": {"yes"}}); w.Code != http.StatusConflict {
		t.Errorf("a link that is full: %d", w.Code)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for path, status := range map[string]int{"/" + round + "/" + personal: 200, "/nothing/at/all": 404, "/survey": 403, "/" + round: 200} {
		w := s.browser().get(path + "?lang=cy")
		if w.Code != status || !strings.Contains(w.Body.String(), `<html lang="cy">`) || !strings.Contains(w.Body.String(), `hreflang="en"`) {
			t.Errorf("%s in Welsh: %d\n%s", path, w.Code, w.Body)
		}
		w = s.browser().send("GET", path, nil, func(r *http.Request) { r.Header.Set("Accept-Language", "cy,en;q=0.5") })
		if !strings.Contains(w.Body.String(), `<html lang="cy">`) {
			t.Errorf("%s is not in the browser's language", path)
		}
	}
	b := s.in(personal)
	w := b.send("POST", "/language", fields(b.get("/survey/at:"+round), "lang", "cy"))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/survey/at:"+round || s.lang["p1"] != "cy" {
		t.Errorf("%d to %q, %v", w.Code, w.Header().Get("Location"), s.lang)
	}
	for _, path := range []string{"//evil.example", "https://evil.example", "/survey/answer:" + round, "/survey/../left"} {
		w := b.send("POST", "/language", fields(b.get("/survey"), "lang", "en", "path", path))
		if to := w.Header().Get("Location"); to != "/survey" {
			t.Errorf("%q leads to %q", path, to)
		}
	}
}

func TestLargeBody(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	for _, path := range []string{"/survey", "/" + round, "/" + round + "/" + personal} {
		w := b.send("POST", path, url.Values{"action": {strings.Repeat("x", 2*maxBody)}})
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestTokensStayOutOfTheLog lets everything go wrong that is logged.
func TestTokensStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.in(personal)
	s.server.Links = broken{s}
	b.get("/" + round + "/" + personal)
	b.send("POST", "/"+round+"/"+personal, url.Values{"me": {"yes"}})
	b.get("/survey")
	b.get("/" + round + "/" + revoked)
	if out := s.log.String(); out == "" || strings.Contains(out, personal) || strings.Contains(out, revoked) {
		t.Errorf("log: %q", out)
	}
}

// broken has errors of its own.
type broken struct{ *stage }

func (broken) Find(context.Context, string, string) (Visit, error) {
	return Visit{}, fmt.Errorf("broken")
}

// FuzzRequest sends any path and form. No answer is a failure of the program, and only the actions of a person reach the bot.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/survey/at:abcdefghij", "", "")
	f.Add("POST", "/survey", "answer:abcdefghij", "note")
	f.Add("POST", "/survey", "picked", "\x00")
	f.Add("POST", "/abcdefghij/token", "me", "yes")
	f.Add("PUT", "/survey/../..//%2e%2e/", "a", "b")
	f.Add("GET", "/%2Fevil.example? 0", "path", "//x")
	f.Fuzz(func(t *testing.T, method, path, name, value string) {
		s := newStage(t)
		b := s.in(personal)
		target, err := url.ParseRequestURI("/" + strings.TrimPrefix(path, "/"))
		// The server refuses an address with a space before it reaches the pages.
		if err != nil || target.Host != "" || strings.Contains(target.String(), " ") || !regexp.MustCompile("^[A-Z]{1,9}$").MatchString(method) {
			return
		}
		s.events = nil
		w := b.send(method, target.String(), fields(b.get("/survey"), name, value))
		if w.Code >= 500 {
			t.Errorf("%s %q %q=%q: %d\n%s", method, path, name, value, w.Code, s.log.String())
		}
		for _, e := range s.events {
			if !slices.Contains(append(s.server.Pages, s.server.Actions...), e.Action.Verb) {
				t.Errorf("the bot got %v", e.Action)
			}
		}
	})
}
