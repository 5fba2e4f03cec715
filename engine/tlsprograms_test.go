// Real programs that speak TLS: curl, openssl, Node.

package engine_test

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// pemFiles writes a certificate, its key and its issuer's certificate, as programs want them.
func pemFiles(t *testing.T, a *simnet.Authority, cert tls.Certificate) (certFile, keyFile, caFile string) {
	t.Helper()
	key, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", cert.Certificate[0]), write("key.pem", "EC PRIVATE KEY", key),
		write("ca.pem", "CERTIFICATE", a.Certificate().Raw)
}

// startForPrograms returns a server that asks for a certificate and takes none as well.
func startForPrograms(t *testing.T, d driver) (s *secure, cert, key, ca string) {
	t.Helper()
	s = prepareTLS(t, d, routes(map[string]engine.Handler{
		"/report": report,
		"/who": func(req *engine.Request, res *engine.Response) {
			name := "nobody"
			if peers := req.Socket().TLS().PeerCertificates; len(peers) > 0 {
				name = peers[0].Subject.CommonName
			}
			_ = res.EndString(name)
		},
		"/large": func(_ *engine.Request, res *engine.Response) { _ = pattern(res, 1<<20) },
	}))
	s.TLS.ClientAuth, s.TLS.ClientCAs = tls.VerifyClientCertIfGiven, s.authority.Pool
	s.listen()
	cert, key, ca = pemFiles(t, s.authority, s.authority.Issue(t, "alice"))
	return s, cert, key, ca
}

func TestCurlTLS(t *testing.T) {
	upload := strings.Repeat("0123456789abcdef", 200_000)
	eachDriver(t, func(t *testing.T, d driver) {
		s, cert, key, ca := startForPrograms(t, d)
		base := "https://" + s.Addr().String()
		for _, c := range []struct {
			stdin, want string
			args        []string
		}{
			{"", "hello[200 1.1 1]hello[200 1.1 0]nobody[200 1.1 0]", []string{base + "/", base + "/", base + "/who"}},
			{"", "alice[200 1.1 1]", []string{"--cert", cert, "--key", key, base + "/who"}},
			{"", "hello[200 1.1 1]", []string{"--tls-max", "1.2", base + "/"}},
			{upload, upload + "[200 1.1 1]", []string{"-T", "-", "-H", "Expect:", base + "/report"}},
			{"", "hello[200 1.1 1]", []string{"-H", "Connection: close", base + "/"}},
		} {
			args := append([]string{"-s", "-S", "--max-time", "30", "--cacert", ca, "-w", "[%{http_code} %{http_version} %{num_connects}]"}, c.args...)
			if got := run(t, c.stdin, "curl", args...); got != c.want {
				t.Errorf("curl %q: %d bytes, %.200q", c.args, len(got), got)
			}
		}
	})
}

// openssl complains of a connection that ends without a close_notify.
func TestOpenSSL(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s, _, _, ca := startForPrograms(t, d)
		ask := "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
		for _, version := range []string{"-tls1_2", "-tls1_3"} {
			out := run(t, ask, "openssl", "s_client", "-connect", s.Addr().String(), "-servername", "gale.test",
				"-CAfile", ca, "-verify_return_error", "-alpn", "h2,http/1.1", "-ign_eof", version)
			for _, want := range []string{"HTTP/1.1 200 OK", "hello", "ALPN protocol: http/1.1", "Verify return code: 0 (ok)"} {
				if !strings.Contains(out, want) {
					t.Errorf("%s lacks %q:\n%s", version, want, out)
				}
			}
			if strings.Contains(out, "unexpected eof") {
				t.Errorf("%s: no close_notify:\n%s", version, out)
			}
		}
	})
}

// Node asks over one connection, then resumes the session on another.
func TestNodeTLS(t *testing.T) {
	const script = `
const https = require('https'), fs = require('fs');
const [port, ca, cert, key] = process.argv.slice(1);
const common = {port, host: '127.0.0.1', servername: 'gale.test', ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key)};
const ask = (agent, method, path, body) => new Promise((done, fail) => {
  const req = https.request({...common, agent, method, path}, res => {
    let size = 0, text = '';
    const {socket} = res, peer = socket.getPeerCertificate().subject?.CN;
    res.on('data', d => { size += d.length; if (text.length < 20) text += d; });
    res.on('end', () => done([res.statusCode, size, text.slice(0, 5), socket.isSessionReused(), peer].join(' ')));
  });
  req.on('error', fail);
  req.end(body);
});
(async () => {
  let agent = new https.Agent({keepAlive: true, maxSockets: 1});
  console.log(await ask(agent, 'GET', '/who'));
  console.log(await ask(agent, 'POST', '/report', 'x'.repeat(3000000)));
  console.log(await ask(agent, 'GET', '/large'));
  agent.destroy();
  agent = new https.Agent({maxSockets: 1});
  await ask(agent, 'GET', '/');
  console.log((await ask(agent, 'GET', '/')).includes(' true'));
})().catch(e => { console.log(e); process.exit(1); });`
	eachDriver(t, func(t *testing.T, d driver) {
		s, cert, key, ca := startForPrograms(t, d)
		got := run(t, "", "node", "-e", script, portIn(s.Addr()), ca, cert, key)
		want := "200 5 alice false gale.test\n200 3000000 xxxxx false gale.test\n200 1048576 "
		if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\ntrue\n") {
			t.Errorf("node says\n%s", got)
		}
	})
}

// portIn returns the port of an address.
func portIn(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}
