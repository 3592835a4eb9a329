package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// errNotForClosing keeps a round from looking closed while its secret is still there.
var errNotForClosing = errors.New("only CloseRound closes a round")

// errNoClosingTime refuses a round that Redis would delete at once.
var errNoClosingTime = errors.New("the round has no closing time")

// CreateRound keeps a new round and makes its secret. A round of that id is left as it is.
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
	rand.Read(secret) // it never fails: the program ends instead
	defer clear(secret)

	if err := s.listRound(ctx, r); err != nil {
		return err
	}
	salt := rand.Text()
	return s.changePlan(ctx, r.ID, func() error {
		_, err := s.recorded(ctx, r.ID, only(e), 0, func(entry string, number, _ int) ([]any, error) {
			return s.run(ctx, createScript, []string{roundKey(r.ID), secretKey(r.ID), auditKey(r.ID)},
				r.Version, string(r.State), r.ClosesAt.Unix(), body, secret, r.ExpiresAt().Unix(), entry, number, salt)
		})
		return err
	})
}

// bodyOf encodes a round that may be kept.
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
		return survey.Round{}, fault(err)
	}
	return decodeRound(id, fields)
}

// SaveRound replaces a round, if r.Version is still the version kept, and adds one to it; else ErrChanged. It
// neither closes a round nor opens a closed one again: ErrChanged, or ErrClosed. A closing time counts to the
// second. When the expiry moves, that of every response and of the lists that lead to the round is moved after
// it, page by page; a fault in between is returned, and the same call again goes on with it.
func (s *Store) SaveRound(ctx context.Context, r survey.Round, e audit.Entry) (err error) {
	defer attempt(&err, "save round %s", r.ID)
	body, err := bodyOf(r)
	if err != nil {
		return err
	}
	if err := s.listRound(ctx, r); err != nil { // there may be new coordinators
		return err
	}
	var rest []any
	err = s.changePlan(ctx, r.ID, func() (err error) {
		rest, err = s.recorded(ctx, r.ID, only(e), 0, func(entry string, number, _ int) ([]any, error) {
			return s.run(ctx, saveScript, keysOf(r.ID),
				r.Version, r.Version+1, string(r.State), r.ClosesAt.Unix(), body, r.ExpiresAt().Unix(), entry, number)
		})
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

// CloseRound closes the round for good and destroys its secret, both at once, and then has the server asked to
// rewrite its append-only file, in which the secret would outlive it. Closing again changes nothing and
// keeps the first time, but goes on with what a fault may have left: the expiry of responses and lists.
func (s *Store) CloseRound(ctx context.Context, id survey.RoundID, at time.Time, e audit.Entry) (survey.Round, error) {
	return s.closeRound(ctx, id, at.UTC(), "", e)
}

// CloseDue closes the round as CloseRound does, as of its closing time, if that is still the time given; else nothing is changed.
func (s *Store) CloseDue(ctx context.Context, id survey.RoundID, closes time.Time, e audit.Entry) (survey.Round, error) {
	return s.closeRound(ctx, id, closes.UTC(), strconv.FormatInt(closes.Unix(), 10), e)
}

func (s *Store) closeRound(ctx context.Context, id survey.RoundID, at time.Time, expected string, e audit.Entry) (_ survey.Round, err error) {
	defer attempt(&err, "close round %s", id)
	expires := survey.Round{ClosedAt: at}.ExpiresAt()
	keys := append(append(keysOf(id), operationTimesKeys(id)...), erasedKey(id))
	var fields []any
	err = s.changePlan(ctx, id, func() (err error) {
		fields, err = s.recorded(ctx, id, only(e), 0, func(entry string, number, _ int) ([]any, error) {
			return s.run(ctx, closeScript, keys,
				at.Format(time.RFC3339Nano), expires.Unix(), expected, entry, number, expires.Add(outlives).Unix())
		})
		return err
	})
	if err != nil {
		return survey.Round{}, err
	}
	r, err := decodeRound(id, fields)
	if err != nil {
		return survey.Round{}, err
	}
	if r.State == survey.Closed && !r.Anonymised { // whoever finds it closed may be the first to know
		if err := s.journal(erasure{At: r.ClosedAt, What: closed, Round: id}); err != nil {
			return survey.Round{}, err
		}
	}
	s.rewriteFile(id)
	return r, s.moveExpiry(ctx, r)
}

// Rounds calls visit for every round that is kept, a few hundred in memory at a time, in no stated order.
func (s *Store) Rounds(ctx context.Context, visit func(survey.Round) error) error {
	for cursor := uint64(0); ; {
		names, next, err := s.client.ZScan(ctx, roundsKey, cursor, "", page).Result()
		if err != nil {
			return fmt.Errorf("read the rounds: %w", fault(err))
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

// RoundsIn returns the rounds whose coordinator's channel this is, newest first.
func (s *Store) RoundsIn(ctx context.Context, channel string) ([]survey.RoundID, error) {
	found, err := s.listed(ctx, channelKey(channel), func(pipe goredis.Pipeliner, id survey.RoundID) func() (there, belongs bool) {
		fields := pipe.HMGet(ctx, roundKey(id), roundFields...)
		return func() (bool, bool) {
			r, err := decodeRound(id, fields.Val())
			return !errors.Is(err, survey.ErrNoRound), err == nil && r.Channel == channel
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the rounds of a channel: %w", err)
	}
	return found, nil
}

// listRound lists a round under its channel and its coordinators.
func (s *Store) listRound(ctx context.Context, r survey.Round) error {
	pipe := s.client.Pipeline()
	s.list(ctx, pipe, roundsKey, r.ID, r.ExpiresAt())
	pipe.ZAddNX(ctx, dueKey, goredis.Z{Member: string(r.ID)})
	pipe.ExpireNX(ctx, dueKey, indexTTL)
	s.list(ctx, pipe, channelKey(r.Channel), r.ID, r.ExpiresAt())
	for _, person := range r.Coordinators {
		s.list(ctx, pipe, personKey(person), r.ID, r.ExpiresAt())
	}
	return exec(ctx, pipe)
}

// list adds a round to the list of a person or a channel, which then lives at least as long as the round.
func (s *Store) list(ctx context.Context, pipe goredis.Pipeliner, key string, id survey.RoundID, expires time.Time) {
	pipe.ZAddNX(ctx, key, goredis.Z{Score: float64(s.now().UnixMicro()), Member: string(id)})
	keepUntil(ctx, pipe, key, expires)
}

// keepUntil makes a list live at least until then.
func keepUntil(ctx context.Context, pipe goredis.Pipeliner, key string, expires time.Time) {
	at := strconv.FormatInt(expires.Unix(), 10)
	pipe.Do(ctx, "expireat", key, at, "nx")
	pipe.Do(ctx, "expireat", key, at, "gt")
}

// leftover is the age from which an entry of a list whose round is not there is taken out. A younger one may
// be a round in the making, since lists are written first.
const leftover = time.Hour

// listed returns the rounds of a list, newest first. For each, ask adds to the pipeline the question whether
// the round is there at all and belongs in the list, and returns what reads the answer.
func (s *Store) listed(ctx context.Context, key string,
	ask func(pipe goredis.Pipeliner, id survey.RoundID) func() (there, belongs bool),
) ([]survey.RoundID, error) {
	entries, err := s.client.ZRevRangeWithScores(ctx, key, 0, -1).Result()
	if err != nil || len(entries) == 0 {
		return nil, fault(err)
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
	oldest := float64(s.now().Add(-leftover).UnixMicro())
	for i, id := range ids {
		there, belongs := answers[i]()
		switch {
		case there && belongs:
			found = append(found, id)
		case !there && entries[i].Score < oldest:
			vanished = append(vanished, string(id))
		}
	}
	if len(vanished) > 0 {
		if err := s.client.ZRem(ctx, key, vanished...).Err(); err != nil {
			return nil, fault(err)
		}
	}
	return found, nil
}

// moveExpiry gives the responses of a round its expiry, and makes the lists that lead to it live as long.
// What the scripts write later takes the expiry of the round itself. Somebody else may have closed or extended
// the round since r was kept: then theirs is given in its place, so that no response outlives its round.
func (s *Store) moveExpiry(ctx context.Context, r survey.Round) error {
	for range tries {
		if err := s.giveExpiry(ctx, r); err != nil {
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

func (s *Store) giveExpiry(ctx context.Context, r survey.Round) error {
	expires := r.ExpiresAt()
	if err := s.listRound(ctx, r); err != nil {
		return err
	}
	err := s.pseudonyms(ctx, r.ID, func(some []string) error {
		pipe := s.client.Pipeline()
		for _, pseudonym := range some {
			pipe.ExpireAt(ctx, responseKey(r.ID, pseudonym), expires)
		}
		return exec(ctx, pipe)
	})
	if err != nil {
		return err
	}
	return s.entries(ctx, r.ID, func(some []string) error {
		pipe := s.client.Pipeline()
		for i := 0; i < len(some); i += 2 {
			keepUntil(ctx, pipe, personKey(survey.PersonID(some[i])), expires)
		}
		return exec(ctx, pipe)
	})
}
