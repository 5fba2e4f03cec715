//go:build (amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)

// The descriptor that a loop signals itself, where there is no eventfd: a pipe.

package loop

import (
	"os"
	"syscall"
)

// selfWake is a pipe of the loop's own.
type selfWake struct {
	in, out   *os.File
	raw       syscall.RawConn // of in
	signal    func(uintptr) bool
	signalled bool // signal was called in this call of pollRuntime
}

func (b *selfWake) open() (err error) {
	if b.in, b.out, err = os.Pipe(); err != nil {
		return err
	}
	if b.raw, err = b.in.SyscallConn(); err != nil {
		b.close()
		return err
	}
	var one [1]byte
	b.signal = func(fd uintptr) bool {
		if !b.signalled { // only a byte written from here on is sure to end the wait
			b.signalled = true
			_, err := b.out.Write(one[:])
			return err != nil
		}
		n, _ := syscall.Read(int(fd), one[:])
		return n > 0
	}
	return nil
}

func (b *selfWake) close() {
	if b.in != nil {
		_, _ = b.in.Close(), b.out.Close()
	}
}

// pollRuntime parks until the runtime's poller has been polled.
func (b *selfWake) pollRuntime() {
	b.signalled = false
	_ = b.raw.Read(b.signal) // an error changes nothing: the byte is not used
}
