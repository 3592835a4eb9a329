package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/slack/fake"
)

// asked is what a process answers at a path of its operations.
func asked(t *testing.T, errs *output, path string) (status int, body string) {
	t.Helper()
	r, err := http.Get("http://" + errs.until(t, `msg="health checks and metrics" address=(\S+)`) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(raw)
}

// dialBoth leads to both fake platforms.
func dialBoth(s *fake.Server, d *discordfake.Server) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.Contains(address, "discord") {
			return d.Dial(ctx, network, address)
		}
		return s.Dial(ctx, network, address)
	}
}

// ready waits until a process says that it is ready, asking after each of its log lines, and returns what it said last.
func ready(t *testing.T, errs *output) string {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		status, body := asked(t, errs, "/readyz")
		if status == http.StatusOK {
			return body
		}
		select {
		case <-errs.changed:
		case <-time.After(10 * time.Millisecond): // a platform may become ready after the last line
		case <-deadline:
			t.Fatalf("not ready:\n%s%s", body, errs)
		}
	}
}

// TestServeRetriesConnections starts the bot while Redis and a platform are down. The bot retries each, does not make
// the other platform wait, and reports all of it in /readyz and in the log.
func TestServeRetriesConnections(t *testing.T) {
	t.Parallel()
	store := miniredis.RunT(t)
	store.SetError("LOADING Redis is loading the dataset in memory")
	s, d := fake.New(t), discordfake.New(t)
	s.AddUser(fake.User{ID: "U0ANA"})
	d.Down(true)
	c := serveCommand{storeFlag: storeFlag{RedisURL: "redis://" + store.Addr()}, opsFlag: opsFlag{"127.0.0.1:0"}, platformFlags: platformFlags{SlackAPI: fake.URL, DiscordAPI: discordfake.URL}}
	c.dial = dialBoth(s, d)
	errs, end := starting(t, c, map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken, "DISCORD_TOKEN": discordfake.Token})
	errs.until(t, `msg="not connected" to=redis error=.*LOADING.* next=1s`)
	if status, body := asked(t, errs, "/readyz"); status != http.StatusServiceUnavailable || body != "redis connecting\ndiscord connecting\nslack connecting\n" {
		t.Errorf("without Redis: %d %q", status, body)
	}
	if status, body := asked(t, errs, "/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("healthz: %d %q", status, body)
	}
	store.SetError("")
	errs.until(t, "socket open")
	errs.until(t, `msg="not connected" platform=discord`)
	if ack := s.Command("U0ANA", "", "help"); !ack.OK() {
		t.Errorf("without Discord: %+v", ack)
	}
	if status, body := asked(t, errs, "/readyz"); status != http.StatusServiceUnavailable || body != "redis ok\ndiscord connecting\nslack ok\n" {
		t.Errorf("without Discord: %d %q", status, body)
	}
	d.Down(false)
	if body := ready(t, errs); body != "redis ok\ndiscord ok\nslack ok\n" {
		t.Errorf("at last: %q", body)
	}
	errs.until(t, "msg=serving")
	store.SetError("MISCONF no disk")
	if status, body := asked(t, errs, "/readyz"); status != http.StatusServiceUnavailable || !strings.HasPrefix(body, "redis away\n") {
		t.Errorf("when Redis goes: %d %q", status, body)
	}
	if err := end(); err != nil {
		t.Errorf("ended with %v\n%s", err, errs)
	}
	for _, secret := range []string{fake.Token, fake.AppToken, discordfake.Token} {
		if strings.Contains(errs.String(), secret) {
			t.Errorf("a token is in the log:\n%s", errs)
		}
	}
}

// TestServePermanentErrors ends the program at once, with a sentence.
func TestServePermanentErrors(t *testing.T) {
	t.Parallel()
	locked, open := miniredis.RunT(t), miniredis.RunT(t)
	locked.RequireAuth("right")
	s, d := fake.New(t), discordfake.New(t)
	c := serveCommand{platformFlags: platformFlags{SlackAPI: fake.URL, DiscordAPI: discordfake.URL}, dial: dialBoth(s, d)}
	good := map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken, "DISCORD_TOKEN": discordfake.Token}
	for want, change := range map[string]func(c *serveCommand, env map[string]string){
		"NOAUTH":                      func(c *serveCommand, _ map[string]string) { c.RedisURL = "redis://" + locked.Addr() },
		"WRONGPASS":                   func(c *serveCommand, _ map[string]string) { c.RedisURL = "redis://:s3cret@" + locked.Addr() },
		"connect to Slack: use the":   func(_ *serveCommand, env map[string]string) { env["SLACK_BOT_TOKEN"] = "xoxb-s3cret" },
		"connect to Discord: use the": func(_ *serveCommand, env map[string]string) { env["DISCORD_TOKEN"] = "s3cret" },
		"at OPS_LISTEN":               func(c *serveCommand, _ map[string]string) { c.OpsListen = open.Addr() },
	} {
		c, env := c, map[string]string{}
		for name, value := range good {
			env[name] = value
		}
		c.RedisURL = "redis://" + open.Addr()
		change(&c, env)
		errs := newOutput()
		err := c.Run(t.Context(), system{env: environment(env).get, out: io.Discard, err: errs})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error()+errs.String(), "s3cret") {
			t.Errorf("want %q: %v\n%s", want, err, errs)
		}
	}
}

// TestReadyCommand asks a process as a container's health check does.
func TestReadyCommand(t *testing.T) {
	t.Parallel()
	store := miniredis.RunT(t)
	f := fake.New(t)
	began := time.Now()
	errs, end := starting(t, serveCommand{storeFlag: storeFlag{RedisURL: "redis://" + store.Addr()}, opsFlag: opsFlag{"127.0.0.1:0"}, platformFlags: platformFlags{SlackAPI: fake.URL}, dial: f.Dial},
		map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken})
	ready(t, errs)
	t.Logf("ready after %v", time.Since(began))
	address := errs.until(t, `msg="health checks and metrics" address=(\S+)`)
	if code, out, said := exec(t, "", "ready", "--ops-listen", strings.Replace(address, "127.0.0.1", "", 1)); code != 0 || out != "redis ok\nslack ok\n" || said != "" {
		t.Errorf("ready: %d %q %q", code, out, said)
	}
	store.SetError("MISCONF no disk")
	if code, out, said := exec(t, "", "ready", "--ops-listen", address); code != 1 || out != "redis away\nslack ok\n" || said != "" {
		t.Errorf("not ready: %d %q %q", code, out, said)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if code, out, said := exec(t, "", "ready", "--ops-listen", address); code != 1 || out != "" || !strings.Contains(said, "nothing listens at "+address+": the bot is not running") {
		t.Errorf("nobody there: %d %q %q", code, out, said)
	}
	env := environment{"OPS_LISTEN": "off"}
	if code, _, said := env.exec(t, "", "ready"); code != 1 || !strings.Contains(said, "OPS_LISTEN is off") {
		t.Errorf("switched off: %d %q", code, said)
	}
}

// TestReadyWhileEnding checks that /readyz fails from the moment the program begins to shut down until it has ended.
func TestReadyWhileEnding(t *testing.T) {
	t.Parallel()
	store := miniredis.RunT(t)
	f := fake.New(t)
	f.AddUser(fake.User{ID: "U0ANA"})
	errs, end := starting(t, serveCommand{storeFlag: storeFlag{RedisURL: "redis://" + store.Addr()}, opsFlag: opsFlag{"127.0.0.1:0"}, platformFlags: platformFlags{SlackAPI: fake.URL}, dial: f.Dial},
		map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken})
	ready(t, errs)
	f.Fail("chat.postMessage", fake.Fault{Wait: time.Second}) // in progress when the shutdown begins
	if ack := f.Command("U0ANA", "", "help"); !ack.OK() || !f.Until(func() bool { return len(f.Calls("chat.postMessage")) > 0 }) {
		t.Fatalf("no reply: %+v", ack)
	}
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	errs.until(t, `msg="(shutting down)"`)
	status, body := asked(t, errs, "/readyz")
	if status != http.StatusServiceUnavailable || body != "ending\n" {
		t.Errorf("while it ends: %d %q", status, body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
