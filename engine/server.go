// Server: its configuration, and its life from the first listener to Close.

package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"hash/maphash"
	"log"
	"net"
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/pool"
)

// Handler answers a request (seed: the 'request' event). It may block: it runs on
// an event loop, and loses the loop, not the request, when it takes long. It ends
// the response with End or by returning. Both arguments, and every []byte they
// hand out, are the handler's until it returns.
type Handler func(req *Request, res *Response)

// ErrServerClosed is returned by what needs a server that was closed before.
var ErrServerClosed = errors.New("gale: the server was closed")

// ErrAbort, as the value of a panic in a handler, cuts the connection without a
// word in the log and without an answer, if none was sent.
var ErrAbort = errors.New("gale: the handler aborted")

// Server is an HTTP/1.x server (seed: http.Server). The zero value of every field
// but Handler is the default. Its fields must not be changed once it listens, and
// it must not be copied. Its methods may be called from any goroutine.
type Server struct {
	Handler Handler // must be set
	On      Events  // the seed's events
	// TLS, when set, has all connections begin with TLS. It needs a certificate, and is
	// copied when the server starts. Its functions run as handlers do.
	TLS *tls.Config
	// NextProto says who serves what a client has chosen by ALPN (RFC 7301) and what is
	// not HTTP/1, such as "h2". The connection is the callee's, who closes it; Close of
	// the server does, too. It is called on a goroutine of its own. Needs TLS.
	NextProto map[string]func(*tls.Conn)
	Limits    Limits      // sizes and counts
	Timeouts  Timeouts    // per phase
	Loops     int         // event loops; 0: GOMAXPROCS
	Dispatch  Dispatch    // where handlers begin: Auto, Inline, Goroutine
	Sockets   Sockets     // options of listening sockets
	Backlog   int         // queue of connections not yet accepted; 0: 511, as in the seed
	ErrorLog  *log.Logger // panics of handlers, troubles in accepting; nil: the log package's

	// Portable selects the driver without an event loop: one goroutine a connection.
	// It is what platforms without epoll or kqueue use in any case.
	Portable bool

	run running
}

// running is a server's state once it has been started.
type running struct {
	mu        sync.Mutex
	group     *loop.Group
	listeners []*listener
	closed    bool
	conns     map[*conn]*sync.WaitGroup // of the portable driver, with who sets a deadline on them

	closing   atomic.Bool  // answers say Connection: close
	lastCalls atomic.Int64 // when queues have been accepted from for long enough, as loop.Millis tells it
	open      atomic.Int64
	empty     chan struct{} // told when, closing, the last connection has gone
	context   context.Context
	cancel    context.CancelFunc
	done      chan struct{} // closed when Close has finished
	told      chan struct{} // closed when Events.Close has returned
	stop, end sync.Once
	serving   sync.WaitGroup // goroutines that accept

	tls         *tls.Config  // nil: plain
	seed        maphash.Seed // of the kinds of requests
	shared      pool.Shared
	limits      h1.Limits
	bodyRate    int64 // bytes a second; 0 is none
	connections int64 // how many may be open
	timeouts    ticks
}

// start makes the loops, once, at the first listener. The lock is held.
func (s *Server) start() error {
	r := &s.run
	if r.closed {
		return ErrServerClosed
	}
	if r.group != nil {
		return nil
	}
	if s.Handler == nil {
		return errors.New("gale: engine.Server needs a Handler")
	}
	secure, err := s.tlsConfig()
	if err != nil {
		return err
	}
	group, err := loop.NewGroup(loop.Config{
		Loops:      s.Loops,
		MaxWorkers: s.Limits.suspended(),
		Dispatch:   loop.Dispatch(s.Dispatch),
		Portable:   s.Portable,
	})
	if err != nil {
		return err
	}
	r.connections = s.Limits.connections()
	r.limits, r.bodyRate, r.timeouts = s.Limits.machine(), s.Limits.bodyRate(), s.Timeouts.ticks()
	r.tls = secure
	r.seed = maphash.MakeSeed()
	r.conns = make(map[*conn]*sync.WaitGroup)
	r.empty = make(chan struct{}, 1)
	r.context, r.cancel = context.WithCancel(context.Background())
	if r.done == nil {
		r.done = make(chan struct{})
	}
	for _, l := range group.Loops() {
		l.Local = &local{buffers: pool.Local{Shared: &r.shared}}
	}
	group.Start()
	r.group = group
	return nil
}

// local is what the engine keeps with a loop.
type local struct {
	buffers pool.Local
	free    *conn        // slots of closed connections
	load    atomic.Int32 // connections, those on their way here included; other loops look
}

func localOf(l *loop.Loop) *local { return l.Local.(*local) }

// Addr returns the address of the first listener, nil when there is none (seed:
// server.address).
func (s *Server) Addr() net.Addr {
	if all := s.Addrs(); len(all) > 0 {
		return all[0]
	}
	return nil
}

// Addrs returns the addresses of all listeners, in the order in which they were
// added.
func (s *Server) Addrs() []net.Addr {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	var all []net.Addr
	for _, l := range s.run.listeners {
		all = append(all, l.addr)
	}
	return all
}

// Connections returns how many connections are open.
func (s *Server) Connections() int { return int(s.run.open.Load()) }

// logf logs, on a goroutine of its own, which it waits for: the log is the user's, and may do what
// handlers may. So whoever holds a loop must not call it.
func (s *Server) logf(format string, args ...any) {
	printf := log.Printf
	if s.ErrorLog != nil {
		printf = s.ErrorLog.Printf
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }() // there is nobody to tell
		printf(format, args...)
	}()
	<-done
}
