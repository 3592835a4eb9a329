package redis

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/workshop"
)

// A backup has one record a line, as JSON. The first says what it is and the last how many there
// are, so that a truncated backup is noticed. Between them are the rounds: a record that begins
// one, its ledger, and its keys as they are in Redis, the round itself first, large ones in several
// records. A round that is closed while it is read is begun again; what was written of it before
// does not count. After the rounds come the assessments, one a record, because most of them are of
// rounds that have expired.
//
// A backup does not hold the indexes of people, channels and areas, which follow from the rounds and
// the assessments, nor events and the times of operations, which are deleted within minutes. Nor does
// it hold who is in a workshop that goes on, their votes and objections, and the secrets of these:
// people give their role and vote again.

const (
	backupFormat  = "maturitybot backup"
	backupVersion = 1
)

// backupRecord is one line of a backup: the first, one that begins a round, one with a key or a
// part of it, one with an assessment, or the last.
type backupRecord struct {
	Format  string         `json:"format,omitempty"`
	Version int            `json:"version,omitempty"`
	Schema  int            `json:"schema,omitempty"` // of what is backed up; see Schema
	At      time.Time      `json:"at,omitzero"`      // when the backup was begun
	Round   survey.RoundID `json:"round,omitempty"`
	Made    int64          `json:"made,omitempty"` // when the round was made, unix microseconds
	// Assessment is the round of the assessment that the record holds.
	Assessment survey.RoundID `json:"assessment,omitempty"`
	Key        string         `json:"key,omitempty"`
	Type       string         `json:"type,omitempty"` // as Redis calls it
	// Values are a text, members, fields and values, or members and scores.
	Values  [][]byte `json:"values,omitempty"`
	Records int      `json:"records,omitempty"`
}

// Contents is what a backup holds.
type Contents struct {
	At        time.Time // when it was begun
	Rounds    int
	Open      int // rounds that were not closed, of which the backup holds the secret
	People    int // in all rosters
	Responses int

	Assessments int // also of rounds that have expired
}

func (c *Contents) add(d Contents) {
	c.Rounds += d.Rounds
	c.Open += d.Open
	c.People += d.People
	c.Responses += d.Responses
	c.Assessments += d.Assessments
}

// Backup writes all data to w, a few hundred people in memory at a time. The bot may be used
// meanwhile. The backup holds everything that was confirmed before it was begun, unless it was
// erased since. What comes while it is written may be in it or not, but of each person entry and
// answers are of one moment.
func (s *Store) Backup(ctx context.Context, w io.Writer) (_ Contents, err error) {
	defer attempt(&err, "write a backup")
	b := &backup{Store: s, to: bufio.NewWriterSize(w, 1<<16)}
	c, err := b.all(ctx)
	if err != nil {
		return Contents{}, err
	}
	return c, b.to.Flush()
}

// backup is a backup in progress.
type backup struct {
	*Store
	to      *bufio.Writer
	records int
}

// write writes one record, unless it holds a key without values: Redis has no empty keys.
func (b *backup) write(r backupRecord) error {
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

// all writes the whole backup.
func (b *backup) all(ctx context.Context) (Contents, error) {
	c := Contents{At: b.now().UTC().Truncate(time.Microsecond)}
	first := backupRecord{Format: backupFormat, Version: backupVersion, Schema: Schema, At: c.At}
	if err := b.write(first); err != nil {
		return c, err
	}
	listed, err := b.client.ZRangeWithScores(ctx, roundsKey, 0, -1).Result()
	if err != nil {
		return c, translate(err)
	}
	for _, z := range listed {
		name, _ := z.Member.(string)
		id := survey.RoundID(name)
		of, err := b.round(ctx, id, int64(z.Score))
		for try := 1; try < maxAttempts && errors.Is(err, survey.ErrChanged); try++ {
			secrets := of.Open
			of, err = b.round(ctx, id, int64(z.Score))
			of.Open = max(of.Open, secrets)
		}
		switch {
		case errors.Is(err, survey.ErrNoRound): // it has expired, or is about to be created
		case err != nil:
			return c, fmt.Errorf("round %s: %w", id, err)
		default:
			c.add(of)
		}
	}
	if c.Assessments, err = b.assessments(ctx); err != nil {
		return c, err
	}
	return c, b.write(backupRecord{Records: b.records})
}

// assessments writes every assessment and returns how many there are.
func (b *backup) assessments(ctx context.Context) (int, error) {
	names, err := b.client.ZRange(ctx, assessmentsKey, 0, -1).Result()
	if err != nil {
		return 0, translate(err)
	}
	count := 0
	for some := range slices.Chunk(names, pageSize) {
		pipe := b.client.Pipeline()
		fields := make([]*goredis.SliceCmd, len(some))
		for i, name := range some {
			fields[i] = pipe.HMGet(ctx, assessmentKey(survey.RoundID(name)), assessmentFields...)
		}
		if err := exec(ctx, pipe); err != nil {
			return count, err
		}
		for i, name := range some {
			a, err := decodeAssessment(survey.RoundID(name), fields[i].Val())
			if errors.Is(err, survey.ErrNoAssessment) { // it has expired, or is about to be created
				continue
			}
			if err == nil {
				err = b.writeAssessment(a)
			}
			if err != nil {
				return count, fmt.Errorf("the assessment of round %s: %w", name, err)
			}
			count++
		}
	}
	return count, nil
}

// writeAssessment writes an assessment, with what was done since its body was written.
func (b *backup) writeAssessment(a workshop.Assessment) error {
	body, err := encodeAssessment(a)
	if err != nil {
		return err
	}
	id := survey.RoundID(a.Round)
	return b.write(backupRecord{
		Assessment: id, Key: assessmentKey(id), Type: "hash",
		Values: values("version", strconv.Itoa(a.Version), "stage", string(a.Stage), "body", body),
	})
}

// round writes one round. It returns ErrChanged when the round was closed or made anonymous while
// it was read.
func (b *backup) round(ctx context.Context, id survey.RoundID, made int64) (Contents, error) {
	// The ledger first: what is read after it no longer holds what it says was erased. A restore
	// leaves out what is erased later.
	noted, err := b.client.HGetAll(ctx, erasedKey(id)).Result()
	if err != nil {
		return Contents{}, translate(err)
	}
	pipe := b.client.Pipeline()
	whole := pipe.HGetAll(ctx, roundKey(id))
	read := pipe.HMGet(ctx, roundKey(id), roundFields...)
	secret := pipe.Get(ctx, secretKey(id))
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
	records := []backupRecord{
		{Round: id, Made: made},
		{Key: erasedKey(id), Type: "hash", Values: flatten(noted)},
		{Key: roundKey(id), Type: "hash", Values: flatten(whole.Val())},
	}
	if r.State != survey.Closed {
		records = append(records, backupRecord{
			Key: secretKey(id), Type: "string", Values: values(secret.Val()),
		})
	}
	for _, rec := range records {
		if err := b.write(rec); err != nil {
			return Contents{}, err
		}
	}
	c := Contents{Rounds: 1}
	if r.State == survey.Closed {
		err = b.closedRound(ctx, r, &c)
	} else {
		c.Open = 1
		err = b.openRound(ctx, id, []byte(secret.Val()), &c)
	}
	if err != nil {
		return c, err
	}
	// The queue comes after the roster, so that it has the invitation of each person in the roster;
	// and keys are read in reverse, the queue after what was planned, so that it has each planned
	// post.
	written := []string{roundKey(id), secretKey(id), rosterKey(id), responsesKey(id)}
	for _, key := range slices.Backward(keysOf(id)) {
		if slices.Contains(written, key) {
			continue
		}
		if err := b.copyKey(ctx, key, nil); err != nil {
			return c, err
		}
	}
	return c, nil
}

// peoplePerTransaction is how many people one transaction reads with their answers. All other
// clients wait for it.
const peoplePerTransaction = 100

// openRound writes the roster and the responses of a round that has a secret. Of each person both
// are of one moment.
func (b *backup) openRound(
	ctx context.Context, id survey.RoundID, secret []byte, c *Contents,
) error {
	return b.eachRosterPage(ctx, id, func(all []string) error {
		for some := range slices.Chunk(all, 2*peoplePerTransaction) { // person, entry
			if err := b.writePeople(ctx, id, secret, some, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// writePeople writes some people, person and entry in turn, and their responses.
func (b *backup) writePeople(
	ctx context.Context, id survey.RoundID, secret []byte, some []string, c *Contents,
) error {
	// Not a script, because its arguments would hold people and pseudonyms in the same order. For
	// the same reason the responses are not read in the order of the people.
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
	roster := backupRecord{Key: rosterKey(id), Type: "hash"}
	listed := backupRecord{Key: responsesKey(id), Type: "zset"}
	var answers []backupRecord
	for i, person := range people {
		entry, ok := entries.Val()[i].(string)
		if !ok { // forgotten since
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
		answers = append(answers, backupRecord{
			Key: responseKey(id, pseudonym), Type: "hash", Values: flatten(fields),
		})
	}
	for _, rec := range append([]backupRecord{roster, listed}, answers...) {
		if err := b.write(rec); err != nil {
			return err
		}
	}
	return nil
}

// closedRound writes the roster and the responses of a closed round, in which nothing connects the
// two.
func (b *backup) closedRound(ctx context.Context, r survey.Round, c *Contents) error {
	if err := b.copyKey(ctx, rosterKey(r.ID), &c.People); err != nil {
		return err
	}
	if r.Turnout == nil {
		// The roster may have been made anonymous while it was read.
		anonymising, err := b.client.HExists(ctx, roundKey(r.ID), "turnout").Result()
		if err != nil {
			return translate(err)
		}
		if anonymising {
			return survey.ErrChanged
		}
	}
	return b.eachPseudonymPage(ctx, r.ID, func(some []string) error {
		listed := backupRecord{Key: responsesKey(r.ID), Type: "zset"}
		for _, pseudonym := range some {
			listed.Values = append(listed.Values, values(pseudonym, "0")...)
		}
		if err := b.write(listed); err != nil {
			return err
		}
		for _, pseudonym := range some {
			if err := b.copyKey(ctx, responseKey(r.ID, pseudonym), nil); err != nil {
				return err
			}
		}
		c.Responses += len(some)
		return nil
	})
}

// copyKey writes a key of any type as it is. It adds the number of fields or members to count,
// unless that is nil.
func (b *backup) copyKey(ctx context.Context, key string, count *int) error {
	kind, err := b.client.Type(ctx, key).Result()
	if err != nil {
		return translate(err)
	}
	scan := func(next func(cursor uint64) *goredis.ScanCmd) error {
		for cursor := uint64(0); ; {
			some, after, err := next(cursor).Result()
			if err != nil {
				return translate(err)
			}
			if err := b.write(backupRecord{Key: key, Type: kind, Values: values(some...)}); err != nil {
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
			return translate(err)
		}
		return b.write(backupRecord{Key: key, Type: kind, Values: values(text)})
	case "list": // in one piece, because indexes change; lists are short
		all, err := b.client.LRange(ctx, key, 0, -1).Result()
		if err != nil {
			return translate(err)
		}
		for some := range slices.Chunk(all, pageSize) {
			if err := b.write(backupRecord{Key: key, Type: kind, Values: values(some...)}); err != nil {
				return err
			}
		}
		return nil
	case "hash":
		return scan(func(cursor uint64) *goredis.ScanCmd {
			return b.client.HScan(ctx, key, cursor, "", pageSize)
		})
	case "set":
		return scan(func(cursor uint64) *goredis.ScanCmd {
			return b.client.SScan(ctx, key, cursor, "", pageSize)
		})
	case "zset":
		return scan(func(cursor uint64) *goredis.ScanCmd {
			return b.client.ZScan(ctx, key, cursor, "", pageSize)
		})
	}
	return fmt.Errorf("key %s has the type %s, which a backup cannot hold", key, kind)
}

// values returns texts as the values of a record.
func values(texts ...string) [][]byte {
	all := make([][]byte, len(texts))
	for i, t := range texts {
		all[i] = []byte(t)
	}
	return all
}

// flatten returns the fields and values of a hash as the values of a record.
func flatten(fields map[string]string) [][]byte {
	var all [][]byte
	for f, v := range fields {
		all = append(all, []byte(f), []byte(v))
	}
	return all
}
