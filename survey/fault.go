package survey

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"maturitybot/survey/plaintext"
)

// Fault is one thing in a file that cannot stand: a matrix, or answers or ratings that were collected
// elsewhere. Where many lines have it, it is one fault all the same.
type Fault struct {
	File  string
	Line  int      // the first line that has it, from 1
	What  string   // what is wrong
	Want  string   // what is expected
	Words []string // the first few words of the file that it is about, where they may be shown
	More  []int    // the next few lines that have it
	Count int      // how often it was found; 0 counts as once
}

// How much of a fault that is there many times is told.
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

// faultWord is a word of the file in quotation marks: on one line, clean and short.
func faultWord(word string) string {
	word = plaintext.Line(word)
	if runes := []rune(word); len(runes) > maxFaultWord {
		word = string(runes[:maxFaultWord-1]) + "…"
	}
	return strconv.Quote(word)
}

// Faults is everything that cannot stand in a file, in the order of its lines.
type Faults []Fault

// Add notes what is wrong on a line, and the words of the file that it is about, where they may be
// shown. What is there already, with the same expectation, stays one fault that counts: a large file
// with one cause has one fault.
func (f *Faults) Add(file string, line int, what, want string, words ...string) {
	i := slices.IndexFunc(*f, func(o Fault) bool { return o.File == file && o.What == what && o.Want == want })
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
			known.Words = append(known.Words, strings.Clone(word)) // else it keeps its row in memory
		}
	}
}

// Sort puts the faults in the order of their first lines, those of one line as they were found.
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
