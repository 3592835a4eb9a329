package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// server is an HTTP server with its listener.
type server struct {
	*http.Server
	listener net.Listener
}

// listen opens an address for a server with at most so many connections.
func listen(ctx context.Context, address string, most int, handler http.Handler) (*server, error) {
	if address == "" { // would be a random port of all interfaces
		return nil, errors.New("listen for requests: no address")
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for requests: %w", err)
	}
	return &server{listener: l, Server: &http.Server{
		Addr: l.Addr().String(), Handler: closeUnlessSigned(handler),
		// Both platforms send at once and hang up after three seconds: a slower client is neither of them.
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: headerBytes - 4<<10, ConnState: newConnections(most).track,
	}}, nil
}

// run serves until the context ends, and then up to httpShutdownTimeout for requests that have arrived.
func (s *server) run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(s.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), httpShutdownTimeout)
		defer stop()
		if s.Shutdown(end) != nil {
			return s.Close() // a client that is still sending is neither Slack nor Discord
		}
		return nil
	}
}
