package bot

import (
	"maps"
	"slices"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey/plaintext"
)

// command is a word that users can type after /maturity or, in Welsh, after /aeddfedrwydd. Its
// sentences are command.VERB.about, which platforms show beside the word, and command.VERB.help,
// its line on the help card.
type command struct {
	verb    string   // of its route, and the English word
	welsh   []string // the Welsh words; platforms offer the first
	options []commandOption
}

// commandOption is what users can add to a command where a platform offers fields for it. Its
// sentence is command.option.NAME.
type commandOption struct {
	name      string
	maxLength int
	suggests  bool
}

// The options of commands. roundOption is the argument of a command, as the words behind it are
// where a platform offers no fields; the others are named as fields of the form that opens.
var (
	roundOption = commandOption{"round", 100, true}
	areaOption  = commandOption{"area", 60, false}
	roleOption  = commandOption{"role", 100, true}
)

// commandTable lists the commands in the order in which platforms offer them. The words that are
// routed, what platforms offer, and the help card are made from it.
var commandTable = []command{
	{"home", []string{"hafan"}, nil},
	{"help", []string{"cymorth"}, nil},
	{"new", []string{"newydd"}, []commandOption{areaOption}},
	{"invite", []string{"gwahodd"}, []commandOption{roundOption, roleOption}},
	{"button", []string{"botwm"}, []commandOption{roundOption}},
	{"links", []string{"dolenni"}, []commandOption{roundOption}},
	{"status", []string{"statws"}, []commandOption{roundOption}},
	{"remind", []string{"atgoffa"}, []commandOption{roundOption}},
	{"reminders", []string{"amserlen"}, []commandOption{roundOption}},
	{"extend", []string{"estyn"}, []commandOption{roundOption}},
	{"workshop", []string{"gweithdy"}, []commandOption{roundOption}},
	{"rate", []string{"graddio"}, []commandOption{roundOption}},
	{"team", []string{"tîm", "tim"}, []commandOption{roundOption}},
	{"close", []string{"cau"}, []commandOption{roundOption}},
	{"results", []string{"canlyniadau"}, []commandOption{roundOption}},
	{"export", []string{"allforio"}, []commandOption{roundOption}},
	{"record", []string{"cofnod"}, []commandOption{roundOption}},
}

// word returns the word that is offered in a language.
func (c command) word(lang string) string {
	if lang == "cy" {
		return c.welsh[0]
	}
	return c.verb
}

// typedCommand is what a word asks for, and the language that it asks for it in.
type typedCommand struct{ verb, lang string }

// typedCommands are the commands by each word that users can type. Without a word it is home.
var typedCommands = commandsByWord(commandTable)

func commandsByWord(all []command) map[string]typedCommand {
	words := map[string]typedCommand{}
	for _, c := range all {
		words[c.verb] = typedCommand{c.verb, anyLanguage}
		for _, word := range c.welsh {
			words[word] = typedCommand{c.verb, "cy"}
		}
	}
	// Home is shown in the language that the person chose last, unless they ask for another.
	words["home"] = typedCommand{"home", "en"}
	words[""] = typedCommand{"home", anyLanguage}
	return words
}

// commandWord is the first word of a command as typedCommands has it, without what phones and
// people put around it: “status”, status. and *status* are status.
func commandWord(word string) string {
	if trimmed := plaintext.TrimMarks(word); trimmed != "" {
		word = trimmed
	}
	return plaintext.Key(word)
}

// meantCommand is the command that an unknown one perhaps stands for: one that is among its words,
// or one that is spelled much like its first; else empty.
func meantCommand(typed chat.Action) string {
	for _, word := range typed.Args {
		if key := commandWord(word); key != "" && typedCommands[key].verb != "" {
			return key
		}
	}
	return plaintext.Nearest(commandWord(typed.Verb), slices.Sorted(maps.Keys(typedCommands)))
}

// spellCommand returns what a user types for one of typedCommands, such as "/maturity status".
func spellCommand(v locale.Voice, word string) string {
	if typedCommands[word].lang == "cy" {
		v = v.In("cy")
	} else {
		v = v.In("en")
	}
	return "/" + v.Say("command.name") + " " + word
}

// helpLine returns what the help card says of a command.
func helpLine(v locale.Voice, c command) string {
	return v.Say("command."+c.verb+".help", "command", spellCommand(v, c.word(v.Lang)))
}

// AppSpec returns what platforms are told about the bot, with its commands in both languages.
func AppSpec(words *locale.Words) chat.AppSpec {
	english, welsh := words.In("en"), words.In("cy")
	inWelsh := commandSpec(welsh)
	inWelsh.Locale = welsh.Lang // which is not a language of every platform
	return chat.AppSpec{
		Description: english.Say("command.app"),
		Commands:    []chat.CommandSpec{commandSpec(english), inWelsh},
	}
}

// commandSpec returns the command of a language.
func commandSpec(v locale.Voice) chat.CommandSpec {
	spec := chat.CommandSpec{
		Name:     v.Say("command.name"),
		About:    v.Say("command.about"),
		Summary:  v.Say("command.summary"),
		Argument: roundOption.name,
	}
	var words []string // help last
	var help string
	for _, c := range commandTable {
		sub := chat.Subcommand{Word: c.word(v.Lang), About: v.Say("command." + c.verb + ".about")}
		for _, o := range c.options {
			sub.Options = append(sub.Options, chat.CommandOption{
				Name:      o.name,
				About:     v.Say("command.option." + o.name),
				MaxLength: o.maxLength,
				Suggests:  o.suggests,
			})
		}
		spec.Subcommands = append(spec.Subcommands, sub)
		if c.verb == "help" {
			help = sub.Word
		} else {
			words = append(words, sub.Word)
		}
	}
	spec.Hint = "[" + strings.Join(append(words, help), " | ") + "]"
	return spec
}
