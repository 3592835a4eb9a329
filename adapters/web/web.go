// Package web lets people take part in a survey by a link, in any browser. It draws the cards and
// forms of package chat as pages of HTML, turns what people press and send into events, and keeps
// them apart by a cookie. No page needs a script.
//
// It knows nothing of surveys. Its caller says where links lead (Links), which actions a person has
// (Options), and all sentences.
package web

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"maturitybot/bot/chat"
)

// Links says where links and return codes lead. The errors of its methods are ErrNoLink, ErrFull,
// ErrUnavailable, or an error of the program.
type Links interface {
	// Find returns where a token leads: that of a link, or a return code. It changes nothing. It
	// returns ErrNoLink for a token that is unknown, has expired or was revoked.
	Find(ctx context.Context, round, token string) (Visit, error)
	// Enter returns the token with which the person of a link goes on: the token of a personal
	// link, or a new return code for a link that many people use. The same event again returns the
	// same token.
	Enter(ctx context.Context, round, token, event string) (string, error)
	// SetLanguage saves the language of a person.
	SetLanguage(ctx context.Context, round string, who chat.Person, lang string) error
}

// Errors of Links.
var (
	ErrNoLink      = errors.New("the link leads nowhere")
	ErrFull        = errors.New("the link takes no more people")
	ErrUnavailable = errors.New("the store cannot be reached")
)

// Visit is where a token leads.
type Visit struct {
	// Who is the zero value for a link that many people use, and where everything is over, so that
	// nothing leads to the person any more.
	Who       chat.Person
	Language  string   // that the person chose, or empty
	Languages []string // that the person can choose from
	Open      bool     // many people use the link
	Code      bool     // the token is a return code, which the person may note down
	Closed    bool     // nobody can start
	// ForReading returns a context for the rest of a request that changes nothing, or is nil.
	ForReading func(context.Context) context.Context
	// About returns what the link is for, in a language, and Help explains the survey to a person.
	About, Help func(lang string) chat.Card
}

// Options are the options of New.
type Options struct {
	// URL is the public address, without a path. With http, for tests on one machine, the cookie
	// is not restricted to encrypted connections.
	URL       *url.URL
	Responder chat.Responder
	Links     Links
	// Pages are the verbs that show something and change nothing. Home is the action, but for the
	// id of the round, that shows a person where they are; it is one of Pages. Actions are the
	// other verbs that a person has, and Last are those after which a shared device forgets them.
	// Each other verb is not found.
	Pages, Actions, Last []string
	Home                 string
	// Say returns a sentence of a language by its key, with facts as names and values in turn.
	Say func(lang, key string, facts ...any) string
	// Routes are pages of the caller, by pattern, and Buttons are at the foot of each page. The
	// command try has some.
	Routes  map[string]http.HandlerFunc
	Buttons []PageButton
	Log     *slog.Logger
	Now     func() time.Time
}

// PageButton is a button at the foot of each page. Its label is the sentence of the key, and it
// posts to the path.
type PageButton struct{ Key, Path string }

// Server serves the pages. It is an http.Handler.
type Server struct {
	site
	handler http.Handler
}

// site draws the pages, and keeps the session in the browser.
type site struct {
	Options
	unknown *limiter // of addresses that try links that lead nowhere
	sent    *limiter // of sessions that send something
}

//go:embed style.css page.html
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"dict": dict}).
	ParseFS(files, "page.html"))

// dict returns a map of names and values in turn: a template takes one argument.
func dict(pairs ...any) map[string]any {
	all := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		all[pairs[i].(string)] = pairs[i+1]
	}
	return all
}

// maxBody is the longest body of a request, in bytes. The longest form holds two texts of 500
// characters.
const maxBody = 64 << 10

// requestTimeout is how long a request may take. A store that does not answer counts as away then,
// before the server or a proxy gives up without a page.
const requestTimeout = 8 * time.Second

// Paths of the pages.
const (
	stylePath    = "/style.css"
	surveyPath   = "/survey"
	helpPath     = "/help"
	leavePath    = "/leave"
	leftPath     = "/left"
	languagePath = "/language"
)

// New returns a server.
func New(o Options) *Server {
	s := &Server{site: site{
		Options: o,
		unknown: newLimiter(o.Now, unknownBurst, unknownInterval),
		sent:    newLimiter(o.Now, sentBurst, sentInterval),
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+stylePath, s.style)
	// What browsers and search engines ask for by themselves is no attempt at a link. Search engines
	// may read every page: only then do they see that none is to be listed.
	mux.HandleFunc("GET /favicon.ico", noContent)
	mux.HandleFunc("GET /robots.txt", noContent)
	mux.HandleFunc("GET "+surveyPath, s.inSession(s.home))
	mux.HandleFunc("GET "+surveyPath+"/{action}", s.inSession(s.show))
	mux.HandleFunc("POST "+surveyPath, s.inSession(s.act))
	mux.HandleFunc("GET "+helpPath, s.inSession(s.help))
	mux.HandleFunc("GET "+leavePath, s.inSession(s.askToLeave))
	mux.HandleFunc("POST "+leavePath, s.leave)
	mux.HandleFunc("GET "+leftPath, s.left)
	mux.HandleFunc("POST "+languagePath, s.inSession(s.setLanguage))
	mux.HandleFunc("GET /{round}", s.askForCode)
	mux.HandleFunc("POST /{round}", s.enterCode)
	mux.HandleFunc("GET /{round}/{token}", s.welcome)
	mux.HandleFunc("POST /{round}/{token}", s.enter)
	for pattern, handler := range o.Routes {
		mux.HandleFunc(pattern, handler)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.notFound(w, r) })
	origins := http.NewCrossOriginProtection()
	// A proxy in front may have changed the Host header, with which the origin is compared.
	if err := origins.AddTrustedOrigin(o.URL.Scheme + "://" + o.URL.Host); err != nil {
		panic(err) // the caller has checked the address
	}
	origins.SetDenyHandler(http.HandlerFunc(s.forbidden))
	s.handler = s.guard(origins.Handler(mux))
	return s
}

// ServeHTTP serves a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// guard sets the headers of all answers, and bounds what a request may send.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cache-Control", "no-store")
		if s.secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		ctx := r.Context()
		if r.Method == http.MethodPost {
			// What a person sends is done to its end, also if they close the page: half of an erasure
			// would look like all of it when the page is sent again.
			ctx = context.WithoutCancel(ctx)
		}
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// secure reports whether people reach the pages over encrypted connections.
func (s *site) secure() bool { return s.URL.Scheme == "https" }

func noContent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// style serves the style sheet. It is the same for everybody, so browsers may keep it.
func (s *Server) style(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=3600")
	http.ServeFileFS(w, r, files, strings.TrimPrefix(stylePath, "/"))
}

// action reads an encoded action of the person's round whose verb is one of the verbs.
func (p session) action(encoded string, verbs []string) (chat.Action, bool) {
	a, ok := action(encoded, verbs)
	return a, ok && len(a.Args) > 0 && a.Args[0] == p.round
}

// action reads an encoded action whose verb is one of the verbs.
func action(encoded string, verbs []string) (chat.Action, bool) {
	a, err := chat.DecodeAction(encoded)
	if err != nil || !slices.Contains(verbs, a.Verb) {
		return chat.Action{}, false
	}
	return a, true
}

// pagePath returns the path of the page that an action shows.
func pagePath(a chat.Action) string {
	encoded, _ := a.Encode() // it was decoded, or is the bot's own
	return surveyPath + "/" + url.PathEscape(encoded)
}
