// The context of one request. It ends with the connection's context, and when the handler returns.
// Most handlers never use it, so it costs nothing until they do.

package nethttp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gale-http/gale/engine"
)

// requestContext is a context.Context that makes the actual context at its first use.
type requestContext struct {
	server *http.Server

	mu     sync.Mutex
	req    *engine.Request // nil once the handler has returned
	inner  context.Context // nil until the first use
	cancel context.CancelFunc
}

func (c *requestContext) init(req *engine.Request, s *http.Server) { c.req, c.server = req, s }

// made returns the inner context, and makes it at the first call.
func (c *requestContext) made() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		parent := context.Background()
		if c.req != nil {
			parent = c.req.Context()
		}
		c.inner, c.cancel = context.WithCancel(parent)
		if c.req == nil {
			c.cancel()
		}
	}
	return c.inner
}

// release ends the context.
func (c *requestContext) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.req = nil
	if c.cancel != nil {
		c.cancel()
	}
}

// local returns the local address of the connection. The caller holds c.mu.
func (c *requestContext) local() any {
	if c.req == nil {
		return nil
	}
	return c.req.Socket().LocalAddr()
}

// Deadline implements context.Context: there is none.
func (c *requestContext) Deadline() (deadline time.Time, ok bool) { return }

// Done implements context.Context.
func (c *requestContext) Done() <-chan struct{} { return c.made().Done() }

// Err implements context.Context.
func (c *requestContext) Err() error { return c.made().Err() }

// Value implements context.Context, with the values that http.Server sets.
func (c *requestContext) Value(key any) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch key {
	case http.ServerContextKey:
		return c.server
	case http.LocalAddrContextKey:
		return c.local()
	}
	if c.inner == nil {
		return nil // the connection's context has no values
	}
	return c.inner.Value(key)
}
