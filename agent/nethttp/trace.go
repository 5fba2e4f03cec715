// Client traces: net/http's hooks on top of the agent's.

package nethttp

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"

	"github.com/gale-http/gale/agent"
)

// trace connects a client trace to the request. When the trace rejects an interim response,
// its error is stored in refused, and stop is called.
func (x *exchange) trace(t *httptrace.ClientTrace, r *http.Request, stop context.CancelFunc) (refused *error) {
	refused = new(error)
	if t == nil {
		return refused
	}
	if t.GetConn != nil {
		port := r.URL.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[r.URL.Scheme]
		}
		t.GetConn(net.JoinHostPort(r.URL.Hostname(), port))
	}
	on, expects := &x.req.On, r.Header.Get("Expect") != ""
	if t.GotConn != nil {
		on.Socket = func(s *agent.Socket) {
			t.GotConn(httptrace.GotConnInfo{Conn: s.NetConn(), Reused: s.Reused(), WasIdle: s.Reused()})
		}
	}
	on.Information = func(res *agent.Response) {
		if t.Got1xxResponse == nil || *refused != nil {
			return
		}
		header := make(textproto.MIMEHeader)
		for name, value := range res.RawHeaders() {
			header.Add(string(name), string(value))
		}
		if *refused = t.Got1xxResponse(res.StatusCode(), header); *refused != nil {
			stop()
		}
	}
	on.Continue = func() {
		if t.Got100Continue != nil && expects {
			t.Got100Continue()
		}
		on.Information(&x.res)
	}
	on.Trace = &agent.Trace{
		FirstByte:      t.GotFirstResponseByte,
		HandshakeStart: t.TLSHandshakeStart,
		WroteHead: func() {
			if t.WroteHeaders != nil {
				t.WroteHeaders()
			}
			if t.Wait100Continue != nil && expects {
				t.Wait100Continue()
			}
		},
	}
	if t.WroteRequest != nil {
		on.Trace.WroteRequest = func(err error) { t.WroteRequest(httptrace.WroteRequestInfo{Err: err}) }
	}
	if t.TLSHandshakeDone != nil {
		on.Trace.HandshakeDone = func(state tls.ConnectionState, err error) { t.TLSHandshakeDone(state, err) }
	}
	if t.DNSStart != nil {
		on.Trace.ResolveStart = func(host string) { t.DNSStart(httptrace.DNSStartInfo{Host: host}) }
	}
	if t.DNSDone != nil {
		on.Trace.ResolveDone = func(found []netip.Addr, err error) {
			info := httptrace.DNSDoneInfo{Err: err}
			for _, ip := range found {
				info.Addrs = append(info.Addrs, net.IPAddr{IP: ip.AsSlice(), Zone: ip.Zone()})
			}
			t.DNSDone(info)
		}
	}
	return refused
}
