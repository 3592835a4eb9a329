package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// Schema is the number of the stored format. It is raised by one with each change after which an
// older program would misread the data, or lose part of it when it writes: a new field of a round
// or a member, a new key of a round, a new meaning of an old one. A program reads data of every
// older schema, because an older process may still write for some seconds after the schema was
// raised.
//
// Data without a schema count as 0.
const Schema = 4

// ErrNewerSchema says that the store holds data of a newer program.
var ErrNewerSchema = errors.New("this Redis is used by a newer version of maturitybot: " +
	"run that version here as well, " +
	"or go back as docs/running.md describes (Go back to an older version)")

// CheckSchema returns ErrNewerSchema when the store holds data of a newer program.
func (s *Store) CheckSchema(ctx context.Context) (err error) {
	defer attempt(&err, "read the schema")
	kept, err := s.client.Get(ctx, schemaKey).Int()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return translate(err)
	}
	return newer(kept)
}

// RaiseSchema raises the store's schema to this program's, so that older programs refuse the store.
// It returns ErrNewerSchema, and changes nothing, when the store's schema is newer.
func (s *Store) RaiseSchema(ctx context.Context) (err error) {
	defer attempt(&err, "raise the schema")
	rest, err := s.run(ctx, raiseSchemaScript, []string{schemaKey}, Schema)
	if err != nil {
		return err
	}
	kept, ok := rest[0].(int64)
	if !ok {
		return fmt.Errorf("the script returned a schema that is not a number: %v", rest[0])
	}
	return newer(int(kept))
}

// newer returns ErrNewerSchema when the schema that is kept is newer than this program's.
func newer(kept int) error {
	if kept > Schema {
		return fmt.Errorf("%w (its schema is %d, this program's is %d)", ErrNewerSchema, kept, Schema)
	}
	return nil
}

// RegisterJournal records that a serving process adds its erasures to a journal, so that another
// process can check whether it uses the same one. The caller chooses the name.
func (s *Store) RegisterJournal(ctx context.Context, name string) (err error) {
	defer attempt(&err, "register the journal of erasures")
	return translate(s.client.SAdd(ctx, journalsKey, name).Err())
}

// Journals returns the names of all registered journals.
func (s *Store) Journals(ctx context.Context) (names []string, err error) {
	defer attempt(&err, "read the registered journals")
	names, err = s.client.SMembers(ctx, journalsKey).Result()
	return names, translate(err)
}
