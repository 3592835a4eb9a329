package redistest

import (
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Pause suspends the server, as on a machine that swaps, until the returned function is called.
func (s *Server) Pause(t testing.TB) (resume func()) {
	t.Helper()
	p := s.cmd.Process
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := p.Signal(syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}
}

// FillDisk makes every write of the server to a file fail, as on a full disk, until the returned
// function is called. ok is false when the machine has no prlimit. The server must be started after
// BearFullDisk.
func (s *Server) FillDisk(t testing.TB) (empty func(), ok bool) {
	t.Helper()
	limit := func(size string) error {
		return exec.Command("prlimit", "--pid", strconv.Itoa(s.cmd.Process.Pid), "--fsize="+size+":").Run()
	}
	if err := limit("0"); err != nil {
		t.Logf("NO FULL DISK: prlimit: %v", err)
		return nil, false
	}
	return func() {
		if err := limit("unlimited"); err != nil {
			select {
			case <-s.ended: // it could not write, and ended meanwhile
			case <-time.After(time.Second):
				t.Error(err)
			}
		}
	}, true
}

// BearFullDisk lets servers that are started later see a full disk as an error, instead of being
// ended by the signal for a file size limit.
func BearFullDisk() { signal.Ignore(syscall.SIGXFSZ) }

// Running reports whether the server's process is running.
func (s *Server) Running() bool {
	select {
	case <-s.ended:
		return false
	default:
		return s.cmd != nil
	}
}
