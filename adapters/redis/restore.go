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

// What keeps a backup from being restored until somebody has decided.
var (
	ErrNotEmpty        = errors.New("the store holds rounds")
	ErrErasuresUnknown = errors.New("nothing tells what was erased since the backup")
)

// RestoreOptions say what a restore may do.
type RestoreOptions struct {
	// Replace takes out all rounds that the store holds before the backup is written; without it they make it refuse.
	Replace bool
	// Journals are what KeepJournal has had written, by whichever process. They tell of the time since the backup only if one of them
	// was begun before it.
	Journals []JournalFile
	// WithoutErasures goes on where neither the store nor a journal tells what was erased of a round since the backup.
	WithoutErasures bool
}

// JournalFile is a journal to be read, such as an *os.File.
type JournalFile interface {
	io.Reader
	Name() string
}

// Restored is what came of a restore.
type Restored struct {
	Backup    Contents         // what the backup holds
	Rounds    int              // restored
	Expired   int              // rounds that are not to be kept any more, and were left out
	Replaced  int              // rounds of the store that were taken out
	Unknown   int              // rounds of which nothing tells what was erased
	Withdrawn int              // people whose answers were left out, since they withdrew after the backup
	Forgotten int              // people who were left out altogether
	Closed    []survey.RoundID // open in the backup, and restored as closed; their rosters are to be sealed
	// Uncounted are people who are to be forgotten, yet were counted when their round was closed, which is to be done again: they
	// are still in it. Seal the round, then forget them there.
	Uncounted map[survey.RoundID][]survey.PersonID
	Unsteered []survey.RoundID // whoever is to be forgotten is their only coordinator, and stays it
}

// Restore writes a backup into the store, which must hold no rounds unless the options say otherwise, and leaves out what was erased
// after the backup was made, as the store's own ledgers, that of the backup, and the journals tell. Read is called twice, and
// returns the whole backup each time: all of it is checked before anything is written. No bot may work on the store meanwhile.
//
// The rounds are to be seen only when all of them are written: a restore that was stopped before can be run again.
func (s *Store) Restore(ctx context.Context, read func() (io.Reader, error), o RestoreOptions) (Restored, error) {
	r := &restore{Store: s, out: Restored{Uncounted: map[survey.RoundID][]survey.PersonID{}}, rounds: map[survey.RoundID]*returning{}}
	s.indexedAt = time.Time{} // what comes back is not in the index of what is due
	if err := r.all(ctx, read, o); err != nil {
		return r.out, fmt.Errorf("restore a backup: %w", err)
	}
	return r.out, nil
}

// restore is one that is going on.
type restore struct {
	*Store
	out    Restored
	rounds map[survey.RoundID]*returning
}

// returning is a round on its way back. Its round and fields are as they are to be from now on.
type returning struct {
	*kept
	known     ledger                   // all that was erased of it, ever
	since     ledger                   // of that, what is still in the backup
	withdrawn map[survey.PersonID]bool // found in the backup, as taking part
	forgotten map[survey.PersonID]bool // found in the backup
	uncounted map[survey.PersonID]bool // of these, those who are still to be counted
	absent    map[string]bool          // the pseudonyms of those of whom there are to be no answers
	pushed    map[string]int           // of lists, how many entries have been written
}

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
	living := map[survey.RoundID]bool{}
	if err := r.Rounds(ctx, func(round survey.Round) error {
		living[round.ID] = true
		return nil
	}); err != nil {
		return err
	}
	if len(living) > 0 && !o.Replace {
		return fmt.Errorf("%w: %d", ErrNotEmpty, len(living))
	}
	if err := r.prepare(ctx, rounds, living, o.Journals); err != nil {
		return err
	}
	if r.out.Unknown > 0 && !o.WithoutErasures {
		return fmt.Errorf("%w, of %d of its rounds", ErrErasuresUnknown, r.out.Unknown)
	}
	return r.write(ctx, read, living)
}

// prepare finds out what of each round is to come back.
func (r *restore) prepare(ctx context.Context, rounds map[survey.RoundID]*kept, living map[survey.RoundID]bool, journals []JournalFile) error {
	known := map[survey.RoundID]ledger{}
	var unknown []survey.RoundID
	for id, k := range rounds {
		known[id] = maps.Clone(k.erased)
		noted, err := r.client.HGetAll(ctx, erasedKey(id)).Result()
		if err != nil {
			return fault(err)
		}
		for field, note := range noted {
			if err := known[id].add(field, note); err != nil {
				return fmt.Errorf("round %s: %w", id, err)
			}
		}
		if !living[id] && len(noted) == 0 {
			unknown = append(unknown, id)
		}
	}
	for _, j := range journals {
		kept, err := readJournal(j.Name(), j, r.out.Backup.At, known)
		if err != nil {
			return err
		}
		if kept {
			unknown = nil
		}
	}
	for id, k := range rounds {
		back := &returning{
			kept: k, known: known[id], since: known[id].after(k.erased),
			withdrawn: map[survey.PersonID]bool{}, forgotten: map[survey.PersonID]bool{}, uncounted: map[survey.PersonID]bool{}, absent: map[string]bool{}, pushed: map[string]int{},
		}
		closing, unsteered, err := back.change()
		switch {
		case err != nil:
			return fmt.Errorf("round %s: %w", id, err)
		case !back.round.ExpiresAt().After(r.now()):
			r.out.Expired++
			continue
		}
		r.rounds[id] = back
		if closing {
			r.out.Closed = append(r.out.Closed, id)
		}
		if unsteered {
			r.out.Unsteered = append(r.out.Unsteered, id)
		}
		if slices.Contains(unknown, id) {
			r.out.Unknown++
		}
	}
	slices.Sort(r.out.Closed)
	slices.Sort(r.out.Unsteered)
	return nil
}

// change makes of the round what has become of it since the backup: closed, and without coordinators who are to be forgotten. It
// says whether it closed it, and whether such a coordinator had to stay.
func (back *returning) change() (closing, unsteered bool, err error) {
	if at := back.known[closed]; at != "" && back.round.State != survey.Closed {
		closing = true
		back.round.State, back.round.Version = survey.Closed, back.round.Version+1
		if back.round.ClosedAt, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return closing, false, err
		}
		back.fields["state"], back.fields["closed"], back.fields["version"] = string(survey.Closed), at, strconv.Itoa(back.round.Version)
	}
	stay := slices.DeleteFunc(slices.Clone(back.round.Coordinators), func(p survey.PersonID) bool {
		what, hasLeft := back.gone(p)
		return what == forgotten || hasLeft
	})
	switch {
	case len(stay) == len(back.round.Coordinators):
		return closing, false, nil
	case len(stay) == 0 && back.round.State != survey.Closed: // somebody has to steer it
		return closing, true, nil
	}
	back.round.Coordinators = stay
	back.fields["body"], err = encodeRound(back.round)
	return closing, false, err
}

// gone says what has been erased of a person since the backup: withdrawn, forgotten, or nothing; and whether they left it after its close.
func (back *returning) gone(person survey.PersonID) (what string, hasLeft bool) {
	if len(back.since) == 0 {
		return "", false
	}
	mark := markOf(back.fields["salt"], person)
	what, _, _ = readNote(back.since[mark]) // all have been read before
	return what, back.since[fieldOf(left, mark)] != ""
}

func (r *restore) write(ctx context.Context, read func() (io.Reader, error), living map[survey.RoundID]bool) error {
	// The ledgers first: whatever stops the rest, what is known is not lost.
	for id, back := range r.rounds {
		if len(back.known) == 0 {
			continue
		}
		pipe := r.client.Pipeline()
		pipe.HSet(ctx, erasedKey(id), map[string]string(back.known))
		pipe.ExpireAt(ctx, erasedKey(id), back.round.ExpiresAt().Add(outlives))
		if err := exec(ctx, pipe); err != nil {
			return err
		}
	}
	out, err := r.client.ZRange(ctx, roundsKey, 0, -1).Result()
	if err != nil {
		return fault(err)
	}
	for id := range r.rounds { // of which a restore that was stopped may have left something
		out = append(out, string(id))
	}
	slices.Sort(out)
	for _, name := range slices.Compact(out) {
		if err := r.remove(ctx, survey.RoundID(name)); err != nil {
			return err
		}
	}
	r.out.Replaced = len(living)

	in, err := read()
	if err != nil {
		return err
	}
	pipe := r.client.Pipeline()
	var back *returning
	begins := 0
	_, err = readBackup(in, func(rec record) error {
		if rec.Round != "" {
			if back = r.rounds[rec.Round]; back != nil && back.begins != begins { // it is begun anew further on
				back = nil
			}
			begins++
			return nil
		}
		if back != nil {
			if err := r.put(ctx, pipe, back, rec); err != nil {
				return err
			}
		}
		if pipe.Len() < page {
			return nil
		}
		return exec(ctx, pipe)
	})
	if err == nil {
		err = exec(ctx, pipe)
	}
	if err != nil {
		return fmt.Errorf("after all of it had been read once: %w", err)
	}
	for id, back := range r.rounds {
		if err := r.show(ctx, id, back); err != nil {
			return err
		}
		r.out.Rounds++
		r.out.Withdrawn += len(back.withdrawn)
		r.out.Forgotten += len(back.forgotten)
		if len(back.uncounted) > 0 {
			r.out.Uncounted[id] = slices.Sorted(maps.Keys(back.uncounted))
		}
	}
	return nil
}

// put writes back a record of a round, without what has been erased since.
func (r *restore) put(ctx context.Context, pipe goredis.Pipeliner, back *returning, rec record) error {
	id := back.round.ID
	switch key := rec.Key; {
	case key == erasedKey(id), key == roundKey(id):
		return nil // written before, and after, everything else
	case key == secretKey(id) && back.round.State == survey.Closed:
		return nil
	case key == rosterKey(id):
		var err error
		if rec.Values, err = back.roster(rec.Values); err != nil {
			return err
		}
		for person := range pairsOf(rec.Values) {
			r.relist(ctx, pipe, personKey(survey.PersonID(person)), back)
		}
	case key == responsesKey(id):
		rec.Values = without(rec.Values, func(pseudonym string) bool { return back.absent[pseudonym] })
	case key == owedKey(id):
		rec.Values = without(rec.Values, func(message string) bool {
			_, person, _ := strings.Cut(message, " ")
			return back.forgotten[survey.PersonID(person)]
		})
	case strings.HasPrefix(key, responseKey(id, "")):
		if back.absent[strings.TrimPrefix(key, responseKey(id, ""))] {
			return nil
		}
		pipe.Del(ctx, key) // a scan may have met its person twice, and they may have taken an answer back in between
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
		// Not EVALSHA: in a pipeline, nothing would send the script to a server that does not know it yet.
		pushScript.Eval(ctx, pipe, []string{rec.Key}, append([]any{back.pushed[rec.Key]}, args...)...)
		back.pushed[rec.Key] += len(args)
	} else {
		word := map[string]string{"string": "set", "hash": "hset", "set": "sadd", "zset": "zadd"}[rec.Type]
		pipe.Do(ctx, append([]any{word, rec.Key}, args...)...)
	}
	pipe.ExpireAt(ctx, rec.Key, back.round.ExpiresAt())
	return nil
}

// roster returns people and their entries without those who are to be forgotten, unless they are to be counted first; of those who have
// withdrawn, that they have.
func (back *returning) roster(values [][]byte) ([][]byte, error) {
	var stay [][]byte
	for name, entry := range pairsOf(values) {
		person := survey.PersonID(name)
		what, hasLeft := back.gone(person)
		if what != "" && back.secret != "" {
			back.absent[survey.Pseudonym([]byte(back.secret), person)] = true
		}
		if what == withdrawn {
			var err error
			if entry, err = encodeMember(survey.Member{Person: person, Status: survey.Withdrawn}, ""); err != nil {
				return nil, err
			}
		}
		switch {
		case what == forgotten, hasLeft && back.round.Turnout != nil:
			back.forgotten[person] = true
			continue
		case hasLeft:
			back.forgotten[person], back.uncounted[person] = true, true
		case what == withdrawn:
			back.withdrawn[person] = true
		}
		stay = append(stay, []byte(name), []byte(entry))
	}
	return stay, nil
}

// without returns members and scores without some members.
func without(values [][]byte, gone func(member string) bool) [][]byte {
	var stay [][]byte
	for member, score := range pairsOf(values) {
		if !gone(member) {
			stay = append(stay, []byte(member), []byte(score))
		}
	}
	return stay
}

// show writes the round itself and lists it: from then on it is there.
func (r *restore) show(ctx context.Context, id survey.RoundID, back *returning) error {
	pipe := r.client.Pipeline()
	r.relist(ctx, pipe, channelKey(back.round.Channel), back)
	for _, person := range back.round.Coordinators {
		r.relist(ctx, pipe, personKey(person), back)
	}
	r.relist(ctx, pipe, roundsKey, back)
	pipe.HSet(ctx, roundKey(id), back.fields)
	pipe.ExpireAt(ctx, roundKey(id), back.round.ExpiresAt())
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	return r.markPlan(ctx, id)
}

// relist adds a round to a list, as of when it was made.
func (r *restore) relist(ctx context.Context, pipe goredis.Pipeliner, key string, back *returning) {
	pipe.ZAddNX(ctx, key, goredis.Z{Score: float64(back.made), Member: string(back.round.ID)})
	keepUntil(ctx, pipe, key, back.round.ExpiresAt())
}

// remove takes a round out of the store, or what is left of one: all but its ledger. It is not to be seen any more at once.
func (r *restore) remove(ctx context.Context, id survey.RoundID) error {
	round, err := r.Round(ctx, id)
	if err != nil && !errors.Is(err, survey.ErrNoRound) {
		return err
	}
	if err := r.client.Del(ctx, roundKey(id)).Err(); err != nil {
		return fault(err)
	}
	err = r.pseudonyms(ctx, id, func(some []string) error {
		pipe := r.client.Pipeline()
		for _, pseudonym := range some {
			pipe.Del(ctx, responseKey(id, pseudonym))
		}
		return exec(ctx, pipe)
	})
	if err != nil {
		return err
	}
	err = r.entries(ctx, id, func(some []string) error {
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
	pipe.Unlink(ctx, operationTimesKeys(id)...)
	pipe.ZRem(ctx, roundsKey, string(id))
	r.rewriteFile(id)
	return exec(ctx, pipe)
}
