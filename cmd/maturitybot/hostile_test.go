package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"maturitybot/adapters/discord"
	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/slack"
	slackfake "maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

// quietTB is a test that a fake reports to which is fed nonsense: what it complains of is the nonsense.
type quietTB struct{ testing.TB }

func (quietTB) Errorf(string, ...any) {}

// counting is a bot of which is known how much reaches it.
type counting struct {
	chat.Responder
	mu sync.Mutex
	n  int
}

func (c *counting) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	return c.Responder.Handle(ctx, e)
}

func (c *counting) handled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// alarm is a log that keeps a line of which one should know.
type alarm struct{ rang atomic.Value }

func (a *alarm) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("panic")) {
		a.rang.Store(string(line))
	}
	return len(line), nil
}

// FuzzEndpoints: whatever is sent to an address where a platform delivers, the bot behind it does not fall over; and nothing reaches it that
// the platform did not sign.
func FuzzEndpoints(f *testing.F) {
	var log alarm
	logger := slog.New(slog.NewTextHandler(&log, nil))
	all, err := buildForTest(editions(), noMessenger{}, time.Now, logger)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = all.store.Close() }) // it is gone with the process
	reached := &counting{Responder: all.bot}
	onSlack, onDiscord := slackfake.New(quietTB{f}), discordfake.New(quietTB{f})
	onSlack.Tolerate()
	onDiscord.Tolerate()
	slackBot, err := slack.New(f.Context(), slack.Options{
		Token: slackfake.Token, SigningSecret: slackfake.Secret, APIURL: slackfake.URL, Dial: onSlack.Dial, Responder: reached, Log: logger,
	})
	if err != nil {
		f.Fatal(err)
	}
	discordBot, err := discord.New(f.Context(), discord.Options{
		Token: discordfake.Token, PublicKey: discordfake.PublicKey, APIURL: discordfake.URL, Dial: onDiscord.Dial, Commands: discordCommands(), Responder: reached, Log: logger,
	})
	if err != nil {
		f.Fatal(err)
	}
	const form, object = "application/x-www-form-urlencoded", "application/json"
	for _, seed := range payloads(f, "slack/testdata/payloads") {
		f.Add(true, true, object, seed)
		f.Add(true, true, form, []byte(url.Values{"payload": {string(seed)}}.Encode()))
	}
	for _, seed := range payloads(f, "discord/testdata/received") {
		f.Add(false, true, object, seed)
		f.Add(false, false, object, seed)
	}
	f.Add(true, true, form, []byte("command=%2Fmaturity&text=new&user_id=U1&team_id="+slackfake.Team+"&channel_id=C1&trigger_id=1.2.3"))
	f.Add(true, false, form, []byte("command=%2Fmaturity&text=new&user_id=U1&team_id="+slackfake.Team+"&channel_id=C1&trigger_id=1.2.3"))
	f.Add(true, true, object, []byte(`{"type":"url_verification","challenge":"x"}`))
	f.Fuzz(func(t *testing.T, toSlack, signed bool, kind string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		handler, sign, drain := discordBot.Handler(), discordfake.Sign, discordBot.Drain
		if toSlack {
			handler, sign, drain = slackBot.Handler(), slackfake.Sign, slackBot.Drain
		}
		at := time.Now()
		if signed {
			sign(r, body, at)
		} else {
			sign(r, append([]byte("x"), body...), at) // of another body
		}
		before := reached.handled()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if !signed && (w.Code != http.StatusUnauthorized || reached.handled() != before) {
			t.Fatalf("what nobody signed was answered with %d, and %d of it reached the bot", w.Code, reached.handled()-before)
		}
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		if err := drain(ctx); err != nil {
			t.Fatalf("it is still at it: %v", err)
		}
		if line := log.rang.Load(); w.Code == http.StatusInternalServerError || line != nil {
			t.Fatalf("answered with %d, %v", w.Code, line)
		}
	})
}

// payloads are those that the decoder of a platform is tested with.
func payloads(t testing.TB, folder string) [][]byte {
	t.Helper()
	files, err := filepath.Glob("../../adapters/" + folder + "/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no payloads")
	}
	var all [][]byte
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

// TestFlood: strangers open thousands of connections, and say nothing, half a request, or a signed-looking one that never ends; people's
// presses are taken in time all the same.
func TestFlood(t *testing.T) {
	t.Parallel()
	f := slackfake.New(t)
	errs, end := servingByHTTP(t, f)
	address := errs.until(t, `msg=listening address=(\S+)`)

	const strangers = 3000
	stamped := fmt.Sprintf("X-Slack-Signature: v0=%s\r\nX-Slack-Request-Timestamp: %d\r\n", strings.Repeat("0", 64), time.Now().Unix())
	openings := []string{
		"",
		"POST /slack HTTP/1.1\r\nHost: b",
		"POST /slack HTTP/1.1\r\nHost: bot.example\r\nContent-Length: 900000\r\n" + stamped + "\r\npayload=",
		"POST /slack HTTP/1.1\r\nHost: bot.example\r\nTransfer-Encoding: chunked\r\n" + stamped + "\r\n5\r\nhello\r\n",
		"GET /" + strings.Repeat("a", 8000) + " HTTP/1.1\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", // a TLS client
	}
	var open []net.Conn
	for i := range strangers {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Logf("no more than %d connections on this machine: %v", i, err)
			break
		}
		open = append(open, c)
		if _, err := io.WriteString(c, openings[i%len(openings)]); err != nil {
			t.Fatal(err)
		}
	}
	if len(open) < 100 {
		t.Fatalf("%d connections are no flood", len(open))
	}
	f.Serve(through(address, "/slack"))
	for i := range 20 {
		user := fmt.Sprintf("U0ANA%d", i)
		f.AddUser(slackfake.User{ID: user})
		if ack := f.Command(user, "", "help"); !ack.OK() { // within three seconds
			t.Errorf("acknowledged with %d %v after %v", ack.Status, ack.Err, ack.Took)
		}
	}
	for _, c := range open {
		_ = c.Close() // some have been closed by the bot
	}
	if got := end(); got != 0 {
		t.Errorf("ended with %d:\n%s", got, last(errs.String(), 3000))
	}
	if n := strings.Count(errs.String(), "\n"); n > 100 {
		t.Errorf("%d lines in the log: strangers can fill it", n)
	}
}

// TestFloodInMemoryLimit: strangers open thousands of connections to a bot in a container of 256 MB, and send headers that do not
// end, or bodies without a signature. The bot stays within the limit, answers the presses of people, and its address for
// operations answers too.
func TestFloodInMemoryLimit(t *testing.T) {
	t.Parallel()
	const limit = 256 << 20
	f := slackfake.New(t)
	f.AckTimeout(slowdown * 3 * time.Second)
	address, operations := redistest.FreeAddr(t), redistest.FreeAddr(t)
	cmd := osexec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveProcess+"=1", "SLACK_BOT_TOKEN="+slackfake.Token, "SLACK_SIGNING_SECRET="+slackfake.Secret,
		"SLACK_API_URL="+reachable(t, f), "REDIS_URL="+redistest.Start(t, redistest.Options{}).URL(), "LISTEN="+address, "OPS_LISTEN="+operations,
		"GOMEMLIMIT="+strconv.Itoa(limit/10*9)) // as the bot sets it in such a container
	process(t, address, cmd)
	f.Serve(through(address, "/slack"))

	stamped := fmt.Sprintf("X-Slack-Signature: v0=%s\r\nX-Slack-Request-Timestamp: %d\r\n", strings.Repeat("0", 64), time.Now().Unix())
	header := "X-Stranger: " + strings.Repeat("a", 1000) + "\r\n"
	floods := []struct {
		to, opening string
		connections int
	}{
		{address, "POST /slack HTTP/1.1\r\nHost: bot.example\r\n" + strings.Repeat(header, 27), 2500},
		{address, "POST /slack HTTP/1.1\r\nHost: bot.example\r\n" + strings.Repeat(header, 7), 2500},
		{address, "POST /slack HTTP/1.1\r\nHost: bot.example\r\nContent-Length: 1000000\r\n" + stamped + "\r\n" + strings.Repeat("a", 999_000), 100},
		{operations, "GET /metrics HTTP/1.1\r\nHost: bot.example\r\n" + strings.Repeat(header, 7), 1000},
	}
	var open sync.WaitGroup
	defer open.Wait()
	flooding, stop := context.WithCancel(t.Context())
	defer stop()
	var made atomic.Int64
	for _, flood := range floods {
		const strangers = 25
		for range strangers { // at once
			open.Go(func() {
				for range flood.connections / strangers {
					c, err := net.Dial("tcp", flood.to)
					if err != nil {
						return // no more of them on this machine
					}
					made.Add(1)
					context.AfterFunc(flooding, func() { _ = c.Close() })
					_ = c.SetWriteDeadline(time.Now().Add(5 * time.Second))
					_, _ = io.WriteString(c, flood.opening) // the bot may have closed it
				}
			})
		}
	}
	late := 0
	for i := range 40 {
		user := fmt.Sprintf("U0ANA%d", i)
		f.AddUser(slackfake.User{ID: user})
		switch ack := f.Command(user, "", "help"); {
		case ack.Status != http.StatusOK || ack.Err != nil:
			t.Errorf("acknowledged with %d %v after %v", ack.Status, ack.Err, ack.Took)
		case !ack.OK(): // later than within three seconds
			late++
		}
		if i%10 != 0 {
			continue
		}
		var err error
		for range 3 { // as what reads it does: a connection may be pushed out
			var answer *http.Response
			if answer, err = http.Get("http://" + operations + "/metrics"); err == nil {
				_ = answer.Body.Close()
				break
			}
		}
		if err != nil {
			t.Errorf("metrics: %v", err)
		}
	}
	if late > 2 { // the strangers take up this machine too
		t.Errorf("%d of 40 acknowledged late", late)
	}
	open.Wait()
	if n := made.Load(); n < 1000 {
		t.Errorf("%d connections are no flood", n)
	}
	peak := memory(t, cmd.Process.Pid, "VmHWM:")
	t.Logf("%d connections, at most %.0f MiB resident", made.Load(), peak)
	if peak > limit>>20 && !racing {
		t.Errorf("%.0f MiB resident: a container of %d MiB ends it", peak, limit>>20)
	}
}
