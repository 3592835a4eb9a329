package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"maturitybot/adapters/discord"
	discordfake "maturitybot/adapters/discord/fake"
)

// TestConfiguration: everything that is missing or wrong is named at once, with where it is found, and no secret is repeated.
func TestConfiguration(t *testing.T) {
	const good = "0123456789abcdef0123456789abcdef"
	for name, c := range map[string]struct {
		env   map[string]string
		serve serveCommand
		want  []string
		not   []string
	}{
		"nothing": {want: []string{"REDIS_URL is missing", "no chat platform"}},
		"everything wrong": {
			env:   map[string]string{"SLACK_BOT_TOKEN": "xoxp-secret1", "SLACK_APP_TOKEN": "secret2"},
			serve: serveCommand{Creators: []string{"ana", "slack:T1:U1"}},
			want: []string{"REDIS_URL is missing", `"ana" is no person`, "SLACK_BOT_TOKEN is not a bot token", "OAuth & Permissions",
				"SLACK_APP_TOKEN is not an app-level token", "App-Level Tokens"},
			not: []string{"secret1", "secret2", "U1"},
		},
		"no way in": {
			env: map[string]string{"SLACK_BOT_TOKEN": "xoxb-1"}, serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}},
			want: []string{"SLACK_APP_TOKEN (for Socket Mode", "SLACK_SIGNING_SECRET (for HTTP"},
		},
		"no bot token": {
			env: map[string]string{"SLACK_SIGNING_SECRET": good}, serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}}, want: []string{"SLACK_BOT_TOKEN is missing"},
		},
		"an odd secret": {
			env: map[string]string{"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "verification-token"}, serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}},
			want: []string{"SLACK_SIGNING_SECRET is not a signing secret"}, not: []string{"verification-token"},
		},
		"Discord, wrong": {
			env: map[string]string{"DISCORD_PUBLIC_KEY": "abc"}, serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}, platformFlags: platformFlags{Guilds: []string{"my server"}}},
			want: []string{"DISCORD_TOKEN is missing", "Reset Token", "DISCORD_PUBLIC_KEY is not a public key", `"my server" is no server's id`},
		},
		"two sources": {
			env:   map[string]string{"SLACK_BOT_TOKEN": "xoxb-secret1", "SLACK_BOT_TOKEN_FILE": "xoxb-secret2"},
			serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}}, want: []string{"SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set"}, not: []string{"secret1", "secret2", "is missing"},
		},
		"a token in place of a file": {
			env: map[string]string{"DISCORD_TOKEN_FILE": "secret1"}, serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}},
			want: []string{"DISCORD_TOKEN_FILE names no file that can be read: no such file"}, not: []string{"secret1", "no chat platform"},
		},
		"a file without anything": {
			env: map[string]string{"DISCORD_TOKEN_FILE": os.DevNull}, serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}}, want: []string{"DISCORD_TOKEN_FILE names a file that is empty"},
		},
		"HTTP":   {env: map[string]string{"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": good}, serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}, Creators: []string{"slack:T1:U1"}}},
		"socket": {env: map[string]string{"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "x"}, serve: serveCommand{storeFlag: storeFlag{RedisURL: "redis://r"}}},
	} {
		conf, err := c.serve.config(environment(c.env).get)
		if len(c.want) == 0 {
			if err != nil || len(conf.Platforms) != 1 || (len(conf.Platforms[0].Paths()) == 0) != (name == "socket") || len(conf.creators) != len(c.serve.Creators) {
				t.Errorf("%s: %+v, %v", name, conf, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in\n%v", name, want, err)
			}
		}
		for _, not := range c.not {
			if strings.Contains(err.Error(), not) {
				t.Errorf("%s: %q is in\n%v", name, not, err)
			}
		}
	}
}

// TestConfigurationTrimmed: what was found good once the spaces are off is what is used, and no secret prints.
func TestConfigurationTrimmed(t *testing.T) {
	secrets := map[string]string{
		"SLACK_BOT_TOKEN": "xoxb-s3cret", "SLACK_APP_TOKEN": "xapp-s3cret", "SLACK_SIGNING_SECRET": "s3cret", "DISCORD_TOKEN": "s3cret",
	}
	c := serveCommand{storeFlag: storeFlag{RedisURL: "redis://:s3cret@r"}, platformFlags: platformFlags{Guilds: []string{"1100000000000000010", " 1100000000000000020 "}}}
	conf, err := c.config(environment(secrets).get)
	if err != nil || len(conf.Platforms) != 2 {
		t.Fatalf("%d platforms, %v", len(conf.Platforms), err)
	}
	onDiscord, ok := conf.Platforms[1].Config.(discord.Config)
	if want := []string{"1100000000000000010", "1100000000000000020"}; !ok || !slices.Equal(onDiscord.Guilds, want) {
		t.Errorf("guilds are %q, want %q", onDiscord.Guilds, want)
	}
	for _, p := range conf.Platforms {
		if s := fmt.Sprintf("%+v %v %+v %#v", conf, p, p, p.Config); strings.Contains(s, "s3cret") {
			t.Error(s)
		}
	}
}

// TestEmptyVariables sets every variable of every command to nothing: it reads the same configuration
// as when none is set.
func TestEmptyVariables(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	parse := func(env environment, args []string) (commands, error) {
		var c commands
		parser, err := newParser(&c, system{env: env.get, out: io.Discard, err: io.Discard}, func(int) {})
		if err == nil {
			_, err = parser.Parse(args)
		}
		return c, err
	}
	for _, command := range leaves(t) {
		args := strings.Fields(command.Path())
		for _, p := range command.Positional {
			if p.Required {
				args = append(args, file)
			}
		}
		want, wantErr := parse(nil, args)
		var read []string
		for _, f := range command.Flags {
			read = append(read, f.Envs...)
		}
		for _, name := range read {
			for _, value := range []string{"", " "} {
				got, err := parse(environment{name: value}, args)
				if !reflect.DeepEqual(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Errorf("%v with %s=%q: %+v, %v\nwithout it %+v, %v", args, name, value, got, err, want, wantErr)
				}
			}
		}
	}
	for _, c := range credentials() {
		blank := environment{c.Name: " ", c.Name + "_FILE": " "}
		if got, err := readSecret(c.Name, blank.get); got != "" || err != nil {
			t.Errorf("%s: %q, %v", c.Name, got, err)
		}
	}
}

// TestPasswordOnTheCommandLine warns of it, since it can be read in the list of processes.
func TestPasswordOnTheCommandLine(t *testing.T) {
	const warning = "everybody on this machine can read the password"
	for address, want := range map[string]bool{
		"redis://:secret@127.0.0.1:1/0":                              true,
		"redis-sentinel://127.0.0.1:1/main?sentinel_password=secret": true,
		"redis//user:secret@127.0.0.1":                               true,
		"redis://127.0.0.1:1/0":                                      false,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // before it tries to connect
		var said bytes.Buffer
		run(ctx, []string{"rounds", "--redis-url", address}, system{env: environment(nil).get, out: io.Discard, err: &said})
		if strings.Contains(said.String(), warning) != want || strings.Contains(said.String(), "secret") {
			t.Errorf("%s: %s", address, &said)
		}
	}
	env := environment{"REDIS_URL": "redis://:secret@127.0.0.1:1/0"}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said bytes.Buffer
	run(ctx, []string{"rounds"}, system{env: env.get, out: io.Discard, err: &said})
	if strings.Contains(said.String(), warning) {
		t.Error(said.String())
	}
}

// TestAddressFromAFile reads the address of Redis from a file, as systemd and Docker hand out secrets.
func TestAddressFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "address")
	if err := os.WriteFile(file, []byte("redis://:s3cret@r:6379/0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := storeFlag{RedisURLFile: file}.address()
	if err != nil || got != "redis://:s3cret@r:6379/0" {
		t.Errorf("%q, %v", got, err)
	}
	_, err = storeFlag{RedisURL: "redis://r", RedisURLFile: file}.address()
	if err == nil || !strings.Contains(err.Error(), "REDIS_URL and REDIS_URL_FILE are both set") {
		t.Error(err)
	}
}

// TestCredentialsFromFiles: each may be in a file, as Docker and Kubernetes hand out secrets.
func TestCredentialsFromFiles(t *testing.T) {
	for _, c := range credentials() {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte("s3cret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readSecret(c.Name, func(name string) string { return map[string]string{c.Name + "_FILE": path}[name] })
		if err != nil || got != "s3cret" {
			t.Errorf("%s: %q, %v", c.Name, got, err)
		}
	}
}

// TestCredentialsPastedWithSpaces reads credentials as they are pasted: with spaces around them, a
// key in capitals, a token of an app that rotates its tokens.
func TestCredentialsPastedWithSpaces(t *testing.T) {
	secret := strings.Repeat("0a", 16)
	for name, env := range map[string]map[string]string{
		"a key with a space":  {"DISCORD_TOKEN": "abc", "DISCORD_PUBLIC_KEY": " " + discordfake.PublicKey + " "},
		"a key in capitals":   {"DISCORD_TOKEN": "abc", "DISCORD_PUBLIC_KEY": strings.ToUpper(discordfake.PublicKey)},
		"a token with Bot":    {"DISCORD_TOKEN": "Bot abc"},
		"a rotated token":     {"SLACK_BOT_TOKEN": "xoxe.xoxb-1-abc", "SLACK_SIGNING_SECRET": secret},
		"tokens with a space": {"SLACK_BOT_TOKEN": "xoxb-1\n", "SLACK_APP_TOKEN": " xapp-1"},
	} {
		serve := serveCommand{
			storeFlag:     storeFlag{RedisURL: "redis://r"},
			platformFlags: platformFlags{Guilds: []string{" 81384788765712384"}},
		}
		conf, err := serve.config(environment(env).get)
		if err != nil || len(conf.Platforms) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c, ok := conf.Platforms[0].Config.(discord.Config); ok {
			if c.Token != "abc" || c.PublicKey != "" && c.PublicKey != discordfake.PublicKey {
				t.Errorf("%s: the values are used as they were pasted: %q, %q", name, string(c.Token), c.PublicKey)
			}
		}
	}
}
