// What user code may do in the functions of a tls.Config, which the handshakes of a server call,
// and in what runs after them.

package engine_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"log"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// shaker has fn called in each handshake of the server; client says what its client must be.
type shaker struct {
	serve  func(s *engine.Server, fn func())
	client func(t *testing.T, s *secure, c *tls.Config)
}

// shakers cause every call that a handshake makes, except that of KeyLogWriter: crypto/tls writes
// to all of a process's under one lock, which it does not release when one panics.
var shakers = map[string]shaker{
	"GetCertificate": {serve: func(s *engine.Server, fn func()) {
		cert := s.TLS.Certificates[0]
		s.TLS.Certificates = nil
		s.TLS.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { fn(); return &cert, nil }
	}},
	"GetConfigForClient": {serve: func(s *engine.Server, fn func()) {
		s.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { fn(); return nil, nil }
	}},
	"VerifyConnection": {serve: func(s *engine.Server, fn func()) {
		s.TLS.VerifyConnection = func(tls.ConnectionState) error { fn(); return nil }
	}},
	"VerifyPeerCertificate": {
		serve: func(s *engine.Server, fn func()) {
			s.TLS.ClientAuth = tls.RequestClientCert
			s.TLS.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { fn(); return nil }
		},
		client: func(t *testing.T, s *secure, c *tls.Config) {
			c.Certificates = []tls.Certificate{s.authority.Issue(t, "alice")}
		},
	},
	"GetEncryptedClientHelloKeys": {
		serve: func(s *engine.Server, fn func()) {
			s.TLS.GetEncryptedClientHelloKeys = func(*tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) { fn(); return nil, nil }
		},
		client: func(t *testing.T, _ *secure, c *tls.Config) { c.EncryptedClientHelloConfigList = helloConfigs(t) },
	},
	"WrapSession": {
		serve: func(s *engine.Server, fn func()) {
			s.TLS.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
				fn()
				return s.TLS.EncryptTicket(cs, ss)
			}
		},
		client: func(_ *testing.T, _ *secure, c *tls.Config) {
			c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		},
	},
	"UnwrapSession": {
		serve: func(s *engine.Server, fn func()) {
			s.TLS.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { fn(); return nil, nil }
		},
		client: func(_ *testing.T, s *secure, c *tls.Config) {
			c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			s.dialTLS(c).get("/", "hello") // and has a ticket
		},
	},
	"Time": {serve: func(s *engine.Server, fn func()) {
		s.TLS.Time = func() time.Time { fn(); return time.Now() }
	}},
	"Rand": {serve: func(s *engine.Server, fn func()) { s.TLS.Rand = callRand(fn) }},
	"a signer": {serve: func(s *engine.Server, fn func()) {
		cert := &s.TLS.Certificates[0]
		cert.PrivateKey = callSigner{cert.PrivateKey.(crypto.Signer), fn}
	}},
	"NextProto": {
		serve: func(s *engine.Server, fn func()) {
			s.NextProto = map[string]func(*tls.Conn){"other": func(c *tls.Conn) {
				fn()
				_ = c.Close()
			}}
		},
		client: func(_ *testing.T, _ *secure, c *tls.Config) { c.NextProtos = []string{"other"} },
	},
	"Connection": {serve: func(s *engine.Server, fn func()) { s.On.Connection = func(*engine.Socket) { fn() } }},
}

// clients are the functions of a tls.Config that only clients call.
var clients = []string{"GetClientCertificate", "EncryptedClientHelloRejectionVerify"}

// callRand is a source of random bytes that calls a function first.
type callRand func()

func (fn callRand) Read(p []byte) (int, error) {
	fn()
	return rand.Read(p)
}

// callSigner signs as another, and calls a function first.
type callSigner struct {
	crypto.Signer
	fn func()
}

func (s callSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.fn()
	return s.Signer.Sign(rand, digest, opts)
}

// helloConfigs is what a client encrypts its first words for (RFC 9849 §4), with a key that nobody
// has.
func helloConfigs(t *testing.T) []byte {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sized := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	const name = "gale.test"
	contents := append([]byte{1, 0, 0x20}, sized(key.PublicKey().Bytes())...)       // id, DHKEM(X25519)
	contents = append(contents, 0, 4, 0, 1, 0, 1)                                   // HKDF-SHA256, AES-128-GCM
	contents = append(append(append(contents, 32, byte(len(name))), name...), 0, 0) // no extensions
	return sized(append([]byte{0xfe, 0x0d}, sized(contents)...))
}

// TestEveryFunctionOfTLS: a tls.Config has no function that is not in the table.
func TestEveryFunctionOfTLS(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[tls.Config]()) {
		if _, known := shakers[f.Name]; f.Type.Kind() == reflect.Func && !known && !slices.Contains(clients, f.Name) {
			t.Errorf("nothing provokes %s", f.Name)
		}
	}
}

// eachShaker is eachEvent for what handshakes call.
func eachShaker(t *testing.T, d driver, test func(t *testing.T, s *server, armed *atomic.Pointer[func()], provoke func())) {
	for name, shaker := range shakers {
		t.Run(name, func(t *testing.T) {
			var armed atomic.Pointer[func()]
			s := prepareTLS(t, d, hello)
			s.ErrorLog = log.New(io.Discard, "", 0)
			shaker.serve(s.Server, func() {
				if do := armed.Swap(nil); do != nil {
					(*do)()
				}
			})
			s.over = s.client
			s.listen()
			test(t, s.server, &armed, func() {
				config := s.client.Clone()
				if shaker.client != nil {
					shaker.client(t, s, config)
				}
				c := tls.Client(s.dial().Conn, config)
				go func() { _ = c.Handshake() }() // it may not come to an end
			})
		})
	}
}

func TestHandshakesMayFail(t *testing.T) {
	simnet.KeepProcs(t)
	allDrivers(t, func(t *testing.T, d driver) { eachShaker(t, d, mayFail) })
}

// TestHandshakesMayNeverReturn: Shutdown ends by its deadline.
func TestHandshakesMayNeverReturn(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) { eachShaker(t, d, mayNeverReturn) })
}
