// Shared by all tests: the test binary as the program itself, servers with a given response, and
// checks for leaks.

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// programEnv makes the test binary the program, so that exit codes, streams and
// signals are those of a real process.
const programEnv = "GALE_LOADGEN_TEST_PROGRAM"

func TestMain(m *testing.M) {
	_, isServer := os.LookupEnv(serverEnv)
	if isServer || os.Getenv(programEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program returns the program with the given arguments, ready to be started.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), programEnv+"=1")
	return cmd
}

// runProgram runs it to its end.
func runProgram(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := program(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// eachDriver runs a test with gale's own poller and with package net.
func eachDriver(t *testing.T, test func(t *testing.T, portable bool)) {
	t.Run("poller", func(t *testing.T) { test(t, false) })
	t.Run("portable", func(t *testing.T) { test(t, true) })
}

// planOf returns the plan for a command line.
func planOf(t *testing.T, portable bool, args ...string) *plan {
	t.Helper()
	opt, err := parseFlags(args)
	if err != nil {
		t.Fatal(err)
	}
	p, err := opt.plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.portable = portable
	return p
}

// load runs a command line in this process, and checks for leaks.
func load(t *testing.T, portable bool, args ...string) *result {
	t.Helper()
	return loadUntil(t, t.Context(), portable, args...)
}

func loadUntil(t *testing.T, ctx context.Context, portable bool, args ...string) *result {
	t.Helper()
	p := planOf(t, portable, args...)
	runWarm(t)
	files := openFiles()
	res, err := measure(ctx, p, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	simnet.Eventually(t, "the run's descriptors to be closed", func() bool { return openFiles() <= files })
	simnet.Eventually(t, "the run's goroutines to end", func() bool { return runGoroutines() == 0 })
	return res
}

// runWarm makes the runtime open what it keeps for ever (its own epoll set), which would otherwise
// look like a leak.
var runWarm = func() func(t *testing.T) {
	var once sync.Once
	return func(t *testing.T) {
		once.Do(func() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_ = l.Close()
		})
	}
}()

// runGoroutines counts the goroutines of loops, coroutines and connections.
func runGoroutines() (n int) {
	var b bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(stack, "/internal/loop.") || strings.Contains(stack, "loadgen.(*conn)") || strings.Contains(stack, "iter.Pull") {
			n++
		}
	}
	return n
}

// rawServer calls serve for each connection, closes that afterwards, and returns the server's URL.
func rawServer(t *testing.T, serve func(c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			})
		}
	})
	return "http://" + l.Addr().String() + "/"
}

// hungUp reads a request and reports false when the client has gone.
func hungUp(r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return true
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err != nil
}

// alwaysSays serves every request with the same bytes.
func alwaysSays(answer string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, r *bufio.Reader) {
		for !hungUp(r) {
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	}
}

// saysOnce serves one request and closes.
func saysOnce(answer string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, r *bufio.Reader) {
		if !hungUp(r) {
			_, _ = io.WriteString(c, answer)
		}
	}
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// wantErrors checks that the errors of res are exactly these.
func wantErrors(t *testing.T, res *result, want map[kind]int64) {
	t.Helper()
	if len(res.errors) != len(want) {
		t.Errorf("errors: %v, want %v", res.errors, want)
		return
	}
	for k, n := range want {
		if res.errors[k] != n {
			t.Errorf("errors: %v, want %v", res.errors, want)
		}
	}
}
