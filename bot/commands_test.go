package bot

import (
	"slices"
	"testing"

	"maturitybot/bot/locale"
)

func TestCommandTable(t *testing.T) {
	routes := routeTable()
	seen := map[string]string{}
	for _, c := range commandTable {
		if r, ok := routes[c.verb]; !ok || len(r.kinds) == 0 {
			t.Errorf("command %s has no route", c.verb)
		}
		for _, word := range append([]string{c.verb}, c.welsh...) {
			if other, twice := seen[word]; twice || word == "" || commandWord(word) != word {
				t.Errorf("command %s: word %q, which %q has as well or no user can type", c.verb, word, other)
			}
			seen[word] = c.verb
		}
	}
}

// Every sentence that a platform shows beside a command is there in both languages, and no two of a
// language are the same.
func TestAppSpec(t *testing.T) {
	words := locale.New()
	spec := AppSpec(words)
	if len(spec.Commands) != 2 || spec.Commands[0].Locale != "" || spec.Commands[1].Locale != "cy" {
		t.Fatalf("commands %+v, want one in English and one in Welsh", spec.Commands)
	}
	seen := []string{spec.Description}
	for _, c := range spec.Commands {
		said := []string{c.Name, c.About, c.Summary, c.Hint}
		for _, s := range c.Subcommands {
			said = append(said, s.Word, s.About)
		}
		for _, sentence := range said {
			if slices.Contains(seen, sentence) {
				t.Errorf("%s: %q is said twice", c.Name, sentence)
			}
			seen = append(seen, sentence)
		}
		if len(c.Subcommands) != len(commandTable) {
			t.Errorf("%s has %d subcommands, want %d", c.Name, len(c.Subcommands), len(commandTable))
		}
	}
}
