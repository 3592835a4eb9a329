package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// request is one event, with everything that can be known of it without asking the store. Handle
// makes one per event.
type request struct {
	chat.Event // its Action is in the bot's own verbs
	person     survey.PersonID
	route      route
	routed     bool // the verb has a route
	// args are the arguments of the action, of the type that the route's handler takes. They are of
	// no use where argsErr is set.
	args    any
	argsErr error
	// language is the one that the action carries, or empty. Only a language that the bot speaks
	// counts; a matrix may have others.
	language matrix.Lang
	// voice speaks the language of the action, or else that of the person's platform.
	voice locale.Voice
}

// newRequest reads an event.
func (b *Bot) newRequest(e chat.Event) *request {
	e.Action = eventAction(e)
	req := &request{Event: e, person: person(e.Who)}
	req.route, req.routed = b.routes[e.Action.Verb]
	if req.routed {
		req.args, req.argsErr = req.route.parse(e.Action.Args)
		if a, ok := req.args.(interface{ language() matrix.Lang }); ok && req.argsErr == nil {
			req.language, _ = parseLanguage(string(a.language()))
		}
	}
	if req.language != "" {
		req.voice = b.Words.In(string(req.language))
	} else {
		req.voice = b.platformVoice(e)
	}
	return req
}

// eventAction returns what the event asks for, in the bot's own verbs: the words of a command are
// translated, and a message in words asks for the home card.
func eventAction(e chat.Event) chat.Action {
	switch e.Kind {
	case chat.Command:
		c, ok := typedCommands[commandWord(e.Action.Verb)]
		if !ok {
			return chat.NewAction("help", unknownCommand, meantCommand(e.Action))
		}
		return chat.NewAction(c.verb, c.lang, strings.Join(e.Action.Args, " "))
	case chat.Message, chat.Home:
		return chat.NewAction("home")
	case chat.Press, chat.Submit: // the card or form carries the action
	}
	return e.Action
}

// roundID returns the id of the round that the action names first, if it names one.
func (req *request) roundID() (survey.RoundID, bool) {
	if len(req.Action.Args) == 0 {
		return "", false
	}
	id, err := parseRoundID(req.Action.Args[0])
	return id, err == nil
}

// show returns the reply that shows a card as the route says: in place of the card that was
// pressed, or to the person alone. The bot's own page, where a platform has one, always changes.
func (req *request) show(v view) []chat.Reply {
	if req.route.ack == chat.AckWhisper && req.Kind != chat.Home {
		return []chat.Reply{chat.Whisper{Card: v.card}}
	}
	return []chat.Reply{v.update()}
}

// view is a card and, where what it shows may change while it is on its way, how to draw it again.
type view struct {
	card chat.Card
	// again shows the card again and changes nothing, or is the zero value where no action does.
	again chat.Action
	// refresh returns the view as it is now, and whether it has changed. It may be nil.
	refresh func(context.Context) (view, bool)
}

// shownBy returns the view with the action that shows it again.
func (v view) shownBy(verb string, args ...string) view {
	v.again = chat.NewAction(verb, args...)
	return v
}

// update returns the reply that draws the view in place of the card that was pressed.
func (v view) update() chat.Update {
	update := chat.Update{Card: v.card, Again: v.again}
	if v.refresh != nil {
		update.Refresh = func(ctx context.Context) (chat.Update, bool) {
			next, changed := v.refresh(ctx)
			return next.update(), changed
		}
	}
	return update
}

// formTimeout bounds what a handler may read before it opens a form: both platforms wait three
// seconds for one.
const formTimeout = 2 * time.Second

// errUnverified refuses an event of a person who may not belong to the workspace.
var errUnverified = errors.New("it is not known whether the person belongs to the workspace")

// errNoRoute refuses an action whose verb has no route, or none for this kind of event.
var errNoRoute = errors.New("no route for the action")

// serve runs the handler of a request. A route that counts once is run for the first delivery of
// its event only, in whichever process that arrives.
func (b *Bot) serve(ctx context.Context, req *request) ([]chat.Reply, error) {
	if req.Unverified {
		return nil, errUnverified
	}
	// A press may ask only for what a button asks for, and a form for what a form does.
	if !req.routed || !slices.Contains(req.route.kinds, req.Kind) {
		return nil, errNoRoute
	}
	if req.route.ack == chat.AckForm {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, formTimeout)
		defer cancel()
	}
	if !req.route.once || req.ID == "" {
		return b.run(ctx, req)
	}
	fresh, err := b.Claims.Claim(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if !fresh {
		finished, err := b.Claims.Finished(ctx, req.ID)
		if err == nil && !finished {
			// The process that claimed the event is still at work, or has ended before it was done.
			// Nobody can tell which, so the person is asked to look again.
			return b.inBothLanguages("error.unavailable"), nil
		}
		return nil, err // the first delivery was answered
	}
	replies, err := b.run(ctx, req)
	cleanup := context.WithoutCancel(ctx)
	if errors.Is(err, survey.ErrUnavailable) || errors.Is(err, context.Canceled) {
		// The next delivery starts afresh. If this fails as well, the claim expires.
		_ = b.Claims.Release(cleanup, req.ID)
	} else if finishErr := b.Claims.Finish(cleanup, req.ID); finishErr != nil {
		b.Log.Warn("claim not finished", "error", finishErr)
	}
	return replies, err
}

// run calls the handler. A participant who presses what cannot be done any more is shown their
// current card instead, so that no old card stays behind with buttons that lead nowhere.
func (b *Bot) run(ctx context.Context, req *request) ([]chat.Reply, error) {
	if req.argsErr != nil {
		return nil, req.argsErr
	}
	replies, err := req.route.handle(b, ctx, req)
	if err == nil || !req.route.participant || !isOutdated(err) {
		return replies, err
	}
	if current, ok := (participant{}).of(b, req).fallbackView(ctx, req); ok {
		return req.show(current), nil
	}
	return nil, err
}

// isOutdated reports whether an error says that the state of a round, or of a participation, has
// moved on since the card was drawn.
func isOutdated(err error) bool {
	return errors.Is(err, survey.ErrClosed) || errors.Is(err, survey.ErrWithdrawn) ||
		errors.Is(err, survey.ErrNotTakingPart)
}

// platformVoice returns the language that the person's platform is set to.
func (h *Tools) platformVoice(e chat.Event) locale.Voice {
	if strings.HasPrefix(strings.ToLower(e.Locale), "cy") {
		return h.Words.In("cy")
	}
	return h.Words.In("en")
}

// channelVoice returns the first language of the round, in which its channel is addressed.
func (h *Tools) channelVoice(r survey.Round) locale.Voice {
	return h.Words.In(string(r.Languages[0]))
}

// roundVoice returns the language for a coordinator: that of the action or the platform where it is
// known, else the first language of the round.
func (h *Tools) roundVoice(req *request, r survey.Round) locale.Voice {
	if req.voice.Lang != "en" || req.language != "" || len(r.Languages) == 0 {
		return req.voice
	}
	return h.channelVoice(r)
}

// participantVoice returns the language for a participant, the first of these that there is: the
// language of the button, where a card has buttons in several; the language they chose; that of
// their platform, if the round has it; the round's first language.
func (h *Tools) participantVoice(req *request, part survey.Participation) locale.Voice {
	languages := part.Round.Languages
	switch {
	case req.language != "" && slices.Contains(languages, req.language):
		return h.Words.In(string(req.language))
	case part.Member.Language != "":
		return h.Words.In(string(part.Member.Language))
	case slices.Contains(languages, matrix.Lang(req.voice.Lang)), len(languages) == 0:
		return req.voice
	}
	return h.Words.In(string(languages[0]))
}
