// Package redis keeps rounds, rosters and responses in Redis 7.0 or later, or Valkey: one server, a
// cluster, servers that Sentinels watch, or a server embedded in the process. It has no rules of
// its own: it does not know what an element or a role is, nor which answers may be shown.
//
// Every change of a round or of a person is one script, or two in one transaction, some after a few
// plain commands. Writes of the queue, the indexes, claims and restores are plain commands. Sending
// any of them again has no further effect, because go-redis does so when a reply is lost.
//
// Closing a round deletes its secret from memory in the same step. An append-only file still holds
// the secret, and entries of the roster beside the first mention of a response, until the server
// rewrites it. The store therefore asks for a rewrite within seconds of each erasure, at most once
// a minute, and again while the server refuses or cannot be reached. A process that is killed
// before that no longer asks. Erasures are a close, making the roster anonymous, a withdrawal,
// forgetting a person, and replacing a round by a restore. Snapshots (dump.rdb) hold erased data
// until the next is written, files of replicas until they are rewritten, and freed disk blocks and
// backups until the operator deletes them.
//
// A ledger of each round says what was erased; without the round it identifies nobody. A journal, a
// file, says the same and survives the loss of the store (erasures.go). With them a restored backup
// brings back neither people who withdrew or were forgotten, nor the secret of a round that was
// closed since. The backup file itself still holds these.
//
// Store has many methods because survey.Store has: rounds, rosters, responses, queue and audit log
// of a round share its keys and its expiry, and several scripts touch more than one of them. Each
// chapter of survey.Store has a file here.
package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// Store is a survey.Store in Redis. Several goroutines, and several processes, may use it at once.
type Store struct {
	client  goredis.UniversalClient
	batches *batcher
	// now orders indexes and erasures. What a round allows is decided at the caller's time.
	now      func() time.Time
	journal  Journal // nil when there is none
	rewrites *rewrites

	indexMu   sync.Mutex
	indexedAt time.Time // when refreshDueIndex last ran
}

var _ survey.Store = (*Store)(nil)

// pageSize is how many members or responses are read at a time. In pipelines of 500, reading
// 100,000 responses takes a ninth of the time of reading them singly, and a thirtieth of the memory
// of reading all at once.
const pageSize = 500

// Open connects to the Redis at an address, whose forms Addresses lists, and checks that it
// answers. The error is survey.ErrUnavailable when the same address may work later. No error holds
// a password from the address. From then on go-redis' own log, which is one for the process, goes
// to slog's default logger at level debug; what it says is also returned as an error.
func Open(ctx context.Context, address string, with ...Option) (*Store, error) {
	o, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	goredis.SetLogger(debugLogger{})
	s := newStore(newClient(o))
	for _, change := range with {
		change(s)
	}
	if err := s.client.Ping(ctx).Err(); err != nil {
		var reply goredis.Error
		switch {
		case goredis.HasErrorPrefix(err, "NOAUTH"), goredis.HasErrorPrefix(err, "WRONGPASS"):
			err = fmt.Errorf("connect: Redis refuses the user or password: "+
				"compare REDIS_URL with requirepass or the ACL of Redis: %w", err)
		case isPermanent(err):
			err = fmt.Errorf("connect to Redis: %w", err)
		case !errors.As(err, &reply) && !errors.Is(err, context.Canceled):
			err = fmt.Errorf("connect: Redis cannot be reached at the address in REDIS_URL: "+
				"see whether it runs: %w", translate(err))
		default:
			err = fmt.Errorf("connect to Redis: %w", translate(err))
		}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// newStore returns a store that uses a client.
func newStore(client goredis.UniversalClient) *Store {
	return &Store{
		client: client, batches: newBatcher(client), now: time.Now, rewrites: newRewrites(),
	}
}

// newClient returns a client that is not connected yet. In a cluster it routes each command by its
// keys and nothing else: with go-redis' routing policies it would ask COMMAND of every node before
// each command, since a user with ACL is refused it.
func newClient(o *goredis.UniversalOptions) goredis.UniversalClient {
	if o.MasterName == "" && len(o.Addrs) > 1 {
		cluster := o.Cluster()
		cluster.DisableRoutingPolicies = true
		return goredis.NewClusterClient(cluster)
	}
	return goredis.NewUniversalClient(o)
}

// isPermanent reports whether an error of the first command remains until the operator corrects the
// address or the server.
func isPermanent(err error) bool {
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return true
	}
	for _, word := range []string{"NOAUTH", "WRONGPASS", "NOPERM", "AUTH ", "DB index", "invalid DB"} {
		if goredis.HasErrorPrefix(err, word) {
			return true
		}
	}
	return false
}

// Ping checks that Redis answers. It returns survey.ErrUnavailable when it does not.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping Redis: %w", translate(err))
	}
	return nil
}

// Close closes the connections; the store cannot be used afterwards. If an erasure still waits for
// a rewrite of an append-only file, Close first asks the server for it, and again for up to
// closeTimeout while the server is busy or cannot be reached.
func (s *Store) Close() error {
	s.endRewrites()
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("close the connections to Redis: %w", err)
	}
	return nil
}

// debugLogger receives go-redis' log.
type debugLogger struct{}

func (debugLogger) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, "redis client", "message", fmt.Sprintf(format, v...))
}

// unavailableReplies are the first words of the errors with which a server says that it cannot
// serve now, or not this client.
var unavailableReplies = []string{
	"LOADING", "READONLY", "OOM", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "NOREPLICAS", "MISCONF",
	"BUSY", "NOAUTH", "WRONGPASS", "ERR max number of clients",
}

// attempt prefixes an error with what was attempted. Each exported method of the store does so
// once, itself; unexported functions return errors without the prefix.
func attempt(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf(format+": %w", append(args, *err)...)
	}
}

// translate turns an error of the client into one of the store. It returns survey.ErrUnavailable
// and the cause when the server could not be reached, or replied that it cannot serve now. It
// removes the arguments that a server repeats when it refuses a command.
func translate(err error) error {
	var reply goredis.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case !errors.As(err, &reply):
		return fmt.Errorf("%w: %w", survey.ErrUnavailable, err)
	}
	text := reply.Error()
	for _, word := range unavailableReplies {
		if strings.HasPrefix(text, word) {
			return fmt.Errorf("%w: %w", survey.ErrUnavailable, err)
		}
	}
	if safe, _, repeats := strings.Cut(text, ", with args"); repeats {
		return errors.New(safe)
	}
	return err
}

// exec sends the pipeline and returns its first error other than a missing value.
func exec(ctx context.Context, pipe goredis.Pipeliner) error {
	return firstError(execute(ctx, pipe))
}

// execute sends the pipeline and returns its commands. Where no connection could be set up, each has
// that error; go-redis returns the error alone.
func execute(ctx context.Context, pipe goredis.Pipeliner) []goredis.Cmder {
	commands, err := pipe.Exec(ctx)
	if err != nil && !errors.Is(err, goredis.Nil) && firstError(commands) == nil {
		for _, c := range commands {
			c.SetErr(err)
		}
	}
	return commands
}
