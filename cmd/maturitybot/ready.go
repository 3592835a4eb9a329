package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// opsFlag is the address at which a process reports its health.
type opsFlag struct {
	OpsListen string `env:"OPS_LISTEN" default:"127.0.0.1:8081" placeholder:"ADDRESS" help:"ops_listen"`
}

// opsOff is the value of opsFlag with which a process reports nothing.
const opsOff = "off"

// readyCommand asks the process that serves on this machine whether it is ready. It is for health
// checks of containers, which have no curl.
type readyCommand struct{ opsFlag }

// readyTimeout is how long the process may take to answer: longer than it waits for Redis.
const readyTimeout = 3 * time.Second

// Run prints what the process says, and ends with an error unless it is ready.
func (c *readyCommand) Run(ctx context.Context, s system) error {
	address, err := localAddress(c.OpsListen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ask whether it is ready: %w", err)
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r) // by no proxy
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens at %s: the bot is not running on this machine, "+
			"or serve has another OPS_LISTEN", address)
	}
	if err != nil {
		return fmt.Errorf("ask whether it is ready: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	if _, err := io.Copy(s.out, io.LimitReader(answer.Body, 4096)); err != nil {
		return fmt.Errorf("read whether it is ready: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return errReported
	}
	return nil
}

// localAddress returns the address on this machine of a server that listens at an address.
func localAddress(address string) (string, error) {
	if address == "" || address == opsOff {
		return "", errors.New("OPS_LISTEN is off: the bot does not report whether it is ready")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", errors.New("OPS_LISTEN is not an address: write one such as 127.0.0.1:8081")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}
