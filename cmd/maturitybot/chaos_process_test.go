package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	osexec "os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"maturitybot/adapters/redis/redistest"
)

// chaosProcess runs serve as a process of the chaos test, configured by its environment, and reaches every platform
// at one address. It returns the exit code.
func chaosProcess() int {
	var c serveCommand
	parser, err := kong.New(&c)
	if err == nil {
		_, err = parser.Parse(nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	to := os.Getenv(chaosDial)
	c.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", to)
	}
	c.now = fileClock(os.Getenv(chaosClock))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := c.Run(ctx, system{env: os.Getenv, out: os.Stdout, err: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// fileClock returns a clock that is ahead of the machine's by what a file says. It reads the file
// every 20 milliseconds at most: a bot looks at its clock thousands of times a second.
func fileClock(path string) func() time.Time {
	var mu sync.Mutex
	var read time.Time
	var ahead time.Duration
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.Sub(read) > 20*time.Millisecond {
			var err error
			if ahead, err = aheadIn(path); err != nil {
				panic(err)
			}
			read = now
		}
		return now.Add(ahead)
	}
}

// aheadIn reads how far a clock is ahead of the machine's.
func aheadIn(path string) (time.Duration, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(string(raw))
}

// setAhead puts the clock of all processes ahead of the machine's.
func (s *chaos) setAhead(ahead time.Duration) {
	s.t.Helper()
	next := s.clock + ".next"
	err := os.WriteFile(next, []byte(ahead.String()), 0o600)
	if err == nil {
		err = os.Rename(next, s.clock) // a process may be reading it
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// replica is a process of the bot, started again whenever it ends, as a service manager would.
type replica struct {
	address string // where it takes requests
	ops     string // where it tells how it is
	end     func() // ends it as a service manager does, for good
	mu      sync.Mutex
	process *os.Process
}

// awaitReady waits until every replica serves.
func (s *chaos) awaitReady() {
	s.t.Helper()
	for _, r := range s.replicas {
		s.waitUntil("a replica is ready", func() bool {
			answer, err := http.Get("http://" + r.ops + "/readyz")
			if err != nil {
				return false
			}
			_ = answer.Body.Close() // only the status was asked for
			return answer.StatusCode == http.StatusOK
		})
	}
}

// killAll ends every replica as kill -9 does.
func (s *chaos) killAll() {
	for _, r := range s.replicas {
		r.kill()
	}
}

// bridge lets another process reach the platform.
func bridge(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // it has served
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = near.Close() }()
				far, err := dial(context.Background(), "tcp", "platform:443")
				if err != nil {
					return
				}
				go func() {
					_, _ = io.Copy(far, near) // until one of them ends
					_ = far.Close()
				}()
				_, _ = io.Copy(near, far)
			}()
		}
	}()
	return l.Addr().String()
}

// start starts a replica.
func (s *chaos) start() *replica {
	s.t.Helper()
	r := &replica{address: redistest.FreeAddr(s.t), ops: redistest.FreeAddr(s.t)}
	env := append(os.Environ(), append(s.scenario.env, chaosDial+"="+s.bridge, chaosClock+"="+s.clock, "REDIS_URL=redis://"+s.proxy.Addr, "LISTEN="+r.address,
		"OPS_LISTEN="+r.ops, "LOG_FORMAT=json")...)
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	ending := false // with r.mu
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			cmd := osexec.Command(os.Args[0])
			cmd.Env, cmd.Stdout, cmd.Stderr = env, &s.log, &s.log
			r.mu.Lock()
			if ending {
				r.mu.Unlock()
				return
			}
			err := cmd.Start()
			r.process = cmd.Process
			r.mu.Unlock()
			if err != nil {
				s.t.Error(err)
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait() // killed, or it could not go on
			stop()
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}()
	s.t.Cleanup(func() {
		end()
		<-ended
	})
	r.end = func() {
		r.mu.Lock()
		last := r.process
		ending = true
		r.mu.Unlock()
		_ = last.Signal(syscall.SIGTERM) // it may have ended by itself
		select {
		case <-ended:
		case <-time.After(slowdown * 30 * time.Second):
			s.t.Error("a process does not end when it is told to")
		}
	}
	return r
}

// kill ends the process as kill -9 does.
func (r *replica) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process != nil {
		_ = r.process.Kill() // it may have ended by itself
	}
}
