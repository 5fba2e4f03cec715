// The resources used by a process and its descendants.

package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Usage is what a process and its descendants have used.
type Usage struct {
	CPU    time.Duration // on any core, since the start
	User   time.Duration // the part in user mode, at the coarser resolution of a tick
	Kernel time.Duration // the part in the kernel; likewise
	RSS    int64         // bytes resident now
	Peak   int64         // peak of the bytes resident, since the start
}

// tick is the unit of utime and stime in /proc/PID/stat: USER_HZ is 100.
const tick = 10 * time.Millisecond

// UsageOf reads the usage of the process and all of its descendants. CPU is the sum over
// the threads that exist: it does not include threads that have ended.
func UsageOf(pid int) (Usage, error) {
	var u Usage
	for _, p := range Tree(pid) {
		if err := u.add(p); err != nil && p == pid {
			return u, err
		}
	}
	return u, nil
}

func (u *Usage) add(pid int) error {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return err
	}
	fields := statFields(stat)
	if len(fields) < 13 {
		return fmt.Errorf("%s/stat is too short", dir)
	}
	u.User += time.Duration(number(fields[11])) * tick
	u.Kernel += time.Duration(number(fields[12])) * tick
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return err
	}
	u.RSS += statusBytes(status, "VmRSS:")
	u.Peak += statusBytes(status, "VmHWM:")
	tasks, err := filepath.Glob(dir + "/task/*/schedstat")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		line, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		if first, _, ok := bytes.Cut(line, []byte{' '}); ok {
			u.CPU += time.Duration(number(first))
		}
	}
	return nil
}

// ThreadCPU returns the CPU time of a thread of this process.
func ThreadCPU(tid int) (time.Duration, error) {
	line, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(tid) + "/schedstat")
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(line, []byte{' '})
	return time.Duration(number(first)), nil
}

// Sub returns what was used between two readings; sizes are those of the later one.
func (u Usage) Sub(before Usage) Usage {
	return Usage{u.CPU - before.CPU, u.User - before.User, u.Kernel - before.Kernel, u.RSS, u.Peak}
}

// Tree returns the ids of the process and its descendants.
func Tree(pid int) []int {
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return []int{pid}
	}
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		if fields := statFields(stat); len(fields) > 1 {
			parent := int(number(fields[1]))
			child := int(number([]byte(filepath.Base(filepath.Dir(name)))))
			children[parent] = append(children[parent], child)
		}
	}
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		pids = append(pids, children[pids[i]]...)
	}
	return pids
}

// statFields returns the fields of a stat line from the third (the state) on. The second
// is the program's name, which may contain blanks and parentheses.
func statFields(stat []byte) [][]byte {
	return bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
}

func stateOf(stat []byte) byte {
	if fields := statFields(stat); len(fields) > 0 {
		return fields[0][0]
	}
	return 0
}

func statusBytes(status []byte, key string) int64 {
	_, rest, ok := bytes.Cut(status, []byte(key))
	if !ok {
		return 0
	}
	words := bytes.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	return number(words[0]) << 10
}

// number parses a decimal number; anything else is 0.
func number(b []byte) int64 {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
