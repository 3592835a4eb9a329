package bot

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
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
	parse func([]string) (A, error), handle func(*Bot, context.Context, *request, A) (chat.Card, error),
) route {
	return newRoute(chat.AckWhisper, parse, handle, showCard)
}

// update makes a route whose card takes the place of the card that was pressed.
func update[A any](
	parse func([]string) (A, error), handle func(*Bot, context.Context, *request, A) (chat.Card, error),
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
	parse func([]string) (A, error), handle func(*Bot, context.Context, *request, A) (chat.Form, error),
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
	late := card(chat.Paragraph(req.voice.Say("error.form_late")))
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

// commands are the words after /maturity, in both languages: the bot answers in the language of the word.
var commands = map[string]struct{ verb, lang string }{
	"": {"home", anyLanguage}, "home": {"home", "en"}, "hafan": {"home", "cy"},
	"new": {"new", anyLanguage}, "newydd": {"new", "cy"},
	"invite": {"invite", anyLanguage}, "gwahodd": {"invite", "cy"},
	"button": {"button", anyLanguage}, "botwm": {"button", "cy"},
	"status": {"status", anyLanguage}, "statws": {"status", "cy"},
	"remind": {"remind", anyLanguage}, "atgoffa": {"remind", "cy"},
	"reminders": {"reminders", anyLanguage}, "amserlen": {"reminders", "cy"},
	"extend": {"extend", anyLanguage}, "estyn": {"extend", "cy"},
	"workshop": {"workshop", anyLanguage}, "gweithdy": {"workshop", "cy"},
	"team": {"team", anyLanguage}, "tim": {"team", "cy"}, "tîm": {"team", "cy"},
	"close": {"close", anyLanguage}, "cau": {"close", "cy"},
	"results": {"results", anyLanguage}, "canlyniadau": {"results", "cy"},
	"export": {"export", anyLanguage}, "allforio": {"export", "cy"},
	"record": {"record", anyLanguage}, "cofnod": {"record", "cy"},
	"help": {"help", anyLanguage}, "cymorth": {"help", "cy"},
}

// commandWord is the first word of a command as commands has it, without what phones and people put
// around it: “status”, status. and *status* are status.
func commandWord(word string) string {
	if trimmed := plaintext.TrimMarks(word); trimmed != "" {
		word = trimmed
	}
	return plaintext.Key(word)
}

// meantCommand is the command that an unknown one perhaps stands for: one that is among its words, or
// one that is spelled much like its first; else empty.
func meantCommand(typed chat.Action) string {
	for _, word := range typed.Args {
		if key := commandWord(word); key != "" && commands[key].verb != "" {
			return key
		}
	}
	return plaintext.Nearest(commandWord(typed.Verb), slices.Sorted(maps.Keys(commands)))
}

// errForged is an action whose words no button of ours carries.
var errForged = errors.New("not an action of ours")

// The words of an action, read. Those that carry the language of the answer tell it with a method.
type (
	// asked is a question about no round in particular.
	generalArgs struct {
		lang    matrix.Lang // or empty
		unknown bool        // a command that the bot does not know
		meant   string      // the command that was perhaps meant instead, or empty
	}
	roundArgs struct{ round survey.RoundID }
	// onRoundIn is a round, and the language of the button where a card is in several.
	roundLanguageArgs struct {
		round survey.RoundID
		lang  matrix.Lang // or empty
	}
	elementArgs struct {
		round   survey.RoundID
		element string
	}
	scopeArgs struct {
		round survey.RoundID
		scope string
	}
	languageArgs struct {
		round survey.RoundID
		lang  matrix.Lang
		then  chat.Action
	}
	answerArgs struct {
		round   survey.RoundID
		element string
		rating  matrix.Rating
	}
	detailArgs struct {
		round   survey.RoundID
		element string
		has     bool // something was added before
		matrix  string
		lang    matrix.Lang
	}
	organisationArgs struct {
		round survey.RoundID
		has   bool // one was given before
		lang  matrix.Lang
	}
	// onSpoken is a round and the language it is spoken of in.
	coordinatorArgs struct {
		round survey.RoundID
		lang  matrix.Lang
	}
	// onPage is a page of a round's record, by the number of its first entry; 0 for the latest.
	pageArgs struct {
		coordinatorArgs
		top int
	}
	// onTarget is a round, or the words a coordinator named it by, which may be none.
	targetArgs struct {
		round survey.RoundID
		lang  matrix.Lang // or empty
		words string
	}
	// onDestination is a round, as in onTarget, and where its results are to go: see destination.
	destinationArgs struct {
		targetArgs
		to string
	}
)

func (a generalArgs) language() matrix.Lang       { return a.lang }
func (a roundLanguageArgs) language() matrix.Lang { return a.lang }
func (a languageArgs) language() matrix.Lang      { return a.lang }
func (a detailArgs) language() matrix.Lang        { return a.lang }
func (a organisationArgs) language() matrix.Lang  { return a.lang }
func (a coordinatorArgs) language() matrix.Lang   { return a.lang }
func (a targetArgs) language() matrix.Lang        { return a.lang }

// unknownCommand is what an action of "help" carries for a command that the bot does not know.
const unknownCommand = "?"

// anyLanguage stands in an action for a command whose word is of no language in particular.
const anyLanguage = "*"

// parseGeneral reads a language, which a command of no language leaves open. What follows the word of
// such a command is of no meaning.
func parseGeneral(args []string) (generalArgs, error) {
	switch {
	case len(args) == 0 || args[0] == anyLanguage:
		return generalArgs{}, nil
	case args[0] == unknownCommand:
		a := generalArgs{unknown: true}
		if _, known := commands[strings.Join(args[1:], " ")]; known && len(args) == 2 {
			a.meant = args[1]
		}
		return a, nil
	}
	lang, err := parseLanguage(args[0])
	return generalArgs{lang: lang}, err
}

// parseLanguage reads a language that the bot speaks.
func parseLanguage(word string) (matrix.Lang, error) {
	if word != "en" && word != "cy" {
		return "", errForged
	}
	return matrix.Lang(word), nil
}

func parseRoundID(s string) (survey.RoundID, error) {
	if len(s) != roundIDLength || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", errForged
	}
	return survey.RoundID(s), nil
}

func parseRound(args []string) (roundArgs, error) {
	if len(args) < 1 {
		return roundArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	return roundArgs{id}, err
}

func parseRoundLanguage(args []string) (roundLanguageArgs, error) {
	if len(args) > 2 {
		return roundLanguageArgs{}, errForged
	}
	a, err := parseRound(args)
	if err != nil || len(args) == 1 {
		return roundLanguageArgs{round: a.round}, err
	}
	return roundLanguageArgs{a.round, matrix.Lang(args[1])}, nil
}

func parseElement(args []string) (elementArgs, error) {
	if len(args) != 2 {
		return elementArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	return elementArgs{id, args[1]}, err
}

func parseScope(args []string) (scopeArgs, error) {
	if len(args) != 2 {
		return scopeArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	return scopeArgs{id, args[1]}, err
}

func parseLanguageSwitch(args []string) (languageArgs, error) {
	if len(args) < 3 {
		return languageArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	// Only cards can be asked for again in another language, never deeds.
	switch args[2] {
	case "begin", "me", "list", "review", "kept":
		if len(args) != 3 {
			return languageArgs{}, errForged
		}
	case "at":
		if len(args) != 4 {
			return languageArgs{}, errForged
		}
	default:
		return languageArgs{}, errForged
	}
	then := chat.NewAction(args[2], append([]string{args[0]}, args[3:]...)...)
	return languageArgs{id, matrix.Lang(args[1]), then}, err
}

// ratingWord is how a rating travels in an action.
func ratingWord(r matrix.Rating) string {
	switch r {
	case matrix.DontKnow:
		return "dk"
	case matrix.NotApplicable:
		return "na"
	}
	return strconv.Itoa(int(r))
}

func parseAnswer(args []string) (answerArgs, error) {
	if len(args) != 3 {
		return answerArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	if err != nil {
		return answerArgs{}, err
	}
	a := answerArgs{round: id, element: args[1]}
	switch args[2] {
	case "dk":
		a.rating = matrix.DontKnow
	case "na":
		a.rating = matrix.NotApplicable
	default:
		n, err := strconv.Atoi(args[2])
		if err != nil || n < 0 || strconv.Itoa(n) != args[2] {
			return answerArgs{}, errForged
		}
		a.rating = matrix.Rating(n)
	}
	return a, nil
}

func parseDetail(args []string) (detailArgs, error) {
	if len(args) != 5 {
		return detailArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	return detailArgs{id, args[1], args[2] == "1", args[3], matrix.Lang(args[4])}, err
}

func parseOrganisation(args []string) (organisationArgs, error) {
	if len(args) != 3 {
		return organisationArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	return organisationArgs{id, args[1] == "1", matrix.Lang(args[2])}, err
}

func parseCoordinator(args []string) (coordinatorArgs, error) {
	if len(args) != 2 {
		return coordinatorArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	if err != nil {
		return coordinatorArgs{}, err
	}
	lang, err := parseLanguage(args[1])
	return coordinatorArgs{id, lang}, err
}

// parsePage reads a round, the language it is spoken of in, and the number of an entry.
func parsePage(args []string) (pageArgs, error) {
	if len(args) != 3 {
		return pageArgs{}, errForged
	}
	spoken, err := parseCoordinator(args[:2])
	if err != nil {
		return pageArgs{}, err
	}
	top, err := strconv.Atoi(args[2])
	if err != nil {
		return pageArgs{}, errForged
	}
	return pageArgs{spoken, top}, nil
}

// parseTarget reads a press, which carries a round and perhaps a language, or a command, which
// carries its language and perhaps the area's name.
func parseTarget(args []string) (targetArgs, error) {
	if len(args) == 2 {
		if args[0] == anyLanguage {
			return targetArgs{words: strings.TrimSpace(args[1])}, nil
		}
		if lang, err := parseLanguage(args[0]); err == nil {
			return targetArgs{lang: lang, words: strings.TrimSpace(args[1])}, nil
		}
		spoken, err := parseCoordinator(args)
		return targetArgs{round: spoken.round, lang: spoken.lang}, err
	}
	round, err := parseRound(args)
	if len(args) > 2 {
		err = errForged
	}
	return targetArgs{round: round.round}, err
}

// parseDestination reads a target, and for a press where results are to go.
func parseDestination(args []string) (destinationArgs, error) {
	if len(args) != 3 {
		target, err := parseTarget(args)
		return destinationArgs{targetArgs: target}, err
	}
	if args[2] != hereWord && args[2] != privateWord {
		return destinationArgs{}, errForged
	}
	spoken, err := parseCoordinator(args[:2])
	return destinationArgs{targetArgs{round: spoken.round, lang: spoken.lang}, args[2]}, err
}

const roundIDLength = 10

// newRoundID makes a round's id from the event that asked for it, so that the same event delivered
// twice makes one round.
func newRoundID(event string) survey.RoundID {
	sum := sha256.Sum256([]byte("round " + event))
	return survey.RoundID(strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:roundIDLength])
}

// personHash is how a person appears in a log: lines of one process can be brought together, but not
// brought back to the person, whose answers could be told by how many lines there are.
func (b *Bot) personHash(p chat.Person) string {
	mac := hmac.New(sha256.New, b.salt[:])
	mac.Write([]byte(p.String()))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}
