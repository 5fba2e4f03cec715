// The package ends the process, so each test runs this binary again as a process, with the
// command line to be tested.

package cli

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	operands, ok := os.LookupEnv("CLI_TEST")
	if !ok {
		os.Exit(m.Run())
	}
	flag.CommandLine = flag.NewFlagSet("", flag.ExitOnError) // without those of package testing
	c := flag.Int("c", 1, "a number")
	d := flag.Duration("d", time.Second, "a time")
	Parse(operands)
	Least("c", *c, 1)
	Positive("d", *d)
	if flag.Arg(0) == "fail" {
		Fail(errors.New("because"))
	}
	os.Exit(7)
}

func TestCommandLines(t *testing.T) {
	for _, c := range []struct {
		operands, args string
		status         int
		says           string // on standard error, or output when it ends with 0
	}{
		{"", "", 7, ""},
		{"", "-c 2 -d 3s", 7, ""},
		{"", "-x", 2, "not defined: -x"},
		{"", "-c", 2, "needs an argument"},
		{"", "-c two", 2, `"two"`},
		{"", "-c 0", 2, "-c 0: want at least 1"},
		{"", "-d 0s", 2, "-d 0s: want a time above 0"},
		{"", "more", 2, `unexpected argument "more"`},
		{"FILE", "", 2, "usage: cli.test [flags] FILE"},
		{"FILE", "one", 7, ""},
		{"FILE", "fail", 2, "cli.test: because"},
		{"FILE", "-h", 0, "[flags] FILE"},
		{"", "-help", 0, "a number"},
	} {
		cmd := exec.Command(os.Args[0], strings.Fields(c.args)...)
		cmd.Env = append(os.Environ(), "CLI_TEST="+c.operands)
		var out, complaint strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &complaint
		_ = cmd.Run() // its status is looked at
		if code := cmd.ProcessState.ExitCode(); code != c.status {
			t.Errorf("%q: ended with %d, want %d", c.args, code, c.status)
		}
		text, other := complaint.String(), out.String()
		if c.status == 0 {
			text, other = other, text
		}
		lines := strings.Count(text, "\n")
		if !strings.Contains(text, c.says) || other != "" || c.status == 2 && lines != 1 || c.status == 7 && lines != 0 {
			t.Errorf("%q: %q, and elsewhere %q", c.args, text, other)
		}
	}
}
