// The progress line, on a real pseudo-terminal.

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal of the given width: what the program writes to tty can be read
// from screen.
func terminal(t *testing.T, columns uint16) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminal to be had: %v", err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	fd := int(screen.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skipf("no pseudo terminal to be had: %v", err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return screen, tty
}

// shown returns the terminal's last line after text was written, and the cursor's column.
func shown(text string) (line string, column int) {
	cells := []byte{}
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\r':
			column = 0
		case c == '\n':
			cells = cells[:0]
		default:
			for len(cells) <= column {
				cells = append(cells, ' ')
			}
			cells[column] = c
			column++
		}
	}
	return strings.TrimRight(string(cells), " "), column
}

func TestProgressLine(t *testing.T) {
	screen, tty := terminal(t, 40)
	p := newProgress(tty)
	if p == nil {
		t.Fatal("a terminal was not recognised")
	}
	pieces := make(chan string, 100) // the system may split the output as it likes
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := screen.Read(b)
			if err != nil {
				return
			}
			pieces <- string(b[:n])
		}
	}()
	written := ""
	shows := func(want string, cleared bool) {
		t.Helper()
		timer := time.NewTimer(10 * time.Second)
		defer timer.Stop()
		for {
			line, column := shown(written)
			if line == want && (column == 0 || !cleared) {
				return
			}
			select {
			case piece := <-pieces:
				written += piece
			case <-timer.C:
				t.Fatalf("the terminal shows %q, cursor in column %d, instead of %q", line, column, want)
			}
		}
	}
	for _, s := range []string{"a long line", "short", strings.Repeat("x", 100)} {
		p.put(s)
		shows(s[:min(len(s), 39)], false)
	}
	p.clear()
	shows("", true)
	if strings.Contains(written, "\n") {
		t.Errorf("a line was ended in %q", written)
	}
}

// figures counts the drawn lines that contain figures.
func figures(written string) (n int) {
	for line := range strings.SplitSeq(written, "\r") {
		var seconds, of float64
		var answers, rate int
		if k, _ := fmt.Sscanf(line, "%f s of %f s %d answers %d/s", &seconds, &of, &answers, &rate); k == 4 && answers > 0 && rate > 0 {
			n++
		}
	}
	return n
}

func TestProgressOfARun(t *testing.T) {
	screen, tty := terminal(t, 80)
	cmd := program("-c", "2", "-d", "1h", rawServer(t, alwaysSays(ok)))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // in case it draws nothing
	defer timer.Stop()
	_ = tty.Close() // so that the end of the program ends the reads from screen
	written, interrupted := "", false
	for b := make([]byte, 4096); ; {
		n, err := screen.Read(b)
		if written += string(b[:n]); err != nil {
			break
		}
		if figures(written) >= 2 && !interrupted {
			interrupted = true
			_ = cmd.Process.Signal(os.Interrupt)
		}
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !interrupted {
		t.Errorf("exit code %d, %d lines with figures in %q", code, figures(written), written)
	}
	if line, column := shown(written); line != "" || column != 0 {
		t.Errorf("%q is left on the terminal", line)
	}
	if !strings.Contains(out.String(), "requests/s") {
		t.Errorf("the report is missing: %q", &out)
	}
}

func TestNoProgressWithoutATerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if newProgress(w) != nil {
		t.Error("a pipe was taken for a terminal")
	}
	var none *progress
	if none.drawer(nil, nil) != nil {
		t.Error("nothing is drawn, and often")
	}
	none.clear()
}

func TestProgressText(t *testing.T) {
	for want, p := range map[string]*plan{
		"1.5 s of 5.0 s   100 answers   50/s":        {duration: 5 * time.Second},
		"1.5 s   100 of 200 answers   50/s":          {requests: 200},
		"1.5 s of 5.0 s   100 of 200 answers   50/s": {duration: 5 * time.Second, requests: 200},
	} {
		if got := progressLine(p, 1500*time.Millisecond, 100, 0, 50); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := progressLine(p, 1500*time.Millisecond, 100, 7, 50); got != want+"   7 errors" {
			t.Errorf("with errors: %q", got)
		}
	}
}
