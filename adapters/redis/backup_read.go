package redis

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"maturitybot/survey"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

// maxRecord is the length limit of a record that is read, in bytes. Written records are far
// shorter; the limit protects the memory of the machine.
const maxRecord = 64 << 20

// errNotBackup holds nothing of what was read, which may be anything.
var errNotBackup = errors.New("this is not a backup of maturitybot")

// backupRound is a round as a backup holds it, without its people.
type backupRound struct {
	Contents
	id     survey.RoundID
	begins int // which of the records that begin rounds it begins with
	made   int64
	round  survey.Round
	fields map[string]string // of the round's key
	secret string
	erased ledger // as of the backup
}

// CheckBackup reads a whole backup and returns what it holds, or what is wrong with it.
func CheckBackup(r io.Reader) (Contents, error) {
	c, _, err := checkBackup(r)
	return c, err
}

// checkBackup is CheckBackup, and also returns the rounds.
func checkBackup(r io.Reader) (Contents, map[survey.RoundID]*backupRound, error) {
	rounds := map[survey.RoundID]*backupRound{}
	var of *backupRound
	begins := 0
	assessments := map[survey.RoundID]bool{}
	at, err := readBackup(r, func(rec backupRecord) error {
		if rec.Assessment != "" {
			assessments[rec.Assessment] = true
			_, err := backedUpAssessment(rec)
			return err
		}
		if rec.Round != "" {
			earlier := rounds[rec.Round]
			of = &backupRound{
				id: rec.Round, begins: begins, made: rec.Made, erased: ledger{},
				Contents: Contents{Rounds: 1},
			}
			if earlier != nil {
				of.Open = earlier.Open
			}
			rounds[rec.Round] = of
			begins++
			return nil
		}
		return of.addRecord(rec)
	})
	if err != nil {
		return Contents{}, nil, fmt.Errorf("read the backup: %w", err)
	}
	c := Contents{At: at, Assessments: len(assessments)}
	for id, k := range rounds {
		if k.fields == nil { // it expired before it was read
			delete(rounds, id)
			continue
		}
		if k.round.State != survey.Closed && k.secret == "" {
			return Contents{}, nil,
				fmt.Errorf("read the backup: the secret of round %s is missing", id)
		}
		c.add(k.Contents)
	}
	return c, rounds, nil
}

// backedUpAssessment returns the assessment that a record holds.
func backedUpAssessment(rec backupRecord) (workshop.Assessment, error) {
	id := rec.Assessment
	stored := maps.Collect(pairs(rec.Values))
	fields := make([]any, len(assessmentFields))
	for i, f := range assessmentFields {
		fields[i] = stored[f]
	}
	a, err := decodeAssessment(id, fields)
	switch {
	case err != nil:
		return a, fmt.Errorf("the assessment of round %s: %w", id, err)
	case a.Version < 1, !slices.Contains(workshop.Stages(), a.Stage), a.ExpiresAt.IsZero():
		return a, fmt.Errorf("the assessment of round %s is not whole", id)
	}
	return a, nil
}

// addRecord reads a record of the round.
func (k *backupRound) addRecord(rec backupRecord) error {
	id := k.id
	switch rec.Key {
	case erasedKey(id):
		for field, note := range pairs(rec.Values) {
			if err := k.erased.add(field, note); err != nil {
				return err
			}
		}
	case roundKey(id):
		return k.addRound(rec)
	case secretKey(id):
		if len(rec.Values) != 1 || len(rec.Values[0]) != survey.SecretBytes {
			return fmt.Errorf("the secret of round %s cannot be read", id)
		}
		k.secret = string(rec.Values[0])
	case rosterKey(id):
		for person, entry := range pairs(rec.Values) {
			if _, err := decodeMember(survey.PersonID(person), entry); err != nil {
				return err
			}
			k.People++
		}
	default:
		if !strings.HasPrefix(rec.Key, responseKey(id, "")) {
			return nil
		}
		fields := maps.Collect(pairs(rec.Values))
		if _, err := decodeResponse(fields, map[string]results.Answer{}); err != nil {
			return err
		}
		k.Responses++
	}
	return nil
}

// addRound reads the record of the round itself.
func (k *backupRound) addRound(rec backupRecord) error {
	id := k.id
	k.fields = maps.Collect(pairs(rec.Values))
	fields := make([]any, len(roundFields))
	for i, f := range roundFields {
		fields[i] = k.fields[f]
	}
	var err error
	if k.round, err = decodeRound(id, fields); err != nil {
		return err
	}
	r := k.round
	if k.fields["closes"] != strconv.FormatInt(r.ClosesAt.Unix(), 10) {
		return fmt.Errorf("when round %s closes cannot be read", id)
	}
	// Only a closed round can be without coordinators: the last one was forgotten.
	orphaned := len(r.Coordinators) == 0 && r.State != survey.Closed
	if len(r.Languages) == 0 || orphaned || r.Channel == "" {
		return fmt.Errorf("round %s has no languages, no coordinators or no channel", id)
	}
	for _, person := range r.Coordinators {
		if !validName(string(person)) {
			return fmt.Errorf("round %s has a coordinator of no proper name", id)
		}
	}
	if !validName(r.Channel) {
		return fmt.Errorf("round %s has a channel of no proper name", id)
	}
	switch r.State {
	case survey.Draft, survey.Open:
		k.Open = 1
	case survey.Closed:
	default:
		return fmt.Errorf("round %s is neither a draft, nor open, nor closed", id)
	}
	return nil
}

// pairs returns fields and values, or members and scores.
func pairs(values [][]byte) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(values); i += 2 {
			if !yield(string(values[i]), string(values[i+1])) {
				return
			}
		}
	}
}

// readBackup calls visit for each record that begins a round, holds a key of the round begun last, or
// holds an assessment. It returns when the backup was begun. It checks that the backup is whole and has the format
// in which backups are written, but not what the keys hold.
func readBackup(r io.Reader, visit func(backupRecord) error) (at time.Time, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxRecord)
	n, ended := 0, false
	var round survey.RoundID
	for ; lines.Scan(); n++ {
		var rec backupRecord
		err := json.Unmarshal(lines.Bytes(), &rec)
		switch {
		case n == 0 && (err != nil || rec.Format != backupFormat):
			return at, errNotBackup
		case n == 0 && rec.Version != backupVersion:
			return at, fmt.Errorf("it is of version %d, and this program reads version %d: "+
				"use the maturitybot that wrote it, or a later one", rec.Version, backupVersion)
		case n == 0 && rec.Schema > Schema:
			return at, fmt.Errorf("it is of schema %d, and this program reads up to %d: "+
				"use the maturitybot that wrote it, or a later one", rec.Schema, Schema)
		case n == 0:
			at = rec.At
			continue
		case err != nil:
			return at, fmt.Errorf("record %d cannot be read", n+1)
		case ended:
			return at, fmt.Errorf("record %d comes after the last one", n+1)
		case rec.Records > 0:
			if rec.Records != n {
				return at, fmt.Errorf("it says that it has %d records, and has %d", rec.Records, n)
			}
			ended = true
			continue
		case rec.Assessment != "":
			if !rec.Assessment.Valid() || rec.Key != assessmentKey(rec.Assessment) {
				return at, fmt.Errorf("record %d holds an assessment of no proper name", n+1)
			}
		case rec.Round != "":
			if round = rec.Round; !round.Valid() {
				return at, fmt.Errorf("record %d begins a round of no proper name", n+1)
			}
		default:
			if err := checkKey(round, rec); err != nil {
				return at, fmt.Errorf("record %d: %w", n+1, err)
			}
		}
		if err := visit(rec); err != nil {
			return at, fmt.Errorf("record %d: %w", n+1, err)
		}
	}
	switch {
	case errors.Is(lines.Err(), bufio.ErrTooLong):
		return at, fmt.Errorf("record %d is too long", n+1)
	case lines.Err() != nil:
		return at, lines.Err()
	case n == 0:
		return at, errNotBackup
	case !ended:
		return at, fmt.Errorf("it ends after record %d, in the middle", n)
	}
	return at, nil
}

// checkNames checks that the people and pseudonyms in a record have names as the bot gives them,
// because they become parts of keys, of members and of file names.
func checkNames(id survey.RoundID, rec backupRecord) error {
	var bad bool
	switch rec.Key {
	case rosterKey(id):
		for person := range pairs(rec.Values) {
			bad = bad || !validName(person)
		}
	case queueKey(id):
		for message := range pairs(rec.Values) {
			_, person, found := strings.Cut(message, " ")
			bad = bad || !found || person != "" && !validName(person)
		}
	case linksKey(id):
		for field := range pairs(rec.Values) {
			bad = bad || !validName(field)
		}
	case linkIndexKey(id):
		for hash, target := range pairs(rec.Values) {
			bad = bad || !validPseudonym(hash) || !validName(target)
		}
	case responsesKey(id):
		for member := range pairs(rec.Values) {
			bad = bad || !validPseudonym(member)
		}
	default:
		if of, ok := strings.CutPrefix(rec.Key, responseKey(id, "")); ok {
			bad = !validPseudonym(of)
		}
	}
	if bad {
		return errors.New("it holds a person or a pseudonym of no proper name")
	}
	return nil
}

// validName reports whether the id of a person or a channel has neither spaces nor characters that
// cannot be shown.
func validName(person string) bool {
	const maxBytes = 256
	if person == "" || len(person) > maxBytes || !utf8.ValidString(person) {
		return false
	}
	return !strings.ContainsFunc(person, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '{' || r == '}'
	})
}

// validPseudonym reports whether a name has the form of survey.Pseudonym: base64 for URLs.
func validPseudonym(name string) bool {
	const maxBytes = 64
	return name != "" && len(name) <= maxBytes && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// checkKey checks that a record holds a key of the round, in a form in which it can be written.
func checkKey(id survey.RoundID, rec backupRecord) error {
	response, isResponse := strings.CutPrefix(rec.Key, responseKey(id, ""))
	known := rec.Key == erasedKey(id) || slices.Contains(keysOf(id), rec.Key)
	if id == "" || !known && (!isResponse || response == "") {
		return errors.New("it holds an unexpected key")
	}
	if err := checkNames(id, rec); err != nil {
		return err
	}
	want := map[string]string{
		roundKey(id):     "hash",
		erasedKey(id):    "hash",
		secretKey(id):    "string",
		rosterKey(id):    "hash",
		responsesKey(id): "zset",
		queueKey(id):     "zset",
		plannedKey(id):   "set",
		zonesKey(id):     "set",
		auditKey(id):     "list",
		linksKey(id):     "hash",
		linkIndexKey(id): "hash",
	}[rec.Key]
	if isResponse {
		want = "hash"
	}
	if want != "" && rec.Type != want {
		return fmt.Errorf("it holds a %s that is to be a %s", rec.Type, want)
	}
	switch rec.Type {
	case "string":
		if len(rec.Values) == 1 {
			return nil
		}
	case "set", "list":
		return nil
	case "hash":
		if len(rec.Values)%2 == 0 {
			return nil
		}
	case "zset":
		for _, score := range pairs(rec.Values) {
			if f, err := strconv.ParseFloat(score, 64); err != nil || math.IsNaN(f) {
				return errors.New("it holds a score that is not a number")
			}
		}
		if len(rec.Values)%2 == 0 {
			return nil
		}
	}
	return errors.New("it holds values that do not make a key of its type")
}
