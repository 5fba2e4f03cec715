//go:build unix

// What Unix tells and bounds: how many descriptors a process may have.

package engine_test

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gale-http/gale/engine"
)

// mayOpen returns how many descriptors this process may have.
func mayOpen() uint64 {
	var limit unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur)
}

// serveFewDescriptors is the child that may open few descriptors only.
func serveFewDescriptors() {
	few := unix.Rlimit{Cur: fewDescriptors, Max: fewDescriptors}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	serveChild(&engine.Server{Loops: 2}) // each has descriptors of its own
}
