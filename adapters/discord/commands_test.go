package discord

import (
	"testing"

	"maturitybot/adapters/discord/discordschema"
)

func TestCommands(t *testing.T) {
	golden(t, "commands", commands(true))
	valid(t, discordschema.Commands, commands(true))
	valid(t, discordschema.Commands, commands(false))
	for _, c := range commands(true) {
		if len(c.Contexts) != 2 {
			t.Errorf("%s is not for servers and the conversation with the bot", c.Name)
		}
	}
	for _, c := range commands(false) {
		if c.Contexts != nil || c.Integrations != nil {
			t.Errorf("%s has contexts, which a server's own command cannot", c.Name)
		}
	}
}

func TestDigest(t *testing.T) {
	one, err := digest(commands(true))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := digest(commands(true))
	other := commands(true)
	other[1].Options[3].Description += "."
	changed, _ := digest(other)
	server, _ := digest(commands(false))
	if one != again || one == changed || one == server {
		t.Errorf("digests %s %s %s %s", one, again, changed, server)
	}
}

func TestSubcommandsBilingual(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range verbs {
		for _, w := range []words{v.word, v.about} {
			if w.en == "" || w.cy == "" || seen[w.en] || seen[w.cy] {
				t.Errorf("%q is %q in Welsh", w.en, w.cy)
			}
			seen[w.en], seen[w.cy] = true, true
		}
	}
}
