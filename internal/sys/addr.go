// Socket addresses, on every platform.

package sys

import (
	"io/fs"
	"net/netip"
)

// Addr is where a socket is bound or connects to: an IP address and port, or
// the path of a unix socket.
type Addr struct {
	IP   netip.AddrPort
	Path string // not empty: a unix socket; "@name" is in the abstract name space
	Any6 bool   // IP is the unspecified IPv6 address and IPv4 is to be served too
}

// Listening says how sockets listen.
type Listening struct {
	Backlog int
	Sockets int         // how many, where the system spreads connections among them
	Defer   bool        // report connections only once they have brought something, where the system can do that
	Mode    fs.FileMode // of a unix socket's file; 0 leaves it to the umask
}
