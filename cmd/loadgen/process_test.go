// The program as a process: exit codes, output streams, signals, and the child that must never be
// left behind.

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestBadStartsExitWithTwo(t *testing.T) {
	for line, word := range badFlags {
		if strings.Contains(line, "\x00") {
			continue // a process argument cannot contain it
		}
		code, stdout, stderr := runProgram(t, strings.Split(line, " ")...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%q: exit code %d, on stdout %q", line, code, stdout)
		}
		if !strings.HasPrefix(stderr, "loadgen: ") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, word) {
			t.Errorf("%q: on stderr %q", line, stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	if code, stdout, stderr := runProgram(t, "-h"); code != exitDone || stdout != usageText || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestARunAsAProcess(t *testing.T) {
	url := rawServer(t, alwaysSays(ok))
	file := filepath.Join(t.TempDir(), "report.json")
	code, stdout, stderr := runProgram(t, "-c", "4", "-n", "100", "-json", file, url)
	if code != exitDone || stderr != "" || !strings.Contains(stdout, "statuses     200: 100\n") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	checkAnswers(t, written, 100)
	code, _, _ = runProgram(t, "-json", file, "http://127.0.0.1:1/")
	if kept, err := os.ReadFile(file); code != exitUsage || err != nil || string(kept) != string(written) {
		t.Errorf("exit code %d; without a run the old report has become %q, %v", code, kept, err)
	}
	if err := os.WriteFile(file, append(written, written...), 0o666); err != nil { // a longer one
		t.Fatal(err)
	}
	if code, _, stderr = runProgram(t, "-c", "4", "-n", "10", "-json", file, url); code != exitDone {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if written, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	checkAnswers(t, written, 10)
	code, stdout, _ = runProgram(t, "-c", "4", "-n", "100", "-json", "-", url)
	if code != exitDone {
		t.Errorf("exit code %d", code)
	}
	checkAnswers(t, []byte(stdout), 100)
}

func checkAnswers(t *testing.T, report []byte, want int64) {
	t.Helper()
	var d document
	if err := json.Unmarshal(report, &d); err != nil {
		t.Errorf("%v in %q", err, report)
	}
	if d.Answers != want || d.Client.User+d.Client.System <= 0 {
		t.Errorf("%d answers, client CPU %v", d.Answers, d.Client)
	}
}

func TestDeadTargetExitsWithOne(t *testing.T) {
	var served atomic.Int64
	m := newMortal(t, func(m *mortal, c net.Conn, r *bufio.Reader) {
		for !hungUp(r) {
			if served.Add(1) == 100 {
				go m.die()
			}
			_, _ = io.WriteString(c, ok)
		}
	})
	code, stdout, stderr := runProgram(t, "-c", "4", "-d", "1m", m.Addr().String())
	if code != exitFailed || stderr != "" || !strings.Contains(stdout, "The target died") || !strings.Contains(stdout, "connection refused: ") {
		t.Errorf("exit code %d, stderr %q, stdout\n%s", code, stderr, stdout)
	}
}

func TestInterruptedRunReports(t *testing.T) {
	busy := make(chan struct{})
	var once sync.Once
	url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
		for n := 0; !hungUp(r); n++ {
			if n == 100 {
				once.Do(func() { close(busy) })
			}
			_, _ = io.WriteString(c, ok)
		}
	})
	cmd := program("-c", "4", "-d", "1h", url)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-busy
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		_ = cmd.Process.Kill()
		t.Skipf("this platform cannot interrupt a process: %v", err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || errs.Len() > 0 || !strings.Contains(out.String(), "Interrupted.") {
		t.Errorf("exit code %d, stderr %q, stdout\n%s", code, &errs, &out)
	}
}

func TestEmbeddedServer(t *testing.T) {
	code, stdout, stderr := runProgram(t, "-c", "4", "-n", "1000", "-json", "-")
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	var d document
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatal(err)
	}
	if !d.Embedded || d.Answers != 1000 || d.Statuses["200"] != 1000 || len(d.Errors) > 0 {
		t.Errorf("%+v", d)
	}
	if d.Server == nil || d.Server.User+d.Server.System <= 0 || d.Server.PerRequest <= 0 {
		t.Errorf("the server's CPU time is missing: %+v", d.Server)
	}
}
