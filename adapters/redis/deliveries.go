package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// Enqueue notes that a message of a kind is owed to people from a time on, to the second. What is owed already stays as it is.
func (s *Store) Enqueue(ctx context.Context, id survey.RoundID, kind survey.MessageKind, due time.Time, people []survey.PersonID) (err error) {
	defer attempt(&err, "owe messages in round %s", id)
	if kind == "" || strings.Contains(string(kind), " ") {
		return fmt.Errorf("no kind of message: %q", kind)
	}
	if err := s.exists(ctx, id); err != nil { // also when there are no people
		return err
	}
	for some := range slices.Chunk(people, page) {
		args := []any{due.Unix()}
		for _, p := range some {
			args = append(args, message(survey.Delivery{Kind: kind, Person: p}))
		}
		err := s.indexed(ctx, id, due, func() error {
			_, err := s.run(ctx, oweScript, []string{roundKey(id), owedKey(id)}, args...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// message is how a delivery is kept within its round.
func message(d survey.Delivery) string { return string(d.Kind) + " " + string(d.Person) }

// Plan owes the coordinator's channel a post of that kind from a time on, to the second, and notes that it was planned; in one
// step, and once for ever.
func (s *Store) Plan(ctx context.Context, id survey.RoundID, kind survey.MessageKind, due time.Time) error {
	err := s.indexed(ctx, id, due, func() error {
		_, err := s.run(ctx, planScript, []string{roundKey(id), plannedKey(id), owedKey(id)},
			string(kind), message(survey.Delivery{Kind: kind}), due.Unix())
		return err
	})
	if err != nil {
		return fmt.Errorf("plan a post of round %s: %w", id, err)
	}
	return nil
}

// MarkPlanned keeps these names among what was planned, as long as the round is kept.
func (s *Store) MarkPlanned(ctx context.Context, id survey.RoundID, names []string) error {
	for some := range slices.Chunk(names, page) {
		args := make([]any, len(some))
		for i, name := range some {
			args[i] = name
		}
		if _, err := s.run(ctx, noteScript, []string{roundKey(id), plannedKey(id)}, args...); err != nil {
			return fmt.Errorf("note what is planned in round %s: %w", id, err)
		}
	}
	return nil
}

// Planned returns what was planned, and the time zones of the round's people.
func (s *Store) Planned(ctx context.Context, id survey.RoundID) (map[string]bool, []string, error) {
	pipe := s.client.Pipeline()
	planned, zones := pipe.SMembers(ctx, plannedKey(id)), pipe.SMembers(ctx, zonesKey(id))
	if err := exec(ctx, pipe); err != nil {
		return nil, nil, fmt.Errorf("read what is planned in round %s: %w", id, err)
	}
	names := make(map[string]bool, len(planned.Val()))
	for _, n := range planned.Val() {
		names[n] = true
	}
	return names, zones.Val(), nil
}

// gone is how long a round that does not exist stays in the list of rounds: it is listed just before it is made.
const gone = 24 * time.Hour

// Due counts the messages that are due at now, of all rounds, without those that somebody has taken.
func (s *Store) Due(ctx context.Context, now time.Time) (int, error) {
	_, n, err := s.waiting(ctx, now)
	if err != nil {
		return 0, fmt.Errorf("count messages: %w", err)
	}
	return n, nil
}

// lookAgain is how long a round of which nothing is due is not looked at. It bounds how late a message is whose entry in the index
// was lost: the index lies apart from the rounds.
const lookAgain = 5 * time.Minute

// indexTTL is how long an index outlives the last process that used it. The next process makes it anew.
const indexTTL = 24 * time.Hour

// indexed writes messages of a round that are due at a time, by write, and lists the round as due in the index. It does so before, for
// a process that dies in between, and after, for another that looks at the round in between.
func (s *Store) indexed(ctx context.Context, id survey.RoundID, due time.Time, write func() error) error {
	for _, do := range []func() error{write, nil} {
		pipe := s.client.Pipeline()
		pipe.ZAddArgs(ctx, dueKey, goredis.ZAddArgs{LT: true, Members: []goredis.Z{{Score: float64(due.Unix()), Member: string(id)}}})
		pipe.ExpireNX(ctx, dueKey, indexTTL)
		if err := exec(ctx, pipe); err != nil {
			return err
		}
		if do == nil {
			break
		}
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// index lists every round in the index that is not in it, once in a while: an older version of the program, or a restore, may have
// written messages without it.
func (s *Store) index(ctx context.Context, now time.Time) error {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	if since := now.Sub(s.indexedAt); !s.indexedAt.IsZero() && since >= 0 && since < lookAgain {
		return nil
	}
	listed, err := s.client.ZRangeWithScores(ctx, roundsKey, 0, -1).Result()
	if err != nil {
		return fault(err)
	}
	for some := range slices.Chunk(listed, page) {
		var entries []goredis.Z
		var vanished []any
		pipe := s.client.Pipeline()
		there := make([]*goredis.IntCmd, len(some))
		for i, z := range some {
			name, _ := z.Member.(string)
			there[i] = pipe.Exists(ctx, roundKey(survey.RoundID(name)))
		}
		if err := exec(ctx, pipe); err != nil {
			return err
		}
		for i, z := range some {
			switch {
			case there[i].Val() == 1:
				entries = append(entries, goredis.Z{Member: z.Member}) // due long ago: to be looked at
			case z.Score < float64(s.now().Add(-gone).UnixMicro()):
				vanished = append(vanished, z.Member)
			}
		}
		pipe = s.client.Pipeline()
		if len(entries) > 0 {
			pipe.ZAddNX(ctx, dueKey, entries...)
		}
		if len(vanished) > 0 {
			pipe.ZRem(ctx, roundsKey, vanished...)
		}
		if err := exec(ctx, pipe); err != nil {
			return err
		}
	}
	if err := s.client.Expire(ctx, dueKey, indexTTL).Err(); err != nil {
		return fault(err)
	}
	s.indexedAt = now
	return nil
}

// waiting returns the rounds of which messages are due, and how many these are. It asks those alone that the index says are due.
//
// Each is first put off in the index, then asked, and then put where its next message is: what somebody writes meanwhile is
// either seen by the question, or listed after the round was put off.
func (s *Store) waiting(ctx context.Context, now time.Time) ([]survey.RoundID, int, error) {
	if err := s.index(ctx, now); err != nil {
		return nil, 0, err
	}
	at := strconv.FormatInt(now.Unix(), 10)
	listed, err := s.client.ZRangeByScore(ctx, dueKey, &goredis.ZRangeBy{Min: "-inf", Max: at}).Result()
	if err != nil {
		return nil, 0, fault(err)
	}
	var waiting []survey.RoundID
	n := 0
	for some := range slices.Chunk(listed, page) {
		var later []goredis.Z
		for _, name := range some {
			again := lookAgain + mathrand.N(lookAgain/5) // not all of them at once
			later = append(later, goredis.Z{Score: float64(now.Add(again).Unix()), Member: name})
		}
		if err := s.client.ZAddXX(ctx, dueKey, later...).Err(); err != nil {
			return nil, 0, fault(err)
		}
		pipe := s.client.Pipeline()
		there, due, first := make([]*goredis.IntCmd, len(some)), make([]*goredis.IntCmd, len(some)), make([]*goredis.ZSliceCmd, len(some))
		for i, name := range some {
			id := survey.RoundID(name)
			there[i], due[i] = pipe.Exists(ctx, roundKey(id)), pipe.ZCount(ctx, owedKey(id), "-inf", at)
			first[i] = pipe.ZRangeWithScores(ctx, owedKey(id), 0, 0)
		}
		if err := exec(ctx, pipe); err != nil {
			return nil, 0, err
		}
		var next []goredis.Z
		var vanished []any
		for i, name := range some {
			if there[i].Val() == 0 {
				vanished = append(vanished, name)
				continue
			}
			for _, z := range first[i].Val() {
				next = append(next, goredis.Z{Score: z.Score, Member: name})
			}
			if due[i].Val() > 0 {
				waiting = append(waiting, survey.RoundID(name))
				n += int(due[i].Val())
			}
		}
		if len(next) > 0 {
			if err := s.client.ZAddArgs(ctx, dueKey, goredis.ZAddArgs{LT: true, Members: next}).Err(); err != nil {
				return nil, 0, fault(err)
			}
		}
		if len(vanished) > 0 {
			if err := s.client.ZRem(ctx, dueKey, vanished...).Err(); err != nil {
				return nil, 0, fault(err)
			}
		}
	}
	return waiting, n, nil
}

// Lease hands out at most limit messages, of any rounds, that are due at now; those of one round do not hold up those of another, nor
// do those that have been due longest hold up the latest.
// Each is due again at the time given, unless it is settled or postponed before.
func (s *Store) Lease(ctx context.Context, now, until time.Time, limit int) (all []survey.Delivery, err error) {
	defer attempt(&err, "take messages")
	waiting, _, err := s.waiting(ctx, now)
	if err != nil {
		return nil, err
	}
	mathrand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	for i, id := range waiting {
		share := max(1, (limit-len(all))/(len(waiting)-i))
		if len(all) >= limit {
			break
		}
		rest, err := s.run(ctx, takeScript, []string{owedKey(id)}, now.Unix(), until.Unix(), share)
		if err != nil {
			return all, err
		}
		names, _ := rest[0].([]any)
		for _, n := range names {
			name, _ := n.(string)
			kind, person, ok := strings.Cut(name, " ")
			if !ok {
				return all, errors.New("a message is kept that cannot be read")
			}
			all = append(all, survey.Delivery{Round: id, Kind: survey.MessageKind(kind), Person: survey.PersonID(person)})
		}
	}
	return all, nil
}

// Ack forgets a message: it was sent, or is not wanted any more.
func (s *Store) Ack(ctx context.Context, d survey.Delivery) error {
	if err := s.client.ZRem(ctx, owedKey(d.Round), message(d)).Err(); err != nil {
		return fmt.Errorf("settle a message of round %s: %w", d.Round, fault(err))
	}
	return nil
}

// Reschedule makes a message due at another time, to the second. One that is not owed any more stays so.
func (s *Store) Reschedule(ctx context.Context, d survey.Delivery, due time.Time) error {
	err := s.indexed(ctx, d.Round, due, func() error {
		return fault(s.client.ZAddXX(ctx, owedKey(d.Round), goredis.Z{Score: float64(due.Unix()), Member: message(d)}).Err())
	})
	attempt(&err, "postpone a message of round %s", d.Round)
	return err
}

const (
	// claimed is how long whoever claims an event has for it: a little more than handling one may take.
	claimed = 35 * time.Second
	// once is how long an event that was done is remembered: longer than any platform delivers one again.
	once = 10 * time.Minute
	// finished stands for whoever did it.
	finished = "finished"
)

// Claim says whether nobody has claimed an event, in whichever process, in the last half minute, and nobody has finished it in the last minutes.
func (s *Store) Claim(ctx context.Context, event string) (bool, error) {
	// When a reply is lost, the client claims again: it must know its own claim.
	claim := rand.Text()
	had, err := s.client.SetArgs(ctx, eventKey(event), claim, goredis.SetArgs{Mode: "NX", Get: true, TTL: claimed}).Result()
	switch {
	case errors.Is(err, goredis.Nil):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("claim an event: %w", fault(err))
	}
	return had == claim, nil
}

// Finish notes that an event which was claimed is done.
func (s *Store) Finish(ctx context.Context, event string) error {
	if err := s.client.Set(ctx, eventKey(event), finished, once).Err(); err != nil {
		return fmt.Errorf("finish an event: %w", fault(err))
	}
	return nil
}

// Finished says whether an event was done in the last minutes.
func (s *Store) Finished(ctx context.Context, event string) (bool, error) {
	is, err := s.client.Get(ctx, eventKey(event)).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return false, fmt.Errorf("look for a finished event: %w", fault(err))
	}
	return is == finished, nil
}

// Release takes a claim back, for an event that could not be handled.
func (s *Store) Release(ctx context.Context, event string) error {
	if err := s.client.Del(ctx, eventKey(event)).Err(); err != nil {
		return fmt.Errorf("release an event: %w", fault(err))
	}
	return nil
}
