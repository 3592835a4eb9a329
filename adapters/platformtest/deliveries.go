package platformtest

import (
	"errors"
	"sync"
)

// ErrHeld is the result of a delivery that is held back and so not answered yet.
var ErrHeld = errors.New("the delivery is held back")

// Deliveries lets a test hold back, or repeat, what a platform delivers to the bot.
type Deliveries struct {
	mu   sync.Mutex
	next map[string]*held
}

// held is a delivery that a test holds back, or a copy of one.
type held struct {
	first   bool   // false for a copy
	deliver func() // nil before the person has acted
}

// Hold holds back the next action of a person until release is called, which returns when it was
// delivered.
func (d *Deliveries) Hold(person string) (release func()) { return d.keep(person, true) }

// Copy delivers the next action of a person as usual, and once more when release is called.
func (d *Deliveries) Copy(person string) (release func()) { return d.keep(person, false) }

func (d *Deliveries) keep(person string, first bool) func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next == nil {
		d.next = map[string]*held{}
	}
	h := &held{first: first}
	d.next[person] = h
	return func() {
		d.mu.Lock()
		deliver := h.deliver
		h.deliver = nil
		if d.next[person] == h {
			delete(d.next, person) // nothing was held back
		}
		d.mu.Unlock()
		if deliver != nil {
			deliver()
		}
	}
}

// Passes reports whether an action is delivered now. A fake platform calls it with the person and
// a function that delivers the action.
func (d *Deliveries) Passes(person string, deliver func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.next[person]
	if h == nil {
		return true
	}
	delete(d.next, person)
	h.deliver = deliver
	return !h.first
}
