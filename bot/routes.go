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
	// shared says that everybody sees the button, so that a press of somebody who does not coordinate
	// the round is no attempt to be recorded.
	shared bool
	// label is the part of the key "button.LABEL" that names the route in the record of a round. It
	// is the verb, where it is empty.
	label string
	// parse reads the arguments of the action into the type that handle expects.
	parse  func(args []string) (any, error)
	handle func(*Bot, context.Context, *request) ([]chat.Reply, error)
}

// routeTable returns every route by the verb of its action. No route checks rights: the methods of
// package survey do.
func routeTable() map[string]route {
	all := map[string]route{}
	addRoutes(all, generalRoutes(), func(*route) {})
	addRoutes(all, participantRoutes(), func(r *route) { r.participant = true })
	addRoutes(all, coordinatorRoutes(), func(r *route) { r.logged = true })
	return all
}

// addRoutes adds a table of routes, changed by mark, to all. It panics at a verb that all has
// already: one of the two routes would never be reached.
func addRoutes(all, table map[string]route, mark func(*route)) {
	for verb, r := range table {
		if _, ok := all[verb]; ok {
			panic("two routes for the verb " + verb)
		}
		mark(&r)
		all[verb] = r
	}
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
		"home":    whisper(parseGeneral, anyone.home),        // the person's surveys and rounds
		"reading": whisper(parseReading, anyone.showReading), // how to read a results post
	}
}

func participantRoutes() map[string]route {
	return map[string]route{
		// Before they start. Only they see what comes of a press on a card in a channel.
		"join":    reply(chat.AckWhisper, parseRoundLanguage, participant.join).onlyOnce(),
		"begin":   live(parseRound, participant.begin), // the invitation becomes the survey
		"lang":    reply(chat.AckUpdate, parseLanguageSwitch, (*Bot).switchLanguage),
		"accept":  live(parseRound, participant.accept), // the privacy notice was read
		"decline": live(parseRoundLanguage, participant.decline).onlyOnce(),
		"notice":  whisper(parseRound, participant.showNotice), // the privacy notice, to read again
		"resume":  reply(chat.AckWhisper, parseRound, participant.resume),

		// In the survey: one card that changes.
		"me":      live(parseRound, participant.showProfile),
		"role":    live(parseRound, participant.pickRole),
		"scope":   live(parseRound, participant.showProfile), // on cards of before version 0.10
		"org":     live(parseRound, participant.showProfile), // the same
		"saveorg": live(parseRound, participant.showProfile).fromForm(),
		"go":      live(parseRound, participant.proceed), // to the first element without an answer
		"at":      live(parseElement, participant.showElement),
		"change":  live(parseElement, participant.showElement), // from beside what was saved
		"after":   live(parseAfter, participant.showAfter),     // what came after an answer, again
		"jump":    live(parseRound, participant.jump),
		"answer":  live(parseAnswer, participant.answer),
		"detail":  openForm(parseDetail, participant.detailForm),
		"keep":    live(parseElement, participant.keepDetail).fromForm(),
		"list":    live(parseRound, participant.showList),
		"levels":  whisper(parseRound, participant.showLevels),
		"review":  live(parseRound, participant.showReview),
		"submit":  live(parseRound, participant.submit),
		"receipt": live(parseRound, participant.showReceipt), // again
		"kept":    live(parseRound, participant.showPersonalData),
		"erase":   update(parseRound, participant.withdraw).onlyOnce(),

		// In a workshop: cards that everybody sees.
		"vote":     reply(chat.AckWhisper, parseVote, attendee.vote),
		"whoami":   update(parseAttend, attendee.askRole),
		"attend":   reply(chat.AckUpdate, parseAttend, attendee.attend),
		"talk":     reply(chat.AckWhisper, parseRound, attendee.talkAbout),
		"object":   whisper(parseElement, attendee.object),
		"objectto": whisper(parseBallot, attendee.objectTo),
		"takeback": update(parseElement, attendee.takeBack),

		// About reminders.
		"tomorrow": update(parseRoundLanguage, participant.remindTomorrow).onlyOnce(),
		"stop":     update(parseRoundLanguage, participant.stopReminding).onlyOnce(),
		"again":    update(parseRoundLanguage, participant.remindAgain).onlyOnce(),
	}
}

// coordinatorRoutes returns the routes of a coordinator. Each action carries the language that it
// was asked in.
func coordinatorRoutes() map[string]route {
	return map[string]route{
		"new":       openForm(parseGeneral, creator.newForm),
		"create":    whisper(parseGeneral, creator.createRound).fromForm(),
		"redraft":   openForm(parseCoordinator, coordinator.redraftForm),
		"saveround": update(parseCoordinator, coordinator.saveRound).fromForm().partOf("redraft"),
		"rules":     openForm(parseCoordinator, coordinator.rulesForm),
		"saverules": update(parseCoordinator, coordinator.saveRules).fromForm().partOf("rules"),
		"open":      reply(chat.AckUpdate, parseCoordinator, coordinator.openRound),

		"invite":     openForm(parseTarget, coordinator.inviteForm),
		"sendinvite": whisper(parseCoordinator, coordinator.sendInvitations).fromForm().partOf("invite"),
		"button":     reply(chat.AckWhisper, parseTarget, coordinator.postJoinButton).onlyOnce(),
		"status":     whisper(parseTarget, linking.status),
		"remind":     whisper(parseTarget, coordinator.remind).onlyOnce(),

		// Links to the survey on the web. Files with links go to the coordinator alone.
		"links":     whisper(parseTarget, linking.showLinks),
		"makelinks": openForm(parseCoordinator, linking.makeLinksForm).partOf("make_links"),
		"savelinks": reply(chat.AckWhisper, parseCoordinator, linking.makeLinks).
			fromForm().onlyOnce().partOf("make_links"),
		"duelinks": reply(chat.AckWhisper, parseCoordinator, linking.unfinishedLinks).
			onlyOnce().partOf("due_links"),
		"fixlink": openForm(parseCoordinator, linking.fixLinkForm).partOf("fix_link"),
		"savefix": reply(chat.AckWhisper, parseCoordinator, linking.fixLink).
			fromForm().onlyOnce().partOf("fix_link"),
		"openlink": openForm(parseCoordinator, linking.openLinkForm).partOf("open_link"),
		"saveopen": reply(chat.AckWhisper, parseCoordinator, linking.saveOpenLink).
			fromForm().onlyOnce().partOf("open_link"),
		"poster": reply(chat.AckWhisper, parseCoordinator, linking.showPoster).
			onlyOnce().partOf("poster"),
		"newopen": reply(chat.AckWhisper, parseCoordinator, linking.replaceOpenLink).
			onlyOnce().partOf("replace_open"),
		"shutopen": update(parseCoordinator, linking.closeOpenLink).
			onlyOnce().partOf("close_open"),

		"reminders": whisper(parseTarget, planning.showPlan), // what is sent when, and to how many
		"plan":      openForm(parseCoordinator, planning.planForm),
		"saveplan":  update(parseCoordinator, planning.savePlan).fromForm().partOf("plan"),
		"posts":     openForm(parseCoordinator, planning.postsForm),
		"saveposts": update(parseCoordinator, planning.savePosts).fromForm().partOf("posts"),
		"pause":     update(parseCoordinator, planning.pause).onlyOnce(),
		"goon":      update(parseCoordinator, planning.unpause).onlyOnce(),

		"extend": openForm(parseTarget, coordinator.extendForm),
		"saveextend": reply(chat.AckWhisper, parseCoordinator, coordinator.saveExtension).
			fromForm().partOf("extend"),
		"workshop": openForm(parseTarget, coordinator.workshopForm),
		"saveplace": reply(chat.AckUpdate, parseCoordinator, coordinator.saveWorkshop).
			fromForm().onlyOnce().partOf("workshop"),

		"team":     openForm(parseTarget, creator.teamForm),
		"takeon":   whisper(parseCoordinator, creator.takeOn).onlyOnce(), // an admin adds themselves
		"saveteam": whisper(parseCoordinator, coordinator.saveTeam).fromForm().partOf("team"),

		"close": whisper(parseTarget, coordinator.askToClose),
		"closenow": reply(chat.AckUpdate, parseCoordinator, coordinator.closeNow).
			onlyOnce().partOf("close"),
		"closeonly": update(parseCoordinator, coordinator.closeOnly). // without posting the results
										onlyOnce().partOf("close"),

		"results": reply(chat.AckWhisper, parseDestination, coordinator.postResults).onlyOnce(),
		"export":  reply(chat.AckWhisper, parseDestination, coordinator.exportFiles).onlyOnce(),
		"record":  whisper(parseTarget, coordinator.showAuditLog), // who did what
		"page":    update(parsePage, coordinator.showAuditPage).partOf("record"),
		"help":    whisper(parseGeneral, anyone.help),

		// A workshop: cards that everybody sees, with a coordinator's buttons.
		"rate":   meetingRoute(parseTarget, facilitator.rate, "meet_start"),
		"meet":   meetingRoute(parseCoordinator, facilitator.meetWithoutSurvey, "meet_without"),
		"first":  meetingRoute(parseRound, facilitator.first, "meet_begin"),
		"next":   meetingRoute(parseBallot, facilitator.next, "meet_next"),
		"left":   meetingRoute(parseBallot, facilitator.left, "meet_go_to"),
		"take":   meetingRoute(parseTake, facilitator.take, "meet_take"),
		"show":   meetingRoute(parseBallot, facilitator.show, "meet_show"),
		"later":  meetingRoute(parseSource, facilitator.later, "meet_later"),
		"rerate": meetingRoute(parseSource, facilitator.rateAgain, "meet_again"),
		"rest":   meetingRoute(parseSource, facilitator.rest, "meet_pause"),
		"settle": meetingRoute(parseSource, facilitator.settle, "meet_record"),
		"finish": meetingRoute(parseRound, facilitator.finish, "meet_finish"),
		"alone": reply(chat.AckWhisper, parseRound, facilitator.alone).
			partOf("meet_alone").onSharedCard(),
		"rating": openForm(parseSource, facilitator.ratingForm).
			partOf("meet_record").onSharedCard(),
		"saverating": meetingRoute(parseSource, facilitator.saveRating, "meet_record").fromForm(),
		"hands":      openForm(parseSource, facilitator.handsForm).partOf("meet_recount"),
		"savehands":  meetingRoute(parseSource, facilitator.saveHands, "meet_recount").fromForm(),
		"keephands": reply(chat.AckUpdate, parseSource, facilitator.keepHands).
			onlyOnce().partOf("meet_keep"),
	}
}

// HomeVerb is the action, with the id of a round, that shows participants where they are.
const HomeVerb = "begin"

// LastVerbs returns the verbs with which participants finish.
func LastVerbs() []string { return []string{"submit", "decline", "erase"} }

// PageVerbs returns the verbs that show participants something and change nothing. Where there are
// links instead of messages, each is a page.
func PageVerbs() []string {
	return []string{
		HomeVerb, "me", "go", "at", "change", "after", "list", "levels", "review", "receipt", "notice",
		"kept", "detail",
	}
}

// LinkVerbs returns the other verbs of people who take part by a link. They cannot be sent messages,
// so they have none for reminders, and they are in no workshop.
func LinkVerbs() []string {
	return []string{
		"join", "lang", "accept", "decline", "role", "jump", "answer", "keep", "submit", "erase",
	}
}

// whisper makes a route whose card is shown to the person alone.
func whisper[H audience[H], A any](
	parse func([]string) (A, error),
	handle func(H, context.Context, *request, A) (chat.Card, error),
) route {
	return newRoute(chat.AckWhisper, parse, handle, showCard)
}

// update makes a route whose card takes the place of the card that was pressed.
func update[H audience[H], A any](
	parse func([]string) (A, error),
	handle func(H, context.Context, *request, A) (chat.Card, error),
) route {
	return newRoute(chat.AckUpdate, parse, handle, showCard)
}

// live is like update, for a card that may become outdated while it is being sent (view.refresh).
func live[H audience[H], A any](
	parse func([]string) (A, error),
	handle func(H, context.Context, *request, A) (view, error),
) route {
	return newRoute(chat.AckUpdate, parse, handle, (*request).show)
}

// openForm makes a route that opens a form.
func openForm[H audience[H], A any](
	parse func([]string) (A, error),
	handle func(H, context.Context, *request, A) (chat.Form, error),
) route {
	return newRoute(chat.AckForm, parse, handle, showForm)
}

// reply makes a route whose handler returns its replies itself, because it does more than show the
// person one card.
func reply[H audience[H], A any](
	ack chat.Ack, parse func([]string) (A, error),
	handle func(H, context.Context, *request, A) ([]chat.Reply, error),
) route {
	same := func(_ *request, replies []chat.Reply) []chat.Reply { return replies }
	return newRoute(ack, parse, handle, same)
}

// meetingRoute makes a route for a coordinator who leads a workshop: it posts, and may change the
// card that was pressed, so it counts once.
func meetingRoute[H audience[H], A any](
	parse func([]string) (A, error),
	handle func(H, context.Context, *request, A) ([]chat.Reply, error),
	label string,
) route {
	return reply(chat.AckWhisper, parse, handle).onlyOnce().partOf(label).onSharedCard()
}

// newRoute makes a route for presses and commands: handle answers a request, and show turns the
// answer into replies.
func newRoute[H audience[H], A, R any](
	ack chat.Ack, parse func([]string) (A, error),
	handle func(H, context.Context, *request, A) (R, error),
	show func(*request, R) []chat.Reply,
) route {
	return route{
		ack:   ack,
		kinds: []chat.EventKind{chat.Press, chat.Command, chat.Message, chat.Home},
		parse: func(args []string) (any, error) { return parse(args) },
		handle: func(b *Bot, ctx context.Context, req *request) ([]chat.Reply, error) {
			var handlers H
			answer, err := handle(handlers.of(b, req), ctx, req, req.args.(A))
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

// onSharedCard returns the route for a button that everybody sees.
func (r route) onSharedCard() route {
	r.shared = true
	return r
}

// partOf returns the route as a step of the one that has a button of that label.
func (r route) partOf(label string) route {
	r.label = label
	return r
}
