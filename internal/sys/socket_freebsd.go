//go:build amd64 || arm64

// How FreeBSD shares an address.

package sys

import "golang.org/x/sys/unix"

const (
	shareOption = unix.SO_REUSEPORT_LB
	mayProbe    = false // a socket that is bound alone keeps all others away
	mapsIPv4    = true  // one socket can serve both families
)
