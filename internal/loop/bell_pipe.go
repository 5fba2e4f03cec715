//go:build (amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)

// The bell where there is no eventfd: a pipe.

package loop

import (
	"os"
	"syscall"
)

// bell is a pipe of the loop's own.
type bell struct {
	in, out *os.File
	raw     syscall.RawConn // of in
	ring    func(uintptr) bool
	rung    bool // ring was called in this visit
}

func (b *bell) open() (err error) {
	if b.in, b.out, err = os.Pipe(); err != nil {
		return err
	}
	if b.raw, err = b.in.SyscallConn(); err != nil {
		b.close()
		return err
	}
	var one [1]byte
	b.ring = func(fd uintptr) bool {
		if !b.rung { // only a byte written from here on is sure to end the wait
			b.rung = true
			_, err := b.out.Write(one[:])
			return err != nil
		}
		n, _ := syscall.Read(int(fd), one[:])
		return n > 0
	}
	return nil
}

func (b *bell) close() {
	if b.in != nil {
		_, _ = b.in.Close(), b.out.Close()
	}
}

// visit parks until the runtime's poller has been polled.
func (b *bell) visit() {
	b.rung = false
	_ = b.raw.Read(b.ring) // an error changes nothing: the byte is not used
}
