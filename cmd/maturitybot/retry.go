package main

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
	// firstRetryDelay is waited after the first try to connect; each later pause is twice the one before, up to longestPause.
	firstRetryDelay = time.Second
	maxRetryDelay   = 30 * time.Second
)

// connectWithRetry connects to something, and tries again for as long as waiting may help. It returns at once when the context ends,
// with the context's error: what is under way then is left to end with the program.
func connectWithRetry[T any](ctx context.Context, log *slog.Logger, connect func(context.Context) (T, error)) (T, error) {
	type result struct {
		got T
		err error
	}
	for pause := firstRetryDelay; ; pause = min(2*pause, maxRetryDelay) {
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
		log.Warn("not connected", "error", r.err, "next", pause)
		if err := dispatch.Sleep(ctx, pause); err != nil {
			return r.got, err
		}
	}
}
