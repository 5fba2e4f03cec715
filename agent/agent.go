// Agent: the pool of sockets, and what is the same for all requests of it (seed:
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
// zero value has the seed's defaults: no keep-alive beyond queued requests, as many
// sockets as are asked for. Set the fields before first use; it must not be copied.
// All methods may be called from any goroutine.
type Agent struct {
	// KeepAlive keeps sockets that nobody waits for, for requests to come (seed:
	// keepAlive). Without it a socket is used again only while requests are queued for
	// its origin.
	KeepAlive bool
	// KeepAliveMsecs is the time in milliseconds without traffic after which TCP probes
	// a kept socket (seed: keepAliveMsecs); 0 is 1000, negative is no probes.
	KeepAliveMsecs int
	// MaxSockets bounds the sockets per origin, in use and free (seed: maxSockets).
	// Requests beyond wait in order of arrival. 0 is no bound.
	MaxSockets int
	// MaxFreeSockets bounds the sockets per origin that nobody uses (seed:
	// maxFreeSockets); 0 is 256, negative is none.
	MaxFreeSockets int
	// Limits bounds what a server may make us hold or do.
	Limits Limits
	// Timeouts bounds how long a server may take, phase by phase.
	Timeouts Timeouts
	// Retry says when a request is sent again.
	Retry Retry
	// TLS is for https; nil is the default: verification on. Sessions are resumed, for
	// each origin by itself, unless it verifies by a function of its own and brings no
	// ClientSessionCache.
	TLS *tls.Config
	// Dial, when set, makes connections in place of the agent's own dialling. network
	// is "tcp" or "unix". It runs on a goroutine of its own.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Loops is how many event loops serve requests from goroutines that are no
	// handlers; 0 is GOMAXPROCS. They start with the first such request.
	Loops int
	// Portable serves each socket by a blocking net.Conn, as on systems without a
	// poller.
	Portable bool

	once   sync.Once
	run    *running
	single bool // NoAgent: nothing is pooled
}

// Limits bounds answers. Zero is the default, negative none.
type Limits struct {
	HeadBytes    int   // of an answer's head: 64 KiB
	Fields       int   // of a head or trailer section: 1000
	TrailerBytes int   // of a trailer section: 8 KiB
	BodyBytes    int64 // of a body: none
	DrainBytes   int64 // how much of an answer that is closed unread is read to keep its socket: 64 KiB
}

// Timeouts bound single waits; 0 is the default, negative none. A context bounds a whole
// call.
type Timeouts struct {
	Dial     time.Duration // for a connection, with TLS and proxy: 30 s
	Queue    time.Duration // for a socket when MaxSockets are in use: none
	Response time.Duration // for the head of an answer to begin, once the request is sent, and for it to end: 2 min
	Read     time.Duration // for more of a body: 2 min
	Write    time.Duration // for a slow server to take more: 2 min
	Continue time.Duration // for 100 Continue before the body is sent all the same: 1 s
	Idle     time.Duration // that a socket is kept without use: 90 s
}

// Retry says when a request whose socket, used before, turns out to be dead is sent
// once more, on a fresh one, no byte of an answer having come.
type Retry struct {
	// Never turns it off.
	Never bool
	// Always sends requests of any method again, also where the server may have
	// processed the first. Without it only those that are idempotent (RFC 9110
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

// Default is the agent of Get and NewRequest (seed: http.globalAgent). Unlike the
// seed's it keeps sockets: KeepAlive is on.
var Default = &Agent{KeepAlive: true}

// NoAgent is an agent that pools nothing: each request has a socket of its own, and
// says Connection: close (seed: agent: false).
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

// times are Timeouts with the defaults filled in; 0 is none.
type times struct {
	dial, queue, proceed, idle int64
	response, read, write      int32
}

// state returns what the agent runs on.
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

// loops returns the agent's own loops, started if need be.
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

// Destroy closes all sockets, those in use as well, ends the agent's loops, and has
// every request fail with ErrDestroyed from now on (seed: agent.destroy). Whoever
// made an agent that was used from ordinary goroutines should destroy it in the end.
// It must not be called on Default or NoAgent by code that does not own the program.
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

// CloseFreeSockets closes the sockets that nobody uses. The agent goes on.
func (a *Agent) CloseFreeSockets() {
	a.state().names.each(func(o *origin) { o.closeFree() })
}

// GetName returns the name of the origin that the request is for: sockets with one
// name can stand in for each other (seed: agent.getName). It is host:port:localAddress,
// and goes on with what else makes a difference.
func (a *Agent) GetName(req *Request) (string, error) {
	o, err := a.state().resolve(req)
	if err != nil {
		return "", err
	}
	return o.name, nil
}
