//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Sockets against the kernel: sharing an address, refusing to, and being told
// where one is.

package sys

import (
	"errors"
	"net/netip"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var loopback = Addr{IP: netip.MustParseAddrPort("127.0.0.1:0")}

// await returns when the descriptor is ready for what is asked.
func await(t *testing.T, fd int, events int16) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(fds, 5000)
		if n == 1 {
			return
		}
		if err != nil && err != unix.EINTR || n == 0 {
			t.Fatalf("waiting for a descriptor: %v", err)
		}
	}
}

// listenOn listens with as many sockets as the system spreads connections over, up
// to two.
func listenOn(t *testing.T, at Addr) (Addr, []int) {
	t.Helper()
	fds, got, err := Listen(at, Listening{Backlog: 8, Sockets: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(fds) })
	return got, fds
}

func TestListenFindsAnAddressInUse(t *testing.T) {
	at, fds := listenOn(t, loopback)
	if at.IP.Port() == 0 || at.IP.Addr() != loopback.IP.Addr() {
		t.Errorf("the address is %v", at.IP)
	}
	if want := 1 + min(shareOption, 1); len(fds) != want {
		t.Errorf("%d sockets listen, want %d", len(fds), want)
	}
	if fd, _, err := Probe(at); !errors.Is(err, syscall.EADDRINUSE) {
		Close(fd)
		t.Errorf("probing it: %v", err)
	}
	for sockets := range 3 {
		if again, _, err := Listen(at, Listening{Backlog: 8, Sockets: sockets + 1}); !errors.Is(err, syscall.EADDRINUSE) {
			closeAll(again)
			t.Errorf("listening with %d sockets where others do: %v", sockets+1, err)
		}
	}
}

func TestAcceptAndConnect(t *testing.T) {
	at, fds := listenOn(t, loopback)
	for _, fd := range fds {
		if n, e := Accept(fd); e != EAGAIN {
			t.Errorf("accepting nothing: %d, %v", n, e)
		}
	}
	client, wait, err := ConnectFrom(Addr{}, at)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(client)
	if wait {
		await(t, client, unix.POLLOUT)
	}
	if e := SocketError(client); e != 0 {
		t.Fatal(e)
	}
	conn := -1
	for conn < 0 { // the kernel has chosen one of the two
		for _, fd := range fds {
			if n, e := Accept(fd); e == 0 {
				conn = n
			}
		}
	}
	defer Close(conn)
	flags, _ := unix.FcntlInt(uintptr(conn), unix.F_GETFL, 0)
	cloexec, _ := unix.FcntlInt(uintptr(conn), unix.F_GETFD, 0)
	if flags&unix.O_NONBLOCK == 0 || cloexec&unix.FD_CLOEXEC == 0 {
		t.Errorf("an accepted socket has flags %x and %x", flags, cloexec)
	}
	SetNoDelay(conn)
	for _, fd := range []int{client, conn} {
		if on, _ := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); on == 0 {
			t.Error("Nagle's algorithm is on")
		}
	}
	peer, err := PeerAddr(conn)
	if err != nil {
		t.Fatal(err)
	}
	local, err := LocalAddr(client)
	if err != nil {
		t.Fatal(err)
	}
	if peer != local {
		t.Errorf("the peer of one end is %v, the other end is %v", peer, local)
	}
	if server, _ := PeerAddr(client); server != at {
		t.Errorf("the client is connected to %v, not to %v", server, at)
	}
}

func TestConnectIsRefused(t *testing.T) {
	probe, at, err := Probe(loopback) // bound, but nobody listens
	if err != nil {
		t.Fatal(err)
	}
	defer Close(probe)
	fd, wait, err := ConnectFrom(Addr{}, at)
	if err == nil {
		if wait {
			await(t, fd, unix.POLLOUT)
		}
		err = SocketError(fd)
		Close(fd)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("it ended with %v", err)
	}
	if e := SocketError(-1); e != syscall.EBADF {
		t.Errorf("the error of no socket is %v", e)
	}
}

func TestUnixSockets(t *testing.T) {
	at := Addr{Path: filepath.Join(t.TempDir(), "s")}
	_, fds := listenOn(t, at)
	if len(fds) != 1 {
		t.Fatalf("%d sockets listen on one path", len(fds))
	}
	fd := fds[0]
	if again, _, err := Listen(at, Listening{Backlog: 8, Sockets: 1}); !errors.Is(err, syscall.EADDRINUSE) {
		closeAll(again)
		t.Errorf("listening on a path in use: %v", err)
	}
	if got, err := LocalAddr(fd); got != at || err != nil {
		t.Errorf("it is at %v, %v", got, err)
	}
	client, wait, err := ConnectFrom(Addr{}, at)
	if client < 0 || err != nil || wait {
		t.Fatalf("connecting: %d, wait %v, %v", client, wait, err)
	}
	defer Close(client)
	conn, e := Accept(fd)
	if e != 0 {
		t.Fatal(e)
	}
	Close(conn)
	if _, _, err := ConnectFrom(Addr{}, Addr{Path: at.Path + "x"}); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("connecting to no path: %v", err)
	}
}

func TestDupIsASocketOfItsOwn(t *testing.T) {
	at, fds := listenOn(t, loopback)
	again, err := Dup(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	if got, err := LocalAddr(again); got != at || err != nil {
		t.Errorf("the copy is at %v, %v", got, err)
	}
	if e := Close(again); e != 0 {
		t.Error(e)
	}
	if _, err := LocalAddr(fds[0]); err != nil {
		t.Errorf("closing the copy closed the original: %v", err)
	}
	if _, err := Dup(-1); err == nil {
		t.Error("nothing was copied")
	}
	if _, err := LocalAddr(-1); err == nil {
		t.Error("nothing has an address")
	}
}

// Both families, or one of them, on an unspecified address.
func TestAnyAddress(t *testing.T) {
	any6 := Addr{IP: netip.MustParseAddrPort("[::]:0"), Any6: true}
	probe, got, err := Probe(any6)
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	if !got.Any6 {
		t.Error("the probe forgot that IPv4 is to be served too")
	}
	Close(probe)
	for _, both := range []bool{true, false} {
		at := got
		at.Any6 = both
		fds, _, err := Listen(at, Listening{Backlog: 8, Sockets: 1})
		if err != nil {
			t.Fatal(err)
		}
		client, wait, err := ConnectFrom(Addr{}, Addr{IP: netip.AddrPortFrom(loopback.IP.Addr(), at.IP.Port())})
		if err == nil {
			if wait {
				await(t, client, unix.POLLOUT)
			}
			if e := SocketError(client); e != 0 {
				err = e
			}
			Close(client)
		}
		if (err == nil) != both {
			t.Errorf("serving both families: %v, and over IPv4 it is reached with %v", both, err)
		}
		closeAll(fds)
	}
}

// The names of zones and back.
func TestZones(t *testing.T) {
	for _, zone := range []string{"lo", "7"} {
		id := zoneID(zone)
		if id == 0 {
			t.Skipf("there is no interface %s here", zone)
		}
		if zone == "7" && id != 7 {
			t.Errorf("zone 7 is %d", id)
		}
		if zone == "lo" && zoneName(id) != zone {
			t.Errorf("zone %s came back as %s", zone, zoneName(id))
		}
	}
	if zoneName(0) != "" || zoneID("nowhere at all") != 0 {
		t.Error("no zone is some zone")
	}
}
