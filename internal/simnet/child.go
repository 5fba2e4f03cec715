// Servers that are processes of their own, such as the test's own program again: what is
// measured of it, or killed, is nobody else's.

package simnet

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Child is such a process, a server.
type Child struct {
	Addr string // what it has said on its first line
	PID  int
}

// Spawn starts the test's program with the given variables (name=value) added to its
// environment; TestMain is to see by them what it is to be. It has to say its address on its first
// line, and to end, well, when its standard input does, which is when the test ends.
func Spawn(t testing.TB, variables ...string) Child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variables...)
	return Start(t, cmd)
}

// Start starts a program that does the same: it says its address on its first line, and ends, well, when its
// standard input does.
func Start(t testing.TB, cmd *exec.Cmd) Child {
	t.Helper()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the child ended with %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child does not say its address: %v", err)
	}
	return Child{strings.TrimSpace(line), cmd.Process.Pid}
}
