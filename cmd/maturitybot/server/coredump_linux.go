package server

import (
	"fmt"
	"syscall"
)

// forbidCoreDumps keeps the memory of the process, with the secrets of open surveys in it, from being written to a
// file when it crashes.
func forbidCoreDumps() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("set the limit of core dumps: %w", err)
	}
	return nil
}
