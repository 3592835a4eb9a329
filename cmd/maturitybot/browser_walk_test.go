package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"maturitybot/survey/matrix"
)

// tabTo presses Tab until what has the label has the focus. The focus must be visible all the way.
func (p *tab) tabTo(label string) {
	p.t.Helper()
	p.mark(label)
	const most = 120
	for range most {
		p.run(chromedp.KeyEvent(kb.Tab))
		at := ask[struct{ Found, Visible bool }](p, `(() => {
			const e = document.activeElement, style = getComputedStyle(e);
			const outlined = style.outlineStyle != 'none' && parseFloat(style.outlineWidth) > 0 &&
				!/, 0\)$/.test(style.outlineColor);
			return {
				Found: e.hasAttribute('data-found'),
				Visible: e == document.body || outlined || style.boxShadow != 'none',
			};
		})()`)
		if !at.Visible {
			p.t.Errorf("the focus cannot be seen on the way to %q on the page %q", label, p.heading())
		}
		if at.Found {
			return
		}
	}
	p.t.Fatalf("Tab does not reach %q on the page %q", label, p.heading())
}

// walker takes part in a survey.
type walker struct {
	*tab
	survey *browserSurvey
	lang   string
}

func (w walker) level(rating int) string {
	return w.survey.matrix.Levels[rating-1].Short.In(matrix.Lang(w.lang))
}

// element returns the name of the element with a number.
func (w walker) element(number int) string {
	return w.survey.matrix.Elements()[number-1].Name.In(matrix.Lang(w.lang))
}

// enter goes from the link to the first question.
func (w walker) enter(token string) {
	w.t.Helper()
	other := map[string]string{"en": "cy", "cy": "en"}[w.lang]
	seen := w.seen
	w.seen = func(*tab) {} // a page in the other language
	w.open(w.survey.link(token) + "?lang=" + other)
	w.seen = seen
	w.press(w.say("language.name"))
	w.press(w.say("web.start")) // without the tick
	w.wantsText(w.say("web.summary"))
	w.tick(w.say("web.me"))
	w.press(w.say("web.start"))
	w.wants(w.say("notice.title"))
	w.press(w.say("button.accept"))
	w.wants(w.say("me.title"))
	w.press(w.say("button.continue"))
	w.wantsText(w.say("me.role_first"))
	role := w.survey.matrix.Roles()[1].Name.In(matrix.Lang(w.lang))
	w.choose(w.say("me.choose"), role)
	w.press(w.say("button.continue")) // without Choose
	w.wants(w.element(1))
}

// detail adds detail to question 1, first with a text that is too long.
func (w walker) detail() {
	w.t.Helper()
	w.press(w.say("button.detail_to", "i", 1))
	w.wants(w.say("detail.title"))
	w.tick(w.survey.matrix.Information[0].Name.In(matrix.Lang(w.lang)))
	long := strings.Repeat("Two words. ", 50)
	note := w.say("detail.note_label") + " (" + w.say("web.optional") + ")"
	w.write(note, long)
	w.press(w.say("button.save"))
	if w.status != 422 {
		w.t.Errorf("a text that is too long: status %d, want 422", w.status)
	}
	w.wantsText(w.say("web.summary"))
	kept := ask[string](w.tab, "document.querySelector('textarea').value")
	if strings.TrimSpace(kept) != strings.TrimSpace(long) {
		w.t.Errorf("the text that was too long is now %q", kept)
	}
	w.write(note, "Two words.")
	w.press(w.say("button.save"))
	w.wants(w.element(2))
	w.press(w.say("answer.dont_know"))
	w.press(w.say("button.detail_to", "i", 2))
	w.press(w.say("button.cancel"))
}

// answer answers all questions from the second on, but for the fourth.
func (w walker) answer() {
	w.t.Helper()
	count := len(w.survey.matrix.Elements())
	for i := 2; i <= count; i++ {
		w.wants(w.element(i))
		switch i {
		case 2:
			w.press(w.say("answer.dont_know"))
		case 3:
			w.press(w.say("answer.not_applicable"))
		case 4:
			w.press(w.say("button.skip"))
		case 6:
			w.press(w.say("button.back"))
			w.wants(w.element(5))
			w.press(w.say("button.next"))
			w.press(w.level(2))
		default:
			w.press(w.level(i%4 + 1))
		}
	}
}

// look looks at the pages beside the questions.
func (w walker) look() {
	w.t.Helper()
	w.press(w.say("button.list"))
	w.wants(w.say("list.title"))
	w.press(w.say("button.levels"))
	w.wants(w.say("levels.title"))
	w.press(w.say("web.to_survey"))
	w.press(w.say("button.list"))
	w.press(w.say("button.me"))
	w.wants(w.say("me.title"))
	role := w.survey.matrix.Roles()[3].Name.In(matrix.Lang(w.lang))
	w.choose(w.say("me.choose"), role)
	w.press(w.say("web.choose"))
	w.wantsText(w.say("me.chosen") + " " + role)
	w.press(w.say("button.continue"))
	w.press(w.say("button.list"))
	w.press(w.element(2) + " (" + w.say("list.answered") + ")")
	w.wants(w.element(2))
	w.press(w.level(1))
}

// finish submits, changes an answer, and submits again.
func (w walker) finish() {
	w.t.Helper()
	w.press(w.say("button.list"))
	w.press(w.say("button.review"))
	w.wants(w.say("review.title"))
	w.press(w.say("button.submit"))
	w.wants(w.say("receipt.title"))
	w.press(w.say("button.change"))
	w.press(w.say("button.review"))
	w.press(w.say("button.submit_again"))
	w.wants(w.say("receipt.title"))
}

// leave sees what is kept and is asked before it is deleted, and then leaves the device.
func (w walker) leave() {
	w.t.Helper()
	w.press(w.say("button.kept"))
	w.wants(w.say("kept.title", "area", w.survey.voice.Say("try.area")))
	w.press(w.say("button.erase"))
	w.wants(w.say("erase.title"))
	w.press(w.say("erase.no"))
	w.press(w.say("web.help_link"))
	w.wants(w.say("help.link_title"))
	w.press(w.say("web.leave_link"))
	w.wants(w.say("web.leave_title"))
	w.press(w.say("web.leave_yes"))
	w.wants(w.say("web.left_title"))
	w.open(w.survey.url + "/survey?lang=" + w.lang)
	w.wants(w.say("web.no_session_title"))
}

func (w walker) all() {
	w.t.Helper()
	w.enter(w.survey.token)
	w.press(w.level(2))
	w.wants(w.element(2))
	w.detail()
	w.answer()
	w.look()
	w.finish()
	w.leave()
}

// TestBrowserSurvey takes part in a survey without scripts, in both languages, on a phone and on a
// desktop, and once with a keyboard alone.
func TestBrowserSurvey(t *testing.T) {
	browser := chromium(t)
	for _, c := range []struct {
		name, edition, lang string
		view                viewport
		keyboard            bool
	}{
		{"english on a phone", "england", "en", phone, false},
		{"welsh on a phone", "wales", "cy", phone, false},
		{"english on a desktop", "wales", "en", desktop, false},
		{"welsh on a desktop", "england", "cy", desktop, false},
		{"with a keyboard", "england", "en", desktop, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newBrowserSurvey(t, c.edition, c.lang)
			p := s.newTab(t, browser, c.lang, c.view).withoutScripts()
			p.keyboard = c.keyboard
			walker{p, s, c.lang}.all()
		})
	}
}
