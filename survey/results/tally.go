package results

import (
	"fmt"
	"slices"
	"strings"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// Tally counts responses: how often each element got each rating in each role group, and what
// people added to it. It keeps counts and free text, never a response. Only Publish can read it, so
// that no result gets past the disclosure rule. It is not safe for concurrent use.
type Tally struct {
	matrix      *matrix.Matrix
	elements    map[string]int // place of an element by its id
	groups      map[string]int // place of a role group by its id
	kinds       map[string]int
	cells       int     // counts for one element in one group: each level, don't know, not applicable
	counts      []int64 // by group, then element, then cell
	respondents []int64 // by group
	information []int64 // by element, then kind
	notes       [][]string
	barriers    [][]string
	turnout     Turnout
}

// NewTally returns an empty tally for the matrix, which must not change afterwards.
func NewTally(m *matrix.Matrix) *Tally {
	elements := m.Elements()
	t := &Tally{
		matrix:      m,
		elements:    make(map[string]int, len(elements)),
		groups:      make(map[string]int, len(m.RoleGroups)),
		kinds:       make(map[string]int, len(m.Information)),
		cells:       len(m.Levels) + 2,
		respondents: make([]int64, len(m.RoleGroups)+1),
		information: make([]int64, len(elements)*len(m.Information)),
		notes:       make([][]string, len(elements)),
		barriers:    make([][]string, len(elements)),
	}
	for i, e := range elements {
		t.elements[e.ID] = i
	}
	for i, g := range m.RoleGroups {
		t.groups[g.ID] = i
	}
	for i, k := range m.Information {
		t.kinds[k.ID] = i
	}
	t.counts = make([]int64, len(t.respondents)*len(elements)*t.cells)
	return t
}

// SetTurnout sets how many people were invited and how far they came.
func (t *Tally) SetTurnout(turnout Turnout) { t.turnout = turnout }

// Add counts a response. It ignores a response that answers no element of the matrix. A response
// whose role group is empty or unknown counts in a group of its own, "not stated". An element
// without a rating of the matrix counts as not answered; its Detail still counts.
func (t *Tally) Add(r Response) {
	if !t.answersAny(r) {
		return
	}
	group, ok := t.groups[r.Group]
	if !ok {
		group = len(t.groups)
	}
	t.respondents[group]++
	for id, a := range r.Answers {
		element, ok := t.elements[id]
		if !ok {
			continue
		}
		if cell, ok := t.cell(a.Rating); ok {
			t.counts[t.at(group, element)+cell]++
		}
		t.addDetail(element, a.Detail)
	}
}

// Format writes only the name of the type, so that no log line or error shows the counts.
func (t Tally) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("results.Tally")) }

func (t *Tally) answersAny(r Response) bool {
	for id, a := range r.Answers {
		if _, ok := t.elements[id]; !ok {
			continue
		}
		if _, ok := t.cell(a.Rating); ok {
			return true
		}
	}
	return false
}

func (t *Tally) addDetail(element int, d Detail) {
	for i, id := range d.Information {
		kind, ok := t.kinds[id]
		if !ok || slices.Contains(d.Information[:i], id) {
			continue
		}
		t.information[element*len(t.kinds)+kind]++
	}
	if note := plaintext.Clean(d.Note); strings.TrimSpace(note) != "" {
		t.notes[element] = append(t.notes[element], note)
	}
	if barrier := plaintext.Clean(d.Barrier); strings.TrimSpace(barrier) != "" {
		t.barriers[element] = append(t.barriers[element], barrier)
	}
}

// cell returns the index of a rating's count: the levels from 0, then don't know, not applicable.
func (t *Tally) cell(r matrix.Rating) (int, bool) {
	levels := len(t.matrix.Levels)
	switch {
	case r >= 1 && int(r) <= levels:
		return int(r) - 1, true
	case r == matrix.DontKnow:
		return levels, true
	case r == matrix.NotApplicable:
		return levels + 1, true
	}
	return 0, false
}

// at returns the index of the first count of an element in a group.
func (t *Tally) at(group, element int) int {
	return (group*len(t.elements) + element) * t.cells
}

func (t *Tally) count(group, element int) count {
	c := t.counts[t.at(group, element):][:t.cells]
	levels := t.cells - 2
	n := count{
		levels:        slices.Clone(c[:levels]),
		dontKnow:      c[levels],
		notApplicable: c[levels+1],
	}
	n.notAnswered = t.respondents[group] - n.rated() - n.dontKnow - n.notApplicable
	return n
}
