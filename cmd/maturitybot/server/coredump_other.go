//go:build !linux

package server

// forbidCoreDumps does nothing: what there is to do differs between systems.
func forbidCoreDumps() error { return nil }
