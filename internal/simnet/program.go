// Programs that are not ours.

package simnet

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns where a program is. Where it is missing the test is skipped, but in continuous
// integration it fails.
func Program(t testing.TB, name string) (path string) {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skipf("%s is not installed", name)
	}
	return path
}
