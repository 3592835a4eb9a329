package web

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"maturitybot/bot/chat"
)

// session is a person in a browser, as the cookie names them. The cookie holds the token of a
// personal link or a return code, and nothing else does: so a session lasts as long as the token.
type session struct {
	round, token string
	shared       bool // others use the device: it forgets the person after the last action
	Visit
}

// otherLanguage is the field of a button that shows a page with a form in another language.
const otherLanguage = "other_lang"

// sharedMark follows the token in the cookie of a shared device.
const sharedMark = "shared"

// cookieName returns the name of the cookie. A browser accepts the prefix __Host- only from the
// host itself and over an encrypted connection, so that no other host can set the cookie.
func (s *site) cookieName() string {
	if s.secure() {
		return "__Host-session"
	}
	return "session"
}

func (s *site) setCookie(w http.ResponseWriter, value string) {
	c := &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/",
		Secure: s.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// start keeps a token in the browser, and leads away from the address that holds it.
func (s *site) start(w http.ResponseWriter, r *http.Request, round, token string, shared bool) {
	value := round + "." + token
	if shared {
		value += "." + sharedMark
	}
	s.setCookie(w, value)
	http.Redirect(w, r, surveyPath, http.StatusSeeOther)
}

// readCookie returns the session of a request, without its Visit.
func (s *site) readCookie(r *http.Request) (session, bool) {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return session{}, false
	}
	parts := strings.Split(c.Value, ".")
	if len(parts) < 2 || len(parts) > 3 || len(parts) == 3 && parts[2] != sharedMark {
		return session{}, false
	}
	return session{round: parts[0], token: parts[1], shared: len(parts) == 3}, true
}

// mark tells the sessions of a browser apart, without giving the token away. Each page carries it,
// so that a page of one person sends nothing in the name of another who has started since.
func (p session) mark() string {
	sum := sha256.Sum256([]byte("page of " + p.round + "." + p.token))
	return hex.EncodeToString(sum[:8])
}

// inSession returns a handler for requests of a person. Without a session it asks to open the link
// again.
func (s *Server) inSession(
	serve func(http.ResponseWriter, *http.Request, session),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		person, ok := s.readCookie(r)
		if !ok {
			s.say(w, r, http.StatusForbidden, "web.no_session")
			return
		}
		if r.Method == http.MethodPost && !s.sent.allow(person.token) {
			s.tryAgain(w, r, http.StatusTooManyRequests)
			return
		}
		visit, err := s.Links.Find(r.Context(), person.round, person.token)
		if err == nil && visit.Open {
			err = ErrNoLink // only a forged cookie holds such a token
		}
		if errors.Is(err, ErrNoLink) {
			s.setCookie(w, "")
		}
		if err != nil {
			s.explain(w, r, err)
			return
		}
		if visit.Who == (chat.Person{}) {
			s.over(w, r, visit)
			return
		}
		w.Header().Del("Connection") // people who have started may keep theirs
		person.Visit = visit
		if r.Method == http.MethodPost {
			if !s.parse(w, r, visit) {
				return
			}
			if r.PostFormValue("who") != person.mark() {
				s.sayIn(w, r, s.language(r, visit), http.StatusConflict, "web.other_session")
				return
			}
			if other := r.PostFormValue(otherLanguage); slices.Contains(visit.Languages, other) {
				if err := s.Links.SetLanguage(r.Context(), person.round, visit.Who, other); err != nil {
					s.explain(w, r, err)
					return
				}
				person.Language = other
			}
		}
		serve(w, r, person)
	}
}

// over says that everything is over, to people who had started.
func (s *site) over(w http.ResponseWriter, r *http.Request, visit Visit) {
	lang := s.language(r, visit)
	p := s.newPage(r, lang, nil)
	p.Title, p.Blocks = renderer{say: p.say, still: true}.card(visit.About(lang))
	s.write(w, http.StatusOK, p)
}

// parse reads the form of a request. If it cannot be read, parse answers the request and returns
// false.
func (s *site) parse(w http.ResponseWriter, r *http.Request, v Visit) bool {
	err := r.ParseForm()
	if err == nil {
		return true
	}
	lang := s.language(r, v)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		s.sayIn(w, r, lang, http.StatusRequestEntityTooLarge, "web.too_large")
	} else {
		s.sayIn(w, r, lang, http.StatusBadRequest, "web.not_found")
	}
	return false
}

// event returns an event of a person. Its id is a hash of the session, the number that the page was
// drawn with, and what was sent: a form that is sent twice counts once, and one that was changed in
// between counts again. Nobody who reads the id can tell whose event it is without the number.
func (s *Server) event(
	r *http.Request, person session, kind chat.EventKind, a chat.Action, values map[string][]string,
) chat.Event {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q",
		person.round, person.token, nonce(r), a.Verb, a.Args, values))
	return chat.Event{
		ID: "web:" + hex.EncodeToString(sum[:16]), Kind: kind, At: s.Now(),
		Who:   person.Who,
		Where: chat.Place{Platform: person.Who.Platform, Channel: person.Who.ID}, Private: true,
		Locale: s.language(r, person.Visit), Action: a, Values: values,
	}
}

// nonceLength is the length of the number of a page, in characters.
const nonceLength = 26

// nonce returns the number of the page that was sent, or a new one.
func nonce(r *http.Request) string {
	given := r.PostFormValue("nonce")
	if len(given) != nonceLength || strings.Trim(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return rand.Text()
	}
	return given
}

// language returns the language of a page: the one that the person chose, else the one that the
// address, the button that was pressed, the page that was sent or the browser asks for, if it can be
// chosen.
func (s *site) language(r *http.Request, v Visit) string {
	if v.Language != "" {
		return v.Language
	}
	asked := r.URL.Query().Get("lang")
	if asked == "" {
		asked = cmp.Or(r.PostFormValue(otherLanguage), r.PostFormValue("page_lang"))
	}
	if asked == "" {
		asked = r.Header.Get("Accept-Language")
	}
	lang := "en"
	if strings.HasPrefix(strings.ToLower(asked), "cy") {
		lang = "cy"
	}
	for _, offered := range v.Languages {
		if offered == lang {
			return lang
		}
	}
	if len(v.Languages) > 0 {
		return v.Languages[0]
	}
	return lang
}
