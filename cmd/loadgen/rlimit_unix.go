//go:build unix

// The limit of open files.

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// raiseFileLimit makes sure that n files can be open at once: up to the hard
// limit it takes the liberty.
func raiseFileLimit(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil // no limit is known; the first connection over it will tell
	}
	if n <= uint64(limit.Cur) {
		return nil
	}
	raised := limit
	raised.Cur = limit.Max
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
		limit = raised
	}
	if n > uint64(limit.Cur) {
		return fmt.Errorf("that takes %d file descriptors and %d are allowed: see ulimit -Hn", n, limit.Cur)
	}
	return nil
}
