package web

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// welcome shows what a link is for. It changes nothing, because mail programs open links to check
// them.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request) {
	visit, err := s.Links.Find(r.Context(), r.PathValue("round"), r.PathValue("token"))
	if err != nil {
		s.explain(w, r, err)
		return
	}
	s.writeWelcome(w, r, http.StatusOK, visit, "")
}

// writeWelcome sends the page of a link. Wrong is the key of what is wrong with what was sent, or
// empty.
func (s *Server) writeWelcome(
	w http.ResponseWriter, r *http.Request, status int, visit Visit, wrong string,
) {
	lang := s.language(r, visit)
	p := s.newPage(r, lang, nil)
	p.Languages = nil
	for _, other := range visit.Languages {
		if other != lang && visit.Language == "" {
			p.Languages = append(p.Languages, languageLink{
				Lang: other, Name: s.Say(other, "language.name"),
				URL: r.URL.EscapedPath() + "?lang=" + other + sharedQuery(r),
			})
		}
	}
	title, blocks := renderer{say: p.say, still: true}.card(visit.About(lang))
	p.Title, p.Blocks = title, blocks
	if title == "" {
		p.Heading = p.say("web.service")
	}
	if !visit.Closed {
		p.Action = r.URL.EscapedPath()
		// A person who has not chosen a language is asked for it, whatever their browser says.
		if r.URL.Query().Has("lang") || r.PostFormValue("lang") != "" {
			p.Fields = append(p.Fields, field{"lang", lang})
		}
		p.Fields = append(p.Fields, field{"drawn", strconv.FormatInt(s.Now().Unix(), 10)})
		if shared(r) {
			p.Fields = append(p.Fields, field{sharedMark, "yes"})
			p.Blocks = append(p.Blocks, textBlock(p.say("web.shared")))
		}
		p.Form = &form{Submit: p.say("web.start"), Fields: []formField{{
			Name: "me", Kind: "many", Label: p.say("web.before_start"), Error: p.sayIf(wrong),
			Options: []formOption{{Value: "yes", Label: p.say("web.me"), ID: "me"}},
		}}}
		if wrong != "" {
			p.Form.Errors = []fieldError{{"me", p.say(wrong)}}
		}
	}
	if visit.Open && !visit.Closed {
		p.Blocks = append(p.Blocks, block{Kind: "buttons", Buttons: []button{{
			Label: p.say("web.have_code"), Style: "plain",
			URL: "/" + url.PathEscape(r.PathValue("round")) + "?lang=" + lang + sharedQuery(r),
		}}})
	}
	s.write(w, status, p)
}

// sayIf returns a sentence, or nothing without a key.
func (p *page) sayIf(key string) string {
	if key == "" {
		return ""
	}
	return p.say(key)
}

// shared reports whether a link was opened, or a page sent, for a device that others use.
func shared(r *http.Request) bool {
	return r.URL.Query().Has(sharedMark) || r.PostFormValue(sharedMark) == "yes"
}

// sharedQuery returns what keeps a page of a shared device one.
func sharedQuery(r *http.Request) string {
	if shared(r) {
		return "&" + sharedMark
	}
	return ""
}

// enter starts a session of the person of a link. Some mail programs send the forms of the pages
// that they check, so a box has to be ticked.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) {
	if !s.parse(w, r, Visit{}) {
		return
	}
	round, token := r.PathValue("round"), r.PathValue("token")
	visit, err := s.Links.Find(r.Context(), round, token)
	if err != nil {
		s.explain(w, r, err)
		return
	}
	if visit.Closed {
		s.writeWelcome(w, r, http.StatusConflict, visit, "")
		return
	}
	if r.PostFormValue("me") != "yes" {
		s.writeWelcome(w, r, http.StatusUnprocessableEntity, visit, "web.tick")
		return
	}
	token, err = s.Links.Enter(r.Context(), round, token, "web:"+round+":"+s.startNumber(r))
	if err != nil {
		s.explain(w, r, err)
		return
	}
	if asked := r.PostFormValue("lang"); visit.Language == "" && asked != "" {
		s.chooseLanguage(r, round, token, asked)
	}
	s.start(w, r, round, token, shared(r))
}

const (
	// startTimeout is how long a page on which people start is one person's.
	startTimeout = 10 * time.Minute
	// clockDifference is how far the clock of another process that drew the page may be ahead.
	clockDifference = time.Minute
)

// startNumber returns the number of the page on which a person has started. A page that was drawn
// long ago, such as one that was left open on a device that others use, gets a new number, so that
// it does not lead the next person to the answers of the one before.
func (s *Server) startNumber(r *http.Request) string {
	drawn := r.PostFormValue("drawn")
	seconds, err := strconv.ParseInt(drawn, 10, 64)
	if age := s.Now().Sub(time.Unix(seconds, 0)); err != nil || age < -clockDifference || age > startTimeout {
		return rand.Text()
	}
	return drawn + ":" + nonce(r)
}

// chooseLanguage saves the language of the page on which a person started. If it fails, the person
// is asked for it.
func (s *Server) chooseLanguage(r *http.Request, round, token, lang string) {
	visit, err := s.Links.Find(r.Context(), round, token)
	if err == nil && visit.Language == "" {
		err = s.Links.SetLanguage(r.Context(), round, visit.Who, lang)
	}
	if err != nil {
		s.Log.Warn("language not saved", "error", err)
	}
}

// askForCode asks for a return code. The page is the same for every round, also for one that does
// not exist.
func (s *Server) askForCode(w http.ResponseWriter, r *http.Request) {
	s.writeCode(w, r, http.StatusOK, "")
}

func (s *Server) writeCode(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	p := s.newPage(r, s.language(r, Visit{}), nil)
	p.Heading = p.say("web.code_title")
	p.Title = p.Heading
	p.Action = r.URL.EscapedPath()
	if shared(r) {
		p.Fields = append(p.Fields, field{sharedMark, "yes"})
	}
	p.Form = &form{Submit: p.say("web.continue"), Fields: []formField{{
		Name: "code", Kind: "line", Label: p.say("web.code_label"), Hint: p.say("web.code_hint"),
		Error: p.sayIf(wrong),
	}}}
	if wrong != "" {
		p.Form.Errors = []fieldError{{"code", p.say(wrong)}}
	}
	s.write(w, status, p)
}

// enterCode starts a session with a return code.
func (s *Server) enterCode(w http.ResponseWriter, r *http.Request) {
	if !s.parse(w, r, Visit{}) {
		return
	}
	round, code := r.PathValue("round"), r.PostFormValue("code")
	visit, err := s.Links.Find(r.Context(), round, code)
	switch {
	case err == nil && visit.Open, errors.Is(err, ErrNoLink):
		if !s.unknown.allow(origin(r.RemoteAddr)) {
			s.say(w, r, http.StatusTooManyRequests, "web.too_many")
			return
		}
		s.writeCode(w, r, http.StatusUnprocessableEntity, "web.no_code")
	case err != nil:
		s.explain(w, r, err)
	default:
		token, err := s.Links.Enter(r.Context(), round, code, "web:"+round+":"+nonce(r))
		if err != nil {
			s.explain(w, r, err)
			return
		}
		s.start(w, r, round, token, shared(r))
	}
}

// help explains the survey to a person.
func (s *Server) help(w http.ResponseWriter, r *http.Request, person session) {
	lang := s.language(r, person.Visit)
	p := s.newPage(r, lang, &person)
	p.Action = surveyPath
	p.Title, p.Blocks = s.renderer(p).card(person.Help(lang))
	p.Blocks = append(p.Blocks, toSurvey(p))
	s.write(w, http.StatusOK, p)
}

// askToLeave asks whether the device is to forget the person, and shows their return code.
func (s *Server) askToLeave(w http.ResponseWriter, r *http.Request, person session) {
	p := s.newPage(r, s.language(r, person.Visit), &person)
	p.Heading = p.say("web.leave_title")
	p.Leaving = true
	text := "web.leave"
	if person.Code {
		text = "web.leave_code"
	}
	p.Action = leavePath
	p.Blocks = []block{textBlock(p.say(text))}
	if person.Code {
		p.Blocks = append(p.Blocks, block{Kind: "code", Text: person.token})
	}
	p.Blocks = append(p.Blocks, block{Kind: "buttons", Buttons: []button{
		{Label: p.say("web.leave_yes"), Style: "primary"},
		{Label: p.say("web.to_survey"), URL: surveyPath},
	}})
	s.write(w, http.StatusOK, p)
}

// leave makes the device forget the person. It needs no store.
func (s *Server) leave(w http.ResponseWriter, r *http.Request) {
	s.setCookie(w, "")
	lang := r.PostFormValue("page_lang")
	if lang != "cy" {
		lang = "en"
	}
	http.Redirect(w, r, leftPath+"?lang="+lang, http.StatusSeeOther)
}

func (s *Server) left(w http.ResponseWriter, r *http.Request) {
	s.say(w, r, http.StatusOK, "web.left")
}

// setLanguage saves the language of a person, and leads back to the page they were on.
func (s *Server) setLanguage(w http.ResponseWriter, r *http.Request, person session) {
	lang := r.PostFormValue("lang")
	if err := s.Links.SetLanguage(r.Context(), person.round, person.Who, lang); err != nil {
		s.explain(w, r, err)
		return
	}
	http.Redirect(w, r, backPath(r, person, s.Pages), http.StatusSeeOther)
}
