package bot

import (
	"context"
	"maps"
	"slices"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
)

// route is one thing that a user can ask for.
type route struct {
	ack   chat.Ack
	kinds []chat.EventKind // the kinds of events that may ask for it
	// once says that an event that is delivered again must not be handled again: it would post a
	// second time, or undo what was done since.
	once bool
	// participant says that a participant who is too late is shown their current card.
	participant bool
	// logged says that each such event has a line in the log, with a hash of the person. A
	// participant's events have none: the times at which a person was active could give away which
	// answers are theirs.
	logged bool
	// label is the part of the key "button.LABEL" that names the route in the record of a round. It
	// is the verb, where it is empty.
	label string
	// parse reads the arguments of the action into the type that handle expects.
	parse  func(args []string) (any, error)
	handle func(*Bot, context.Context, *request) ([]chat.Reply, error)
}

// routeTable returns every route by the verb of its action.
func routeTable() map[string]route {
	all := generalRoutes()
	for verb, r := range participantRoutes() {
		r.participant = true
		all[verb] = r
	}
	for verb, r := range coordinatorRoutes() {
		r.logged = true
		all[verb] = r
	}
	return all
}

// Verbs returns every verb that Handled can name, sorted.
func Verbs() []string {
	verbs := slices.AppendSeq([]string{unknownVerb}, maps.Keys(routeTable()))
	slices.Sort(verbs)
	return verbs
}

// unknownVerb stands for every verb without a route, which a user may have made up.
const unknownVerb = "unknown"

func generalRoutes() map[string]route {
	return map[string]route{
		"home": whisper(parseGeneral, (*Bot).home), // the person's surveys and rounds
	}
}

func participantRoutes() map[string]route {
	return map[string]route{
		// Before they start. Only they see what comes of a press on a card in a channel.
		"join":    reply(chat.AckWhisper, parseRoundLanguage, (*Bot).join).onlyOnce(),
		"begin":   live(parseRound, (*Bot).begin), // the invitation becomes the survey
		"lang":    reply(chat.AckUpdate, parseLanguageSwitch, (*Bot).switchLanguage),
		"accept":  live(parseRound, (*Bot).accept), // the privacy notice was read
		"decline": live(parseRoundLanguage, (*Bot).decline).onlyOnce(),
		"notice":  whisper(parseRound, (*Bot).showNotice), // the privacy notice, to read again
		"resume":  reply(chat.AckWhisper, parseRound, (*Bot).resume),

		// In the survey: one card that changes.
		"me":      live(parseRound, (*Bot).showProfile),
		"role":    live(parseRound, (*Bot).pickRole),
		"scope":   live(parseScope, (*Bot).pickScope),
		"org":     openForm(parseOrganisation, (*Bot).organisationForm),
		"saveorg": live(parseRound, (*Bot).saveOrganisation).fromForm(),
		"go":      live(parseRound, (*Bot).proceed), // to the first element without an answer
		"at":      live(parseElement, (*Bot).showElement),
		"change":  live(parseElement, (*Bot).showElement), // from beside what was saved
		"jump":    live(parseRound, (*Bot).jump),
		"answer":  live(parseAnswer, (*Bot).answer),
		"detail":  openForm(parseDetail, (*Bot).detailForm),
		"keep":    live(parseElement, (*Bot).keepDetail).fromForm(),
		"list":    live(parseRound, (*Bot).showList),
		"levels":  whisper(parseRound, (*Bot).showLevels),
		"review":  live(parseRound, (*Bot).showReview),
		"submit":  live(parseRound, (*Bot).submit),
		"kept":    live(parseRound, (*Bot).showPersonalData),
		"erase":   update(parseRound, (*Bot).withdraw).onlyOnce(),

		// About reminders.
		"tomorrow": update(parseRoundLanguage, (*Bot).remindTomorrow).onlyOnce(),
		"stop":     update(parseRoundLanguage, (*Bot).stopReminding).onlyOnce(),
		"again":    update(parseRoundLanguage, (*Bot).remindAgain).onlyOnce(),
	}
}

// coordinatorRoutes returns the routes of a coordinator. Each action carries the language that it
// was asked in.
func coordinatorRoutes() map[string]route {
	return map[string]route{
		"new":       openForm(parseGeneral, (*Bot).newForm),
		"create":    whisper(parseGeneral, (*Bot).createRound).fromForm(),
		"redraft":   openForm(parseCoordinator, (*Bot).redraftForm),
		"saveround": update(parseCoordinator, (*Bot).saveRound).fromForm().partOf("redraft"),
		"rules":     openForm(parseCoordinator, (*Bot).rulesForm),
		"saverules": update(parseCoordinator, (*Bot).saveRules).fromForm().partOf("rules"),
		"open":      reply(chat.AckUpdate, parseCoordinator, (*Bot).openRound),

		"invite":     openForm(parseTarget, (*Bot).inviteForm),
		"sendinvite": whisper(parseCoordinator, (*Bot).sendInvitations).fromForm().partOf("invite"),
		"button":     reply(chat.AckWhisper, parseTarget, (*Bot).postJoinButton).onlyOnce(),
		"status":     whisper(parseTarget, (*Bot).status),
		"remind":     whisper(parseTarget, (*Bot).remind).onlyOnce(),

		"reminders": whisper(parseTarget, (*Bot).showPlan), // what is sent when, and to how many
		"plan":      openForm(parseCoordinator, (*Bot).planForm),
		"saveplan":  update(parseCoordinator, (*Bot).savePlan).fromForm().partOf("plan"),
		"posts":     openForm(parseCoordinator, (*Bot).postsForm),
		"saveposts": update(parseCoordinator, (*Bot).savePosts).fromForm().partOf("posts"),
		"pause":     update(parseCoordinator, (*Bot).pause).onlyOnce(),
		"goon":      update(parseCoordinator, (*Bot).unpause).onlyOnce(),

		"extend": openForm(parseTarget, (*Bot).extendForm),
		"saveextend": reply(chat.AckWhisper, parseCoordinator, (*Bot).saveExtension).
			fromForm().partOf("extend"),
		"workshop": openForm(parseTarget, (*Bot).workshopForm),
		"saveplace": reply(chat.AckUpdate, parseCoordinator, (*Bot).saveWorkshop).
			fromForm().onlyOnce().partOf("workshop"),

		"team":     openForm(parseTarget, (*Bot).teamForm),
		"takeon":   whisper(parseCoordinator, (*Bot).takeOn).onlyOnce(), // an admin adds themselves
		"saveteam": whisper(parseCoordinator, (*Bot).saveTeam).fromForm().partOf("team"),

		"close": whisper(parseTarget, (*Bot).askToClose),
		"closenow": reply(chat.AckUpdate, parseCoordinator, (*Bot).closeNow).
			onlyOnce().partOf("close"),
		"closeonly": update(parseCoordinator, (*Bot).closeOnly). // without posting the results
										onlyOnce().partOf("close"),

		"results": reply(chat.AckWhisper, parseDestination, (*Bot).postResults).onlyOnce(),
		"export":  reply(chat.AckWhisper, parseDestination, (*Bot).exportFiles).onlyOnce(),
		"record":  whisper(parseTarget, (*Bot).showAuditLog), // who did what
		"page":    update(parsePage, (*Bot).turnAuditPage).partOf("record"),
		"help":    whisper(parseGeneral, (*Bot).help),
	}
}

// whisper makes a route whose card is shown to the person alone.
func whisper[A any](
	parse func([]string) (A, error),
	handle func(*Bot, context.Context, *request, A) (chat.Card, error),
) route {
	return newRoute(chat.AckWhisper, parse, handle, showCard)
}

// update makes a route whose card takes the place of the card that was pressed.
func update[A any](
	parse func([]string) (A, error),
	handle func(*Bot, context.Context, *request, A) (chat.Card, error),
) route {
	return newRoute(chat.AckUpdate, parse, handle, showCard)
}

// live is update for a card that is drawn again while what it shows changes.
func live[A any](
	parse func([]string) (A, error), handle func(*Bot, context.Context, *request, A) (view, error),
) route {
	return newRoute(chat.AckUpdate, parse, handle, (*request).show)
}

// openForm makes a route that opens a form.
func openForm[A any](
	parse func([]string) (A, error),
	handle func(*Bot, context.Context, *request, A) (chat.Form, error),
) route {
	return newRoute(chat.AckForm, parse, handle, showForm)
}

// reply makes a route whose handler returns its replies itself, because it does more than show the
// person one card.
func reply[A any](
	ack chat.Ack, parse func([]string) (A, error),
	handle func(*Bot, context.Context, *request, A) ([]chat.Reply, error),
) route {
	same := func(_ *request, replies []chat.Reply) []chat.Reply { return replies }
	return newRoute(ack, parse, handle, same)
}

// newRoute makes a route for presses and commands: handle answers a request, and show turns the
// answer into replies.
func newRoute[A, R any](
	ack chat.Ack, parse func([]string) (A, error),
	handle func(*Bot, context.Context, *request, A) (R, error),
	show func(*request, R) []chat.Reply,
) route {
	return route{
		ack:   ack,
		kinds: []chat.EventKind{chat.Press, chat.Command, chat.Message, chat.Home},
		parse: func(args []string) (any, error) { return parse(args) },
		handle: func(b *Bot, ctx context.Context, req *request) ([]chat.Reply, error) {
			answer, err := handle(b, ctx, req, req.args.(A))
			if err != nil {
				return nil, err
			}
			return show(req, answer), nil
		},
	}
}

func showCard(req *request, c chat.Card) []chat.Reply { return req.show(view{card: c}) }

// showForm opens a form. The fallback is for a form that comes too late.
func showForm(req *request, f chat.Form) []chat.Reply {
	late := card.Of(chat.Paragraph(req.voice.Say("error.form_late")))
	return []chat.Reply{chat.OpenForm{Form: f, Fallback: late}}
}

// onlyOnce returns the route for events that count once, however often they are delivered.
func (r route) onlyOnce() route {
	r.once = true
	return r
}

// fromForm returns the route for forms that are sent.
func (r route) fromForm() route {
	r.kinds = []chat.EventKind{chat.Submit}
	return r
}

// partOf returns the route as a step of the one that has a button of that label.
func (r route) partOf(label string) route {
	r.label = label
	return r
}
