package discord

import (
	"errors"
	"strings"
	"testing"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platformtest"
)

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		key, endpoint string
		guilds        []string
		register      bool
		want          AppInfo
		fault         error
		says          string
	}{
		"gateway":                 {register: true, want: AppInfo{Registered: true}},
		"nothing registered":      {want: AppInfo{}},
		"gateway, sent elsewhere": {endpoint: "https://maturity.example.org/discord", want: AppInfo{Endpoint: "https://maturity.example.org/discord"}, fault: errEndpoint},
		"HTTP":                    {key: fake.PublicKey, endpoint: "https://maturity.example.org/discord", register: true, want: AppInfo{Endpoint: "https://maturity.example.org/discord", Registered: true}},
		"servers":                 {guilds: []string{fake.Guild, fake.Other}, register: true, want: AppInfo{Registered: true}},
		"another server":          {guilds: []string{"1100000000000000099"}, says: "the bot is not in server 1100000000000000099"},
	} {
		t.Run(name, func(t *testing.T) {
			w := stage(t, &platformtest.Script{}, func(o *Options) { o.PublicKey, o.Guilds = c.key, c.guilds })
			w.Endpoint(c.endpoint)
			if c.register {
				if err := w.discord.Register(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			got, err := w.discord.Check(t.Context())
			switch {
			case c.says != "":
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got error %v", err)
				}
				return
			case !errors.Is(err, c.fault):
				t.Errorf("got error %v", err)
			}
			c.want.Application, c.want.ID = "maturity", fake.App
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
