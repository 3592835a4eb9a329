package matrix

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// fields returns the values of a mapping by key. It adds a fault for a key that occurs twice, is
// not known, or is missing.
func (r *reader) fields(
	n *yaml.Node, what string, required []string, optional ...string,
) map[string]*yaml.Node {
	if n == nil {
		return nil
	}
	known := slices.Concat(required, optional)
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, "expected the keys "+strings.Join(known, ", "), "%s is %s", what, kind(n))
		return nil
	}
	found := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value):
			r.fault(key.Line, nearest(key.Value, known), "%s has no key %s", what, quote(key.Value))
		case found[key.Value] != nil:
			r.fault(key.Line, "expected it once", "%s has the key %q twice", what, key.Value)
		default:
			found[key.Value] = value
		}
	}
	for _, key := range required {
		if found[key] == nil {
			r.fault(n.Line, fmt.Sprintf("expected the key %q", key), "%s lacks %s", what, key)
		}
	}
	return found
}

// items returns the entries of a list, and adds a fault where there are too few or too many.
func (r *reader) items(n *yaml.Node, what string, fits limit) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n.Line, "expected a list", "%s is %s", what, kind(n))
		return nil
	}
	entries := "entries"
	if len(n.Content) == 1 {
		entries = "entry"
	}
	switch {
	case len(n.Content) > fits.most:
		r.over(n, fits, "%s has %d entries", what, len(n.Content))
	case len(n.Content) < fits.least:
		want := fmt.Sprintf("at least %d", fits.least)
		r.fault(n.Line, want, "%s has %d %s", what, len(n.Content), entries)
	}
	return n.Content
}

// over adds a fault for something that exceeds its limit.
func (r *reader) over(n *yaml.Node, fits limit, what string, args ...any) {
	r.fault(n.Line, fmt.Sprintf("at most %d (%s)", fits.most, fits.why), what, args...)
}

// kind describes a node that should be something else.
func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "empty"
	}
	return "the text " + quote(n.Value)
}

// line returns a text in one language. It must be a single line of visible characters.
func (r *reader) line(n *yaml.Node, what string, fits limit) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(n.Line, "expected a text", "%s is %s", what, kind(n))
		return ""
	}
	s := n.Value
	if n.Tag == "!!null" || strings.TrimSpace(s) == "" {
		r.fault(n.Line, "expected a text", "%s is empty", what)
		return ""
	}
	if s != strings.TrimSpace(s) {
		r.fault(n.Line, "expected none (a folded text ends without one when it begins with >-)",
			"%s begins or ends with a space or a line end", what)
	}
	if i := strings.IndexFunc(strings.TrimSpace(s), unseen); i >= 0 {
		c, _ := utf8.DecodeRuneInString(strings.TrimSpace(s)[i:])
		r.fault(n.Line, "expected one line of visible text", "%s holds the character %U", what, c)
	}
	if length := utf8.RuneCountInString(s); length > fits.most {
		r.over(n, fits, "%s has %d characters", what, length)
	}
	return s
}

// unseen reports whether a character is invisible or changes how other characters are shown.
func unseen(c rune) bool {
	return unicode.IsControl(c) || c == utf8.RuneError ||
		unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// text returns a text in each of the matrix's languages.
func (r *reader) text(n *yaml.Node, what string, fits limit) Text {
	if n == nil || len(r.langs) == 0 {
		return nil // its languages are not known
	}
	if len(r.langs) == 1 && n.Kind == yaml.ScalarNode {
		return Text{r.langs[0]: r.line(n, what, fits)}
	}
	keys := make([]string, len(r.langs))
	for i, l := range r.langs {
		keys[i] = string(l)
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, "expected a text in each of "+strings.Join(keys, ", "), "%s is %s", what, kind(n))
		return nil
	}
	found := r.fields(n, what, keys)
	t := Text{}
	for _, key := range keys {
		t[Lang(key)] = r.line(found[key], what+" in "+key, fits)
	}
	return t
}
