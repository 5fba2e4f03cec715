// A descriptor that a loop signals itself, so that the runtime's poller wakes it at once
// (runtimepoll.go): an eventfd. Each addition makes an edge, so it need not be read.

package loop

import (
	"os"
	"syscall"

	"github.com/gale-http/gale/internal/sys"
)

type selfWake struct {
	file      *os.File
	raw       syscall.RawConn
	signal    func(uintptr) bool
	signalled bool // in this call of pollRuntime
}

func (b *selfWake) open() error {
	fd, err := sys.Eventfd()
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	b.file = os.NewFile(uintptr(fd), "selfwake")
	if b.raw, err = b.file.SyscallConn(); err != nil {
		b.close()
		return err
	}
	b.signal = func(fd uintptr) bool {
		if b.signalled {
			return true
		}
		b.signalled = true // only an addition from here on is sure to end the wait
		return sys.EventfdAdd(int(fd)) != 0
	}
	return nil
}

func (b *selfWake) close() {
	if b.file != nil {
		_ = b.file.Close()
	}
}

// pollRuntime parks until the runtime's poller has been polled.
func (b *selfWake) pollRuntime() {
	b.signalled = false
	_ = b.raw.Read(b.signal) // an error changes nothing: there is nothing to read
}
