package matrix

import (
	"fmt"
	"strings"

	"maturitybot/survey/plaintext"
)

// quote shows a word of the file inside a fault: on one line, without anything a terminal would
// obey, and short.
func quote(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return strings.ReplaceAll(fmt.Sprintf("%q", s), "\ufffd", `\ufffd`) // %q takes it for visible
}

// nearest suggests the known word that is most like word, or lists them all.
func nearest(word string, known []string) string {
	if best := plaintext.Nearest(word, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "expected one of " + strings.Join(known, ", ")
}
