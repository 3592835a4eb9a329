//go:build !linux

package server

// forbidCoreDumps does nothing, because each system has its own way to switch core dumps off.
func forbidCoreDumps() error { return nil }
