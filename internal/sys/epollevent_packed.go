//go:build linux && (amd64 || 386)

// struct epoll_event where the kernel packs it.

package sys

// EpollEvent is struct epoll_event: readiness bits, and the 64 bits that were
// registered with the descriptor, in two halves.
type EpollEvent struct {
	Events uint32
	Lo, Hi uint32
}
