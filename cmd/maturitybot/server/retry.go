package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
	"maturitybot/survey"
)

const (
	// firstRetryDelay is the delay after the first attempt to connect. Each later delay is twice
	// the one before, up to maxRetryDelay.
	firstRetryDelay = time.Second
	maxRetryDelay   = 30 * time.Second
)

// connectWithRetry calls connect until it succeeds, or fails with an error other than
// survey.ErrUnavailable or chat.ErrUnavailable. When the context ends, it returns the context's
// error at once, and does not wait for a call of connect.
func connectWithRetry[T any](
	ctx context.Context, log *slog.Logger, connect func(context.Context) (T, error),
) (T, error) {
	type result struct {
		value T
		err   error
	}
	for delay := firstRetryDelay; ; delay = min(2*delay, maxRetryDelay) {
		done := make(chan result, 1)
		go func() {
			value, err := connect(ctx)
			done <- result{value, err}
		}()
		var r result
		select {
		case r = <-done:
		case <-ctx.Done():
			return r.value, ctx.Err()
		}
		unavailable := errors.Is(r.err, survey.ErrUnavailable) ||
			errors.Is(r.err, chat.ErrUnavailable)
		if !unavailable {
			return r.value, r.err
		}
		log.Warn("not connected", "error", r.err, "next", delay)
		if err := dispatch.Sleep(ctx, delay); err != nil {
			return r.value, err
		}
	}
}
