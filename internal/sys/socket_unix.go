//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Making, binding and connecting sockets.

package sys

import (
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// MapsIPv4 tells whether one socket can serve both families.
const MapsIPv4 = mapsIPv4

// Probe binds addr without sharing it and returns the socket, which does not listen, with the
// address it got. It fails when anyone listens there.
func Probe(addr Addr) (int, Addr, error) {
	fd, err := bound(addr, false)
	if err != nil || addr.Path != "" {
		return fd, addr, err
	}
	at, err := LocalAddr(fd)
	if err != nil {
		Close(fd)
		return -1, addr, err
	}
	at.Any6 = addr.Any6
	return fd, at, nil
}

// Listen returns how.Sockets non-blocking listening sockets on addr, among which the kernel spreads
// the connections, and the address they got. Where the kernel does not spread them, and for a unix
// socket, it returns one. It fails when anyone listens there already, even one who would share the
// address. Nagle's algorithm is off for accepted sockets, which inherit that.
func Listen(addr Addr, how Listening) (fds []int, at Addr, err error) {
	if addr.Any6 && !mapsIPv4 {
		addr = Addr{IP: netip.AddrPortFrom(netip.IPv4Unspecified(), addr.IP.Port())}
	}
	probe, at, err := Probe(addr)
	if err != nil {
		return nil, addr, err
	}
	if how.Sockets <= 1 || shareOption == 0 || addr.Path != "" {
		return listening([]int{probe}, at, how)
	}
	if mayProbe {
		defer Close(probe)
	} else {
		Close(probe)
	}
	for range how.Sockets {
		fd, err := bound(at, true)
		if err != nil {
			closeAll(fds)
			return nil, addr, err
		}
		fds = append(fds, fd)
	}
	return listening(fds, at, how)
}

// listening makes bound sockets listen, all of them or none.
func listening(fds []int, at Addr, how Listening) ([]int, Addr, error) {
	for _, fd := range fds {
		if err := listen(fd, at, how); err != nil {
			closeAll(fds)
			if named(at) {
				_ = os.Remove(at.Path)
			}
			return nil, at, err
		}
	}
	return fds, at, nil
}

// listen makes one socket listen, once all is set that must be set before the first connection.
func listen(fd int, at Addr, how Listening) error {
	switch {
	case at.Path == "":
		SetNoDelay(fd)
		if how.Defer {
			deferAccept(fd)
		}
	case named(at) && how.Mode != 0:
		if err := os.Chmod(at.Path, how.Mode); err != nil {
			return err
		}
	}
	return os.NewSyscallError("listen", unix.Listen(fd, how.Backlog))
}

// named reports whether the address has a file.
func named(at Addr) bool { return at.Path != "" && at.Path[0] != '@' }

// isListening reports whether the descriptor is a stream socket that listens. macOS and OpenBSD do
// not say (SO_ACCEPTCONN cannot be asked for there): it is false on them.
func isListening(fd int) bool {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_STREAM {
		return false
	}
	on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && on != 0
}

// StartListening makes a bound socket listen, if it does not yet.
func StartListening(fd, backlog int) error {
	if isListening(fd) {
		return nil
	}
	switch at, err := LocalAddr(fd); {
	case err != nil:
		return err
	case at.Path == "" && at.IP.Port() == 0: // listen would bind it to any free port
		return os.NewSyscallError("listen", unix.EINVAL)
	}
	return os.NewSyscallError("listen", unix.Listen(fd, backlog))
}

func closeAll(fds []int) {
	for _, fd := range fds {
		Close(fd)
	}
}

// bound returns a socket that is bound to addr, with share together with other sockets of this user
// that share it.
func bound(addr Addr, share bool) (int, error) {
	family, sa := sockaddr(addr)
	fd, err := newSocket(family)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if family != unix.AF_UNIX {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if share {
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, shareOption, 1)
		}
		if family == unix.AF_INET6 && err == nil {
			only := 1
			if addr.Any6 {
				only = 0
			}
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
		}
		if err != nil {
			Close(fd)
			return -1, os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, sa); err != nil {
		Close(fd)
		return -1, os.NewSyscallError("bind", err)
	}
	return fd, nil
}

func sockaddr(addr Addr) (int, unix.Sockaddr) {
	if addr.Path != "" {
		return unix.AF_UNIX, &unix.SockaddrUnix{Name: addr.Path}
	}
	ip := addr.IP.Addr()
	if ip.Is4() || ip.Is4In6() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(addr.IP.Port()), Addr: ip.Unmap().As4()}
	}
	sa := &unix.SockaddrInet6{Port: int(addr.IP.Port()), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		sa.ZoneId = zoneID(zone)
	}
	return unix.AF_INET6, sa
}

// LocalAddr returns the address the socket is bound to. It allocates.
func LocalAddr(fd int) (Addr, error) {
	sa, err := unix.Getsockname(fd)
	return fromSockaddr(sa), os.NewSyscallError("getsockname", err)
}

// PeerAddr returns the address the socket is connected to. It allocates.
func PeerAddr(fd int) (Addr, error) {
	sa, err := unix.Getpeername(fd)
	return fromSockaddr(sa), os.NewSyscallError("getpeername", err)
}

func fromSockaddr(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return Addr{IP: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *unix.SockaddrInet6:
		return Addr{IP: netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).WithZone(zoneName(sa.ZoneId)), uint16(sa.Port))}
	case *unix.SockaddrUnix:
		return Addr{Path: sa.Name}
	}
	return Addr{}
}

// ConnectFrom returns a socket on which a connection to addr has been started, from a local address
// whose port may be left open; the zero Addr leaves the choice to the system. wait reports that the
// connection is still under way, and that the socket becomes writable when its outcome is known.
func ConnectFrom(from, addr Addr) (fd int, wait bool, err error) {
	family, sa := sockaddr(addr)
	fd, err = newSocket(family)
	if err != nil {
		return -1, false, os.NewSyscallError("socket", err)
	}
	if family != unix.AF_UNIX {
		SetNoDelay(fd)
	}
	if from.IP.IsValid() {
		_, local := sockaddr(from)
		if err := unix.Bind(fd, local); err != nil {
			Close(fd)
			return -1, false, os.NewSyscallError("bind", err)
		}
	}
	err = unix.Connect(fd, sa)
	if err == nil || err == unix.EINPROGRESS {
		return fd, err != nil, nil
	}
	Close(fd)
	return -1, false, os.NewSyscallError("connect", err)
}

// SocketError returns and clears the socket's pending error.
func SocketError(fd int) Errno {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return unix.EBADF
	}
	return Errno(n)
}

// SetNoDelay turns Nagle's algorithm off; a socket that has none ignores it.
func SetNoDelay(fd int) { _ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) }

// SetNagle turns Nagle's algorithm on or off.
func SetNagle(fd int, on bool) {
	n := 1
	if on {
		n = 0
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, n)
}

// SetKeepAlive makes TCP probe the peer after so many seconds without traffic, and as often from
// then on, or not at all; a socket without probes ignores it.
func SetKeepAlive(fd int, on bool, seconds int) {
	if !on {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
		return
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	if keepIdle != 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, keepIdle, seconds)
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, keepEvery, seconds)
	}
}

// SetNonblock puts the descriptor into non-blocking mode.
func SetNonblock(fd int) error { return unix.SetNonblock(fd, true) }

// Dup returns a close-on-exec copy of the descriptor.
func Dup(fd int) (int, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		quiet(own)
	}
	return own, err
}

// CloseOnExec keeps programs that this one starts from inheriting the descriptor.
func CloseOnExec(fd int) { unix.CloseOnExec(fd) }
