package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing in a file that cannot stand.
type Fault struct {
	File string
	Line int    // from 1
	What string // what is wrong
	Want string // what is expected
}

// Error returns the fault as one line, "FILE:LINE: what is wrong; what is expected".
func (f Fault) Error() string { return fmt.Sprintf("%s:%d: %s; %s", f.File, f.Line, f.What, f.Want) }

// Faults is everything that cannot stand in a file, in the order of its lines.
type Faults []Fault

// Error returns the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
}

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
