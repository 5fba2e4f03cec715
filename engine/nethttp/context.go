// The context of one request: it ends with the connection's, and when the handler
// returns. Most handlers never look at it, so it costs nothing until they do.

package nethttp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gale-http/gale/engine"
)

// requestContext is a context.Context that is made at first sight.
type requestContext struct {
	server *http.Server

	mu     sync.Mutex
	req    *engine.Request // nil once the handler has returned
	inner  context.Context // nil until somebody looks
	cancel context.CancelFunc
}

func (c *requestContext) init(req *engine.Request, s *http.Server) { c.req, c.server = req, s }

// made returns the context that does the work.
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

// local returns the server's address of the connection.
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

// Value implements context.Context. It has what http.Server puts there.
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
