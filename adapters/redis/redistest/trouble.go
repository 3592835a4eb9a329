package redistest

import (
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
)

// Pause stops the server where it is, as a machine that swaps does, until the function that is returned is called.
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

// FillDisk makes every write of the server to a file fail, as on a full disk, until the function that is returned is called; or it
// says that this machine has no means for it. Servers that are to meet it are started after BearFullDisk.
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
			t.Error(err)
		}
	}, true
}

// BearFullDisk lets servers started from now on see a full disk as an error, and not end by the signal that a limit of files sends.
func BearFullDisk() { signal.Ignore(syscall.SIGXFSZ) }

// Running says whether the server's process has not ended.
func (s *Server) Running() bool {
	select {
	case <-s.ended:
		return false
	default:
		return s.cmd != nil
	}
}
