//go:build !linux && !((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Sleeping, where gale makes no raw system calls.

package sys

import "time"

// Sleep waits for ns nanoseconds.
func Sleep(ns int64) { time.Sleep(time.Duration(ns)) }
