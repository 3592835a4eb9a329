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

// storedEntry is an audit entry as it is stored. Its number is its place in the list.
type storedEntry struct {
	At      int64        `json:"t"` // unix seconds
	By      string       `json:"p,omitempty"`
	Act     audit.Action `json:"a"`
	Changes [][3]string  `json:"c,omitempty"` // field, old, new
	Hash    string       `json:"h"`
}

// encodeEntry returns an audit entry as it is stored.
func encodeEntry(e audit.Entry) (string, error) {
	kept := storedEntry{At: e.At.Unix(), By: e.By, Act: e.Action, Hash: e.Hash}
	for _, c := range e.Changes {
		kept.Changes = append(kept.Changes, [3]string{c.Field, c.Old, c.New})
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return "", fmt.Errorf("encode an audit entry: %w", err)
	}
	return string(raw), nil
}

// decodeEntry reads the entry of a number. One that cannot be read has its number alone: it was
// tampered with, which audit.Verify reports, and the round must stay usable.
func decodeEntry(number int, raw string) audit.Entry {
	var kept storedEntry
	if json.Unmarshal([]byte(raw), &kept) != nil {
		return audit.Entry{Seq: number}
	}
	e := audit.Entry{
		Seq: number, At: time.Unix(kept.At, 0).UTC(), By: kept.By, Action: kept.Act, Hash: kept.Hash,
	}
	for _, c := range kept.Changes {
		e.Changes = append(e.Changes, audit.Change{Field: c[0], Old: c[1], New: c[2]})
	}
	return e
}

// AuditLog returns the entries of a round, oldest first, or ErrNoRound.
func (s *Store) AuditLog(ctx context.Context, id survey.RoundID) (_ []audit.Entry, err error) {
	defer attempt(&err, "read the audit log of round %s", id)
	return s.auditLog(ctx, id)
}

func (s *Store) auditLog(ctx context.Context, id survey.RoundID) ([]audit.Entry, error) {
	pipe := s.client.Pipeline()
	exists := pipe.Exists(ctx, roundKey(id))
	raw := pipe.LRange(ctx, auditKey(id), 0, -1)
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	if exists.Val() == 0 {
		return nil, survey.ErrNoRound
	}
	entries := make([]audit.Entry, len(raw.Val()))
	for i, text := range raw.Val() {
		entries[i] = decodeEntry(i+1, text)
	}
	return entries, nil
}

// AppendEntry adds the entry that next returns for the current log, if it returns one. It calls
// next again when another entry was added in between.
func (s *Store) AppendEntry(
	ctx context.Context, id survey.RoundID, next func([]audit.Entry) (audit.Entry, bool),
) (err error) {
	defer attempt(&err, "add to the audit log of round %s", id)
	for range maxAttempts {
		log, err := s.auditLog(ctx, id)
		if err != nil {
			return err
		}
		e, wanted := next(log)
		if !wanted {
			return nil
		}
		last := audit.Entry{}
		if len(log) > 0 {
			last = log[len(log)-1]
		}
		e = e.Chain(string(id), last)
		text, err := encodeEntry(e)
		if err != nil {
			return err
		}
		_, err = s.run(ctx, appendEntryScript, []string{roundKey(id), auditKey(id)}, text, e.Seq)
		if _, stale := errors.AsType[*staleEntryError](err); !stale {
			return err
		}
	}
	return survey.ErrChanged
}

// staleEntryError says that an entry no longer follows the last one of the log.
type staleEntryError struct {
	last   audit.Entry // the last entry of the log
	people int         // how many people the change would be of
}

func (e *staleEntryError) Error() string { return "the audit log has another last entry" }

// staleEntry reads what scripts return with "behind": how many entries there are, the last of them,
// and perhaps how many people the change is of.
func staleEntry(rest []any) *staleEntryError {
	e := &staleEntryError{}
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

// lastEntry decodes the last of a number of entries. It is the zero Entry when there are none.
func lastEntry(number int64, text string) audit.Entry {
	if number == 0 {
		return audit.Entry{}
	}
	return decodeEntry(int(number), text)
}

// fixedEntry returns what withEntry takes for an entry that does not depend on a number of people,
// or nil for no entry.
func fixedEntry(e audit.Entry) func(int) audit.Entry {
	if e.Action == "" {
		return nil
	}
	return func(int) audit.Entry { return e }
}

// withEntry calls run, which makes a change and adds its audit entry in one script, and calls it
// again while other entries are added in between. It passes the encoded entry, or an empty text for
// none, its number, and the number of people that the change is of: first the given one, then the
// script's.
func (s *Store) withEntry(
	ctx context.Context, id survey.RoundID, entryFor func(people int) audit.Entry, people int,
	run func(entry string, number, people int) ([]any, error),
) ([]any, error) {
	if entryFor == nil {
		return run("", 0, people)
	}
	pipe := s.client.Pipeline()
	number := pipe.LLen(ctx, auditKey(id))
	text := pipe.LIndex(ctx, auditKey(id), -1)
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	last := lastEntry(number.Val(), text.Val())
	for range maxAttempts {
		e := entryFor(people).Chain(string(id), last)
		text, err := encodeEntry(e)
		if err != nil {
			return nil, err
		}
		rest, err := run(text, e.Seq, people)
		stale, ok := errors.AsType[*staleEntryError](err)
		if !ok {
			return rest, err
		}
		last, people = stale.last, stale.people
	}
	return nil, survey.ErrChanged
}
