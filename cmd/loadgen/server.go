// The embedded server runs in a child process, a second copy of this program, so that its
// CPU time can be told apart. The two processes talk over the child's standard streams, a
// line at a time:
//
//	child:  url http://127.0.0.1:41235/     when it serves
//	parent: cpu
//	child:  cpu USER SYSTEM                  nanoseconds so far
//
// The child ends at the end of its input. The kernel closes that pipe however the parent
// dies, so no child is ever left behind.

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// serverEnv makes the program the child; its value is the number of loops.
	serverEnv = "GALE_LOADGEN_SERVER"

	serverWait = 10 * time.Second // for a line from the child
	serverEnd  = 2 * time.Second  // for the child to end by itself
)

// server is the parent's side.
type server struct {
	url   string
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string // closed when the child's output ends
}

// startServer starts the child and waits until it serves.
func startServer(loops string) (*server, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot start the embedded server: %w", err)
	}
	s := &server{cmd: exec.Command(exe), lines: make(chan string, 1)}
	s.cmd.Env = append(os.Environ(), serverEnv+"="+loops)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		s.in, err = s.cmd.StdinPipe()
	}
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot start the embedded server: %w", err)
	}
	go s.read(out)
	line, err := s.line()
	url, ok := strings.CutPrefix(line, "url ")
	if err == nil && !ok {
		err = errors.New(line)
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("cannot start the embedded server: %w", err)
	}
	s.url = url
	return s, nil
}

func (s *server) read(out io.Reader) {
	defer close(s.lines)
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		s.lines <- scanner.Text()
	}
}

func (s *server) line() (string, error) {
	timer := time.NewTimer(serverWait)
	defer timer.Stop()
	select {
	case line, ok := <-s.lines:
		if !ok {
			return "", errors.New("it ended")
		}
		return line, nil
	case <-timer.C:
		return "", errors.New("it does not answer")
	}
}

// cpu asks the child for its CPU time; ok is false when there is no answer. A nil server has
// none.
func (s *server) cpu() (t cpuTime, ok bool) {
	if s == nil {
		return t, false
	}
	if _, err := io.WriteString(s.in, "cpu\n"); err != nil {
		return t, false
	}
	line, err := s.line()
	if err != nil {
		return t, false
	}
	n, _ := fmt.Sscanf(line, "cpu %d %d", &t.user, &t.system)
	return t, n == 2
}

// stop ends the child in any case, if need be by killing it.
func (s *server) stop() {
	_ = s.in.Close()
	timer := time.AfterFunc(serverEnd, func() { _ = s.cmd.Process.Kill() })
	defer timer.Stop()
	for range s.lines { // Wait would close the pipe while it is being read
	}
	_ = s.cmd.Wait()
}

// serve is the child: it serves until its input ends. Signals from the terminal
// go to parent and child alike; the parent decides when the child is no longer
// needed.
func serve(loops string, in io.Reader, out, stderr io.Writer) int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	n, err := strconv.Atoi(loops)
	if err == nil {
		var url string
		if url, err = listen(n); err == nil {
			fmt.Fprintf(out, "url %s\n", url)
			answer(in, out)
			return exitDone
		}
	}
	fmt.Fprintf(stderr, "loadgen: embedded server: %v\n", err)
	return exitUsage
}

func answer(in io.Reader, out io.Writer) {
	for scanner := bufio.NewScanner(in); scanner.Scan(); {
		if scanner.Text() == "cpu" {
			used := processCPU()
			fmt.Fprintf(out, "cpu %d %d\n", used.user, used.system)
		}
	}
}
