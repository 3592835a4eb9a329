package platformlaw

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/bot/chat"
)

// SharedCards is a fake platform with a bot in it, for the laws of cards that everybody sees. There
// is one channel with such a card, and there are people, by number.
type SharedCards interface {
	// Press has a person press a button of the shared card, by its action. It returns false if the
	// press was not acknowledged in time.
	Press(person int, action string) bool
	// PressWhisper has a person press a button of the last card that was whispered to them.
	PressWhisper(person int, action string) bool
	// Again delivers the last press once more.
	Again()
	// Submit sends the form that is open before a person.
	Submit(person int)
	// Card is what the shared card shows, as one line.
	Card() string
	// Whispers are what was whispered to a person, each as one line.
	Whispers(person int) []string
	// Edits are when requests to change the shared card arrived.
	Edits() []time.Time
	// Limit has the platform refuse the next edit, and ask to wait.
	Limit(wait time.Duration)
	// Break has the next edits fail, each in another way that may pass.
	Break()
	// Delay has edits take their time, by their number from 1, before they are made.
	Delay(of func(edit int) time.Duration)
	// Delete deletes the shared card.
	Delete()
	// Deliver has presses delivered to one of the processes of the bot, by number.
	Deliver(process int)
	// Drain ends a process of the bot.
	Drain(process int)
	// Log is what the bot has logged.
	Log() string
}

// RunSharedCards tests how an adapter changes cards that everybody sees. Each law gets a platform
// of its own from start, within a bubble of testing/synctest. Start posts Counter.Card there, and
// connects some processes of the bot, which share the counter. Laws that need more processes than
// most are left out.
func RunSharedCards(
	t *testing.T, most int,
	start func(t *testing.T, counter *Counter, processes int) SharedCards,
) {
	t.Helper()
	for _, law := range []struct {
		name      string
		processes int
		hold      func(*testing.T, *Counter, SharedCards)
	}{
		{"eighteen-people", 1, eighteenPeople},
		{"redelivered-press", 1, redeliveredPress},
		{"no-whisper", 1, noWhisper},
		{"slow-handler", 1, slowHandler},
		{"form-from-shared-card", 1, formFromSharedCard},
		{"press-on-whisper", 1, pressOnWhisper},
		{"deleted-card", 1, deletedCard},
		{"limited-edit", 1, limitedEdit},
		{"failed-edits", 1, failedEdits},
		{"failed-draw", 1, failedDraw},
		{"drained-card", 1, drainedCard},
		{"overtaken-edit", 2, overtakenEdit},
		{"two-processes", 2, twoProcesses},
	} {
		if law.processes > most {
			continue
		}
		t.Run(law.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				counter := NewCounter()
				s := start(t, counter, law.processes)
				law.hold(t, counter, s)
				rest()
				if t.Failed() {
					t.Logf("the log is\n%s", s.Log())
				}
			})
		})
	}
}

// People is how many people the laws of shared cards need.
const People = 18

// Counter is a bot whose one card says how many people have pressed it. A command posts it.
type Counter struct {
	mu      sync.Mutex
	pressed map[chat.Person]bool
	card    chat.CardRef
	slow    time.Duration // how long handling takes
	fails   int           // how many draws fail
}

// NewCounter returns a Counter whose card nobody has pressed yet.
func NewCounter() *Counter { return &Counter{pressed: map[chat.Person]bool{}} }

// Ack says how to acknowledge the event.
func (c *Counter) Ack(e chat.Event) chat.Ack {
	switch {
	case e.Kind == chat.Press && e.Action.Verb == "form":
		return chat.AckForm
	case e.Action.Verb == "back":
		return chat.AckUpdate
	}
	return chat.AckWhisper
}

// Card returns the card as it is now.
func (c *Counter) Card() chat.Card {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current()
}

// current is Card for callers that hold the mutex.
func (c *Counter) current() chat.Card {
	return buttonCard(fmt.Sprint(len(c.pressed)), "count", "silent", "form")
}

func (c *Counter) draw(context.Context) (chat.Card, error) {
	c.mu.Lock()
	fails := c.fails > 0
	c.fails--
	c.mu.Unlock()
	if fails {
		return chat.Card{}, chat.ErrUnavailable
	}
	return c.Card(), nil
}

// Handle counts the person of the event, or no longer counts them, and changes the card.
func (c *Counter) Handle(_ context.Context, e chat.Event) []chat.Reply {
	time.Sleep(c.slow)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.SharedCard != (chat.CardRef{}) {
		c.card = e.SharedCard
	}
	redraw := chat.Redraw{Of: c.card, Draw: c.draw}
	switch {
	case e.Kind == chat.Command:
		return []chat.Reply{chat.Post{To: e.Where, Card: c.current()}}
	case e.Action.Verb == "back":
		delete(c.pressed, e.Who)
		return []chat.Reply{redraw, chat.Update{Card: buttonCard("not counted")}}
	case e.Action.Verb == "form" && e.Kind == chat.Press:
		return []chat.Reply{chat.OpenForm{Form: chat.Form{
			Title: "Count", Submit: "Count", Cancel: "Cancel", Action: chat.NewAction("form"),
			Fields: []chat.Field{
				chat.Input{Label: chat.Label{ID: "note", Text: "Note", Optional: true}, Max: 10},
			},
		}}}
	}
	c.pressed[e.Who] = true
	if e.Action.Verb == "silent" {
		return []chat.Reply{redraw}
	}
	return []chat.Reply{redraw, chat.Whisper{Card: buttonCard("counted", "back")}}
}

func buttonCard(text string, verbs ...string) chat.Card {
	card := chat.Card{Blocks: []chat.Block{chat.Paragraph(text)}}
	var row chat.Buttons
	for _, verb := range verbs {
		row.Buttons = append(row.Buttons, chat.Button{Label: verb, Action: chat.NewAction(verb)})
	}
	if len(verbs) > 0 {
		card.Blocks = append(card.Blocks, row)
	}
	return card
}

// rest waits until everything has come to rest.
func rest() {
	time.Sleep(10 * time.Minute)
	synctest.Wait()
}

// wantCount checks what the shared card shows.
func wantCount(t *testing.T, s SharedCards, n int) {
	t.Helper()
	if got, want := s.Card(), fmt.Sprint(n)+" / [count] [silent] [form]"; got != want {
		t.Errorf("the card shows %q, want %q", got, want)
	}
}

// wantWhispers checks what was whispered to a person.
func wantWhispers(t *testing.T, s SharedCards, person int, want ...string) {
	t.Helper()
	if got := s.Whispers(person); !slices.Equal(got, want) {
		t.Errorf("person %d was whispered %q, want %q", person, got, want)
	}
}

// wantNoErrors checks that nothing was logged that an operator has to look at.
func wantNoErrors(t *testing.T, s SharedCards) {
	t.Helper()
	if strings.Contains(s.Log(), "level=ERROR") {
		t.Error("an error was logged")
	}
}

func press(t *testing.T, s SharedCards, person int, action string) {
	t.Helper()
	if !s.Press(person, action) {
		t.Errorf("the press of person %d was not acknowledged", person)
	}
}

const counted = "counted / [back]"

func eighteenPeople(t *testing.T, _ *Counter, s SharedCards) {
	for person := range People {
		press(t, s, person, "count")
		time.Sleep(170 * time.Millisecond) // 18 within 3.06 seconds
	}
	rest()
	wantCount(t, s, People)
	for person := range People {
		wantWhispers(t, s, person, counted)
	}
	edits := s.Edits()
	if len(edits) > 3 {
		t.Errorf("%d edits", len(edits))
	}
	for i := range edits[1:] {
		if gap := edits[i+1].Sub(edits[i]); gap < 2*time.Second {
			t.Errorf("two edits are %v apart", gap)
		}
	}
}

func redeliveredPress(t *testing.T, _ *Counter, s SharedCards) {
	press(t, s, 0, "count")
	s.Again()
	rest()
	s.Again()
	rest()
	wantCount(t, s, 1)
	wantWhispers(t, s, 0, counted)
	if n := len(s.Edits()); n != 1 {
		t.Errorf("%d edits", n)
	}
}

func noWhisper(t *testing.T, _ *Counter, s SharedCards) {
	press(t, s, 0, "silent")
	wantWhispers(t, s, 0)
	rest()
	wantWhispers(t, s, 0)
	wantCount(t, s, 1)
}

func slowHandler(t *testing.T, c *Counter, s SharedCards) {
	c.slow = 8 * time.Second
	press(t, s, 0, "count")
	wantCount(t, s, 0)
	rest()
	press(t, s, 1, "silent")
	rest()
	wantCount(t, s, 2)
	wantWhispers(t, s, 0, counted)
	wantWhispers(t, s, 1)
}

func formFromSharedCard(t *testing.T, _ *Counter, s SharedCards) {
	press(t, s, 0, "form")
	synctest.Wait()
	s.Submit(0)
	rest()
	wantCount(t, s, 1)
	wantWhispers(t, s, 0, counted)
}

// A press on a card that one person sees can change the shared card too.
func pressOnWhisper(t *testing.T, _ *Counter, s SharedCards) {
	press(t, s, 0, "count")
	press(t, s, 1, "count")
	rest()
	if !s.PressWhisper(0, "back") {
		t.Error("not acknowledged")
	}
	rest()
	wantCount(t, s, 1)
	wantWhispers(t, s, 0, "not counted")
	wantWhispers(t, s, 1, counted)
}

func deletedCard(t *testing.T, _ *Counter, s SharedCards) {
	press(t, s, 0, "count")
	rest()
	s.Delete()
	press(t, s, 1, "count")
	rest()
	wantWhispers(t, s, 1, counted)
	if n := len(s.Edits()); n != 2 {
		t.Errorf("%d edits", n)
	}
	wantNoErrors(t, s)
}

func limitedEdit(t *testing.T, _ *Counter, s SharedCards) {
	s.Limit(7 * time.Second)
	press(t, s, 0, "count")
	time.Sleep(time.Second)
	press(t, s, 1, "count")
	synctest.Wait()
	wantWhispers(t, s, 1, counted) // it does not wait for the edit
	wantCount(t, s, 0)
	rest()
	wantCount(t, s, 2)
	edits := s.Edits()
	if gap := edits[1].Sub(edits[0]); gap < 7*time.Second {
		t.Errorf("asked again after %v, told to wait 7s", gap)
	}
	if len(edits) > 3 {
		t.Errorf("%d edits", len(edits))
	}
}

func failedEdits(t *testing.T, _ *Counter, s SharedCards) {
	s.Break()
	press(t, s, 0, "count")
	synctest.Wait()
	wantWhispers(t, s, 0, counted)
	rest()
	wantCount(t, s, 1)
	wantNoErrors(t, s)
}

// The store may be asleep when the card is to be drawn.
func failedDraw(t *testing.T, c *Counter, s SharedCards) {
	c.fails = 3
	press(t, s, 0, "count")
	time.Sleep(time.Second)
	synctest.Wait()
	c.mu.Lock()
	drawn := 3 - c.fails
	c.mu.Unlock()
	if drawn != 1 {
		t.Errorf("drawn %d times within a second", drawn)
	}
	rest()
	wantCount(t, s, 1)
	if n := len(s.Edits()); n != 1 {
		t.Errorf("%d edits", n)
	}
}

func drainedCard(t *testing.T, _ *Counter, s SharedCards) {
	for person := range People {
		press(t, s, person, "count")
	}
	s.Drain(0)
	wantCount(t, s, People)
}

// The edit of one process arrives after a later one of another process.
func overtakenEdit(t *testing.T, _ *Counter, s SharedCards) {
	s.Delay(func(edit int) time.Duration {
		if edit == 1 {
			return 5 * time.Second
		}
		return 0
	})
	press(t, s, 0, "count")
	synctest.Wait()
	s.Deliver(1)
	press(t, s, 1, "count")
	synctest.Wait()
	wantCount(t, s, 2)
	time.Sleep(6 * time.Second)
	wantCount(t, s, 1) // until the first process notices
	rest()
	wantCount(t, s, 2)
}

func twoProcesses(t *testing.T, _ *Counter, s SharedCards) {
	s.Delay(func(edit int) time.Duration { return time.Duration(edit%3) * 1100 * time.Millisecond })
	for person := range People {
		s.Deliver(person % 2)
		press(t, s, person, "count")
		time.Sleep(170 * time.Millisecond)
	}
	rest()
	wantCount(t, s, People)
	for person := range People {
		wantWhispers(t, s, person, counted)
	}
	if n := len(s.Edits()); n > 8 {
		t.Errorf("%d edits", n)
	}
}
