//go:build unix

// Too few descriptors: the limit is raised if possible, otherwise there is one line of error.

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// underLimit runs the program under a limit of open files set by the shell.
func underLimit(t *testing.T, limit string, args ...string) (code int, stderr string) {
	t.Helper()
	script := "ulimit " + limit + ` && exec "$0" "$@"`
	cmd := exec.Command(simnet.Program(t, "sh"), append([]string{"-c", script, os.Args[0]}, args...)...)
	cmd.Env = append(os.Environ(), programEnv+"=1")
	var errs strings.Builder
	cmd.Stderr = &errs
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), errs.String()
}

func TestTooFewDescriptors(t *testing.T) {
	url := rawServer(t, alwaysSays(ok))
	code, stderr := underLimit(t, "-n 128", "-c", "200", "-n", "200", url)
	if code != exitUsage || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "and 128 are allowed") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	code, stderr = underLimit(t, "-n 128", "-c", "20", "-n", "200", url)
	if code != exitDone || stderr != "" {
		t.Errorf("with enough of them: exit code %d, stderr %q", code, stderr)
	}
	code, stderr = underLimit(t, "-S -n 128", "-c", "200", "-n", "200", url)
	if code != exitDone || stderr != "" {
		t.Errorf("with a soft limit that can be raised: exit code %d, stderr %q", code, stderr)
	}
}
