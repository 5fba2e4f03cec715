// Taking plain sockets over from package net.

package agent

import (
	"errors"
	"net"
	"syscall"

	"github.com/gale-http/gale/internal/sys"
)

// descriptorOf returns a duplicate of the descriptor of a socket of package net, and fails
// for any other connection.
func descriptorOf(c net.Conn) (int, error) {
	var plain syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		plain = c
	case *net.UnixConn:
		plain = c
	default:
		return -1, errors.ErrUnsupported
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return -1, err
	}
	own := -1
	if e := raw.Control(func(fd uintptr) { own, err = sys.Dup(int(fd)) }); e != nil {
		return -1, e
	}
	return own, err
}
