package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// RecoverAndLog recovers from a panic and logs what was being done; it must be deferred. It logs
// the type of the panic's value only, since the value may hold a user's words.
func RecoverAndLog(log *slog.Logger, doing string) {
	if fault := recover(); fault != nil {
		log.Error(
			"panic",
			"doing",
			doing,
			"fault",
			fmt.Sprintf("%T", fault),
			"stack",
			string(debug.Stack()),
		)
	}
}

// Sleep waits, and returns the context's error if that ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wait waits for a group, and returns the context's error if that ends before.
func Wait(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
