package redis

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// Enqueue enqueues a message of a kind for each of the people, due at the given time, to the
// second. A message that is already queued stays as it is.
func (s *Store) Enqueue(
	ctx context.Context, id survey.RoundID, kind survey.MessageKind, due time.Time,
	people []survey.PersonID,
) (err error) {
	defer attempt(&err, "enqueue messages in round %s", id)
	if kind == "" || strings.Contains(string(kind), " ") {
		return fmt.Errorf("%q is not a kind of message", kind)
	}
	if err := s.requireRound(ctx, id); err != nil { // even when there are no people
		return err
	}
	for some := range slices.Chunk(people, pageSize) {
		args := []any{due.Unix()}
		for _, p := range some {
			args = append(args, queueMember(survey.Delivery{Kind: kind, Person: p}))
		}
		enqueue := func() error {
			_, err := s.run(ctx, enqueueScript, []string{roundKey(id), queueKey(id)}, args...)
			return err
		}
		if err := s.withDueIndex(ctx, id, due, enqueue); err != nil {
			return err
		}
	}
	return nil
}

// queueMember is how a delivery is stored in its round's queue.
func queueMember(d survey.Delivery) string { return string(d.Kind) + " " + string(d.Person) }

// Plan enqueues a post of a kind to the coordinators' channel, due at the given time, to the
// second, and marks the kind as planned, in one step. A kind is planned once only.
func (s *Store) Plan(
	ctx context.Context, id survey.RoundID, kind survey.MessageKind, due time.Time,
) (err error) {
	defer attempt(&err, "plan a post of round %s", id)
	return s.withDueIndex(ctx, id, due, func() error {
		keys := []string{roundKey(id), plannedKey(id), queueKey(id)}
		post := queueMember(survey.Delivery{Kind: kind})
		_, err := s.run(ctx, planPostScript, keys, string(kind), post, due.Unix())
		return err
	})
}

// MarkPlanned adds names to what was planned, as long as the round is kept.
func (s *Store) MarkPlanned(ctx context.Context, id survey.RoundID, names []string) (err error) {
	defer attempt(&err, "mark what is planned in round %s", id)
	for some := range slices.Chunk(names, pageSize) {
		args := make([]any, len(some))
		for i, name := range some {
			args[i] = name
		}
		keys := []string{roundKey(id), plannedKey(id)}
		if _, err := s.run(ctx, markPlannedScript, keys, args...); err != nil {
			return err
		}
	}
	return nil
}

// Planned returns what was planned, and the time zones of the round's people.
func (s *Store) Planned(
	ctx context.Context, id survey.RoundID,
) (names map[string]bool, zones []string, err error) {
	defer attempt(&err, "read what is planned in round %s", id)
	pipe := s.client.Pipeline()
	planned := pipe.SMembers(ctx, plannedKey(id))
	zoneNames := pipe.SMembers(ctx, zonesKey(id))
	if err := exec(ctx, pipe); err != nil {
		return nil, nil, err
	}
	names = make(map[string]bool, len(planned.Val()))
	for _, n := range planned.Val() {
		names[n] = true
	}
	return names, zoneNames.Val(), nil
}

// staleRoundAge is the age at which a round that does not exist is removed from the index of all
// rounds. A round is added to it just before it is created.
const staleRoundAge = 24 * time.Hour

// Due counts the messages of all rounds that are due at now and not leased. To examine few rounds
// it also updates the index "due", as dueRounds says.
func (s *Store) Due(ctx context.Context, now time.Time) (int, error) {
	_, n, err := s.dueRounds(ctx, now)
	if err != nil {
		return 0, fmt.Errorf("count messages: %w", err)
	}
	return n, nil
}

// recheckInterval is how long a round with nothing due is not examined. It bounds how late a
// message can be when its entry in the index "due" is lost; that index is not in the slot of its
// rounds.
const recheckInterval = 5 * time.Minute

// indexTTL is how long the indexes "due" and "plans" outlive their last use. The next process
// rebuilds them.
const indexTTL = 24 * time.Hour

// withDueIndex calls write, which enqueues messages of a round that are due at a time, and marks
// the round as due then in the index: before, in case the process is killed in between, and after,
// in case another process examines the round in between.
func (s *Store) withDueIndex(
	ctx context.Context, id survey.RoundID, due time.Time, write func() error,
) error {
	if err := s.markDue(ctx, id, due); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	return s.markDue(ctx, id, due)
}

// markDue makes the index examine a round at a time, or earlier if it does so already.
func (s *Store) markDue(ctx context.Context, id survey.RoundID, due time.Time) error {
	mark := goredis.Z{Score: float64(due.Unix()), Member: string(id)}
	pipe := s.client.Pipeline()
	pipe.ZAddArgs(ctx, dueKey, goredis.ZAddArgs{LT: true, Members: []goredis.Z{mark}})
	pipe.ExpireNX(ctx, dueKey, indexTTL)
	return exec(ctx, pipe)
}

// refreshDueIndex adds the rounds that are missing from the index, once in recheckInterval: an
// older version of the program, or a restore, may have enqueued messages without it.
func (s *Store) refreshDueIndex(ctx context.Context, now time.Time) error {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	if since := now.Sub(s.indexedAt); !s.indexedAt.IsZero() && since >= 0 && since < recheckInterval {
		return nil
	}
	listed, err := s.client.ZRangeWithScores(ctx, roundsKey, 0, -1).Result()
	if err != nil {
		return translate(err)
	}
	for some := range slices.Chunk(listed, pageSize) {
		var entries []goredis.Z
		var vanished []any
		pipe := s.client.Pipeline()
		exists := make([]*goredis.IntCmd, len(some))
		for i, z := range some {
			name, _ := z.Member.(string)
			exists[i] = pipe.Exists(ctx, roundKey(survey.RoundID(name)))
		}
		if err := exec(ctx, pipe); err != nil {
			return err
		}
		for i, z := range some {
			switch {
			case exists[i].Val() == 1:
				entries = append(entries, goredis.Z{Member: z.Member}) // score 0: examined next time
			case z.Score < float64(s.now().Add(-staleRoundAge).UnixMicro()):
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
		return translate(err)
	}
	s.indexedAt = now
	return nil
}

// dueRounds returns the rounds with messages that are due, and how many messages that is. It
// examines only the rounds that the index says are due.
//
// It first moves each round to a later time in the index, then reads its queue, and then moves it
// to the time of its next message. What another process enqueues meanwhile is either in the queue
// that is read, or marked after the round was moved.
func (s *Store) dueRounds(ctx context.Context, now time.Time) ([]survey.RoundID, int, error) {
	if err := s.refreshDueIndex(ctx, now); err != nil {
		return nil, 0, err
	}
	until := &goredis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.Unix(), 10)}
	listed, err := s.client.ZRangeByScore(ctx, dueKey, until).Result()
	if err != nil {
		return nil, 0, translate(err)
	}
	var waiting []survey.RoundID
	total := 0
	for names := range slices.Chunk(listed, pageSize) {
		rounds, n, err := s.examineQueues(ctx, names, now)
		if err != nil {
			return nil, 0, err
		}
		waiting = append(waiting, rounds...)
		total += n
	}
	return waiting, total, nil
}

// queueState is what examineQueues reads of one round.
type queueState struct {
	exists *goredis.IntCmd
	due    *goredis.IntCmd    // how many messages are due
	first  *goredis.ZSliceCmd // the message that is due first, if there is one
}

// examineQueues does what dueRounds says for some rounds of the index.
func (s *Store) examineQueues(
	ctx context.Context, names []string, now time.Time,
) (waiting []survey.RoundID, total int, err error) {
	var later []goredis.Z
	for _, name := range names {
		recheck := now.Add(recheckInterval + mathrand.N(recheckInterval/5)) // not all at once
		later = append(later, goredis.Z{Score: float64(recheck.Unix()), Member: name})
	}
	if err := s.client.ZAddXX(ctx, dueKey, later...).Err(); err != nil {
		return nil, 0, translate(err)
	}
	pipe := s.client.Pipeline()
	states := make([]queueState, len(names))
	at := strconv.FormatInt(now.Unix(), 10)
	for i, name := range names {
		id := survey.RoundID(name)
		states[i] = queueState{
			exists: pipe.Exists(ctx, roundKey(id)),
			due:    pipe.ZCount(ctx, queueKey(id), "-inf", at),
			first:  pipe.ZRangeWithScores(ctx, queueKey(id), 0, 0),
		}
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, 0, err
	}
	var next []goredis.Z
	var vanished []any
	for i, name := range names {
		if states[i].exists.Val() == 0 {
			vanished = append(vanished, name)
			continue
		}
		for _, z := range states[i].first.Val() {
			next = append(next, goredis.Z{Score: z.Score, Member: name})
		}
		if n := int(states[i].due.Val()); n > 0 {
			waiting = append(waiting, survey.RoundID(name))
			total += n
		}
	}
	if len(next) > 0 {
		args := goredis.ZAddArgs{LT: true, Members: next}
		if err := s.client.ZAddArgs(ctx, dueKey, args).Err(); err != nil {
			return nil, 0, translate(err)
		}
	}
	if len(vanished) > 0 {
		if err := s.client.ZRem(ctx, dueKey, vanished...).Err(); err != nil {
			return nil, 0, translate(err)
		}
	}
	return waiting, total, nil
}

// Lease leases up to limit messages of any rounds that are due at now, until the given time. A
// message that is not acknowledged or rescheduled by then is due again. The rounds share the limit,
// and of each round half are the oldest due and half the newest, so that a backlog delays neither
// other rounds nor new messages.
//
// If Lease returns an error, the messages returned with it are leased. A message that cannot be
// read is skipped, and is one of the errors whenever its own lease has ended.
func (s *Store) Lease(
	ctx context.Context, now, until time.Time, limit int,
) (all []survey.Delivery, err error) {
	defer attempt(&err, "lease messages")
	waiting, _, err := s.dueRounds(ctx, now)
	if err != nil {
		return nil, err
	}
	var unreadable error
	mathrand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	for i, id := range waiting {
		share := max(1, (limit-len(all))/(len(waiting)-i))
		if len(all) >= limit {
			break
		}
		rest, err := s.run(ctx, leaseScript, []string{queueKey(id)}, now.Unix(), until.Unix(), share)
		if err != nil {
			return all, err
		}
		names, _ := rest[0].([]any)
		for _, n := range names {
			name, _ := n.(string)
			kind, person, ok := strings.Cut(name, " ")
			if !ok {
				unreadable = fmt.Errorf("the queue of round %s holds a message that cannot be read", id)
				continue
			}
			all = append(all, survey.Delivery{
				Round: id, Kind: survey.MessageKind(kind), Person: survey.PersonID(person),
			})
		}
	}
	return all, unreadable
}

// Ack removes a message that was sent or is no longer wanted.
func (s *Store) Ack(ctx context.Context, d survey.Delivery) error {
	if err := s.client.ZRem(ctx, queueKey(d.Round), queueMember(d)).Err(); err != nil {
		return fmt.Errorf("acknowledge a message of round %s: %w", d.Round, translate(err))
	}
	return nil
}

// Reschedule makes a message due at another time, to the second. It does not enqueue one that was
// removed.
func (s *Store) Reschedule(
	ctx context.Context, d survey.Delivery, due time.Time,
) (err error) {
	defer attempt(&err, "reschedule a message of round %s", d.Round)
	return s.withDueIndex(ctx, d.Round, due, func() error {
		message := goredis.Z{Score: float64(due.Unix()), Member: queueMember(d)}
		return translate(s.client.ZAddXX(ctx, queueKey(d.Round), message).Err())
	})
}
