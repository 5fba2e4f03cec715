// TLS: certificates are verified unless that is switched off, handshakes are full, and everything
// else is as without it.

package main

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// tlsServer answers over TLS, and counts requests, and handshakes by whether they resumed a
// session.
type tlsServer struct {
	*httptest.Server
	served, resumed atomic.Int64
	ca              string // file with its certificate
}

func newTLSServer(t *testing.T, version uint16) *tlsServer {
	t.Helper()
	s := new(tlsServer)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.served.Add(1)
		if r.TLS.DidResume {
			s.resumed.Add(1)
		}
		_, _ = io.Copy(w, r.Body)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // some handshakes are meant to fail
	s.TLS = &tls.Config{MinVersion: version, MaxVersion: version}
	s.StartTLS()
	t.Cleanup(s.Close)
	s.ca = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(s.ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTLS(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := newTLSServer(t, version)
			for _, flags := range []string{"-c 4", "-c 4 -p 5", "-c 4 -per 1", "-c 3 -per 7", "-c 4 -t 2 -r 1000", "-c 2 -per 2 -r 1000", "-c 2 -b " + strings.Repeat("x", 40000)} {
				s.served.Store(0)
				res := load(t, portable, append(strings.Fields(flags), "-cacert", s.ca, "-n", "60", s.URL)...)
				if res.total.answers != 60 || res.total.statuses[200] != 60 || s.served.Load() != 60 {
					t.Errorf("%.20s: %d answers, %d served", flags, res.total.answers, s.served.Load())
				}
				if strings.Contains(flags, "-per 1") && res.connects != 60 {
					t.Errorf("%s: %d connects", flags, res.connects)
				}
				wantErrors(t, res, nil)
			}
			if n := s.resumed.Load(); n > 0 {
				t.Errorf("%d requests on sessions that were taken up again", n)
			}
		}
	})
}

func TestCertificatesAreVerified(t *testing.T) {
	s := newTLSServer(t, tls.VersionTLS13)
	code, _, stderr := runProgram(t, "-n", "10", s.URL)
	if code != exitUsage || !strings.Contains(stderr, "certificate") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("unknown authority: exit code %d, %q", code, stderr)
	}
	if code, _, stderr := runProgram(t, "-n", "10", "-c", "2", "-insecure", s.URL); code != exitDone {
		t.Errorf("-insecure: exit code %d, %q", code, stderr)
	}
	if code, _, stderr := runProgram(t, "-n", "10", "-c", "2", "-cacert", s.ca, s.URL); code != exitDone {
		t.Errorf("-cacert: exit code %d, %q", code, stderr)
	}
	// The certificate is for 127.0.0.1 and example.com, not for this name.
	other := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	if code, _, stderr := runProgram(t, "-n", "10", "-cacert", s.ca, other); code != exitUsage || !strings.Contains(stderr, "localhost") {
		t.Errorf("another name: exit code %d, %q", code, stderr)
	}
}

func TestPlainServerForHTTPS(t *testing.T) {
	url := strings.Replace(rawServer(t, alwaysSays(ok)), "http://", "https://", 1)
	code, _, stderr := runProgram(t, "-n", "10", "-timeout", "500ms", url)
	if code != exitUsage || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "cannot reach https://") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestHandshakesThatFailAreCounted(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		s := newTLSServer(t, tls.VersionTLS13)
		p := planOf(t, portable, "-cacert", s.ca, "-c", "2", "-d", "1m", s.URL)
		p.tls.RootCAs = nil
		p.tls.ServerName = "somewhere.else"
		res, err := measure(t.Context(), p, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		handshakes := int64(0)
		for k, n := range res.errors {
			if strings.HasPrefix(string(k), "handshake: ") {
				handshakes += n
			}
		}
		if res.ending != endDied || handshakes < 2*giveUpAfter || res.total.answers != 0 {
			t.Errorf("ended by %s, %d answers, errors %v", res.ending, res.total.answers, res.errors)
		}
	})
}

func TestLatencyOfAFirstRequestIncludesTheHandshake(t *testing.T) {
	const pause = 60 * time.Millisecond
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		time.Sleep(pause) // sleep: a slow handshake is the subject
		return nil, nil
	}}
	s.StartTLS()
	defer s.Close()
	if res := load(t, false, "-insecure", "-c", "1", "-n", "2", "-per", "1", s.URL); res.total.latency.Min() < int64(pause) {
		t.Errorf("-per 1: an answer after %v", time.Duration(res.total.latency.Min()))
	}
	if res := load(t, false, "-insecure", "-c", "1", "-n", "2", s.URL); res.total.latency.Min() >= int64(pause) {
		t.Errorf("an answer after %v", time.Duration(res.total.latency.Min()))
	}
}
