package platform

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"maturitybot/bot/chat/dispatch"
)

// ErrHeld is the error of a call that would have to wait for longer than Caller.MaxWait, because
// the platform has asked for that before.
var ErrHeld = errors.New("the platform has asked to wait for longer than a call can")

// maxHolds is the number of holds from which on those that have ended are deleted.
const maxHolds = 1024

// Holds keeps, by rate limit, until when no call may be made. The zero value is ready for use.
type Holds struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// Add holds back the calls that count toward a limit. A longer hold stays as it is.
func (h *Holds) Add(limit string, wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if h.until == nil {
		h.until = map[string]time.Time{}
	}
	if len(h.until) >= maxHolds {
		maps.DeleteFunc(h.until, func(_ string, until time.Time) bool { return !until.After(now) })
	}
	if until := now.Add(wait); until.After(h.until[limit]) {
		h.until[limit] = until
	}
}

// Wait waits until none of the limits is held. It returns ErrHeld at once if that would take longer
// than maxWait, and the context's error if that ends before.
func (h *Holds) Wait(ctx context.Context, maxWait time.Duration, limits ...string) error {
	for {
		wait := h.remaining(limits)
		switch {
		case wait <= 0:
			return ctx.Err()
		case wait > maxWait:
			return ErrHeld
		}
		if err := dispatch.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// remaining returns for how long one of the limits is held from now on.
func (h *Holds) remaining(limits []string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	var longest time.Duration
	for _, limit := range limits {
		wait := h.until[limit].Sub(now)
		if wait <= 0 {
			delete(h.until, limit)
		}
		longest = max(longest, wait)
	}
	return longest
}

// Len returns how many limits are remembered.
func (h *Holds) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.until)
}
