package redis

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"

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
type batcher struct {
	client goredis.UniversalClient
	limit  int
	served atomic.Int64 // calls of exec

	mu      sync.Mutex
	waiting []*request
	sending int // batches on their way
}

// request is what a caller sends: commands, and a channel that is closed when they have replies.
type request struct {
	commands []goredis.Cmder
	done     chan struct{}
}

// newBatcher returns a batcher for a client. In a cluster each caller is served at once: batches
// would wait for the slowest node.
func newBatcher(client goredis.UniversalClient) *batcher {
	b := &batcher{client: client, limit: maxBatches}
	if _, cluster := client.(*goredis.ClusterClient); cluster {
		b.limit = math.MaxInt
	}
	return b
}

// exec sends the commands of a pipeline and returns their first error other than a missing value.
// When ctx ends, it returns at once; commands that still wait are not sent, and the replies of the
// others must not be read.
func (b *batcher) exec(ctx context.Context, pipe goredis.Pipeliner) error {
	if err := ctx.Err(); err != nil {
		return translate(err)
	}
	b.served.Add(1)
	r := &request{pipe.Cmds(), make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, r)
	if b.sending < b.limit {
		b.sending++
		go b.send()
	}
	b.mu.Unlock()
	select {
	case <-r.done:
		return firstError(r.commands)
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		b.waiting = slices.DeleteFunc(b.waiting, func(other *request) bool { return other == r })
		return translate(ctx.Err())
	}
}

// run is like Store.run.
func (b *batcher) run(
	ctx context.Context, script *goredis.Script, keys []string, args ...any,
) ([]any, error) {
	pipe := b.client.Pipeline()
	reply := script.EvalSha(ctx, pipe, keys, args...)
	err := b.exec(ctx, pipe)
	if goredis.HasErrorPrefix(err, "NOSCRIPT") {
		pipe = b.client.Pipeline()
		reply = script.Eval(ctx, pipe, keys, args...)
		err = b.exec(ctx, pipe)
	}
	if err != nil {
		return nil, err
	}
	words, err := reply.Slice()
	if err != nil {
		return nil, err
	}
	return parseReply(words)
}

// send sends batches until no request waits.
func (b *batcher) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) > 0 {
		n := min(len(b.waiting), maxBatch)
		batch := b.waiting[:n]
		b.waiting = b.waiting[n:]
		b.mu.Unlock()
		b.sendBatch(batch)
		b.mu.Lock()
	}
	b.sending--
}

// sendBatch sends one batch. Its time is limited by the client's timeout and retries: the callers
// have deadlines of their own.
func (b *batcher) sendBatch(batch []*request) {
	pipe := b.client.Pipeline()
	ctx := context.Background()
	for _, r := range batch {
		_ = pipe.BatchProcess(ctx, r.commands...) // it only queues them
	}
	_, _ = pipe.Exec(ctx) // each command has its error
	for _, r := range batch {
		close(r.done)
	}
}

// firstError returns the first error of the commands other than a missing value.
func firstError(commands []goredis.Cmder) error {
	for _, c := range commands {
		if c.Err() != nil && !errors.Is(c.Err(), goredis.Nil) {
			return translate(c.Err())
		}
	}
	return nil
}
