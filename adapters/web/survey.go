package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"maturitybot/bot/chat"
)

// home shows a person where they are.
func (s *Server) home(w http.ResponseWriter, r *http.Request, person session) {
	s.showAction(w, r, person, chat.NewAction(s.Home, person.round))
}

// show shows the page of an action.
func (s *Server) show(w http.ResponseWriter, r *http.Request, person session) {
	a, ok := person.action(r.PathValue("action"), s.Pages)
	if !ok {
		s.notFound(w, r)
		return
	}
	s.showAction(w, r, person, a)
}

// showAction shows the page of an action that changes nothing.
func (s *Server) showAction(
	w http.ResponseWriter, r *http.Request, person session, a chat.Action,
) {
	ctx := r.Context()
	if person.ForReading != nil {
		ctx = person.ForReading(ctx)
	}
	replies := s.Responder.Handle(ctx, s.event(r, person, chat.Press, a, nil))
	p := s.newPage(r, s.language(r, person.Visit), &person)
	for _, reply := range replies {
		if opened, ok := reply.(chat.OpenForm); ok {
			s.writeForm(w, http.StatusOK, p, opened.Form, a, nil, nil)
			return
		}
	}
	asked := r.URL.Query().Get("ask")
	for _, c := range cardsOf(replies) {
		if button, ok := confirm(c, asked); ok {
			s.ask(w, p, button, asked)
			return
		}
	}
	s.writeCards(w, p, replies)
}

// showAgain shows the page that was sent again, and says that nothing was picked from a menu.
func (s *Server) showAgain(w http.ResponseWriter, r *http.Request, person session, menu string) {
	back := backAction(r, person, s.Pages)
	if back.Verb == "" {
		back = chat.NewAction(s.Home, person.round)
	}
	replies := s.look(r, person, back)
	p := s.newPage(r, s.language(r, person.Visit), &person)
	p.Path = pagePath(back)
	p.wrongMenu = menu
	s.writeCards(w, p, replies)
}

// writeCards sends a page with the cards of the replies.
func (s *Server) writeCards(w http.ResponseWriter, p *page, replies []chat.Reply) {
	p.Action = surveyPath
	p.add(s.renderer(p), replies)
	status := http.StatusOK
	for i := range p.Blocks {
		if m := &p.Blocks[i].Menu; p.wrongMenu != "" && m.Value == p.wrongMenu {
			m.Error = p.say("web.choose_one")
			p.Errors = append(p.Errors, fieldError{m.Name, m.Error})
			status = http.StatusUnprocessableEntity
		}
	}
	if p.Title == "" {
		p.Heading = p.say("web.message")
	}
	if len(p.Blocks) == 0 { // an event that was handled before shows nothing
		p.Blocks = append(p.Blocks, textBlock(p.say("web.done")))
	}
	if !pressable(p.Blocks) && !p.home {
		p.Blocks = append(p.Blocks, toSurvey(p))
	}
	s.write(w, status, p)
}

// toSurvey is a button that leads to where the person is in the survey.
func toSurvey(p *page) block {
	return block{Kind: "buttons", Buttons: []button{{
		Label: p.say("web.to_survey"), URL: surveyPath, Style: "primary",
	}}}
}

// add draws the cards of the replies. The first title of a card is that of a page without one.
func (p *page) add(draw renderer, replies []chat.Reply) {
	for _, c := range cardsOf(replies) {
		title, blocks := draw.card(c)
		p.Title = cmp.Or(p.Title, title)
		p.Blocks = append(p.Blocks, blocks...)
	}
}

func pressable(blocks []block) bool {
	for _, b := range blocks {
		if len(b.Buttons) > 0 || b.Kind == "menu" || b.Kind == "options" {
			return true
		}
	}
	return false
}

// cardsOf returns the cards that replies show to the person. All cards were delivered, so that what
// comes next is shown as well.
func cardsOf(replies []chat.Reply) []chat.Card {
	var cards []chat.Card
	for len(replies) > 0 {
		reply := replies[0]
		replies = replies[1:]
		switch x := reply.(type) {
		case chat.Update:
			cards = append(cards, x.Card)
		case chat.Whisper:
			cards = append(cards, x.Card)
			replies = x.Then.Next(chat.Delivered{}, replies)
		case chat.Direct:
			cards = append(cards, x.Card)
			replies = x.Then.Next(chat.Delivered{}, replies)
		case chat.OpenForm, chat.FieldErrors, chat.Post, chat.Redraw: // nothing of the person's own
		}
	}
	return cards
}

// ask asks again before an action that cannot be undone.
func (s *Server) ask(w http.ResponseWriter, p *page, b chat.Button, encoded string) {
	p.Action = surveyPath
	p.Heading = b.Confirm.Title
	p.Blocks = []block{
		textBlock(b.Confirm.Text),
		{Kind: "buttons", Buttons: []button{
			{Label: b.Confirm.Yes, Value: encoded, Style: styles[b.Style]},
			{Label: b.Confirm.No, URL: p.Path},
		}},
	}
	s.write(w, http.StatusOK, p)
}

// writeForm sends a page with a form, which the action opened. See drawForm.
func (s *Server) writeForm(
	w http.ResponseWriter, status int, p *page, f chat.Form, opened chat.Action,
	values map[string][]string, wrong map[string]string,
) {
	encoded, err := opened.Encode()
	if err != nil {
		s.Log.Error("form not drawn", "error", err)
	}
	p.Action, p.Resend = surveyPath, true
	p.Form = drawForm(f, values, wrong)
	if slices.Contains(s.Pages, f.Back.Verb) {
		p.Form.Cancel = pagePath(f.Back)
	}
	p.Fields = append(p.Fields, field{"form", encoded})
	p.Heading, p.Title = f.Title, f.Title
	if f.Intro != "" {
		p.Title += ": " + f.Intro // the form of each question has a title of its own
	}
	s.write(w, status, p)
}

// act does what a person pressed or sent, and leads to the page that shows what came of it.
func (s *Server) act(w http.ResponseWriter, r *http.Request, person session) {
	if opened := r.PostFormValue("form"); opened != "" {
		s.submit(w, r, person, opened)
		return
	}
	encoded := r.PostFormValue("action")
	a, ok := person.action(encoded, s.Actions)
	if !ok {
		s.leadOn(w, r, person, encoded)
		return
	}
	var values map[string][]string
	if picked, ok := r.PostForm[pickedField(encoded)]; ok {
		if len(picked) != 1 || strings.TrimSpace(picked[0]) == "" {
			s.showAgain(w, r, person, encoded)
			return
		}
		values = map[string][]string{chat.Picked: picked}
	}
	e := s.event(r, person, chat.Press, a, values)
	s.finish(w, r, person, a, s.Responder.Handle(r.Context(), e))
}

// leadOn leads to the page of an action whose button stands below a menu. What was picked from the
// menu is saved first. An option of a menu that is a button of its own is picked alone.
func (s *Server) leadOn(
	w http.ResponseWriter, r *http.Request, person session, encoded string,
) {
	next, ok := person.action(encoded, s.Pages)
	menu, picked := person.pickedFrom(r, s.Actions)
	if menu.Verb == "" || !ok && (encoded != "" || picked == "") {
		s.notFound(w, r)
		return
	}
	if picked != "" {
		values := map[string][]string{chat.Picked: {picked}}
		e := s.event(r, person, chat.Press, menu, values)
		replies := s.Responder.Handle(r.Context(), e)
		if !ok || !updates(replies) { // an option was pressed alone, or it was not saved
			s.finish(w, r, person, menu, replies)
			return
		}
	}
	http.Redirect(w, r, pagePath(next), http.StatusSeeOther)
}

// pickedFrom returns the action of the menu from which something was picked, or of any other menu
// that was sent, and what was picked.
func (p session) pickedFrom(r *http.Request, verbs []string) (menu chat.Action, picked string) {
	for name, values := range r.PostForm {
		encoded, ok := strings.CutPrefix(name, pickedPrefix)
		if !ok || len(values) != 1 {
			continue
		}
		if a, known := p.action(encoded, verbs); known && picked == "" {
			menu, picked = a, strings.TrimSpace(values[0])
		}
	}
	return menu, picked
}

// backAction returns the action of the page that a request was sent from, or none.
func backAction(r *http.Request, person session, pages []string) chat.Action {
	encoded, ok := strings.CutPrefix(r.PostFormValue("path"), surveyPath+"/")
	if !ok {
		return chat.Action{}
	}
	a, _ := person.action(encoded, pages)
	return a
}

// backPath returns the path of the page that a request was sent from.
func backPath(r *http.Request, person session, pages []string) string {
	if a := backAction(r, person, pages); a.Verb != "" {
		return pagePath(a)
	}
	return surveyPath
}

// submit sends a form. The action that opened it says which one it is.
func (s *Server) submit(w http.ResponseWriter, r *http.Request, person session, encoded string) {
	opened, ok := person.action(encoded, s.Pages)
	if !ok {
		s.notFound(w, r)
		return
	}
	p := s.newPage(r, s.language(r, person.Visit), &person)
	form, ok := s.open(r, person, opened)
	if !ok {
		s.unavailable(w, r)
		return
	}
	if form.Action.Verb == "" {
		s.notFound(w, r)
		return
	}
	values := readForm(r, form)
	if r.PostFormValue(otherLanguage) != "" { // the form in another language, with what was typed
		s.writeForm(w, http.StatusOK, p, form, opened, values, nil)
		return
	}
	e := s.event(r, person, chat.Submit, form.Action, values)
	replies := s.Responder.Handle(r.Context(), e)
	for _, reply := range replies {
		if refused, ok := reply.(chat.FieldErrors); ok {
			s.writeForm(w, http.StatusUnprocessableEntity, p, form, opened, values, refused.Fields)
			return
		}
	}
	if !updates(replies) { // it was not saved, so what was typed stays
		p.add(s.renderer(p), replies)
		s.writeForm(w, http.StatusServiceUnavailable, p, form, opened, values, nil)
		return
	}
	s.finish(w, r, person, form.Action, replies)
}

// look returns what an action shows, on the way to what a page was sent for. Its event has no id, so
// that it does not count as what was sent.
func (s *Server) look(r *http.Request, person session, a chat.Action) []chat.Reply {
	e := s.event(r, person, chat.Press, a, nil)
	e.ID = ""
	return s.Responder.Handle(r.Context(), e)
}

// open returns the form that an action opens. It returns false if the store did not answer, and a
// form without an action if the action opens none.
func (s *Server) open(r *http.Request, person session, opened chat.Action) (chat.Form, bool) {
	replies := s.look(r, person, opened)
	for _, reply := range replies {
		if x, ok := reply.(chat.OpenForm); ok {
			return x.Form, true
		}
	}
	return chat.Form{}, updates(replies)
}

// updates reports whether replies change the card that was pressed: the action was done.
func updates(replies []chat.Reply) bool {
	for _, reply := range replies {
		if _, ok := reply.(chat.Update); ok {
			return true
		}
	}
	return false
}

// finish shows what came of an action: on a page of its own that can be loaded again, or at once
// where there is none. A device that others use forgets the person after the last action.
func (s *Server) finish(
	w http.ResponseWriter, r *http.Request, person session, a chat.Action, replies []chat.Reply,
) {
	p := s.newPage(r, s.language(r, person.Visit), &person)
	// An action that was done before has no replies.
	if person.shared && slices.Contains(s.Last, a.Verb) && (updates(replies) || len(replies) == 0) {
		s.setCookie(w, "")
		p.Session, p.Leaving = false, true
		draw := s.renderer(p)
		draw.still = true
		p.Blocks = append(p.Blocks, textBlock(p.say("web.forgotten")))
		p.add(draw, replies)
		s.write(w, http.StatusOK, p)
		return
	}
	for _, reply := range replies {
		update, ok := reply.(chat.Update)
		if ok && slices.Contains(s.Pages, update.Again.Verb) {
			http.Redirect(w, r, pagePath(update.Again), http.StatusSeeOther)
			return
		}
	}
	s.writeCards(w, p, replies)
}
