package web

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"

	"maturitybot/bot/chat"
)

// page is a page, as the template draws it.
type page struct {
	say     func(key string, facts ...any) string
	Lang    string
	Title   string // of the browser's window; empty takes the heading
	Heading string // drawn where no block is the main heading
	Blocks  []block
	Form    *form
	// Action is where the buttons of the page are sent, with the hidden Fields. It is empty for a
	// page without any.
	Action string
	Fields []field
	// Session says that the page belongs to a person. Code is their return code, or empty.
	Session bool
	Code    string
	Who     string
	Nonce   string
	Path    string
	Leaving bool // the page is the one that asks whether to leave
	home    bool // the page is the first one of the survey
	// wrongMenu is the action of a menu from which nothing was picked, or empty.
	wrongMenu string
	Errors    []fieldError // above the page, in the order of the fields
	// Languages lead to the page in the other languages. On a page with a form that can be sent
	// again, they are buttons that send it, so that nothing is lost: Resend.
	Languages []languageLink
	Resend    bool
	Buttons   []PageButton
	Files     []PageFile
}

// field is a hidden field of a page.
type field struct{ Name, Value string }

// languageLink leads to a page in another language. Without a URL it is a button.
type languageLink struct{ Lang, Name, URL string }

// T returns a sentence of the page's language.
func (p *page) T(key string) string { return p.say(key) }

// sentences returns a function that says sentences of a language.
func (s *site) sentences(lang string) func(string, ...any) string {
	return func(key string, facts ...any) string { return s.Say(lang, key, facts...) }
}

// newPage returns an empty page of a request. The person is nil where there is none.
func (s *site) newPage(r *http.Request, lang string, person *session) *page {
	p := &page{say: s.sentences(lang), Lang: lang, Nonce: rand.Text(), Path: r.URL.EscapedPath(), Buttons: s.Buttons}
	languages := []string{"en", "cy"}
	if person != nil {
		p.Session, p.Who = true, person.mark()
		languages = person.Languages
		if person.Code {
			p.Code = person.token
		}
	}
	p.home = r.Method == http.MethodGet && p.Path == surveyPath
	if r.Method == http.MethodPost {
		p.Path = surveyPath
	}
	for _, other := range languages {
		if other == lang {
			continue
		}
		link := languageLink{Lang: other, Name: s.Say(other, "language.name")}
		if person == nil {
			query := r.URL.Query()
			query.Set("lang", other)
			link.URL = r.URL.EscapedPath() + "?" + query.Encode()
		}
		p.Languages = append(p.Languages, link)
	}
	return p
}

// renderer returns what draws cards of the page.
func (s *site) renderer(p *page) renderer {
	return renderer{say: p.say, pages: s.Pages, path: p.Path}
}

// usualPage is about the length of a page with a question, in bytes.
const usualPage = 12 << 10

// write sends a page.
func (s *site) write(w http.ResponseWriter, status int, p *page) {
	if p.Title == "" {
		p.Title = p.Heading
		for _, b := range p.Blocks {
			if b.Kind == "heading" && b.Level == 1 {
				p.Title = b.Text
			}
		}
	}
	if p.Form != nil {
		p.Errors = p.Form.Errors
	}
	if len(p.Errors) > 0 {
		p.Title = p.say("web.error") + " " + p.Title
	}
	var body bytes.Buffer
	body.Grow(usualPage)
	if err := templates.ExecuteTemplate(&body, "page.html", p); err != nil {
		s.Log.Error("page not drawn", "error", err)
		http.Error(w, "error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Lang)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the client may have gone
}

//locale:says web.service web.skip web.languages web.summary web.come_back web.come_back_code
//locale:says web.leave_link web.help_link web.choose web.table web.optional try.files

// say answers with a page that has one sentence, under a heading of the same name.
//
//locale:says web.no_session_title web.too_large_title web.other_session_title web.not_found_title
//locale:says web.cross_origin_title web.no_link_title web.too_many_title web.full_title
//locale:says web.left_title web.unavailable_title web.not_shown_title
func (s *site) say(w http.ResponseWriter, r *http.Request, status int, key string) {
	s.sayIn(w, r, s.language(r, Visit{}), status, key)
}

// sayIn is say in a language that is known.
func (s *site) sayIn(w http.ResponseWriter, r *http.Request, lang string, status int, key string) {
	p := s.newPage(r, lang, nil)
	p.Heading = p.say(key + "_title")
	p.Blocks = []block{textBlock(p.say(key))}
	s.write(w, status, p)
}

func textBlock(text string) block {
	return block{Kind: "text", Lines: renderer{}.lines([]chat.Span{chat.Words(text)})}
}

// notFound says that there is no such page. Who has a session can go on with the survey.
func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.readCookie(r); !ok {
		s.say(w, r, http.StatusNotFound, "web.not_found")
		return
	}
	p := s.newPage(r, s.language(r, Visit{}), nil)
	p.Heading = p.say("web.not_found_title")
	p.Blocks = []block{toSurvey(p)}
	s.write(w, http.StatusNotFound, p)
}

func (s *site) forbidden(w http.ResponseWriter, r *http.Request) {
	s.say(w, r, http.StatusForbidden, "web.cross_origin")
}

// explain answers a request for which Links had an error. Links that are unknown, have expired or
// were revoked get the same answer.
func (s *site) explain(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ErrNoLink) && !s.unknown.allow(origin(r.RemoteAddr)):
		s.say(w, r, http.StatusTooManyRequests, "web.too_many")
	case errors.Is(err, ErrNoLink):
		s.say(w, r, http.StatusNotFound, "web.no_link")
	case errors.Is(err, ErrFull):
		s.say(w, r, http.StatusConflict, "web.full")
	default:
		if !errors.Is(err, ErrUnavailable) {
			s.Log.Error("link not followed", "error", err)
		}
		s.unavailable(w, r)
	}
}

// unavailable says that nothing could be shown or saved. What was sent stays on the page, with a
// button that sends it again.
func (s *site) unavailable(w http.ResponseWriter, r *http.Request) {
	s.tryAgain(w, r, http.StatusServiceUnavailable)
}

// tryAgain is unavailable with a status that says why.
func (s *site) tryAgain(w http.ResponseWriter, r *http.Request, status int) {
	lang := s.language(r, Visit{})
	p := s.newPage(r, lang, nil)
	key := "web.unavailable"
	if r.Method != http.MethodPost {
		key = "web.not_shown"
	}
	p.Heading = p.say(key + "_title")
	p.Blocks = []block{textBlock(p.say(key))}
	w.Header().Set("Retry-After", "10")
	s.keep(p, r)
	s.write(w, status, p)
}

// keep puts what a request has sent on the page, with a button that sends it again.
func (s *site) keep(p *page, r *http.Request) {
	if r.Method != http.MethodPost {
		p.Blocks = append(p.Blocks, block{Kind: "buttons", Buttons: []button{{
			Label: p.say("web.try_again"), URL: r.URL.RequestURI(), Style: "primary",
		}}})
		return
	}
	p.Action, p.Resend = r.URL.EscapedPath(), true
	for name, values := range r.PostForm {
		for i, value := range values {
			if name == otherLanguage && i > 0 {
				break // each press of the button adds one
			}
			p.Fields = append(p.Fields, field{name, value})
			if len(name) > len(fieldPrefix) && name[:len(fieldPrefix)] == fieldPrefix && value != "" {
				p.Blocks = append(p.Blocks, block{Kind: "kept", Text: value})
			}
		}
	}
	p.Blocks = append(p.Blocks, block{Kind: "buttons", Buttons: []button{{
		Label: p.say("web.try_again"), Style: "primary",
	}}})
	p.Nonce, p.Who = "", "" // they are among the fields, so that it counts once
}

// PageFile is a file that a page shows or links to.
type PageFile struct {
	Name, URL string
	Picture   bool
	Alt       string
}

// ShowCards answers with a page of cards that cannot be pressed, and the files beside them. The
// command try shows with it what is posted in a channel.
func (s *Server) ShowCards(
	w http.ResponseWriter, r *http.Request, lang, title, intro string, cards []chat.Card,
	shown []PageFile,
) {
	p := s.newPage(r, lang, nil)
	p.Languages = nil
	if r.Method == http.MethodPost {
		p.Buttons = nil // nothing comes after what was pressed
	}
	p.Heading = title
	p.Blocks = []block{textBlock(intro)}
	draw := s.renderer(p)
	draw.still = true
	for _, c := range cards {
		_, blocks := draw.card(c)
		p.Blocks = append(p.Blocks, block{Kind: "divider"})
		for _, b := range blocks {
			if b.Kind == "heading" {
				b.Level = 2
			}
			p.Blocks = append(p.Blocks, b)
		}
	}
	p.Files = shown
	s.write(w, http.StatusOK, p)
}
