package survey

import (
	"fmt"
	"strings"
)

// Fault is one thing in a file that cannot stand: a matrix, or answers or ratings that were collected elsewhere.
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
