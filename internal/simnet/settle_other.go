//go:build !linux

// Where no transport but a Pipe can tell what the peer has read.

package simnet

import "net"

const settles = false

func settle(net.Conn) {}
