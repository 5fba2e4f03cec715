//go:build unix

// The limit of open files.

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// checkFileLimit checks that n files can be open at once. Package os has already raised the
// soft limit to the hard one at program start.
func checkFileLimit(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil // the limit is unknown; the first connection over it will fail
	}
	if n > uint64(limit.Cur) {
		return fmt.Errorf("that takes %d file descriptors and %d are allowed: see ulimit -Hn", n, limit.Cur)
	}
	return nil
}
