package slack

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
)

func app() chat.AppSpec { return bot.AppSpec(locale.New()) }

func TestManifest(t *testing.T) {
	for mode, base := range map[string]string{"socket": "", "http": "https://maturity.example.org/"} {
		raw, err := Manifest(app(), mode, base)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "manifest-"+mode+".json", raw)
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields() // slack-go knows the fields of a manifest
		var m slackgo.Manifest
		if err := dec.Decode(&m); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		call := map[string]string{"socket": "", "http": "https://maturity.example.org/slack"}[mode]
		if m.Settings.EventSubscriptions.RequestUrl != call || m.Settings.Interactivity.RequestUrl != call || m.Features.SlashCommands[0].Url != call {
			t.Errorf("%s: does not call %q everywhere", mode, call)
		}
		// docs.slack.dev/reference/app-manifest
		if len(m.Display.Name) > 35 || len(m.Display.Description) > 140 || len(m.Features.SlashCommands[0].UsageHint) > 1000 {
			t.Errorf("%s: too long", mode)
		}
	}
}

func TestManifestRefuses(t *testing.T) {
	for _, x := range [][3]string{
		{"", "", "socket or http"}, {"webhook", "https://a.example", "socket or http"}, {"socket", "https://a.example", "no use"},
		{"http", "", "https address"}, {"http", "http://a.example", "https address"}, {"http", "https://", "https address"},
		{"http", "https://a.example/?x=1", "https address"}, {"http", "https://u:p@a.example", "https address"}, {"http", "https://a b", "https address"},
	} {
		if _, err := Manifest(chat.AppSpec{}, x[0], x[1]); err == nil || !strings.Contains(err.Error(), x[2]) {
			t.Errorf("%q %q: %v", x[0], x[1], err)
		}
	}
}
