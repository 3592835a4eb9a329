package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// Why a backup is not restored until the operator decides otherwise.
var (
	ErrNotEmpty        = errors.New("the store holds rounds")
	ErrErasuresUnknown = errors.New("it is not known what was erased since the backup")
)

// RestoreOptions say what a restore may do.
type RestoreOptions struct {
	// Replace removes all rounds and assessments of the store before the backup is written. Without
	// it Restore refuses a store with rounds, and keeps each assessment of the store that the backup
	// does not hold, or holds in an earlier version.
	Replace bool
	// Journals are those that KeepJournal was given, in any process. They cover the time since the
	// backup only if one of them was begun before it.
	Journals []JournalFile
	// WithoutErasures restores a round even when neither the store nor a journal says what was
	// erased of it since the backup.
	WithoutErasures bool
}

// JournalFile is a journal to be read, such as an *os.File.
type JournalFile interface {
	io.Reader
	Name() string
}

// Restored is the result of a restore.
type Restored struct {
	Backup    Contents // what the backup holds
	Rounds    int      // restored
	Expired   int      // rounds that were left out because they have expired
	Replaced  int      // rounds of the store that were removed
	Unknown   int      // rounds of which nothing says what was erased
	Withdrawn int      // people whose answers were left out: they withdrew after the backup
	Forgotten int      // people who were left out: they were forgotten after the backup
	// Assessments is how many were written.
	Assessments int
	Closed      []survey.RoundID // open in the backup, restored as closed; make their rosters anonymous
	// Uncounted are people who are to be forgotten but were counted when their round was closed.
	// The count is to be made again, so they are still in it. Make the round's roster anonymous,
	// then forget them there.
	Uncounted map[survey.RoundID][]survey.PersonID
	// CoordinatorKept are rounds whose only coordinator is to be forgotten and therefore remains.
	CoordinatorKept []survey.RoundID
}

// Restore writes a backup into the store, which must hold no rounds unless the options allow it. It
// leaves out what was erased after the backup was made, by the ledgers of the store and of the
// backup and by the journals. It calls read twice, which must return the whole backup each time:
// everything is checked before anything is written. No bot may use the store meanwhile.
//
// The rounds become visible only when all of them are written, so a restore that was stopped before
// can be run again.
func (s *Store) Restore(
	ctx context.Context, read func() (io.Reader, error), o RestoreOptions,
) (_ Restored, err error) {
	defer attempt(&err, "restore a backup")
	r := &restore{
		Store:  s,
		out:    Restored{Uncounted: map[survey.RoundID][]survey.PersonID{}},
		rounds: map[survey.RoundID]*restoredRound{},
	}
	s.indexedAt = time.Time{} // the restored rounds are not in the index "due"
	err = r.all(ctx, read, o)
	return r.out, err
}

// restore is a restore in progress.
type restore struct {
	*Store
	out    Restored
	rounds map[survey.RoundID]*restoredRound
}

// restoredRound is a round to be restored. Its round and fields are as they will be written.
type restoredRound struct {
	*backupRound
	ledger         ledger                   // everything that was ever erased of it
	erasedLater    ledger                   // of that, what is still in the backup
	withdrawn      map[survey.PersonID]bool // takes part in the backup
	forgotten      map[survey.PersonID]bool // is in the backup
	uncounted      map[survey.PersonID]bool // of the forgotten, those still to be counted
	withoutAnswers map[string]bool          // the pseudonyms whose responses are left out
	pushed         map[string]int           // how many entries of each list were written
}

// all checks the backup and restores it.
func (r *restore) all(ctx context.Context, read func() (io.Reader, error), o RestoreOptions) error {
	in, err := read()
	if err != nil {
		return err
	}
	contents, rounds, err := checkBackup(in)
	if err != nil {
		return err
	}
	r.out.Backup = contents
	existing := map[survey.RoundID]bool{}
	if err := r.Rounds(ctx, func(round survey.Round) error {
		existing[round.ID] = true
		return nil
	}); err != nil {
		return err
	}
	if len(existing) > 0 && !o.Replace {
		return fmt.Errorf("%w: %d", ErrNotEmpty, len(existing))
	}
	if err := r.prepare(ctx, rounds, existing, o.Journals); err != nil {
		return err
	}
	if r.out.Unknown > 0 && !o.WithoutErasures {
		return fmt.Errorf("%w, of %d of its rounds", ErrErasuresUnknown, r.out.Unknown)
	}
	if o.Replace {
		if err := r.removeAssessments(ctx); err != nil {
			return err
		}
	}
	return r.write(ctx, read, existing)
}

// prepare determines what of each round is to be restored.
func (r *restore) prepare(
	ctx context.Context, rounds map[survey.RoundID]*backupRound, existing map[survey.RoundID]bool,
	journals []JournalFile,
) error {
	ledgers := map[survey.RoundID]ledger{}
	var unknown []survey.RoundID
	for id, k := range rounds {
		ledgers[id] = maps.Clone(k.erased)
		noted, err := r.client.HGetAll(ctx, erasedKey(id)).Result()
		if err != nil {
			return translate(err)
		}
		for field, note := range noted {
			if err := ledgers[id].add(field, note); err != nil {
				return fmt.Errorf("round %s: %w", id, err)
			}
		}
		if !existing[id] && len(noted) == 0 {
			unknown = append(unknown, id)
		}
	}
	for _, j := range journals {
		covers, err := readJournal(j.Name(), j, r.out.Backup.At, ledgers)
		if err != nil {
			return err
		}
		if covers {
			unknown = nil
		}
	}
	for id, k := range rounds {
		restored := &restoredRound{
			backupRound:    k,
			ledger:         ledgers[id],
			erasedLater:    ledgers[id].after(k.erased),
			withdrawn:      map[survey.PersonID]bool{},
			forgotten:      map[survey.PersonID]bool{},
			uncounted:      map[survey.PersonID]bool{},
			withoutAnswers: map[string]bool{},
			pushed:         map[string]int{},
		}
		closing, coordinatorKept, err := restored.applyErasures()
		switch {
		case err != nil:
			return fmt.Errorf("round %s: %w", id, err)
		case !restored.round.ExpiresAt().After(r.now()):
			r.out.Expired++
			continue
		}
		r.rounds[id] = restored
		if closing {
			r.out.Closed = append(r.out.Closed, id)
		}
		if coordinatorKept {
			r.out.CoordinatorKept = append(r.out.CoordinatorKept, id)
		}
		if slices.Contains(unknown, id) {
			r.out.Unknown++
		}
	}
	slices.Sort(r.out.Closed)
	slices.Sort(r.out.CoordinatorKept)
	return nil
}

// applyErasures changes the round by what happened after the backup: it is closed, and loses
// coordinators who are to be forgotten. It reports whether it closed the round, and whether such a
// coordinator had to remain.
func (restored *restoredRound) applyErasures() (closing, coordinatorKept bool, err error) {
	if at := restored.ledger[closed]; at != "" && restored.round.State != survey.Closed {
		closing = true
		restored.round.State = survey.Closed
		restored.round.Version++
		if restored.round.ClosedAt, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return closing, false, err
		}
		restored.fields["state"] = string(survey.Closed)
		restored.fields["closed"] = at
		restored.fields["version"] = strconv.Itoa(restored.round.Version)
	}
	stay := slices.DeleteFunc(slices.Clone(restored.round.Coordinators), func(p survey.PersonID) bool {
		what, hasLeft := restored.erasedSince(p)
		return what == forgotten || hasLeft
	})
	switch {
	case len(stay) == len(restored.round.Coordinators):
		return closing, false, nil
	case len(stay) == 0 && restored.round.State != survey.Closed: // an open round needs a coordinator
		return closing, true, nil
	}
	restored.round.Coordinators = stay
	restored.fields["body"], err = encodeRound(restored.round)
	return closing, false, err
}

// erasedSince returns what was erased of a person since the backup, withdrawn, forgotten or
// nothing, and whether they left the round after its close.
func (restored *restoredRound) erasedSince(person survey.PersonID) (what string, hasLeft bool) {
	if len(restored.erasedLater) == 0 {
		return "", false
	}
	mark := markOf(restored.fields["salt"], person)
	what, _, _ = readNote(restored.erasedLater[mark]) // all have been read before
	return what, restored.erasedLater[ledgerField(left, mark)] != ""
}

// write replaces what the store holds by the rounds of the backup.
func (r *restore) write(
	ctx context.Context, read func() (io.Reader, error), existing map[survey.RoundID]bool,
) error {
	// The ledgers first, so that they are not lost when the rest fails.
	for id, restored := range r.rounds {
		if len(restored.ledger) == 0 {
			continue
		}
		pipe := r.client.Pipeline()
		pipe.HSet(ctx, erasedKey(id), map[string]string(restored.ledger))
		pipe.ExpireAt(ctx, erasedKey(id), restored.round.ExpiresAt().Add(ledgerGrace))
		if err := exec(ctx, pipe); err != nil {
			return err
		}
	}
	out, err := r.client.ZRange(ctx, roundsKey, 0, -1).Result()
	if err != nil {
		return translate(err)
	}
	for id := range r.rounds { // a restore that was stopped may have left something of them
		out = append(out, string(id))
	}
	slices.Sort(out)
	for _, name := range slices.Compact(out) {
		if err := r.remove(ctx, survey.RoundID(name)); err != nil {
			return err
		}
	}
	r.out.Replaced = len(existing)

	in, err := read()
	if err != nil {
		return err
	}
	pipe := r.client.Pipeline()
	var restored *restoredRound
	begins := 0
	_, err = readBackup(in, func(rec backupRecord) error {
		if rec.Assessment != "" {
			return r.writeAssessment(ctx, rec)
		}
		if rec.Round != "" {
			// A round may begin several times in a backup; the last time counts.
			if restored = r.rounds[rec.Round]; restored != nil && restored.begins != begins {
				restored = nil
			}
			begins++
			return nil
		}
		if restored != nil {
			if err := r.writeRecord(ctx, pipe, restored, rec); err != nil {
				return err
			}
		}
		if pipe.Len() < pageSize {
			return nil
		}
		return exec(ctx, pipe)
	})
	if err == nil {
		err = exec(ctx, pipe)
	}
	if err != nil {
		return fmt.Errorf("read the backup again: %w", err)
	}
	for id, restored := range r.rounds {
		if err := r.publish(ctx, id, restored); err != nil {
			return err
		}
		r.out.Rounds++
		r.out.Withdrawn += len(restored.withdrawn)
		r.out.Forgotten += len(restored.forgotten)
		if len(restored.uncounted) > 0 {
			r.out.Uncounted[id] = slices.Sorted(maps.Keys(restored.uncounted))
		}
	}
	return nil
}

// writeRecord writes a record of a round, without what was erased since the backup.
func (r *restore) writeRecord(
	ctx context.Context, pipe goredis.Pipeliner, restored *restoredRound, rec backupRecord,
) error {
	id := restored.round.ID
	switch key := rec.Key; {
	case key == erasedKey(id), key == roundKey(id):
		return nil // the ledger was written first, and the round is written last
	case key == secretKey(id) && restored.round.State == survey.Closed:
		return nil
	case key == rosterKey(id):
		var err error
		if rec.Values, err = restored.remainingRoster(rec.Values); err != nil {
			return err
		}
		for person := range pairs(rec.Values) {
			r.addToIndex(ctx, pipe, personKey(survey.PersonID(person)), restored)
		}
	case key == responsesKey(id):
		rec.Values = withoutMembers(rec.Values, func(pseudonym string) bool {
			return restored.withoutAnswers[pseudonym]
		})
	case key == queueKey(id):
		rec.Values = withoutMembers(rec.Values, func(message string) bool {
			_, person, _ := strings.Cut(message, " ")
			return restored.forgotten[survey.PersonID(person)]
		})
	case key == linksKey(id):
		rec.Values = restored.restoredLinks(rec.Values)
	case key == linkIndexKey(id):
		rec.Values = restored.restoredIndex(rec.Values)
	case strings.HasPrefix(key, responseKey(id, "")):
		if restored.withoutAnswers[strings.TrimPrefix(key, responseKey(id, ""))] {
			return nil
		}
		// A scan may have returned its person twice, with an answer removed in between.
		pipe.Del(ctx, key)
	}
	if len(rec.Values) == 0 {
		return nil
	}
	var args []any
	for i, v := range rec.Values {
		if rec.Type == "zset" { // which takes the score first
			v = rec.Values[i^1]
		}
		args = append(args, v)
	}
	if rec.Type == "list" {
		// EVAL, not EVALSHA: in a pipeline nothing loads the script into a server that lacks it.
		pushed := append([]any{restored.pushed[rec.Key]}, args...)
		restoreListScript.Eval(ctx, pipe, []string{rec.Key}, pushed...)
		restored.pushed[rec.Key] += len(args)
	} else {
		command := map[string]string{
			"string": "set", "hash": "hset", "set": "sadd", "zset": "zadd",
		}[rec.Type]
		pipe.Do(ctx, append([]any{command, rec.Key}, args...)...)
	}
	pipe.ExpireAt(ctx, rec.Key, restored.round.ExpiresAt())
	return nil
}

// remainingRoster returns the people and entries of a roster without the people who are to be
// forgotten, unless they are to be counted first. Of a person who withdrew only that remains.
func (restored *restoredRound) remainingRoster(values [][]byte) ([][]byte, error) {
	var stay [][]byte
	for name, entry := range pairs(values) {
		person := survey.PersonID(name)
		what, hasLeft := restored.erasedSince(person)
		if what != "" && restored.secret != "" {
			restored.withoutAnswers[survey.Pseudonym([]byte(restored.secret), person)] = true
		}
		if what == withdrawn {
			var err error
			m := survey.Member{Person: person, Status: survey.Withdrawn}
			if entry, err = encodeMember(m, ""); err != nil {
				return nil, err
			}
		}
		switch {
		case what == forgotten, hasLeft && restored.round.Turnout != nil:
			restored.forgotten[person] = true
			continue
		case hasLeft:
			restored.forgotten[person] = true
			restored.uncounted[person] = true
		case what == withdrawn:
			restored.withdrawn[person] = true
		}
		stay = append(stay, []byte(name), []byte(entry))
	}
	return stay, nil
}

// withoutMembers returns members and scores without those that are left out.
func withoutMembers(values [][]byte, leaveOut func(member string) bool) [][]byte {
	var stay [][]byte
	for member, score := range pairs(values) {
		if !leaveOut(member) {
			stay = append(stay, []byte(member), []byte(score))
		}
	}
	return stay
}

// publish writes the round itself and adds it to the indexes, which makes it visible.
func (r *restore) publish(ctx context.Context, id survey.RoundID, restored *restoredRound) error {
	pipe := r.client.Pipeline()
	r.addToIndex(ctx, pipe, channelKey(restored.round.Channel), restored)
	for _, person := range restored.round.Coordinators {
		r.addToIndex(ctx, pipe, personKey(person), restored)
	}
	r.addToIndex(ctx, pipe, roundsKey, restored)
	pipe.HSet(ctx, roundKey(id), restored.fields)
	pipe.ExpireAt(ctx, roundKey(id), restored.round.ExpiresAt())
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	return r.markPlan(ctx, id)
}

// addToIndex adds a round to an index, as of when it was made.
func (r *restore) addToIndex(
	ctx context.Context, pipe goredis.Pipeliner, key string, restored *restoredRound,
) {
	entry := goredis.Z{Score: float64(restored.made), Member: string(restored.round.ID)}
	pipe.ZAddNX(ctx, key, entry)
	extendTTL(ctx, pipe, key, restored.round.ExpiresAt())
}

// remove removes a round from the store, or what remains of one, except its ledger. The round
// becomes invisible first.
func (r *restore) remove(ctx context.Context, id survey.RoundID) error {
	round, err := r.round(ctx, id)
	if err != nil && !errors.Is(err, survey.ErrNoRound) {
		return err
	}
	if err := r.client.Del(ctx, roundKey(id)).Err(); err != nil {
		return translate(err)
	}
	err = r.eachPseudonymPage(ctx, id, func(some []string) error {
		pipe := r.client.Pipeline()
		for _, pseudonym := range some {
			pipe.Del(ctx, responseKey(id, pseudonym))
		}
		return exec(ctx, pipe)
	})
	if err != nil {
		return err
	}
	err = r.eachRosterPage(ctx, id, func(some []string) error {
		pipe := r.client.Pipeline()
		for i := 0; i < len(some); i += 2 {
			pipe.ZRem(ctx, personKey(survey.PersonID(some[i])), string(id))
		}
		return exec(ctx, pipe)
	})
	if err != nil {
		return err
	}
	pipe := r.client.Pipeline()
	for _, person := range round.Coordinators {
		pipe.ZRem(ctx, personKey(person), string(id))
	}
	if round.Channel != "" {
		pipe.ZRem(ctx, channelKey(round.Channel), string(id))
	}
	pipe.Del(ctx, keysOf(id)...)
	pipe.Del(ctx, workshopKeys(id)...)
	pipe.Unlink(ctx, operationTimesKeys(id)...)
	pipe.ZRem(ctx, roundsKey, string(id))
	r.requestRewrite(id)
	return exec(ctx, pipe)
}
