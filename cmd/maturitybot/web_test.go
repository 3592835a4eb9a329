package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"maturitybot/adapters/web"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/bot/transcript"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// The conversations of bot/testdata are played in a browser too, as far as a person with a link lives through them: what they press in
// their own conversation with the bot, they press on a page. Each page must show what the bot answered.

// onWeb is a stage on which stakeholders use a browser.
type onWeb struct {
	t        *testing.T
	server   *httptest.Server
	bot      func() chat.Responder
	rounds   func() *survey.Rounds
	replies  []chat.Reply // to the last event that is no page
	recorded bool
	at       time.Time // when the person acts
	browsers map[string]*http.Client
	lands    map[string]string // path -> of the page before each person
	nonces   map[string]string // event -> the number of the page it was sent from
	words    *locale.Words
	pages    int
}

// Ack passes to the bot.
func (s *onWeb) Ack(e chat.Event) chat.Ack { return s.bot().Ack(e) }

// Handle plays an event in the browser, if a person with a link can do that, and on the bot otherwise.
func (s *onWeb) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	page := slices.Contains(bot.PageVerbs(), e.Action.Verb)
	link := slices.Contains(bot.LinkVerbs(), e.Action.Verb)
	presses := e.Kind == chat.Press || e.Kind == chat.Submit
	round := ""
	if len(e.Action.Args) > 0 {
		round = e.Action.Args[0]
	}
	encoded, err := e.Action.Encode()
	if err != nil || !page && !link || !presses || !e.Private || e.TimeZone != "" || !s.invited(ctx, e, round) {
		return s.bot().Handle(ctx, e)
	}
	s.at, s.replies, s.recorded = e.At, nil, false
	who := e.Who.ID
	if s.browsers[who] == nil {
		s.browsers[who] = s.newBrowser()
	}
	s.enter(who, e, round)
	var body *html.Node
	switch {
	case e.Kind == chat.Submit:
		values := url.Values{"form": {s.lands[who]}}
		for name, all := range e.Values {
			values["f."+name] = all
		}
		body = s.post(who, e, "/survey", values)
	case page:
		s.recorded = false
		body = s.get(who, "/survey/"+encoded)
		if e.Action.Verb == "detail" {
			s.lands[who] = encoded
		}
	default:
		values := url.Values{"action": {encoded}}
		if picked := e.Value(chat.Picked); picked != "" {
			values["picked."+encoded] = []string{picked}
		}
		body = s.post(who, e, "/survey", values)
	}
	s.pages++
	s.compare(e, body)
	return s.replies
}

// invited reports whether a person would have a link to a round.
func (s *onWeb) invited(ctx context.Context, e chat.Event, round string) bool {
	part, err := s.rounds().For(survey.PersonID(e.Who.String())).Participation(ctx, survey.RoundID(round))
	return err == nil && part.Member.Status != survey.NotInvited
}

func (s *onWeb) newBrowser() *http.Client {
	jar := &oneCookie{}
	return &http.Client{Jar: jar, Timeout: 30 * time.Second}
}

// oneCookie is a cookie jar of one host, which keeps cookies without a name's prefix over plain HTTP.
type oneCookie struct{ cookies []*http.Cookie }

func (j *oneCookie) SetCookies(_ *url.URL, all []*http.Cookie) { j.cookies = all }
func (j *oneCookie) Cookies(*url.URL) []*http.Cookie           { return j.cookies }

// enter opens the person's link, unless the session is that of this round.
func (s *onWeb) enter(who string, e chat.Event, round string) {
	token := e.Who.String()
	jar := s.browsers[who].Jar.(*oneCookie)
	if len(jar.cookies) == 1 && strings.HasPrefix(jar.cookies[0].Value, round+".") {
		return
	}
	link := s.server.URL + "/" + round + "/" + url.PathEscape(token)
	recorded := s.recorded
	page := parse(s.t, s.do(who, http.MethodGet, link, nil))
	values := hidden(page)
	values.Set("me", "yes")
	values.Del("lang") // the transcripts choose it later
	s.do(who, http.MethodPost, link, values)
	s.recorded, s.replies = recorded, nil
}

func (s *onWeb) get(who, path string) *html.Node {
	return parse(s.t, s.do(who, http.MethodGet, s.server.URL+path, nil))
}

// post sends values as the page before the person would. The same event is sent from the same page.
func (s *onWeb) post(who string, e chat.Event, path string, values url.Values) *html.Node {
	at := s.at
	before := s.do(who, http.MethodGet, s.server.URL+"/leave", nil) // any page of the session
	s.at = at
	for name, all := range hidden(parse(s.t, before)) {
		values[name] = all
	}
	if s.nonces[e.ID] == "" {
		s.nonces[e.ID] = values.Get("nonce")
	}
	values.Set("nonce", s.nonces[e.ID])
	s.replies, s.recorded = nil, false
	return parse(s.t, s.do(who, http.MethodPost, s.server.URL+path, values))
}

func (s *onWeb) do(who, method, address string, values url.Values) string {
	s.t.Helper()
	var body io.Reader
	if values != nil {
		body = strings.NewReader(values.Encode())
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, address, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if values != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := s.browsers[who].Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(raw)
}

// compare holds a page against what the bot answered.
func (s *onWeb) compare(e chat.Event, page *html.Node) {
	s.t.Helper()
	seen := readPage(page)
	voice := s.words.In(attribute(elements(page, "html")[0], "lang"))
	say := func(key string) string { return voice.Say(key) }
	for _, reply := range s.replies {
		want := ""
		switch r := reply.(type) {
		case chat.Update:
			want = onPage(r.Card, say)
		case chat.Whisper:
			want = onPage(r.Card, say)
		case chat.OpenForm:
			want = formOnPage(r.Form)
		case chat.FieldErrors:
			for _, sentence := range r.Fields {
				want = strings.ReplaceAll(sentence, "\n", " ")
			}
		default:
			s.t.Errorf("a person with a link gets a %T", reply)
		}
		for line := range strings.Lines(want) {
			if !strings.Contains(seen, line) {
				s.t.Errorf("after %v, %q is not on the page\n%s", e.Action, line, seen)
			}
		}
	}
}

// visits lets the people of a stage in: their tokens are their ids.
type visits struct{ s *onWeb }

func (v visits) Find(ctx context.Context, round, token string) (web.Visit, error) {
	who, err := chat.ParsePerson(token)
	if err != nil {
		return web.Visit{}, web.ErrNoLink
	}
	part, err := v.s.rounds().For(survey.PersonID(token)).Participation(ctx, survey.RoundID(round))
	if err != nil {
		// The store is asleep: the bot's own answer is what this test is about.
		return web.Visit{Who: who, Languages: []string{"en", "cy"}}, nil
	}
	visit := web.Visit{
		Who: who, Language: string(part.Member.Language),
		About: func(string) chat.Card { return chat.Card{Blocks: []chat.Block{chat.Paragraph("about")}} },
		Help:  func(string) chat.Card { return chat.Card{Blocks: []chat.Block{chat.Paragraph("help")}} },
	}
	for _, lang := range part.Round.Languages {
		visit.Languages = append(visit.Languages, string(lang))
	}
	return visit, nil
}

func (v visits) Enter(_ context.Context, _, token, _ string) (string, error) { return token, nil }

func (v visits) SetLanguage(ctx context.Context, round string, who chat.Person, lang string) error {
	_, err := v.s.rounds().For(survey.PersonID(who.String())).
		SetLanguage(ctx, survey.RoundID(round), matrix.Lang(lang))
	return err
}

// pageRecorder is the bot. It records the replies to what a person did; the page that a browser is led to afterwards shows them.
type pageRecorder struct{ s *onWeb }

func (r pageRecorder) Ack(e chat.Event) chat.Ack { return r.s.bot().Ack(e) }

func (r pageRecorder) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	replies := r.s.bot().Handle(ctx, e)
	if e.ID != "" && !r.s.recorded {
		r.s.replies, r.s.recorded = replies, true
	}
	return replies
}

// webPages counts what was pressed on pages in all transcripts.
var webPages atomic.Int64

func TestTranscriptsOnWeb(t *testing.T) {
	t.Parallel()
	t.Run("all", func(t *testing.T) {
		for _, path := range conversations(t) {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".chat"), func(t *testing.T) {
				t.Parallel()
				playOnWeb(t, path)
			})
		}
	})
	// A change that makes people leave the pages would otherwise go unnoticed.
	if n := webPages.Load(); n < 800 {
		t.Errorf("%d actions were made on pages, want at least 800", n)
	}
}

func playOnWeb(t *testing.T, path string) {
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var log locked
	s := &onWeb{t: t, browsers: map[string]*http.Client{}, lands: map[string]string{}, nonces: map[string]string{}}
	options := testOptions(editions(), slog.New(slog.NewTextHandler(&log, nil)))
	scene, inside, done, err := newStage(transcripts, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.bot = inside
	s.rounds = func() *survey.Rounds { return inside().(*bot.Bot).Rounds }
	words := sentences()
	s.words = words
	handler := &swapped{}
	s.server = httptest.NewServer(handler)
	t.Cleanup(func() {
		s.server.Close()
		if err := done(); err != nil {
			t.Error(err)
		}
	})
	address, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	handler.to = web.New(web.Options{
		URL: address, Responder: pageRecorder{s}, Links: visits{s},
		Pages: bot.PageVerbs(), Actions: bot.LinkVerbs(), Home: bot.HomeVerb, Last: bot.LastVerbs(),
		Say: func(lang, key string, facts ...any) string { return words.In(lang).Say(key, facts...) },
		Log: options.log, Now: func() time.Time { return s.at },
	})
	scene.Responder = s
	restart, change := scene.Restart, scene.Matrix
	scene.Restart = func() chat.Responder { restart(); return s }
	scene.Matrix = func(file string) (chat.Responder, error) {
		_, err := change(file)
		return s, err
	}
	played, err := transcript.Play(t.Context(), bytes.NewReader(written), scene)
	if err != nil {
		t.Fatalf("%v\n\nup to then:\n%s", err, last(played, 40))
	}
	if got := played; got != string(written) {
		t.Errorf("on the web it goes otherwise:\n%s", firstDifference(string(written), got))
	}
	webPages.Add(int64(s.pages))
	for _, secret := range []string{"play:w:", "Parents say", "a secret note", "Northshire"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("in the log: %q", secret)
		}
	}
}

// swapped is a handler that is made after its server, whose address it needs.
type swapped struct{ to http.Handler }

func (s *swapped) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.to.ServeHTTP(w, r) }
