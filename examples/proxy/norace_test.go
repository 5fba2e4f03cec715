//go:build !race

// The race detector is off.

package main

const raceEnabled = false
