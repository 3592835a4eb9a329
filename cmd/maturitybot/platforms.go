package main

import (
	"fmt"
	"strings"

	"maturitybot/adapters/discord"
	"maturitybot/adapters/platform"
	"maturitybot/adapters/slack"
)

// definitions are the chat platforms that there are. No other file of the program names one.
var definitions = []platform.Definition{slack.Definition, discord.Definition}

// examplePerson shows how a person is written.
const examplePerson = "slack:T024BE7LD:U2147483697"

// platformFlags are the flags that one platform alone needs.
type platformFlags struct {
	SlackAPI   string   `name:"slack-api-url" env:"SLACK_API_URL" placeholder:"URL" help:"Another server in place of Slack's: a gateway, or a test."`
	DiscordAPI string   `name:"discord-api-url" env:"DISCORD_API_URL" placeholder:"URL" help:"Another server in place of Discord's."`
	Guilds     []string `name:"discord-guilds" env:"DISCORD_GUILDS" placeholder:"ID" help:"Discord servers to offer the commands in, and alone to do anything in, several with commas; without it, every server the bot is in."`
}

// values returns the flags by the environment variables that they can be given in.
func (f platformFlags) values() platform.Values {
	return platform.Values{
		slack.APIURLVariable:   f.SlackAPI,
		discord.APIURLVariable: f.DiscordAPI,
		discord.GuildsVariable: strings.Join(f.Guilds, ","),
	}
}

// manifestCommand prints app manifests, for platforms that have such.
type manifestCommand struct {
	Slack manifestSlack `cmd:"" help:"Print an app manifest for Slack: paste it at api.slack.com/apps, Create New App, From a manifest."`
}

type manifestSlack struct {
	Mode string `enum:"socket,http" default:"socket" help:"How Slack reaches the bot: socket (the bot calls Slack; no public address is needed) or http."`
	URL  string `name:"url" placeholder:"https://..." help:"The address at which Slack reaches the bot, for http."`
}

// Run prints the manifest.
func (c manifestSlack) Run(s streams) error {
	spec, err := appSpec()
	if err != nil {
		return err
	}
	m, err := slack.Manifest(spec, c.Mode, c.URL)
	if err != nil {
		return err
	}
	if _, err := s.out.Write(m); err != nil {
		return fmt.Errorf("print manifest: %w", err)
	}
	return nil
}
