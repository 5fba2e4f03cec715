//go:build !linux && !((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Resets, where there are no loops.

package sys

// ResetOnClose does nothing.
func ResetOnClose(int) {}

// Reset does nothing.
func Reset(int) {}
