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
		"join":    once(on(chat.AckWhisper, readRoundIn, (*Bot).join)),   // from a channel: only they see what comes
		"begin":   on(chat.AckUpdate, readRound, (*Bot).begin),           // the invitation becomes the survey
		"lang":    on(chat.AckUpdate, readLang, (*Bot).speak),            // the same card in another language
		"accept":  on(chat.AckUpdate, readRound, (*Bot).accept),          // the privacy notice was read
		"decline": once(on(chat.AckUpdate, readRoundIn, (*Bot).decline)), // not taking part
		"home":    on(chat.AckWhisper, readAsked, (*Bot).home),           // what of mine is here
		"notice":  on(chat.AckWhisper, readRound, (*Bot).reread),         // the privacy notice, to read again
		"resume":  on(chat.AckWhisper, readRound, (*Bot).carryOn),        // a fresh card at the right place

		// A stakeholder, in the survey: one card that changes.
		"me":      on(chat.AckUpdate, readRound, (*Bot).aboutMe),
		"role":    on(chat.AckUpdate, readRound, (*Bot).pickRole),
		"scope":   on(chat.AckUpdate, readWord, (*Bot).pickScope),
		"org":     on(chat.AckForm, readOrganisation, (*Bot).organisationForm),
		"saveorg": from(chat.Submit, chat.AckUpdate, readRound, (*Bot).saveOrganisation),
		"go":      on(chat.AckUpdate, readRound, (*Bot).proceed), // to the first open element
		"at":      on(chat.AckUpdate, readElement, (*Bot).element),
		"change":  on(chat.AckUpdate, readElement, (*Bot).element), // from beside what was saved
		"jump":    on(chat.AckUpdate, readRound, (*Bot).jump),
		"answer":  on(chat.AckUpdate, readAnswer, (*Bot).answer),
		"detail":  on(chat.AckForm, readDetail, (*Bot).detailForm),
		"keep":    from(chat.Submit, chat.AckUpdate, readElement, (*Bot).keepDetail),
		"list":    on(chat.AckUpdate, readRound, (*Bot).list),
		"levels":  on(chat.AckWhisper, readRound, (*Bot).levels),
		"review":  on(chat.AckUpdate, readRound, (*Bot).review),
		"submit":  on(chat.AckUpdate, readRound, (*Bot).submit),
		"kept":    on(chat.AckUpdate, readRound, (*Bot).kept),
		"erase":   once(on(chat.AckUpdate, readRound, (*Bot).erase)),

		// A stakeholder, about reminders.
		"tomorrow": once(on(chat.AckUpdate, readRoundIn, (*Bot).remindTomorrow)),
		"stop":     once(on(chat.AckUpdate, readRoundIn, (*Bot).stopReminding)),
		"again":    once(on(chat.AckUpdate, readRoundIn, (*Bot).remindAgain)),
	}
}

// coordinatorRoutes are those of a coordinator. Each carries the language it was asked in.
func coordinatorRoutes() map[string]route {
	return map[string]route{
		"new":        on(chat.AckForm, readAsked, (*Bot).newForm),
		"create":     from(chat.Submit, chat.AckWhisper, readAsked, (*Bot).create),
		"redraft":    on(chat.AckForm, readSpoken, (*Bot).redraftForm),
		"saveround":  from(chat.Submit, chat.AckUpdate, readSpoken, (*Bot).saveRound),
		"rules":      on(chat.AckForm, readSpoken, (*Bot).rulesForm),
		"saverules":  from(chat.Submit, chat.AckUpdate, readSpoken, (*Bot).saveRules),
		"open":       on(chat.AckUpdate, readSpoken, (*Bot).open),
		"invite":     on(chat.AckForm, readTarget, (*Bot).inviteForm),
		"sendinvite": from(chat.Submit, chat.AckWhisper, readSpoken, (*Bot).sendInvitations),
		"button":     once(on(chat.AckWhisper, readTarget, (*Bot).postJoinButton)),
		"status":     on(chat.AckWhisper, readTarget, (*Bot).status),
		"remind":     once(on(chat.AckWhisper, readTarget, (*Bot).remind)),
		"reminders":  on(chat.AckWhisper, readTarget, (*Bot).reminders), // what is sent when, and to how many
		"plan":       on(chat.AckForm, readSpoken, (*Bot).planForm),
		"saveplan":   from(chat.Submit, chat.AckUpdate, readSpoken, (*Bot).savePlan),
		"posts":      on(chat.AckForm, readSpoken, (*Bot).postsForm),
		"saveposts":  from(chat.Submit, chat.AckUpdate, readSpoken, (*Bot).savePosts),
		"pause":      once(on(chat.AckUpdate, readSpoken, (*Bot).pause)),
		"goon":       once(on(chat.AckUpdate, readSpoken, (*Bot).goOn)),
		"extend":     on(chat.AckForm, readTarget, (*Bot).extendForm),
		"saveextend": from(chat.Submit, chat.AckWhisper, readSpoken, (*Bot).saveExtension),
		"workshop":   on(chat.AckForm, readTarget, (*Bot).workshopForm),
		"saveplace":  once(from(chat.Submit, chat.AckUpdate, readSpoken, (*Bot).saveWorkshop)),
		"team":       on(chat.AckForm, readTarget, (*Bot).teamForm),
		"takeon":     once(on(chat.AckWhisper, readSpoken, (*Bot).takeOn)), // an admin adds themselves
		"saveteam":   from(chat.Submit, chat.AckWhisper, readSpoken, (*Bot).saveTeam),
		"close":      on(chat.AckWhisper, readTarget, (*Bot).askToClose),
		"closenow":   once(on(chat.AckUpdate, readSpoken, (*Bot).closeNow)),
		"closeonly":  once(on(chat.AckUpdate, readSpoken, (*Bot).closeOnly)), // without posting the results
		"results":    once(on(chat.AckWhisper, readDestination, (*Bot).results)),
		"export":     once(on(chat.AckWhisper, readDestination, (*Bot).export)),
		"record":     on(chat.AckWhisper, readTarget, (*Bot).record), // who did what
		"page":       on(chat.AckUpdate, readPage, (*Bot).turnRecord),
		"help":       on(chat.AckWhisper, readAsked, (*Bot).help),
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

// from makes a route for one other kind of event.
func from[A any](kind chat.EventKind, ack chat.Ack, read func([]string) (A, error), do func(*Bot, context.Context, chat.Event, A) ([]chat.Reply, error)) route {
	r := on(ack, read, do)
	r.kinds = []chat.EventKind{kind}
	return r
}

// errForged is an action whose words no button of ours carries.
var errForged = errors.New("not an action of ours")

// The words of an action, read. Those that carry the language of the answer tell it with a method.
type (
	// asked is a question about no round in particular.
	asked struct {
		lang    survey.Lang // or empty
		unknown bool        // a command that the bot does not know
		meant   string      // the command that was perhaps meant instead, or empty
	}
	onRound struct{ round survey.RoundID }
	// onRoundIn is a round, and the language of the button where a card is in several.
	onRoundIn struct {
		round survey.RoundID
		lang  survey.Lang // or empty
	}
	onElement struct {
		round   survey.RoundID
		element string
	}
	onWord struct {
		round survey.RoundID
		word  string
	}
	onLang struct {
		round survey.RoundID
		lang  survey.Lang
		then  chat.Action
	}
	onAnswer struct {
		round   survey.RoundID
		element string
		rating  survey.Rating
	}
	onDetail struct {
		round   survey.RoundID
		element string
		has     bool // something was added before
		matrix  string
		lang    survey.Lang
	}
	onOrganisation struct {
		round survey.RoundID
		has   bool // one was given before
		lang  survey.Lang
	}
	// onSpoken is a round and the language it is spoken of in.
	onSpoken struct {
		round survey.RoundID
		lang  survey.Lang
	}
	// onPage is a page of a round's record, by the number of its first entry; 0 for the latest.
	onPage struct {
		onSpoken
		top int
	}
	// onTarget is a round, or the words a coordinator named it by, which may be none.
	onTarget struct {
		round survey.RoundID
		lang  survey.Lang // or empty
		words string
	}
	// onDestination is a round, as in onTarget, and where its results are to go: see destination.
	onDestination struct {
		onTarget
		to string
	}
)

func (a asked) language() survey.Lang          { return a.lang }
func (a onRoundIn) language() survey.Lang      { return a.lang }
func (a onLang) language() survey.Lang         { return a.lang }
func (a onDetail) language() survey.Lang       { return a.lang }
func (a onOrganisation) language() survey.Lang { return a.lang }
func (a onSpoken) language() survey.Lang       { return a.lang }
func (a onTarget) language() survey.Lang       { return a.lang }

// unknownCommand is what an action of "help" carries for a command that the bot does not know.
const unknownCommand = "?"

// anyLanguage stands in an action for a command whose word is of no language in particular.
const anyLanguage = "*"

// readAsked reads a language, which a command of no language leaves open. What follows the word of
// such a command is of no meaning.
func readAsked(args []string) (asked, error) {
	switch {
	case len(args) == 0 || args[0] == anyLanguage:
		return asked{}, nil
	case args[0] == unknownCommand:
		a := asked{unknown: true}
		if _, known := commands[strings.Join(args[1:], " ")]; known && len(args) == 2 {
			a.meant = args[1]
		}
		return a, nil
	}
	lang, err := readSpokenLang(args[0])
	return asked{lang: lang}, err
}

// readSpokenLang reads a language that the bot speaks.
func readSpokenLang(word string) (survey.Lang, error) {
	if word != "en" && word != "cy" {
		return "", errForged
	}
	return survey.Lang(word), nil
}

func roundID(s string) (survey.RoundID, error) {
	if len(s) != roundIDLength || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", errForged
	}
	return survey.RoundID(s), nil
}

func readRound(args []string) (onRound, error) {
	if len(args) < 1 {
		return onRound{}, errForged
	}
	id, err := roundID(args[0])
	return onRound{id}, err
}

func readRoundIn(args []string) (onRoundIn, error) {
	if len(args) > 2 {
		return onRoundIn{}, errForged
	}
	a, err := readRound(args)
	if err != nil || len(args) == 1 {
		return onRoundIn{round: a.round}, err
	}
	return onRoundIn{a.round, survey.Lang(args[1])}, nil
}

func readElement(args []string) (onElement, error) {
	if len(args) != 2 {
		return onElement{}, errForged
	}
	id, err := roundID(args[0])
	return onElement{id, args[1]}, err
}

func readWord(args []string) (onWord, error) {
	if len(args) != 2 {
		return onWord{}, errForged
	}
	id, err := roundID(args[0])
	return onWord{id, args[1]}, err
}

func readLang(args []string) (onLang, error) {
	if len(args) < 3 {
		return onLang{}, errForged
	}
	id, err := roundID(args[0])
	// Only cards can be asked for again in another language, never deeds.
	switch args[2] {
	case "begin", "me", "list", "review", "kept":
		if len(args) != 3 {
			return onLang{}, errForged
		}
	case "at":
		if len(args) != 4 {
			return onLang{}, errForged
		}
	default:
		return onLang{}, errForged
	}
	then := chat.NewAction(args[2], append([]string{args[0]}, args[3:]...)...)
	return onLang{id, survey.Lang(args[1]), then}, err
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

func readAnswer(args []string) (onAnswer, error) {
	if len(args) != 3 {
		return onAnswer{}, errForged
	}
	id, err := roundID(args[0])
	if err != nil {
		return onAnswer{}, err
	}
	a := onAnswer{round: id, element: args[1]}
	switch args[2] {
	case "dk":
		a.rating = survey.DontKnow
	case "na":
		a.rating = survey.NotApplicable
	default:
		n, err := strconv.Atoi(args[2])
		if err != nil || n < 0 || strconv.Itoa(n) != args[2] {
			return onAnswer{}, errForged
		}
		a.rating = survey.Rating(n)
	}
	return a, nil
}

func readDetail(args []string) (onDetail, error) {
	if len(args) != 5 {
		return onDetail{}, errForged
	}
	id, err := roundID(args[0])
	return onDetail{id, args[1], args[2] == "1", args[3], survey.Lang(args[4])}, err
}

func readOrganisation(args []string) (onOrganisation, error) {
	if len(args) != 3 {
		return onOrganisation{}, errForged
	}
	id, err := roundID(args[0])
	return onOrganisation{id, args[1] == "1", survey.Lang(args[2])}, err
}

func readSpoken(args []string) (onSpoken, error) {
	if len(args) != 2 {
		return onSpoken{}, errForged
	}
	id, err := roundID(args[0])
	if err != nil {
		return onSpoken{}, err
	}
	lang, err := readSpokenLang(args[1])
	return onSpoken{id, lang}, err
}

// readPage reads a round, the language it is spoken of in, and the number of an entry.
func readPage(args []string) (onPage, error) {
	if len(args) != 3 {
		return onPage{}, errForged
	}
	spoken, err := readSpoken(args[:2])
	if err != nil {
		return onPage{}, err
	}
	top, err := strconv.Atoi(args[2])
	if err != nil {
		return onPage{}, errForged
	}
	return onPage{spoken, top}, nil
}

// readTarget reads a press, which carries a round and perhaps a language, or a command, which
// carries its language and perhaps the area's name.
func readTarget(args []string) (onTarget, error) {
	if len(args) == 2 {
		if args[0] == anyLanguage {
			return onTarget{words: strings.TrimSpace(args[1])}, nil
		}
		if lang, err := readSpokenLang(args[0]); err == nil {
			return onTarget{lang: lang, words: strings.TrimSpace(args[1])}, nil
		}
		spoken, err := readSpoken(args)
		return onTarget{round: spoken.round, lang: spoken.lang}, err
	}
	round, err := readRound(args)
	if len(args) > 2 {
		err = errForged
	}
	return onTarget{round: round.round}, err
}

// readDestination reads a target, and for a press where results are to go.
func readDestination(args []string) (onDestination, error) {
	if len(args) != 3 {
		target, err := readTarget(args)
		return onDestination{onTarget: target}, err
	}
	if args[2] != hereWord && args[2] != aloneWord {
		return onDestination{}, errForged
	}
	spoken, err := readSpoken(args[:2])
	return onDestination{onTarget{round: spoken.round, lang: spoken.lang}, args[2]}, err
}

const roundIDLength = 10

// newRoundID makes a round's id from the event that asked for it, so that the same event delivered
// twice makes one round.
func newRoundID(event string) survey.RoundID {
	sum := sha256.Sum256([]byte("round " + event))
	return survey.RoundID(strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:roundIDLength])
}

// short is how a person appears in a log: lines of one process can be brought together, but not
// brought back to the person, whose answers could be told by how many lines there are.
func (b *Bot) short(p chat.Person) string {
	mac := hmac.New(sha256.New, b.salt[:])
	mac.Write([]byte(p.String()))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}
