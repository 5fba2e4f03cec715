// The parked loop: a goroutine that waits in the runtime's poller for the gate
// to become readable, holding neither thread nor processor.

package main

import (
	"os"
	"syscall"
)

type waiter struct {
	file *os.File
	conn syscall.RawConn
}

// newWaiter hands the epoll set fd to the runtime's poller.
func newWaiter(fd int) (waiter, error) {
	if err := syscall.SetNonblock(fd, true); err != nil {
		return waiter{}, err
	}
	file := os.NewFile(uintptr(fd), "gate")
	conn, err := file.SyscallConn()
	return waiter{file, conn}, err
}

// wait returns once the set has an event. The first call of the callback says
// "not ready", which is what parks the goroutine.
func (w *waiter) wait() error {
	asked := false
	return w.conn.Read(func(uintptr) bool {
		ready := asked
		asked = true
		return ready
	})
}
