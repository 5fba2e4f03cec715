// nginx as gale's front end, over keep-alive connections: a hundred thousand requests of many
// kinds, and uploads that are aborted, without a single unexpected error.

package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

const nginxConfig = `
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
	client_body_buffer_size 8k;
	keepalive_requests 1000000;
	upstream gale {
		server %[2]s;
		keepalive 16;
		keepalive_requests 1000000;
	}
	proxy_http_version 1.1;
	proxy_set_header Connection "";
	server {
		listen unix:%[1]s/socket;
		location / { proxy_pass http://gale; }
		location /streamed/ { proxy_pass http://gale/; proxy_request_buffering off; proxy_buffering off; }
	}
}
`

// startNginx starts nginx in front of addr and returns its socket, and its error log.
func startNginx(t testing.TB, addr string) (socket, errorLog string) {
	t.Helper()
	path := simnet.Program(t, "nginx")
	dir, err := os.MkdirTemp("", "gale") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	simnet.Nginx(t, path, dir, func(string) string { return fmt.Sprintf(nginxConfig, dir, addr) })
	return filepath.Join(dir, "socket"), filepath.Join(dir, "error.log")
}

// behind is the handler behind nginx.
func behind(req *engine.Request, res *engine.Response) {
	path, query, _ := strings.Cut(string(req.URL()), "?")
	n, _ := strconv.Atoi(query)
	switch path {
	case "/hello":
		_ = res.EndString("hello")
	case "/echo":
		_, _ = io.Copy(res, req)
	case "/count":
		if n, err := io.Copy(io.Discard, req); err == nil {
			_ = res.EndString(strconv.FormatInt(n, 10))
		}
	case "/ignore":
		_ = res.EndString("ignored")
	case "/status":
		_ = res.SetStatus(n)
	case "/bytes":
		_ = res.End(make([]byte, n))
	case "/chunks":
		for range n {
			_, _ = res.WriteString("0123456789")
		}
	default:
		_ = res.SetStatus(404)
	}
}

// visitor sends one kind of request after the other through nginx and checks the
// answers.
type visitor struct {
	client *http.Client
	socket string
	random *rand.Rand
	cuts   *atomic.Int64
}

// visit sends one request.
func (v *visitor) visit() error {
	size := v.random.IntN(20_000)
	switch body := bytes.Repeat([]byte("x"), size); v.random.IntN(13) {
	case 0, 1, 2:
		return v.want("GET", "/hello", nil, 200, "hello")
	case 3:
		return v.want("POST", "/echo", bytes.NewReader(body), 200, string(body))
	case 4:
		return v.want("POST", "/streamed/echo", bytes.NewReader(body), 200, string(body))
	case 5:
		// The client chunks what it cannot measure.
		return v.want("POST", "/streamed/count", io.MultiReader(bytes.NewReader(body)), 200, strconv.Itoa(size))
	case 6:
		return v.want("POST", "/count", io.MultiReader(bytes.NewReader(body)), 200, strconv.Itoa(size))
	case 7:
		return v.want("POST", "/ignore", bytes.NewReader(body), 200, "ignored")
	case 11:
		return v.want("POST", "/streamed/ignore", bytes.NewReader(body), 200, "ignored")
	case 8:
		return v.want("GET", "/bytes?"+strconv.Itoa(size), nil, 200, string(make([]byte, size)))
	case 9:
		return v.want("GET", "/chunks?"+strconv.Itoa(size/100), nil, 200, strings.Repeat("0123456789", size/100))
	case 10:
		status := []int{201, 204, 304, 404, 503}[v.random.IntN(5)]
		return v.want("GET", "/status?"+strconv.Itoa(status), nil, status, "")
	}
	if v.random.IntN(4) > 0 {
		return v.want("HEAD", "/hello", nil, 200, "")
	}
	return v.cut(size)
}

func (v *visitor) want(method, path string, body io.Reader, status int, text string) error {
	req, err := http.NewRequest(method, "http://nginx"+path, body)
	if err != nil {
		return err
	}
	// nginx closes a connection whose upload it stopped reading, but does not announce that
	// in the answer: such a connection must not be reused.
	req.Close = path == "/streamed/ignore"
	res, err := v.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status || string(got) != text {
		return fmt.Errorf("%s %s: %d, %d bytes %.60q, %w", method, path, res.StatusCode, len(got), got, err)
	}
	return nil
}

// cut begins an upload and disconnects.
func (v *visitor) cut(size int) error {
	v.cuts.Add(1)
	c, err := net.Dial("unix", v.socket)
	if err != nil {
		return err
	}
	defer c.Close()
	path := []string{"/echo", "/streamed/echo", "/streamed/count", "/streamed/ignore"}[v.random.IntN(4)]
	_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", path, size+100_000, strings.Repeat("y", size))
	if err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "broken pipe") {
		return err
	}
	return nil
}

func TestBehindNginx(t *testing.T) {
	const visitors, total = 16, 100_000
	var words bytes.Buffer
	logged := log.New(&words, "", 0)
	addr := start(t, &engine.Server{Handler: behind, ErrorLog: logged})
	socket, errorLog := startNginx(t, addr)
	var left, cuts atomic.Int64
	left.Store(total)
	var all sync.WaitGroup
	for k := range visitors {
		all.Go(func() {
			transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			}}
			defer transport.CloseIdleConnections()
			v := &visitor{
				client: &http.Client{Transport: transport, Timeout: simnet.Patience},
				socket: socket,
				random: rand.New(rand.NewPCG(uint64(k), 1)),
				cuts:   &cuts,
			}
			for left.Add(-1) >= 0 {
				if err := v.visit(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d requests, %d of them cut", total, cuts.Load())
	text, err := os.ReadFile(errorLog)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 0 {
		t.Errorf("nginx complains %d times: %.2000s", bytes.Count(text, []byte("\n")), text)
	}
	if words.Len() > 0 {
		t.Errorf("gale logged: %s", words.Bytes())
	}
}
