//go:build (amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)

// Systems that report connections as soon as they are there.

package sys

func deferAccept(int) {}
