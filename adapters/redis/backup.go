package redis

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/results"
)

// A backup is a record a line, as JSON. The first says what it is; the last how many there are, so that a backup which was cut off
// is not taken for whole. Between them are the rounds: a record that begins one, its ledger, and its keys as they are in Redis, the
// round itself first, large ones in several records. When a round is closed while it is being read, it is begun anew: what was
// written of it before does not count.
//
// Not in it are the lists of people and channels, which follow from the rounds; events, which are over in minutes; and of
// gestures which was the last, likewise.

const (
	backupFormat  = "maturitybot backup"
	backupVersion = 1
)

// record is one line of a backup: the first, one that begins a round, one with (a part of) a key, or the last.
type record struct {
	Format  string         `json:"format,omitempty"`
	Version int            `json:"version,omitempty"`
	Schema  int            `json:"schema,omitempty"` // of what is backed up; see Schema
	At      time.Time      `json:"at,omitzero"`      // when the backup was begun
	Round   survey.RoundID `json:"round,omitempty"`
	Made    int64          `json:"made,omitempty"` // when the round was made, unix microseconds
	Key     string         `json:"key,omitempty"`
	Type    string         `json:"type,omitempty"`   // as Redis calls it
	Values  [][]byte       `json:"values,omitempty"` // a text, members, fields and values, or members and scores
	Records int            `json:"records,omitempty"`
}

// maxRecord is the longest record that is read, in bytes: far more than any that is written, yet nothing to fill a machine's memory.
const maxRecord = 64 << 20

// errNoBackup says no more of what was read: it may be anything.
var errNoBackup = errors.New("this is not a backup of maturitybot")

// Contents is what a backup holds.
type Contents struct {
	At        time.Time // when it was begun
	Rounds    int
	Open      int // of them, not closed when they were read: of these the backup holds the secret that leads from people to answers
	People    int // in all rosters
	Responses int
}

func (c *Contents) add(d Contents) {
	c.Rounds += d.Rounds
	c.Open += d.Open
	c.People += d.People
	c.Responses += d.Responses
}

// Backup writes everything that is kept to w, a few hundred people in memory at a time. The bot may go on meanwhile: everything that
// was confirmed before the backup was begun is in it, unless it was erased since; of what comes while it is written, each person's part may
// be in it or not, but is whole, entry and answers as they were at one moment.
func (s *Store) Backup(ctx context.Context, w io.Writer) (Contents, error) {
	b := &backup{Store: s, to: bufio.NewWriterSize(w, 1<<16)}
	c, err := b.all(ctx)
	if err == nil {
		err = b.to.Flush()
	}
	if err != nil {
		return Contents{}, fmt.Errorf("write a backup: %w", err)
	}
	return c, nil
}

// backup is one that is being written.
type backup struct {
	*Store
	to      *bufio.Writer
	records int
}

func (b *backup) write(r record) error {
	if r.Key != "" && len(r.Values) == 0 { // in Redis, what is empty is not there
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a record: %w", err)
	}
	b.records++
	_, err = b.to.Write(append(line, '\n'))
	return err
}

func (b *backup) all(ctx context.Context) (Contents, error) {
	c := Contents{At: b.now().UTC().Truncate(time.Microsecond)}
	if err := b.write(record{Format: backupFormat, Version: backupVersion, Schema: Schema, At: c.At}); err != nil {
		return c, err
	}
	listed, err := b.client.ZRangeWithScores(ctx, roundsKey, 0, -1).Result()
	if err != nil {
		return c, fault(err)
	}
	for _, z := range listed {
		name, _ := z.Member.(string)
		id := survey.RoundID(name)
		of, err := b.round(ctx, id, int64(z.Score))
		for try := 1; try < tries && errors.Is(err, survey.ErrChanged); try++ {
			secrets := of.Open
			of, err = b.round(ctx, id, int64(z.Score))
			of.Open = max(of.Open, secrets)
		}
		switch {
		case errors.Is(err, survey.ErrNoRound): // it has expired, or is about to be made
		case err != nil:
			return c, fmt.Errorf("round %s: %w", id, err)
		default:
			c.add(of)
		}
	}
	return c, b.write(record{Records: b.records})
}

// round writes one round. It returns ErrChanged when the round was closed, or sealed, while it was read.
func (b *backup) round(ctx context.Context, id survey.RoundID, made int64) (Contents, error) {
	// The ledger first: what it says to have been erased is not in what is read after it. A restore leaves out all else.
	noted, err := b.client.HGetAll(ctx, erasedKey(id)).Result()
	if err != nil {
		return Contents{}, fault(err)
	}
	pipe := b.client.Pipeline()
	whole, read, secret := pipe.HGetAll(ctx, roundKey(id)), pipe.HMGet(ctx, roundKey(id), roundFields...), pipe.Get(ctx, secretKey(id))
	if err := exec(ctx, pipe); err != nil {
		return Contents{}, err
	}
	r, err := decodeRound(id, read.Val())
	switch {
	case err != nil:
		return Contents{}, err
	case (r.State == survey.Closed) == (secret.Val() != ""): // closed between the two
		return Contents{}, survey.ErrChanged
	}
	records := []record{{Round: id, Made: made}, {Key: erasedKey(id), Type: "hash", Values: flat(noted)}, {Key: roundKey(id), Type: "hash", Values: flat(whole.Val())}}
	if r.State != survey.Closed {
		records = append(records, record{Key: secretKey(id), Type: "string", Values: values(secret.Val())})
	}
	for _, rec := range records {
		if err := b.write(rec); err != nil {
			return Contents{}, err
		}
	}
	c := Contents{Rounds: 1}
	if r.State == survey.Closed {
		err = b.closed(ctx, r, &c)
	} else {
		c.Open = 1
		err = b.people(ctx, id, []byte(secret.Val()), &c)
	}
	if err != nil {
		return c, err
	}
	// What is owed after the roster: nobody who is in it has then not been invited. And last to first: what is owed after what was
	// planned, or a post could be planned that is not owed.
	for _, key := range slices.Backward(keysOf(id)) {
		if slices.Contains([]string{roundKey(id), secretKey(id), rosterKey(id), responsesKey(id)}, key) {
			continue
		}
		if err := b.copy(ctx, key, nil); err != nil {
			return c, err
		}
	}
	return c, nil
}

// pair is how many people one transaction reads with their answers: every other client waits for it.
const pair = 100

// people writes the roster and the responses of a round that has a secret, each person's both as they are at one moment.
func (b *backup) people(ctx context.Context, id survey.RoundID, secret []byte, c *Contents) error {
	return b.entries(ctx, id, func(all []string) error {
		for some := range slices.Chunk(all, 2*pair) { // person, entry
			if err := b.pairs(ctx, id, secret, some, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *backup) pairs(ctx context.Context, id survey.RoundID, secret []byte, some []string, c *Contents) error {
	// No script: one that took both would have people and pseudonyms, in the same order, among its arguments. Nor do the
	// responses come in the order of their people.
	var people []string
	pseudonymOf := map[string]string{}
	for i := 0; i+1 < len(some); i += 2 {
		people = append(people, some[i])
		pseudonymOf[some[i]] = survey.Pseudonym(secret, survey.PersonID(some[i]))
	}
	pipe := b.client.TxPipeline()
	open := pipe.Exists(ctx, secretKey(id))
	entries := pipe.HMGet(ctx, rosterKey(id), people...)
	responses := map[string]*goredis.MapStringStringCmd{}
	for _, pseudonym := range slices.Sorted(maps.Values(pseudonymOf)) {
		responses[pseudonym] = pipe.HGetAll(ctx, responseKey(id, pseudonym))
	}
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	if open.Val() == 0 {
		return survey.ErrChanged
	}
	roster, listed := record{Key: rosterKey(id), Type: "hash"}, record{Key: responsesKey(id), Type: "zset"}
	var answers []record
	for i, person := range people {
		entry, there := entries.Val()[i].(string)
		if !there { // forgotten since
			continue
		}
		c.People++
		roster.Values = append(roster.Values, values(person, entry)...)
	}
	for _, pseudonym := range slices.Sorted(maps.Keys(responses)) {
		fields := responses[pseudonym].Val()
		if len(fields) == 0 {
			continue
		}
		c.Responses++
		listed.Values = append(listed.Values, values(pseudonym, "0")...)
		answers = append(answers, record{Key: responseKey(id, pseudonym), Type: "hash", Values: flat(fields)})
	}
	for _, rec := range append([]record{roster, listed}, answers...) {
		if err := b.write(rec); err != nil {
			return err
		}
	}
	return nil
}

// closed writes the roster and the responses of a closed round, of which nobody can tell which belongs to whom.
func (b *backup) closed(ctx context.Context, r survey.Round, c *Contents) error {
	if err := b.copy(ctx, rosterKey(r.ID), &c.People); err != nil {
		return err
	}
	if r.Turnout == nil { // or the roster may have been read in part before it forgot, in part after
		sealing, err := b.client.HExists(ctx, roundKey(r.ID), "turnout").Result()
		if err != nil {
			return fault(err)
		}
		if sealing {
			return survey.ErrChanged
		}
	}
	return b.pseudonyms(ctx, r.ID, func(some []string) error {
		listed := record{Key: responsesKey(r.ID), Type: "zset"}
		for _, pseudonym := range some {
			listed.Values = append(listed.Values, values(pseudonym, "0")...)
		}
		if err := b.write(listed); err != nil {
			return err
		}
		for _, pseudonym := range some {
			if err := b.copy(ctx, responseKey(r.ID, pseudonym), nil); err != nil {
				return err
			}
		}
		c.Responses += len(some)
		return nil
	})
}

// copy writes a key of any type as it is, and counts its fields or members where a counter is given.
func (b *backup) copy(ctx context.Context, key string, count *int) error {
	kind, err := b.client.Type(ctx, key).Result()
	if err != nil {
		return fault(err)
	}
	scan := func(next func(cursor uint64) *goredis.ScanCmd) error {
		for cursor := uint64(0); ; {
			some, after, err := next(cursor).Result()
			if err != nil {
				return fault(err)
			}
			if err := b.write(record{Key: key, Type: kind, Values: values(some...)}); err != nil {
				return err
			}
			if count != nil {
				*count += len(some) / 2
			}
			if cursor = after; cursor == 0 {
				return nil
			}
		}
	}
	switch kind {
	case "none":
		return nil
	case "string":
		text, err := b.client.Get(ctx, key).Result()
		if err != nil {
			return fault(err)
		}
		return b.write(record{Key: key, Type: kind, Values: values(text)})
	case "list": // at once, since places in it move; it is a short one
		all, err := b.client.LRange(ctx, key, 0, -1).Result()
		if err != nil {
			return fault(err)
		}
		for some := range slices.Chunk(all, page) {
			if err := b.write(record{Key: key, Type: kind, Values: values(some...)}); err != nil {
				return err
			}
		}
		return nil
	case "hash":
		return scan(func(cursor uint64) *goredis.ScanCmd { return b.client.HScan(ctx, key, cursor, "", page) })
	case "set":
		return scan(func(cursor uint64) *goredis.ScanCmd { return b.client.SScan(ctx, key, cursor, "", page) })
	case "zset":
		return scan(func(cursor uint64) *goredis.ScanCmd { return b.client.ZScan(ctx, key, cursor, "", page) })
	}
	return fmt.Errorf("the key %s is of a type that no backup holds: %s", key, kind)
}

func values(texts ...string) [][]byte {
	all := make([][]byte, len(texts))
	for i, t := range texts {
		all[i] = []byte(t)
	}
	return all
}

func flat(fields map[string]string) [][]byte {
	var all [][]byte
	for f, v := range fields {
		all = append(all, []byte(f), []byte(v))
	}
	return all
}

// kept is a round as a backup holds it, without its people.
type kept struct {
	Contents
	id     survey.RoundID
	begins int // which of the records that begin rounds it begins with
	made   int64
	round  survey.Round
	fields map[string]string // of the round's key
	secret string
	erased ledger // as of the backup
}

// CheckBackup reads a whole backup, and returns what it holds, or what is wrong with it.
func CheckBackup(r io.Reader) (Contents, error) {
	c, _, err := checkBackup(r)
	return c, err
}

func checkBackup(r io.Reader) (Contents, map[survey.RoundID]*kept, error) {
	rounds := map[survey.RoundID]*kept{}
	var of *kept
	begins := 0
	at, err := readBackup(r, func(rec record) error {
		if rec.Round != "" {
			again := rounds[rec.Round]
			of = &kept{id: rec.Round, begins: begins, made: rec.Made, erased: ledger{}, Contents: Contents{Rounds: 1}}
			if again != nil {
				of.Open = again.Open
			}
			rounds[rec.Round] = of
			begins++
			return nil
		}
		return of.take(rec)
	})
	if err != nil {
		return Contents{}, nil, fmt.Errorf("read the backup: %w", err)
	}
	c := Contents{At: at}
	for id, k := range rounds {
		if k.fields == nil { // gone before it was read
			delete(rounds, id)
			continue
		}
		if k.round.State != survey.Closed && k.secret == "" {
			return Contents{}, nil, fmt.Errorf("read the backup: the secret of round %s is missing", id)
		}
		c.add(k.Contents)
	}
	return c, rounds, nil
}

// take reads a record of the round.
func (k *kept) take(rec record) error {
	id := k.id
	switch rec.Key {
	case erasedKey(id):
		for field, note := range pairsOf(rec.Values) {
			if err := k.erased.add(field, note); err != nil {
				return err
			}
		}
	case roundKey(id):
		k.fields = map[string]string{}
		for field, value := range pairsOf(rec.Values) {
			k.fields[field] = value
		}
		fields := make([]any, len(roundFields))
		for i, f := range roundFields {
			fields[i] = k.fields[f]
		}
		var err error
		if k.round, err = decodeRound(id, fields); err != nil {
			return err
		}
		if k.fields["closes"] != strconv.FormatInt(k.round.ClosesAt.Unix(), 10) {
			return fmt.Errorf("when round %s closes cannot be read", id)
		}
		// No round is ever without, but a closed one whose last coordinator was forgotten.
		if len(k.round.Languages) == 0 || len(k.round.Coordinators) == 0 && k.round.State != survey.Closed || k.round.Channel == "" {
			return fmt.Errorf("round %s has no languages, no coordinators or no channel", id)
		}
		for _, person := range k.round.Coordinators {
			if !validName(string(person)) {
				return fmt.Errorf("round %s has a coordinator of no proper name", id)
			}
		}
		if !validName(k.round.Channel) {
			return fmt.Errorf("round %s has a channel of no proper name", id)
		}
		switch k.round.State {
		case survey.Draft, survey.Open:
			k.Open = 1
		case survey.Closed:
		default:
			return fmt.Errorf("round %s is neither a draft, nor open, nor closed", id)
		}
	case secretKey(id):
		if len(rec.Values) != 1 || len(rec.Values[0]) != survey.SecretBytes {
			return fmt.Errorf("the secret of round %s cannot be read", id)
		}
		k.secret = string(rec.Values[0])
	case rosterKey(id):
		for person, entry := range pairsOf(rec.Values) {
			if _, err := decodeMember(survey.PersonID(person), entry); err != nil {
				return err
			}
			k.People++
		}
	default:
		if !strings.HasPrefix(rec.Key, responseKey(id, "")) {
			return nil
		}
		fields := map[string]string{}
		for f, v := range pairsOf(rec.Values) {
			fields[f] = v
		}
		if _, err := decodeResponse(fields, map[string]results.Answer{}); err != nil {
			return err
		}
		k.Responses++
	}
	return nil
}

// pairsOf goes through fields and values, or members and scores.
func pairsOf(values [][]byte) func(yield func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(values); i += 2 {
			if !yield(string(values[i]), string(values[i+1])) {
				return
			}
		}
	}
}

// readBackup calls visit for each record that begins a round or holds a key of the round begun last, and returns when the backup was begun.
// It makes sure that the backup is one, whole, and of the form in which backups are written; not of what the keys hold.
func readBackup(r io.Reader, visit func(record) error) (at time.Time, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxRecord)
	n, ended := 0, false
	var round survey.RoundID
	for ; lines.Scan(); n++ {
		var rec record
		err := json.Unmarshal(lines.Bytes(), &rec)
		switch {
		case n == 0 && (err != nil || rec.Format != backupFormat):
			return at, errNoBackup
		case n == 0 && rec.Version != backupVersion:
			return at, fmt.Errorf("it is of version %d, and this program reads version %d: use the maturitybot that wrote it, or a later one", rec.Version, backupVersion)
		case n == 0 && rec.Schema > Schema:
			return at, fmt.Errorf("it is of schema %d, and this program reads up to %d: use the maturitybot that wrote it, or a later one", rec.Schema, Schema)
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
		return at, errNoBackup
	case !ended:
		return at, fmt.Errorf("it ends after record %d, in the middle", n)
	}
	return at, nil
}

// checkNames makes sure that the people and pseudonyms in a record have names as the bot gives them: they
// become parts of keys, of members and of files.
func checkNames(id survey.RoundID, rec record) error {
	var bad bool
	switch rec.Key {
	case rosterKey(id):
		for person := range pairsOf(rec.Values) {
			bad = bad || !validName(person)
		}
	case owedKey(id):
		for message := range pairsOf(rec.Values) {
			_, person, found := strings.Cut(message, " ")
			bad = bad || !found || person != "" && !validName(person)
		}
	case responsesKey(id):
		for member := range pairsOf(rec.Values) {
			bad = bad || !pseudonym.MatchString(member)
		}
	default:
		if of, ok := strings.CutPrefix(rec.Key, responseKey(id, "")); ok {
			bad = !pseudonym.MatchString(of)
		}
	}
	if bad {
		return errors.New("it holds a person or a pseudonym of no proper name")
	}
	return nil
}

// validName reports whether the id of a person or a channel has no spaces and nothing that cannot be shown.
func validName(person string) bool {
	const most = 256
	return person != "" && len(person) <= most && utf8.ValidString(person) && !strings.ContainsFunc(person, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '{' || r == '}'
	})
}

// pseudonym is the form of survey.Pseudonym: base64 for addresses.
var pseudonym = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// checkKey makes sure that a record holds a key of the round, in a form in which it can be written back.
func checkKey(id survey.RoundID, rec record) error {
	response, isResponse := strings.CutPrefix(rec.Key, responseKey(id, ""))
	known := rec.Key == erasedKey(id) || slices.Contains(keysOf(id), rec.Key) || isResponse && response != ""
	if id == "" || !known {
		return errors.New("it holds a key that is none of its round")
	}
	if err := checkNames(id, rec); err != nil {
		return err
	}
	want := map[string]string{
		roundKey(id): "hash", erasedKey(id): "hash", secretKey(id): "string", rosterKey(id): "hash", responsesKey(id): "zset",
		owedKey(id): "zset", plannedKey(id): "set", zonesKey(id): "set", auditKey(id): "list",
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
		for _, score := range pairsOf(rec.Values) {
			if f, err := strconv.ParseFloat(score, 64); err != nil || math.IsNaN(f) {
				return errors.New("it holds a score that is no number")
			}
		}
		if len(rec.Values)%2 == 0 {
			return nil
		}
	}
	return errors.New("it holds values that do not make a key of its type")
}
