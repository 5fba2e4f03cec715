// What handlers may do to the goroutine and the process that they run in. None of it
// stops a loop, or ends the process.

package engine_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestLockedThread: a handler locks its thread and waits, gives way, asks for other
// things, and may forget to unlock.
func TestLockedThread(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		reading := make(chan struct{}, 1)
		big := strings.Repeat("0123456789", 300<<10)
		s := start(t, d, routes(map[string]engine.Handler{
			"/wait": func(req *engine.Request, res *engine.Response) {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				reading <- struct{}{}
				echo(req, res)
			},
			"/forget": func(req *engine.Request, res *engine.Response) {
				runtime.LockOSThread()
				runtime.LockOSThread()
				echo(req, res)
			},
			"/forget/waiting": func(req *engine.Request, res *engine.Response) {
				runtime.LockOSThread()
				reading <- struct{}{}
				echo(req, res)
			},
			"/big": func(_ *engine.Request, res *engine.Response) {
				runtime.LockOSThread()
				_, _ = res.WriteString(big)
			},
			"/goexit": func(_ *engine.Request, res *engine.Response) {
				runtime.LockOSThread()
				runtime.Goexit()
			},
			"/panic": func(_ *engine.Request, res *engine.Response) {
				runtime.LockOSThread()
				panic(engine.ErrAbort)
			},
		}))
		other := s.dial()
		for range 3 {
			for _, path := range []string{"/wait", "/forget/waiting"} {
				c := s.dial()
				c.send(headOf(path, 4))
				simnet.Receive(t, reading, "the handler")
				other.get("/", "hello")
				c.send("body")
				c.expect(200, "body")
				c.get("/", "hello")
			}
			c := s.dial()
			c.send(post("/forget", "body") + post("/forget", "again") + request("/big") + request("/"))
			c.expect(200, "body")
			c.expect(200, "again")
			other.get("/", "hello")
			if a := c.next(""); a.body != big {
				t.Errorf("got %d bytes", len(a.body))
			}
			c.expect(200, "hello")
			c = s.dial()
			c.send(request("/goexit"))
			c.expect(500, "")
			c = s.dial()
			c.send(request("/panic"))
			c.ended()
			other.get("/", "hello")
		}
		s.log.take()
	})
}

// TestForgottenLock: a lock that a handler leaves behind does not keep the next handler of that
// worker from suspending.
func TestForgottenLock(t *testing.T) {
	if !havePoller || !fastG {
		t.Skip("nothing suspends here")
	}
	s := start(t, driver{loops: 1, dispatch: engine.Inline}, routes(map[string]engine.Handler{
		"/forget": func(_ *engine.Request, res *engine.Response) {
			runtime.LockOSThread()
			_ = res.EndString("forgotten")
		},
		"/echo": echo,
	}))
	c := s.dial()
	if !simnet.Becomes(func() bool { // a slow machine takes the loop from some
		c.get("/forget", "forgotten")
		c.send(headOf("/echo", 4))
		s.dial().get("/", "hello")
		c.send("body")
		c.expect(200, "body")
		return s.Stats().Suspended > 0
	}) {
		t.Errorf("behind a handler that has forgotten its lock, none suspends: %+v", s.Stats())
	}
}

// TestDeepRecursion: stacks grow, shrink and move while their handlers wait.
func TestDeepRecursion(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		reading := make(chan struct{}, 1)
		s := start(t, d, routes(map[string]engine.Handler{"/deep": func(req *engine.Request, res *engine.Response) {
			simnet.Deep(50_000, func() {
				reading <- struct{}{}
				body, err := readAll(req)
				if err != nil {
					t.Error(err)
				}
				_, _ = res.Write(body)
			})
		}}))
		c, other := s.dial(), s.dial()
		for range 3 {
			c.send(headOf("/deep", 8) + "0123")
			simnet.Receive(t, reading, "the handler")
			runtime.GC()
			other.get("/", "hello")
			c.send("4567")
			c.expect(200, "01234567")
			runtime.GC()
		}
	})
}

// TestGOMAXPROCSChanges while handlers of all kinds run.
func TestGOMAXPROCSChanges(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	eachDriver(t, func(t *testing.T, d driver) {
		b := newBlocker()
		s := start(t, d, routes(map[string]engine.Handler{"/echo": echo, "/block": b.handler}))
		c, other := s.dial(), s.dial()
		for _, n := range []int{1, 3, 1, 2, 8, 1} {
			runtime.GOMAXPROCS(n)
			for range 5 {
				b.block(t, c, other, "/block")
				c.send(headOf("/echo", 4) + "bo")
				other.get("/", "hello")
				c.send("dy")
				c.expect(200, "body")
			}
		}
	})
}

// TestGOMAXPROCSChangesUnderLoad: up and down in the midst of everything.
func TestGOMAXPROCSChangesUnderLoad(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	for _, d := range mixtures {
		if !d.portable && !havePoller || d.secure {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			defer runtime.GOMAXPROCS(before)
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					case <-time.After(5 * time.Millisecond):
						runtime.GOMAXPROCS([]int{1, 4, 2, 16, 1, 3}[n%6])
					}
				}
			}()
			m := newMixture(t, d.driver, false, 5, 100)
			m.run()
			close(stop)
			<-stopped
		})
	}
}

// TestNeverReturns: a handler that does not return keeps neither Shutdown from ending by its
// deadline, nor Close.
func TestNeverReturns(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, begin := range []func(*engine.Request){
			func(*engine.Request) {},
			(*engine.Request).Block,
			func(*engine.Request) { runtime.LockOSThread() },
		} {
			stuck, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
			s := start(t, d, func(req *engine.Request, res *engine.Response) {
				begin(req)
				close(stuck)
				<-release
				close(done)
			})
			c := s.dial()
			c.send(request("/"))
			simnet.Receive(t, stuck, "the handler")
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			ended := make(chan error, 1)
			go func() { ended <- s.Shutdown(ctx) }()
			if err := simnet.Receive(t, ended, "Shutdown"); err != context.Canceled {
				t.Errorf("Shutdown ended with %v", err)
			}
			c.ended()
			close(release)
			simnet.Receive(t, done, "the handler to return after all")
		}
	})
}

// TestPanicElsewhere: a panic on a worker that was resumed, and on one that has lost
// its loop, is logged and answered like any other.
func TestPanicElsewhere(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		b := newBlocker()
		s := start(t, d, routes(map[string]engine.Handler{
			"/resumed": func(req *engine.Request, _ *engine.Response) {
				_, _ = readAll(req)
				panic("resumed")
			},
			"/late": func(*engine.Request, *engine.Response) {
				b.blocked <- struct{}{}
				<-b.free
				panic("late")
			},
			"/left": func(req *engine.Request, _ *engine.Response) {
				req.Block()
				panic("left")
			},
		}))
		other := s.dial()
		for range 3 {
			c := s.dial()
			c.send(headOf("/resumed", 4))
			other.get("/", "hello")
			c.send("body")
			c.expect(500, "")
			c = s.dial()
			c.send(request("/late"))
			simnet.Receive(t, b.blocked, "the handler to block")
			other.get("/", "hello")
			b.free <- struct{}{}
			c.expect(500, "")
			c = s.dial()
			c.send(request("/left"))
			c.expect(500, "")
			other.get("/", "hello")
		}
		words := ""
		if !simnet.Becomes(func() bool {
			words += s.log.take()
			return strings.Count(words, "panic in the handler") == 9
		}) {
			t.Errorf("the log says %s", words)
		}
		for _, want := range []string{`"/resumed": resumed`, `"/late": late`, `"/left": left`, "hazards_test.go"} {
			if strings.Count(words, want) < 3 {
				t.Errorf("the log lacks %s", want)
			}
		}
	})
}

// TestCgo: handlers in a C function that does not return for long, more of them than there are Ps,
// on each driver, in a program of its own.
func TestCgo(t *testing.T) {
	simnet.Program(t, "gcc") // or there is no cgo either
	if out, err := exec.Command("go", "env", "CGO_ENABLED").Output(); err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Skip("cgo was switched off")
	}
	program := filepath.Join(t.TempDir(), "cgo")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/cgo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "served meanwhile" {
		t.Errorf("%v\n%s", err, out)
	}
}
