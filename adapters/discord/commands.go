package discord

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/bwmarrin/discordgo"
)

// Discord has no Welsh locale, so there is a command in each language, and the bot answers in the
// language of the command. Both are shown to everybody, also in the conversation with the bot: a
// permission applies to a whole command, and Manage Server would keep coordinators from their own
// rounds. The bot checks who may start a round (Manage Server) and who may manage one.
const (
	englishCommand = "maturity"
	welshCommand   = "aeddfedrwydd"
)

// The permissions of those who manage a server, and of administrators, who have every other
// (topics/permissions.mdx).
const (
	administrator = 1 << 3
	manageServer  = 1 << 5
)

// Types of options.
const (
	optionSubcommand = 1
	optionString     = 3
)

// optionRound is the option that names a round; the others are named as fields of the form that
// opens.
const optionRound = "round"

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

// words is something in English and in Welsh.
type words struct{ en, cy string }

func (w words) in(welsh bool) string {
	if welsh {
		return w.cy
	}
	return w.en
}

// argument is an option of a subcommand.
type argument struct {
	name     string
	about    words
	longest  int
	suggests bool
}

var (
	aRound = argument{optionRound, words{"The round's area, when you coordinate several", "Ardal y rownd, os ydych yn cydlynu sawl un"}, 100, true}
	anArea = argument{"area", words{"The local area, as people there call it", "Yr ardal leol, fel y mae pobl yno yn ei galw"}, 60, false}
	aRole  = argument{"role", words{"Their role, if it is the same for all", "Eu rôl, os yw'r un fath i bawb"}, 100, true}
)

// verbs are the subcommands, in both languages, as the bot knows them.
var verbs = []struct {
	word, about words
	asks        []argument
}{
	{words{"home", "hafan"}, words{"Your surveys, and the rounds you coordinate", "Eich arolygon, a'r rowndiau yr ydych yn eu cydlynu"}, nil},
	{words{"help", "cymorth"}, words{"What I can do", "Yr hyn y galla i ei wneud"}, nil},
	{words{"new", "newydd"}, words{"Start a round; its results come to this channel", "Dechrau rownd; daw'r canlyniadau i'r sianel hon"}, []argument{anArea}},
	{words{"invite", "gwahodd"}, words{"Ask people to take part", "Gofyn i bobl gymryd rhan"}, []argument{aRound, aRole}},
	{words{"button", "botwm"}, words{"Put a Join button into this channel", "Rhoi botwm Ymuno yn y sianel hon"}, []argument{aRound}},
	{words{"status", "statws"}, words{"Who has finished, and who is missing", "Pwy sydd wedi gorffen, a phwy sydd ar goll"}, []argument{aRound}},
	{words{"remind", "atgoffa"}, words{"Remind those who have not finished", "Atgoffa'r rhai sydd heb orffen"}, []argument{aRound}},
	{words{"reminders", "amserlen"}, words{"What reminders are sent when", "Pa negeseuon atgoffa sy'n cael eu hanfon, a phryd"}, []argument{aRound}},
	{words{"extend", "estyn"}, words{"Move the closing time later", "Gohirio'r amser cau"}, []argument{aRound}},
	{words{"workshop", "gweithdy"}, words{"Set when and where the workshop is", "Pennu pryd a ble y bydd y gweithdy"}, []argument{aRound}},
	{words{"team", "tîm"}, words{"Add coordinators", "Ychwanegu cydlynwyr"}, []argument{aRound}},
	{words{"close", "cau"}, words{"Close the survey and post the results; asks first", "Cau'r arolwg a phostio'r canlyniadau; mae'n gofyn yn gyntaf"}, []argument{aRound}},
	{words{"results", "canlyniadau"}, words{"Post the results of a closed survey again", "Postio canlyniadau arolwg sydd wedi cau eto"}, []argument{aRound}},
	{words{"export", "allforio"}, words{"Post the results as files", "Postio'r canlyniadau fel ffeiliau"}, []argument{aRound}},
	{words{"record", "cofnod"}, words{"Who did what in a round", "Pwy wnaeth beth mewn rownd"}, []argument{aRound}},
}

// commands returns the commands to register, globally or for one server. Those of a server have no
// contexts of their own.
func commands(global bool) []command {
	var all []command
	for _, welsh := range []bool{false, true} {
		c := command{
			Type: 1, Name: words{englishCommand, welshCommand}.in(welsh),
			Description: words{"The survey of maternity and early years services", "Yr arolwg o wasanaethau mamolaeth a blynyddoedd cynnar"}.in(welsh),
		}
		for _, v := range verbs {
			sub := option{Type: optionSubcommand, Name: v.word.in(welsh), Description: v.about.in(welsh)}
			for _, a := range v.asks {
				sub.Options = append(sub.Options, option{
					Type: optionString, Name: a.name, Description: a.about.in(welsh), Autocomplete: a.suggests, MaxLength: a.longest,
				})
			}
			c.Options = append(c.Options, sub)
		}
		if global {
			c.Contexts, c.Integrations = []int{0, 1}, []int{0} // in a server, and in the conversation with the bot
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
	if len(d.options.Guilds) == 0 {
		return []registration{d.registrationFor("", commands(true))}
	}
	all := []registration{d.registrationFor("", nil)}
	for _, g := range d.options.Guilds {
		all = append(all, d.registrationFor(g, commands(false)))
	}
	return all
}

// registrationFor returns the registration of commands in a server, or globally.
func (d *Discord) registrationFor(guild string, all []command) registration {
	path := "applications/" + d.app + "/commands"
	if guild != "" {
		path = "applications/" + d.app + "/guilds/" + guild + "/commands"
	}
	all = append([]command{}, all...) // Discord takes [] for none, and not null
	slices.SortFunc(all, func(a, b command) int { return cmp.Compare(a.Name, b.Name) })
	return registration{guild, path, all}
}

// explainRegistration adds to an error of a registration what to do about it.
func (d *Discord) explainRegistration(o registration, err error) error {
	if o.guild != "" && code(err) == discordgo.ErrCodeMissingAccess {
		return fmt.Errorf("the bot is not in server %s, or may have no commands there: invite it with the scopes bot and applications.commands, on the page Installation at %s: %w", o.guild, portal, err)
	}
	return err
}

// isRegistered returns true if Discord has the commands of a registration as they are.
func (d *Discord) isRegistered(ctx context.Context, o registration) (bool, error) {
	var there []command
	if err := d.client.do(ctx, get("read the commands", o.path), &there); err != nil {
		return false, err
	}
	for i := range there {
		slices.Sort(there[i].Contexts)
		if o.guild != "" { // of a server's commands Discord tells what it fills in itself
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
