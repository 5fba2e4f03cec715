// The proxy: the request goes on to the upstream on the handler's own loop, and its
// answer back, field by field.

package main

import (
	"io"
	"strconv"
	"sync"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/engine"
)

type proxy struct {
	target string
	agent  agent.Agent
	trips  sync.Pool // of *trip
}

// trip is one exchange with the upstream, used again and again.
type trip struct {
	req         agent.Request
	res         agent.Response
	there, back fields
}

func newProxy(upstream string) *proxy {
	p := &proxy{target: "http://" + upstream + "/", agent: agent.Agent{KeepAlive: true}}
	p.trips.New = func() any { return new(trip) }
	return p
}

func (p *proxy) serve(req *engine.Request, res *engine.Response) {
	t := p.trips.Get().(*trip)
	defer p.trips.Put(t)
	t.req.URL = p.target
	t.req.Method = req.Method()
	t.req.ClearHeaders()
	t.there.forward(req.RawHeaders(), t.req.SetHeader)
	if err := p.agent.Do(req.Context(), &t.req, &t.res); err != nil {
		_ = res.SetStatus(502)
		return
	}
	defer t.res.Close()
	_ = res.SetStatus(t.res.StatusCode())
	t.back.forward(t.res.RawHeaders(), res.SetHeader)
	if n := t.res.ContentLength(); n >= 0 {
		_ = res.SetHeader("Content-Length", strconv.FormatInt(n, 10))
	}
	_, _ = io.Copy(res, &t.res) // a body that is cut short is cut short for the client, too
}

// fields remembers the lines of the last message: most of them come again, and then no
// string has to be made.
type fields struct{ names, values []string }

// forward sets those lines that are not about the connection.
func (f *fields) forward(lines func(func(name, value []byte) bool), set func(string, ...string) error) {
	i := 0
	for name, value := range lines {
		if i == len(f.names) {
			f.names, f.values = append(f.names, ""), append(f.values, "")
		}
		if string(name) != f.names[i] {
			f.names[i] = string(name)
		}
		if string(value) != f.values[i] {
			f.values[i] = string(value)
		}
		if !hop(f.names[i]) {
			_ = set(f.names[i], f.values[i]) // it came through a parser that lets nothing else through
		}
		i++
	}
}

// hop tells whether a field is about the connection, or made anew.
func hop(name string) bool {
	for _, h := range [...]string{"connection", "host", "content-length", "date", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"} {
		if bytesparse.EqualFold(name, h) {
			return true
		}
	}
	return false
}
