// Programs that come from elsewhere.

package simnet

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns where a program is. When it is missing the test is skipped, or fails in
// continuous integration.
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
