package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// testLinkKey is a key for links, in base64.
const testLinkKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// webReplica is a process that serves the pages alone.
type webReplica struct {
	errs    *output
	address string
	end     func() int
}

func startWebReplica(t *testing.T, redisURL string) *webReplica {
	t.Helper()
	env := environment{
		"REDIS_URL": redisURL, "WEB_URL": "https://survey.example.org", "LINK_KEYS": testLinkKey,
		"LISTEN": "127.0.0.1:0", "OPS_LISTEN": "off",
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &webReplica{errs: newOutput()}
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"serve"}, system{env: env.get, out: io.Discard, err: r.errs}) }()
	r.end = sync.OnceValue(func() int {
		cancel()
		return <-code
	})
	t.Cleanup(func() { r.end() })
	r.address = r.errs.until(t, `listening.* address=(\S+)`)
	return r
}

// webRound opens a round on a Redis, and returns it and what its coordinator may do.
func webRound(t *testing.T, redisURL string) (survey.Round, *survey.Rounds, survey.LinkCoordinator) {
	t.Helper()
	store, err := redis.Open(t.Context(), redisURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	rounds := survey.NewRounds(store, editions(), time.Now)
	keys, err := survey.ParseLinkKeys(testLinkKey)
	if err != nil {
		t.Fatal(err)
	}
	rounds.UseLinkKeys(keys)
	ana := survey.PersonID("slack:T1:UANA")
	r, err := rounds.AsCreator(ana).Create(t.Context(), survey.Round{
		ID: "web2345672", Area: "Northshire", Matrix: "england", Languages: []matrix.Lang{"en"},
		TimeZone: survey.DefaultTimeZone, ClosesAt: time.Now().AddDate(0, 0, 7).Truncate(time.Second),
		Channel: "slack:T1:C1", Coordinators: []survey.PersonID{ana},
		MinGroup: results.DefaultMinGroup, Consensus: results.Consensus{Percent: results.DefaultConsensusPercent},
	})
	if err == nil {
		_, _, err = rounds.As(ana).Open(t.Context(), r.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, rounds, rounds.LinksAs(ana)
}

// visitor is a person with a browser, who reaches one replica after another through a proxy that speaks HTTPS for them.
type visitor struct {
	t        *testing.T
	replicas func() string // the address of the next one
	cookie   string
	page     string
}

func (v *visitor) do(method, path string, values url.Values) int {
	v.t.Helper()
	status, to, page, err := askPages(v.t.Context(), v.replicas(), &v.cookie, method, path, values)
	if err != nil {
		v.t.Fatal(err)
	}
	if to != "" {
		return v.do(http.MethodGet, to, nil)
	}
	v.page = page
	return status
}

// askPages sends a request of a browser to a replica, as a proxy that speaks HTTPS for it would. It returns where the answer leads, if
// anywhere, and keeps the cookie.
func askPages(
	ctx context.Context, replica string, cookie *string, method, path string, values url.Values,
) (status int, to, page string, err error) {
	var body io.Reader
	if values != nil {
		body = strings.NewReader(values.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+replica+path, body)
	if err != nil {
		return 0, "", "", err
	}
	req.Host = "survey.example.org"
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if *cookie != "" {
		req.AddCookie(&http.Cookie{Name: "__Host-session", Value: *cookie})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, "", "", err
	}
	for _, c := range resp.Cookies() {
		*cookie = c.Value
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(raw), nil
}

// send sends the form of the page with other values.
func (v *visitor) send(path string, pairs ...string) int {
	values := hidden(parse(v.t, v.page))
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return v.do(http.MethodPost, path, values)
}

// press sends the button with that label.
func (v *visitor) press(label string) {
	v.t.Helper()
	button := regexp.MustCompile(`value="([^"]+)"[^>]*>(?:<span aria-hidden="true">✓ </span>)?` + regexp.QuoteMeta(label) + `</button>`)
	m := button.FindStringSubmatch(v.page)
	if m == nil {
		v.t.Fatalf("no button %q on\n%s", label, v.page)
	}
	if code := v.send("/survey", "action", m[1]); code != http.StatusOK {
		v.t.Fatalf("%q: %d\n%s", label, code, v.page)
	}
}

// choose picks from the menu of the page, and sends the button with that label.
func (v *visitor) choose(option, label string) {
	v.t.Helper()
	menu := regexp.MustCompile(`<select id="([^"]+)"`).FindStringSubmatch(v.page)
	button := regexp.MustCompile(`value="([^"]+)">` + regexp.QuoteMeta(label) + `</button>`).FindStringSubmatch(v.page)
	if menu == nil || button == nil {
		v.t.Fatalf("no menu or no button %q on\n%s", label, v.page)
	}
	if code := v.send("/survey", menu[1], option, "action", button[1]); code != http.StatusOK {
		v.t.Fatalf("%q: %d\n%s", label, code, v.page)
	}
}

// TestServeWeb: people answer by link through two processes in turn, one of which is started anew in the middle, while nothing of a
// link is in Redis or in a log.
func TestServeWeb(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	round, rounds, ana := webRound(t, server.URL())
	_, made, err := ana.MakeLinks(t.Context(), round.ID, survey.LinkRequest{Count: 1, Role: "midwife"})
	if err != nil {
		t.Fatal(err)
	}
	replicas := []*webReplica{startWebReplica(t, server.URL()), startWebReplica(t, server.URL())}
	turn := 0
	next := func() string {
		turn++
		return replicas[turn%len(replicas)].address
	}
	link := "/" + string(round.ID) + "/" + made[0].Token
	v := &visitor{t: t, replicas: next}
	if code := v.do(http.MethodGet, link, nil); code != http.StatusOK || !strings.Contains(v.page, "Northshire") {
		t.Fatalf("the link: %d\n%s", code, v.page)
	}
	if code := v.send(link, "me", "yes"); code != http.StatusOK {
		t.Fatalf("start: %d\n%s", code, v.page)
	}
	if !strings.HasPrefix(v.cookie, string(round.ID)+".") {
		t.Fatalf("cookie %q", v.cookie)
	}
	v.press("I have read this, start")
	v.choose("midwife", "Continue")
	for i := range 4 {
		if i == 2 {
			replicas[1].end()
			replicas[1] = startWebReplica(t, server.URL())
		}
		time.Sleep(survey.DoubleTap)
		v.press("Early")
	}
	if code := v.do(http.MethodGet, "/survey/review:"+string(round.ID), nil); code != http.StatusOK {
		t.Fatalf("review: %d", code)
	}
	v.press("Submit")
	if !strings.Contains(v.page, "4 of 17 answered") {
		t.Errorf("no receipt:\n%s", v.page)
	}
	list, err := ana.Links(t.Context(), round.ID)
	if err != nil || len(list.Personal) != 1 || !list.Personal[0].Finished {
		t.Errorf("links %+v, %v", list, err)
	}
	visit, err := rounds.Visiting().Find(t.Context(), round.ID, made[0].Token)
	if err != nil {
		t.Fatal(err)
	}
	_, resp, err := rounds.For(visit.Member.Person).Response(t.Context(), round.ID)
	if err != nil || resp.Rated() != 4 {
		t.Errorf("%d answers, %v", resp.Rated(), err)
	}
	if _, err := ana.RevokeLink(t.Context(), round.ID, 1); err != nil {
		t.Fatal(err)
	}
	if code := v.do(http.MethodGet, "/survey", nil); code != http.StatusNotFound {
		t.Errorf("the session of a link that was revoked: %d", code)
	}
	for _, r := range replicas {
		if code := r.end(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if strings.Contains(r.errs.String(), made[0].Token) || strings.Contains(r.errs.String(), testLinkKey) {
			t.Errorf("in the log:\n%s", r.errs)
		}
	}
}

// TestWebConfiguration names what is wrong with the configuration of the pages.
func TestWebConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, keys, want string }{
		{"", testLinkKey, "WEB_URL is missing"},
		{"https://survey.example.org", "", "LINK_KEYS is missing"},
		{"https://survey.example.org", "c2hvcnQ=", "LINK_KEYS"},
		{"http://survey.example.org", testLinkKey, "WEB_URL is not an address"},
		{"https://example.org/survey", testLinkKey, "WEB_URL is not an address"},
		{"survey.example.org", testLinkKey, "WEB_URL is not an address"},
		{"https://survey.example.org/", testLinkKey + "," + strings.Repeat("ab", 32), ""},
	} {
		serve := serveCommand{WebURL: c.url, storeFlag: storeFlag{RedisURL: "redis://r"}}
		conf, err := serve.config(environment{"LINK_KEYS": c.keys}.get)
		switch {
		case c.want == "" && (err != nil || conf.Web == nil || len(conf.Web.Keys) != 2 || conf.Web.URL.String() != "https://survey.example.org"):
			t.Errorf("%q: %+v, %v", c.url, conf.Web, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q, %q: %v", c.url, c.keys, err)
		case err != nil && c.keys != "" && strings.Contains(err.Error(), c.keys):
			t.Errorf("the error repeats a key: %v", err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("configuration", "all", fmt.Sprintf("%+v %#v", conf, conf))
		if strings.Contains(log.String(), "0123456789abcdef") || strings.Contains(log.String(), testLinkKey) {
			t.Errorf("a key in %s", log.String())
		}
	}
	serve := serveCommand{Creators: []string{"web::p1"}, storeFlag: storeFlag{RedisURL: "redis://r"}}
	if _, err := serve.config(environment{"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}.get); err == nil || !strings.Contains(err.Error(), "takes part by a link") {
		t.Errorf("a person with a link as a creator: %v", err)
	}
}
