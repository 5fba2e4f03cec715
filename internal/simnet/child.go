// Servers that are processes of their own, for instance the test program itself, started again.
// What is measured of such a process, or killed, belongs to nothing else.

package simnet

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Child is a server that is a process of its own.
type Child struct {
	Addr string // what the process has printed on its first line
	PID  int
}

// Spawn starts the test program again, with the given variables (name=value) added to its
// environment; TestMain must recognise by them what it is to be. The process must print its address
// on its first line, and exit with status 0 when its standard input ends, which is when the test
// does.
func Spawn(t testing.TB, variables ...string) Child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variables...)
	return Start(t, cmd)
}

// Start starts a program that does the same: it prints its address on its first line, and exits
// with status 0 when its standard input ends.
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
