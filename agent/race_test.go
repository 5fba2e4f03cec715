//go:build race

// The race detector is on: it multiplies time and memory.

package agent_test

const raceEnabled = true
