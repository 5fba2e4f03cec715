// Real programs as clients: curl, Node's http client, wrk. What they report of the answers is
// compared with what they must have received.

package engine_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// run runs a program and returns what it wrote, to both outputs.
func run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	path := simnet.Program(t, name)
	ctx, cancel := context.WithTimeout(context.Background(), 2*simnet.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// report tells what the server saw of a request.
func report(req *engine.Request, res *engine.Response) {
	body, err := readAll(req)
	if err != nil {
		return
	}
	how := "none"
	switch {
	case req.ContentLength() < 0:
		how = "chunked"
	case len(body) > 0:
		how = "counted"
	}
	_ = res.SetHeader("X-Seen", req.Method()+" "+req.HTTPVersion()+" "+how)
	_ = res.End(body)
}

func programRoutes() engine.Handler {
	return routes(map[string]engine.Handler{
		"/report": report,
		"/stream": pages["/stream"],
		"/trailers": func(_ *engine.Request, res *engine.Response) {
			_ = res.SetHeader("Trailer", "X-Sum")
			_, _ = res.WriteString("data")
			_ = res.AddTrailers("X-Sum", "7")
		},
		"/empty": func(_ *engine.Request, res *engine.Response) { _ = res.SetStatus(204) },
		"/refuse": func(_ *engine.Request, res *engine.Response) {
			_ = res.SetStatus(403)
			_ = res.EndString("no")
		},
	})
}

// TestCurl: each line of the table is one call of curl. The -w text tells the status,
// the version and how many connections curl had to open.
func TestCurl(t *testing.T) {
	upload := strings.Repeat("0123456789abcdef", 200_000)
	const tell = "[%{http_code} %{http_version} %{num_connects} %header{x-seen}]"
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, programRoutes())
		base := "http://" + s.Addr().String()
		for _, c := range []struct {
			name, stdin string
			args        []string
			want        string
		}{
			{"get", "", []string{base + "/"}, "hello[200 1.1 1 ]"},
			{"keep-alive", "", []string{base + "/", base + "/stream", base + "/empty", base + "/"},
				"hello[200 1.1 1 ]onetwo[200 1.1 0 ][204 1.1 0 ]hello[200 1.1 0 ]"},
			{"HTTP/1.0", "", []string{"-0", base + "/stream", base + "/report"}, "onetwo[200 1.1 1 ][200 1.1 1 GET 1.0 none]"},
			{"HTTP/1.0, keep-alive", "", []string{"-0", "-H", "Connection: keep-alive", base + "/", base + "/report"},
				"hello[200 1.1 1 ][200 1.1 0 GET 1.0 none]"},
			{"close", "", []string{"-H", "Connection: close", base + "/", base + "/"}, "hello[200 1.1 1 ]hello[200 1.1 1 ]"},
			{"post", "", []string{"-d", "body", base + "/report", base + "/report"},
				"body[200 1.1 1 POST 1.1 counted]body[200 1.1 0 POST 1.1 counted]"},
			{"post, chunked", "", []string{"-d", "body", "-H", "Transfer-Encoding: chunked", base + "/report", base + "/report"},
				"body[200 1.1 1 POST 1.1 chunked]body[200 1.1 0 POST 1.1 chunked]"},
			{"put from a pipe", upload, []string{"-T", "-", "-H", "Expect:", base + "/report"},
				upload + "[200 1.1 1 PUT 1.1 chunked]"},
			{"put that waits for a 100", upload, []string{"-T", "-", "-H", "Expect: 100-continue", "--expect100-timeout", "600", base + "/report"},
				upload + "[200 1.1 1 PUT 1.1 chunked]"},
			{"put that is refused", upload, []string{"-T", "-", "-H", "Expect: 100-continue", "--expect100-timeout", "600", base + "/refuse"},
				"no[403 1.1 1 ]"},
			{"trailers", "", []string{base + "/trailers", base + "/"}, "data[200 1.1 1 ]hello[200 1.1 0 ]"},
			{"another method", "", []string{"-X", "PROPFIND", base + "/report"}, "[200 1.1 1 PROPFIND 1.1 none]"},
		} {
			args := append([]string{"-s", "-S", "--http1.1", "--max-time", "30", "-w", tell}, c.args...)
			if got := run(t, c.stdin, "curl", args...); got != c.want {
				t.Errorf("%s: got %.200q, want %.200q", c.name, got, c.want)
			}
		}
		head := run(t, "", "curl", "-s", "-S", "-I", "--max-time", "30", base+"/", base+"/stream")
		dates := regexp.MustCompile(`Date: [^\r]*`)
		want := "HTTP/1.1 200 OK\r\nDate\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nDate\r\n\r\n"
		if got := dates.ReplaceAllString(head, "Date"); got != want {
			t.Errorf("HEAD: got %q, want %q", got, want)
		}
	})
}

// TestCurlUploadsAGibibyte: from a file, whose length curl declares, or from a pipe.
func TestCurlUploadsAGibibyte(t *testing.T) {
	needMeasurable(t)
	file := filepath.Join(t.TempDir(), "sparse")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, gibibyte); err != nil {
		t.Fatal(err)
	}
	command := "curl -s -S -H Expect: -T " + file + " $0"
	eachChild(t, func(t *testing.T, srv *child) {
		if got := run(t, "", "sh", "-c", command, "http://"+srv.Addr+"/count"); got != strconv.Itoa(gibibyte) {
			t.Errorf("the server counted %s", got)
		}
		checkPeak(t, srv)
		command = "curl -s -S -H Expect: -T - $0 <" + file
	})
}

// nodeScript makes requests one after the other over one agent, and says of each what
// came, and whether it came over the first socket.
const nodeScript = `
const http = require('http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const port = +process.argv[1];
let first;
function one(options, body, expect) {
  return new Promise((resolve, reject) => {
    const events = [];
    const req = http.request({ port, host: '127.0.0.1', agent, ...options }, (res) => {
      const socket = res.socket.localPort;
      let text = '';
      res.setEncoding('latin1');
      res.on('data', (piece) => { text += piece; });
      res.on('end', () => {
        first = first || socket;
        const trailers = Object.entries(res.trailers).join(';');
        resolve([res.statusCode, res.headers['x-seen'] || '-', text.length > 20 ? text.length : text, trailers || '-',
          events.join() || '-', socket === first ? 'same' : 'new'].join(' '));
      });
    });
    req.on('error', reject);
    req.on('continue', () => { events.push('continue'); req.end(body); });
    if (expect) {
      req.flushHeaders();
    } else {
      for (const piece of [].concat(body || [])) req.write(piece);
      req.end();
    }
  });
}
(async () => {
  console.log(await one({ path: '/' }));
  console.log(await one({ path: '/', method: 'HEAD' }));
  console.log(await one({ path: '/stream' }));
  console.log(await one({ path: '/report', method: 'POST', headers: { 'Content-Length': 4 } }, 'body'));
  console.log(await one({ path: '/report', method: 'POST' }, ['bo', 'dy']));
  console.log(await one({ path: '/report', method: 'PUT' }, ['x'.repeat(100000), 'y'.repeat(200000)]));
  console.log(await one({ path: '/report', method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 4 } }, 'body', true));
  console.log(await one({ path: '/trailers' }));
  console.log(await one({ path: '/empty' }));
  console.log(await one({ path: '/report', headers: { Connection: 'close' } }));
  console.log(await one({ path: '/' }));
  agent.destroy();
})().catch((error) => { console.log('failed:', error); process.exitCode = 1; });
`

func TestNode(t *testing.T) {
	want := strings.Join([]string{
		"200 - hello - - same",
		"200 -  - - same",
		"200 - onetwo - - same",
		"200 POST 1.1 counted body - - same",
		"200 POST 1.1 chunked body - - same",
		"200 PUT 1.1 chunked 300000 - - same",
		"200 POST 1.1 counted body - continue same",
		"200 - data x-sum,7 - same",
		"204 -  - - same",
		"200 GET 1.1 none  - - same",
		"200 - hello - - new",
		"",
	}, "\n")
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, programRoutes())
		_, port, _ := strings.Cut(s.Addr().String(), ":")
		if got := run(t, "", "node", "-e", nodeScript, port); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

// pipelineScript has wrk send sixteen requests at once, of which one has a body.
const pipelineScript = `
init = function(args)
  local r = {}
  for i = 1, 15 do r[i] = wrk.format("GET", "/") end
  r[16] = wrk.format("POST", "/report", nil, "body")
  req = table.concat(r)
end
request = function() return req end
`

var wrkRequests = regexp.MustCompile(`(\d+) requests in`)

// TestWrk: many connections, each request answered with the right status, no socket
// errors, and not one answer more than requests were served.
func TestWrk(t *testing.T) {
	script := filepath.Join(t.TempDir(), "pipeline.lua")
	if err := os.WriteFile(script, []byte(pipelineScript), 0o600); err != nil {
		t.Fatal(err)
	}
	eachDriver(t, func(t *testing.T, d driver) {
		var served atomic.Int64
		table := programRoutes()
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			served.Add(1)
			table(req, res)
		})
		url := "http://" + s.Addr().String() + "/"
		for name, args := range map[string][]string{
			"plain":     {"-t", "1", "-c", "32", "-d", "1", url},
			"pipelined": {"-t", "1", "-c", "8", "-d", "1", "-s", script, url},
		} {
			if name == "pipelined" && havePoller && d != drivers[0] {
				continue // a second more that would tell nothing new
			}
			served.Store(0)
			out := run(t, "", "wrk", args...)
			found := wrkRequests.FindStringSubmatch(out)
			if found == nil || strings.Contains(out, "Socket errors") || strings.Contains(out, "Non-2xx") {
				t.Fatalf("%s: %s", name, out)
			}
			answered, _ := strconv.ParseInt(found[1], 10, 64)
			t.Logf("%s: %d answers", name, answered)
			if answered == 0 || answered > served.Load() {
				t.Errorf("%s: wrk counts %d answers to %d requests", name, answered, served.Load())
			}
		}
	})
}
