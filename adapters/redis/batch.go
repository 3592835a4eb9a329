package redis

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// maxBatches is how many batches are on their way at once. A connection that gives no reply
	// holds up one of them.
	maxBatches = 4
	// maxBatch is how many callers share a batch. Thousands may wait after an outage, and their
	// replies would not come within commandTimeout.
	maxBatch = 128
)

// batcher sends what people ask of Redis, a few commands each. Those of concurrent callers go in one
// pipeline: while maxBatches are on their way, further commands wait for the next. A caller alone is
// served at once. A pipeline costs client and server little more than a command: BenchmarkSlack
// answers a third more presses with it. Work on whole rounds does not go through the batcher, and
// gives way to what does; see pacer.
//
// A caller whose context has ended is not waited for, and its commands may still be sent until the
// last deadline of its batch. So they must have no effect after a later command of the same person.
type batcher struct {
	client goredis.UniversalClient
	// cluster: each caller is served alone. A batch would wait for the slowest node.
	cluster bool
	calls   atomic.Int64 // of exec

	mu      sync.Mutex
	waiting []*request
	sending int // batches on their way
}

// request is what a caller sends.
type request struct {
	commands []goredis.Cmder
	deadline time.Time     // of the caller, or zero
	done     chan struct{} // closed when the commands have their replies or err is set
	err      error         // of a panic, after which the commands may have neither reply nor error
}

func newBatcher(client goredis.UniversalClient) *batcher {
	_, cluster := client.(*goredis.ClusterClient)
	return &batcher{client: client, cluster: cluster}
}

// exec sends the commands of a pipeline and returns their first error other than a missing value.
// When ctx ends, it returns at once. Commands that still wait are then not sent, and the replies of
// the others must not be read.
func (b *batcher) exec(ctx context.Context, pipe goredis.Pipeliner) error {
	if err := ctx.Err(); err != nil {
		return translate(err)
	}
	b.calls.Add(1)
	if b.cluster {
		return exec(ctx, pipe)
	}
	r := &request{commands: pipe.Cmds(), done: make(chan struct{})}
	r.deadline, _ = ctx.Deadline()
	b.mu.Lock()
	b.waiting = append(b.waiting, r)
	if b.sending < maxBatches {
		b.sending++
		go b.send()
	}
	b.mu.Unlock()
	select {
	case <-r.done:
		if r.err != nil {
			return r.err
		}
		return firstError(r.commands)
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		b.waiting = slices.DeleteFunc(b.waiting, func(other *request) bool { return other == r })
		return translate(ctx.Err())
	}
}

// send sends batches until nobody waits.
func (b *batcher) send() {
	for batch := b.take(); batch != nil; batch = b.take() {
		b.sendBatch(batch)
	}
}

// take returns the next batch. When nobody waits it returns nil, and one batch fewer is on its way.
func (b *batcher) take() []*request {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.sending--
		return nil
	}
	n := min(len(b.waiting), maxBatch)
	batch := slices.Clone(b.waiting[:n])
	b.waiting = slices.Delete(b.waiting, 0, n)
	return batch
}

// sendBatch sends one batch, until the last deadline of its callers. A panic becomes an error of each
// of them. The error has the type of the panic's value only, since the value may hold a user's words.
func (b *batcher) sendBatch(batch []*request) {
	defer func() {
		var err error
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic with a value of type %T\n%s", fault, debug.Stack())
		}
		for _, r := range batch {
			r.err = err
			close(r.done)
		}
	}()
	ctx := context.Background()
	first := func(a, b *request) int { return a.deadline.Compare(b.deadline) }
	if earliest := slices.MinFunc(batch, first); !earliest.deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, slices.MaxFunc(batch, first).deadline)
		defer cancel()
	}
	pipe := b.client.Pipeline()
	for _, r := range batch {
		_ = pipe.BatchProcess(ctx, r.commands...) // it only queues them
	}
	execute(ctx, pipe)
}

// runBatched is like run, for a script of one person that may be sent in a batch. If Redis refuses
// it, because it does not know the script or cannot write, it is run alone: the client sends a
// command to another connection then, but not a pipeline.
func (s *Store) runBatched(
	ctx context.Context, script *goredis.Script, keys []string, args ...any,
) ([]any, error) {
	pipe := s.client.Pipeline()
	reply := script.EvalSha(ctx, pipe, keys, args...)
	err := s.batches.exec(ctx, pipe)
	var refusal goredis.Error
	switch {
	case errors.As(err, &refusal):
		return s.run(ctx, script, keys, args...)
	case err != nil:
		return nil, err
	}
	return scriptReply(reply)
}

// firstError returns the first error of the commands other than a missing value, translated.
func firstError(commands []goredis.Cmder) error {
	for _, c := range commands {
		if c.Err() != nil && !errors.Is(c.Err(), goredis.Nil) {
			return translate(c.Err())
		}
	}
	return nil
}
