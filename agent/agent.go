// Agent: the pool of sockets, and the settings that all of its requests share (seed:
// http.Agent).

package agent

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// Agent keeps sockets to servers and makes requests on them (seed: http.Agent). The
// zero value has the seed's defaults: sockets are reused only for requests already queued,
// and their number is unlimited. Set the fields before first use; an Agent must not be
// copied. All methods are safe for concurrent use.
type Agent struct {
	// KeepAlive keeps idle sockets for later requests (seed: keepAlive). Without it a
	// socket is reused only while requests are queued for its origin.
	KeepAlive bool
	// KeepAliveMsecs is the time in milliseconds without traffic after which TCP probes
	// a kept socket (seed: keepAliveMsecs); 0 is 1000, negative is no probes.
	KeepAliveMsecs int
	// MaxSockets bounds the sockets per origin, in use and idle (seed: maxSockets).
	// Requests beyond it wait in order of arrival. 0 is no bound.
	MaxSockets int
	// MaxFreeSockets bounds the idle sockets per origin (seed: maxFreeSockets); 0 is
	// 256, negative is none.
	MaxFreeSockets int
	// Limits bounds what a server may make the agent hold or do.
	Limits Limits
	// Timeouts bounds how long a server may take, phase by phase.
	Timeouts Timeouts
	// Retry says when a request is sent again.
	Retry Retry
	// TLS is the configuration for https; nil is the default, which verifies servers.
	// Sessions are resumed, separately for each origin, unless the config has a
	// verification function of its own and no ClientSessionCache.
	TLS *tls.Config
	// Dial, when set, makes the connections instead of the agent. network is "tcp" or
	// "unix". Each call runs on a goroutine of its own.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Loops is the number of event loops for requests from goroutines other than
	// handlers; 0 is GOMAXPROCS. They start with the first such request.
	Loops int
	// Portable serves each socket through a blocking net.Conn, as on systems without a
	// poller.
	Portable bool

	once   sync.Once
	run    *running
	single bool // for NoAgent: nothing is pooled
}

// Limits bounds responses. A zero field is its default; a negative one is no limit, and for
// DrainBytes no draining.
type Limits struct {
	HeadBytes    int   // of a response head: 64 KiB
	Fields       int   // number of fields in a head or trailer section: 1000
	TrailerBytes int   // of a trailer section: 8 KiB
	BodyBytes    int64 // of a body: none
	DrainBytes   int64 // how much of a response closed early is read to keep its socket: 64 KiB
}

// Timeouts bound single waits; zero is the default, negative no timeout. A context bounds
// a whole call.
type Timeouts struct {
	Dial     time.Duration // for a connection, with proxy and TLS handshake: 30 s
	Queue    time.Duration // for a socket when MaxSockets are in use: none
	Response time.Duration // from the sent request to the start of the response head, and again to its end: 2 min
	Read     time.Duration // for more of a body: 2 min
	Write    time.Duration // for a slow server to accept more: 2 min
	Continue time.Duration // for a 100 Continue, after which the body is sent anyway: 1 s
	Idle     time.Duration // for which a socket is kept unused: 90 s
}

// Retry says when a request is sent once more, on a fresh socket: only if its socket had
// been used before and turned out to be dead, and no byte of a response has arrived.
type Retry struct {
	// Never disables retries.
	Never bool
	// Always retries requests of any method, even where the server may have processed
	// the first attempt. Otherwise only those are retried that are idempotent (RFC 9110
	// §9.2.2), carry an Idempotency-Key, or of which nothing was sent.
	Always bool
}

const (
	defaultFree     = 256
	defaultProbe    = 1000
	defaultDial     = 30 * time.Second
	defaultWait     = 2 * time.Minute
	defaultContinue = time.Second
	defaultIdle     = 90 * time.Second
	defaultDrain    = 64 << 10
)

// Default is the agent of Get and NewRequest (seed: http.globalAgent). Unlike the seed's,
// it has KeepAlive on.
var Default = &Agent{KeepAlive: true}

// NoAgent is an agent that pools nothing: each request has a socket of its own and sends
// Connection: close (seed: agent: false).
var NoAgent = &Agent{single: true}

// running is the state of an agent.
type running struct {
	agent     *Agent
	keepAlive bool // sockets are kept
	asks      bool // requests ask for keep-alive
	maxFree   int
	limits    h1.Limits
	drain     int64
	times     times
	names     table
	resolver  resolver
	destroyed atomic.Bool

	mu    sync.Mutex // guards group
	group *loop.Group
}

// times are Timeouts in milliseconds, with the defaults filled in; 0 is none.
type times struct {
	dial, queue, proceed, idle int64
	response, read, write      int32
}

// state returns the agent's state, made on first use.
func (a *Agent) state() *running {
	a.once.Do(a.start)
	return a.run
}

func (a *Agent) start() {
	t := &a.Timeouts
	r := &running{
		agent:     a,
		keepAlive: a.KeepAlive && !a.single,
		asks:      (a.KeepAlive || a.MaxSockets > 0) && !a.single,
		maxFree:   max(0, orDefault(a.MaxFreeSockets, defaultFree)),
		drain:     max(0, int64(orDefault(int(a.Limits.DrainBytes), defaultDrain))),
		limits: h1.Limits{HeadBytes: a.Limits.HeadBytes, Parse: bytesparse.Limits{Fields: a.Limits.Fields},
			TrailerBytes: a.Limits.TrailerBytes, BodyBytes: a.Limits.BodyBytes},
		times: times{
			dial: int64(millis(t.Dial, defaultDial)), queue: int64(millis(t.Queue, 0)),
			proceed: int64(millis(t.Continue, defaultContinue)), idle: int64(millis(t.Idle, defaultIdle)),
			response: millis(t.Response, defaultWait), read: millis(t.Read, defaultWait), write: millis(t.Write, defaultWait),
		},
	}
	r.maxFree = min(r.maxFree, 1<<20)
	a.run = r
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// millis returns a timeout in milliseconds with the default filled in, 0 for none.
func millis(d, otherwise time.Duration) int32 {
	if d == 0 {
		d = otherwise
	}
	if d <= 0 {
		return 0
	}
	return int32(max(1, min(d.Milliseconds(), 1<<30)))
}

// loops returns the agent's own loops and starts them if they are not running.
func (r *running) loops() (*loop.Group, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.destroyed.Load():
		return nil, ErrDestroyed
	case r.group != nil:
		return r.group, nil
	}
	g, err := loop.NewGroup(loop.Config{Loops: r.agent.Loops, Portable: r.agent.Portable})
	if err != nil {
		return nil, err
	}
	g.Start()
	r.group = g
	return g, nil
}

// Destroy closes all sockets, including those in use, ends the agent's loops, and makes
// every later request fail with ErrDestroyed (seed: agent.destroy). An agent that was used
// from ordinary goroutines should be destroyed in the end by the code that made it. On
// Default or NoAgent only the program itself, never a library, should call it.
func (a *Agent) Destroy() {
	r := a.state()
	r.mu.Lock()
	r.destroyed.Store(true)
	g := r.group
	r.mu.Unlock()
	r.names.each(func(o *origin) {
		o.destroy()
		o.dismiss()
	})
	if g != nil {
		g.Stop()
	}
}

// CloseFreeSockets closes the idle sockets. The agent stays usable.
func (a *Agent) CloseFreeSockets() {
	a.state().names.each(func(o *origin) { o.closeFree() })
}

// GetName returns the name of the origin that the request is for: sockets of the same
// name are interchangeable (seed: agent.getName). It is host:port:localAddress, followed
// by whatever else distinguishes the origin.
func (a *Agent) GetName(req *Request) (string, error) {
	o, err := a.state().resolve(req)
	if err != nil {
		return "", err
	}
	return o.name, nil
}
