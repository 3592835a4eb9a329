// Package bot turns what people do into calls to survey, and what comes back into cards. It knows the
// conversation and every route through it, and says every sentence through bot/locale; it does not know any
// chat platform, how anything is stored, or how a picture is drawn.
package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// NoticeVersion names the wording of the privacy notice that people accept; change it whenever the
// wording's meaning changes.
const NoticeVersion = "2026-11.3"

// ResultRenderer draws published results. It never sees an answer that was not published.
type ResultRenderer interface {
	// Table draws the shares on each level as aligned text, narrow enough for a phone.
	Table(p survey.Published, lang survey.Lang) (string, error)
	// Picture draws the results as a PNG, and says in words what it shows.
	Picture(p survey.Published, lang survey.Lang) (png []byte, alt string, err error)
	// Sheets writes the results as files to keep: a spreadsheet, CSV, JSON.
	ExportFiles(p survey.Published, lang survey.Lang) ([]chat.File, error)
	// Record writes the record of the round as CSV.
	Record(p survey.Published, record survey.AuditLog) (chat.File, error)
}

// Options is what a Bot is made of.
type Options struct {
	Rounds    *survey.Rounds
	Matrices  []*survey.Matrix // what a coordinator may choose from, in order
	Words     *locale.Words
	Renderer  ResultRenderer
	Directory chat.Directory
	Sender    chat.Sender
	Claims    Claims
	Schedule  Schedule
	Creators  []chat.Person // may start rounds besides the platform's admins
	Log       *slog.Logger
	Now       func() time.Time
	// Handled and Delivered, where they are set, are told what came of each event, and of each message that was owed. They may be
	// called from several goroutines at once.
	Handled   func(Handled)
	Delivered func(Delivered)
}

// Claims tells events apart that were handled before, by whichever process.
type Claims interface {
	// Claim says whether this is the first claim of the event. It lasts a little longer than handling an event may take, unless the event
	// is finished: then for as long as a platform may deliver it again.
	Claim(ctx context.Context, event string) (bool, error)
	// Finish notes that a claimed event was handled.
	Finish(ctx context.Context, event string) error
	// Finished says whether it was.
	Finished(ctx context.Context, event string) (bool, error)
	// Release takes a claim back, for an event that could not be handled.
	Release(ctx context.Context, event string) error
}

// Schedule says what of a round is sent when: it knows working days, waking hours and cron expressions.
type Schedule interface {
	// Check says why a plan, or what the channel is to get, cannot stand, as a *survey.InputError.
	Check(p survey.ReminderPlan, c survey.ChannelPlan) error
	// Reminders is when people of the zone are reminded after now, earliest first.
	Reminders(r survey.Round, zone *time.Location, now time.Time) []survey.Moment
	// Posts is when the coordinator's channel gets something after now, earliest first.
	Posts(r survey.Round, now time.Time) []survey.Moment
	// Due is when a message of that kind was first to be sent, or false where that is not known.
	FirstDue(r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time) (time.Time, bool)
	// Tomorrow is when somebody who asks now to be reminded tomorrow is, and whether the survey is still open then.
	Tomorrow(r survey.Round, m survey.Member, now time.Time) (survey.Moment, bool)
	// When says when a message that is due may be sent: at now, or later. It is false for one that is not to be sent any more.
	SendWindow(r survey.Round, m survey.Member, kind survey.MessageKind, now time.Time) (time.Time, bool)
}

// Bot answers events. It keeps nothing between them.
type Bot struct {
	Options
	routes map[string]route
	salt   [16]byte // of the short hashes in this process's log
}

var _ chat.Responder = (*Bot)(nil)

// New makes a bot.
func New(o Options) *Bot {
	b := &Bot{Options: o, routes: table()}
	rand.Read(b.salt[:]) // it never fails: the program ends instead
	return b
}

// Ack says how the event is to be acknowledged.
func (b *Bot) Ack(e chat.Event) chat.Ack {
	if r, ok := b.routes[b.action(e).Verb]; ok {
		return r.ack
	}
	return chat.AckWhisper
}

// Handle does what the event asks for.
func (b *Bot) Handle(ctx context.Context, e chat.Event) (replies []chat.Reply) {
	began := b.Now()
	came := Handled{Platform: e.Who.Platform, Verb: unknownVerb, Outcome: OK}
	defer func() {
		// Platform libraries run handlers without a net: one fault would end the bot for everybody.
		if fault := recover(); fault != nil {
			b.Log.Error("panic", "fault", fmt.Sprintf("%T", fault), "stack", string(debug.Stack()))
			replies, came.Outcome = b.whisperInBothLanguages("error.inside"), Failed
		}
		if b.Handled != nil {
			came.Took = b.Now().Sub(began)
			b.Handled(came)
		}
	}()
	action := b.action(e)
	e.Action = action
	if _, ours := b.routes[action.Verb]; ours { // what somebody made up has no place in a log
		came.Verb = action.Verb
	}
	var err error
	if replies, err = b.route(ctx, e); err != nil {
		came.Outcome = Refused // unless it turns out worse
		replies = b.explainError(ctx, e, err, &came.Outcome)
	}
	for i, reply := range replies {
		if form, ok := reply.(chat.OpenForm); ok {
			form.Fallback = chat.Card{Blocks: []chat.Block{chat.Paragraph(b.voice(e).Say("error.form_late"))}}
			replies[i] = form
		}
	}
	if !b.checkReplies(came.Verb, replies) {
		came.Outcome = Failed
	}
	if b.routes[came.Verb].logged {
		b.Log.Info("event", "verb", came.Verb, "person", b.personHash(e.Who), "replies", len(replies), "took", b.Now().Sub(began))
	}
	return replies
}

// checkReplies puts an apology in place of each reply that does not fit the platforms, also of those that come after others, and says whether
// all fit so far. The others stand: what they tell of has been done.
func (b *Bot) checkReplies(verb string, replies []chat.Reply) bool {
	fit := true
	for i, reply := range replies {
		if fault := checkReply(reply); fault != nil {
			b.Log.Error("reply does not fit", "verb", verb, "error", fault)
			replies[i], fit = b.whisperInBothLanguages("error.inside")[0], false
			continue
		}
		switch r := reply.(type) {
		case chat.Post:
			r.Then = b.checkThen(verb, r.Then)
			replies[i] = r
		case chat.Whisper:
			r.Then = b.checkThen(verb, r.Then)
			replies[i] = r
		case chat.Direct:
			r.Then = b.checkThen(verb, r.Then)
			replies[i] = r
		}
	}
	return fit
}

func (b *Bot) checkThen(verb string, then chat.Then) chat.Then {
	if then == nil {
		return nil
	}
	return func(d chat.Delivered) []chat.Reply {
		next := then(d)
		b.checkReplies(verb, next)
		return next
	}
}

// action returns what the event asks for: a command's words are brought to our verbs, and a message
// in words asks for the way home.
func (b *Bot) action(e chat.Event) chat.Action {
	switch e.Kind {
	case chat.Command:
		c, ok := commands[commandWord(e.Action.Verb)]
		if !ok {
			return chat.NewAction("help", unknownCommand, meantCommand(e.Action))
		}
		return chat.NewAction(c.verb, c.lang, strings.Join(e.Action.Args, " "))
	case chat.Message, chat.Home:
		return chat.NewAction("home")
	}
	return e.Action
}

func (b *Bot) route(ctx context.Context, e chat.Event) ([]chat.Reply, error) {
	if e.Unverified {
		return nil, errUnverified
	}
	r, ok := b.routes[e.Action.Verb]
	if r.ack == chat.AckForm {
		// A form must open while the gesture is fresh: both platforms wait three seconds.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, formTimeout)
		defer cancel()
	}
	// A press may only ask for what a button of ours can ask for, a form for what a form can.
	if !ok || !slices.Contains(r.kinds, e.Kind) {
		return nil, errNoRoute
	}
	if !r.once || e.ID == "" {
		return r.do(b, ctx, e)
	}
	fresh, err := b.Claims.Claim(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	if !fresh {
		finished, err := b.Claims.Finished(ctx, e.ID)
		if err == nil && !finished {
			// Whoever claimed it is at it still, or died over it: nobody can tell which, so the person is not left to believe it done.
			return b.whisperInBothLanguages("error.unavailable"), nil
		}
		return nil, err // the first time answered it
	}
	replies, err := r.do(b, ctx, e)
	note := context.WithoutCancel(ctx)
	if errors.Is(err, survey.ErrUnavailable) {
		// Whoever delivers it again finds it as it was. When this fails as well, the claim ends by itself.
		_ = b.Claims.Release(note, e.ID)
	} else if bad := b.Claims.Finish(note, e.ID); bad != nil {
		b.Log.Warn("claim not finished", "error", bad)
	}
	return replies, err
}

// formTimeout is how long reading may take before a form opens.
const formTimeout = 2 * time.Second

// errUnverified is an event of somebody of whom it is not known whether they belong to the workspace.
var errUnverified = errors.New("it is not known whether the person belongs to the workspace")

// errNoRoute is a press on something that is not ours, or not any more.
var errNoRoute = errors.New("no such action")

// checkReply returns what of the reply does not fit the platforms.
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
	}
	return nil
}

// Handled is what came of an event.
type Handled struct {
	Platform string
	Verb     string  // of a route, or "unknown"
	Outcome  Outcome // OK, Refused, Unavailable or Failed
	Took     time.Duration
}

// explainError is the one place where an error becomes sentences for a person. It says so in the outcome when the error is no refusal.
func (b *Bot) explainError(ctx context.Context, e chat.Event, err error, outcome *Outcome) []chat.Reply {
	log := b.Log
	if r, ours := b.routes[e.Action.Verb]; ours {
		log = log.With("verb", e.Action.Verb)
		if r.logged {
			log = log.With("person", b.personHash(e.Who))
		}
	}
	if errors.Is(err, errUnverified) { // nothing of the store is for them
		log.Warn("refused", "reason", "not known to belong to the workspace")
		return b.whisperInBothLanguages("error.unverified")
	}
	if !errors.Is(err, survey.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) && len(e.Action.Args) > 0 {
		// No platform tells that somebody wants Welsh; the roster does.
		if id, bad := parseRoundID(e.Action.Args[0]); bad == nil {
			if seat, bad := b.Rounds.Participation(ctx, id, person(e.Who)); bad == nil && seat.Member.Language != "" {
				e.Locale = string(seat.Member.Language)
			}
		}
	}
	var input *survey.InputError
	var said *refusal
	switch {
	case errors.As(err, &said):
		return said.replies
	case errors.As(err, &input):
		return b.refuseInput(e, input)
	case errors.Is(err, survey.ErrNotCoordinator):
		log.Warn("refused", "reason", "not a coordinator")
		b.auditRefusal(ctx, e, log)
		return b.whisperSentence(e, "error.not_coordinator")
	case errors.Is(err, errNotAllowed):
		log.Warn("refused", "reason", "may not start rounds")
		return b.whisperSentence(e, b.communityKey(e, "error.not_allowed_workspace", "error.not_allowed_server"))
	case errors.Is(err, survey.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		log.Error("store unavailable", "error", err)
		*outcome = Unavailable
		return b.whisperInBothLanguages("error.unavailable")
	case errors.Is(err, survey.ErrOpened):
		return b.whisperSentence(e, "draft.opened")
	case errors.Is(err, survey.ErrNotTakingPart):
		return b.whisperSentence(e, "error.not_taking_part")
	case errors.Is(err, survey.ErrWithdrawn):
		return b.whisperSentence(e, "error.withdrawn")
	case errors.Is(err, survey.ErrClosed):
		return b.whisperSentence(e, "error.closed")
	case errors.Is(err, survey.ErrNotOpen):
		return b.whisperSentence(e, "error.not_open")
	case errors.Is(err, survey.ErrNoRound):
		return b.whisperSentence(e, "error.no_round")
	case errors.Is(err, survey.ErrChanged):
		return b.whisperSentence(e, "error.changed")
	case errors.Is(err, errNoRoute), errors.Is(err, errForged), errors.Is(err, survey.ErrNoElement), errors.Is(err, survey.ErrNoRating):
		log.Warn("refused", "reason", "not a button of ours")
		return b.whisperSentence(e, "error.no_action")
	}
	log.Error("event failed", "error", err)
	*outcome = Failed
	return b.whisperInBothLanguages("error.inside")
}

// auditRefusal keeps in the record of a round that somebody who does not coordinate it tried to steer or see it.
func (b *Bot) auditRefusal(ctx context.Context, e chat.Event, log *slog.Logger) {
	if len(e.Action.Args) == 0 {
		return
	}
	id, err := parseRoundID(e.Action.Args[0])
	if err == nil {
		err = b.Rounds.AuditRefused(ctx, id, person(e.Who), auditLabel(e.Action.Verb))
	}
	if err != nil {
		log.Error("a refusal is not recorded", "error", err)
	}
}

// whisperInBothLanguages whispers one sentence in both languages: when something has broken, nobody can look up which
// one the person chose.
func (b *Bot) whisperInBothLanguages(key string) []chat.Reply {
	return whisper(chat.Paragraph(b.Words.In("en").Say(key)), chat.Paragraph(b.Words.In("cy").Say(key)))
}

// whisperSentence whispers one sentence, in the language that the event itself tells.
func (b *Bot) whisperSentence(e chat.Event, key string) []chat.Reply {
	return whisper(chat.Paragraph(b.voice(e).Say(key)))
}

// communityKey returns the key of the sentence for a platform of workspaces, or of servers.
func (b *Bot) communityKey(e chat.Event, workspace, server string) string {
	if e.Community == chat.Server {
		return server
	}
	return workspace
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
		return []chat.Reply{chat.FieldErrors{Fields: map[string]string{in.Field: sentence}}}
	}
	return whisper(chat.Paragraph(sentence))
}

// actionLanguage is the language that the action of an event carries, or empty.
func (b *Bot) actionLanguage(e chat.Event) survey.Lang {
	r, ok := b.routes[e.Action.Verb]
	if !ok {
		return ""
	}
	if lang, err := parseLanguage(string(r.language(e.Action.Args))); err == nil {
		return lang
	}
	return "" // of the matrix, perhaps, but none that the bot speaks
}

// voice is the language of an event before anything is known of the person: a language that the action carries,
// else the platform's.
func (b *Bot) voice(e chat.Event) locale.Voice {
	if lang := b.actionLanguage(e); lang != "" {
		return b.Words.In(string(lang))
	}
	if strings.HasPrefix(strings.ToLower(e.Locale), "cy") {
		return b.Words.In("cy")
	}
	return b.Words.In("en")
}

// roundVoice is the language a coordinator meets: of the event where it tells one, else of the round's channel.
func (b *Bot) roundVoice(e chat.Event, round survey.Round) locale.Voice {
	if v := b.voice(e); v.Lang != "en" || len(round.Languages) == 0 || b.actionLanguage(e) != "" {
		return v
	}
	return b.Words.In(string(round.Languages[0]))
}

// participantVoice is the language of the button that a stakeholder pressed where it was one of several, else the one they chose, else the
// platform's where the round has it, else the round's first.
func (b *Bot) participantVoice(e chat.Event, seat survey.Participation) locale.Voice {
	if lang := b.actionLanguage(e); lang != "" && slices.Contains(seat.Round.Languages, lang) {
		return b.Words.In(string(lang))
	}
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
