// The program as a process: whatever ends it, none of the processes it started is left.

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/work"
	"github.com/gale-http/gale/internal/simnet"
)

// commandOf names the program behind a process.
func commandOf(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// startCompare starts the program, and waits until it has started one called name, and
// that one is traced or not.
func startCompare(t *testing.T, name string, traced bool, args ...string) (cmd *exec.Cmd, temp string, tree []int) {
	t.Helper()
	temp = t.TempDir()
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "COMPARE_MAIN=1", "TMPDIR="+temp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // fails when all is well
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond) // sleep: nothing tells that a child of a child runs
		if proc.Ended(cmd.Process.Pid) {
			t.Fatalf("it ended by itself: %v", cmd.Wait())
		}
		tree = proc.Tree(cmd.Process.Pid)
		if slices.ContainsFunc(tree, func(pid int) bool { return commandOf(pid) == name && isTraced(pid) == traced }) {
			return cmd, temp, tree
		}
	}
	t.Fatalf("it never started %s", name)
	return nil, "", nil
}

func isTraced(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "TracerPid:\t0\n")
}

// checkGone checks that all processes of the tree end soon.
func checkGone(t *testing.T, tree []int) {
	t.Helper()
	for _, pid := range tree {
		if !simnet.Becomes(func() bool { return proc.Ended(pid) }) {
			t.Errorf("%s, process %d, is left", commandOf(pid), pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func TestInterruptLeavesNothing(t *testing.T) {
	hour := "-d=1h"
	for what, c := range map[string]struct {
		wait   string
		traced bool
		args   []string
	}{
		"under load":    {"loadgen", false, []string{"-workloads", "hello", "-peers", "floor", "-steps", "none", hour}},
		"while stepped": {"floor", true, []string{"-workloads", "hello", "-peers", "floor", "-d", "100ms", "-rounds", "1", "-pairs", "1000000"}},
		"clients":       {"loadgen", false, []string{"-clients", hour}},
	} {
		t.Run(what, func(t *testing.T) {
			cmd, temp, tree := startCompare(t, c.wait, c.traced, c.args...)
			if len(tree) < 2 {
				t.Fatalf("the tree is %v", tree)
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 2 {
				t.Errorf("exit status %d", code)
			}
			checkGone(t, tree)
			left, err := os.ReadDir(temp)
			if err != nil || len(left) > 0 {
				t.Errorf("files are left: %v, %v", left, err)
			}
		})
	}
}

// If it is killed, it cannot end its processes itself: the kernel does.
func TestKillLeavesNothing(t *testing.T) {
	cmd, _, tree := startCompare(t, "loadgen", false, "-workloads", "hello", "-peers", "floor", "-steps", "none", "-d", "1h")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	checkGone(t, tree)
}

// A peer that crashes may leave behind the processes that it started.
func TestCrashOfAPeerLeavesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	s := testSession(t, testDriver{}, "gale", "dies")
	s.peers = append(s.peers, &peerKind{name: "parent", cannot: func(*work.Workload) string { return "" },
		command: func(_ *site, o launch, _ string) ([]string, error) {
			script := fmt.Sprintf(`sleep 1000 & echo $! >%s; COMPARE_PEER=dies COMPARE_ADDR=%s %s; exit 1`, file, o.addr, os.Args[0])
			return []string{"sh", "-c", script}, nil
		}})
	rep, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, void := range []bool{false, true, true} {
		if r := rep.Tables[0].Rows[i]; (r.Void != "") != void {
			t.Errorf("%s: %q", r.Peer, r.Void)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	checkGone(t, []int{pid})
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("a child is left: %d, %v", pid, err)
	}
}
