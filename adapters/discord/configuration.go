package discord

import (
	"context"
	"fmt"
	"strings"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
)

// pages is where the credentials of an application are found.
const pages = "discord.com/developers/applications, your application, "

// The environment variables.
var (
	botToken = platform.Credential{
		Name: "DISCORD_TOKEN", What: "a bot token", Use: "The bot in Discord.",
		Where: pages + "Bot, Reset Token",
	}
	publicKeyOfApp = platform.Credential{
		Name: "DISCORD_PUBLIC_KEY", What: "a public key, which is 64 digits 0-9 and a-f",
		Use: "Discord by HTTP: Discord calls the bot. Leave it out for the gateway, which needs no " +
			"public address.",
		Where: pages + "General Information, Public Key",
	}
)

// Environment variables that hold no credential.
const (
	APIURLVariable = "DISCORD_API_URL" // another server in place of Discord's
	GuildsVariable = "DISCORD_GUILDS"  // ids of servers, separated by commas
)

// Definition is Discord as the program knows it.
var Definition = platform.Definition{
	Name: Platform, Title: "Discord",
	Setup:       "DISCORD_TOKEN (docs/discord.md)",
	Credentials: []platform.Credential{botToken, publicKeyOfApp},
	Configure:   configure,
}

// Config is the configuration of the bot in Discord. With a public key Discord delivers by HTTP,
// else by the gateway.
type Config struct {
	Token     chat.Secret
	PublicKey string
	Guilds    []string // ids of the servers that the bot works in; empty for every server
	APIURL    string   // another server in place of Discord's, or empty
}

func configure(v platform.Values) (platform.Config, []string) {
	c := Config{
		Token:     trimToken(v.Secret(botToken.Name)),
		PublicKey: strings.ToLower(v.Get(publicKeyOfApp.Name)),
		APIURL:    v.Get(APIURLVariable),
	}
	var faults []string
	switch {
	case c.Token == "" && c.PublicKey == "":
	case c.Token == "":
		faults = append(faults, botToken.Missing())
	case !isToken(c.Token):
		faults = append(faults, botToken.Malformed())
	}
	if c.PublicKey != "" && !isPublicKey(c.PublicKey) {
		faults = append(faults, publicKeyOfApp.Malformed()+"; leave it out for the gateway")
	}
	if guilds := v.Get(GuildsVariable); guilds != "" {
		for _, g := range strings.Split(guilds, ",") {
			g = strings.TrimSpace(g)
			c.Guilds = append(c.Guilds, g)
			if !isServerID(g) {
				faults = append(faults, fmt.Sprintf("%s: %q is no server's id: switch on Developer Mode "+
					"in Discord (Settings, Advanced), then right-click the server, Copy Server ID",
					GuildsVariable, g))
			}
		}
	}
	if len(faults) > 0 || c.Token == "" {
		return nil, faults
	}
	return c, nil
}

// Paths implements platform.Config.
func (c Config) Paths() []string {
	if c.PublicKey == "" {
		return nil
	}
	return []string{"/discord"}
}

func (c Config) new(ctx context.Context, b platform.Bot) (*Discord, error) {
	return New(ctx, Options{
		Token: c.Token, PublicKey: c.PublicKey, Guilds: c.Guilds, APIURL: c.APIURL,
		Commands: b.Spec.Commands, Responder: b.Responder, Claims: b.Claims, Suggest: b.Suggest,
		ConsentsToDM: b.ConsentsToDM, Log: b.Log, Observer: b.Observer, Dial: b.Dial,
	})
}

// Connect implements platform.Config. It also registers the commands.
func (c Config) Connect(ctx context.Context, b platform.Bot) (platform.Adapter, error) {
	adapter, err := c.new(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("connect to Discord: %w", err)
	}
	if err := adapter.Register(ctx); err != nil {
		return nil, fmt.Errorf("offer the commands in Discord: %w", err)
	}
	return adapter, nil
}

// Receive receives by the gateway until the context ends.
func (d *Discord) Receive(ctx context.Context) error { return d.RunGateway(ctx) }

// Check implements platform.Config.
func (c Config) Check(ctx context.Context, b platform.Bot, report platform.Report) {
	adapter, err := c.new(ctx, b)
	if err != nil {
		report(platform.Fail, "%v (DISCORD_TOKEN %s)", err, platform.Masked(c.Token))
		return
	}
	defer func() { _ = adapter.Drain(ctx) }() // nothing was taken
	app, err := adapter.Check(ctx)
	report(platform.OK, "application %s (%s), DISCORD_TOKEN %s",
		app.Application, app.ID, platform.Masked(c.Token))
	gateway := c.PublicKey == ""
	switch {
	case gateway && app.Endpoint == "":
		report(platform.OK, "by the gateway")
	case gateway: // what Check failed for
	case app.Endpoint == "":
		report(platform.Warn, "by HTTP, and no Interactions Endpoint URL is set: once the bot serves, "+
			"set its address with /discord at the end at %sGeneral Information", pages)
	default:
		report(platform.OK, "by HTTP, at %s, and DISCORD_PUBLIC_KEY is the application's", app.Endpoint)
	}
	switch {
	case err != nil:
		report(platform.Fail, "%v", err)
	case app.Registered:
		report(platform.OK, "the commands are there")
	default:
		report(platform.Warn, "the commands are not there as this version has them: serve offers them "+
			"when it starts")
	}
	if app.ID != "" {
		report(platform.OK, "to add it to a server: %s", InviteURL(app.ID))
	}
	if app.Public && len(c.Guilds) == 0 {
		report(platform.Warn, "anybody can add this bot to a server and run rounds there: set Install "+
			"Link to None at %sInstallation, then switch Public Bot off under Bot, or set %s",
			pages, GuildsVariable)
	}
}
