//go:build !linux

// How long a socket has been quiet, where the system cannot tell.

package sys

// Quiet cannot tell.
func Quiet(int) (ms int64, known bool) { return 0, false }
