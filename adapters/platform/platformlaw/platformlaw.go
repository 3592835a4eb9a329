// Package platformlaw holds the laws that every chat platform's adapter keeps: how it sends
// messages, how it treats faults of the platform, how it carries out replies, and what it never
// tells. An adapter's tests call Run with the adapter connected to its fake platform.
package platformlaw

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/platformtest"
	"maturitybot/bot/chat"
)

// Platform is an adapter that is connected to a fake platform, as the laws need it. The platform
// has one person and one place. The bot may post in the place.
type Platform struct {
	Sender chat.Sender
	// Options are what the adapter was made with.
	Options any
	// Secrets are the values that no error and no line of the log may hold.
	Secrets []string
	Place   chat.Place

	// FailPosts makes the next requests that post a message go wrong, one after another.
	FailPosts func(...Fault)
	// Posts returns how many requests to post a message were made.
	Posts func() int
	// Posted returns the text of each card in the place.
	Posted func() []string
	// Seen returns the text of each card that the person sees, wherever that is.
	Seen func() []string
	// Down ends every connection and lets none begin, until it is called with false.
	Down func(bool)
	// Button sends the person a card with a button, and returns what presses it for them.
	Button func(verb string) (press func())
	// Submit fills in and sends the form that the person has open.
	Submit func(values map[string][]string)
}

// Setup is what New makes an adapter with.
type Setup struct {
	Bot      *platformtest.Script
	Log      *platformtest.Log
	Observer *platformtest.Observer
}

// Fault is something that goes wrong with one request. Each adapter's tests translate it into what
// their fake platform can do.
type Fault struct {
	Status     int           // the HTTP status that is answered, and nothing is done
	RetryAfter time.Duration // with status 429
	Refused    bool          // the platform understands the request, and refuses it
	Lost       bool          // the message is posted, and the answer is lost
	Cut        bool          // the connection ends, and nothing is done
	Wait       time.Duration // before anything else
}

// law is one law. The bot handles events as handle says.
type law struct {
	name   string
	handle func(context.Context, chat.Event) []chat.Reply
	holds  func(*world)
}

// world is what a law is tested on.
type world struct {
	*testing.T
	*Platform
	log      *platformtest.Log
	observer *platformtest.Observer
	posted   int // calls of post, which gives each an id
}

// Run tests an adapter. Each law gets an adapter and a platform of its own from New, within a bubble
// of testing/synctest.
func Run(t *testing.T, New func(*testing.T, Setup) *Platform) {
	t.Helper()
	for _, l := range append(sendingLaws, replyLaws...) {
		t.Run(l.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				setup := Setup{
					Bot:      &platformtest.Script{Does: l.handle, How: acknowledge},
					Log:      &platformtest.Log{},
					Observer: &platformtest.Observer{},
				}
				w := &world{T: t, log: setup.Log, observer: setup.Observer}
				w.Platform = New(t, setup)
				l.holds(w)
				w.settle()
				w.noSecrets("the log", w.log.String())
			})
		})
	}
}

// acknowledge says that the verb "form" opens a form.
func acknowledge(e chat.Event) chat.Ack {
	if e.Kind == chat.Press && e.Action.Verb == "form" {
		return chat.AckForm
	}
	return chat.AckUpdate
}

// settle waits until nothing is under way.
func (w *world) settle() {
	time.Sleep(time.Minute) // of the bubble
	synctest.Wait()
}

// post posts a card under an id of its own.
func (w *world) post(text string) error {
	w.posted++
	return w.postAs(fmt.Sprint("post ", w.posted), text)
}

func (w *world) postAs(id, text string) error {
	return w.Sender.Post(w.Context(), id, w.Place, card(text), nil)
}

// noSecrets fails the test if a text holds a secret.
func (w *world) noSecrets(what, text string) {
	w.Helper()
	for _, secret := range w.Secrets {
		if strings.Contains(text, secret) {
			w.Errorf("%s holds a secret: %s", what, text)
		}
	}
}

func (w *world) want(what string, got, want any) {
	w.Helper()
	if g, e := fmt.Sprint(got), fmt.Sprint(want); g != e {
		w.Errorf("%s: %s, want %s\n%s", what, g, e, w.log)
	}
}

// took returns how long something takes by the bubble's clock, to the tenth of a second.
func took(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began).Round(100 * time.Millisecond)
}

func card(text string) chat.Card { return chat.Card{Blocks: []chat.Block{chat.Paragraph(text)}} }
