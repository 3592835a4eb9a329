package matrix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parse returns the root of the file's only document, or nil when that is not one mapping in plain
// YAML.
func (r *reader) parse(src []byte) *yaml.Node {
	if len(src) > MaxBytes {
		r.fault(1, fmt.Sprintf("at most %d bytes", MaxBytes), "the file is too large")
		return nil
	}
	if !r.characters(src) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		r.unreadable(err)
		return nil
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		r.fault(1, "expected a matrix", "the file is empty")
		return nil
	case err != nil:
		r.unreadable(err)
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		r.fault(second.Line, "expected one matrix a file", "a second document begins")
		return nil
	case !errors.Is(err, io.EOF):
		r.unreadable(err)
		return nil
	}
	root := doc.Content[0]
	before := len(r.faults)
	r.plain(root)
	if len(r.faults) > before {
		return nil
	}
	return root
}

// characters reports whether the source is plain text, and adds a fault for each line that is not.
// The YAML reader would not give the line.
func (r *reader) characters(src []byte) bool {
	before, line := len(r.faults), 0
	for text := range bytes.Lines(src) {
		line++
		if !utf8.Valid(text) {
			r.faults.Add(r.file, line, "the text is not UTF-8", "expected a file in UTF-8")
			continue
		}
		if i := bytes.IndexFunc(text, notText); i >= 0 {
			c, _ := utf8.DecodeRune(text[i:])
			what := fmt.Sprintf("the line holds the character %U", c)
			r.faults.Add(r.file, line, what, "expected text only")
		}
	}
	return len(r.faults) == before
}

// notText reports whether a character is not allowed in a file. YAML forbids control characters. It
// takes U+2028 and U+2029 for line ends, but many editors do not, so that line numbers would
// differ.
func notText(c rune) bool {
	switch c {
	case '\t', '\r', '\n':
		return false
	case '\uFFFE', '\uFFFF', '\u2028', '\u2029':
		return true
	}
	return unicode.IsControl(c)
}

// unreadable adds a fault for an error of the YAML reader.
func (r *reader) unreadable(err error) {
	const want = "expected YAML"
	var fault *yaml.LoadError
	if !errors.As(err, &fault) {
		r.fault(1, want, "%v", err)
		return
	}
	what := fault.Message
	if from := fault.ContextMark.Line; from > 0 && from != fault.Mark.Line {
		what = fmt.Sprintf("%s that begins on line %d: %s", fault.ContextMsg, from, what)
	} else if fault.ContextMsg != "" {
		what = fault.ContextMsg + ": " + what
	}
	r.fault(fault.Mark.Line, want, "%s", what)
}

// plain adds a fault for each anchor, alias and tag below the node. A matrix needs none of them,
// and aliases can make a small file expand to a very large one.
func (r *reader) plain(n *yaml.Node) {
	const want = "expected the text itself, written out"
	switch {
	case n.Kind == yaml.AliasNode:
		r.fault(n.Line, want, "the alias *%s cannot be used", n.Value)
		return // the node that it refers to is checked where it is written
	case n.Anchor != "":
		r.fault(n.Line, want, "the anchor &%s cannot be used", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n.Line, want, "the tag %s cannot be used", quote(n.Tag))
	}
	for _, child := range n.Content {
		r.plain(child)
	}
}
