// Node's http server and nginx as upstreams of gale's agent: sockets are reused, the servers
// close those that are idle for a second, at any moment, and no request that may be retried
// fails.

package interop

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

var upstreamRequests = flag.Int("upstream", 8192, "how many requests each upstream gets")

const upstreamNode = `
const http = require('http');
let connections = 0;
const server = http.createServer((req, res) => {
	req.resume();
	req.on('end', () => {
		res.setHeader('X-Connection', req.socket.number);
		res.end('hello');
	});
});
server.on('connection', socket => { socket.number = ++connections; });
server.keepAliveTimeout = 1000;
server.keepAliveTimeoutBuffer = 0;
server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
`

const upstreamNginx = `
daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/error.log error;
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/f;
	uwsgi_temp_path %[1]s/u;
	scgi_temp_path %[1]s/s;
	keepalive_timeout 1s;
	keepalive_requests 10000000;
	server {
		listen %[2]s;
		add_header X-Connection $connection;
		location / { return 200 "hello"; }
	}
}
`

// nodeUpstream starts Node's server and returns its address.
func nodeUpstream(t testing.TB) string {
	return simnet.Start(t, exec.Command(simnet.Program(t, "node"), "-e", upstreamNode)).Addr
}

// nginxUpstream starts nginx as a server and returns its address.
func nginxUpstream(t testing.TB) string {
	path, dir := simnet.Program(t, "nginx"), t.TempDir()
	return simnet.Nginx(t, path, dir, func(addr string) string { return fmt.Sprintf(upstreamNginx, dir, addr) })
}

// upstreamCall makes one of the requests that may be retried, and records its connection.
func upstreamCall(ctx context.Context, a *agent.Agent, req *agent.Request, res *agent.Response, k int, connections *sync.Map) error {
	req.Method, req.Body = "GET", nil
	want := "hello"
	switch {
	case k%10 == 3:
		req.Method, req.Body = "PUT", payload
	case k%20 == 5:
		req.Method, want = "HEAD", ""
	}
	if err := a.Do(ctx, req, res); err != nil {
		return err
	}
	connections.Store(string(res.Header("X-Connection")), true)
	body, err := io.ReadAll(res)
	if err == nil && (res.StatusCode() != 200 || string(body) != want) {
		err = fmt.Errorf("%s: %d %q", req.Method, res.StatusCode(), body)
	}
	return err
}

var payload = []byte(strings.Repeat("x", 1000))

// burst is how many requests a caller makes before it pauses.
const burst = 32

// pause waits for about as long as the upstream waits for a request.
func pause() {
	time.Sleep(950*time.Millisecond + time.Duration(rand.IntN(150_000))*time.Microsecond) // sleep: the servers' idle timeout is the subject
}

func TestUpstreams(t *testing.T) {
	const callers = 64
	for _, up := range []struct {
		name  string
		start func(testing.TB) string
	}{{"node", nodeUpstream}, {"nginx", nginxUpstream}} {
		for _, onLoop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/on the loop %v", up.name, onLoop), func(t *testing.T) {
				url := "http://" + up.start(t)
				a := &agent.Agent{KeepAlive: true}
				defer a.Destroy()
				var connections sync.Map
				var turn, failed atomic.Int64
				one := func(ctx context.Context, req *agent.Request, res *agent.Response) {
					if err := upstreamCall(ctx, a, req, res, int(turn.Add(1)), &connections); err != nil && failed.Add(1) < 10 {
						t.Error(err)
					}
				}
				front, client := "", &agent.Agent{KeepAlive: true}
				defer client.Destroy()
				if onLoop {
					front = "http://" + start(t, &engine.Server{Handler: func(in *engine.Request, _ *engine.Response) {
						var req agent.Request
						var res agent.Response
						req.URL = url
						one(in.Context(), &req, &res)
					}})
				}
				work := func() {
					var req agent.Request
					var res agent.Response
					for range burst {
						if req.URL = url; !onLoop {
							one(context.Background(), &req, &res)
							continue
						}
						req.URL = front
						if err := client.Do(context.Background(), &req, &res); err != nil {
							t.Error(err)
						}
					}
				}
				phase := func(rest func()) {
					var group sync.WaitGroup
					for range callers {
						group.Go(func() {
							rest()
							work()
						})
					}
					group.Wait()
				}
				used := func() (n int64) {
					connections.Range(func(_, _ any) bool { n++; return true })
					return n
				}
				phase(func() {})
				for range *upstreamRequests/callers/burst - 2 {
					phase(pause)
				}
				// How many sockets have been closed by now depends on the machine. Left alone, all are closed.
				before := used()
				if !simnet.Becomes(func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 }) {
					t.Errorf("%s leaves sockets open: %v, %v", up.name, a.FreeSockets(), a.Sockets())
				}
				phase(func() {})
				n, in := turn.Load(), used()
				t.Logf("%d requests through %d connections, %d of them after the last rest, %d failed", n, in, in-before, failed.Load())
				if in > 4*n/burst || in == before {
					t.Errorf("%d requests took %d connections, %d of them after the last rest", n, in, in-before)
				}
			})
		}
	}
}
