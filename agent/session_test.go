// Which TLS sessions may be resumed for whom.

package agent_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gale-http/gale/agent"
)

// A session does not carry an identity, or the result of a verification, from one
// configuration to another.
func TestSessionsAreNotShared(t *testing.T) {
	mismatch := errors.New("the pin does not match")
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close")
				fmt.Fprintf(w, "%d %v", len(r.TLS.PeerCertificates), r.TLS.DidResume)
			}))
			s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			roots := x509.NewCertPool()
			roots.AddCert(s.Certificate())
			refuse := func([][]byte, [][]*x509.Certificate) error { return mismatch }
			alice := &tls.Config{RootCAs: roots, Certificates: s.TLS.Certificates}
			nobody := &tls.Config{RootCAs: roots}
			pinned := &tls.Config{RootCAs: roots, VerifyPeerCertificate: refuse}
			a := newAgent(t, &agent.Agent{KeepAlive: true, TLS: &tls.Config{RootCAs: roots}})
			var accept error
			b := newAgent(t, &agent.Agent{TLS: &tls.Config{RootCAs: roots,
				VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error { return accept }}})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = s.URL
				for _, c := range []struct {
					config *tls.Config
					want   string
				}{{alice, "1 false"}, {nobody, "0 false"}, {nil, "0 false"}, {nil, "0 true"}, {alice, "1 false"}} {
					req.Route.TLS = c.config
					if _, body := ask(t, a, ctx, &req, &res); body != c.want {
						t.Errorf("%q, want %q", body, c.want)
					}
				}
				req.Route.TLS = pinned
				if err := a.Do(ctx, &req, &res); !errors.Is(err, mismatch) {
					t.Errorf("the pin was passed by: %v", err)
				}
				req.Route.TLS = nil
				ask(t, b, ctx, &req, &res)
				accept = mismatch
				if err := b.Do(ctx, &req, &res); !errors.Is(err, mismatch) {
					t.Errorf("the agent's pin was passed by: %v", err)
				}
			})
		})
	}
}
