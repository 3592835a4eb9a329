package discord

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/bwmarrin/discordgo"

	"maturitybot/bot/chat"
)

// The permissions of those who manage a server, and of administrators, who have every other
// (topics/permissions.mdx).
const (
	administrator = 1 << 3
	manageServer  = 1 << 5
)

// Types of commands and their options, and where an application can be installed.
const (
	commandChatInput = 1
	optionSubcommand = 1
	optionString     = 3
	integrationGuild = 0
)

// command is a command to register.
type command struct {
	Type         int      `json:"type"`
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	Options      []option `json:"options"`
	Contexts     []int    `json:"contexts,omitempty"`
	Integrations []int    `json:"integration_types,omitempty"`
}

type option struct {
	Type         int      `json:"type"`
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	Options      []option `json:"options,omitempty"`
	Autocomplete bool     `json:"autocomplete,omitempty"`
	MaxLength    int      `json:"max_length,omitempty"`
}

// choice is one suggestion for an option that a user is typing.
type choice struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// commands returns the commands to register, globally or for one server. All are shown to every
// user, also in the conversation with the bot: a permission applies to a whole command, and Manage
// Server would keep coordinators from their own rounds. The bot checks who may start a round and
// who may manage one.
func commands(specs []chat.CommandSpec, global bool) []command {
	var all []command
	for _, spec := range specs {
		c := command{Type: commandChatInput, Name: spec.Name, Description: spec.About}
		for _, s := range spec.Subcommands {
			sub := option{Type: optionSubcommand, Name: s.Word, Description: s.About}
			for _, o := range s.Options {
				sub.Options = append(sub.Options, option{
					Type: optionString, Name: o.Name, Description: o.About,
					Autocomplete: o.Suggests, MaxLength: o.MaxLength,
				})
			}
			c.Options = append(c.Options, sub)
		}
		if global { // those of a server have no contexts of their own
			c.Contexts = []int{contextGuild, contextBot}
			c.Integrations = []int{integrationGuild}
		}
		all = append(all, c)
	}
	return all
}

// registration is the set of commands to register in a server, or globally.
type registration struct {
	guild    string // empty is everywhere
	path     string
	commands []command
}

// registrations returns all registrations. If servers are listed, the first one removes the global
// commands.
func (d *Discord) registrations() []registration {
	specs := d.options.Commands
	if len(d.options.Guilds) == 0 {
		return []registration{registrationFor(d.app, "", commands(specs, true))}
	}
	all := []registration{registrationFor(d.app, "", nil)}
	for _, g := range d.options.Guilds {
		all = append(all, registrationFor(d.app, g, commands(specs, false)))
	}
	return all
}

// registrationFor returns the registration of an application's commands in a server, or globally.
func registrationFor(app, guild string, all []command) registration {
	path := "applications/" + app + "/commands"
	if guild != "" {
		path = "applications/" + app + "/guilds/" + guild + "/commands"
	}
	all = append([]command{}, all...) // Discord takes [] for none, and not null
	slices.SortFunc(all, func(a, b command) int { return cmp.Compare(a.Name, b.Name) })
	return registration{guild, path, all}
}

// explain adds to an error of a registration what to do about it.
func (o registration) explain(err error) error {
	if o.guild != "" && code(err) == discordgo.ErrCodeMissingAccess {
		return fmt.Errorf("the bot is not in server %s, or may have no commands there: invite it "+
			"with the scopes bot and applications.commands, on the page Installation at %s: %w",
			o.guild, portal, err)
	}
	return err
}

// isRegistered returns true if Discord has the commands of a registration as they are.
func (c *client) isRegistered(ctx context.Context, o registration) (bool, error) {
	var there []command
	if err := c.do(ctx, get("read the commands", o.path), &there); err != nil {
		return false, err
	}
	for i := range there {
		slices.Sort(there[i].Contexts)
		if o.guild != "" { // for a server, Discord returns what it fills in itself
			there[i].Contexts, there[i].Integrations = nil, nil
		}
	}
	slices.SortFunc(there, func(a, b command) int { return cmp.Compare(a.Name, b.Name) })
	one, err := digest(there)
	if err != nil {
		return false, err
	}
	two, err := digest(o.commands)
	return one == two, err
}

// digest returns a hash by which two sets of commands are compared.
func digest(all []command) (string, error) {
	b, err := encode(all)
	if err != nil {
		return "", fmt.Errorf("digest commands: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}
