// NewServer: a gale server in place of an http.Server that a program has already configured.

package nethttp

import (
	"errors"
	"net/http"

	"github.com/gale-http/gale/engine"
)

// errHooks reports settings that have no counterpart: ignoring them silently would be worse.
var errHooks = errors.New("gale: BaseContext, ConnContext, ConnState and TLSNextProto of an http.Server have no counterpart: use engine.Events")

// NewServer returns a gale server that serves as s would. It takes over Handler, ErrorLog,
// DisableGeneralOptionsHandler, MaxHeaderBytes (as Limits.Head) and the timeouts: ReadHeaderTimeout
// as Timeouts.Head and IdleTimeout as Timeouts.Idle, for both of which ReadTimeout stands in when
// they are zero, as in net/http; ReadTimeout and WriteTimeout as Timeouts.Body and Timeouts.Write,
// which bound each wait rather than the whole message. A timeout that is zero is gale's default,
// not unbounded; but a handler may be inactive for as long as it likes, as under net/http.
// TLSConfig, if it has certificates, becomes TLS: the server then uses TLS on all its listeners,
// and speaks HTTP/1 only.
//
// NewServer fails if BaseContext, ConnContext, ConnState or TLSNextProto is set. The fields of the
// result may be changed before it listens. Handlers find s as http.ServerContextKey; it is not used
// otherwise.
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
