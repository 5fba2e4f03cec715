//go:build !linux && !((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Serving where every stream is over a net.Conn.

package loop

import (
	"net"
	"testing"
)

func serve(t *testing.T, g *Group, fn func(*Stream)) net.Conn { return serveConn(t, g, fn) }
