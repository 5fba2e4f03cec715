// The Server: its configuration, and its life from the first listener to Close.

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

// Handler answers a request (seed: the 'request' event). It runs on an event loop and may block:
// when it takes long it loses the loop, not the request. It ends the response with End or by
// returning. Both arguments, and every []byte they hand out, are the handler's until it returns.
type Handler func(req *Request, res *Response)

// ErrServerClosed is returned by calls that need a running server, once it has been closed.
var ErrServerClosed = errors.New("gale: the server was closed")

// ErrAbort, as the value of a panic in a handler, cuts the connection without a log entry. If
// nothing of the response has been sent, the client gets none.
var ErrAbort = errors.New("gale: the handler aborted")

// Server is an HTTP/1.x server (seed: http.Server). The zero value of every field
// but Handler is the default. Its fields must not be changed once it listens, and
// it must not be copied. Its methods may be called from any goroutine.
type Server struct {
	Handler Handler // must be set
	On      Events  // the seed's events
	// TLS, when set, makes every connection begin with a TLS handshake. It needs a certificate, and
	// is cloned when the server starts. Its functions run like handlers.
	TLS *tls.Config
	// NextProto maps a protocol that clients may select by ALPN (RFC 7301) and that is not HTTP/1,
	// such as "h2", to the function that serves it. The connection is the callee's, which closes
	// it; Close of the server does, too. The function runs on a goroutine of its own. Needs TLS.
	NextProto map[string]func(*tls.Conn)
	Limits    Limits      // sizes and counts
	Timeouts  Timeouts    // per phase
	Loops     int         // event loops; 0: GOMAXPROCS
	Dispatch  Dispatch    // where handlers begin: Auto, Inline, Goroutine
	Sockets   Sockets     // options of listening sockets
	Backlog   int         // queue of connections not yet accepted; 0: 511, as in the seed
	ErrorLog  *log.Logger // panics, errors in accepting, failed TLS handshakes; nil: the log package's

	// Portable selects the driver without an event loop: one goroutine per connection. Platforms
	// without epoll and kqueue always use it.
	Portable bool

	run running
}

// running is a server's state once it has been started.
type running struct {
	mu        sync.Mutex
	group     *loop.Group
	listeners []*listener
	closed    bool
	conns     map[*conn]*sync.WaitGroup // the portable driver's; the WaitGroup counts goroutines that are setting a deadline on the connection

	closing   atomic.Bool  // answers say Connection: close
	drainEnd  atomic.Int64 // when accepting from the listen queues ends, on the clock of loop.Millis; 0: not shutting down
	open      atomic.Int64
	empty     chan struct{} // signalled when the last connection of a closing server has gone
	context   context.Context
	cancel    context.CancelFunc
	done      chan struct{} // closed when Close has finished
	eventDone chan struct{} // closed when Events.Close has returned
	stop, end sync.Once
	serving   sync.WaitGroup // goroutines that accept

	tls         *tls.Config  // nil: plain
	seed        maphash.Seed // of the hash of kinds of requests (kindOf)
	shared      pool.Shared
	limits      h1.Limits
	bodyRate    int64 // bytes a second; 0 is none
	connections int64 // how many may be open
	timeouts    ticks
}

// start makes the loops when the first listener is added. The caller holds s.run.mu.
func (s *Server) start() error {
	r := &s.run
	if r.closing.Load() {
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
		Guard:      func(fn func()) { s.callUser("Close of a connection", fn) },
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

// local is what the engine keeps per loop.
type local struct {
	buffers pool.Local
	free    *conn        // free connection slots
	load    atomic.Int32 // connections, including those posted here and not yet opened; other loops read it
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

// logf logs on a goroutine of its own and waits for it: the log's writer is user code and may do
// whatever a handler may. So logf must not be called with a loop held.
func (s *Server) logf(format string, args ...any) {
	printf := log.Printf
	if s.ErrorLog != nil {
		printf = s.ErrorLog.Printf
	}
	aside(func() {
		defer func() { _ = recover() }() // there is nowhere to report it
		printf(format, args...)
	})
}

// aside calls fn, which is or calls user code, on a goroutine that fn may end, and waits for that.
func aside(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	<-done
}
