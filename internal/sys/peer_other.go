//go:build !linux

// What the kernel knows of the peer, where it is not asked.

package sys

// PeerClosed cannot tell.
func PeerClosed(int) bool { return false }
