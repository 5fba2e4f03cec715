// The hazards of handlers, in the functions of a tls.Config, which the handshakes of a
// server call, and in the event behind them.

package engine_test

import (
	"crypto/tls"
	"io"
	"log"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
)

// shakers have fn called in each handshake of the server.
var shakers = map[string]func(s *engine.Server, fn func()){
	"GetCertificate": func(s *engine.Server, fn func()) {
		cert := s.TLS.Certificates[0]
		s.TLS.Certificates = nil
		s.TLS.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { fn(); return &cert, nil }
	},
	"GetConfigForClient": func(s *engine.Server, fn func()) {
		s.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { fn(); return nil, nil }
	},
	"VerifyConnection": func(s *engine.Server, fn func()) {
		s.TLS.VerifyConnection = func(tls.ConnectionState) error { fn(); return nil }
	},
	"Connection": func(s *engine.Server, fn func()) { s.On.Connection = func(*engine.Socket) { fn() } },
}

// eachShaker is eachEvent for what handshakes call.
func eachShaker(t *testing.T, d driver, test func(t *testing.T, s *server, armed *atomic.Pointer[func()], provoke func())) {
	for name, shaker := range shakers {
		t.Run(name, func(t *testing.T) {
			var armed atomic.Pointer[func()]
			s := prepareTLS(t, d, hello)
			s.ErrorLog = log.New(io.Discard, "", 0)
			shaker(s.Server, func() {
				if do := armed.Swap(nil); do != nil {
					(*do)()
				}
			})
			s.over = s.client
			s.listen()
			test(t, s.server, &armed, func() {
				c := tls.Client(s.dial().Conn, s.client)
				go func() { _ = c.Handshake() }() // it may not come to an end
			})
		})
	}
}

func TestHandshakesMayFail(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) { eachShaker(t, d, mayFail) })
}

// TestHandshakesMayNeverReturn: Shutdown ends by its deadline.
func TestHandshakesMayNeverReturn(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) { eachShaker(t, d, mayNeverReturn) })
}
