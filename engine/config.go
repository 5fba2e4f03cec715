// Limits and timeouts: what bounds a peer. In both, zero stands for the default and a negative
// value for no bound.

package engine

import (
	"io/fs"
	"math"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// Limits bounds what peers may make the server hold or do. Zero stands for the default, which is
// given with each field, and a negative number for no limit. Pipelined requests are held only as
// far as they fit the 8 KiB buffer into which the first was read, or the larger one that a head of
// up to Head bytes needed; the rest stays in the kernel until the earlier requests have been
// answered.
//
// Before a connection is closed with a request left unread, what still comes is read and dropped
// for two seconds, and for as long again after every 256 KiB, up to 64 MiB: a reset would keep the
// answer from a client that looks for it only when all is sent.
type Limits struct {
	Head          int   // bytes of a request head; 64 KiB; beyond it 431
	Fields        int   // fields of a head (seed: maxHeadersCount); 1000; beyond it 431
	Target        int   // bytes of a request target; 16 KiB; beyond it 414
	ChunkLine     int   // bytes of a chunk-size line, extensions included; 256; beyond it 400
	ChunkOverhead int   // bytes of chunk framing out of proportion to the data; 16 KiB; beyond it 400
	Trailers      int   // bytes of a trailer section; 8 KiB; beyond it 431
	Body          int64 // bytes of a request body; no limit; beyond it 413
	BodyRate      int   // bytes of a body per second of waiting for it, after 30 s of grace; 240; below it 408
	Drain         int64 // bytes of a body read on after its handler has left it unread; 256 KiB; beyond it the connection closes
	Connections   int   // connections open at once; 262144; those beyond it are answered 503 and closed
	Suspended     int   // handlers suspended, blocked or handed off, per loop; 16384; beyond it new requests wait
}

const (
	defaultDrain    = 256 << 10
	defaultBodyRate = 240

	defaultConnections = 1 << 18
)

// bodyGrace is how many milliseconds a body may be waited for before BodyRate applies. A variable
// so that tests can shorten it.
var bodyGrace int64 = 30_000

func (l *Limits) machine() h1.Limits {
	return h1.Limits{
		HeadBytes:      l.Head,
		Parse:          bytesparse.Limits{Fields: l.Fields, Target: l.Target},
		ChunkLineBytes: l.ChunkLine,
		ChunkOverhead:  l.ChunkOverhead,
		TrailerBytes:   l.Trailers,
		BodyBytes:      l.Body,
	}
}

// bodyRate returns bytes per second, 0 for no minimum.
func (l *Limits) bodyRate() int64 {
	if l.BodyRate == 0 {
		return defaultBodyRate
	}
	return max(0, int64(l.BodyRate))
}

func (l *Limits) connections() int64 {
	switch {
	case l.Connections == 0:
		return defaultConnections
	case l.Connections < 0:
		return math.MaxInt64 / 2
	}
	return int64(l.Connections)
}

func (l *Limits) drain() int64 {
	switch {
	case l.Drain == 0:
		return defaultDrain
	case l.Drain < 0:
		return math.MaxInt64
	}
	return l.Drain
}

func (l *Limits) suspended() int {
	switch {
	case l.Suspended == 0:
		return loop.DefaultMaxWorkers
	case l.Suspended < 0:
		return math.MaxInt
	}
	return l.Suspended
}

// Sockets configures the listening sockets that Listen opens. Its zero value is the default.
type Sockets struct {
	// DeferAccept makes the kernel hold back a TCP connection until its client has sent something
	// or 10 seconds have passed, where it can (Linux: TCP_DEFER_ACCEPT). It saves work where each
	// connection brings one request.
	DeferAccept bool
	// Mode is the mode of a unix socket's file; 0 leaves it to the umask. It takes effect before
	// anybody can connect, except on systems without an event loop, such as Windows, where the
	// umask's mode applies for an instant: there, use a directory that others cannot enter.
	Mode fs.FileMode
}

// Timeouts bounds how long a peer may take. Zero stands for the default, which is given with each
// field, and a negative duration for no timeout. They are kept by a coarse timing wheel: never
// early, and up to an eighth late.
type Timeouts struct {
	// Handshake bounds the TLS handshake, from the connection's beginning; 10 seconds.
	Handshake time.Duration
	Head      time.Duration // from a head's first byte (over TLS, the first byte of its record) to its last; 1 minute; beyond it 408
	Body      time.Duration // for the next bytes of a body that is being read; 2 minutes; then Read fails
	Write     time.Duration // for the peer to take more of an answer; 2 minutes
	Idle      time.Duration // between two requests (seed: server.timeout); 2 minutes
	// Inactive is how long nothing may be sent or received while a handler runs and does not wait
	// for its peer (seed: server.timeout); 2 minutes; beyond it the connection is cut. It is
	// checked only on Linux, on TCP connections served by a loop. A request leaves the deadline of
	// the idle connection in place, which costs nothing, and the first check is made at that: where
	// Idle is longer than Inactive, up to Idle after the request has begun. SetTimeout of a request
	// or response is checked at its own time.
	Inactive time.Duration
}

// ticks is Timeouts in milliseconds; zero is no timeout.
type ticks struct {
	head, idle, inactive, handshake int64
	body, write                     int32
	grace                           int64 // how long a body may be waited for before BodyRate applies
}

func (t *Timeouts) ticks() ticks {
	return ticks{
		head:      millis(t.Head, time.Minute),
		handshake: millis(t.Handshake, 10*time.Second),
		idle:      millis(t.Idle, 2*time.Minute),
		inactive:  millis(t.Inactive, 2*time.Minute),
		body:      int32(min(millis(t.Body, 2*time.Minute), math.MaxInt32)),
		grace:     bodyGrace,
		write:     int32(min(millis(t.Write, 2*time.Minute), math.MaxInt32)),
	}
}

func millis(d, byDefault time.Duration) int64 {
	switch {
	case d == 0:
		d = byDefault
	case d < 0:
		return 0
	}
	return max(1, d.Milliseconds())
}
