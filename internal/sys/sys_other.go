//go:build !linux && !((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Where gale makes no system calls of its own. Groups are always portable here, so none of these is
// ever called: they exist so that the code above compiles everywhere.

package sys

import (
	"errors"
	"syscall"
)

// Readiness bits of a poller's event.
const (
	In = 1 << iota
	Out
	PeerGone
	Hup
	Err
)

// MapsIPv4 tells nothing here.
const MapsIPv4 = false

// StartListening fails.
func StartListening(fd, backlog int) error { return errors.ErrUnsupported }

// SetNonblock fails.
func SetNonblock(int) error { return errors.ErrUnsupported }

// CloseOnExec does nothing.
func CloseOnExec(int) {}

// Listen fails.
func Listen(addr Addr, _ Listening) (fds []int, at Addr, err error) {
	return nil, addr, errors.ErrUnsupported
}

// LocalAddr fails.
func LocalAddr(int) (Addr, error) { return Addr{}, errors.ErrUnsupported }

// PeerAddr fails.
func PeerAddr(int) (Addr, error) { return Addr{}, errors.ErrUnsupported }

// Accept fails.
func Accept(int) (int, Errno) { return -1, syscall.ENOSYS }

// ConnectFrom fails.
func ConnectFrom(from, addr Addr) (fd int, wait bool, err error) {
	return -1, false, errors.ErrUnsupported
}

// SocketError fails.
func SocketError(int) Errno { return syscall.ENOSYS }

// SetNoDelay does nothing.
func SetNoDelay(int) {}

// SetNagle does nothing.
func SetNagle(int, bool) {}

// SetKeepAlive does nothing.
func SetKeepAlive(int, bool, int) {}

// Recv fails.
func Recv(int, []byte) (int, Errno) { return 0, syscall.ENOSYS }

// Send fails.
func Send(int, []byte) (int, Errno) { return 0, syscall.ENOSYS }

// SendMore fails.
func SendMore(int, []byte) (int, Errno) { return 0, syscall.ENOSYS }

// SendThree fails.
func SendThree(int, []byte, []byte, []byte) (int, Errno) { return 0, syscall.ENOSYS }

// Shutdown fails.
func Shutdown(int, int) Errno { return syscall.ENOSYS }

// Close fails.
func Close(int) Errno { return syscall.ENOSYS }

// Dup fails.
func Dup(int) (int, error) { return -1, errors.ErrUnsupported }
