// What only Linux tells: open descriptors, and the memory of a process.

package engine_test

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gale-http/gale/engine"
)

// havePoller tells whether servers have event loops here.
const havePoller = true

// openDescriptors counts the open descriptors of this process.
func openDescriptors() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// mayOpen returns how many descriptors this process may have.
func mayOpen() uint64 {
	var limit unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return limit.Cur
}

// memory returns a process's resident set in bytes: now, and at its largest.
func memory(pid int) (now, peak int64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kib << 10
		case "VmHWM":
			peak = kib << 10
		}
	}
	return now, peak, lines.Err()
}

// serveFewDescriptors is the child that may open few descriptors only.
func serveFewDescriptors() {
	few := unix.Rlimit{Cur: fewDescriptors, Max: fewDescriptors}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	serveChild(&engine.Server{})
}
