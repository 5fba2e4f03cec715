// The plan of a run: everything that is known before it begins.

package main

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/sys"
)

// maxInFlight bounds the bytes of a batch of more than one request: they fit the
// kernel's buffers even when the server, itself waiting for us to read, takes
// none of them.
const maxInFlight = 64 << 10

type plan struct {
	url         string
	methodName  string
	addr        sys.Addr
	request     []byte // one request
	closes      bool   // it asks for the connection to be closed
	connections int
	loops       int
	depth       int
	requests    int64         // 0: no bound
	duration    time.Duration // 0: no bound
	timeout     time.Duration
	portable    bool // goroutines and package net, also where gale has a poller
}

func (p *plan) check() error {
	if p.depth > 1 && p.closes {
		return fmt.Errorf("-p %d: a request with Connection: close is the last one on its connection", p.depth)
	}
	if most := max(maxInFlight/len(p.request), 1); p.depth > most {
		return fmt.Errorf("-p %d: requests of %d bytes go out in batches of at most %d", p.depth, len(p.request), most)
	}
	return nil
}

func (p *plan) method() bytesparse.Method { return bytesparse.LookupMethod([]byte(p.methodName)) }

// batch is the requests that are written at once.
func (p *plan) batch() []byte { return bytes.Repeat(p.request, p.depth) }

// waitMillis is how long a connection waits for the next thing to happen.
func (p *plan) waitMillis() int32 {
	return int32(min(max(p.timeout.Milliseconds(), 1), math.MaxInt32))
}

// share is what shard i of n has to send.
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

// The limits of answers are the machine's defaults.
var limits h1.Limits
