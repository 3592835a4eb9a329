package bot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// errForged refuses an action whose arguments are not those of any button of the bot.
var errForged = errors.New("the bot has no such action")

// The arguments of actions, by what they name. Those that carry the language of the answer have a
// method language.
type (
	// generalArgs name no round in particular.
	generalArgs struct {
		lang    matrix.Lang // or empty
		unknown bool        // a command that the bot does not know
		meant   string      // the command that was perhaps meant instead, or empty
	}
	roundArgs struct{ round survey.RoundID }
	// roundLanguageArgs name a round, and the language of the button where a card has buttons in
	// several languages.
	roundLanguageArgs struct {
		round survey.RoundID
		lang  matrix.Lang // or empty
	}
	elementArgs struct {
		round   survey.RoundID
		element string
	}
	// afterArgs name the element that was answered before what is shown.
	afterArgs struct {
		round   survey.RoundID
		element string
		tooSoon bool // a press on what is shown came too soon after that answer
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
		version int // of the matrix; 0 on cards of before there were versions
		lang    matrix.Lang
	}
	// coordinatorArgs name a round and the language of the answer.
	coordinatorArgs struct {
		round survey.RoundID
		lang  matrix.Lang
	}
	// pageArgs name a page of a round's record by the number of its first entry; 0 is the latest.
	pageArgs struct {
		coordinatorArgs
		top int
	}
	// targetArgs name a round, or carry the words that a coordinator named it by, if any.
	targetArgs struct {
		round survey.RoundID
		lang  matrix.Lang // or empty
		words string
	}
	// readingArgs are what explains a results post: see card.Reading.
	readingArgs struct {
		lang      matrix.Lang
		matrix    string
		version   int
		minGroup  int
		consensus results.Consensus
	}
	// ballotArgs name a ballot of a workshop by its number; 0 is before the first.
	ballotArgs struct {
		round  survey.RoundID
		ballot int
	}
	voteArgs struct {
		ballotArgs
		rating matrix.Rating
	}
	// attendArgs name a press on a ballot, and the message that was pressed.
	attendArgs struct {
		voteArgs
		lang    matrix.Lang
		message string // or empty
	}
	// takeArgs name elements of a workshop by card.ElementsHash.
	takeArgs struct {
		round    survey.RoundID
		elements string
	}
	// sourceArgs name an element of a workshop, and the shared card that was pressed.
	sourceArgs struct {
		round   survey.RoundID
		element string
		source  card.Source
		number  int         // of the card's ballot
		lang    matrix.Lang // or empty
	}
	// destinationArgs name a round as targetArgs do, and where its results are to go: see
	// destination.
	destinationArgs struct {
		targetArgs
		to string
	}
)

func (a generalArgs) language() matrix.Lang { return a.lang }

func (a roundLanguageArgs) language() matrix.Lang { return a.lang }

func (a languageArgs) language() matrix.Lang { return a.lang }

func (a detailArgs) language() matrix.Lang { return a.lang }

func (a coordinatorArgs) language() matrix.Lang { return a.lang }

func (a targetArgs) language() matrix.Lang { return a.lang }

func (a attendArgs) language() matrix.Lang { return a.lang }

func (a sourceArgs) language() matrix.Lang { return a.lang }

func (a readingArgs) language() matrix.Lang { return a.lang }

// unknownCommand is the argument of "help" for a command that the bot does not know.
const unknownCommand = "?"

// anyLanguage is the language argument of a command whose word is the same in both languages.
const anyLanguage = "*"

// parseGeneral reads the language of a command, which may be left open. Words after it are
// ignored.
func parseGeneral(args []string) (generalArgs, error) {
	switch {
	case len(args) == 0 || args[0] == anyLanguage:
		return generalArgs{}, nil
	case args[0] == unknownCommand:
		a := generalArgs{unknown: true}
		if _, known := typedCommands[strings.Join(args[1:], " ")]; known && len(args) == 2 {
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

// tooSoonWord is the last argument of "after" for a press that came too soon.
const tooSoonWord = "soon"

// words returns the arguments as parseAfter reads them.
func (a afterArgs) words() []string {
	words := []string{string(a.round), a.element}
	if a.tooSoon {
		words = append(words, tooSoonWord)
	}
	return words
}

func parseAfter(args []string) (afterArgs, error) {
	tooSoon := len(args) == 3 && args[2] == tooSoonWord
	if tooSoon {
		args = args[:2]
	}
	a, err := parseElement(args)
	return afterArgs{a.round, a.element, tooSoon}, err
}

func parseLanguageSwitch(args []string) (languageArgs, error) {
	if len(args) < 3 {
		return languageArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	// A press on a language may only show a card again, never change anything.
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

func parseAnswer(args []string) (answerArgs, error) {
	if len(args) != 3 {
		return answerArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	if err != nil {
		return answerArgs{}, err
	}
	rating, err := parseRating(args[2])
	return answerArgs{id, args[1], rating}, err
}

// parseRating reads what card.RatingArg wrote.
func parseRating(arg string) (matrix.Rating, error) {
	switch arg {
	case "dk":
		return matrix.DontKnow, nil
	case "na":
		return matrix.NotApplicable, nil
	}
	n, err := parseNumber(arg)
	return matrix.Rating(n), err
}

// parseNumber reads a number that is not negative, as strconv.Itoa writes it.
func parseNumber(arg string) (int, error) {
	n, err := strconv.Atoi(arg)
	if err != nil || n < 0 || strconv.Itoa(n) != arg {
		return 0, errForged
	}
	return n, nil
}

func parseBallot(args []string) (ballotArgs, error) {
	if len(args) != 2 {
		return ballotArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	if err != nil {
		return ballotArgs{}, err
	}
	n, err := parseNumber(args[1])
	return ballotArgs{id, n}, err
}

func parseVote(args []string) (voteArgs, error) {
	if len(args) != 3 {
		return voteArgs{}, errForged
	}
	ballot, err := parseBallot(args[:2])
	if err != nil {
		return voteArgs{}, err
	}
	rating, err := parseRating(args[2])
	return voteArgs{ballot, rating}, err
}

func parseAttend(args []string) (attendArgs, error) {
	if len(args) < 5 || len(args) > 6 { // the sixth tells menus of one card apart
		return attendArgs{}, errForged
	}
	vote, err := parseVote(args[:3])
	if err != nil {
		return attendArgs{}, err
	}
	lang, err := parseLanguage(args[3])
	a := attendArgs{voteArgs: vote, lang: lang}
	if args[4] != card.AnyElement {
		a.message = args[4]
	}
	return a, err
}

func parseTake(args []string) (takeArgs, error) {
	if len(args) != 2 {
		return takeArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	return takeArgs{id, args[1]}, err
}

// parseSource reads what card.Meeting.From wrote. The element may be left open, as "-", where it is
// picked from a menu.
func parseSource(args []string) (sourceArgs, error) {
	if len(args) < 4 || len(args) > 5 {
		return sourceArgs{}, errForged
	}
	id, err := parseRoundID(args[0])
	if err != nil {
		return sourceArgs{}, err
	}
	number, err := parseNumber(args[3])
	a := sourceArgs{round: id, element: args[1], source: card.Source(args[2]), number: number}
	if a.element == card.AnyElement {
		a.element = ""
	}
	if err == nil && len(args) == 5 {
		a.lang, err = parseLanguage(args[4])
	}
	return a, err
}

func parseDetail(args []string) (detailArgs, error) {
	if len(args) != 5 {
		return detailArgs{}, errForged
	}
	name, version, err := parseMatrix(args[3])
	if err != nil {
		return detailArgs{}, err
	}
	id, err := parseRoundID(args[0])
	return detailArgs{id, args[1], args[2] == "1", name, version, matrix.Lang(args[4])}, err
}

// parseMatrix reads a matrix's id with its version, such as "england.2", or its id alone.
func parseMatrix(arg string) (id string, version int, err error) {
	id, number, has := strings.Cut(arg, ".")
	if !has {
		return id, 0, nil
	}
	if version, err = strconv.Atoi(number); err != nil || version < 1 {
		return "", 0, errForged
	}
	return id, version, nil
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

// parseReading reads a language, a matrix and its version, the minimum group, the percentage of the
// consensus rule, and whether the rule allows a far minority.
func parseReading(args []string) (readingArgs, error) {
	if len(args) != 6 {
		return readingArgs{}, errForged
	}
	lang, err := parseLanguage(args[0])
	version, versionErr := strconv.Atoi(args[2])
	minGroup, minErr := strconv.Atoi(args[3])
	percent, percentErr := strconv.Atoi(args[4])
	if errors.Join(err, versionErr, minErr, percentErr) != nil {
		return readingArgs{}, errForged
	}
	return readingArgs{
		lang: lang, matrix: args[1], version: version, minGroup: minGroup,
		consensus: results.Consensus{Percent: percent, AllowFarMinority: args[5] == "1"},
	}, nil
}

const roundIDLength = 10

// newRoundID derives a round's id from the event that asked for it, so that an event that is
// delivered twice makes one round.
func newRoundID(event string) survey.RoundID {
	sum := sha256.Sum256([]byte("round " + event))
	return survey.RoundID(
		strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:roundIDLength],
	)
}

// personHash returns a short keyed hash of a person for the log. It connects the lines of one
// process, but does not lead back to the person, whose answers the number of lines could give
// away.
func (h *Tools) personHash(p chat.Person) string {
	mac := hmac.New(sha256.New, h.salt[:])
	mac.Write([]byte(p.String()))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}
