package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/bot/chat"
)

// TestConnectWithRetry: the pauses grow from a second to half a minute, each try is told, and the end of the context ends it at once.
func TestConnectWithRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		began := time.Now()
		var tries []string
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
		defer cancel()
		_, err := connectWithRetry(ctx, slog.New(slog.NewTextHandler(&log, nil)), func(context.Context) (int, error) {
			tries = append(tries, time.Since(began).String())
			return 0, fmt.Errorf("reach it: %w", chat.ErrUnavailable)
		})
		if want := []string{"0s", "1s", "3s", "7s", "15s", "31s", "1m1s", "1m31s"}; !slices.Equal(tries, want) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 100*time.Second {
			t.Errorf("tried at %v, want %v; %v after %v", tries, want, err, time.Since(began))
		}
		if n := strings.Count(log.String(), "not connected"); n != len(tries) {
			t.Errorf("%d lines of %d tries:\n%s", n, len(tries), log.String())
		}
		hangs := make(chan struct{})
		told, end := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, end)
		began = time.Now()
		if _, err := connectWithRetry(told, slog.New(slog.DiscardHandler), func(context.Context) (int, error) { <-hangs; return 0, nil }); !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("told to end while it connects: %v after %v", err, time.Since(began))
		}
		close(hangs)
	})
}
