package slack

import (
	"context"
	"fmt"
	"strings"
	"time"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
)

// pages is where the credentials of an app are found.
const pages = "api.slack.com/apps, your app, "

// The environment variables.
var (
	botToken = platform.Credential{
		Name: "SLACK_BOT_TOKEN", What: "a bot token, which begins with xoxb-", Use: "The bot in Slack.",
		Where: pages + "OAuth & Permissions, Bot User OAuth Token (after Install to Workspace)",
	}
	appToken = platform.Credential{
		Name: "SLACK_APP_TOKEN", What: "an app-level token, which begins with xapp-",
		Use:   "Slack by Socket Mode: the bot calls Slack, and needs no public address.",
		Where: pages + "Basic Information, App-Level Tokens, with the scope connections:write",
	}
	signingSecretKey = platform.Credential{
		Name: "SLACK_SIGNING_SECRET", What: "a signing secret, which is 32 digits 0-9 and a-f",
		Use:   "Slack by HTTP: Slack calls the bot. Not used when there is an app token.",
		Where: pages + "Basic Information, App Credentials, Signing Secret",
	}
)

// APIURLVariable is the environment variable of another server in place of Slack's.
const APIURLVariable = "SLACK_API_URL"

// Definition is Slack as the program knows it.
var Definition = platform.Definition{
	Name: Platform, Title: "Slack", Workspaces: true,
	Setup:       "SLACK_BOT_TOKEN, and SLACK_APP_TOKEN or SLACK_SIGNING_SECRET (docs/slack.md)",
	Credentials: []platform.Credential{botToken, appToken, signingSecretKey},
	Configure:   configure,
}

// Config is the configuration of the bot in Slack. With an app token Slack delivers by Socket Mode,
// else by HTTP.
type Config struct {
	Token, AppToken, SigningSecret chat.Secret
	APIURL                         string // another server in place of Slack's, or empty
}

func configure(v platform.Values) (platform.Config, []string) {
	c := Config{
		Token:         v.Secret(botToken.Name),
		AppToken:      v.Secret(appToken.Name),
		SigningSecret: v.Secret(signingSecretKey.Name),
	}
	if c == (Config{}) {
		return nil, nil
	}
	c.APIURL = v.Get(APIURLVariable)
	var faults []string
	switch {
	case c.Token == "":
		faults = append(faults, botToken.Missing())
	case !isBotToken(c.Token):
		faults = append(faults, botToken.Malformed())
	}
	switch {
	case c.AppToken == "" && c.SigningSecret == "":
		faults = append(faults, fmt.Sprintf("%s (for Socket Mode: %s) or %s (for HTTP: %s) is missing",
			appToken.Name, appToken.Where, signingSecretKey.Name, signingSecretKey.Where))
	case c.AppToken != "" && !isAppToken(c.AppToken):
		faults = append(faults, appToken.Malformed())
	case c.AppToken == "" && !isSigningSecret(c.SigningSecret):
		faults = append(faults, signingSecretKey.Malformed())
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}

// Paths implements platform.Config. Slack's guides use /slack/..., so that is served too.
func (c Config) Paths() []string {
	if c.AppToken != "" {
		return nil
	}
	return []string{"/slack", "/slack/"}
}

func (c Config) new(ctx context.Context, b platform.Bot) (*Slack, error) {
	return New(ctx, Options{
		Token: c.Token, AppToken: c.AppToken, SigningSecret: c.SigningSecret, APIURL: c.APIURL,
		Responder: b.Responder, Log: b.Log, Observer: b.Observer, Dial: b.Dial,
	})
}

// Connect implements platform.Config.
func (c Config) Connect(ctx context.Context, b platform.Bot) (platform.Adapter, error) {
	adapter, err := c.new(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("connect to Slack: %w", err)
	}
	return adapter, nil
}

// Receive receives by Socket Mode until the context ends.
func (s *Slack) Receive(ctx context.Context) error { return s.RunSocket(ctx) }

// maxClockDifference is how far this machine's clock may be from Slack's, which tells whole seconds.
// Slack's signatures are refused from five minutes on.
const maxClockDifference = 30 * time.Second

// Check implements platform.Config.
func (c Config) Check(ctx context.Context, b platform.Bot, report platform.Report) {
	masked := func(s chat.Secret) string { return platform.Masked(s, "xoxb-", "xapp-") }
	adapter, err := c.new(ctx, b)
	var app AppInfo
	if err == nil {
		defer func() { _ = adapter.Drain(ctx) }() // nothing was taken
		app, err = adapter.Check(ctx)
	}
	if err != nil {
		report(platform.Fail, "%v (SLACK_BOT_TOKEN %s)", err, masked(c.Token))
		return
	}
	report(platform.OK, "bot %s in workspace %s (%s), SLACK_BOT_TOKEN %s",
		app.Bot, app.Workspace, app.Team, masked(c.Token))
	switch {
	case app.ScopesUnknown:
		report(platform.Warn, "it was not told which scopes the app has: compare them with those of "+
			"maturitybot manifest slack")
	case len(app.Missing) > 0:
		report(platform.Fail, "scopes are missing: %s. Add them at %sOAuth & Permissions, and install "+
			"the app again", strings.Join(app.Missing, ", "), pages)
	default:
		report(platform.OK, "the app has all %d scopes of the manifest", len(Scopes))
	}
	if app.Ahead.Abs() > maxClockDifference {
		report(platform.Warn, "this machine's clock is %s off that of Slack: let it be set by the "+
			"network (NTP)", app.Ahead.Abs().Round(time.Second))
	}
	if c.AppToken == "" {
		report(platform.OK, "by HTTP, at /slack, SLACK_SIGNING_SECRET %s (right only if Slack's "+
			"requests come to be taken)", masked(c.SigningSecret))
		return
	}
	if err := adapter.CheckSocket(ctx); err != nil {
		report(platform.Fail, "%v (SLACK_APP_TOKEN %s)", err, masked(c.AppToken))
		return
	}
	report(platform.OK, "by Socket Mode, SLACK_APP_TOKEN %s", masked(c.AppToken))
}
