package main

import (
	"fmt"
	"slices"
	"strings"

	"maturitybot/adapters/discord"
	"maturitybot/adapters/platform"
	"maturitybot/adapters/slack"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// definitions are the supported chat platforms. Other code does not name one, except where
// TestPlatformsAreNamedInOneTable says why.
var definitions = []platform.Definition{slack.Definition, discord.Definition}

// examplePeople are examples of how operators write a person.
const examplePeople = "slack:T024BE7LD:U2147483697 or discord::1100000000000000010"

// parsePerson reads a person as an operator writes one. It refuses an id that the platform gives to
// nobody, because a command would do nothing with it, and look as if it had.
func parsePerson(text string) (chat.Person, error) {
	who, err := chat.ParsePerson(strings.TrimSpace(text))
	if err == nil && survey.PersonID(who.String()).ByLink() {
		return who, nil
	}
	i := slices.IndexFunc(definitions, func(d platform.Definition) bool { return d.Name == who.Platform })
	if err != nil || i < 0 || (who.Workspace != "") != definitions[i].Workspaces {
		return chat.Person{}, fmt.Errorf(
			"%q is no person: write platform:workspace:id, such as %s", text, examplePeople)
	}
	return who, nil
}

// platformHelpTexts are the texts of helpTexts that name a platform.
var platformHelpTexts = map[string]string{
	"person":      "The person, as platform:workspace:id, such as " + examplePeople + ".",
	"slack_api":   "Address to use instead of Slack's API, for a gateway or a test.",
	"discord_api": "Address to use instead of Discord's API, for a gateway or a test.",
	"guilds": "Work only in these Discord servers (ids, separated by commas). Default: all " +
		"servers the bot is in.",
	"manifest_slack": "Print an app manifest for Slack. Paste it at api.slack.com/apps, " +
		"Create New App, From a manifest.",
	"manifest_mode": "How Slack reaches the bot: socket (the bot calls Slack and " +
		"needs no public address) or http.",
	"listen": "Address to listen on for requests of Slack or Discord by HTTP, and for pages.",
	"creators": "People who can start rounds besides the platform's admins, such as " +
		"slack:T024BE7LD:U2147483697. Separate several with commas.",
}

// platformFlags are the flags that belong to one platform.
type platformFlags struct {
	SlackAPI   string   `name:"slack-api-url" env:"SLACK_API_URL" placeholder:"URL" help:"slack_api"`
	DiscordAPI string   `name:"discord-api-url" env:"DISCORD_API_URL" placeholder:"URL" help:"discord_api"`
	Guilds     []string `name:"discord-guilds" env:"DISCORD_GUILDS" placeholder:"ID" help:"guilds"`
}

// values returns the values of the flags by their environment variables.
func (f platformFlags) values() platform.Values {
	return platform.Values{
		slack.APIURLVariable:   f.SlackAPI,
		discord.APIURLVariable: f.DiscordAPI,
		discord.GuildsVariable: strings.Join(f.Guilds, ","),
	}
}

// manifestCommand prints app manifests, for platforms that use them.
type manifestCommand struct {
	Slack manifestSlack `cmd:"" help:"manifest_slack"`
}

type manifestSlack struct {
	Mode string `enum:"socket,http" default:"socket" help:"manifest_mode"`
	URL  string `placeholder:"https://..." help:"Address at which Slack reaches the bot, for http."`
}

// Run prints the manifest.
func (c manifestSlack) Run(s system) error {
	m, err := slack.Manifest(bot.AppSpec(sentences()), c.Mode, c.URL)
	if err != nil {
		return err
	}
	if _, err := s.out.Write(m); err != nil {
		return fmt.Errorf("print manifest: %w", err)
	}
	return nil
}
