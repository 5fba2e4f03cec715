// The plan of a run: everything that is known before it starts.

package main

import (
	"crypto/tls"
	"fmt"
	"math"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/sys"
)

// maxInFlight bounds the bytes of a batch of more than one request: they fit into the
// kernel's buffers even when the server reads none of them because it waits for us to read.
const maxInFlight = 64 << 10

type plan struct {
	methodName  string
	addr        sys.Addr
	tls         *tls.Config // nil: plain
	classes     []class
	connections int
	loops       int
	depth       int
	per         int           // requests on a connection; 0: no bound
	rate        float64       // requests per second, due at fixed instants; 0: each due when the previous one is answered
	requests    int64         // 0: no bound
	duration    time.Duration // 0: no bound
	timeout     time.Duration
	bounds      []bound
	portable    bool // use goroutines and package net even where gale has a poller
}

func (p *plan) check() error {
	longest := 0
	for i := range p.classes {
		c := &p.classes[i]
		longest = max(longest, len(c.request), len(c.last))
		if c.closes && p.depth > 1 {
			return fmt.Errorf("-p %d: a request with Connection: close is the last one on its connection", p.depth)
		}
		if c.closes && p.per > 1 {
			return fmt.Errorf("-per %d: a request with Connection: close is the last one on its connection", p.per)
		}
	}
	if most := max(maxInFlight/longest, 1); p.depth > most {
		return fmt.Errorf("-p %d: requests of %d bytes go out in batches of at most %d", p.depth, longest, most)
	}
	return nil
}

func (p *plan) method() bytesparse.Method { return bytesparse.LookupMethod([]byte(p.methodName)) }

// url describes the target in a few words.
func (p *plan) url() string {
	if len(p.classes) == 1 {
		return p.classes[0].url
	}
	return fmt.Sprintf("%s and %d more", p.classes[0].url, len(p.classes)-1)
}

// waitMillis returns the timeout of a connection's waits in milliseconds.
func (p *plan) waitMillis() int32 {
	return int32(min(max(p.timeout.Milliseconds(), 1), math.MaxInt32))
}

// share returns the number of requests that shard i of n has to send.
func (p *plan) share(i, n int) int64 {
	if p.requests == 0 {
		return unlimited
	}
	share := p.requests / int64(n)
	if int64(i) < p.requests%int64(n) {
		share++
	}
	return share
}

// limits are the limits for answers: the machine's defaults.
var limits h1.Limits
