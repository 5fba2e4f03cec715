//go:build amd64

// Sockets on DragonFly.

package sys

const (
	keepIdle    = 0 // TCP probes: the system's settings hold for all sockets
	keepEvery   = 0
	shareOption = 0     // one socket for all
	mayProbe    = false // not needed, as nothing is shared
	mapsIPv4    = false // a socket serves one family: the unspecified address is that of IPv4, as in package net
)
