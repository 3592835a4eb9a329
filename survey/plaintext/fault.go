package plaintext

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing that is wrong in a file. The same mistake on many lines is one fault.
type Fault struct {
	File  string
	Line  int      // the first line that has it, from 1
	What  string   // what is wrong
	Want  string   // what is expected
	Words []string // the first few words that are wrong, where they may be shown
	More  []int    // the next few lines that have it
	Count int      // how often it was found; 0 counts as once
}

// Limits of what a fault reports.
const (
	maxFaultLines = 5
	maxFaultWords = 5
	maxFaultWord  = 40 // characters
)

// Error returns the fault as one line, "FILE:LINE: what is wrong; what is expected".
func (f Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: %s", f.File, f.Line, f.What)
	for i, word := range f.Words {
		b.WriteString([]string{": ", ", "}[min(i, 1)] + faultWord(word))
	}
	if f.Count > 1 {
		fmt.Fprintf(&b, " (%d times: ", f.Count)
		if len(f.More) == 0 {
			fmt.Fprintf(&b, "line %d", f.Line)
		} else {
			fmt.Fprintf(&b, "lines %d", f.Line)
		}
		for _, line := range f.More {
			fmt.Fprintf(&b, ", %d", line)
		}
		if f.Count > 1+len(f.More) && len(f.More) == maxFaultLines-1 {
			b.WriteString(" and on")
		}
		b.WriteString(")")
	}
	return b.String() + "; " + f.Want
}

// faultWord quotes a word of the file, on one line, cleaned and shortened.
func faultWord(word string) string {
	word = Line(word)
	if runes := []rune(word); len(runes) > maxFaultWord {
		word = string(runes[:maxFaultWord-1]) + "…"
	}
	return strconv.Quote(word)
}

// Faults is everything that is wrong in a file, in the order of its lines.
type Faults []Fault

// Add adds what is wrong on a line and what is expected there, with the words that are wrong where
// they may be shown. It counts a fault that is in the list already: a large file with one cause has
// one fault.
func (f *Faults) Add(file string, line int, what, want string, words ...string) {
	i := slices.IndexFunc(*f, func(o Fault) bool {
		return o.File == file && o.What == what && o.Want == want
	})
	if i < 0 {
		*f = append(*f, Fault{File: file, Line: line, What: what, Want: want, Words: words, Count: 1})
		return
	}
	known := &(*f)[i]
	known.Count++
	if line < known.Line {
		line, known.Line = known.Line, line
	}
	if line != known.Line && !slices.Contains(known.More, line) && len(known.More) < maxFaultLines-1 {
		known.More = append(known.More, line)
		slices.Sort(known.More)
	}
	for _, word := range words {
		if !slices.Contains(known.Words, word) && len(known.Words) < maxFaultWords {
			// The word may be a part of a row, and would keep the whole row in memory.
			known.Words = append(known.Words, strings.Clone(word))
		}
	}
}

// Sort sorts the faults by their first lines. Those of one line stay in the order they were found.
func (f Faults) Sort() {
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
}

// Error returns the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}
