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
	"maturitybot/survey/plaintext"
)

// route is one thing people can ask for: how it is acknowledged, from which kinds of event it may
// come, whether it may be done only once for an event that is delivered again, and who answers.
type route struct {
	ack   chat.Ack
	kinds []chat.EventKind
	once  bool
	do    func(*Bot, context.Context, chat.Event) ([]chat.Reply, error)
	// logged says that the log has a line of each such event, and names who it was by a short hash. Of a
	// stakeholder's events it has none: who knows when a person was active could count their answers by it.
	logged bool
	// language returns the language that the words of the action carry, or empty.
	language func(args []string) survey.Lang
}

// table is everything people can ask for, by the verb of an action.
func table() map[string]route {
	all := stakeholderRoutes()
	for verb, r := range coordinatorRoutes() {
		r.logged = true
		all[verb] = r
	}
	return all
}

// Verbs returns every verb that Handled can name, sorted.
func Verbs() []string {
	verbs := slices.AppendSeq([]string{unknownVerb}, maps.Keys(table()))
	slices.Sort(verbs)
	return verbs
}

// unknownVerb stands for every verb of no route, which somebody may have made up.
const unknownVerb = "unknown"

func stakeholderRoutes() map[string]route {
	return map[string]route{
		// A stakeholder, before they start.
		"join":    once(on(chat.AckWhisper, parseRoundLanguage, (*Bot).join)),     // from a channel: only they see what comes
		"begin":   on(chat.AckUpdate, parseRound, (*Bot).begin),                   // the invitation becomes the survey
		"lang":    on(chat.AckUpdate, parseLanguageSwitch, (*Bot).switchLanguage), // the same card in another language
		"accept":  on(chat.AckUpdate, parseRound, (*Bot).accept),                  // the privacy notice was read
		"decline": once(on(chat.AckUpdate, parseRoundLanguage, (*Bot).decline)),   // not taking part
		"home":    on(chat.AckWhisper, parseGeneral, (*Bot).home),                 // what of mine is here
		"notice":  on(chat.AckWhisper, parseRound, (*Bot).showNotice),             // the privacy notice, to read again
		"resume":  on(chat.AckWhisper, parseRound, (*Bot).resume),                 // a fresh card at the right place

		// A stakeholder, in the survey: one card that changes.
		"me":      on(chat.AckUpdate, parseRound, (*Bot).showProfile),
		"role":    on(chat.AckUpdate, parseRound, (*Bot).pickRole),
		"scope":   on(chat.AckUpdate, parseScope, (*Bot).pickScope),
		"org":     on(chat.AckForm, parseOrganisation, (*Bot).organisationForm),
		"saveorg": fromKind(chat.Submit, chat.AckUpdate, parseRound, (*Bot).saveOrganisation),
		"go":      on(chat.AckUpdate, parseRound, (*Bot).proceed), // to the first open element
		"at":      on(chat.AckUpdate, parseElement, (*Bot).showElement),
		"change":  on(chat.AckUpdate, parseElement, (*Bot).showElement), // from beside what was saved
		"jump":    on(chat.AckUpdate, parseRound, (*Bot).jump),
		"answer":  on(chat.AckUpdate, parseAnswer, (*Bot).answer),
		"detail":  on(chat.AckForm, parseDetail, (*Bot).detailForm),
		"keep":    fromKind(chat.Submit, chat.AckUpdate, parseElement, (*Bot).keepDetail),
		"list":    on(chat.AckUpdate, parseRound, (*Bot).showList),
		"levels":  on(chat.AckWhisper, parseRound, (*Bot).showLevels),
		"review":  on(chat.AckUpdate, parseRound, (*Bot).showReview),
		"submit":  on(chat.AckUpdate, parseRound, (*Bot).submit),
		"kept":    on(chat.AckUpdate, parseRound, (*Bot).showPersonalData),
		"erase":   once(on(chat.AckUpdate, parseRound, (*Bot).withdraw)),

		// A stakeholder, about reminders.
		"tomorrow": once(on(chat.AckUpdate, parseRoundLanguage, (*Bot).remindTomorrow)),
		"stop":     once(on(chat.AckUpdate, parseRoundLanguage, (*Bot).stopReminding)),
		"again":    once(on(chat.AckUpdate, parseRoundLanguage, (*Bot).remindAgain)),
	}
}

// coordinatorRoutes are those of a coordinator. Each carries the language it was asked in.
func coordinatorRoutes() map[string]route {
	return map[string]route{
		"new":        on(chat.AckForm, parseGeneral, (*Bot).newForm),
		"create":     fromKind(chat.Submit, chat.AckWhisper, parseGeneral, (*Bot).createRound),
		"redraft":    on(chat.AckForm, parseCoordinator, (*Bot).redraftForm),
		"saveround":  fromKind(chat.Submit, chat.AckUpdate, parseCoordinator, (*Bot).saveRound),
		"rules":      on(chat.AckForm, parseCoordinator, (*Bot).rulesForm),
		"saverules":  fromKind(chat.Submit, chat.AckUpdate, parseCoordinator, (*Bot).saveRules),
		"open":       on(chat.AckUpdate, parseCoordinator, (*Bot).openRound),
		"invite":     on(chat.AckForm, parseTarget, (*Bot).inviteForm),
		"sendinvite": fromKind(chat.Submit, chat.AckWhisper, parseCoordinator, (*Bot).sendInvitations),
		"button":     once(on(chat.AckWhisper, parseTarget, (*Bot).postJoinButton)),
		"status":     on(chat.AckWhisper, parseTarget, (*Bot).status),
		"remind":     once(on(chat.AckWhisper, parseTarget, (*Bot).remind)),
		"reminders":  on(chat.AckWhisper, parseTarget, (*Bot).showPlan), // what is sent when, and to how many
		"plan":       on(chat.AckForm, parseCoordinator, (*Bot).planForm),
		"saveplan":   fromKind(chat.Submit, chat.AckUpdate, parseCoordinator, (*Bot).savePlan),
		"posts":      on(chat.AckForm, parseCoordinator, (*Bot).postsForm),
		"saveposts":  fromKind(chat.Submit, chat.AckUpdate, parseCoordinator, (*Bot).savePosts),
		"pause":      once(on(chat.AckUpdate, parseCoordinator, (*Bot).pause)),
		"goon":       once(on(chat.AckUpdate, parseCoordinator, (*Bot).unpause)),
		"extend":     on(chat.AckForm, parseTarget, (*Bot).extendForm),
		"saveextend": fromKind(chat.Submit, chat.AckWhisper, parseCoordinator, (*Bot).saveExtension),
		"workshop":   on(chat.AckForm, parseTarget, (*Bot).workshopForm),
		"saveplace":  once(fromKind(chat.Submit, chat.AckUpdate, parseCoordinator, (*Bot).saveWorkshop)),
		"team":       on(chat.AckForm, parseTarget, (*Bot).teamForm),
		"takeon":     once(on(chat.AckWhisper, parseCoordinator, (*Bot).takeOn)), // an admin adds themselves
		"saveteam":   fromKind(chat.Submit, chat.AckWhisper, parseCoordinator, (*Bot).saveTeam),
		"close":      on(chat.AckWhisper, parseTarget, (*Bot).askToClose),
		"closenow":   once(on(chat.AckUpdate, parseCoordinator, (*Bot).closeNow)),
		"closeonly":  once(on(chat.AckUpdate, parseCoordinator, (*Bot).closeOnly)), // without posting the results
		"results":    once(on(chat.AckWhisper, parseDestination, (*Bot).postResults)),
		"export":     once(on(chat.AckWhisper, parseDestination, (*Bot).exportFiles)),
		"record":     on(chat.AckWhisper, parseTarget, (*Bot).showAuditLog), // who did what
		"page":       on(chat.AckUpdate, parsePage, (*Bot).turnAuditPage),
		"help":       on(chat.AckWhisper, parseGeneral, (*Bot).help),
	}
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

// on makes a route for presses and commands whose handler gets its words read and checked.
func on[A any](ack chat.Ack, read func([]string) (A, error), do func(*Bot, context.Context, chat.Event, A) ([]chat.Reply, error)) route {
	answer := func(b *Bot, ctx context.Context, e chat.Event) ([]chat.Reply, error) {
		a, err := read(e.Action.Args)
		if err != nil {
			return nil, err
		}
		return do(b, ctx, e, a)
	}
	language := func(args []string) survey.Lang {
		if a, err := read(args); err == nil {
			if a, ok := any(a).(interface{ language() survey.Lang }); ok {
				return a.language()
			}
		}
		return ""
	}
	kinds := []chat.EventKind{chat.Press, chat.Command, chat.Message, chat.Home}
	return route{ack: ack, kinds: kinds, do: answer, language: language}
}

// once makes a route of which an event that is delivered again does nothing more: posting again, or undoing what was done since.
func once(r route) route {
	r.once = true
	return r
}

// fromKind makes a route for one other kind of event.
func fromKind[A any](kind chat.EventKind, ack chat.Ack, read func([]string) (A, error), do func(*Bot, context.Context, chat.Event, A) ([]chat.Reply, error)) route {
	r := on(ack, read, do)
	r.kinds = []chat.EventKind{kind}
	return r
}

// errForged is an action whose words no button of ours carries.
var errForged = errors.New("not an action of ours")

// The words of an action, read. Those that carry the language of the answer tell it with a method.
type (
	// asked is a question about no round in particular.
	generalArgs struct {
		lang    survey.Lang // or empty
		unknown bool        // a command that the bot does not know
		meant   string      // the command that was perhaps meant instead, or empty
	}
	roundArgs struct{ round survey.RoundID }
	// onRoundIn is a round, and the language of the button where a card is in several.
	roundLanguageArgs struct {
		round survey.RoundID
		lang  survey.Lang // or empty
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
		lang  survey.Lang
		then  chat.Action
	}
	answerArgs struct {
		round   survey.RoundID
		element string
		rating  survey.Rating
	}
	detailArgs struct {
		round   survey.RoundID
		element string
		has     bool // something was added before
		matrix  string
		lang    survey.Lang
	}
	organisationArgs struct {
		round survey.RoundID
		has   bool // one was given before
		lang  survey.Lang
	}
	// onSpoken is a round and the language it is spoken of in.
	coordinatorArgs struct {
		round survey.RoundID
		lang  survey.Lang
	}
	// onPage is a page of a round's record, by the number of its first entry; 0 for the latest.
	pageArgs struct {
		coordinatorArgs
		top int
	}
	// onTarget is a round, or the words a coordinator named it by, which may be none.
	targetArgs struct {
		round survey.RoundID
		lang  survey.Lang // or empty
		words string
	}
	// onDestination is a round, as in onTarget, and where its results are to go: see destination.
	destinationArgs struct {
		targetArgs
		to string
	}
)

func (a generalArgs) language() survey.Lang       { return a.lang }
func (a roundLanguageArgs) language() survey.Lang { return a.lang }
func (a languageArgs) language() survey.Lang      { return a.lang }
func (a detailArgs) language() survey.Lang        { return a.lang }
func (a organisationArgs) language() survey.Lang  { return a.lang }
func (a coordinatorArgs) language() survey.Lang   { return a.lang }
func (a targetArgs) language() survey.Lang        { return a.lang }

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
func parseLanguage(word string) (survey.Lang, error) {
	if word != "en" && word != "cy" {
		return "", errForged
	}
	return survey.Lang(word), nil
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
	return roundLanguageArgs{a.round, survey.Lang(args[1])}, nil
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
	return languageArgs{id, survey.Lang(args[1]), then}, err
}

// ratingWord is how a rating travels in an action.
func ratingWord(r survey.Rating) string {
	switch r {
	case survey.DontKnow:
		return "dk"
	case survey.NotApplicable:
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
		a.rating = survey.DontKnow
	case "na":
		a.rating = survey.NotApplicable
	default:
		n, err := strconv.Atoi(args[2])
		if err != nil || n < 0 || strconv.Itoa(n) != args[2] {
			return answerArgs{}, errForged
		}
		a.rating = survey.Rating(n)
	}
	return a, nil
}

func parseDetail(args []string) (detailArgs, error) {
	if len(args) != 5 {
		return detailArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	return detailArgs{id, args[1], args[2] == "1", args[3], survey.Lang(args[4])}, err
}

func parseOrganisation(args []string) (organisationArgs, error) {
	if len(args) != 3 {
		return organisationArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	return organisationArgs{id, args[1] == "1", survey.Lang(args[2])}, err
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
