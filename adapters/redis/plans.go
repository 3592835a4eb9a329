package redis

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// The index of plans is a sorted set. Its score of a round is when the round next has something to plan, in unix seconds. A round
// that has changed is marked with a negative score, which is always due. A round with nothing to plan is not in it.
//
// Marks are random, so that nextplan.lua can tell whether a round was marked again while it was planned: then it stays due. A
// process that is killed while it plans leaves the round due as well. The index lies in another slot than the rounds, so it can
// still be wrong after two faults at once, a failover or a restore. Store.PlanAll then puts it right.

// mark returns an entry of the index of plans that is due.
func mark(id string) goredis.Z {
	return goredis.Z{Score: -1 - float64(mathrand.N(1<<31)), Member: id}
}

// markPlan marks a round in the index of plans.
func (s *Store) markPlan(ctx context.Context, id survey.RoundID) error {
	pipe := s.client.Pipeline()
	pipe.ZAdd(ctx, plansKey, mark(string(id)))
	pipe.ExpireNX(ctx, plansKey, indexTTL)
	return exec(ctx, pipe)
}

// changePlan calls write, which changes what is to be planned of a round, and marks the round. It does so before, for a process
// that is killed in between, and after, for another that plans the round in between.
func (s *Store) changePlan(ctx context.Context, id survey.RoundID, write func() error) error {
	if err := s.markPlan(ctx, id); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	return s.markPlan(ctx, id)
}

// PlanAll makes every round due in EachToPlan.
func (s *Store) PlanAll(ctx context.Context) (err error) {
	defer attempt(&err, "list all rounds to be planned")
	names, err := s.client.ZRange(ctx, roundsKey, 0, -1).Result()
	if err != nil {
		return fault(err)
	}
	for some := range slices.Chunk(names, page) {
		marks := make([]goredis.Z, len(some))
		for i, name := range some {
			marks[i] = mark(name)
		}
		pipe := s.client.Pipeline()
		pipe.ZAdd(ctx, plansKey, marks...)
		pipe.Expire(ctx, plansKey, indexTTL)
		if err := exec(ctx, pipe); err != nil {
			return err
		}
	}
	return nil
}

// planners is how many rounds are planned at once: most of the time is spent waiting for Redis.
const planners = 8

// EachToPlan calls visit, from several goroutines, for each round that the index of plans says is due, and keeps when it is next due. A round whose visit
// fails stays due; that error is not returned. A round that cannot be read stays due too, and does not hold up the others.
func (s *Store) EachToPlan(ctx context.Context, now time.Time, visit func(survey.Round) (next time.Time, err error)) (err error) {
	defer attempt(&err, "read the rounds to be planned")
	due, err := s.client.ZRangeByScoreWithScores(ctx, plansKey, &goredis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.Unix(), 10)}).Result()
	if err != nil {
		return fault(err)
	}
	var failed []error
	for some := range slices.Chunk(due, page) {
		unreadable, err := s.planSome(ctx, some, visit)
		failed = append(failed, unreadable...)
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
	}
	return errors.Join(failed...)
}

// planSome visits the rounds of some entries of the index of plans. It returns the errors of rounds that cannot be read, and one
// that ends the pass.
func (s *Store) planSome(ctx context.Context, entries []goredis.Z, visit func(survey.Round) (time.Time, error)) (unreadable []error, err error) {
	pipe := s.client.Pipeline()
	fields := make([]*goredis.SliceCmd, len(entries))
	for i, z := range entries {
		name, _ := z.Member.(string)
		fields[i] = pipe.HMGet(ctx, roundKey(survey.RoundID(name)), roundFields...)
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	rounds, nexts, failed := make([]survey.Round, len(entries)), make([]time.Time, len(entries)), make([]error, len(entries))
	work := make(chan int)
	var all sync.WaitGroup
	for range min(planners, len(entries)) {
		all.Go(func() {
			for i := range work {
				if failed[i] = ctx.Err(); failed[i] == nil {
					nexts[i], failed[i] = visit(rounds[i])
				}
			}
		})
	}
	for i, z := range entries {
		name, _ := z.Member.(string)
		switch rounds[i], err = decodeRound(survey.RoundID(name), fields[i].Val()); {
		case errors.Is(err, survey.ErrNoRound):
			// It has expired, or it is about to be made and will be marked then.
		case err != nil:
			failed[i] = err
			unreadable = append(unreadable, fmt.Errorf("round %s: %w", name, err))
		default:
			work <- i
		}
	}
	close(work)
	all.Wait()
	if err := ctx.Err(); err != nil {
		return unreadable, err
	}
	var moves []any
	for i, z := range entries {
		if failed[i] != nil {
			continue
		}
		score := ""
		if !nexts[i].IsZero() {
			score = strconv.FormatInt(nexts[i].Unix(), 10)
		}
		moves = append(moves, z.Member, strconv.FormatInt(int64(z.Score), 10), score)
	}
	if len(moves) == 0 {
		return unreadable, nil
	}
	_, err = s.run(ctx, nextPlanScript, []string{plansKey}, moves...)
	return unreadable, err
}
