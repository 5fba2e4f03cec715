//go:build amd64 || arm64

// Sockets on FreeBSD.

package sys

import "golang.org/x/sys/unix"

const (
	keepIdle    = unix.TCP_KEEPIDLE // TCP probes: the time before the first
	keepEvery   = unix.TCP_KEEPINTVL
	shareOption = unix.SO_REUSEPORT_LB
	mayProbe    = false // a socket that is bound alone keeps all others away
	mapsIPv4    = true  // one socket can serve both families
)
