// The bell that a loop rings itself, so that the runtime's poller wakes it at once (visit.go): an
// eventfd. Each addition makes an edge, so it need not be read.

package loop

import (
	"os"
	"syscall"

	"github.com/gale-http/gale/internal/sys"
)

type bell struct {
	file *os.File
	raw  syscall.RawConn
	ring func(uintptr) bool
	rung bool // in this visit
}

func (b *bell) open() error {
	fd, err := sys.Eventfd()
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	b.file = os.NewFile(uintptr(fd), "bell")
	if b.raw, err = b.file.SyscallConn(); err != nil {
		b.close()
		return err
	}
	b.ring = func(fd uintptr) bool {
		if b.rung {
			return true
		}
		b.rung = true // only an addition from here on is sure to end the wait
		return sys.EventfdAdd(int(fd)) != 0
	}
	return nil
}

func (b *bell) close() {
	if b.file != nil {
		_ = b.file.Close()
	}
}

// visit parks until the runtime's poller has been polled.
func (b *bell) visit() {
	b.rung = false
	_ = b.raw.Read(b.ring) // an error changes nothing: there is nothing to read
}
