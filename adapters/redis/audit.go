package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// keptAct is an entry of a record as it is kept. Its number is its place.
type keptAct struct {
	At      int64        `json:"t"` // unix seconds
	By      string       `json:"p,omitempty"`
	Act     audit.Action `json:"a"`
	Changes [][3]string  `json:"c,omitempty"` // field, old, new
	Hash    string       `json:"h"`
}

func encodeEntry(e audit.Entry) (string, error) {
	kept := keptAct{At: e.At.Unix(), By: e.By, Act: e.Action, Hash: e.Hash}
	for _, c := range e.Changes {
		kept.Changes = append(kept.Changes, [3]string{c.Field, c.Old, c.New})
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return "", fmt.Errorf("encode it: %w", err)
	}
	return string(raw), nil
}

// decodeEntry reads the entry of a number. One that cannot be read has only that: somebody meddled with it, which is for
// survey.Verify to tell, and must not keep the round from being steered.
func decodeEntry(number int, raw string) audit.Entry {
	var kept keptAct
	if json.Unmarshal([]byte(raw), &kept) != nil {
		return audit.Entry{Seq: number}
	}
	e := audit.Entry{Seq: number, At: time.Unix(kept.At, 0).UTC(), By: kept.By, Action: kept.Act, Hash: kept.Hash}
	for _, c := range kept.Changes {
		e.Changes = append(e.Changes, audit.Change{Field: c[0], Old: c[1], New: c[2]})
	}
	return e
}

// AuditLog returns the entries of a round, oldest first; ErrNoRound when there is no round.
func (s *Store) AuditLog(ctx context.Context, id survey.RoundID) (_ []audit.Entry, err error) {
	defer attempt(&err, "read the record of round %s", id)
	return s.record(ctx, id)
}

func (s *Store) record(ctx context.Context, id survey.RoundID) ([]audit.Entry, error) {
	pipe := s.client.Pipeline()
	there, raw := pipe.Exists(ctx, roundKey(id)), pipe.LRange(ctx, auditKey(id), 0, -1)
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	if there.Val() == 0 {
		return nil, survey.ErrNoRound
	}
	entries := make([]audit.Entry, len(raw.Val()))
	for i, text := range raw.Val() {
		entries[i] = decodeEntry(i+1, text)
	}
	return entries, nil
}

// AppendEntry adds the entry that next returns for the record as it is, if it returns one; next is called again when somebody else has
// added an entry in between.
func (s *Store) AppendEntry(ctx context.Context, id survey.RoundID, next func([]audit.Entry) (audit.Entry, bool)) (err error) {
	defer attempt(&err, "add to the record of round %s", id)
	for range tries {
		record, err := s.record(ctx, id)
		if err != nil {
			return err
		}
		e, wanted := next(record)
		if !wanted {
			return nil
		}
		last := audit.Entry{}
		if len(record) > 0 {
			last = record[len(record)-1]
		}
		e = e.Chain(string(id), last)
		text, err := encodeEntry(e)
		if err != nil {
			return err
		}
		_, err = s.run(ctx, appendScript, []string{roundKey(id), auditKey(id)}, text, e.Seq)
		if _, late := errors.AsType[*behindError](err); late {
			continue
		}
		if err != nil {
			return err
		}
		return nil
	}
	return survey.ErrChanged
}

// behindError says that an entry does not follow on the last one of the record any more.
type behindError struct {
	last   audit.Entry // the one that it is to follow on
	people int         // how many people it would be of
}

func (e *behindError) Error() string { return "the record has gone on" }

// behind reads what scripts say with "behind": how many entries there are, the last of them, and perhaps how many people the next is of.
func behind(rest []any) *behindError {
	e := &behindError{}
	if len(rest) > 1 {
		number, _ := rest[0].(int64)
		text, _ := rest[1].(string)
		e.last = lastEntry(number, text)
	}
	if len(rest) > 2 {
		people, _ := rest[2].(int64)
		e.people = int(people)
	}
	return e
}

// lastEntry is the last of so many entries: the zero Entry when there are none.
func lastEntry(number int64, text string) audit.Entry {
	if number == 0 {
		return audit.Entry{}
	}
	return decodeEntry(int(number), text)
}

// only is what recorded takes for an entry that depends on nothing, or for none.
func only(e audit.Entry) func(int) audit.Entry {
	if e.Action == "" {
		return nil
	}
	return func(int) audit.Entry { return e }
}

// recorded runs a script that makes a change and adds the entry of it to the record, both at once: again for as long as others add entries
// in between. It gives run the entry as it is to be kept, or an empty text where there is none, its number, and of how many people it
// is: at first as many as are given, then as many as the script says.
func (s *Store) recorded(ctx context.Context, id survey.RoundID, record func(people int) audit.Entry, people int,
	run func(entry string, number, people int) ([]any, error),
) ([]any, error) {
	if record == nil {
		return run("", 0, people)
	}
	pipe := s.client.Pipeline()
	number, text := pipe.LLen(ctx, auditKey(id)), pipe.LIndex(ctx, auditKey(id), -1)
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	last := lastEntry(number.Val(), text.Val())
	for range tries {
		e := record(people).Chain(string(id), last)
		text, err := encodeEntry(e)
		if err != nil {
			return nil, err
		}
		rest, err := run(text, e.Seq, people)
		late, is := errors.AsType[*behindError](err)
		if !is {
			return rest, err
		}
		last, people = late.last, late.people
	}
	return nil, survey.ErrChanged
}
