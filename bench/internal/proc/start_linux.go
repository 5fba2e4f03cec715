// Starting and ending processes.

package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// order is a request to the starter for a process.
type order struct {
	cmd  *exec.Cmd
	core int
	done chan error
}

// starter is the one thread that starts all processes. A child inherits the affinity of
// the thread that forks it, and is killed when that thread, not only its process, ends.
// The thread is therefore never released to the scheduler.
var starter = sync.OnceValue(func() chan<- order {
	orders := make(chan order)
	raiseDescriptors()
	go func() {
		runtime.LockOSThread()
		for o := range orders {
			o.done <- o.start()
		}
	}()
	return orders
})

// raiseDescriptors raises this program's limit on descriptors as far as permitted. Go does
// so, too, but restores the limit for children unless the program has set it itself.
func raiseDescriptors() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		limit.Cur = limit.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // a program that needs more will fail and say so
	}
}

func (o order) start() error {
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	set = before
	if o.core >= 0 {
		set.Zero()
		set.Set(o.core)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to core %d: %w", o.core, err)
	}
	err := o.cmd.Start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// StartPinned starts cmd so that all its threads run on the given core; -1 means any. The
// kernel kills it when this program dies. It leads a process group of its own, so that End
// reaches the processes it starts.
func StartPinned(cmd *exec.Cmd, core int) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	o := order{cmd, core, make(chan error, 1)}
	starter() <- o
	return <-o.done
}

// End stops a process that StartPinned started, and all of its group: with SIGTERM and,
// after a second, with SIGKILL. It waits until the process is gone.
func End(cmd *exec.Cmd) {
	if cmd.Process == nil {
		return
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its status does not matter: it was told to end
		close(gone)
	}()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // fails if it has ended
	select {
	case <-gone:
	case <-time.After(time.Second):
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // stragglers of the group
	<-gone
}

// Kill ends a process that StartPinned started, and all of its group, at once. The caller
// must wait for it.
func Kill(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // fails when it has ended
}

// FreeAddr returns a loopback address that is not in use at present.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// AwaitListener returns when addr accepts connections, or with an error when the process
// has ended or ctx is done.
func AwaitListener(ctx context.Context, pid int, addr string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return conn.Close()
		}
		if Ended(pid) {
			return errors.New("it ended before it listened")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not listen on %s: %w", addr, ctx.Err())
		case <-tick.C:
		}
	}
}

// Ended reports whether the process is gone or waits to be reaped.
func Ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || stateOf(stat) == 'Z'
}

// Await starts cmd as StartPinned does and waits for its end. When ctx is done
// first, it ends the process and returns ctx's error.
func Await(ctx context.Context, cmd *exec.Cmd, core int) error {
	if err := StartPinned(cmd, core); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		Kill(cmd)
	})
	defer stop()
	err := cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
