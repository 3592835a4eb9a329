package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// holdHook holds pipelines back until open is closed, and notes how many commands each had.
type holdHook struct {
	open chan struct{}
	mu   sync.Mutex
	sent []int
}

func (h *holdHook) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (h *holdHook) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }

func (h *holdHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if cmds[0].Name() == "client" { // it names itself on a new connection
			return next(ctx, cmds)
		}
		h.mu.Lock()
		h.sent = append(h.sent, len(cmds))
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
		e, err := Embedded()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Close() }()
		hold := &holdHook{open: make(chan struct{})}
		e.client.AddHook(hold)
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
		e, err := Embedded()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Close() }()
		hold := &holdHook{open: make(chan struct{})}
		e.client.AddHook(hold)
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
