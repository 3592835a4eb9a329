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
	// firstRetryDelay is the delay after the first try to connect. Each later delay is twice the one
	// before, up to maxRetryDelay.
	firstRetryDelay = time.Second
	maxRetryDelay   = 30 * time.Second
)

// connectWithRetry calls connect until it succeeds, or fails with an error other than survey.ErrUnavailable
// or chat.ErrUnavailable. It returns at once with the context's error when the context ends; a connect
// that is under way then is left to end with the program.
func connectWithRetry[T any](ctx context.Context, log *slog.Logger, connect func(context.Context) (T, error)) (T, error) {
	type result struct {
		got T
		err error
	}
	for delay := firstRetryDelay; ; delay = min(2*delay, maxRetryDelay) {
		done := make(chan result, 1)
		go func() {
			got, err := connect(ctx)
			done <- result{got, err}
		}()
		var r result
		select {
		case r = <-done:
		case <-ctx.Done():
			return r.got, ctx.Err()
		}
		if r.err == nil || !errors.Is(r.err, survey.ErrUnavailable) && !errors.Is(r.err, chat.ErrUnavailable) {
			return r.got, r.err
		}
		log.Warn("not connected", "error", r.err, "next", delay)
		if err := dispatch.Sleep(ctx, delay); err != nil {
			return r.got, err
		}
	}
}
