// The servers of the mixture, one after another: how each is configured, how it ends, and what may
// be left of it then: nothing.

package engine_test

import (
	"context"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// era is one server of the mixture, and what was asked of it.
type era struct {
	*mixture
	server *engine.Server
	rand   *rand.Rand // for the goroutine that ends it
	log    logBuffer

	strict bool         // its timeouts are short: slow clients may be cut, and the machine may be slow
	ending atomic.Int32 // how it is being ended
	left   atomic.Int64 // requests that it is to handle
	enough chan struct{}
	over   chan struct{} // closed when all of it has ended

	lock     sync.Mutex   // that handlers hold across waits
	handlers atomic.Int64 // that have not returned
	others   atomic.Int64 // goroutines of handlers
	asked    sync.Map     // number → *ask

	served chan error // of Serve, when that is what it does
	before int        // slots in use with nothing under way
}

// How a server is being ended.
const (
	notEnding int32 = iota
	inPeace         // by Shutdown, with unlimited time: requests under way are answered
	atOnce
)

// begin starts a server. No client is connected.
func (m *mixture) begin(random *rand.Rand) *era {
	m.eras.Add(1)
	e := &era{mixture: m, rand: random, enough: make(chan struct{}), over: make(chan struct{})}
	e.left.Store(int64(20 + random.IntN(300)))
	e.strict = random.IntN(3) == 0
	s := &engine.Server{Handler: e.handle, Loops: m.driver.loops, Portable: m.driver.portable, Dispatch: m.driver.dispatch, TLS: m.server}
	e.server = s
	s.ErrorLog = log.New(&e.log, "", 0)
	s.On.Upgrade, s.On.Connect = e.upgrade, e.upgrade
	if e.strict {
		m.timeouts++
		s.Timeouts = engine.Timeouts{Handshake: 10 * soon, Head: 3 * soon, Body: 3 * soon, Write: 3 * soon, Idle: 4 * soon, Inactive: 4 * soon}
	}
	if random.IntN(3) == 0 {
		s.Limits.Suspended = 4 + random.IntN(20)
	}
	if random.IntN(3) == 0 {
		e.listen()
	}
	population.enter()
	e.open(random)
	m.era = e
	if !m.driver.portable {
		e.before, _ = e.held()
	}
	return e
}

// listen sets all events.
func (e *era) listen() {
	s := e.server
	s.On.Connection = func(socket *engine.Socket) { _ = socket.RemoteAddr() }
	s.On.CheckContinue = func(req *engine.Request, res *engine.Response) {
		_ = res.WriteContinue()
		e.handle(req, res)
	}
	s.On.ClientError = func(err error, socket *engine.Socket) {
		var protocol *engine.ProtocolError
		if errors.As(err, &protocol) {
			_, _ = io.WriteString(socket, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		} else if strings.Contains(err.Error(), "tls: ") && !e.mayFail() {
			e.t.Errorf("TLS has failed: %v", err)
		}
	}
	s.On.Timeout = func(socket *engine.Socket) { _ = socket.Close() }
}

// open has the server listen in one of the ways there are.
func (e *era) open(random *rand.Rand) {
	s := e.server
	way := random.IntN(4)
	s.Sockets.DeferAccept = way == 0
	if way > 1 {
		if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
			e.t.Fatal(err)
		}
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		e.t.Fatal(err)
	}
	e.served = make(chan error, 1)
	listening := make(chan struct{})
	s.On.Listening = func() { close(listening) }
	go func() { e.served <- s.Serve(l) }()
	simnet.Receive(e.t, listening, "Serve to listen")
}

// held returns how many slots and buffers the loops have out.
func (e *era) held() (slots, buffers int) { return e.server.Held() }

// mayFail reports whether a request may fail without a cause of its own.
func (e *era) mayFail() bool { return e.strict || e.ending.Load() == atOnce }

// used counts a request that is handled.
func (e *era) used() {
	e.mixture.handled.Add(1)
	if e.left.Add(-1) == 0 {
		close(e.enough)
	}
}

// end ends the server in one of the possible ways, and returns when no client is connected any
// more.
func (e *era) end() {
	e.midstEnded++
	done := make(chan struct{})
	switch e.rand.IntN(6) {
	case 0:
		e.midstEnded--
		e.talking.Lock()
		e.idle()
		_ = e.server.Close()
		e.ending.Store(atOnce)
		return
	case 1, 2:
		e.ending.Store(inPeace)
		go func() {
			defer close(done)
			if err := e.server.Shutdown(context.Background()); err != nil {
				e.t.Errorf("Shutdown: %v", err)
			}
		}()
	case 3:
		e.ending.Store(atOnce)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(e.rand.IntN(5))*time.Millisecond)
		defer cancel()
		go func() {
			defer close(done)
			if err := e.server.Shutdown(ctx); err != nil && err != context.DeadlineExceeded {
				e.t.Errorf("Shutdown: %v", err)
			}
		}()
	case 4:
		e.ending.Store(atOnce)
		go func() {
			defer close(done)
			var all sync.WaitGroup
			all.Go(func() { _ = e.server.Close() })
			all.Go(func() { _ = e.server.Shutdown(context.Background()) })
			all.Go(func() { _ = e.server.Wait() })
			all.Wait()
		}()
	case 5:
		e.ending.Store(atOnce)
		go func() {
			defer close(done)
			_ = e.server.Close()
		}()
	}
	simnet.Receive(e.t, done, "the server to end")
	e.talking.Lock()
}

// idle checks that a server without clients holds nothing.
func (e *era) idle() {
	if !simnet.Becomes(func() bool { return e.server.Connections() == 0 && e.handlers.Load() == 0 }) {
		e.t.Errorf("%d connections and %d handlers with nobody there\n%s", e.server.Connections(), e.handlers.Load(), simnet.Stacks())
	}
	if e.driver.portable {
		return
	}
	slots, buffers := 0, 0
	// Buffers that were made for large messages may have been given to the pool besides.
	if !simnet.Becomes(func() bool { slots, buffers = e.held(); return slots == e.before && buffers <= 0 }) {
		e.t.Errorf("%d slots and %d buffers are left", slots-e.before, buffers)
	}
	for i, n := range e.server.Loads() {
		if n != 0 {
			e.t.Errorf("loop %d has a load of %d", i, n)
		}
	}
}

// settle checks what is left of a server that has ended: nothing, once its handlers
// have returned.
func (e *era) settle() {
	var unended *ask
	ok := simnet.Becomes(func() bool {
		unended = nil
		e.asked.Range(func(_, value any) bool {
			if a := value.(*ask); !a.ended() {
				unended = a
			}
			return unended == nil
		})
		return unended == nil && e.server.Connections() == 0 && e.handlers.Load() == 0 && e.others.Load() == 0
	})
	if !ok {
		e.t.Errorf("%d connections, %d handlers and %d goroutines of theirs are left, and %+v\n%s",
			e.server.Connections(), e.handlers.Load(), e.others.Load(), unended, simnet.Stacks())
	}
	e.asked.Range(func(_, value any) bool {
		if a := value.(*ask); a.never.Load() && a.handled.Load() > 0 {
			e.t.Errorf("%v was handled behind an answer that closes", a)
		}
		return true
	})
	if e.served != nil {
		if err := simnet.Receive(e.t, e.served, "Serve to return"); err != nil {
			e.t.Errorf("Serve returned %v", err)
		}
	}
	now := e.server.Stats()
	e.stats.Inline += now.Inline
	e.stats.Suspended += now.Suspended
	e.stats.HandedOff += now.HandedOff
	e.stats.TakenOver += now.TakenOver
	e.judgeLog()
	population.leave(e.t)
}

// expectedWords is what the mixture makes a server log.
var expectedWords = regexp.MustCompile(`^gale: (panic in the handler of [A-Z]+ "[^"]*": mixture$|the handler of [A-Z]+ "[^"]*" called runtime\.Goexit$)`)

// judgeLog looks for words that are not the mixture's own doing.
func (e *era) judgeLog() {
	for line := range strings.Lines(e.log.take()) {
		cut := strings.HasPrefix(line, "gale: no TLS with ") && (e.strict || e.ending.Load() != notEnding)
		if strings.HasPrefix(line, "gale: ") && !cut && !expectedWords.MatchString(strings.TrimSpace(line)) {
			e.t.Errorf("the log says %s", line)
		}
	}
}
