//go:build !linux

// Systems where only a Pipe can tell what the peer has read.

package simnet

import "net"

const settles = false

func settle(net.Conn) {}
