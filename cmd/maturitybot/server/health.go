package server

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"maturitybot/adapters/redis"
)

// pingTimeout bounds the PING of a readiness check.
const pingTimeout = time.Second

// health reports whether this process is ready: Redis answers, and every platform is connected. Its
// reports name no host and no person.
type health struct {
	shutdown <-chan struct{} // closed when shutdown begins

	mu        sync.Mutex
	store     *redis.Store
	connected map[string]bool // by platform
}

func newHealth(shutdown <-chan struct{}, platforms ...string) *health {
	h := &health{shutdown: shutdown, connected: map[string]bool{}}
	for _, p := range platforms {
		h.connected[p] = false
	}
	return h
}

// setStore sets the store to check, once it is connected.
func (h *health) setStore(s *redis.Store) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.store = s
}

// setConnected sets whether a platform is connected.
func (h *health) setConnected(platform string, up bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.connected[platform] = up
}

// report returns a line for Redis and for each platform, and whether all are ready.
func (h *health) report(ctx context.Context) (report string, ready bool) {
	select {
	case <-h.shutdown:
		return "ending\n", false
	default:
	}
	h.mu.Lock()
	store, connected := h.store, maps.Clone(h.connected)
	h.mu.Unlock()
	var lines strings.Builder
	ready = true
	add := func(part string, ok bool, problem string) {
		state := "ok"
		if !ok {
			ready, state = false, problem
		}
		fmt.Fprintf(&lines, "%s %s\n", part, state)
	}
	if store == nil {
		add("redis", false, "connecting")
	} else {
		ctx, cancel := context.WithTimeout(ctx, pingTimeout)
		defer cancel()
		add("redis", store.Ping(ctx) == nil, "away")
	}
	for _, name := range slices.Sorted(maps.Keys(connected)) {
		add(name, connected[name], "connecting")
	}
	return lines.String(), ready
}

// operations serves /healthz, /readyz and /metrics for the operator.
func operations(h *health, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		report, ready := h.report(r.Context())
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, report)
	})
	mux.Handle("GET /metrics", metrics)
	return mux
}
