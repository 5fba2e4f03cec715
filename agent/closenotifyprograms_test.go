// Real servers whose responses are delimited by the end of TLS: Node's and openssl's.

package agent_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// pemFiles writes a certificate for 127.0.0.1 and its key as PEM files, and returns what a client
// needs to trust it.
func pemFiles(t *testing.T) (cert, key string, trust *tls.Config) {
	t.Helper()
	a := simnet.NewAuthority(t)
	pair := a.Issue(t, "gale.test")
	der, err := x509.MarshalECPrivateKey(pair.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "EC PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key, &tls.Config{RootCAs: a.Pool}
}

// Node sends close_notify after a response, but not when its socket is destroyed.
func TestEndsOfNode(t *testing.T) {
	const script = `
const https = require('https'), fs = require('fs');
const [cert, key] = process.argv.slice(1).map(f => fs.readFileSync(f));
const server = https.createServer({cert, key}, (req, res) => {
  res.useChunkedEncodingByDefault = res.shouldKeepAlive = false;
  res.write('part', () => { if (req.url == '/cut') res.socket.destroy(); else res.end(); });
});
server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();`
	cert, key, trust := pemFiles(t)
	child := simnet.Start(t, exec.Command(simnet.Program(t, "node"), "-e", script, cert, key))
	for _, portable := range []bool{false, true} {
		a := newAgent(t, &agent.Agent{Portable: portable, TLS: trust})
		for path, want := range map[string]error{"whole": nil, "cut": agent.ErrNoCloseNotify} {
			var res agent.Response
			if err := a.Do(t.Context(), &agent.Request{URL: "https://" + child.Addr + "/" + path}, &res); err != nil {
				t.Fatal(err)
			}
			if n := res.ContentLength(); n != -1 {
				t.Fatalf("the answer has %d bytes, and is to end with its connection", n)
			}
			if err := readPart(t, &res); !errors.Is(err, want) {
				t.Errorf("/%s has ended with %v", path, err)
			}
			_ = res.Close()
		}
	}
}

// openssl's server speaks HTTP/1.0, and sends close_notify after what it serves.
func TestEndsOfOpenSSL(t *testing.T) {
	path := simnet.Program(t, "openssl")
	cert, key, trust := pemFiles(t)
	cmd := exec.Command(path, "s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key, "-WWW", "-naccept", "2")
	cmd.Dir = filepath.Dir(cert)
	if err := os.WriteFile(filepath.Join(cmd.Dir, "part.txt"), []byte("part"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "ACCEPT ")
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // if it still waits for connections
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	for _, portable := range []bool{false, true} {
		a := newAgent(t, &agent.Agent{Portable: portable, TLS: trust})
		var res agent.Response
		if err := a.Do(t.Context(), &agent.Request{URL: "https://" + address + "/part.txt"}, &res); err != nil {
			t.Fatal(err)
		}
		if err := readPart(t, &res); err != nil || res.HTTPVersion() != "1.0" {
			t.Errorf("HTTP/%s has ended with %v", res.HTTPVersion(), err)
		}
		_ = res.Close()
	}
}
