package main

import (
	"fmt"

	"maturitybot/adapters/slack"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
)

// manifestCommand prints app manifests.
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

// appSpec returns what platforms are told about the bot.
func appSpec() (chat.AppSpec, error) {
	words, err := locale.Load()
	if err != nil {
		return chat.AppSpec{}, fmt.Errorf("describe the bot: %w", err)
	}
	return bot.AppSpec(words), nil
}
