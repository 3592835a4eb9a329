// Package redis keeps rounds, rosters and responses in Redis 7.0 or later (or Valkey), be it one server, a
// cluster, one that Sentinels watch, or one embedded in the process. It holds no rules of its own: it does
// not know what an element or a role is, nor what may be shown of an answer.
//
// Every write is one script (or one that starts with a few plain commands that may be repeated), and may be
// sent again without doing more than once, because go-redis does send it again when a reply is lost.
//
// What closing a round destroys, and what it cannot: the secret is deleted from memory in the same step
// that closes the round. An append-only file holds it, and holds entries of the roster beside the first
// mention of a response, until it is rewritten; so a rewrite is asked for within seconds of each erasure (a closing, the
// roster's forgetting after it, a withdrawal, a person forgotten, a round that a restore replaces), at most once a minute, and again
// while the server refuses or cannot be reached; a process that is killed before forgets what it had to ask for. Nothing of this reaches snapshots (dump.rdb)
// until the next is written, files of replicas until they rewrite theirs, disk blocks that were freed, and
// backups: whoever keeps those must let them go to make the promise whole.
//
// A ledger of each round says what was erased of it, and names nobody to whom does not have the round; a journal, a file, says the
// same where the store itself may be lost (erasures.go). By them, a backup that is restored does not bring back who withdrew, who was
// forgotten, or the secret of a round that was closed since. The backup file itself still holds them.
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
	client goredis.UniversalClient
	now    func() time.Time // for the order of lists and of erasures: what a round allows is judged at the caller's time
	erased Journal          // nil when there is none
	files  *rewrites

	indexing  sync.Mutex
	indexedAt time.Time // when every round was last listed in the index of what is due
}

var _ survey.Store = (*Store)(nil)

// page is how many members or responses are in memory and on the wire at a time: pipelined by 500, reading
// 100,000 responses takes a ninth of the time of one by one, in a thirtieth of the memory of all at once.
const page = 500

// Open connects to the Redis at the address (its forms are told at options) and makes sure that it answers.
// Its error is survey.ErrUnavailable where the same address may answer later, and nothing is known to be wrong with it.
// A password in the address never appears in an error. go-redis' own log, which is one for the whole
// process, goes to slog's default at the level of debugging from then on: what it tells of also comes back as an error.
func Open(ctx context.Context, address string, with ...Option) (*Store, error) {
	o, err := options(address)
	if err != nil {
		return nil, err
	}
	goredis.SetLogger(quiet{})
	s := &Store{client: newClient(o), now: time.Now, files: newRewrites()}
	for _, change := range with {
		change(s)
	}
	if err := s.client.Ping(ctx).Err(); err != nil {
		var reply goredis.Error
		switch {
		case goredis.HasErrorPrefix(err, "NOAUTH"), goredis.HasErrorPrefix(err, "WRONGPASS"):
			err = fmt.Errorf("connect: Redis refuses the user or password: compare REDIS_URL with requirepass or the ACL of Redis: %w", err)
		case lasting(err):
			err = fmt.Errorf("connect to Redis: %w", err)
		case !errors.As(err, &reply) && !errors.Is(err, context.Canceled):
			err = fmt.Errorf("connect: Redis cannot be reached at the address in REDIS_URL: see whether it runs: %w", fault(err))
		default:
			err = fmt.Errorf("connect to Redis: %w", fault(err))
		}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// newClient returns a client that is not connected yet. In a cluster it routes each command by its
// keys and nothing else: with go-redis' routing policies it would ask COMMAND of every node before each
// command, since a user with ACL is refused it.
func newClient(o *goredis.UniversalOptions) goredis.UniversalClient {
	if o.MasterName == "" && len(o.Addrs) > 1 {
		cluster := o.Cluster()
		cluster.DisableRoutingPolicies = true
		return goredis.NewClusterClient(cluster)
	}
	return goredis.NewUniversalClient(o)
}

// lasting says whether waiting does not mend an error of the first command: whoever set up the address or the server has to.
func lasting(err error) bool {
	if _, stranger := errors.AsType[*tls.CertificateVerificationError](err); stranger {
		return true
	}
	for _, word := range []string{"NOAUTH", "WRONGPASS", "NOPERM", "AUTH ", "DB index", "invalid DB"} {
		if goredis.HasErrorPrefix(err, word) {
			return true
		}
	}
	return false
}

// Ping says whether Redis answers, with survey.ErrUnavailable when it does not.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ask Redis for a sign of life: %w", fault(err))
	}
	return nil
}

// Close gives the connections back. The store cannot be used any more. It takes up to two seconds when a rewrite of an append-only file
// is wanted that the server does not begin.
func (s *Store) Close() error {
	s.endRewrites()
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("close the connections to Redis: %w", err)
	}
	return nil
}

// quiet is where go-redis logs.
type quiet struct{}

func (quiet) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, "redis client", "says", fmt.Sprintf(format, v...))
}

// outages are the first words of replies by which a server says that it cannot serve now, or not us.
var outages = []string{
	"LOADING", "READONLY", "OOM", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "NOREPLICAS", "MISCONF", "BUSY",
	"NOAUTH", "WRONGPASS", "ERR max number of clients",
}

// attempt adds to an error what was attempted. Every exported method of the store does so, once; what they share returns bare
// errors.
func attempt(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf(format+": %w", append(args, *err)...)
	}
}

// fault turns an error of the client into one of ours: with survey.ErrUnavailable beside the cause when the
// store could not be reached, without any argument of a command that a server repeats in its refusal.
func fault(err error) error {
	var reply goredis.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case !errors.As(err, &reply):
		return fmt.Errorf("%w: %w", survey.ErrUnavailable, err)
	}
	text := reply.Error()
	for _, word := range outages {
		if strings.HasPrefix(text, word) {
			return fmt.Errorf("%w: %w", survey.ErrUnavailable, err)
		}
	}
	if safe, _, repeats := strings.Cut(text, ", with args"); repeats {
		return errors.New(safe)
	}
	return err
}

// exec sends what the pipeline holds and returns its first error that is not a missing value.
func exec(ctx context.Context, pipe goredis.Pipeliner) error {
	commands, err := pipe.Exec(ctx)
	for _, c := range commands {
		if c.Err() != nil && !errors.Is(c.Err(), goredis.Nil) {
			return fault(c.Err())
		}
	}
	if errors.Is(err, goredis.Nil) {
		return nil
	}
	return fault(err)
}
