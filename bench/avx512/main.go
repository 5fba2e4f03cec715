// Command avx512 is the first and only process of the machine that the script run boots
// in an emulator. It runs /tests once for each line of /runs, which is a pattern for
// -test.run, prints each result on the console, and switches the machine off.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	err := start()
	if err == nil {
		err = runAll()
	}
	fmt.Println("verdict:", verdict(err))
	fmt.Println(strings.Repeat("\n", 4096)) // flush: the emulator passes the console on in blocks
	powerOff()
}

func verdict(err error) string {
	if err != nil {
		return err.Error()
	}
	return "passed"
}

// runAll runs every line of /runs, even after a failure, and returns the first failure.
func runAll() (failed error) {
	runs, err := os.ReadFile("/runs")
	if err != nil {
		return err
	}
	for _, pattern := range strings.Fields(string(runs)) {
		tests := exec.Command("/tests", "-test.v", "-test.run", pattern)
		tests.Dir, tests.Stdout, tests.Stderr = "/tmp", os.Stdout, os.Stdout
		if err := tests.Run(); err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", pattern, err)
		}
	}
	return failed
}
