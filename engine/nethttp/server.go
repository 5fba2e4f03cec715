// A gale server in the place of an http.Server that a program has configured already.

package nethttp

import (
	"errors"
	"net/http"

	"github.com/gale-http/gale/engine"
)

// errHooks is about what has no counterpart: silence would be worse.
var errHooks = errors.New("gale: BaseContext, ConnContext, ConnState and TLSNextProto of an http.Server have no counterpart: use engine.Events")

// NewServer returns a gale server that serves as s would. It takes over Handler,
// ErrorLog, DisableGeneralOptionsHandler, MaxHeaderBytes (as Limits.Head) and the
// timeouts: ReadHeaderTimeout as Timeouts.Head, IdleTimeout as Timeouts.Idle, each
// with ReadTimeout in its place as net/http has it; ReadTimeout and WriteTimeout as
// Timeouts.Body and Write, which bound each wait and not the whole. What is zero is
// gale's default, and not unbounded; but a handler may be silent for as long as it
// likes, as under net/http. TLSConfig, when it has certificates, becomes TLS: the
// server then speaks it on all its listeners, and HTTP/1 only. The fields of the result may be changed before it
// listens; s is what handlers find as http.ServerContextKey, and is not used
// otherwise. With BaseContext, ConnContext, ConnState or TLSNextProto set it fails.
func NewServer(s *http.Server) (*engine.Server, error) {
	if s.BaseContext != nil || s.ConnContext != nil || s.ConnState != nil || s.TLSNextProto != nil {
		return nil, errHooks
	}
	b := &bridge{server: s}
	g := &engine.Server{
		Handler:  b.serve,
		On:       engine.Events{ConnectRequest: b.serve},
		ErrorLog: s.ErrorLog,
		Limits:   engine.Limits{Head: s.MaxHeaderBytes},
		Timeouts: engine.Timeouts{
			Head:  s.ReadHeaderTimeout,
			Idle:  s.IdleTimeout,
			Body:  s.ReadTimeout,
			Write: s.WriteTimeout,

			Inactive: -1,
		},
	}
	if c := s.TLSConfig; c != nil && (len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil) {
		g.TLS = c
	}
	if g.Timeouts.Head == 0 {
		g.Timeouts.Head = s.ReadTimeout
	}
	if g.Timeouts.Idle == 0 {
		g.Timeouts.Idle = s.ReadTimeout
	}
	return g, nil
}
