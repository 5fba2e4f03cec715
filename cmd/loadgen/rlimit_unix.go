//go:build unix

// The limit of open files.

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// checkFileLimit makes sure that n files can be open at once. Package os has
// raised the soft limit to the hard one when the program began.
func checkFileLimit(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil // no limit is known; the first connection over it will tell
	}
	if n > uint64(limit.Cur) {
		return fmt.Errorf("that takes %d file descriptors and %d are allowed: see ulimit -Hn", n, limit.Cur)
	}
	return nil
}
