package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/slack/fake"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// output is what a program prints while it runs.
type output struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until waits until something is printed, and returns its first group.
func (o *output) until(t *testing.T, what string) string {
	t.Helper()
	re := regexp.MustCompile(what)
	deadline := time.After(20 * time.Second)
	for {
		if m := re.FindStringSubmatch(o.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-o.changed:
		case <-deadline:
			t.Fatalf("%q was not printed:\n%s", what, o.String())
		}
	}
}

// through is the way from a platform to a program that listens at an address.
func through(address, path string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL = &url.URL{Scheme: "http", Host: address, Path: path}
			// The bot may answer before the proxy has seen the end of the body, which the server
			// closes with the first byte of the answer. Then the proxy would give up.
			body, _ := io.ReadAll(r.In.Body)
			r.Out.Body = io.NopCloser(bytes.NewReader(body))
		},
		// Not the default transport, whose idle connections every httptest.Server closes at its end.
		Transport: &http.Transport{},
	}
}

// reachable puts the fake Slack on this machine's network.
func reachable(t *testing.T, f *fake.Server) string {
	t.Helper()
	to, err := url.Parse(strings.TrimSuffix(fake.URL, "/api/"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, Transport: f.Client.Transport}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return s.URL + "/api/"
}

// servingByHTTP runs the program as an operator would, on a real Redis, with a Slack that calls it; end tells it to end, and returns its exit code.
func servingByHTTP(t *testing.T, f *fake.Server) (errs *output, end func() int) {
	t.Helper()
	return servingByHTTPOn(t, f, redistest.Start(t, redistest.Options{}).URL())
}

// servingByHTTPOn is servingByHTTP on a given Redis.
func servingByHTTPOn(t *testing.T, f *fake.Server, redisURL string) (errs *output, end func() int) {
	t.Helper()
	env := environment{
		"SLACK_BOT_TOKEN": fake.Token, "SLACK_SIGNING_SECRET": fake.Secret, "SLACK_API_URL": reachable(t, f),
		"REDIS_URL": redisURL, "LISTEN": "127.0.0.1:0", "OPS_LISTEN": "127.0.0.1:0",
	}
	ctx, cancel := context.WithCancel(t.Context())
	errs = newOutput()
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"serve"}, system{env: env.get, out: io.Discard, err: errs}) }()
	return errs, func() int {
		cancel()
		return <-code
	}
}

// TestServe runs the program as an operator would, by HTTP, on a real Redis. A person asks for help and sees it, a
// request without a signature is refused, and the program shuts down when asked to.
func TestServe(t *testing.T) {
	t.Parallel()
	f := fake.New(t)
	f.AddUser(fake.User{ID: "U0ANA"})
	began := time.Now()
	errs, end := servingByHTTP(t, f)
	ready(t, errs)
	t.Logf("ready after %v", time.Since(began))
	address := "http://" + errs.until(t, `msg=listening address=(\S+)`)

	f.Serve(through(strings.TrimPrefix(address, "http://"), "/slack"))
	if ack := f.Command("U0ANA", "", "help"); !ack.OK() {
		t.Errorf("acknowledged with %d %v", ack.Status, ack.Err)
	}
	if !f.Until(func() bool {
		seen := f.Seen("U0ANA")
		return len(seen) == 1 && strings.Contains(seen[0].Text, "What I can do")
	}) {
		t.Errorf("she sees %v\n%s", f.Seen("U0ANA"), errs)
	}
	answer, err := http.Post(address+"/slack", "application/json", bytes.NewReader([]byte(`{"type":"url_verification","challenge":"x"}`)))
	if err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a request that nobody signed is answered with %v, %v", answer, err)
	}
	for path, want := range map[string]string{"/metrics": "maturitybot_messages_due 0\n", "/slack": "404"} {
		read, err := http.Get("http://" + errs.until(t, `msg="health checks and metrics" address=(\S+)`) + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(read.Body)
		read.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %v\n%s", path, err, body)
		}
	}
	if open, err := http.Get(address + "/metrics"); err != nil || open.StatusCode != http.StatusNotFound {
		t.Errorf("where Slack comes in, metrics are answered with %v, %v", open, err)
	}
	if got := end(); got != 0 {
		t.Errorf("ended with %d:\n%s", got, errs)
	}
	for _, secret := range []string{fake.Token, fake.Secret} {
		if strings.Contains(errs.String(), secret) {
			t.Errorf("in the log: %q", secret)
		}
	}
}

// TestShutdownFinishesRequests checks that a request which has begun to arrive when the shutdown begins is acknowledged
// and answered.
func TestShutdownFinishesRequests(t *testing.T) {
	t.Parallel()
	f := fake.New(t)
	f.AddUser(fake.User{ID: "U0ANA"})
	errs, end := servingByHTTP(t, f)
	conn, err := net.Dial("tcp", errs.until(t, `msg=listening address=(\S+)`))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := url.Values{"command": {"/maturity"}, "text": {"help"}, "user_id": {"U0ANA"}, "channel_id": {fake.IM("U0ANA")}, "team_id": {fake.Team}, "trigger_id": {"t1"}}.Encode()
	r, err := http.NewRequest(http.MethodPost, "http://bot.example/slack", nil)
	if err != nil {
		t.Fatal(err)
	}
	fake.Sign(r, []byte(body), time.Now())
	send := func(format string, a ...any) {
		if _, err := fmt.Fprintf(conn, format, a...); err != nil {
			t.Fatal(err)
		}
	}
	// The server asks for the body when the handler begins to read it.
	send("POST /slack HTTP/1.1\r\nHost: bot.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n"+
		"X-Slack-Signature: %s\r\nX-Slack-Request-Timestamp: %s\r\n\r\n", len(body), r.Header.Get("X-Slack-Signature"), r.Header.Get("X-Slack-Request-Timestamp"))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	ended := make(chan int, 1)
	go func() { ended <- end() }()
	errs.until(t, `msg="(shutting down)"`)
	send("%s", body[:10])
	send("%s", body[10:])
	all, err := io.ReadAll(answers)
	if err != nil || !strings.Contains(string(all), "200 OK") {
		t.Errorf("answered with %q, %v", all, err)
	}
	if got := <-ended; got != 0 {
		t.Errorf("ended with %d:\n%s", got, errs)
	}
	if seen := f.Seen("U0ANA"); len(seen) != 1 {
		t.Errorf("she sees %v\n%s", seen, errs)
	}
}

// serving is starting, once everything is connected.
func serving(t *testing.T, c serveCommand, env map[string]string) (errs *output, end func() error) {
	t.Helper()
	errs, end = starting(t, c, env)
	errs.until(t, "msg=serving")
	return errs, end
}

// starting runs serve with a configuration until the end that is returned is called, which returns what serve did.
func starting(t *testing.T, c serveCommand, env map[string]string) (errs *output, end func() error) {
	t.Helper()
	errs = newOutput()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, system{env: environment(env).get, out: io.Discard, err: errs}) }()
	t.Cleanup(cancel)
	return errs, func() error {
		cancel()
		return <-ended
	}
}

// waking is a clock that has just come to an hour at which a channel may be written to.
func waking() func() time.Time {
	began := time.Now()
	may := func(at time.Time) bool {
		r := survey.Round{State: survey.Open, TimeZone: survey.DefaultTimeZone, ClosesAt: at.AddDate(0, 1, 0)}
		sent, ok := defaultSchedule().SendWindow(r, survey.Member{}, survey.OpenCall.On(at.Format(time.DateOnly)), at)
		return ok && sent.Equal(at)
	}
	for by := time.Duration(0); ; by += time.Hour {
		if at := began.Add(by); may(at) && may(at.Add(10*time.Minute)) { // the test is over by then
			return func() time.Time { return time.Now().Add(by) }
		}
	}
}

// invited opens a round on the same Redis, as another process might, and invites a person to it.
func invited(t *testing.T, redisURL, channel, coordinator, guest string) {
	t.Helper()
	store, err := redis.Open(t.Context(), redisURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	rounds := survey.NewRounds(store, editions(), time.Now)
	lead := survey.PersonID(coordinator)
	r, err := rounds.AsCreator(lead).Create(t.Context(), survey.Round{
		ID: "serve23456", Area: "Northshire", Matrix: editions()[0].ID, Languages: []matrix.Lang{matrix.English}, TimeZone: survey.DefaultTimeZone,
		ClosesAt: time.Now().Add(300 * time.Hour), Channel: channel, Coordinators: []survey.PersonID{lead}, MinGroup: 5, Consensus: results.Consensus{Percent: 70},
	})
	if err == nil {
		_, _, err = rounds.As(lead).Open(t.Context(), r.ID)
	}
	if err == nil {
		_, _, err = rounds.As(lead).Invite(t.Context(), r.ID, []survey.Member{{Person: survey.PersonID(guest)}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestServeBySockets serves without an address of its own: a person asks for help by a socket, another gets an
// invitation that is due, and the program shuts down.
func TestServeBySockets(t *testing.T) {
	t.Parallel()
	f := fake.New(t)
	f.AddUser(fake.User{ID: "U0ANA"})
	f.AddUser(fake.User{ID: "U0BEN"})
	f.AddChannel(fake.Channel{ID: "C0TEAM", BotIn: true})
	url := redistest.Start(t, redistest.Options{}).URL()
	errs, end := serving(t, serveCommand{storeFlag: storeFlag{RedisURL: url}, platformFlags: platformFlags{SlackAPI: fake.URL}, dial: f.Dial}, map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken})
	errs.until(t, "socket open")
	if ack := f.Command("U0ANA", "", "help"); !ack.OK() {
		t.Errorf("acknowledged with %d %v", ack.Status, ack.Err)
	}
	place := "slack:" + fake.Team + ":"
	invited(t, url, place+"C0TEAM", place+"U0ANA", place+"U0BEN")
	if !f.Until(func() bool { return len(f.Seen("U0ANA")) == 1 && len(f.Seen("U0BEN")) == 1 }) {
		t.Errorf("Ana sees %d messages, Ben %d\n%s", len(f.Seen("U0ANA")), len(f.Seen("U0BEN")), errs)
	}
	if err := end(); err != nil || f.Unacked() > 0 {
		t.Errorf("ended with %v and %d unacknowledged\n%s", err, f.Unacked(), errs)
	}
}

// TestServeDiscord registers the commands, answers one over the gateway, and asks a person who has not agreed to
// messages in the round's channel.
func TestServeDiscord(t *testing.T) {
	t.Parallel()
	f := discordfake.New(t)
	const ana, team = "1200000000000000001", "1200000000000000002"
	f.AddUser(discordfake.User{ID: ana, Name: "ana"})
	f.AddChannel(discordfake.Channel{ID: team})
	url := redistest.Start(t, redistest.Options{}).URL()
	errs, end := serving(t, serveCommand{storeFlag: storeFlag{RedisURL: url}, platformFlags: platformFlags{DiscordAPI: discordfake.URL}, dial: f.Dial, now: waking()}, map[string]string{"DISCORD_TOKEN": discordfake.Token})
	if !f.Until(func() bool { return f.Sessions() > 0 }) {
		t.Fatalf("no session\n%s", errs)
	}
	if offered := string(f.Commands("")); !strings.Contains(offered, "aeddfedrwydd") {
		t.Errorf("offered are %s", offered)
	}
	if ack := f.Command(ana, team, "maturity help", nil); !ack.OK() {
		t.Errorf("answered with %v", ack.Err)
	}
	if !f.Until(func() bool { return len(f.Whispers(ana)) == 1 }) {
		t.Errorf("Ana sees %v\n%s", f.Whispers(ana), errs)
	}
	invited(t, url, "discord:"+discordfake.Guild+":"+team, "discord::"+ana, "discord::1200000000000000003")
	if !f.Until(func() bool { return len(f.Messages(team)) > 0 }) {
		t.Errorf("the channel has nothing\n%s", errs)
	}
	if err := end(); err != nil {
		t.Errorf("ended with %v\n%s", err, errs)
	}
}

func TestManifestForSlack(t *testing.T) {
	if code, out, errs := exec(t, "", "manifest", "slack", "--mode", "http", "--url", "https://maturity.example.org/"); code != 0 || errs != "" ||
		!strings.Contains(out, `"https://maturity.example.org/slack"`) {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if code, out, errs := exec(t, "", "manifest", "slack", "--mode", "http"); code != 1 || out != "" || !strings.Contains(errs, "needs the https address") {
		t.Errorf("%d %s %s", code, out, errs)
	}
}
