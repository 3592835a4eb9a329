// Package chat is the vocabulary between the bot and a chat platform: what a user did (Event),
// what the bot answers (Reply), and what users see (Card, Form). It uses the standard library
// only, and knows nothing of surveys, languages or any platform's payloads. Every string in it is
// plain text that is ready to be shown; an adapter escapes it.
package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Person is one user of one platform.
type Person struct{ Platform, Workspace, ID string }

// String is "platform:workspace:id", the form a person is stored in.
func (p Person) String() string { return p.Platform + ":" + p.Workspace + ":" + p.ID }

// ParsePerson reads what Person.String wrote.
func ParsePerson(s string) (Person, error) {
	a, b, c, err := splitAddress(s)
	return Person{a, b, c}, err
}

// Place is a channel of a platform, or the conversation between the bot and one person.
type Place struct{ Platform, Workspace, Channel string }

// String is "platform:workspace:channel", the form a place is stored in.
func (p Place) String() string { return p.Platform + ":" + p.Workspace + ":" + p.Channel }

// ParsePlace reads what Place.String wrote.
func ParsePlace(s string) (Place, error) {
	a, b, c, err := splitAddress(s)
	return Place{a, b, c}, err
}

// CardRef names a card that everybody in a place sees, so that it can be changed later.
type CardRef struct {
	Place   Place
	Message string // the platform's id of the message, in that place
}

func splitAddress(s string) (a, b, c string, err error) {
	parts := strings.SplitN(s, ":", 3)
	if len(parts) != 3 || parts[0] == "" || parts[2] == "" {
		return "", "", "", fmt.Errorf("read address %q: want platform:workspace:id", s)
	}
	return parts[0], parts[1], parts[2], nil
}

// EventKind is the kind of an event.
type EventKind int

// The kinds of events.
const (
	Command EventKind = iota // typed a command; Action.Verb is its first word, Action.Args the rest
	Press                    // pressed a button, or picked from a menu (Values[Picked])
	Submit                   // sent a form (Values by field id)
	Message                  // wrote to the bot in words
	Home                     // opened the bot's own page, if the platform has one: Update fills it
)

// Picked is the key in Event.Values of what was picked from a menu.
const Picked = "picked"

// Event is one action of one user.
type Event struct {
	// ID is the platform's id of the event, the same if it delivers the event again.
	ID   string
	Kind EventKind
	// At is when the user acted, by the platform's clock, or zero where it tells no time. Of two
	// events that arrive in the wrong order, it says which was the last.
	At  time.Time
	Who Person
	// Where it happened, for a Submit where its form was opened; for a conversation with one
	// person its Channel names that conversation.
	Where Place
	// Private says that Where is the person's own conversation with the bot.
	Private bool
	// SharedCard is the card that was pressed, or that opened the form, if everybody in the place
	// sees that card; else it is the zero value. Like the Action, it is what a client sent.
	SharedCard CardRef
	// Unverified says that the platform did not tell in time whether this person, a member of
	// another organisation of the same enterprise, belongs to the workspace. They are asked to try
	// again.
	Unverified bool
	// Direct says that the platform lets the bot answer in the person's own conversation with it,
	// wherever this happened.
	Direct bool
	// Admin says that the platform lets this person manage the workspace.
	Admin bool
	// Community is the platform's word for what admins manage.
	Community Community
	// Locale is the person's language as the platform tells it (BCP 47), or empty.
	Locale string
	// TimeZone is where the person's clock is, as the platform tells it (an IANA name), or empty.
	TimeZone string
	Action   Action
	Values   map[string][]string
}

// Community is what people and channels of a platform belong to, in the platform's own word.
type Community int

// The communities.
const (
	Workspace Community = iota // managed by admins and owners
	Server                     // managed by users with a permission for it
)

// Value returns the first value of a form's field, without surrounding white space.
func (e Event) Value(field string) string {
	if v := e.Values[field]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

// Action is what a press asks for. It travels inside the platform's component id, so it is short,
// holds nothing secret and is never trusted: who may do it is checked when it arrives.
type Action struct {
	Verb string
	Args []string
}

// NewAction returns the action of a verb with arguments.
func NewAction(verb string, args ...string) Action { return Action{Verb: verb, Args: args} }

// MaxAction is the longest encoded action in bytes: Discord's custom_id is 1 to 100 characters
// (developers/components/reference.mdx), Slack's action_id 255.
const MaxAction = 100

// Encode writes the action as "verb:arg:arg". A word that is empty, or holds a colon or a byte
// that is not printable ASCII, and an action longer than MaxAction are errors: nothing is cut.
func (a Action) Encode() (string, error) {
	words := append([]string{a.Verb}, a.Args...)
	for _, w := range words {
		if w == "" {
			return "", fmt.Errorf("encode action %q: an empty word", a.Verb)
		}
		for i := range len(w) {
			if w[i] <= ' ' || w[i] > '~' || w[i] == ':' {
				return "", fmt.Errorf(
					"encode action %q: a word with a colon or a character that is not plain ASCII",
					a.Verb,
				)
			}
		}
	}
	s := strings.Join(words, ":")
	if len(s) > MaxAction {
		return "", fmt.Errorf("encode action %q: %d bytes, at most %d", a.Verb, len(s), MaxAction)
	}
	return s, nil
}

// DecodeAction reads what Encode wrote, and returns an error for everything else.
func DecodeAction(s string) (Action, error) {
	words := strings.Split(s, ":")
	a := Action{Verb: words[0]}
	if len(words) > 1 {
		a.Args = words[1:]
	}
	if back, err := a.Encode(); err != nil || back != s {
		return Action{}, errors.New("decode action: not one of ours")
	}
	return a, nil
}

// Ack is the way to acknowledge an event before the replies are known. Both platforms want it
// within three seconds.
type Ack int

// The ways of acknowledging.
const (
	AckWhisper Ack = iota // something only this person sees will come
	AckUpdate             // the card that was pressed will change
	AckForm               // a form will open at once: the route makes no slow call before it
)

// Responder handles events for an adapter. The bot is one.
type Responder interface {
	// Ack returns how to acknowledge the event. It makes no slow call.
	Ack(Event) Ack
	// Handle does what the event asks for. It always has an answer for the user: failures are
	// explained in it, not returned.
	Handle(context.Context, Event) []Reply
}

// Directory finds people on a platform. An adapter is one.
type Directory interface {
	// Find returns the person of an e-mail address or a handle, as seen from a place, or ErrNobody.
	Find(ctx context.Context, from Place, word string) (Person, error)
	// Members returns the people in a place, without bots, or ErrNobody when the place cannot be
	// read.
	Members(ctx context.Context, in Place) ([]Person, error)
	// CanPost returns nil where the bot can post cards with files, a *CannotPostError where it
	// cannot, and another error where the platform does not say.
	CanPost(ctx context.Context, in Place) error
}

// CannotPostError says why the bot cannot post in a place. It counts as ErrUnreachable: there is
// no use in trying again until the cause is removed.
type CannotPostError struct {
	Reason Obstacle
	// Rights are the permissions that the bot lacks, as the platform names them to users; set for
	// MissingRights.
	Rights []string
	Err    error // of the platform, or nil
}

// Obstacle is a reason why the bot cannot post in a place.
type Obstacle string

// The obstacles.
const (
	NotMember     Obstacle = "member"     // the bot was not added, or the place was deleted
	Gone          Obstacle = "gone"       // the place does not exist any more
	Archived      Obstacle = "archived"   // nobody can post in it
	Restricted    Obstacle = "restricted" // only some people can post in it
	MissingRights Obstacle = "rights"     // see CannotPostError.Rights
)

func (e *CannotPostError) Error() string {
	text := "cannot post: " + string(e.Reason)
	if len(e.Rights) > 0 {
		text += " (" + strings.Join(e.Rights, ", ") + ")"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is says that the place is unreachable.
func (e *CannotPostError) Is(target error) bool { return target == ErrUnreachable }

// Unwrap returns the platform's error.
func (e *CannotPostError) Unwrap() error { return e.Err }

// ErrNobody is returned for a person or a place that a directory does not know.
var ErrNobody = errors.New("nobody by that name")

// Sender sends messages that no user has just asked for, at the rate that the platform allows for
// them; a call waits for its turn. An adapter is one.
type Sender interface {
	// Send sends a card to the person's own conversation with the bot. The id names this one
	// message; where the platform can, a message that is sent again under its id arrives once. It
	// returns ErrUnreachable, ErrNoConsent, ErrUnsure, or another error when the message was not
	// sent and may be tried again.
	Send(ctx context.Context, id string, to Person, card Card) error
	// Post shows a card, with files, to everybody in a place. The id names this one message. It
	// returns a *MissingFilesError where the card stands without some of its files.
	Post(ctx context.Context, id string, to Place, card Card, files []File) error
}

// ErrNoConsent is returned for a person who has not agreed to direct messages, on a platform where
// the bot sends none without consent. A post in a channel can ask them to press a button.
var ErrNoConsent = errors.New("has not agreed to direct messages")

// ErrUnreachable is returned when the platform does not deliver to a person or a place, and there
// is no use in trying again until they change something.
var ErrUnreachable = errors.New("cannot be reached")

// ErrUnsure is returned when the platform's answer was lost: the message may have arrived, and
// would arrive twice if it were sent again.
var ErrUnsure = errors.New("may have been sent or not")

// Reply is one answer to an event: Update, Redraw, Whisper, Direct, Post, OpenForm or FieldErrors.
// Replies are carried out in the order given; only a Redraw may be carried out later.
//
//sumtype:decl
type Reply interface{ reply() }

// Update changes the card that was pressed. Where there is none (a command, a dismissed card), or
// everybody in the place sees it (see Redraw), the card is whispered instead.
type Update struct {
	Card Card
	// Again shows the same card again and changes nothing, or is the zero value where no action
	// does. A platform of pages leads to it, so that loading the page again does nothing twice.
	Again Action
	// Refresh, if set, is called after the card has been changed. It returns true, with the next
	// change to make, if what the card shows has changed since it was drawn: another process may
	// have saved something and drawn it while this change was on its way, and would be drawn over.
	Refresh func(context.Context) (Update, bool)
}

// Redraw changes a card that everybody in a place sees, for everybody: the one that was pressed
// (Event.SharedCard), or another one. Other replies do not wait for it. Many people may press one
// card at once, so an adapter edits it at most every two seconds. The last edit shows what is saved
// once the last press has been handled. If the card was deleted, nothing happens.
type Redraw struct {
	Of CardRef
	// Draw returns the card as it is now. It is called at the time of each edit, and once more
	// after the last one. Only the Draw of the latest press is called, so the card depends on what
	// is saved, and not on the event.
	Draw func(context.Context) (Card, error)
}

// Whisper shows a card to the person of the event alone. With files it goes to their own
// conversation with the bot where the platform shows files to one person nowhere else.
type Whisper struct {
	Card  Card
	Files []File
	Then  Then
}

// Direct shows a card in the person's own conversation with the bot, where it stays. It answers an
// event that has Direct.
type Direct struct {
	Card Card
	Then Then
}

// Post shows a card, with files, to everybody in a place.
type Post struct {
	To    Place
	Card  Card
	Files []File
	Then  Then
}

// Then is called with what became of a card, and returns the replies that come next. If the card
// was not delivered, they replace every reply after it. It may be nil.
type Then func(Delivered) []Reply

// Delivered is the outcome of sending a card.
type Delivered struct {
	// Err is why the card was not delivered. With ErrUnsure it may have been, and counts as
	// delivered.
	Err error
	// Missing are the names of the files that did not come with the card, as far as the platform
	// tells.
	Missing []string
	// URL leads to a card that was sent as Direct, or is empty where the platform tells none.
	URL string
}

// Failed reports whether the card was certainly not delivered.
func (d Delivered) Failed() bool { return d.Err != nil && !errors.Is(d.Err, ErrUnsure) }

// WrapThen returns the reply with its Then replaced by what wrap makes of it. A reply without one
// stays as it is.
func WrapThen(reply Reply, wrap func(Then) Then) Reply {
	switch r := reply.(type) {
	case Post:
		r.Then = r.Then.wrapped(wrap)
		return r
	case Whisper:
		r.Then = r.Then.wrapped(wrap)
		return r
	case Direct:
		r.Then = r.Then.wrapped(wrap)
		return r
	case FieldErrors, OpenForm, Redraw, Update: // nothing to do
	}
	return reply
}

func (t Then) wrapped(wrap func(Then) Then) Then {
	if t == nil {
		return nil
	}
	return wrap(t)
}

// Next returns the replies that come after a card of which Then is told, given those that were to
// come after it.
func (t Then) Next(d Delivered, rest []Reply) []Reply {
	var next []Reply
	if t != nil {
		next = t(d)
	}
	if d.Failed() {
		return next
	}
	return append(next, rest...)
}

// MissingFilesError is returned when a card was posted without some of its files.
type MissingFilesError struct {
	Names []string
	Err   error // of the platform
}

func (e *MissingFilesError) Error() string {
	return fmt.Sprintf("posted without %d files: %v", len(e.Names), e.Err)
}

// Unwrap returns the platform's error.
func (e *MissingFilesError) Unwrap() error { return e.Err }

// DeliveredAfter returns the outcome of sending a card that ended with err.
func DeliveredAfter(err error) Delivered {
	if m, ok := errors.AsType[*MissingFilesError](err); ok {
		return Delivered{Missing: m.Names}
	}
	return Delivered{Err: err}
}

// OpenForm opens a form.
type OpenForm struct {
	Form Form
	// Fallback is whispered when the form cannot be opened, usually because the event was too long
	// ago.
	Fallback Card
}

// FieldErrors rejects a form: what is wrong, by field id. The form stays open where the platform
// can do that.
type FieldErrors struct{ Fields map[string]string }

func (Update) reply()      {}
func (Redraw) reply()      {}
func (Whisper) reply()     {}
func (Direct) reply()      {}
func (Post) reply()        {}
func (OpenForm) reply()    {}
func (FieldErrors) reply() {}

// File is something to upload beside a card.
type File struct {
	Name string // with extension
	Type string // media type
	Alt  string // what a picture shows, in words
	Data []byte
}
