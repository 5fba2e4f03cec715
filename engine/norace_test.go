//go:build !race

// The race detector is off.

package engine_test

const raceEnabled = false
