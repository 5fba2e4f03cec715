//go:build !linux

// What the kernel knows about the peer, on systems where it is not asked.

package sys

// PeerClosed cannot tell.
func PeerClosed(int) bool { return false }
