package matrix

import (
	"fmt"
	"strings"
)

// quote shows a word of the file inside a fault: on one line, without anything a terminal would obey, and short.
func quote(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// nearest says which of the known words somebody may have meant, or lists them all.
func nearest(word string, known []string) string {
	best, least := "", 3 // more than two slips are another word
	if len(word) <= 40 {
		for _, k := range known {
			if d := slips(word, k); d < min(least, len(k)) {
				best, least = k, d
			}
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "expected one of " + strings.Join(known, ", ")
}

// slips counts the letters to insert, drop or replace to turn one word into the other.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
