package redis

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// rewrites remembers the rounds of which erased data may still be in an append-only file or in the
// log of slow commands, until their server has begun to rewrite the one and has emptied the other.
type rewrites struct {
	delay    time.Duration // after an erasure, so that several take one rewrite
	interval time.Duration // the least time between two rewrites

	askMu sync.Mutex // held while servers are asked

	mu     sync.Mutex // protects the fields below
	wanted map[survey.RoundID]bool
	timer  *time.Timer // nil when nothing is wanted
	last   time.Time
	ended  bool
}

// newRewrites returns rewrites with the intervals that a running store uses.
func newRewrites() *rewrites {
	return &rewrites{
		delay: time.Second, interval: time.Minute, wanted: map[survey.RoundID]bool{},
	}
}

// closeTimeout is how long Close keeps asking a server that is busy with an earlier rewrite.
const closeTimeout = 2 * time.Second

// rewriteTimeout bounds the requests to all servers that a timer starts.
const rewriteTimeout = time.Minute

// requestRewrite makes the store ask the server of a round, after a delay, to rewrite its
// append-only file.
func (s *Store) requestRewrite(id survey.RoundID) {
	w := s.rewrites
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted[id] = true
	s.setTimer()
}

// setTimer schedules the next requests. The caller holds the lock.
func (s *Store) setTimer() {
	w := s.rewrites
	if w.timer != nil || w.ended {
		return
	}
	delay := max(w.delay, time.Until(w.last.Add(w.interval)))
	w.timer = time.AfterFunc(delay, func() {
		ctx, cancel := context.WithTimeout(context.Background(), rewriteTimeout)
		defer cancel()
		s.rewriteWanted(ctx)
	})
}

// rewriteWanted asks the server of each waiting round for a rewrite, once per server, and reports
// whether no round is left. A round waits for the next call if its server refused, or if it was
// added during this call.
func (s *Store) rewriteWanted(ctx context.Context) bool {
	w := s.rewrites
	w.askMu.Lock()
	defer w.askMu.Unlock()
	w.mu.Lock()
	wanted := w.wanted
	w.wanted = map[survey.RoundID]bool{}
	w.mu.Unlock()

	asked := map[goredis.Cmdable]bool{} // whether the server is to be asked again
	for id := range wanted {
		server, err := s.serverOf(ctx, id)
		again, done := asked[server]
		if err != nil {
			again = true
		} else if !done {
			again = rewrite(ctx, server)
			asked[server] = again
		}
		if !again {
			delete(wanted, id)
		}
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range wanted {
		w.wanted[id] = true
	}
	w.last, w.timer = time.Now(), nil
	if len(w.wanted) > 0 {
		s.setTimer()
	}
	return len(w.wanted) == 0
}

// serverOf returns the server that keeps a round.
func (s *Store) serverOf(ctx context.Context, id survey.RoundID) (goredis.Cmdable, error) {
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, roundKey(id))
	}
	return s.client, nil
}

// rewrite asks a server to rewrite its append-only file and to empty its log of slow commands,
// whose entries hold pseudonyms, answers and times. It reports whether to ask again: when the
// server was not reached, could not begin, or is busy with a rewrite that may have begun before the
// erasure. It does not ask again a server that has no such file, or that refuses the bot the right.
func rewrite(ctx context.Context, server goredis.Cmdable) (again bool) {
	err := server.SlowLogReset(ctx).Err()
	if errors.Is(translate(err), survey.ErrUnavailable) {
		return true
	}
	info, err := server.Info(ctx, "persistence").Result()
	if err != nil || !strings.Contains(info, "aof_enabled:1") {
		return errors.Is(translate(err), survey.ErrUnavailable)
	}
	err = server.BgRewriteAOF(ctx).Err()
	return err != nil && !strings.HasPrefix(err.Error(), "NOPERM")
}

// endRewrites asks for what is still wanted, and lets nothing be asked for afterwards.
func (s *Store) endRewrites() {
	w := s.rewrites
	w.mu.Lock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
	left := len(w.wanted) > 0
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	tick := time.NewTicker(closeTimeout / 20)
	defer tick.Stop()
	for left && !s.rewriteWanted(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
