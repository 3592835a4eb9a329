package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"maturitybot/adapters/web"
)

// axeSource returns the program of axe-core, which finds faults in accessibility. It is not part of
// this repository: .ci/run fetches it.
func axeSource(t *testing.T) string {
	t.Helper()
	const name, required = "MATURITYBOT_AXE", "MATURITYBOT_REQUIRE_AXE"
	path := os.Getenv(name)
	switch {
	case path != "":
		return string(need(os.ReadFile(path))(t))
	case os.Getenv(required) == "1":
		t.Fatalf("%s names no axe.min.js", name)
	}
	t.Logf("%s names no axe.min.js, so the pages are not checked with it", name)
	return ""
}

// pageChecker checks each page that it is shown.
type pageChecker struct {
	axe  string
	lang string
	view viewport
	dark bool
	// pages holds what pages are about, by title. Different pages have different titles.
	pages     map[string]string
	questions int // that were seen
	count     int // of pages that were checked
}

// mostQuestions is how many questions are checked: they are drawn alike.
const mostQuestions = 4

// Scripts of pageChecker. Each returns what is wrong with the page.
const (
	structureFaults = `(() => {
		const wrong = [], main = document.querySelector('main');
		const h1 = document.querySelectorAll('h1').length;
		if (h1 != 1) wrong.push('h1: ' + h1);
		if (!main) wrong.push('no main part');
		if (!document.title) wrong.push('no title');
		for (const e of document.querySelectorAll('*')) {
			const style = getComputedStyle(e);
			if (style.animationName != 'none' || parseFloat(style.transitionDuration) > 0) {
				wrong.push('something moves: ' + e.outerHTML.slice(0, 80));
			}
		}
		return wrong;
	})()`
	scrollFaults = `(() => {
		const page = document.scrollingElement;
		return page.scrollWidth > innerWidth ? ['scrolls sideways: ' + page.scrollWidth + ' of ' + innerWidth +
			' ' + [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth)
				.map(e => e.outerHTML.slice(0, 80)).slice(0, 3)] : [];
	})()`
	// A link in the middle of a sentence is as high as its line.
	targetFaults = `(() => {
		const wrong = [];
		for (const e of document.querySelectorAll('a, button, input, select, textarea, summary')) {
			if (e.type == 'hidden' || e.className == 'skip') continue;
			const around = e.parentElement;
			if (e.tagName == 'A' && around.tagName == 'P' && around.innerText.trim() != e.innerText.trim()) continue;
			const box = e.getBoundingClientRect();
			const large = /BUTTON|SELECT|TEXTAREA/.test(e.tagName) || e.classList.contains('button');
			const least = large && !e.classList.contains('link') ? 44 : 24;
			if (box.width < least || box.height < least) {
				wrong.push(e.outerHTML.slice(0, 120) + ' is ' + box.width + ' by ' + box.height);
			}
		}
		return wrong;
	})()`
	// With forced colours a button has no background: its border or a line below it shows what it is.
	borderFaults = `(() => [...document.querySelectorAll('button, .button, select, textarea, input[type=text]')].filter(e => {
		const style = getComputedStyle(e);
		return style.borderStyle == 'none' && style.textDecorationLine != 'underline';
	}).map(e => 'without a border: ' + e.outerHTML.slice(0, 120)))()`
	axeFaults = `axe.run(document, {
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'],
	}).then(r => r.violations.map(v => v.id + ': ' + v.help + '\n' +
		v.nodes.map(n => '    ' + n.html.slice(0, 200) + '\n    ' + n.failureSummary).join('\n')))`
)

// media is what a person's system asks of pages, by the names of CSS.
func media(kind string, features ...string) chromedp.Action[chromedp.Void] {
	p := emulation.SetEmulatedMediaParams{Media: kind}
	for i := 0; i+1 < len(features); i += 2 {
		p.Features = append(p.Features, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	return command(emulation.SetEmulatedMedia, p)
}

func (c *pageChecker) fail(p *tab, when string, wrong []string) {
	p.t.Helper()
	for _, fault := range wrong {
		p.t.Errorf("%s: %q %s: %s", c.lang, p.heading(), when, fault)
	}
}

// check checks a page, unless it has checked one with its title.
func (c *pageChecker) check(p *tab) {
	p.t.Helper()
	about := ask[struct{ Title, Lang, Heading string }](p, `(() => {
		const intro = document.querySelector('textarea') ? document.querySelector('h1 ~ form p').innerText : '';
		return {Title: document.title, Lang: document.documentElement.lang,
			Heading: document.querySelector('h1')?.innerText + ' ' + intro};
	})()`)
	if about.Lang != c.lang {
		p.t.Errorf("%q is in %q, want %q", about.Title, about.Lang, c.lang)
	}
	if before, known := c.pages[about.Title]; known {
		if before != about.Heading {
			p.t.Errorf("%q is the title of %q and of %q", about.Title, before, about.Heading)
		}
		return
	}
	c.pages[about.Title] = about.Heading
	if ask[bool](p, "!!document.querySelector('.choice')") {
		if c.questions++; c.questions > mostQuestions {
			return
		}
	}
	c.fail(p, "in any window", ask[[]string](p, structureFaults))
	scheme := "light"
	if c.dark {
		scheme = "dark"
	}
	p.run(media("", "prefers-color-scheme", scheme, "forced-colors", "active"))
	c.fail(p, "with forced colours", ask[[]string](p, borderFaults))
	p.run(media("", "prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce"))
	for _, v := range []viewport{phone, {640, 400}} { // the second is a desktop at 200 %
		p.run(chromedp.EmulateViewport(v.width, v.height))
		when := fmt.Sprintf("at a width of %d", v.width)
		c.fail(p, when, ask[[]string](p, scrollFaults))
		c.fail(p, when, ask[[]string](p, targetFaults))
	}
	p.run(chromedp.EmulateViewport(c.view.width, c.view.height))
	if c.axe != "" {
		p.run(chromedp.Evaluate[chromedp.Void](c.axe))
		c.fail(p, "by axe", ask[[]string](p, axeFaults))
	}
	c.count++
}

// strange goes to the pages that something unusual leads to.
func (w walker) strange() {
	w.t.Helper()
	s, in := w.survey, "?lang="+w.lang
	w.open(s.link("nothing") + in)
	w.wants(w.say("web.no_link_title"))
	w.open(s.url + "/no/such/page" + in)
	w.wants(w.say("web.not_found_title"))
	w.open(s.link(openToken) + in)
	w.press(w.say("web.have_code"))
	w.wants(w.say("web.code_title"))
	w.press(w.say("web.continue"))
	w.wantsText(w.say("web.summary"))
	w.open(s.link(openToken) + in)
	w.tick(w.say("web.me"))
	s.links.fail(web.ErrFull)
	w.press(w.say("web.start"))
	w.wants(w.say("web.full_title"))
	s.links.fail(nil)
	w.enter(openToken)
	s.links.fail(web.ErrUnavailable)
	w.press(w.level(1))
	w.wants(w.say("web.unavailable_title"))
	s.links.fail(nil)
	w.press(w.say("web.try_again"))
	w.wants(w.element(2))
	w.press(w.say("button.detail_to", "i", 1))
	ask[bool](w.tab, "(document.querySelector('textarea').value = 'x'.repeat(70000), true)")
	w.press(w.say("button.save"))
	w.wants(w.say("web.too_large_title"))
	w.open(s.url + "/survey")
	ask[bool](w.tab, "(document.querySelectorAll('[name=who]').forEach(e => e.value = '0'), true)")
	w.press(w.level(1))
	w.wants(w.say("web.other_session_title"))
	w.tooMany()
}

// tooMany tries links that lead nowhere until no more are looked at.
func (w walker) tooMany() {
	w.t.Helper()
	for range 300 {
		request := need(http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.survey.link("no"), nil))(w.t)
		response := need(http.DefaultClient.Do(request))(w.t)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusTooManyRequests {
			w.open(w.survey.link("no") + "?lang=" + w.lang)
			w.wants(w.say("web.too_many_title"))
			return
		}
	}
	w.t.Error("300 links that lead nowhere were looked at")
}

// print checks the receipt on paper.
func (w walker) print() {
	w.t.Helper()
	w.open(w.survey.url + "/survey/receipt:" + string(w.survey.round))
	w.wants(w.say("receipt.title"))
	w.run(media("print"))
	shown := ask[[]string](w.tab, `[...document.querySelectorAll('button, .button, select, nav, footer')]
		.filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 120))`)
	if len(shown) > 0 {
		w.t.Errorf("printed: %q", shown)
	}
	w.run(media(""))
	pdf, err := chromedp.Run(w.ctx, chromedp.PrintToPDF())
	if err != nil {
		w.t.Fatal(err)
	}
	pages := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1))
	if pages < 1 || pages > 2 {
		w.t.Errorf("the receipt takes %d pages of paper", pages)
	}
}

// refuse says no, then takes part after all, and withdraws.
func (w walker) refuse() {
	w.t.Helper()
	w.open(w.survey.link(w.survey.token) + "?lang=" + w.lang)
	w.tick(w.say("web.me"))
	w.press(w.say("web.start"))
	w.press(w.say("button.decline"))
	w.wants(w.say("declined.title"))
	w.press(w.say("button.rejoin"))
	w.wants(w.say("notice.title"))
	w.press(w.say("button.accept"))
	w.press(w.say("button.kept"))
	w.press(w.say("button.notice"))
	w.wants(w.say("notice.title"))
	w.open(w.survey.url + "/survey")
	w.press(w.say("button.kept"))
	w.press(w.say("button.erase"))
	w.press(w.say("erase.yes"))
	w.wants(w.say("withdrawn.title"))
}

// channel closes the survey of the command try, and looks at what the coordinator gets.
func (w walker) channel() {
	w.t.Helper()
	w.press(w.say("try.see_channel"))
	w.wants(w.say("try.channel"))
	shown := ask[struct {
		Alt   string
		Width int
		Files []string
	}](w.tab, `(async () => {
		const picture = document.querySelector('img');
		await picture.decode();
		return {Alt: picture.alt, Width: picture.naturalWidth,
			Files: [...document.querySelectorAll('a[download]')].map(a => a.innerText)};
	})()`)
	if len(shown.Alt) < 50 || shown.Width < 300 {
		w.t.Errorf("the picture is %d wide and has the text %q", shown.Width, shown.Alt)
	}
	if len(shown.Files) < 3 || !strings.Contains(strings.Join(shown.Files, " "), ".xlsx") {
		w.t.Errorf("the files are %q", shown.Files)
	}
	w.open(w.survey.url + "/survey")
	if strings.Contains(w.text(), w.say("web.to_survey")) {
		w.t.Errorf("the page of a closed survey leads to itself:\n%s", w.text())
	}
	w.open(w.survey.url + "/channel")
	w.press(w.say("try.end"))
	w.wants(w.say("try.ended"))
	if n := ask[int](w.tab, "document.querySelectorAll('button').length"); n > 0 {
		w.t.Errorf("%d buttons after the end", n)
	}
}

// foreign sends a form from another website.
func (w walker) foreign() {
	w.t.Helper()
	form := `<title>x</title><form method="post" action="` + w.survey.url + `/survey?lang=` + w.lang + `"><button>Send</button></form>`
	seen := w.seen
	w.seen = func(*tab) {}
	w.open("data:text/html," + url.PathEscape(form))
	w.seen = seen
	w.press("Send")
	w.wants(w.say("web.cross_origin_title"))
}

// TestBrowserPages checks every page that a person can meet: with axe-core, in light, dark and forced
// colours, in a narrow window and enlarged, on paper, and for its title and the size of what can be
// pressed.
func TestBrowserPages(t *testing.T) {
	browser := chromium(t)
	axe := axeSource(t)
	for _, c := range []struct {
		edition, lang string
		view          viewport
		dark          bool
	}{
		{"england", "en", phone, false},
		{"wales", "cy", desktop, true},
	} {
		t.Run(c.edition+" "+c.lang, func(t *testing.T) {
			t.Parallel()
			check := &pageChecker{axe: axe, lang: c.lang, view: c.view, dark: c.dark, pages: map[string]string{}}
			walk := func(part func(walker)) {
				s := newBrowserSurvey(t, c.edition, c.lang)
				p := s.newTab(t, browser, c.lang, c.view)
				p.seen = check.check
				part(walker{p, s, c.lang})
			}
			walk(func(w walker) {
				w.all()
				w.open(w.survey.link(w.survey.token))
				w.tick(w.say("web.me"))
				w.press(w.say("web.start"))
				w.print()
				w.channel()
			})
			walk(walker.refuse)
			walk(walker.foreign)
			walk(walker.strange)
			t.Logf("%d pages", check.count)
		})
	}
}
