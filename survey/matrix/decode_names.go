package matrix

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"maturitybot/survey/plaintext"
)

// names maps each word that is used for things of one kind to its line.
type names map[string]int

// take adds a word to those that are taken and returns true. If it is taken already, take adds a
// fault and returns false.
func (r *reader) take(n *yaml.Node, what, word string, taken names) bool {
	key := plaintext.Key(word)
	if line, ok := taken[key]; ok {
		r.fault(n.Line, "expected one that nothing else of its kind has",
			"%s %s is there already, on line %d", what, quote(word), line)
		return false
	}
	taken[key] = n.Line
	return true
}

// words maps each id, name and other name of things of one kind, by plaintext.Key, to its owner.
type words map[string]owner

// owner is the thing that a word belongs to, by its place in the file, and the line of the word.
type owner struct{ place, line int }

// goesBy adds a word for the thing at a place. It adds a fault where another thing of the kind has
// the same word, because Vocabulary could not tell the two apart.
func (r *reader) goesBy(n *yaml.Node, place int, what, word string, taken words) {
	if n == nil || word == "" {
		return
	}
	key := plaintext.Key(word)
	if other, ok := taken[key]; ok && other.place != place {
		r.fault(n.Line, "expected one that nothing else of its kind goes by",
			"%s %s is there already, on line %d", what, quote(word), other.line)
		return
	}
	taken[key] = owner{place, n.Line}
}

// allGoBy calls goesBy for the id, the names and the other names of an element, role or level. It
// also calls check, unless that is nil, for each name.
func (r *reader) allGoBy(
	fields map[string]*yaml.Node, place int, id string, taken words,
	check func(n *yaml.Node, name string),
) {
	r.goesBy(fields["id"], place, "the id", id, taken)
	name := func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode {
			return
		}
		r.goesBy(n, place, "the name", n.Value, taken)
		if check != nil {
			check(n, n.Value)
		}
	}
	for _, field := range []string{"name", "short", "also"} {
		n := fields[field]
		switch {
		case n == nil:
		case n.Kind == yaml.MappingNode: // by language
			for i := 1; i < len(n.Content); i += 2 {
				name(n.Content[i])
			}
		case n.Kind == yaml.SequenceNode:
			for _, item := range n.Content {
				name(item)
			}
		default:
			name(n)
		}
	}
}

// levelName adds a fault for a level's name that means the number of another level, or an answer
// that is not a level.
func (r *reader) levelName(n *yaml.Node, number int, name string) {
	if other, ok := LevelNumber(name); ok && other != number {
		r.faults.Add(r.file, n.Line, "a level has a number as a name",
			"expected words: in files, a level goes by its own number, 1 for the lowest", name)
	} else if name != "" && NotALevel(name) {
		r.faults.Add(r.file, n.Line, "the name of a level has a meaning of its own in files",
			"expected another", name)
	}
}

// id returns the id of the thing that what describes, or "" and a fault if it is not allowed.
func (r *reader) id(n *yaml.Node, what string, taken names) string {
	if n == nil {
		return ""
	}
	switch id := n.Value; {
	case n.Kind != yaml.ScalarNode:
		r.fault(n.Line, "expected a word", "the id of %s is %s", what, kind(n))
	case !idForm.MatchString(id):
		r.fault(n.Line, "expected lower-case letters, digits and single hyphens, a letter first",
			"the id of %s is %s", what, quote(id))
	case len(id) > idLength:
		r.fault(n.Line, fmt.Sprintf("at most %d (Discord: 100 bytes of a button's id)", idLength),
			"the id of %s has %d characters", what, len(id))
	case slices.Contains(reserved, id):
		r.fault(n.Line, "expected another than "+strings.Join(reserved, ", "),
			"the id %q of %s has a meaning of its own", id, what)
	case r.take(n, "the id", id, taken):
		return id
	}
	return ""
}

// also returns the other names that something has in files.
func (r *reader) also(n *yaml.Node, what string) []string {
	var all []string
	for _, item := range r.items(n, "also of "+what, alsoCount) {
		if word := r.line(item, "also of "+what, alsoText); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// called describes an entry of a list for a fault: by its id if that is valid, else by its number.
func called(sort string, n *yaml.Node, i int) string {
	if n.Kind == yaml.MappingNode {
		for k := 0; k+1 < len(n.Content); k += 2 {
			if id := n.Content[k+1]; n.Content[k].Value == "id" && idForm.MatchString(id.Value) {
				return sort + " " + quote(id.Value)
			}
		}
	}
	return sort + " " + strconv.Itoa(i+1)
}
