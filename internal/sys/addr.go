// Socket addresses, on every platform.

package sys

import "net/netip"

// Addr is where a socket is bound or connects to: an IP address and port, or
// the path of a unix socket.
type Addr struct {
	IP   netip.AddrPort
	Path string // not empty: a unix socket; "@name" is in the abstract name space
	Any6 bool   // IP is the unspecified IPv6 address and IPv4 is to be served too
}
