package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// errNotForClosing refuses a round that would look closed while its secret is still there.
var errNotForClosing = errors.New("only CloseRound closes a round")

// errNoClosingTime refuses a round that Redis would delete at once.
var errNoClosingTime = errors.New("the round has no closing time")

// CreateRound keeps a new round and makes its secret. It changes nothing when the round exists.
func (s *Store) CreateRound(ctx context.Context, r survey.Round, e audit.Entry) (err error) {
	defer attempt(&err, "create round %s", r.ID)
	if r.State == survey.Closed {
		return errNotForClosing
	}
	body, err := bodyOf(r)
	if err != nil {
		return err
	}
	secret := make([]byte, survey.SecretBytes)
	rand.Read(secret) // never returns an error
	defer clear(secret)

	if err := s.indexRound(ctx, r); err != nil {
		return err
	}
	salt := rand.Text()
	create := func(entry string, number, _ int) ([]any, error) {
		keys := []string{roundKey(r.ID), secretKey(r.ID), auditKey(r.ID)}
		return s.run(ctx, createRoundScript, keys, r.Version, string(r.State), r.ClosesAt.Unix(),
			body, secret, r.ExpiresAt().Unix(), entry, number, salt)
	}
	return s.changePlan(ctx, r.ID, func() error {
		_, err := s.withEntry(ctx, r.ID, fixedEntry(e), 0, create)
		return err
	})
}

// bodyOf encodes a round, unless it may not be kept.
func bodyOf(r survey.Round) (string, error) {
	switch {
	case r.State == survey.Closed && r.ClosedAt.IsZero():
		return "", errNotForClosing
	case r.ClosesAt.IsZero():
		return "", errNoClosingTime
	}
	return encodeRound(r)
}

// Round returns the round, or ErrNoRound.
func (s *Store) Round(ctx context.Context, id survey.RoundID) (_ survey.Round, err error) {
	defer attempt(&err, "read round %s", id)
	return s.round(ctx, id)
}

func (s *Store) round(ctx context.Context, id survey.RoundID) (survey.Round, error) {
	fields, err := s.client.HMGet(ctx, roundKey(id), roundFields...).Result()
	if err != nil {
		return survey.Round{}, translate(err)
	}
	return decodeRound(id, fields)
}

// SaveRound replaces a round and adds one to its version, if r.Version is the version kept;
// otherwise it returns ErrChanged. It neither closes a round nor reopens a closed one: it returns
// ErrChanged or ErrClosed. A closing time counts to the second. When the expiry changes, SaveRound
// then changes that of the responses and of the indexes, page by page. When that fails it returns
// the error, and the same call again goes on.
func (s *Store) SaveRound(ctx context.Context, r survey.Round, e audit.Entry) (err error) {
	defer attempt(&err, "save round %s", r.ID)
	body, err := bodyOf(r)
	if err != nil {
		return err
	}
	if err := s.indexRound(ctx, r); err != nil { // there may be new coordinators
		return err
	}
	var rest []any
	save := func(entry string, number, _ int) ([]any, error) {
		keys := append(keysOf(r.ID), workshopKeys(r.ID)...)
		return s.run(ctx, saveRoundScript, keys, r.Version, r.Version+1, string(r.State),
			r.ClosesAt.Unix(), body, r.ExpiresAt().Unix(), entry, number)
	}
	err = s.changePlan(ctx, r.ID, func() (err error) {
		rest, err = s.withEntry(ctx, r.ID, fixedEntry(e), 0, save)
		return err
	})
	if err != nil {
		return err
	}
	if len(rest) == 1 && rest[0] == int64(0) {
		return nil
	}
	return s.moveExpiry(ctx, r)
}

// CloseRound closes the round for good and destroys its secret, in one step. Then it requests a
// rewrite of the append-only file, which still holds the secret. Closing again changes nothing and
// keeps the first time, but completes the expiry of responses and indexes after a fault.
func (s *Store) CloseRound(
	ctx context.Context, id survey.RoundID, at time.Time, e audit.Entry,
) (survey.Round, error) {
	return s.closeRound(ctx, id, at.UTC(), "", e)
}

// CloseDue closes the round like CloseRound, as of its closing time, if that is still the given
// time; otherwise it changes nothing.
func (s *Store) CloseDue(
	ctx context.Context, id survey.RoundID, closes time.Time, e audit.Entry,
) (survey.Round, error) {
	return s.closeRound(ctx, id, closes.UTC(), strconv.FormatInt(closes.Unix(), 10), e)
}

// closeRound closes a round at a time. Unless expected is empty, it does so only when the round's
// closing time is still that, in unix seconds.
func (s *Store) closeRound(
	ctx context.Context, id survey.RoundID, at time.Time, expected string, e audit.Entry,
) (_ survey.Round, err error) {
	defer attempt(&err, "close round %s", id)
	expires := survey.Round{ClosedAt: at}.ExpiresAt()
	keys := slices.Concat(keysOf(id), operationTimesKeys(id), workshopKeys(id),
		[]string{erasedKey(id)})
	var fields []any
	closing := func(entry string, number, _ int) ([]any, error) {
		return s.run(ctx, closeRoundScript, keys, at.Format(time.RFC3339Nano), expires.Unix(),
			expected, entry, number, expires.Add(ledgerGrace).Unix())
	}
	err = s.changePlan(ctx, id, func() (err error) {
		fields, err = s.withEntry(ctx, id, fixedEntry(e), 0, closing)
		return err
	})
	if err != nil {
		return survey.Round{}, err
	}
	r, err := decodeRound(id, fields)
	if err != nil {
		return survey.Round{}, err
	}
	// An earlier call may have closed the round and failed to write the journal.
	if r.State == survey.Closed && !r.Anonymised {
		if err := s.writeJournal(erasure{At: r.ClosedAt, What: closed, Round: id}); err != nil {
			return survey.Round{}, err
		}
	}
	s.requestRewrite(id)
	return r, s.moveExpiry(ctx, r)
}

// Rounds calls visit for each round, a few hundred in memory at a time, in no stated order.
func (s *Store) Rounds(ctx context.Context, visit func(survey.Round) error) error {
	for cursor := uint64(0); ; {
		names, next, err := s.client.ZScan(ctx, roundsKey, cursor, "", pageSize).Result()
		if err != nil {
			return fmt.Errorf("read the rounds: %w", translate(err))
		}
		pipe := s.client.Pipeline()
		fields := make([]*goredis.SliceCmd, 0, len(names)/2)
		for i := 0; i+1 < len(names); i += 2 { // name, score
			fields = append(fields, pipe.HMGet(ctx, roundKey(survey.RoundID(names[i])), roundFields...))
		}
		if len(fields) > 0 {
			if err := exec(ctx, pipe); err != nil {
				return fmt.Errorf("read the rounds: %w", err)
			}
		}
		for i, f := range fields {
			id := survey.RoundID(names[2*i])
			r, err := decodeRound(id, f.Val())
			if errors.Is(err, survey.ErrNoRound) { // it has expired, or is about to be made
				continue
			}
			if err != nil {
				return fmt.Errorf("read round %s: %w", id, err)
			}
			if err := visit(r); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// RoundsIn returns the rounds of a coordinators' channel, newest first.
func (s *Store) RoundsIn(ctx context.Context, channel string) ([]survey.RoundID, error) {
	ask := func(pipe goredis.Pipeliner, id survey.RoundID) func() (exists, belongs bool) {
		fields := pipe.HMGet(ctx, roundKey(id), roundFields...)
		return func() (bool, bool) {
			r, err := decodeRound(id, fields.Val())
			return !errors.Is(err, survey.ErrNoRound), err == nil && r.Channel == channel
		}
	}
	found, err := s.readIndex(ctx, channelKey(channel), ask)
	if err != nil {
		return nil, fmt.Errorf("read the rounds of a channel: %w", err)
	}
	return found, nil
}

// indexRound adds a round to the indexes of its channel, its coordinators and all rounds.
func (s *Store) indexRound(ctx context.Context, r survey.Round) error {
	pipe := s.client.Pipeline()
	s.addToIndex(ctx, pipe, roundsKey, r.ID, r.ExpiresAt())
	pipe.ZAddNX(ctx, dueKey, goredis.Z{Member: string(r.ID)})
	pipe.ExpireNX(ctx, dueKey, indexTTL)
	s.addToIndex(ctx, pipe, channelKey(r.Channel), r.ID, r.ExpiresAt())
	for _, person := range r.Coordinators {
		s.addToIndex(ctx, pipe, personKey(person), r.ID, r.ExpiresAt())
	}
	return exec(ctx, pipe)
}

// addToIndex adds a round to an index of rounds, which then lives at least as long as the round.
func (s *Store) addToIndex(
	ctx context.Context, pipe goredis.Pipeliner, key string, id survey.RoundID, expires time.Time,
) {
	pipe.ZAddNX(ctx, key, goredis.Z{Score: float64(s.now().UnixMicro()), Member: string(id)})
	extendTTL(ctx, pipe, key, expires)
}

// extendTTL makes a key live at least until a time.
func extendTTL(ctx context.Context, pipe goredis.Pipeliner, key string, expires time.Time) {
	at := strconv.FormatInt(expires.Unix(), 10)
	pipe.Do(ctx, "expireat", key, at, "nx")
	pipe.Do(ctx, "expireat", key, at, "gt")
}

// orphanAge is the age at which an index entry whose round does not exist is removed. A younger one
// may belong to a round that is about to be created, since indexes are written first.
const orphanAge = time.Hour

// readIndex returns the rounds of an index, newest first. For each round, ask adds a query to the
// pipeline and returns a function that reads its result: whether the round exists at all, and
// whether it belongs in the index.
func (s *Store) readIndex(
	ctx context.Context, key string,
	ask func(pipe goredis.Pipeliner, id survey.RoundID) func() (exists, belongs bool),
) ([]survey.RoundID, error) {
	entries, err := s.client.ZRevRangeWithScores(ctx, key, 0, -1).Result()
	if err != nil || len(entries) == 0 {
		return nil, translate(err)
	}
	pipe := s.client.Pipeline()
	ids := make([]survey.RoundID, len(entries))
	answers := make([]func() (bool, bool), len(entries))
	for i, e := range entries {
		name, _ := e.Member.(string)
		ids[i] = survey.RoundID(name)
		answers[i] = ask(pipe, ids[i])
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	var found []survey.RoundID
	var vanished []any
	oldest := float64(s.now().Add(-orphanAge).UnixMicro())
	for i, id := range ids {
		exists, belongs := answers[i]()
		switch {
		case exists && belongs:
			found = append(found, id)
		case !exists && entries[i].Score < oldest:
			vanished = append(vanished, string(id))
		}
	}
	if len(vanished) > 0 {
		if err := s.client.ZRem(ctx, key, vanished...).Err(); err != nil {
			return nil, translate(err)
		}
	}
	return found, nil
}

// moveExpiry gives the responses of a round the round's expiry, and makes the indexes live as long.
// What scripts write later takes the round's own expiry. When another process has closed or
// extended the round since r was kept, moveExpiry sets that expiry instead, so that no response
// outlives its round.
func (s *Store) moveExpiry(ctx context.Context, r survey.Round) error {
	for range maxAttempts {
		if err := s.setExpiry(ctx, r); err != nil {
			return err
		}
		kept, err := s.round(ctx, r.ID)
		if err != nil || kept.ExpiresAt().Unix() == r.ExpiresAt().Unix() {
			return err
		}
		r = kept
	}
	return survey.ErrChanged
}

// setExpiry sets the expiry that r has on the responses and indexes of the round.
func (s *Store) setExpiry(ctx context.Context, r survey.Round) error {
	expires := r.ExpiresAt()
	if err := s.indexRound(ctx, r); err != nil {
		return err
	}
	err := s.eachPseudonymPage(ctx, r.ID, func(some []string) error {
		pipe := s.client.Pipeline()
		for _, pseudonym := range some {
			pipe.ExpireAt(ctx, responseKey(r.ID, pseudonym), expires)
		}
		return exec(ctx, pipe)
	})
	if err != nil {
		return err
	}
	return s.eachRosterPage(ctx, r.ID, func(some []string) error {
		pipe := s.client.Pipeline()
		for i := 0; i < len(some); i += 2 {
			extendTTL(ctx, pipe, personKey(survey.PersonID(some[i])), expires)
		}
		return exec(ctx, pipe)
	})
}
