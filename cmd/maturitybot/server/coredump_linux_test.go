package server

import (
	"syscall"
	"testing"
)

func TestCoreDumpsAreForbidden(t *testing.T) {
	if err := forbidCoreDumps(); err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("the limit of core dumps is %+v, %v", limit, err)
	}
}
