// Every method of the package, called on the loop, by a handler that has lost its loop without
// knowing it, and on ordinary goroutines; with a note of what it does to the lease.

package agent_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// What a method does under the lease of a handler's loop (see internal/loop).
const (
	ownMemory = "touches the memory of its message alone"
	atomics   = "uses atomics, locks that nobody waits under, and messages to loops"
	reads     = "reads its own socket; a wait enters, or parks once the loop is lost"
	sends     = "writes to its own socket; a wait enters, or parks once the loop is lost"
	enters    = "enters for a socket or to give one back; shares them once the loop is lost"
)

// asking holds what the calls need.
type asking struct {
	t     *testing.T
	agent *agent.Agent
	ctx   context.Context
	url   string
}

// audited is one call: what it does under the lease, and the call itself.
type audited struct {
	way string
	do  func(a *asking)
}

func (a *asking) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Error(err)
	}
}

func onAgent(f func(*agent.Agent)) func(*asking) { return func(a *asking) { f(a.agent) } }

// onRequest makes a call on a request, which is then sent.
func onRequest(f func(q *agent.Request) error) func(*asking) {
	return func(a *asking) {
		q, res := agent.Request{URL: a.url}, agent.Response{}
		a.must(f(&q))
		a.must(a.agent.Do(a.ctx, &q, &res))
		a.must(res.Close())
	}
}

// onResponse makes a call on a response.
func onResponse(f func(res *agent.Response) error) func(*asking) {
	return func(a *asking) {
		res, err := a.agent.Get(a.ctx, a.url)
		if err != nil {
			a.t.Error(err)
			return
		}
		a.must(f(res))
		a.must(res.Close())
	}
}

// onClient makes a call on a ClientRequest, which is then ended, and its response read.
func onClient(f func(c *agent.ClientRequest) error) func(*asking) {
	return func(a *asking) {
		c := a.agent.NewRequest(a.ctx, &agent.Request{URL: a.url, Method: "POST"})
		a.must(f(c))
		if res, err := c.Response(); err == nil {
			_, err = io.Copy(io.Discard, res)
			a.must(err)
		}
		_ = c.Close()
	}
}

// onSocket makes a call on the socket of a request.
func onSocket(f func(s *agent.Socket)) func(*asking) {
	return func(a *asking) {
		q, res := agent.Request{URL: a.url}, agent.Response{}
		q.On.Socket = f
		a.must(a.agent.Do(a.ctx, &q, &res))
		_ = res.Close()
	}
}

func walk[K, V any](all func(func(K, V) bool)) {
	for range all {
	}
}

var calls = map[string]map[string]audited{
	"Agent": {
		"CloseFreeSockets": {atomics, onAgent((*agent.Agent).CloseFreeSockets)},
		"Destroy":          {atomics, func(a *asking) { newAgent(a.t, new(agent.Agent)).Destroy() }},
		"Do":               {enters, onRequest(func(*agent.Request) error { return nil })},
		"FreeSockets":      {atomics, onAgent(func(a *agent.Agent) { a.FreeSockets() })},
		"Get":              {enters, onResponse(func(*agent.Response) error { return nil })},
		"GetName": {ownMemory, func(a *asking) {
			_, err := a.agent.GetName(&agent.Request{URL: a.url})
			a.must(err)
		}},
		"NewRequest": {ownMemory, onClient(func(*agent.ClientRequest) error { return nil })},
		"Requests":   {atomics, onAgent(func(a *agent.Agent) { a.Requests() })},
		"Sockets":    {atomics, onAgent(func(a *agent.Agent) { a.Sockets() })},
	},
	"Request": {
		"AddHeader":      {ownMemory, onRequest(func(q *agent.Request) error { return q.AddHeader("X", "y") })},
		"AddHeaderBytes": {ownMemory, onRequest(func(q *agent.Request) error { return q.AddHeaderBytes([]byte("X"), []byte("y")) })},
		"AddTrailers":    {ownMemory, onRequest(func(q *agent.Request) error { return q.AddTrailers("X", "y") })},
		"ClearHeaders":   {ownMemory, onRequest(func(q *agent.Request) error { q.ClearHeaders(); return nil })},
		"Forward":        {ownMemory, nil}, // needs a received request: forward_test.go
		"GetHeader":      {ownMemory, onRequest(func(q *agent.Request) error { q.GetHeader("X"); return nil })},
		"RemoveHeader":   {ownMemory, onRequest(func(q *agent.Request) error { q.RemoveHeader("X"); return nil })},
		"SetHeader":      {ownMemory, onRequest(func(q *agent.Request) error { return q.SetHeader("X", "y") })},
		"SetPath":        {ownMemory, onRequest(func(q *agent.Request) error { q.SetPath([]byte("/path")); return nil })},
	},
	"Response": {
		"Close":            {enters, onResponse((*agent.Response).Close)},
		"ContentLength":    {ownMemory, onResponse(func(r *agent.Response) error { r.ContentLength(); return nil })},
		"HTTPVersion":      {ownMemory, onResponse(func(r *agent.Response) error { r.HTTPVersion(); return nil })},
		"HTTPVersionMajor": {ownMemory, onResponse(func(r *agent.Response) error { r.HTTPVersionMajor(); return nil })},
		"HTTPVersionMinor": {ownMemory, onResponse(func(r *agent.Response) error { r.HTTPVersionMinor(); return nil })},
		"Header":           {ownMemory, onResponse(func(r *agent.Response) error { r.Header("Date"); return nil })},
		"Headers":          {ownMemory, onResponse(func(r *agent.Response) error { walk(r.Headers()); return nil })},
		"KeepsAlive":       {ownMemory, onResponse(func(r *agent.Response) error { r.KeepsAlive(); return nil })},
		"RawHeaders":       {ownMemory, onResponse(func(r *agent.Response) error { walk(r.RawHeaders()); return nil })},
		"RawTrailers":      {ownMemory, onResponse(func(r *agent.Response) error { walk(r.RawTrailers()); return nil })},
		"Read": {reads, onResponse(func(r *agent.Response) error {
			_, err := r.Read(make([]byte, 1))
			return err
		})},
		"Received":      {ownMemory, onResponse(func(r *agent.Response) error { r.Received(); return nil })},
		"SetTimeout":    {ownMemory, onResponse(func(r *agent.Response) error { r.SetTimeout(simnet.Patience); return nil })},
		"StatusCode":    {ownMemory, onResponse(func(r *agent.Response) error { r.StatusCode(); return nil })},
		"StatusMessage": {ownMemory, onResponse(func(r *agent.Response) error { r.StatusMessage(); return nil })},
		"TLS":           {ownMemory, onResponse(func(r *agent.Response) error { r.TLS(); return nil })},
		"Trailers":      {ownMemory, onResponse(func(r *agent.Response) error { walk(r.Trailers()); return nil })},
		"WriteTo": {reads, onResponse(func(r *agent.Response) error {
			_, err := r.WriteTo(io.Discard)
			return err
		})},
	},
	"ClientRequest": {
		"Abort":        {atomics, onClient(func(c *agent.ClientRequest) error { c.Abort(); return nil })},
		"AddTrailers":  {ownMemory, onClient(func(c *agent.ClientRequest) error { return c.AddTrailers("X", "y") })},
		"Close":        {enters, onClient(func(*agent.ClientRequest) error { return nil })},
		"End":          {enters, onClient(func(c *agent.ClientRequest) error { return c.End([]byte("end")) })},
		"FlushHeaders": {enters, onClient((*agent.ClientRequest).FlushHeaders)},
		"GetHeader":    {ownMemory, onClient(func(c *agent.ClientRequest) error { c.GetHeader("X"); return nil })},
		"Receive": {reads, onClient(func(c *agent.ClientRequest) error {
			if err := errors.Join(c.SetHeader("X-Early", "y"), c.FlushHeaders()); err != nil {
				return err
			}
			_, err := c.Receive() // the response comes before the body is sent
			return err
		})},
		"RemoveHeader":       {ownMemory, onClient(func(c *agent.ClientRequest) error { c.RemoveHeader("X"); return nil })},
		"Response":           {enters, onClient(func(*agent.ClientRequest) error { return nil })},
		"SetHeader":          {ownMemory, onClient(func(c *agent.ClientRequest) error { return c.SetHeader("X", "y") })},
		"SetNoDelay":         {atomics, onClient(func(c *agent.ClientRequest) error { c.SetNoDelay(true); return nil })},
		"SetSocketKeepAlive": {atomics, onClient(func(c *agent.ClientRequest) error { c.SetSocketKeepAlive(true, 1000); return nil })},
		"SetTimeout":         {ownMemory, onClient(func(c *agent.ClientRequest) error { c.SetTimeout(time.Minute); return nil })},
		"Write": {sends, onClient(func(c *agent.ClientRequest) error {
			_, err := c.Write(make([]byte, 1<<20))
			return err
		})},
	},
	"Socket": {
		"Detach":       {atomics, onSocket((*agent.Socket).Detach)},
		"LocalAddr":    {ownMemory, onSocket(func(s *agent.Socket) { s.LocalAddr() })},
		"NetConn":      {ownMemory, onSocket(func(s *agent.Socket) { s.NetConn() })},
		"RemoteAddr":   {ownMemory, onSocket(func(s *agent.Socket) { s.RemoteAddr() })},
		"Reused":       {ownMemory, onSocket(func(s *agent.Socket) { s.Reused() })},
		"SetKeepAlive": {sends, onSocket(func(s *agent.Socket) { s.SetKeepAlive(true, 1000) })},
		"SetNoDelay":   {sends, onSocket(func(s *agent.Socket) { s.SetNoDelay(true) })},
		"TLS":          {ownMemory, onSocket(func(s *agent.Socket) { s.TLS() })},
	},
}

// Whoever adds a method has to audit it here.
func TestEveryCallIsAudited(t *testing.T) {
	for _, of := range []any{(*agent.Agent)(nil), (*agent.Request)(nil), (*agent.Response)(nil), (*agent.ClientRequest)(nil), (*agent.Socket)(nil)} {
		its := reflect.TypeOf(of)
		rows := calls[its.Elem().Name()]
		for i := range its.NumMethod() {
			if name := its.Method(i).Name; !slices.Contains([]string{ownMemory, atomics, reads, sends, enters}, rows[name].way) {
				t.Errorf("%v: nobody has said what %s does under the lease", its, name)
			}
		}
		if len(rows) != its.NumMethod() {
			t.Errorf("%v has %d methods, and %d rows", its, its.NumMethod(), len(rows))
		}
	}
}

// lost is one more way: a handler that has lost its loop without knowing it.
var lost = way{"handler without its loop", func(t *testing.T, fn func(context.Context)) {
	s := &engine.Server{Loops: 1, Dispatch: engine.Inline}
	inHandler(t, s, func(ctx context.Context) {
		for s.Stats().TakenOver == 0 { // it computes
			runtime.Gosched()
		}
		fn(ctx)
	})
}}

// TestEveryCallEverywhere makes all of them.
func TestEveryCallEverywhere(t *testing.T) {
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Early") != "" {
			_ = http.NewResponseController(w).EnableFullDuplex()
		} else {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_, _ = io.WriteString(w, strings.Repeat("answer", 1000))
	})
	for _, w := range append(ways(), lost) {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			a := &asking{t: t, agent: newAgent(t, &agent.Agent{KeepAlive: true}), url: server.URL}
			w.call(t, func(ctx context.Context) {
				a.ctx = ctx
				for _, rows := range calls {
					for _, row := range rows {
						if row.do != nil {
							row.do(a)
						}
					}
				}
			})
		})
	}
}
