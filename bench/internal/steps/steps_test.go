//go:build linux && amd64

// The counter against a program whose instructions are known one by one, and
// against a Go program with threads, signals and a collector.

package steps

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/internal/simnet"
)

const turn = 2020 // instructions that testdata/known.s executes for each byte

// child is a process that answers on its standard output.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := proc.StartPinned(cmd, 0); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, in, bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails when it has ended already
		_ = cmd.Wait()         // reports the kill
	})
	return c
}

func TestMain(m *testing.M) {
	if os.Getenv("STEPS_HELPER") != "" {
		helper()
		return
	}
	os.Exit(m.Run())
}

// known starts the assembled program.
func known(t *testing.T) *child {
	t.Helper()
	gcc := simnet.Program(t, "gcc")
	program := filepath.Join(t.TempDir(), "known")
	if out, err := exec.Command(gcc, "-nostdlib", "-static", "-o", program, "testdata/known.s").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return start(t, exec.Command(program))
}

// answer sends one byte and takes the same one back.
func (c *child) answer(t *testing.T) {
	t.Helper()
	if _, err := c.in.Write([]byte{'x'}); err != nil {
		t.Fatal(err)
	}
	if b, err := c.out.ReadByte(); err != nil || b != 'x' {
		t.Fatalf("answered %q, %v", b, err)
	}
}

// rest waits until the process sleeps in read(0, …).
func (c *child) rest(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		dir := "/proc/" + strconv.Itoa(c.cmd.Process.Pid)
		call, err := os.ReadFile(dir + "/syscall")
		if err != nil {
			t.Fatal(err)
		}
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(call), "0 0x0 ") && strings.Contains(string(stat), ") S ") {
			return
		}
		runtime.Gosched()
	}
	t.Fatal("the program does not come to rest")
}

func attach(t *testing.T, pid int) *Counter {
	t.Helper()
	c, err := Attach(pid, Options{HoldSleepers: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKnownProgram(t *testing.T) {
	p := known(t)
	p.answer(t)
	p.rest(t)
	c := attach(t, p.cmd.Process.Pid)
	for i := uint64(1); i <= 5; i++ {
		p.answer(t)
		p.rest(t)
		if got := c.Count(); got != i*turn {
			t.Errorf("after %d turns %d instructions, want %d", i, got, i*turn)
		}
	}
	result, err := c.Detach()
	if err != nil || result.Instructions != 5*turn || len(result.Threads) != 1 || len(result.Signals) != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	p.answer(t) // it goes on untraced
	if got := c.Count(); got != 5*turn {
		t.Errorf("counts on after Detach: %d", got)
	}
}

func TestAttachAgain(t *testing.T) {
	p := known(t)
	for range 3 {
		p.rest(t)
		c := attach(t, p.cmd.Process.Pid)
		p.answer(t)
		p.rest(t)
		if result, err := c.Detach(); err != nil || result.Instructions != turn {
			t.Errorf("%+v, %v", result, err)
		}
	}
}

func TestHandler(t *testing.T) {
	p := known(t)
	p.answer(t)
	p.rest(t)
	c := attach(t, p.cmd.Process.Pid)
	p.rest(t) // in the read again, which the signal breaks off
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	p.rest(t)
	p.answer(t)
	p.rest(t)
	result, err := c.Detach()
	if err != nil || result.Instructions != turn+3+1 || result.Signals[syscall.SIGUSR1] != 1 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestStopAndContinue(t *testing.T) {
	p := known(t)
	p.rest(t)
	c := attach(t, p.cmd.Process.Pid)
	pid := p.cmd.Process.Pid
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatal(err)
		}
	}
	p.answer(t)
	p.rest(t)
	result, err := c.Detach()
	// A signal may interrupt the read, which is then executed again.
	if over := result.Instructions - turn; err != nil || over > 4 {
		t.Errorf("%d instructions too many, %v", over, err)
	}
}

func TestProcessEnds(t *testing.T) {
	p := known(t)
	p.rest(t)
	c := attach(t, p.cmd.Process.Pid)
	if err := p.in.Close(); err != nil {
		t.Fatal(err)
	}
	<-c.gone
	if result, err := c.Detach(); err != nil || result.Instructions != 6 { // the read's return, the flags, test 2, exit 2; the call that ends it does not return
		t.Errorf("%+v, %v", result, err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestNoSuchProcess(t *testing.T) {
	p := known(t)
	pid := p.cmd.Process.Pid
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // reports the kill
	if _, err := Attach(pid, Options{}); err == nil {
		t.Error("attached to a process that has ended")
	}
}

// TestGoProgram steps a program of several threads, born before and after, that
// sends itself signals; it must not notice, and its monitor must come to rest.
func TestGoProgram(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STEPS_HELPER=1", "GOMAXPROCS=2")
	p := start(t, cmd)
	ask := func(n int) {
		t.Helper()
		if _, err := fmt.Fprintln(p.in, n); err != nil {
			t.Fatal(err)
		}
		line, err := p.out.ReadString('\n')
		if want := strconv.Itoa(n*n) + "\n"; err != nil || line != want {
			t.Fatalf("%d squared is %q, %v (ended: %v)", n, line, err, cmd.Wait())
		}
	}
	ask(3)
	c := attach(t, cmd.Process.Pid)
	ask(1)
	c.HoldMonitor()
	ask(2)
	result, err := c.Detach()
	if err != nil {
		t.Fatal(err)
	}
	sum := uint64(0)
	for _, n := range result.Threads {
		sum += n
	}
	if sum != result.Instructions || sum == 0 || len(result.Threads) < 3 || result.Signals[syscall.SIGUSR1] == 0 {
		t.Errorf("%+v", result)
	}
	ask(12)
}

// TestSlowClock compares a Go program's idea of time with the real one, and the
// instructions of its clock readings, answered by the tracer, with those of
// readings that are let run.
func TestSlowClock(t *testing.T) {
	counts := map[bool]uint64{}
	for _, slow := range []bool{false, true} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "STEPS_HELPER=clock", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
		p := start(t, cmd)
		ask := func() (spent time.Duration) {
			t.Helper()
			if _, err := fmt.Fprintln(p.in, 1); err != nil {
				t.Fatal(err)
			}
			line, err := p.out.ReadString('\n')
			nanos, numErr := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
			if err != nil || numErr != nil {
				t.Fatalf("%q, %v", line, err)
			}
			return time.Duration(nanos)
		}
		ask()
		c, err := Attach(cmd.Process.Pid, Options{HoldSleepers: true, SlowClock: slow})
		if err != nil {
			t.Fatal(err)
		}
		ask()
		c.HoldMonitor()
		before, begun := c.Count(), time.Now()
		spent, real := ask(), time.Since(begun)
		counts[slow] = c.Count() - before
		if _, err := c.Detach(); err != nil {
			t.Fatal(err)
		}
		if spent <= 0 || spent > real || slow && spent > time.Duration(counts[slow])*stepNanos {
			t.Errorf("slow is %v: it says %v, and %v have passed in %d instructions", slow, spent, real, counts[slow])
		}
	}
	// 6 000 of them are in the clock; what the scheduler does differs by 1 000 or 2 000.
	if a, b := counts[false], counts[true]; a*100 < b*80 || b*100 < a*80 {
		t.Errorf("%d instructions by the real clock, %d by the slow one", a, b)
	}
}

// helper is that program: this binary, started again.
func helper() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if os.Getenv("STEPS_HELPER") == "clock" {
			begun, last := time.Now(), time.Duration(0)
			for range 100 {
				if next := time.Since(begun); next < last {
					os.Exit(1) // it goes backwards
				} else {
					last = next
				}
			}
			fmt.Println(last.Nanoseconds())
			continue
		}
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			os.Exit(1)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
			os.Exit(1)
		}
		fmt.Println(squareOnThreads(n))
	}
	os.Exit(0)
}

// squareOnThreads adds n to a sum n times, each on a thread of its own.
func squareOnThreads(n int) int {
	var (
		mu   sync.Mutex
		sum  int
		done sync.WaitGroup
	)
	for range n {
		done.Go(func() {
			runtime.LockOSThread()
			mu.Lock()
			defer mu.Unlock()
			sum += n
		})
	}
	done.Wait()
	return sum
}

func TestRepeats(t *testing.T) {
	for code, want := range map[string]bool{
		"\xf3\xa4": true, "\xf3\x48\xa5": true, "\xf2\xae": true, "\x66\xf3\xab": true,
		"\xa4": false, "\x48\xa5": false, "\xf3\x90": false, "\xeb\xfe": false, "\xf3\x0f\xb8": false, "": false,
	} {
		if got := repeats([]byte(code)); got != want {
			t.Errorf("repeats(% x) = %v", code, got)
		}
	}
}
