//go:build amd64

// How DragonFly shares an address.

package sys

const (
	keepIdle    = 0 // TCP probes begin after what the system says
	keepEvery   = 0
	shareOption = 0     // one socket for all
	mayProbe    = false // nor is any
	mapsIPv4    = false // a socket serves one family: all addresses are those of IPv4, as in package net
)
