// Name lookup: one for all callers that ask at the same time, cached for a while.

package agent

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/gale-http/gale/internal/loop"
)

var errNoAddress = errors.New("no address of the family that is wanted")

const (
	keepNames = 30_000 // milliseconds
	maxNames  = 1024
)

// resolver caches the addresses of names. Its zero value is ready.
type resolver struct {
	mu    sync.Mutex
	names map[string]*lookupResult
}

// lookupResult is the result of a lookup, valid once done is closed.
type lookupResult struct {
	done  chan struct{}
	ips   []netip.Addr
	err   error
	until int64
}

// lookup returns the addresses of a host. Failures are not cached.
func (r *resolver) lookup(host string, timeout int64) ([]netip.Addr, error) {
	r.mu.Lock()
	a := r.names[host]
	if a == nil || a.until != 0 && a.until < loop.Millis() {
		if r.names == nil || len(r.names) >= maxNames {
			r.names = make(map[string]*lookupResult)
		}
		a = &lookupResult{done: make(chan struct{})}
		r.names[host] = a
		go r.ask(a, host, timeout)
	}
	r.mu.Unlock()
	<-a.done
	return a.ips, a.err
}

func (r *resolver) ask(a *lookupResult, host string, timeout int64) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, duration(timeout))
	}
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	r.mu.Lock()
	defer r.mu.Unlock()
	a.ips, a.err, a.until = ips, err, loop.Millis()+keepNames
	if err != nil && r.names[host] == a {
		delete(r.names, host)
	}
	close(a.done)
}

func duration(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

func itoa(n int) string { return strconv.Itoa(n) }
