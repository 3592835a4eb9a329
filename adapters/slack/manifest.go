package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"maturitybot/bot/chat"
)

// Scopes are what the bot asks a workspace for. It asks for nothing else.
var Scopes = []string{
	"chat:write", // to send invitations, reminders and cards, and to change them in place
	"commands",
	// to know a user's language, time zone and whether they manage the workspace, and to leave out
	// bots
	"users:read",
	"users:read.email", // to find the people of a list of e-mail addresses
	"im:history",       // to answer a user who writes to the bot; it reads no other conversation
	// to invite everyone in a public or private channel, and to know whether the bot can post there
	"channels:read",
	"groups:read",
	"files:write", // to add the picture and the files to the results
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

// Manifest returns the app manifest, as indented JSON to paste at api.slack.com/apps. Mode is
// "socket", where the bot opens the connection and base must be empty, or "http", where Slack calls
// base, an https address, plus "/slack".
func Manifest(app chat.AppSpec, mode, base string) ([]byte, error) {
	call := ""
	switch mode {
	case "socket":
		if base != "" {
			return nil, errors.New("write manifest: mode socket has no use for an address: leave it " +
				"out, or take mode http")
		}
	case "http":
		if !isBaseAddress(base) {
			return nil, errors.New("write manifest: mode http needs the https address at which " +
				"Slack reaches the bot, such as https://maturity.example.org")
		}
		call = strings.TrimRight(base, "/") + callbackPath
	default:
		return nil, fmt.Errorf("write manifest: mode %q, want socket or http", mode)
	}
	var m manifest
	m.Metadata.Major = 2
	m.Display.Name = "maturitybot"
	m.Display.Description = app.Description
	m.Display.Background = "#1d4d4f"
	m.Features.Home.HomeTab = true
	m.Features.Home.MessagesTab = true // without it nobody can be written to: messages_tab_disabled
	m.Features.Bot.Name = "maturitybot"
	m.Features.Bot.Online = true
	for _, c := range app.Commands {
		m.Features.Commands = append(m.Features.Commands, slashCommand{
			Command: "/" + c.Name, URL: call, Description: c.Summary, Hint: c.Hint,
		})
	}
	m.OAuth.Scopes.Bot = Scopes
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

// isBaseAddress reports whether a path can be added to an address that Slack is to call.
func isBaseAddress(base string) bool {
	u, err := url.Parse(base)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil &&
		u.RawQuery == "" && u.Fragment == ""
}
