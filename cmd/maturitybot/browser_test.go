package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	osexec "os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"maturitybot/adapters/web"
	"maturitybot/bot/chat"
	"maturitybot/survey/matrix"
)

// browserSwitch is the environment variable that lets the tests in a browser run. They need Chromium
// and take a minute.
const browserSwitch = "MATURITYBOT_BROWSER"

// needBrowser skips a test unless it is to run, and returns the path of Chromium.
func needBrowser(t *testing.T) string {
	t.Helper()
	if os.Getenv(browserSwitch) != "1" {
		t.Skipf("%s=1 tries the pages in Chromium", browserSwitch)
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := osexec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("Chromium is not installed")
	return ""
}

// chromium starts a browser that reaches nothing but the tests' own pages. It ends with the test.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := needBrowser(t)
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(time.Minute),
	}
	for _, flag := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync",
		"disable-default-apps", "disable-extensions", "disable-dev-shm-usage", "hide-scrollbars",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocated, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, closeBrowser := chromedp.NewContext(allocated)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("start Chromium: ", err)
	}
	return ctx
}

// browserSurvey is a survey that a test takes part in with a browser. It is that of the command try.
type browserSurvey struct {
	*browserTrial
	url   string
	links *testLinks
}

// openToken leads to the survey as a link does that many people use.
const openToken = "open"

// testLinks is the links of a trial, and one that many people use. With fault set it returns that.
type testLinks struct {
	*browserTrial
	mutex sync.Mutex
	fault error
}

func (l *testLinks) fail(err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.fault = err
}

func (l *testLinks) broken() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.fault
}

func (l *testLinks) Find(ctx context.Context, round, token string) (web.Visit, error) {
	if err := l.broken(); err != nil {
		return web.Visit{}, err
	}
	known := token
	if token == openToken {
		known = l.token
	}
	visit, err := l.browserTrial.Find(ctx, round, known)
	if token == openToken {
		visit.Who, visit.Language, visit.Open = chat.Person{}, "", true
	}
	visit.Code = true
	return visit, err
}

func (l *testLinks) Enter(context.Context, string, string, string) (string, error) {
	return l.token, l.broken()
}

// newBrowserSurvey starts the survey of an edition, in a language.
func newBrowserSurvey(t *testing.T, edition, lang string) *browserSurvey {
	t.Helper()
	m := need(matrixFlag{}.choose(edition))(t)
	var seconds atomic.Int64
	start := time.Date(2027, 1, 11, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { return start.Add(time.Duration(seconds.Load()) * time.Second) }
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelError}))
	embedded := need(newEmbeddedBot(embeddedOptions{
		matrices: matrix.List{m}, people: noMessenger{}, now: now, log: log,
	}))(t)
	t.Cleanup(func() { _ = embedded.store.Close() })
	person := chat.Person{Platform: "web", ID: you}
	b := &browserTrial{
		trial: &trial{
			embeddedBot: embedded, matrix: m, voice: embedded.words.In(lang), you: person, log: log,
			now: now,
		},
		token: "ABCDEFGHIJKLMNOPQRST", end: func() {},
	}
	if err := b.prepare(t.Context(), tryCommand{Lang: lang, Seed: 1, Others: 40}); err != nil {
		t.Fatal(err)
	}
	s := &browserSurvey{browserTrial: b, links: &testLinks{browserTrial: b}}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			seconds.Add(2) // a person reads before they press
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	options := b.options(need(url.Parse(server.URL))(t))
	options.Links = s.links
	b.pages = web.New(options)
	handler = b.pages
	s.url = server.URL
	t.Cleanup(func() {
		if logged.Len() > 0 {
			t.Errorf("the program logged:\n%s", &logged)
		}
	})
	return s
}

// link returns the address of the survey.
func (s *browserSurvey) link(token string) string {
	return s.url + "/" + string(s.round) + "/" + token
}

// tab is a tab of a browser, in a profile of its own. Its methods end the test when they fail.
type tab struct {
	t   *testing.T
	ctx context.Context
	say func(key string, facts ...any) string // in the language of the person
	// seen is called with each page that is reached.
	seen   func(*tab)
	status int64 // of the page
	// keyboard uses keys in place of a mouse.
	keyboard bool
}

// viewport is the part of a page that a window shows, in CSS pixels.
type viewport struct{ width, height int64 }

var (
	phone   = viewport{320, 640}
	desktop = viewport{1280, 800}
)

// newTab opens a tab.
func (s *browserSurvey) newTab(t *testing.T, browser context.Context, lang string, v viewport) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	ctx, stop := context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(stop)
	p := &tab{t: t, ctx: ctx, say: s.words.In(lang).Say, seen: func(*tab) {}}
	p.run(chromedp.EmulateViewport(v.width, v.height))
	return p
}

// withoutScripts is a browser in which scripts are disabled. DevTools still run theirs.
func (p *tab) withoutScripts() *tab {
	p.run(command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	return p
}

// command returns the action that sends a command to the browser.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

func (p *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// load does something that leads to another page, and waits for it.
func (p *tab) load(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, time.Minute)
	defer stop()
	response, err := chromedp.RunResponse(ctx, actions...)
	if err != nil {
		p.t.Fatalf("%s: %v\non the page:\n%s", what, err, p.text())
	}
	p.status = response.Status
	p.seen(p)
}

func (p *tab) open(address string) {
	p.t.Helper()
	p.load(address, chromedp.Navigate(address))
}

// ask runs a script of DevTools, and returns its value.
func ask[T any](p *tab, script string) T {
	p.t.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%v in %s", err, script)
	}
	return out
}

func (p *tab) text() string {
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// heading returns the main heading.
func (p *tab) heading() string {
	p.t.Helper()
	return ask[string](p, "document.querySelector('h1')?.innerText ?? ''")
}

// marked selects what mark has marked.
const marked chromedp.CSS = "[data-found]"

// mark marks the one element with the label that a script accepts, and returns a selector of it.
func (p *tab) mark(label string) chromedp.CSS {
	p.t.Helper()
	script := fmt.Sprintf(`(() => {
		document.querySelectorAll('[data-found]').forEach(e => e.removeAttribute('data-found'));
		const label = %s;
		const named = e => (e.labels?.length ? e.labels[0].innerText : e.getAttribute('aria-label') ?? '').trim();
		const found = [...document.querySelectorAll('a, button, input, select, textarea, summary')].filter(
			e => e.innerText?.replace('✓ ', '').trim() == label || named(e) == label);
		if (found.length) found[0].setAttribute('data-found', '');
		return found.length;
	})()`, quoteJS(label))
	if ask[int](p, script) == 0 {
		p.t.Fatalf("nothing on the page is called %q:\n%s", label, p.text())
	}
	return marked
}

func quoteJS(s string) string {
	raw, _ := json.Marshal(s) // of a string there is always one
	return string(raw)
}

// press presses what has a label, which leads to another page.
func (p *tab) press(label string) {
	p.t.Helper()
	if p.keyboard {
		p.tabTo(label)
		p.load(label, chromedp.KeyEvent(kb.Enter))
		return
	}
	p.load(label, chromedp.Click(p.mark(label)))
}

// tick ticks a box or chooses an option, which stays on the page.
func (p *tab) tick(label string) {
	p.t.Helper()
	if p.keyboard {
		p.tabTo(label)
		p.run(chromedp.KeyEvent(" "))
		return
	}
	p.run(chromedp.Click(p.mark(label)))
}

// choose picks from a list.
func (p *tab) choose(list, option string) {
	p.t.Helper()
	if p.keyboard {
		p.tabTo(list)
	} else {
		p.mark(list)
	}
	const find = `[...document.querySelector('%s').options].findIndex(o => o.text.startsWith(%s))`
	at := ask[int](p, fmt.Sprintf(find, marked, quoteJS(option)))
	switch {
	case at < 0:
		p.t.Fatalf("%s does not offer %q", list, option)
	case p.keyboard:
		p.run(chromedp.KeyEvent(strings.Repeat(kb.ArrowDown, at))) // from the empty option
	default:
		ask[int](p, fmt.Sprintf("document.querySelector('%s').selectedIndex = %d", marked, at))
	}
}

// write types a text into a field, in place of what is there.
func (p *tab) write(label, text string) {
	p.t.Helper()
	field := p.mark(label)
	if p.keyboard {
		p.tabTo(label)
	} else {
		p.run(chromedp.Focus(field))
	}
	ask[bool](p, "(document.activeElement.select(), true)")
	p.run(command(input.InsertText, input.InsertTextParams{Text: text}))
}

// wants checks that the main heading is the expected one.
func (p *tab) wants(heading string) {
	p.t.Helper()
	if got := p.heading(); got != heading {
		p.t.Fatalf("the page is %q, want %q:\n%s", got, heading, p.text())
	}
}

// wantsText checks that the page has a text.
func (p *tab) wantsText(text string) {
	p.t.Helper()
	if got := strings.Join(strings.Fields(p.text()), " "); !strings.Contains(got, text) {
		p.t.Errorf("the page does not say %q:\n%s", text, got)
	}
}
