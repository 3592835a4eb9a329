package redis

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestPacer checks that long work reads small pages and pauses between them while people are served,
// and only then.
func TestPacer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := embedded(t)
		serve := func() {
			pipe := e.client.Pipeline()
			pipe.Get(t.Context(), "key")
			if err := e.batches.exec(t.Context(), pipe); err != nil {
				t.Error(err)
			}
		}
		p := e.newPacer()
		for _, step := range []struct {
			name   string
			served bool
			size   int64
			pause  time.Duration
		}{
			{"nobody", false, pageSize, 0},
			{"somebody", true, smallPage, 3 * time.Millisecond},
			{"nobody any more", false, pageSize, 0},
		} {
			time.Sleep(3 * time.Millisecond) // the page
			if step.served {
				serve()
			}
			began := time.Now()
			size, err := p.next(t.Context())
			if pause := time.Since(began); err != nil || size != step.size || pause != step.pause {
				t.Errorf("%s is served: size %d, pause %v, %v", step.name, size, pause, err)
			}
		}
		serve()
		near, cancel := context.WithTimeout(t.Context(), timeToFinish)
		time.Sleep(time.Millisecond)
		began := time.Now()
		if size, err := p.next(near); err != nil || size != pageSize || time.Since(began) != 0 {
			t.Errorf("the deadline is near: size %d, pause %v, %v", size, time.Since(began), err)
		}
		cancel()
		serve()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		time.Sleep(time.Millisecond)
		if _, err := p.next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the context has ended: %v", err)
		}
	})
}
