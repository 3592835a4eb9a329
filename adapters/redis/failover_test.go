package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// given are the answers of one person that were acknowledged.
type given struct {
	place survey.Participation

	mu    sync.Mutex
	count int
}

// rating is that of the n-th answer.
func rating(n int) matrix.Rating { return matrix.Rating(1 + n%4) }

// element is that of the n-th answer.
func element(n int) string { return fmt.Sprint("e", n) }

func (g *given) acknowledged() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count
}

// TestFailover kills the master while people answer, and a replica takes its place. Every answer
// that was acknowledged and had reached a replica is there afterwards. Until there is a master
// again, answers wait or are refused as not kept; then they are accepted again.
func TestFailover(t *testing.T) {
	t.Parallel()
	failover(t, redistest.Options{})
}

func TestFailoverTLS(t *testing.T) {
	t.Parallel()
	failover(t, restricted())
}

func failover(t *testing.T, o redistest.Options) {
	// A master that reaches no replica accepts no writes, so one that is cut off cannot acknowledge.
	o.Args = append(o.Args, "--min-replicas-to-write", "1", "--repl-diskless-sync-delay", "0")
	w := redistest.StartSentinels(t, o)
	s := open(t, asBot(w.URL()))
	if _, _, err := s.Describe(t.Context()); err != nil {
		t.Error(err)
	}
	// An address that does not say that it is a Sentinel's is reported.
	sentinel := open(t, w.Sentinel())
	if _, _, err := sentinel.Describe(t.Context()); err == nil || !strings.Contains(err.Error(), "this is a Sentinel") {
		t.Errorf("got error %v", err)
	}
	_, places := opened(t, s, "r1", "p1", "p2", "p3", "p4")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	people := make([]*given, len(places))
	refused := make(chan error, 1) // the first answer that was
	again := make(chan struct{}, len(places))
	var killed atomic.Bool
	var answering sync.WaitGroup
	for i, place := range places {
		g := &given{place: place}
		people[i] = g
		answering.Go(func() {
			for n := 0; ctx.Err() == nil; {
				afterKill := killed.Load()
				_, err := s.Answer(ctx, g.place, time.Now(), survey.Operation{ID: element(n)}, element(n), rating(n))
				switch {
				case ctx.Err() != nil:
				case err == nil:
					n++
					g.mu.Lock()
					g.count = n
					g.mu.Unlock()
					if afterKill {
						again <- struct{}{}
						return
					}
				case errors.Is(err, survey.ErrUnavailable): // not kept, so the person presses again
					select {
					case refused <- err:
					default:
					}
				default:
					t.Errorf("an answer is refused with %v", err)
					return
				}
			}
		})
	}
	wait := func(what string, until func() bool) {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(time.Minute); !until(); <-tick.C {
			if time.Now().After(deadline) {
				t.Fatal("timed out waiting for ", what)
			}
		}
	}
	total := func() (n int) {
		for _, g := range people {
			n += g.acknowledged()
		}
		return n
	}
	wait("300 answers", func() bool { return total() >= 300 })
	replicated := make([]int, len(people))
	for i, g := range people {
		replicated[i] = g.acknowledged()
	}
	// A replica that has reached this offset of the master has every answer acknowledged so far.
	offset := replicationOffset(t, w.Master, "master_repl_offset")
	wait("a replica", func() bool {
		for _, r := range w.Replicas {
			if replicationOffset(t, r, "slave_repl_offset") >= offset {
				return true
			}
		}
		return false
	})
	w.Master.Kill()
	killed.Store(true)
	began, before := time.Now(), total()
	for range people {
		select {
		case <-again:
		case <-time.After(time.Minute):
			t.Fatal("answers are not accepted again")
		}
	}
	outage := time.Since(began)
	stop()
	answering.Wait()
	select {
	case err := <-refused:
		t.Logf("refused with: %v", err)
	default:
		t.Log("no answer was refused: each was sent again until there was a master")
	}
	lost := 0
	for i, g := range people {
		kept, err := s.Response(t.Context(), g.place)
		if err != nil {
			t.Fatal(err)
		}
		for n := range g.acknowledged() {
			switch got := kept.Answers[element(n)].Rating; {
			case got == rating(n):
			case n < replicated[i]:
				t.Fatalf("answer %d of person %d was acknowledged, had reached a replica, and is now %d", n, i, got)
			default:
				lost++
			}
		}
	}
	t.Logf("about %d answers acknowledged by the kill, %d acknowledged and lost; answers are accepted again after %v", before, lost, outage.Round(time.Millisecond))
}

// replicationOffset returns how much of what the master writes a server has.
func replicationOffset(t *testing.T, server *redistest.Server, name string) int {
	t.Helper()
	return number(t, server.Do(t, "INFO", "replication"), name)
}
