// The embedded server's process, watched through /proc.

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// startEmbedded starts the program with an embedded server and returns it with the process number
// of the server, once both are running.
func startEmbedded(t *testing.T) (cmd *exec.Cmd, child int, out *bytes.Buffer) {
	t.Helper()
	out = new(bytes.Buffer)
	cmd = program("-c", "4", "-d", "1h")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	simnet.Eventually(t, "the server to run under load", func() bool {
		child = childOf(cmd.Process.Pid)
		return child != 0 && connections(child) >= 4
	})
	return cmd, child, out
}

// childOf returns a process whose parent is pid.
func childOf(pid int) int {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		var n int
		if _, err := fmt.Sscan(e.Name(), &n); err != nil {
			continue
		}
		if _, state, parent := stat(n); parent == pid && state != "Z" {
			return n
		}
	}
	return 0
}

// stat reads a process's name, state and parent.
func stat(pid int) (name, state string, parent int) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := strings.Cut(string(b), "(")
	if i := strings.LastIndex(rest, ") "); found && i >= 0 {
		name = rest[:i]
		_, _ = fmt.Sscan(rest[i+2:], &state, &parent)
	}
	return name, state, parent
}

// connections returns how many TCP connections over IPv4 a process has; listening sockets do not count.
func connections(pid int) (n int) {
	inode := make(map[string]bool)
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		to, _ := os.Readlink(dir + "/" + e.Name())
		if rest, ok := strings.CutPrefix(to, "socket:["); ok {
			inode[strings.TrimSuffix(rest, "]")] = true
		}
	}
	table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid))
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 9 && f[3] == "01" && inode[f[9]] { // TCP_ESTABLISHED
			n++
		}
	}
	return n
}

func gone(pid int) bool {
	_, state, _ := stat(pid)
	return state == "" || state == "Z"
}

func TestNoChildIsLeftOver(t *testing.T) {
	for name, end := range map[string]syscall.Signal{"interrupted": syscall.SIGINT, "terminated": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			cmd, child, out := startEmbedded(t)
			if err := cmd.Process.Signal(end); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if end != syscall.SIGKILL && (cmd.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(out.String(), "   server ")) {
				t.Errorf("exit code %d, stdout\n%s", cmd.ProcessState.ExitCode(), out)
			}
			simnet.Eventually(t, "the child to end", func() bool { return gone(child) })
		})
	}
}

func TestSignalsAreTheParentsBusiness(t *testing.T) {
	// A terminal interrupts parent and child alike; the child keeps serving until it is no
	// longer needed.
	cmd, child, out := startEmbedded(t)
	for range 3 {
		_ = syscall.Kill(child, syscall.SIGINT)
		_ = syscall.Kill(child, syscall.SIGTERM)
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(out.String(), "errors       none") {
		t.Errorf("exit code %d, stdout\n%s", cmd.ProcessState.ExitCode(), out)
	}
}

func TestChildThatDies(t *testing.T) {
	cmd, child, out := startEmbedded(t)
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(out.String(), "The target died") {
		t.Errorf("exit code %d, stdout\n%s", cmd.ProcessState.ExitCode(), out)
	}
}
