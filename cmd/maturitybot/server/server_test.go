package server

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"maturitybot/adapters/redis"
)

func openStore(t *testing.T, server *miniredis.Miniredis) *redis.Store {
	t.Helper()
	store, err := redis.Open(t.Context(), "redis://"+server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestWatchSchema ends a process soon after a newer one has begun to write.
func TestWatchSchema(t *testing.T) {
	kept := miniredis.RunT(t)
	store := openStore(t, kept)
	defer func() { _ = store.Close() }() // the test is over
	if err := store.RaiseSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := service{store: store, log: slog.New(slog.DiscardHandler)}
	ended := make(chan error, 1)
	go func() { ended <- v.watchSchema(t.Context(), time.Millisecond) }()
	kept.SetError("LOADING") // whatever else is wrong does not end it
	time.Sleep(20 * time.Millisecond)
	kept.SetError("")
	select {
	case err := <-ended:
		t.Fatalf("ended too soon: %v", err)
	default:
	}
	if err := kept.Set("schema", strconv.Itoa(redis.Schema+1)); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, redis.ErrNewerSchema) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.watchSchema(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
