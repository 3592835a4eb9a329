package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Scopes are what the bot asks a workspace for, and why. It asks for nothing else.
var Scopes = []struct{ Name, Why string }{
	{"chat:write", "to send invitations, reminders and cards, and to change them in place"},
	{"commands", "for /maturity and /aeddfedrwydd"},
	{"users:read", "to know somebody's language, time zone and whether they manage the workspace, and to leave out bots"},
	{"users:read.email", "to find the people of a list of e-mail addresses"},
	{"im:history", "to answer somebody who writes to the bot in words; it reads no other conversation"},
	{"channels:read", "to invite everyone in a public channel, and to know whether the bot can post there"},
	{"groups:read", "to invite everyone in a private channel that the bot was added to, and to know whether it can post there"},
	{"files:write", "to add the picture and the files to the results"},
}

// botEvents are what the bot is told of.
var botEvents = []string{
	"app_home_opened", // to draw App Home
	"message.im",      // to answer a person who writes to the bot
	"user_change",     // to forget a profile that has changed
	"app_uninstalled", // to stop sending
	"tokens_revoked",  // the same
}

// callbackPath is where a bot that is reached by HTTP takes everything from Slack.
const callbackPath = "/slack"

// manifest is Slack's app manifest (docs.slack.dev/reference/app-manifest). slack-go's leaves out
// what is false, and Slack's own defaults are not all documented.
type manifest struct {
	Metadata struct {
		Major int `json:"major_version"`
	} `json:"_metadata"`
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Background  string `json:"background_color"`
	} `json:"display_information"`
	Features struct {
		Home struct {
			HomeTab          bool `json:"home_tab_enabled"`
			MessagesTab      bool `json:"messages_tab_enabled"`
			MessagesReadOnly bool `json:"messages_tab_read_only_enabled"`
		} `json:"app_home"`
		Bot struct {
			Name   string `json:"display_name"`
			Online bool   `json:"always_online"`
		} `json:"bot_user"`
		Commands []slashCommand `json:"slash_commands"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events struct {
			URL string   `json:"request_url,omitempty"`
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity struct {
			Enabled bool   `json:"is_enabled"`
			URL     string `json:"request_url,omitempty"`
		} `json:"interactivity"`
		OrgDeploy     bool `json:"org_deploy_enabled"`
		SocketMode    bool `json:"socket_mode_enabled"`
		TokenRotation bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

type slashCommand struct {
	Command     string `json:"command"`
	URL         string `json:"url,omitempty"`
	Description string `json:"description"`
	Hint        string `json:"usage_hint"`
	Escape      bool   `json:"should_escape"`
}

// Manifest is the app manifest, as indented JSON to paste at api.slack.com/apps. Mode is "socket",
// where the bot opens the connection and base must be empty, or "http", where Slack calls base, an
// https address, plus "/slack".
func Manifest(mode, base string) ([]byte, error) {
	call := ""
	switch mode {
	case "socket":
		if base != "" {
			return nil, errors.New("write manifest: mode socket has no use for an address: leave it out, or take mode http")
		}
	case "http":
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("write manifest: mode http needs the https address at which Slack reaches the bot, such as https://maturity.example.org")
		}
		call = strings.TrimRight(base, "/") + callbackPath
	default:
		return nil, fmt.Errorf("write manifest: mode %q, want socket or http", mode)
	}
	var m manifest
	m.Metadata.Major = 2
	m.Display.Name = "maturitybot"
	m.Display.Description = "Takes a local area through the maternity and early years maturity matrix, and brings the results to its workshop."
	m.Display.Background = "#1d4d4f"
	m.Features.Home.HomeTab = true
	m.Features.Home.MessagesTab = true // without it nobody can be written to: messages_tab_disabled
	m.Features.Bot.Name = "maturitybot"
	m.Features.Bot.Online = true
	// One in each language: the bot answers in that of the word that follows.
	m.Features.Commands = []slashCommand{{
		Command: "/maturity", URL: call,
		Description: "The maturity matrix: your survey, or a round that you coordinate",
		Hint:        "[home | new | invite | button | status | remind | reminders | extend | workshop | team | close | results | export | record | help]",
	}, {
		Command: "/aeddfedrwydd", URL: call,
		Description: "Y matrics aeddfedrwydd: eich arolwg, neu rownd yr ydych yn ei chydlynu",
		Hint:        "[hafan | newydd | gwahodd | botwm | statws | atgoffa | amserlen | estyn | gweithdy | tîm | cau | canlyniadau | allforio | cofnod | cymorth]",
	}}
	for _, s := range Scopes {
		m.OAuth.Scopes.Bot = append(m.OAuth.Scopes.Bot, s.Name)
	}
	m.Settings.Events.URL = call
	m.Settings.Events.Bot = botEvents
	m.Settings.Interactivity.Enabled = true
	m.Settings.Interactivity.URL = call
	m.Settings.SocketMode = mode == "socket"
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	return out.Bytes(), nil
}
