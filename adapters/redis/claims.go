package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// claimTTL is how long a claim holds: a little longer than handling an event may take.
	claimTTL = 35 * time.Second
	// finishedTTL is how long a finished event is remembered: longer than any platform repeats one.
	finishedTTL = 10 * time.Minute
	// finished replaces the claim of an event that was handled.
	finished = "finished"
)

// Claim claims an event for claimTTL. It returns false when any process holds a claim of the event,
// or has finished it within finishedTTL.
func (s *Store) Claim(ctx context.Context, event string) (bool, error) {
	// When a reply is lost, the client sends the claim again and must recognise it as its own.
	claim := rand.Text()
	args := goredis.SetArgs{Mode: "NX", Get: true, TTL: claimTTL}
	had, err := s.client.SetArgs(ctx, eventKey(event), claim, args).Result()
	switch {
	case errors.Is(err, goredis.Nil):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("claim an event: %w", translate(err))
	}
	return had == claim, nil
}

// Finish marks a claimed event as handled.
func (s *Store) Finish(ctx context.Context, event string) error {
	if err := s.client.Set(ctx, eventKey(event), finished, finishedTTL).Err(); err != nil {
		return fmt.Errorf("finish an event: %w", translate(err))
	}
	return nil
}

// Finished reports whether an event was handled within finishedTTL.
func (s *Store) Finished(ctx context.Context, event string) (bool, error) {
	value, err := s.client.Get(ctx, eventKey(event)).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return false, fmt.Errorf("look for a finished event: %w", translate(err))
	}
	return value == finished, nil
}

// Release withdraws a claim, for an event that could not be handled.
func (s *Store) Release(ctx context.Context, event string) error {
	if err := s.client.Del(ctx, eventKey(event)).Err(); err != nil {
		return fmt.Errorf("release an event: %w", translate(err))
	}
	return nil
}
