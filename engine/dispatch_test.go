// Where handlers run: what Dispatch fixes, what Auto finds out, what Block asks for, and what Stats
// reports.

package engine_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// stats waits until the sum of what was counted is n, and returns it.
func (s *server) stats(n uint64) engine.Stats {
	s.t.Helper()
	var got engine.Stats
	if !simnet.Becomes(func() bool {
		got = s.Stats()
		return got.Inline+got.Suspended+got.HandedOff+got.TakenOver == n
	}) {
		s.t.Errorf("the counts are %+v, and should sum up to %d", got, n)
	}
	return got
}

// blocker blocks until its loop has served others, so that a loop that is blocked
// fails the test: each of its requests answers when the next "/free" is asked for.
type blocker struct {
	blocked, free chan struct{}
}

func newBlocker() *blocker {
	return &blocker{make(chan struct{}, 100), make(chan struct{}, 100)}
}

func (b *blocker) handler(_ *engine.Request, res *engine.Response) {
	b.blocked <- struct{}{}
	<-b.free
	_ = res.EndString("freed")
}

// block has c's handler block and others be served meanwhile.
func (b *blocker) block(t *testing.T, c, other *client, path string) {
	t.Helper()
	c.send(request(path))
	simnet.Receive(t, b.blocked, "the handler to block")
	other.get("/", "hello")
	b.free <- struct{}{}
	c.expect(200, "freed")
}

// loops tells whether there is a loop to run on.
func (d driver) loops1() bool { return havePoller && !d.portable && d.loops == 1 }

// TestAutoLearns: a kind that blocks costs a few takeovers, and none after that; other kinds stay
// on the loop.
func TestAutoLearns(t *testing.T) {
	if !havePoller {
		t.Skip("there are no loops to leave")
	}
	b := newBlocker()
	s := start(t, drivers[0], func(req *engine.Request, res *engine.Response) {
		if strings.HasPrefix(string(req.URL()), "/block/") {
			b.handler(req, res)
			return
		}
		hello(req, res)
	})
	c, other := s.dial(), s.dial()
	for i := range 20 {
		b.block(t, c, other, fmt.Sprintf("/block/%d", i))
	}
	got := s.stats(40)
	if got.TakenOver < 2 || got.HandedOff+got.TakenOver < 20 {
		t.Errorf("%+v", got)
	}
	// Some more are taken over when the machine keeps a handler from running; the others are of
	// that kind from then on.
	if stood := got.TakenOver > 2; !stood && got.Inline != 20 || got.TakenOver > 6 {
		t.Errorf("%+v", got)
	}
}

// TestShortWaitsAreFound: a handler that queries another process waits for much less than the
// watchdog's period, and yet the loop stands still most of the time. The watchdog notices, because
// it finds the handler waiting at a single look. On a busy machine such a wait may last until the
// second look, which would find it in any case; so only a wait shorter than the time between two
// looks counts.
func TestShortWaitsAreFound(t *testing.T) {
	if !havePoller || !fastG {
		t.Skip("nobody can know who waits")
	}
	echoes := echoServer(t)
	short := func() bool {
		s := start(t, drivers[0], func(_ *engine.Request, res *engine.Response) {
			text, echo := []byte("echo"), <-echoes
			defer func() { echoes <- echo }()
			if _, err := echo.Write(text); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadFull(echo, text); err != nil {
				t.Error(err)
			}
			_ = res.End(text)
		})
		defer s.Close()
		c, found := s.dial(), false
		begun := time.Now()
		for n := 0; s.Stats().HandedOff == 0; n++ {
			if n == 2000 {
				return false
			}
			// Of two requests, since a handler has to return when its answer is there.
			before, since := s.Stats().TakenOver, begun
			begun = time.Now()
			c.get("/", "echo")
			found = found || s.Stats().TakenOver > before && time.Since(since) < betweenLooks
		}
		return found
	}
	if !simnet.Becomes(short) {
		t.Error("no handler was taken over that had waited for less than the time between two looks")
	}
}

// betweenLooks is no longer than passes between two looks of the watchdog of package
// internal/loop.
const betweenLooks = 1600 * time.Microsecond

// echoServer returns a connection to a process, as it were, that sends back what it is sent;
// to be taken, and put back.
func echoServer(t *testing.T) chan net.Conn {
	echo, c := simnet.Pair(t)
	go func() { // ends with the connection
		_, _ = io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}) // not by splice, whose pipes are kept
		_ = c.Close()
	}()
	echoes := make(chan net.Conn, 1)
	echoes <- echo
	return echoes
}

// TestDispatchIsKept: Inline never hands off, Goroutine always does.
func TestDispatchIsKept(t *testing.T) {
	if !havePoller {
		t.Skip("there are no loops to run on")
	}
	for _, mode := range []engine.Dispatch{engine.Inline, engine.Goroutine} {
		b := newBlocker()
		s := start(t, driver{loops: 1, dispatch: mode}, routes(map[string]engine.Handler{"/block": b.handler}))
		c, other := s.dial(), s.dial()
		for range 10 {
			b.block(t, c, other, "/block")
		}
		switch got := s.stats(20); {
		case mode == engine.Inline && (got.HandedOff != 0 || got.TakenOver < 10):
			t.Errorf("Inline: %+v", got)
		case mode == engine.Goroutine && got.HandedOff != 20:
			t.Errorf("Goroutine: %+v", got)
		}
	}
}

// TestPortableRunsOnGoroutines: which Stats says.
func TestPortableRunsOnGoroutines(t *testing.T) {
	s := start(t, driver{portable: true}, hello)
	c := s.dial()
	for range 5 {
		c.get("/", "hello")
	}
	if got := s.stats(5); got.HandedOff != 5 {
		t.Errorf("%+v", got)
	}
}

// TestSuspendedIsCounted: a handler that waits for its peer, and only such a one.
func TestSuspendedIsCounted(t *testing.T) {
	if !havePoller {
		t.Skip("there are no loops to wait on")
	}
	reading := make(chan struct{}, 1)
	s := start(t, drivers[0], func(req *engine.Request, res *engine.Response) {
		reading <- struct{}{}
		echo(req, res)
	})
	c := s.dial()
	c.send(headOf("/", 4))
	simnet.Receive(t, reading, "the handler")
	s.stats(0) // it waits
	c.send("body")
	c.expect(200, "body")
	c.send(post("/", "body"))
	c.expect(200, "body")
	if got := s.stats(2); got.TakenOver == 0 && (got.Suspended != 1 || got.Inline != 1) { // taken over: the machine stood still
		t.Errorf("%+v", got)
	}
}

// TestBlockLeavesTheLoop: at once, without the watchdog. On one loop, a handler that has called
// Block waits for another one, again and again.
func TestBlockLeavesTheLoop(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		meet := make(chan string)
		var quiet atomic.Bool
		s := start(t, d, routes(map[string]engine.Handler{
			"/block": func(req *engine.Request, res *engine.Response) {
				req.Block()
				req.Block() // twice is once
				if quiet.Load() {
					return
				}
				body, err := readAll(req)
				if err != nil {
					t.Error(err)
				}
				_ = res.EndString(<-meet + string(body))
			},
			"/meet": func(_ *engine.Request, res *engine.Response) { meet <- "met " },
		}))
		c, other := s.dial(), s.dial()
		const n = 50
		for range n {
			c.send(post("/block", "you"))
			other.get("/meet", "")
			c.expect(200, "met you")
		}
		quiet.Store(true)
		for range n {
			c.get("/block", "")
		}
		if !d.loops1() || d.dispatch == engine.Goroutine {
			return
		}
		// Most of the kind ask, so they are handed off before they begin; not all,
		// since that has to be learned.
		if got := s.stats(3 * n); got.TakenOver < 4 || got.HandedOff < n/2 {
			t.Errorf("%+v", got)
		}
	})
}

// TestBlockFromElsewhere: a goroutine of the handler cannot leave the loop for it.
func TestBlockFromElsewhere(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			var others sync.WaitGroup
			others.Go(req.Block)
			others.Wait()
			hello(req, res)
		})
		c := s.dial()
		for range 10 {
			c.get("/", "hello")
		}
	})
}

// TestHandedOffIsBounded: handlers that were handed off count among those that may wait at the same
// time; further requests wait for one of them to end, and are not lost.
func TestHandedOffIsBounded(t *testing.T) {
	if !havePoller {
		t.Skip("without a poller every connection has a goroutine anyway")
	}
	const most, n = 3, 9
	var inside, peak atomic.Int32
	entered, leave := make(chan struct{}, n), make(chan struct{})
	s := prepare(t, drivers[2], func(req *engine.Request, res *engine.Response) {
		now := inside.Add(1)
		for p := peak.Load(); now > p && !peak.CompareAndSwap(p, now); p = peak.Load() {
		}
		entered <- struct{}{}
		<-leave
		inside.Add(-1)
		hello(req, res)
	})
	s.Limits.Suspended = most
	s.listen()
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = s.dial()
		clients[i].send(request("/"))
	}
	for range most {
		simnet.Receive(t, entered, "a handler")
	}
	for range n - most {
		leave <- struct{}{}
		simnet.Receive(t, entered, "the next handler")
	}
	close(leave)
	for _, c := range clients {
		c.expect(200, "hello")
		c.get("/", "hello")
	}
	if peak.Load() > most {
		t.Errorf("%d handlers were inside at once", peak.Load())
	}
}

// TestPipelinedBehindOneHandedOff: answers keep their order, wherever their handlers run.
func TestPipelinedBehindOneHandedOff(t *testing.T) {
	if !havePoller {
		t.Skip("there are no loops to leave")
	}
	b := newBlocker()
	s := start(t, drivers[0], routes(map[string]engine.Handler{"/block": b.handler}))
	c, other := s.dial(), s.dial()
	for range 10 {
		c.send(request("/") + request("/block") + request("/") + request("/block") + post("/", "x"))
		simnet.Receive(t, b.blocked, "the first to block")
		other.get("/", "hello")
		c.expect(200, "hello")
		b.free <- struct{}{}
		c.expect(200, "freed")
		c.expect(200, "hello")
		simnet.Receive(t, b.blocked, "the second to block")
		b.free <- struct{}{}
		c.expect(200, "freed")
		c.expect(200, "hello")
	}
}

// TestEarlyAnswersLeave: complete answers do not wait for a later handler of the same connection,
// whatever that does, and nothing is sent twice or out of order.
func TestEarlyAnswersLeave(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 4<<10)
	ends := map[string]func(*engine.Response){
		"end":    func(res *engine.Response) { _ = res.EndString("late") },
		"write":  func(res *engine.Response) { _, _ = res.WriteString("late") },
		"flush":  func(res *engine.Response) { _ = res.Flush(); _ = res.EndString("late") },
		"copied": func(res *engine.Response) { _, _ = io.Copy(res, strings.NewReader("late")) },
		"large":  func(res *engine.Response) { _ = res.EndString(big) },
		"panic":  func(*engine.Response) { panic(engine.ErrAbort) },
		"nothing": func(res *engine.Response) {
			_ = res.SetStatus(204)
		},
		"elsewhere": func(res *engine.Response) {
			done := make(chan error)
			go func() { done <- res.EndString("late") }()
			<-done
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				blocked, free := make(chan struct{}), make(chan struct{})
				var block atomic.Bool
				s := start(t, d, routes(map[string]engine.Handler{"/late": func(req *engine.Request, res *engine.Response) {
					if block.Load() {
						close(blocked)
						<-free
					}
					end(res)
				}}))
				pipeline := request("/") + request("/") + request("/late") + request("/")
				answer := func(c *client) {
					t.Helper()
					switch name {
					case "panic":
						if rest := c.ended(); rest != "" {
							t.Errorf("more came: %q", rest)
						}
						return
					case "nothing":
						c.expect(204, "")
					case "large":
						c.expect(200, big)
					default:
						c.expect(200, "late")
					}
					c.expect(200, "hello")
				}
				quick := s.dial()
				quick.send(pipeline)
				quick.expect(200, "hello")
				quick.expect(200, "hello")
				answer(quick)

				block.Store(true)
				c := s.dial()
				c.send(pipeline)
				simnet.Receive(t, blocked, "the handler to block")
				c.expect(200, "hello")
				c.expect(200, "hello")
				close(free)
				answer(c)
			})
		})
	}
}

// TestEarlyAnswersToASlowPeer: early answers that are sent without the handler take a while, and
// the handler's own answer follows them.
func TestEarlyAnswersToASlowPeer(t *testing.T) {
	if !havePoller {
		t.Skip("there are no loops to lose")
	}
	const size = 3000
	blocked := make(chan struct{})
	free := make(chan struct{})
	piece := strings.Repeat("x", size)
	s := start(t, drivers[0], routes(map[string]engine.Handler{
		"/piece": func(_ *engine.Request, res *engine.Response) { _ = res.EndString(piece) },
		"/late": func(_ *engine.Request, res *engine.Response) {
			close(blocked)
			<-free
			_ = res.EndString("late")
		},
	}))
	c := s.dial()
	// So much is asked for that the sockets are full long before the last.
	const n = 4000
	go func() {
		_, _ = io.WriteString(c, strings.Repeat(request("/piece"), n)+request("/piece")+request("/late")+request("/"))
	}()
	for range n / 2 {
		c.expect(200, piece)
	}
	for range n/2 + 1 {
		c.expect(200, piece)
	}
	simnet.Receive(t, blocked, "the handler to block")
	close(free)
	c.expect(200, "late")
	c.expect(200, "hello")
}

// TestOnlyHandlersAreCounted: what runs beside a handler and loses its loop is not counted as one.
func TestOnlyHandlersAreCounted(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		var s *server
		blocks := func() { // until it has lost its loop, where it has one
			before := s.Asides()
			lost := func() bool {
				n := s.Stats() // a handler that a busy machine has kept from returning lost it before
				return s.Asides() > before || n.TakenOver+n.HandedOff > 0
			}
			if !d.portable && d.dispatch != engine.Goroutine && !simnet.Becomes(lost) {
				t.Error("what blocks beside a handler keeps its loop")
			}
		}
		s = prepare(t, d, func(_ *engine.Request, res *engine.Response) {
			res.OnFinish(blocks)
			_ = res.EndString("hello")
		})
		s.On.Connection = func(*engine.Socket) { blocks() }
		s.listen()
		c := s.dial()
		const n = 3
		for range n {
			c.get("/", "hello")
		}
		_ = c.Close()
		s.stats(n)
	})
}

// TestHooksOfALostHandler: hooks run on a worker that has lost its loop to the handler; the race
// detector tells whether they respect what the watchdog still reads. So the handler must not wait
// for the takeover itself: that would order the two.
func TestHooksOfALostHandler(t *testing.T) {
	if !havePoller {
		t.Skip("there are no loops to lose")
	}
	finished := make(chan struct{}, 1)
	s := start(t, driver{loops: 1, dispatch: engine.Inline}, func(_ *engine.Request, res *engine.Response) {
		res.OnFinish(func() { finished <- struct{}{} })
		time.Sleep(20 * time.Millisecond) // sleep: the handler under test blocks
		_ = res.EndString("hello")
	})
	c := s.dial()
	lost := simnet.Becomes(func() bool {
		c.get("/", "hello")
		simnet.Receive(t, finished, "OnFinish")
		return s.Stats().TakenOver >= 3
	})
	if !lost {
		t.Error("a handler that blocks keeps its loop")
	}
}
