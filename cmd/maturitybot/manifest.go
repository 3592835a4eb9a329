package main

import (
	"fmt"

	"maturitybot/adapters/slack"
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
	m, err := slack.Manifest(c.Mode, c.URL)
	if err != nil {
		return err
	}
	if _, err := s.out.Write(m); err != nil {
		return fmt.Errorf("print manifest: %w", err)
	}
	return nil
}
