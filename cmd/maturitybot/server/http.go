package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"maturitybot/bot/chat/dispatch"
)

// server is an HTTP server with its listener.
type server struct {
	*http.Server
	listener net.Listener
}

// listen opens a listener at an address, and returns a server for it that the caller starts. The
// server accepts at most limit connections.
func listen(
	ctx context.Context, address string, limit int, log *slog.Logger, handler http.Handler,
) (*server, error) {
	if address == "" { // net would choose a random port of all interfaces
		return nil, errors.New("listen for requests: no address")
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for requests: %w", err)
	}
	return &server{listener: l, Server: &http.Server{
		Addr: l.Addr().String(), Handler: logPanics(log, closeUnlessSigned(handler)),
		// Slack and Discord send a request at once and close the connection after 3 seconds. A browser
		// on a slow line sends a page's form within these too.
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: headerBytes - 4<<10, ConnState: newConnections(limit).track,
	}}, nil
}

// logPanics logs a panic as other packages do, and closes the connection. net/http would log the
// panic's value, which may hold a user's words, and the client's address.
func logPanics(log *slog.Logger, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := false
		defer func() {
			if !served {
				panic(http.ErrAbortHandler) // which net/http does not log
			}
		}()
		defer dispatch.RecoverAndLog(log, "serving a request")
		handler.ServeHTTP(w, r)
		served = true
	})
}

// run serves until the context ends. It then waits up to receiveTimeout for the requests that
// have arrived.
func (s *server) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), receiveTimeout)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			return s.Close() // a client that is still sending is slower than Slack or Discord
		}
		return nil
	}
}
