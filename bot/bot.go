// Package bot turns what people do into calls to survey, and what comes back into cards. It knows the
// conversation and every route through it, and says every sentence through bot/locale; it does not know any
// chat platform, how anything is stored, or how a picture is drawn.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// NoticeVersion names the wording of the privacy notice that people accept; change it whenever the
// wording's meaning changes.
const NoticeVersion = "2026-11"

// Artist draws published results. It never sees anything that was not published.
type Artist interface {
	// Table draws the results as aligned text of at most 72 columns.
	Table(p survey.Published, lang survey.Lang) (string, error)
	// Picture draws the results as a PNG, and says in words what it shows.
	Picture(p survey.Published, lang survey.Lang) (png []byte, alt string, err error)
	// Sheets writes the results as files to keep: a spreadsheet, CSV, JSON.
	Sheets(p survey.Published, lang survey.Lang) ([]chat.File, error)
}

// Options is what a Bot is made of.
type Options struct {
	Rounds    *survey.Rounds
	Matrices  []*survey.Matrix // what a coordinator may choose from, in order
	Words     *locale.Words
	Artist    Artist
	Directory chat.Directory
	Creators  []chat.Person // may start rounds besides the platform's admins
	Log       *slog.Logger
	Now       func() time.Time
}

// Bot answers events. It keeps nothing between them.
type Bot struct {
	Options
	routes map[string]route
}

var _ chat.Responder = (*Bot)(nil)

// New makes a bot.
func New(o Options) *Bot { return &Bot{Options: o, routes: table()} }

// Ack says how the event is to be acknowledged.
func (b *Bot) Ack(e chat.Event) chat.Ack {
	if r, ok := b.routes[b.action(e).Verb]; ok && e.Kind != chat.Message {
		return r.ack
	}
	return chat.AckWhisper
}

// Handle does what the event asks for.
func (b *Bot) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	began := b.Now()
	action := b.action(e)
	e.Action = action
	replies, err := b.route(ctx, e)
	if err != nil {
		replies = b.explain(ctx, e, err)
	}
	if fault := check(replies); fault != nil {
		b.Log.Error("reply does not fit", "verb", action.Verb, "error", fault)
		replies = b.sorryInBoth("error.inside")
	}
	b.Log.Info("event", "verb", action.Verb, "person", short(e.Who), "replies", len(replies), "took", b.Now().Sub(began))
	return replies
}

// action returns what the event asks for: a command's words are brought to our verbs, and a message
// in words asks for the way home.
func (b *Bot) action(e chat.Event) chat.Action {
	switch e.Kind {
	case chat.Command:
		c, ok := commands[strings.ToLower(e.Action.Verb)]
		if !ok {
			return chat.Do("help", "?")
		}
		return chat.Do(c.verb, c.lang, strings.Join(e.Action.Args, " "))
	case chat.Message:
		return chat.Do("home")
	case chat.Undelivered:
		return chat.Do("undelivered", e.Action.Args...)
	}
	return e.Action
}

func (b *Bot) route(ctx context.Context, e chat.Event) ([]chat.Reply, error) {
	r, ok := b.routes[e.Action.Verb]
	// A press may only ask for what a button of ours can ask for; "undelivered" is said by adapters alone.
	if !ok || (r.kinds != nil && !slices.Contains(r.kinds, e.Kind)) {
		return nil, errNoRoute
	}
	return r.do(b, ctx, e)
}

// errNoRoute is a press on something that is not ours, or not any more.
var errNoRoute = errors.New("no such action")

// check returns what of the replies does not fit the platforms.
func check(replies []chat.Reply) error {
	for _, r := range replies {
		var err error
		switch r := r.(type) {
		case chat.Update:
			err = r.Card.Check()
		case chat.Whisper:
			err = r.Card.Check()
		case chat.Post:
			err = r.Card.Check()
		case chat.Direct:
			err = r.Card.Check()
		case chat.Open:
			err = r.Form.Check()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// explain is the one place where an error becomes sentences for a person.
func (b *Bot) explain(ctx context.Context, e chat.Event, err error) []chat.Reply {
	log := b.Log.With("verb", e.Action.Verb, "person", short(e.Who))
	var input *survey.InputError
	var said *refusal
	switch {
	case errors.As(err, &said):
		return said.replies
	case errors.As(err, &input):
		return b.refuseInput(e, input)
	case errors.Is(err, survey.ErrNotCoordinator):
		log.Warn("refused", "reason", "not a coordinator")
		return b.sorry(e, "error.not_coordinator")
	case errors.Is(err, errNotAllowed):
		log.Warn("refused", "reason", "may not start rounds")
		return b.sorry(e, "error.not_allowed")
	case errors.Is(err, survey.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		log.Error("store unavailable", "error", err)
		return b.sorryInBoth("error.unavailable")
	case errors.Is(err, survey.ErrNotTakingPart):
		return b.sorry(e, "error.not_taking_part")
	case errors.Is(err, survey.ErrWithdrawn):
		return b.sorry(e, "error.withdrawn")
	case errors.Is(err, survey.ErrClosed):
		return b.sorry(e, "error.closed")
	case errors.Is(err, survey.ErrNotOpen):
		return b.sorry(e, "error.not_open")
	case errors.Is(err, survey.ErrNoRound):
		return b.sorry(e, "error.no_round")
	case errors.Is(err, survey.ErrChanged):
		return b.sorry(e, "error.changed")
	case errors.Is(err, errNoRoute), errors.Is(err, errForged), errors.Is(err, survey.ErrNoElement), errors.Is(err, survey.ErrNoRating):
		log.Warn("refused", "reason", "not a button of ours")
		return b.sorry(e, "error.no_action")
	}
	log.Error("event failed", "error", err)
	return b.sorryInBoth("error.inside")
}

// sorryInBoth whispers one sentence in both languages: when something has broken, nobody can look up which
// one the person chose.
func (b *Bot) sorryInBoth(key string) []chat.Reply {
	return whisper(chat.Say(b.Words.In("en").Say(key)), chat.Say(b.Words.In("cy").Say(key)))
}

// sorry whispers one sentence, in the language that the event itself tells.
func (b *Bot) sorry(e chat.Event, key string) []chat.Reply {
	return whisper(chat.Say(b.voice(e).Say(key)))
}

// refusal is an error that already has its answer.
type refusal struct{ replies []chat.Reply }

func (r *refusal) Error() string { return "refused with an answer" }

func refuse(replies ...chat.Reply) error { return &refusal{replies} }

var errNotAllowed = errors.New("may not start a round")

// refuseInput says what was wrong with what somebody wrote, at its field where there is a form.
func (b *Bot) refuseInput(e chat.Event, in *survey.InputError) []chat.Reply {
	sentence := b.voice(e).Say("input."+in.Field+"."+in.Reason, "limit", in.Limit)
	if e.Kind == chat.Submit {
		return []chat.Reply{chat.Refuse{Fields: map[string]string{in.Field: sentence}}}
	}
	return whisper(chat.Say(sentence))
}

// voice is the language of an event before anything is known of the person: a language that the action carries,
// else the platform's.
func (b *Bot) voice(e chat.Event) locale.Voice {
	for _, a := range e.Action.Args {
		if a == "en" || a == "cy" {
			return b.Words.In(a)
		}
	}
	if strings.HasPrefix(strings.ToLower(e.Locale), "cy") {
		return b.Words.In("cy")
	}
	return b.Words.In("en")
}

// roundVoice is the language a coordinator meets: of the event where it tells one, else of the round's channel.
func (b *Bot) roundVoice(e chat.Event, round survey.Round) locale.Voice {
	if v := b.voice(e); v.Lang != "en" || len(round.Languages) == 0 || slices.Contains(e.Action.Args, "en") {
		return v
	}
	return b.Words.In(string(round.Languages[0]))
}

// seatVoice is the language a stakeholder chose, else the platform's where the round has it, else the round's first.
func (b *Bot) seatVoice(e chat.Event, seat survey.Seat) locale.Voice {
	if seat.Member.Language != "" {
		return b.Words.In(string(seat.Member.Language))
	}
	if v := b.voice(e); slices.Contains(seat.Round.Languages, survey.Lang(v.Lang)) {
		return v
	}
	if len(seat.Round.Languages) > 0 {
		return b.Words.In(string(seat.Round.Languages[0]))
	}
	return b.voice(e)
}

func person(p chat.Person) survey.PersonID { return survey.PersonID(p.String()) }

func update(blocks ...chat.Block) []chat.Reply {
	return []chat.Reply{chat.Update{Card: chat.Card{Blocks: blocks}}}
}

func whisper(blocks ...chat.Block) []chat.Reply {
	return []chat.Reply{chat.Whisper{Card: chat.Card{Blocks: blocks}}}
}

func row(buttons ...chat.Button) chat.Buttons { return chat.Buttons{Buttons: buttons} }

func button(label string, a chat.Action) chat.Button { return chat.Button{Label: label, Action: a} }

func primary(label string, a chat.Action) chat.Button {
	return chat.Button{Label: label, Action: a, Style: chat.Primary}
}

func mention(id survey.PersonID) chat.Span {
	p, err := chat.ParsePerson(string(id))
	if err != nil {
		return chat.Words(fmt.Sprintf("(%s)", id))
	}
	return chat.Mention{Person: p}
}
