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

// rewrites remembers the rounds whatever was erased of which may still be in an append-only file or in the log of slow commands, until
// their server has said that it rewrites the one, and has emptied the other.
type rewrites struct {
	soon  time.Duration // after an erasure, so that those which come together take one rewrite
	every time.Duration // at most one in so long

	asking sync.Mutex // held while servers are asked

	mu     sync.Mutex // of what follows
	wanted map[survey.RoundID]bool
	timer  *time.Timer // nil when nothing is wanted
	last   time.Time
	ended  bool
}

// newRewrites are for a store that is used from then on.
func newRewrites() *rewrites {
	return &rewrites{soon: time.Second, every: time.Minute, wanted: map[survey.RoundID]bool{}}
}

// parting is how long Close goes on asking a server that is busy with an earlier rewrite.
const parting = 2 * time.Second

// rewriteFile has the server that keeps the round asked to rewrite its append-only file, if it writes one, a little later.
func (s *Store) rewriteFile(id survey.RoundID) {
	w := s.files
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted[id] = true
	s.setTimer()
}

// setTimer is called with the lock held.
func (s *Store) setTimer() {
	w := s.files
	if w.timer == nil && !w.ended {
		w.timer = time.AfterFunc(max(w.soon, time.Until(w.last.Add(w.every))), func() {
			ctx, cancel := context.WithTimeout(context.Background(), w.every)
			defer cancel()
			s.rewriteWanted(ctx)
		})
	}
}

// rewriteWanted asks each server that keeps a round which is waiting, and says whether none is left. What is erased meanwhile waits for
// the next time, as do rounds whose server refused.
func (s *Store) rewriteWanted(ctx context.Context) bool {
	w := s.files
	w.asking.Lock()
	defer w.asking.Unlock()
	w.mu.Lock()
	wanted := w.wanted
	w.wanted = map[survey.RoundID]bool{}
	w.mu.Unlock()

	asked := map[goredis.Cmdable]bool{} // and whether it is to be asked again
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

// serverOf is the server that keeps a round.
func (s *Store) serverOf(ctx context.Context, id survey.RoundID) (goredis.Cmdable, error) {
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, roundKey(id))
	}
	return s.client, nil
}

// rewrite asks a server to rewrite its append-only file and to empty its log of slow commands, whose entries hold pseudonyms, answers
// and times. It says whether to ask again: it is busy with a rewrite that may have begun before the erasure, or was not reached. One
// that keeps no such file, or does not let the bot ask, is left alone.
func rewrite(ctx context.Context, server goredis.Cmdable) (again bool) {
	if err := server.SlowLogReset(ctx).Err(); err != nil && errors.Is(fault(err), survey.ErrUnavailable) {
		return true
	}
	info, err := server.Info(ctx, "persistence").Result()
	if err == nil && strings.Contains(info, "aof_enabled:1") {
		err = server.BgRewriteAOF(ctx).Err()
	}
	return err != nil && (errors.Is(fault(err), survey.ErrUnavailable) || strings.Contains(err.Error(), "already in progress"))
}

// endRewrites asks for what is still wanted. Nothing is asked for afterwards.
func (s *Store) endRewrites() {
	w := s.files
	w.mu.Lock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
	left := len(w.wanted) > 0
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	tick := time.NewTicker(parting / 20)
	defer tick.Stop()
	for left && !s.rewriteWanted(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
