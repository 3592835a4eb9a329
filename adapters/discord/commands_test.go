package discord

import (
	"testing"

	"maturitybot/adapters/discord/discordschema"
	"maturitybot/bot"
	"maturitybot/bot/locale"
)

// specs are the bot's commands.
var specs = bot.AppSpec(locale.New()).Commands

func TestCommands(t *testing.T) {
	golden(t, "commands", commands(specs, true))
	valid(t, discordschema.Commands, commands(specs, true))
	valid(t, discordschema.Commands, commands(specs, false))
	for _, c := range commands(specs, true) {
		if len(c.Contexts) != 2 {
			t.Errorf("%s is not for servers and the conversation with the bot", c.Name)
		}
	}
	for _, c := range commands(specs, false) {
		if c.Contexts != nil || c.Integrations != nil {
			t.Errorf("%s has contexts, which a server's own command cannot", c.Name)
		}
	}
}

func TestDigest(t *testing.T) {
	one, err := digest(commands(specs, true))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := digest(commands(specs, true))
	other := commands(specs, true)
	other[1].Options[3].Description += "."
	changed, _ := digest(other)
	server, _ := digest(commands(specs, false))
	if one != again || one == changed || one == server {
		t.Errorf("digests %s %s %s %s", one, again, changed, server)
	}
}
