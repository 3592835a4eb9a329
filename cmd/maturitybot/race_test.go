//go:build race

package main

// racing says that the race detector slows everything down.
const racing = true

// slowdown is how much longer a test waits for real processes than without the race detector.
const slowdown = 5
