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

// The index "plans" is a sorted set. The score of a round is when the round next has something to
// plan, in unix seconds. A round that has changed is marked with a negative score, which is always
// due. A round with nothing to plan is not in the index.
//
// Marks are random, so that set_next_plan.lua can see whether a round was marked again while it
// was planned; it then stays due. A round also stays due when the process that plans it is killed.
// The index is in another slot than the rounds, so it can still be wrong after two simultaneous
// faults, a failover or a restore. Store.PlanAll then corrects it.

// planMark returns an index entry that makes a round due.
func planMark(id string) goredis.Z {
	return goredis.Z{Score: -1 - float64(mathrand.N(1<<31)), Member: id}
}

// markPlan makes a round due in the index.
func (s *Store) markPlan(ctx context.Context, id survey.RoundID) error {
	pipe := s.client.Pipeline()
	pipe.ZAdd(ctx, plansKey, planMark(string(id)))
	pipe.ExpireNX(ctx, plansKey, indexTTL)
	return exec(ctx, pipe)
}

// changePlan calls write, which changes what there is to plan for a round, and makes the round due:
// before, in case the process is killed in between, and after, in case another process plans the
// round in between.
func (s *Store) changePlan(ctx context.Context, id survey.RoundID, write func() error) error {
	if err := s.markPlan(ctx, id); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	return s.markPlan(ctx, id)
}

// PlanAll makes the next EachToPlan visit every round.
func (s *Store) PlanAll(ctx context.Context) (err error) {
	defer attempt(&err, "make every round due for planning")
	names, err := s.client.ZRange(ctx, roundsKey, 0, -1).Result()
	if err != nil {
		return translate(err)
	}
	for some := range slices.Chunk(names, pageSize) {
		marks := make([]goredis.Z, len(some))
		for i, name := range some {
			marks[i] = planMark(name)
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

// planWorkers is how many rounds are planned at once. Most of the time is spent waiting for Redis.
const planWorkers = 8

// EachToPlan calls visit, from several goroutines, for each round that is due in the index, and
// stores when the round is next due. A round whose visit fails stays due, and EachToPlan does not
// return that error. A round that cannot be read also stays due, does not hold up the others, and
// its error is returned.
func (s *Store) EachToPlan(
	ctx context.Context, now time.Time, visit func(survey.Round) (next time.Time, err error),
) (err error) {
	defer attempt(&err, "read the rounds to be planned")
	until := &goredis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.Unix(), 10)}
	due, err := s.client.ZRangeByScoreWithScores(ctx, plansKey, until).Result()
	if err != nil {
		return translate(err)
	}
	var failed []error
	for some := range slices.Chunk(due, pageSize) {
		unreadable, err := s.planPage(ctx, some, visit)
		failed = append(failed, unreadable...)
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
	}
	return errors.Join(failed...)
}

// planPage visits the rounds of some index entries. It returns the errors of rounds that cannot be
// read, and an error that ends the pass.
func (s *Store) planPage(
	ctx context.Context, entries []goredis.Z, visit func(survey.Round) (time.Time, error),
) (unreadable []error, err error) {
	pipe := s.client.Pipeline()
	fields := make([]*goredis.SliceCmd, len(entries))
	for i, z := range entries {
		name, _ := z.Member.(string)
		fields[i] = pipe.HMGet(ctx, roundKey(survey.RoundID(name)), roundFields...)
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	rounds := make([]survey.Round, len(entries))
	nexts := make([]time.Time, len(entries))
	failed := make([]error, len(entries))
	work := make(chan int)
	var all sync.WaitGroup
	for range min(planWorkers, len(entries)) {
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
			// It has expired, or is about to be created, which marks it.
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
	_, err = s.run(ctx, setNextPlanScript, []string{plansKey}, moves...)
	return unreadable, err
}
