//go:build race

// The race detector is on: it multiplies time and memory.

package main

const raceEnabled = true
