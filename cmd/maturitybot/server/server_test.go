package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
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

// TestPanicInHandler checks that a panic is logged without its value, and closes the connection.
func TestPanicInHandler(t *testing.T) {
	var logged strings.Builder
	log := slog.New(slog.NewTextHandler(&logged, nil))
	previous := slog.Default()
	slog.SetDefault(log) // as serve does; net/http logs there
	defer slog.SetDefault(previous)
	s, err := listen(t.Context(), "127.0.0.1:0", 1, log, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("a user's words")
	}))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(s.listener) }()
	if _, err = http.Get("http://" + s.Addr); !errors.Is(err, io.EOF) {
		t.Errorf("the client gets %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-served
	if got := logged.String(); !strings.Contains(got, "panic") || !strings.Contains(got, "TestPanicInHandler") ||
		strings.Contains(got, "words") || strings.Contains(got, "127.0.0.1") {
		t.Errorf("the log has %s", got)
	}
}
