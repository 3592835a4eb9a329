package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"maturitybot/adapters/discord"
	"maturitybot/adapters/slack"
	"maturitybot/bot/chat"
	"maturitybot/cmd/maturitybot/server"
)

// credential is what a platform gives out for its app. It comes from the environment, or from a file that the environment names: a
// command line can be read by everybody on the machine.
type credential struct {
	name  string            // of the environment variable; with _FILE after it, of the one that names a file
	what  string            // it is, with its article
	use   string            // what it is for
	where string            // it is found
	valid func(string) bool // as the adapter that uses it says
}

const (
	slackPages   = "api.slack.com/apps, your app, "
	discordPages = "discord.com/developers/applications, your application, "
)

var (
	slackBotToken = credential{
		name: "SLACK_BOT_TOKEN", what: "a bot token, which begins with xoxb-", use: "The bot in Slack.",
		where: slackPages + "OAuth & Permissions, Bot User OAuth Token (after Install to Workspace)", valid: secret(slack.IsBotToken),
	}
	slackAppToken = credential{
		name: "SLACK_APP_TOKEN", what: "an app-level token, which begins with xapp-", use: "Slack by Socket Mode: the bot calls Slack, and needs no public address.",
		where: slackPages + "Basic Information, App-Level Tokens, with the scope connections:write", valid: secret(slack.IsAppToken),
	}
	slackSigningSecret = credential{
		name: "SLACK_SIGNING_SECRET", what: "a signing secret, which is 32 digits 0-9 and a-f", use: "Slack by HTTP: Slack calls the bot. Not used when there is an app token.",
		where: slackPages + "Basic Information, App Credentials, Signing Secret", valid: secret(slack.IsSigningSecret),
	}
	discordToken = credential{
		name: "DISCORD_TOKEN", what: "a bot token", use: "The bot in Discord.",
		where: discordPages + "Bot, Reset Token", valid: secret(discord.IsToken),
	}
	discordPublicKey = credential{
		name: "DISCORD_PUBLIC_KEY", what: "a public key, which is 64 digits 0-9 and a-f", use: "Discord by HTTP: Discord calls the bot. Leave it out for the gateway, which needs no public address.",
		where: discordPages + "General Information, Public Key", valid: discord.IsPublicKey,
	}
	// credentials are all there are.
	credentials = []credential{slackBotToken, slackAppToken, slackSigningSecret, discordToken, discordPublicKey}
)

// secret is a check of a secret, of one that was read as text.
func secret(valid func(chat.Secret) bool) func(string) bool {
	return func(s string) bool { return valid(chat.Secret(s)) }
}

func (c credential) missing() string { return c.name + " is missing: " + c.where }
func (c credential) odd() string     { return c.name + " is not " + c.what + ": " + c.where }

// read returns the value, empty where there is none, or an error that repeats neither the value nor the file's name, which may be the
// value that was put into the wrong variable.
func (c credential) read(env func(string) string) (string, error) {
	value, path := strings.TrimSpace(env(c.name)), strings.TrimSpace(env(c.name+"_FILE"))
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", fmt.Errorf("%s and %[1]s_FILE are both set: take one of them away", c.name)
	}
	raw, err := os.ReadFile(path)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if err != nil {
		return "", fmt.Errorf("%s_FILE names no file that can be read: %w", c.name, err)
	}
	if value = strings.TrimSpace(string(raw)); value == "" {
		return "", fmt.Errorf("%s_FILE names a file that is empty", c.name)
	}
	return value, nil
}

// config is what the environment and the flags of serve hold, checked.
type config struct {
	Redis    chat.Secret // the address, with its password; exported, as are Slack's and Discord's
	creators []chat.Person
	slack    *server.Slack
	discord  *server.Discord
}

// faults is everything that is wrong with a configuration.
type faults []string

func (f faults) Error() string {
	return "this configuration cannot be used:\n  - " + strings.Join(f, "\n  - ")
}

// config reads the whole configuration, and names everything that is missing or wrong at once, with where it is found. What it returns
// beside that error are the parts in which nothing is wrong.
func (c *serveCommand) config() (config, error) {
	env := c.env
	if env == nil {
		env = os.Getenv
	}
	var conf config
	var wrong faults
	address, err := c.address()
	conf.Redis = chat.Secret(address)
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	for _, s := range c.Creators {
		p, err := chat.ParsePerson(strings.TrimSpace(s))
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("CREATORS: %q is no person: write platform:workspace:id, "+
				"such as slack:T024BE7LD:U2147483697", s))
		}
		conf.creators = append(conf.creators, p)
	}
	unread := false
	read := func(of credential) string {
		value, err := of.read(env)
		if err != nil {
			wrong, unread = append(wrong, err.Error()), true
		}
		return value
	}
	s := server.Slack{
		BotToken: chat.Secret(read(slackBotToken)), AppToken: chat.Secret(read(slackAppToken)),
		SigningSecret: chat.Secret(read(slackSigningSecret)),
	}
	d := server.Discord{Token: chat.Secret(read(discordToken)), PublicKey: read(discordPublicKey)}
	hasSlack := s != server.Slack{}
	hasDiscord := d.Token != "" || d.PublicKey != ""
	switch { // of what could not be read, nothing more can be said
	case unread:
	case !hasSlack && !hasDiscord:
		wrong = append(wrong, "no chat platform: set SLACK_BOT_TOKEN, and SLACK_APP_TOKEN or "+
			"SLACK_SIGNING_SECRET (docs/slack.md), or DISCORD_TOKEN (docs/discord.md)")
	default:
		if hasSlack {
			if f := slackFaults(s); len(f) > 0 {
				wrong = append(wrong, f...)
			} else {
				s.APIURL = c.SlackAPI
				conf.slack = &s
			}
		}
		if hasDiscord {
			if f := discordFaults(d); len(f) > 0 {
				wrong = append(wrong, f...)
			} else {
				d.APIURL = c.DiscordAPI
				conf.discord = &d
			}
		}
	}
	var guilds []string
	for _, g := range c.Guilds {
		g = strings.TrimSpace(g)
		guilds = append(guilds, g)
		if !discord.IsServerID(g) {
			wrong = append(wrong, fmt.Sprintf("DISCORD_GUILDS: %q is no server's id: switch on Developer Mode in Discord (Settings, Advanced), then right-click the server, Copy Server ID", g))
		}
	}
	if conf.discord != nil {
		conf.discord.Guilds = guilds
	}
	if len(wrong) > 0 {
		return conf, wrong
	}
	return conf, nil
}

// slackFaults returns what is missing or wrong in Slack's credentials.
func slackFaults(c server.Slack) (wrong faults) {
	switch {
	case c.BotToken == "":
		wrong = append(wrong, slackBotToken.missing())
	case !slackBotToken.valid(string(c.BotToken)):
		wrong = append(wrong, slackBotToken.odd())
	}
	switch {
	case c.AppToken == "" && c.SigningSecret == "":
		wrong = append(wrong, "SLACK_APP_TOKEN (for Socket Mode: "+slackAppToken.where+") or SLACK_SIGNING_SECRET (for HTTP: "+slackSigningSecret.where+") is missing")
	case c.AppToken != "" && !slackAppToken.valid(string(c.AppToken)):
		wrong = append(wrong, slackAppToken.odd())
	case c.AppToken == "" && !slackSigningSecret.valid(string(c.SigningSecret)):
		wrong = append(wrong, slackSigningSecret.odd())
	}
	return wrong
}

// discordFaults returns what is missing or wrong in Discord's credentials.
func discordFaults(c server.Discord) (wrong faults) {
	switch {
	case c.Token == "":
		wrong = append(wrong, discordToken.missing())
	case !discordToken.valid(string(c.Token)):
		wrong = append(wrong, discordToken.odd())
	}
	if c.PublicKey != "" && !discordPublicKey.valid(c.PublicKey) {
		wrong = append(wrong, discordPublicKey.odd()+"; leave it out for the gateway")
	}
	return wrong
}
