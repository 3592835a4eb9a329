// Package bot holds the conversation: it turns the events of a chat platform into calls to package
// survey, and the results of these calls into cards. routes.go lists everything a user can ask for.
// Every sentence comes from package bot/locale. The package knows no chat platform, no store, and
// not how a picture is drawn.
package bot

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

// ResultRenderer draws published results. It never sees an answer that was not published.
type ResultRenderer interface {
	// Table draws the shares on each level as aligned text, narrow enough for a phone.
	Table(p results.Published, lang matrix.Lang) (string, error)
	// Picture draws the results as a PNG, and says in words what it shows.
	Picture(p results.Published, lang matrix.Lang) (png []byte, alt string, err error)
	// ExportFiles writes the results as files to keep: a spreadsheet, CSV, JSON.
	ExportFiles(p results.Published, lang matrix.Lang) ([]chat.File, error)
	// AssessmentFiles writes what a workshop agreed: a picture of how ratings moved, a spreadsheet,
	// and a CSV that the report of many areas reads.
	AssessmentFiles(
		a workshop.Assessment, m *matrix.Matrix, lang matrix.Lang,
	) ([]chat.File, error)
	// Record writes the record of the round as CSV.
	Record(p results.Published, record survey.AuditLog) (chat.File, error)
}

// Options is what a Bot is made of.
type Options struct {
	Rounds *survey.Rounds
	Tools
}

// Tools are what the handlers of every audience use. They give no access to rounds.
type Tools struct {
	Matrices  matrix.List // a coordinator chooses from the newest, in this order
	Words     *locale.Words
	Renderer  ResultRenderer
	Posters   PosterRenderer
	Directory chat.Directory
	Sender    chat.Sender
	Claims    Claims
	Schedule  Schedule
	Creators  []chat.Person // may start rounds besides the platform's admins
	Log       *slog.Logger
	Now       func() time.Time
	// WebURL is what the addresses of links begin with, such as https://survey.example/s, or empty
	// where nobody can take part by link.
	WebURL string
	// Handled and Delivered, if they are set, are called with the outcome of each event, and of each
	// queued message. They may be called from several goroutines at once.
	Handled   func(Handled)
	Delivered func(Delivered)

	matrix   func(survey.Round) (*matrix.Matrix, error) // returns the matrix that a round uses
	elements *card.Elements
	salt     [16]byte // for the hashes of people in the log
}

// Claims records which events were handled, in all processes.
type Claims interface {
	// Claim claims the event, and reports whether this is its first claim. A claim ends a little
	// later than handling an event may take. Once the event is finished, it lasts for as long as a
	// platform may deliver the event again.
	Claim(ctx context.Context, event string) (bool, error)
	// Finish records that a claimed event was handled.
	Finish(ctx context.Context, event string) error
	// Finished reports whether the event was handled.
	Finished(ctx context.Context, event string) (bool, error)
	// Release takes a claim back, for an event that could not be handled.
	Release(ctx context.Context, event string) error
}

// Schedule computes when the messages of a round are sent. It knows working days, waking hours and
// cron expressions.
type Schedule interface {
	// Check returns a *survey.InputError for a plan that is not allowed.
	Check(p survey.ReminderPlan, c survey.ChannelPlan) error
	// Reminders returns when people of the zone are reminded after now, earliest first.
	Reminders(r survey.Round, zone *time.Location, now time.Time) []survey.Moment
	// Posts returns when the coordinator's channel gets something after now, earliest first.
	Posts(r survey.Round, now time.Time) []survey.Moment
	// FirstDue returns when a message of that kind was first to be sent, or false where that is not
	// known.
	FirstDue(
		r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time,
	) (time.Time, bool)
	// Tomorrow returns the reminder for a member who asks now to be reminded tomorrow, and whether
	// the survey is still open then.
	Tomorrow(r survey.Round, m survey.Member, now time.Time) (survey.Moment, bool)
	// SendWindow returns when a message that is due may be sent: now or later. It returns false for
	// one that is no longer to be sent.
	SendWindow(
		r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time,
	) (time.Time, bool)
}

// Bot answers events. It keeps nothing of a person between them.
type Bot struct {
	Options
	routes map[string]route
}

var _ chat.Responder = (*Bot)(nil)

// New makes a bot.
func New(o Options) *Bot {
	b := &Bot{Options: o, routes: routeTable()}
	b.matrix = o.Rounds.Matrix
	b.elements = card.NewElements()
	rand.Read(b.salt[:]) // it never fails: the program ends instead
	return b
}

// Ack says how the event is to be acknowledged.
func (b *Bot) Ack(e chat.Event) chat.Ack {
	if r, ok := b.routes[eventAction(e).Verb]; ok {
		return r.ack
	}
	return chat.AckWhisper
}

// Handle does what the event asks for, and returns what the person is shown. A panic is logged and
// answered with an apology: platform libraries run handlers without recovering, and one fault would
// end the bot for everybody.
func (b *Bot) Handle(ctx context.Context, e chat.Event) (replies []chat.Reply) {
	began := b.Now()
	handled := Handled{Platform: e.Who.Platform, Verb: unknownVerb, Outcome: OK}
	defer func() {
		if fault := recover(); fault != nil {
			stack := string(debug.Stack())
			b.Log.Error("panic", "fault", fmt.Sprintf("%T", fault), "stack", stack)
			replies = b.inBothLanguages("error.inside")
			handled.Outcome = Failed
		}
		if b.Handled != nil {
			handled.Took = b.Now().Sub(began)
			b.Handled(handled)
		}
	}()
	req := b.newRequest(e)
	if req.routed { // an unknown verb is a user's text, which does not go into a log
		handled.Verb = req.Action.Verb
	}
	var err error
	if replies, err = b.serve(ctx, req); err != nil {
		replies, handled.Outcome = b.explainError(ctx, req, err)
	}
	if !b.checkReplies(handled.Verb, replies) {
		handled.Outcome = Failed
	}
	if req.route.logged {
		b.Log.Info("event", "verb", handled.Verb, "person", b.personHash(e.Who),
			"replies", len(replies), "took", b.Now().Sub(began))
	}
	return replies
}

// checkReplies replaces each reply that does not fit the platforms by an apology, also among the
// replies that come after others, and reports whether all fit. The other replies are kept: what
// they tell has been done.
func (b *Bot) checkReplies(verb string, replies []chat.Reply) bool {
	fit := true
	for i, reply := range replies {
		if fault := checkReply(reply); fault != nil {
			b.Log.Error("reply does not fit", "verb", verb, "error", fault)
			replies[i], fit = b.inBothLanguages("error.inside")[0], false
			continue
		}
		if r, ok := reply.(chat.Redraw); ok {
			r.Draw = checkedDraw(r.Draw)
			replies[i] = r
			continue
		}
		replies[i] = chat.WrapThen(reply, func(then chat.Then) chat.Then {
			return func(d chat.Delivered) []chat.Reply {
				next := then(d)
				b.checkReplies(verb, next)
				return next
			}
		})
	}
	return fit
}

// checkReply returns what of the reply does not fit the platforms, or nil.
func checkReply(reply chat.Reply) error {
	switch r := reply.(type) {
	case chat.Update:
		return r.Card.Check()
	case chat.Whisper:
		return r.Card.Check()
	case chat.Direct:
		return r.Card.Check()
	case chat.Post:
		return r.Card.Check()
	case chat.OpenForm:
		if err := r.Fallback.Check(); err != nil {
			return err
		}
		return r.Form.Check()
	case chat.FieldErrors, chat.Redraw: // the card of a Redraw is checked once it is drawn
	}
	return nil
}

// checkedDraw returns a function that draws a card, and returns an error if it does not fit the
// platforms.
func checkedDraw(
	draw func(context.Context) (chat.Card, error),
) func(context.Context) (chat.Card, error) {
	return func(ctx context.Context) (chat.Card, error) {
		c, err := draw(ctx)
		if err != nil {
			return chat.Card{}, err
		}
		return c, c.Check()
	}
}

// Handled is the outcome of an event.
type Handled struct {
	Platform string
	Verb     string  // of a route, or "unknown"
	Outcome  Outcome // OK, Refused, Unavailable or Failed
	Took     time.Duration
}
