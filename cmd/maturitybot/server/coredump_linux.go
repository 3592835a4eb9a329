package server

import (
	"fmt"
	"syscall"
)

// forbidCoreDumps switches core dumps off. A core dump would write the secrets of open surveys to a
// file when the process crashes.
func forbidCoreDumps() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("set the limit of core dumps: %w", err)
	}
	return nil
}
