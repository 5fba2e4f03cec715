//go:build race

// The race detector is on: it multiplies time and memory.

package engine_test

const raceEnabled = true
