// The path of one request through an http.Handler: what is made for it, and what is taken back when
// the handler returns, panics or calls runtime.Goexit.

package nethttp

import (
	"net/http"
	"net/url"

	"github.com/gale-http/gale/engine"
)

// Handler returns an engine.Handler that lets h answer; nil stands for http.DefaultServeMux. The
// result may be called by any number of goroutines at once, which then call h.
func Handler(h http.Handler) engine.Handler {
	b := &bridge{server: &http.Server{Handler: h}}
	return b.serve
}

// bridge is what all requests to one http.Handler share.
type bridge struct {
	server *http.Server // what handlers find as http.ServerContextKey
}

// transaction is one request and its response, allocated together. The handler may keep parts of it
// for ever; its references to the engine's objects end with the handler.
type transaction struct {
	body     body
	response response
	context  requestContext
	url      url.URL
	values   [16]string // the values of the first fields
}

func (b *bridge) serve(req *engine.Request, res *engine.Response) {
	t := new(transaction)
	t.context.init(req, b.server)
	r, err := newRequest(req, t)
	if err != nil {
		refuse(res)
		return
	}
	t.response.init(r, &t.body, req, res)
	returned := false
	defer func() {
		if returned {
			return
		}
		t.release()
		switch value := recover(); value {
		case nil: // runtime.Goexit
		case http.ErrAbortHandler:
			panic(engine.ErrAbort)
		default:
			panic(value)
		}
	}()
	b.handler(r).ServeHTTP(&t.response, r)
	t.response.finish()
	t.release()
	returned = true
}

// release takes back what belongs to the engine, from the handler and from goroutines it has
// started.
func (t *transaction) release() {
	t.response.release()
	t.body.release()
	t.context.release()
}

// handler returns the handler that answers r, chosen as http.Server does.
func (b *bridge) handler(r *http.Request) http.Handler {
	if r.RequestURI == "*" && r.Method == http.MethodOptions && !b.server.DisableGeneralOptionsHandler {
		return generalOptions
	}
	if b.server.Handler == nil {
		return http.DefaultServeMux
	}
	return b.server.Handler
}

// generalOptions answers OPTIONS *, which asks about the server as a whole (RFC
// 9110 §9.3.7).
var generalOptions http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "0")
})

// refuse answers a request that net/http cannot represent.
func refuse(res *engine.Response) {
	_ = res.WriteHead(http.StatusBadRequest, "", "Connection", "close", "Content-Type", "text/plain; charset=utf-8")
	_ = res.EndString("400 Bad Request")
}
