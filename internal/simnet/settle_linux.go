// Waiting until the peer has read what was sent. A unix socket counts what is in flight as the
// sender's until the receiver has read it; TCP does so only until the peer's kernel has it, so
// there is nothing to wait for.

package simnet

import (
	"net"

	"golang.org/x/sys/unix"
)

// settles reports whether settle does anything for a unix socket.
const settles = true

func settle(c net.Conn) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return
	}
	Becomes(func() bool {
		left := 0
		err := raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		return err != nil || left == 0
	})
}
