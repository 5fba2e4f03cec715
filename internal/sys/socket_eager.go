//go:build (amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)

// Where the system reports connections as soon as they are there.

package sys

func deferAccept(int) {}
