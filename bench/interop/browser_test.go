// A browser: chromium opens a page served by gale, loads its resources, posts, reads a
// stream, and talks over a WebSocket.

package interop

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/engine/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

const page = `<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>gale</title>
<link rel="stylesheet" href="/style.css">
<script src="/script.js" defer></script>
</head><body><h1>served by gale</h1><img id="image" src="/image.svg"></body></html>
`

// script checks everything and posts what it found to /report.
const script = `
function socket(path) {
  return new Promise((resolve, reject) => {
    const s = new WebSocket(location.origin.replace('http', 'ws') + path);
    const sent = ['', 'hello', 'x'.repeat(70000), 'last'];
    const got = [];
    s.onopen = () => sent.forEach((text) => s.send(text));
    s.onerror = () => reject(new Error(path + ' failed'));
    s.onmessage = (event) => {
      got.push(event.data);
      if (got.length === sent.length) {
        resolve(got.every((text, i) => text === sent[i]) ? 'echoed' : 'garbled');
        s.close();
      }
    };
  });
}
async function check() {
  const found = [document.title];
  found.push(getComputedStyle(document.querySelector('h1')).color);
  found.push(document.querySelector('#image').naturalWidth);
  const echo = await fetch('/echo', { method: 'POST', body: 'y'.repeat(200000) });
  found.push(echo.status, (await echo.text()).length);
  const pieces = (await fetch('/stream')).body.getReader();
  let text = '';
  for (;;) {
    const { done, value } = await pieces.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  found.push(text);
  const many = await Promise.all([...Array(40).keys()].map((i) => fetch('/number?' + i).then((r) => r.text())));
  found.push(many.every((text, i) => text === '' + i) ? 'all' : 'mixed up');
  found.push((await fetch('/empty')).status);
  found.push(await socket('/socket'));
  return found.join(' ');
}
window.onload = () => check().catch((e) => 'failed: ' + e)
  .then((text) => fetch('/report', { method: 'POST', body: text }));
`

// visited returns a site for the browser, and the reports of the page's script. Its WebSocket
// is hijacked by an http.Handler, or upgraded by gale's event.
func visited(upgraded bool) (*engine.Server, <-chan string) {
	reports := make(chan string, 1)
	answer := func(kind, text string) engine.Handler {
		return func(_ *engine.Request, res *engine.Response) {
			_ = res.SetHeader("Content-Type", kind)
			_ = res.EndString(text)
		}
	}
	pages := map[string]engine.Handler{
		"/":          answer("text/html; charset=utf-8", page),
		"/style.css": answer("text/css", "h1 { color: rgb(1, 2, 3) }"),
		"/script.js": answer("text/javascript", script),
		"/image.svg": answer("image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="17" height="17"/>`),
		"/echo":      func(req *engine.Request, res *engine.Response) { _, _ = io.Copy(res, req) },
		"/stream": func(_ *engine.Request, res *engine.Response) {
			for _, piece := range []string{"one ", "two ", "three"} {
				_, _ = res.WriteString(piece)
			}
		},
		"/empty":  func(_ *engine.Request, res *engine.Response) { _ = res.SetStatus(204) },
		"/socket": nethttp.Handler(http.HandlerFunc(echoHijacked)),
		"/report": func(req *engine.Request, _ *engine.Response) {
			if text, err := io.ReadAll(req); err == nil {
				reports <- string(text)
			}
		},
	}
	serve := func(req *engine.Request, res *engine.Response) {
		path, query, _ := strings.Cut(string(req.URL()), "?")
		switch h := pages[path]; {
		case h != nil:
			h(req, res)
		case path == "/number":
			_ = res.EndString(query)
		default:
			_ = res.SetStatus(404)
		}
	}
	s := &engine.Server{Handler: serve}
	if upgraded {
		s.On.Upgrade = echoUpgraded
	}
	return s, reports
}

// open makes chromium open a page and returns what the page's script reports.
func open(t *testing.T, url string, reports <-chan string) string {
	t.Helper()
	path := simnet.Program(t, "chromium")
	dir, err := os.MkdirTemp("", "gale")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
		"--ignore-certificate-errors", "--remote-debugging-port=0", "--user-data-dir="+dir, url)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	var words strings.Builder
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		_ = cmd.Process.Kill()
		<-ended
		simnet.Becomes(func() bool { return os.RemoveAll(dir) == nil }) // its children write to the last
	}()
	select {
	case text := <-reports:
		return text
	case err := <-ended:
		ended <- err
		t.Fatalf("chromium ended: %v\n%s", err, words.String())
	case <-time.After(2 * simnet.Patience):
		t.Fatal("chromium has nothing to report")
	}
	return ""
}

func TestBrowser(t *testing.T) {
	const want = "gale rgb(1, 2, 3) 17 200 200000 one two three all 204 echoed"
	certificate := simnet.NewAuthority(t).Issue(t, "localhost")
	for _, scheme := range []string{"http", "https"} {
		for name, upgraded := range map[string]bool{"hijacked": false, "upgraded": true} {
			t.Run(scheme+", "+name, func(t *testing.T) {
				s, reports := visited(upgraded)
				if scheme == "https" {
					s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
				}
				addr := start(t, s)
				if got := open(t, scheme+"://"+addr+"/", reports); got != want {
					t.Errorf("the page says %q, want %q", got, want)
				}
			})
		}
	}
}
