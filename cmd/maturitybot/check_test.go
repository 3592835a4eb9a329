package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/slack"
	"maturitybot/adapters/slack/fake"
)

// checked runs check with a configuration, and returns its exit and what it printed.
func checked(t *testing.T, c checkCommand, env map[string]string) (bool, string) {
	t.Helper()
	var out bytes.Buffer
	err := c.Run(t.Context(), system{env: environment(env).get, out: &out, err: &out})
	if err != nil && !errors.Is(err, errReported) {
		t.Errorf("ended with %v", err)
	}
	for name, secret := range env {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s stands in the output:\n%s", name, &out)
		}
	}
	return err == nil, out.String()
}

// TestCheckConfiguration: what serve would use is tried, a line each, and what is wrong is said; no token is.
func TestCheckConfiguration(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t, redistest.Options{AOF: true, Password: "r3dis-s3cret"}).URL()
	scopes := slack.Scopes
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("no days\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	sockets := map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken}
	http := map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_SIGNING_SECRET": fake.Secret}
	gateway := map[string]string{"DISCORD_TOKEN": discordfake.Token}
	endpoint := map[string]string{"DISCORD_TOKEN": discordfake.Token, "DISCORD_PUBLIC_KEY": discordfake.PublicKey}
	for name, c := range map[string]struct {
		env   map[string]string
		serve serveCommand
		on    func(*fake.Server, *discordfake.Server)
		fine  bool // without --strict
		warns bool
		want  []string // regular expressions
		not   string   // must not be said
	}{
		"Slack by sockets": {env: sockets, fine: true, want: []string{
			`ok    configuration  complete`, `ok    matrix         england .version 2., wales .version 2., england .version 1., wales .version 1.`, `ok    bank holidays  the built-in list`, `ok    time zones `,
			`ok    redis          redis \d.*, master, appendonly yes, appendfsync always, .*noeviction`,
			`ok    slack          bot maturity in workspace Fake \(` + fake.Team + `\), SLACK_BOT_TOKEN xoxb-…oken\n`, `ok    slack          the app has all 8 scopes`,
			`ok    slack          by Socket Mode, SLACK_APP_TOKEN xapp-…oken\n`, `9 ok, 0 warn, 0 FAIL`,
		}},
		"Slack by HTTP":                {env: http, serve: serveCommand{Listen: "127.0.0.1:0"}, fine: true, want: []string{`by HTTP, at /slack, SLACK_SIGNING_SECRET …cdef`, `ok    listen `}},
		"an address that is taken":     {env: http, serve: serveCommand{Listen: taken.Addr().String()}, fine: true, warns: true, want: []string{`warn  listen .*another program uses the address`}},
		"an address without a port":    {env: http, serve: serveCommand{Listen: "8080"}, want: []string{`FAIL  listen         LISTEN: .*missing port`}},
		"health checks without a port": {env: sockets, serve: serveCommand{opsFlag: opsFlag{OpsListen: "8081"}}, want: []string{`FAIL  listen         OPS_LISTEN: .*missing port`}},
		"health checks":                {env: sockets, fine: true, serve: serveCommand{opsFlag: opsFlag{OpsListen: "127.0.0.1:0"}}, want: []string{`ok    listen         OPS_LISTEN: 127.0.0.1:0 is free`}},
		"no health checks":             {env: sockets, fine: true, serve: serveCommand{opsFlag: opsFlag{OpsListen: opsOff}}, not: "OPS_LISTEN"},
		"scopes":                       {env: sockets, on: func(s *fake.Server, _ *discordfake.Server) { s.Scopes("commands") }, want: []string{`FAIL  slack          scopes are missing: chat:write, users:read, .*OAuth & Permissions`}},
		"a token that was revoked": {env: sockets, on: func(s *fake.Server, _ *discordfake.Server) { s.Fail("auth.test", fake.Fault{Error: "token_revoked"}) }, want: []string{
			`FAIL  slack          use the Slack bot token, which Slack refuses .*token_revoked \(SLACK_BOT_TOKEN xoxb-…oken\)`,
		}},
		"an app token of another kind": {env: sockets, on: func(s *fake.Server, _ *discordfake.Server) {
			s.Fail("apps.connections.open", fake.Fault{Error: "missing_scope"})
		}, want: []string{`FAIL  slack          .*connections:write.*SLACK_APP_TOKEN xapp-…oken`}},
		"Discord by the gateway": {env: gateway, fine: true, warns: true, want: []string{
			`ok    discord        application maturity \(` + discordfake.App + `\), DISCORD_TOKEN …oken\n`, `ok    discord        by the gateway`, `warn  discord        the commands are not there`,
		}},
		"a private Discord bot": {env: gateway, fine: true, warns: true, want: []string{
			`ok    discord        to add it to a server: https://discord\.com/oauth2/authorize\?client_id=` + discordfake.App +
				`&integration_type=0&permissions=35840&scope=bot\+applications\.commands\n`,
		}, not: "anybody can add this bot"},
		"a public Discord bot": {env: gateway, fine: true, warns: true, on: func(_ *fake.Server, d *discordfake.Server) { d.Public() }, want: []string{
			`warn  discord        anybody can add this bot to a server .*Public Bot.*DISCORD_GUILDS`,
		}},
		"a public Discord bot for one server": {env: gateway, fine: true, warns: true, on: func(_ *fake.Server, d *discordfake.Server) { d.Public() },
			serve: serveCommand{platformFlags: platformFlags{Guilds: []string{discordfake.Guild}}}, not: "anybody can add this bot"},
		"Discord sends elsewhere": {env: gateway, on: func(_ *fake.Server, d *discordfake.Server) { d.Endpoint("https://elsewhere.example.org") }, want: []string{
			`FAIL  discord        Discord delivers to an Interactions Endpoint URL`,
		}},
		"a public key in capitals": {
			env: map[string]string{
				"DISCORD_TOKEN": discordfake.Token, "DISCORD_PUBLIC_KEY": strings.ToUpper(discordfake.PublicKey) + " ",
			},
			serve: serveCommand{Listen: "127.0.0.1:0"}, fine: true, warns: true,
			want: []string{`ok    configuration  complete`, `warn  discord        by HTTP`},
		},
		"Discord by HTTP": {env: endpoint, serve: serveCommand{Listen: "127.0.0.1:0"}, fine: true, warns: true, want: []string{`warn  discord        by HTTP, and no Interactions Endpoint URL is set`}},
		"a key pasted in capitals": {env: map[string]string{"DISCORD_TOKEN": discordfake.Token, "DISCORD_PUBLIC_KEY": strings.ToUpper(discordfake.PublicKey) + " "},
			serve: serveCommand{Listen: "127.0.0.1:0"}, fine: true, warns: true, want: []string{`ok    configuration  complete`, `warn  discord        by HTTP`}},
		"another application's key": {env: map[string]string{"DISCORD_TOKEN": discordfake.Token, "DISCORD_PUBLIC_KEY": strings.Repeat("0a", 32)}, serve: serveCommand{Listen: "127.0.0.1:0"}, want: []string{
			`FAIL  discord        the Discord public key is not that of application`,
		}},
		"files": {env: sockets, serve: serveCommand{Holidays: broken, matrixFlag: matrixFlag{Matrix: []string{broken}}}, want: []string{`FAIL  bank holidays  `, `FAIL  matrix         `}},
		"faults": {env: map[string]string{"SLACK_BOT_TOKEN": "xoxp-s3cret-s3cret-s3cret"}, want: []string{
			`FAIL  configuration  SLACK_BOT_TOKEN is not a bot token`, `FAIL  configuration  SLACK_APP_TOKEN .* is missing`, `ok    redis `,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s, d := fake.New(t), discordfake.New(t)
			s.Scopes(scopes...)
			if c.on != nil {
				c.on(s, d)
			}
			c.serve.Erasures = filepath.Join(t.TempDir(), "erasures")
			if err := need(openJournal(c.serve.Erasures))(t).Close(); err != nil {
				t.Fatal(err)
			}
			c.serve.RedisURL, c.serve.SlackAPI, c.serve.DiscordAPI = url, fake.URL, discordfake.URL
			c.serve.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if strings.HasPrefix(address, "discord.") {
					return d.Dial(ctx, network, address)
				}
				return s.Dial(ctx, network, address)
			}
			got, out := checked(t, checkCommand{serveCommand: c.serve}, c.env)
			if got != c.fine || strings.Contains(out, "r3dis-s3cret") {
				t.Errorf("fine is %v:\n%s", got, out)
			}
			for _, want := range c.want {
				if !regexp.MustCompile(want).MatchString(out) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			if c.not != "" && strings.Contains(out, c.not) {
				t.Errorf("%q is in\n%s", c.not, out)
			}
			if c.fine && strings.Contains(out, "warn  ") != c.warns {
				t.Errorf("warns should be %v:\n%s", c.warns, out)
			}
			if c.warns {
				if got, out := checked(t, checkCommand{serveCommand: c.serve, Strict: true}, c.env); got {
					t.Errorf("fine though strict:\n%s", out)
				}
			}
			if n := len(d.Calls("overwrite")); n > 0 {
				t.Errorf("%d commands were changed", n)
			}
		})
	}
}

// TestCheckWithoutRedis: its password is in no error.
func TestCheckWithoutRedis(t *testing.T) {
	t.Parallel()
	got, out := checked(t, checkCommand{serveCommand: serveCommand{storeFlag: storeFlag{RedisURL: "redis://bot:r3dis-s3cret@127.0.0.1:1"}}}, nil)
	if got || !strings.Contains(out, "FAIL  redis          connect: Redis cannot be reached at the address in REDIS_URL: see whether it runs") || strings.Contains(out, "s3cret") {
		t.Errorf("fine is %v:\n%s", got, out)
	}
}

// TestCheckErasures tells whether the file can be written, and makes none.
func TestCheckErasures(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	there := filepath.Join(folder, "there")
	if err := os.WriteFile(there, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"":    "warn  erasures       ERASURES is not set: if Redis is lost, a restored backup brings back people",
		there: "ok    erasures", filepath.Join(folder, "new"): "warn  erasures", folder: "FAIL  erasures",
		filepath.Join(folder, "none", "new"): "FAIL  erasures       there is no folder " + filepath.Join(folder, "none") + ": create it, so that only the bot can write to it",
	} {
		if _, out := checked(t, checkCommand{serveCommand: serveCommand{erasuresFlag: erasuresFlag{path}}}, nil); !strings.Contains(out, want) {
			t.Errorf("%s: want %q in\n%s", path, want, out)
		}
	}
	if kept, err := os.ReadFile(there); err != nil || string(kept) != "kept" || len(namesIn(t, folder)) != 1 {
		t.Errorf("left behind: %q, %v, %v", kept, err, namesIn(t, folder))
	}
}

// TestWrongServer: a server that is not the one to use is named as what it is, once, by check and by the commands.
func TestWrongServer(t *testing.T) {
	t.Parallel()
	sentinel := miniredis.RunT(t)
	sentinel.Server().SetPreHook(func(c *server.Peer, name string, _ ...string) bool {
		switch name {
		case "INFO":
			c.WriteBulk("redis_version:7.2.0\r\nredis_mode:sentinel\r\n")
		case "HELLO", "CLIENT", "PING":
			return false
		default:
			c.WriteError("ERR unknown command '" + name + "'")
		}
		return true
	})
	address := "redis://" + sentinel.Addr()
	works, out := checked(t, checkCommand{serveCommand: serveCommand{storeFlag: storeFlag{RedisURL: address}}}, nil)
	if works || strings.Count(out, "this is a Sentinel") != 1 || strings.Contains(out, "unknown command") || strings.Contains(out, "FAIL  matrix") {
		t.Errorf("check: %v\n%s", works, out)
	}
	_, err := storeFlag{RedisURL: address}.openToWrite(t.Context())
	if err == nil || !strings.Contains(err.Error(), "this is a Sentinel") {
		t.Errorf("a command: %v", err)
	}
}
