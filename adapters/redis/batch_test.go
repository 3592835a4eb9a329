package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// holdHook holds pipelines back until open is closed, and notes how many commands each had and until
// when it may take.
type holdHook struct {
	passHook
	open      chan struct{}
	mu        sync.Mutex
	sent      []int
	deadlines []time.Time
}

func holdPipelines(e *EmbeddedStore) *holdHook {
	h := &holdHook{open: make(chan struct{})}
	e.client.AddHook(h)
	return h
}

func (h *holdHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if cmds[0].Name() == "client" { // it names itself on a new connection
			return next(ctx, cmds)
		}
		h.mu.Lock()
		h.sent = append(h.sent, len(cmds))
		deadline, _ := ctx.Deadline()
		h.deadlines = append(h.deadlines, deadline)
		h.mu.Unlock()
		<-h.open
		return next(ctx, cmds)
	}
}

// TestBatches checks that callers who wait share one pipeline, that each gets its own replies and
// error, and that nothing is sent for a caller whose context ends while it waits.
func TestBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := embedded(t)
		hold := holdPipelines(e)
		ctx, cancel := context.WithCancel(t.Context())
		failed := map[string]error{}
		var mu sync.Mutex
		var all sync.WaitGroup
		call := func(ctx context.Context, key string, queue func(goredis.Pipeliner)) {
			all.Go(func() {
				pipe := e.client.Pipeline()
				queue(pipe)
				own := pipe.Get(ctx, key)
				err := e.batches.exec(ctx, pipe)
				mu.Lock()
				defer mu.Unlock()
				failed[key] = err
				if err == nil && own.Val() != key {
					t.Errorf("%s got %q", key, own.Val())
				}
			})
			synctest.Wait()
		}
		set := func(key string) func(goredis.Pipeliner) {
			return func(pipe goredis.Pipeliner) { pipe.Set(t.Context(), key, key, 0) }
		}
		for i := range maxBatches + 3 {
			key := fmt.Sprint("key ", i)
			call(t.Context(), key, set(key))
		}
		call(ctx, "cancelled", set("cancelled"))
		call(t.Context(), "key 0", func(pipe goredis.Pipeliner) { pipe.Get(t.Context(), "absent") })
		call(t.Context(), "refused", func(pipe goredis.Pipeliner) {
			pipe.Set(t.Context(), "refused", "refused", 0)
			pipe.LPush(t.Context(), "refused", "not a list")
		})
		cancel()
		synctest.Wait()
		if !errors.Is(failed["cancelled"], context.Canceled) {
			t.Errorf("while it waits, a caller whose context ends gets %v", failed["cancelled"])
		}
		close(hold.open)
		all.Wait()
		// Alone: the first ones. Together: three of two commands, one of two, one of three.
		want := []int{2, 2, 2, 2, 3*2 + 2 + 3}
		if fmt.Sprint(hold.sent) != fmt.Sprint(want) {
			t.Errorf("pipelines of %v commands, want %v", hold.sent, want)
		}
		for key, err := range failed {
			if (err != nil) != (key == "refused" || key == "cancelled") {
				t.Errorf("%s failed with %v", key, err)
			}
		}
		if n := e.client.Exists(t.Context(), "cancelled").Val(); n != 0 {
			t.Error("the commands of a cancelled caller were sent")
		}
		pipe := e.client.Pipeline()
		pipe.Set(ctx, "late", "late", 0)
		if err := e.batches.exec(ctx, pipe); !errors.Is(err, context.Canceled) || e.client.Exists(t.Context(), "late").Val() != 0 {
			t.Errorf("a caller whose context has ended gets %v", err)
		}
		if err := e.Store.Close(); err != nil {
			t.Error(err)
		}
		pipe = e.client.Pipeline()
		pipe.Get(t.Context(), "key 0")
		if err := e.batches.exec(t.Context(), pipe); !errors.Is(err, survey.ErrUnavailable) {
			t.Errorf("after Close a caller gets %v", err)
		}
	})
}

// TestBatchLimit checks that a batch has at most maxBatch callers.
func TestBatchLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := embedded(t)
		hold := holdPipelines(e)
		var all sync.WaitGroup
		call := func() {
			all.Go(func() {
				pipe := e.client.Pipeline()
				pipe.Get(t.Context(), "key")
				if err := e.batches.exec(t.Context(), pipe); err != nil {
					t.Error(err)
				}
			})
		}
		for range maxBatches {
			call()
			synctest.Wait()
		}
		for range maxBatch + 5 {
			call()
		}
		synctest.Wait()
		close(hold.open)
		all.Wait()
		slices.Sort(hold.sent)
		if want := []int{1, 1, 1, 1, 5, maxBatch}; !slices.Equal(hold.sent, want) {
			t.Errorf("pipelines of %v commands, want %v", hold.sent, want)
		}
	})
}

// TestBatchDeadline checks that a batch may take until the last deadline of its callers, that a caller
// leaves at its own, and that the batch goes on for the others.
func TestBatchDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := embedded(t)
		hold := holdPipelines(e)
		began := time.Now()
		var all sync.WaitGroup
		call := func(limit time.Duration, want error) {
			all.Go(func() {
				ctx := t.Context()
				if limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, limit)
					defer cancel()
				}
				pipe := e.client.Pipeline()
				pipe.Get(ctx, "key")
				if err := e.batches.exec(ctx, pipe); !errors.Is(err, want) {
					t.Errorf("with %v a caller gets %v", limit, err)
				}
			})
			synctest.Wait()
		}
		late := context.DeadlineExceeded
		call(time.Second, late) // under way when it leaves
		call(0, nil)
		for range maxBatches - 2 {
			call(time.Hour, nil)
		}
		call(time.Hour, nil) // these wait together
		call(time.Minute, nil)
		time.Sleep(2 * time.Second)
		close(hold.open)
		all.Wait()
		want := []time.Time{began.Add(time.Second), {}}
		for range maxBatches - 2 + 1 {
			want = append(want, began.Add(time.Hour))
		}
		if !slices.EqualFunc(hold.deadlines, want, time.Time.Equal) {
			t.Errorf("batches may take until %v, want %v", hold.deadlines, want)
		}
	})
}

// refuseHook answers pipelines in place of Redis.
type refuseHook struct {
	passHook
	answer func(cmds []goredis.Cmder) error
}

func (h *refuseHook) ProcessPipelineHook(goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(_ context.Context, cmds []goredis.Cmder) error { return h.answer(cmds) }
}

// redisError is an error reply.
type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}

// TestBatchRefused checks that a batch whose connection could not be set up, so that no command has an
// error, does not pass for one without a response, and that a script that was refused in a batch is
// run alone.
func TestBatchRefused(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	_, places := opened(t, s, "r1", "p1")
	op := survey.Operation{ID: "o", At: time.Now()}
	if _, err := s.Answer(t.Context(), places[0], time.Now(), op, elements[0], 1); err != nil {
		t.Fatal(err)
	}
	refuse := &refuseHook{answer: func([]goredis.Cmder) error { return redisError("WRONGPASS no such user") }}
	s.client.AddHook(refuse)
	if got, err := s.Response(t.Context(), places[0]); !errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("got %v, %v", got, err)
	}
	refuse.answer = func(cmds []goredis.Cmder) error {
		for _, c := range cmds {
			c.SetErr(redisError("READONLY it was the master before"))
		}
		return cmds[0].Err()
	}
	got, err := s.Answer(t.Context(), places[0], time.Now(), survey.Operation{ID: "o2"}, elements[0], 3)
	if err != nil || got.Answers[elements[0]].Rating != 3 {
		t.Errorf("got %v, %v", got, err)
	}
}

// panicHook panics in place of sending pipelines while broken is true.
type panicHook struct {
	passHook
	broken atomic.Bool
}

func (h *panicHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if h.broken.Load() {
			panic("a user's words")
		}
		return next(ctx, cmds)
	}
}

// TestPanicInBatch checks that a panic while a batch is sent is an error of each caller, without the
// panic's value, and that later callers are served.
func TestPanicInBatch(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	var hook panicHook
	e.client.AddHook(&hook)
	get := func() error {
		pipe := e.client.Pipeline()
		pipe.Get(t.Context(), "key")
		return e.batches.exec(t.Context(), pipe)
	}
	hook.broken.Store(true)
	var all sync.WaitGroup
	for range 2*maxBatches + maxBatch {
		all.Go(func() {
			err := get()
			if err == nil || !strings.Contains(err.Error(), "panic") || strings.Contains(err.Error(), "words") {
				t.Errorf("a caller gets %v", err)
			}
		})
	}
	all.Wait()
	hook.broken.Store(false)
	for range maxBatches + 1 {
		if err := get(); err != nil {
			t.Errorf("later, a caller gets %v", err)
		}
	}
}
