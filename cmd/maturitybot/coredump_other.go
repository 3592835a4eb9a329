//go:build !linux

package main

// forbidCoreDumps does nothing: what there is to do differs between systems.
func forbidCoreDumps() error { return nil }
