//go:build !race

// The race detector is off.

package agent_test

const raceEnabled = false
