//go:build !race

package main

const racing = false

const slowdown = 1
