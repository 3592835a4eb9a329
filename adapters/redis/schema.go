package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// Schema is the number of the form in which this program keeps data. It is raised by one with each change
// after which an older program would misread what is kept, or lose a part of it when it writes: a new
// field of a round or a member, a new key of a round, another meaning of an old one. A program reads data
// of every older schema, since an older process may still write for some seconds after it was raised.
//
// Data from before there was a schema count as 0.
const Schema = 1

// ErrNewerSchema says that the store holds data of a newer program.
var ErrNewerSchema = errors.New("this Redis is used by a newer version of maturitybot: run that version here as well, " +
	"or go back as docs/running.md describes (Go back to an older version)")

// CheckSchema returns ErrNewerSchema when the store holds data of a newer program.
func (s *Store) CheckSchema(ctx context.Context) (err error) {
	defer attempt(&err, "read the schema")
	kept, err := s.client.Get(ctx, schemaKey).Int()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return fault(err)
	}
	return newer(kept)
}

// RaiseSchema marks the store as one that this program writes to, so that older programs refuse it. It
// returns ErrNewerSchema, and changes nothing, when a newer program has done so.
func (s *Store) RaiseSchema(ctx context.Context) (err error) {
	defer attempt(&err, "raise the schema")
	rest, err := s.run(ctx, schemaScript, []string{schemaKey}, Schema)
	if err != nil {
		return err
	}
	kept, ok := rest[0].(int64)
	if !ok {
		return fmt.Errorf("the script answered with a schema that is no number: %v", rest[0])
	}
	return newer(int(kept))
}

func newer(kept int) error {
	if kept > Schema {
		return fmt.Errorf("%w (its schema is %d, this program's is %d)", ErrNewerSchema, kept, Schema)
	}
	return nil
}

// RegisterJournal notes that a process which serves adds its erasures to a journal, so that others can
// tell whether they add to the same. The name is the caller's.
func (s *Store) RegisterJournal(ctx context.Context, name string) (err error) {
	defer attempt(&err, "note the journal of erasures")
	return fault(s.client.SAdd(ctx, journalsKey, name).Err())
}

// Journals returns the names of all journals that were registered.
func (s *Store) Journals(ctx context.Context) (names []string, err error) {
	defer attempt(&err, "read which journals of erasures there are")
	names, err = s.client.SMembers(ctx, journalsKey).Result()
	return names, fault(err)
}
