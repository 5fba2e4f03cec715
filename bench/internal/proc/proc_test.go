// Starting, pinning, ending and reading processes, with the shell as subject.

package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shell starts a script and gives its first line of output.
func shell(t *testing.T, script string, core int) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := StartPinned(cmd, core); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }) // fails when the test has ended it
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

func TestLoad(t *testing.T) {
	read := func() (load float64) {
		text, err := os.ReadFile("/proc/loadavg")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(string(text), &load); err != nil {
			t.Fatal(err)
		}
		return load
	}
	before, got, after := read(), Load(), read() // it moves now and then
	if math.Abs(got-before) > 0.01 && math.Abs(got-after) > 0.01 {
		t.Errorf("%v, and /proc/loadavg has %v and %v", got, before, after)
	}
}

func TestEndReachesTheGroup(t *testing.T) {
	for _, script := range []string{
		"sleep 1000 & echo $!; wait",
		"trap '' TERM; (trap '' TERM; sleep 1000) & echo $!; wait; sleep 1000", // deaf to politeness
	} {
		cmd, line := shell(t, script, -1)
		grandchild, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		if tree := Tree(cmd.Process.Pid); len(tree) < 2 {
			t.Errorf("the tree is %v", tree)
		}
		End(cmd)
		deadline := time.Now().Add(5 * time.Second)
		for !Ended(grandchild) && time.Now().Before(deadline) {
			runtime.Gosched()
		}
		if !Ended(cmd.Process.Pid) || !Ended(grandchild) {
			t.Errorf("%q goes on", script)
		}
	}
}

func TestPinned(t *testing.T) {
	cmd, _ := shell(t, "echo up; sleep 1000", 0)
	defer End(cmd)
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(cmd.Process.Pid, &set); err != nil || set.Count() != 1 || !set.IsSet(0) {
		t.Errorf("it runs on %d cores, %v", set.Count(), err)
	}
	free, _ := shell(t, "echo up; sleep 1000", -1)
	defer End(free)
	if err := unix.SchedGetaffinity(free.Process.Pid, &set); err != nil || set.Count() != Cores() {
		t.Errorf("the next one runs on %d cores of %d, %v", set.Count(), Cores(), err)
	}
}

func TestAwaitObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	begun := time.Now()
	err := Await(ctx, exec.Command("sh", "-c", "sleep 1000"), -1)
	if !errors.Is(err, context.Canceled) || time.Since(begun) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
	if err := Await(t.Context(), exec.Command("sh", "-c", "exit 3"), -1); err == nil || !strings.Contains(err.Error(), "3") {
		t.Errorf("a program that fails: %v", err)
	}
}

func TestUsage(t *testing.T) {
	spent := func() time.Duration { // by this process, as the kernel tells itself
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	begun := spent()
	before, err := UsageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for at := spent(); spent() < at+100*time.Millisecond; {
	}
	after, err := UsageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	most := spent() - begun
	used := after.Sub(before)
	if used.CPU < 80*time.Millisecond || used.CPU > most+20*time.Millisecond || used.RSS < 1<<20 || used.Peak < used.RSS {
		t.Errorf("between 100 ms and %v of work: %+v", most, used)
	}
	if _, err := UsageOf(1 << 30); err == nil {
		t.Error("a process that is not there has used something")
	}
}

func TestAwaitListener(t *testing.T) {
	addr, err := FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	cmd, _ := shell(t, "echo up; sleep 1000", -1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := AwaitListener(ctx, cmd.Process.Pid, addr); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody listens: %v", err)
	}
	End(cmd)
	if err := AwaitListener(t.Context(), cmd.Process.Pid, addr); err == nil {
		t.Error("waits for a process that has ended")
	}
}
