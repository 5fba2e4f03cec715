// A run against a real server other than gale.

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

const nginxConfig = `daemon off; pid %[1]s/pid; error_log %[1]s/error crit; worker_processes 1;
events { worker_connections 1024; }
http {
	access_log off; keepalive_requests 100;
	client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	server {
		listen unix:%[1]s/socket; listen %[2]s;
		location /hello { return 200 "Hello, World!"; }
		location /once { keepalive_timeout 0; return 200 "bye"; }
		location / { root %[1]s; client_max_body_size 1k; }
	}
}
`

// startNginx starts nginx and returns its URL and the path of its socket.
func startNginx(t *testing.T) (url, socket string) {
	t.Helper()
	nginx := simnet.Program(t, "nginx")
	dir, err := os.MkdirTemp("", "loadgen")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte(strings.Repeat("0123456789", 20000)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the worker is another user when we are root
		t.Fatal(err)
	}
	addr := simnet.Nginx(t, nginx, dir, func(addr string) string { return fmt.Sprintf(nginxConfig, dir, addr) })
	return "http://" + addr, filepath.Join(dir, "socket")
}

func TestAgainstNginx(t *testing.T) {
	url, socket := startNginx(t)
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, c := range []struct {
			args     string
			status   int
			connects int64 // at least
		}{
			{url + "/hello", 200, 20},
			{"-p 7 " + url + "/hello", 200, 20},
			{"-m HEAD " + url + "/file", 200, 20},
			{"-p 3 " + url + "/file", 200, 20},
			{"unix:" + socket + ":/hello", 200, 20},
			{url + "/once", 200, 2000},
			{"-H Connection:close " + url + "/hello", 200, 2000},
			{url + "/nosuch", 404, 20},
			{"-b " + strings.Repeat("x", 100) + " " + url + "/hello", 200, 20},
			{"-b " + strings.Repeat("x", 10000) + " " + url + "/x", 413, 1},
		} {
			res := load(t, portable, append([]string{"-c", "8", "-n", "2000"}, strings.Split(c.args, " ")...)...)
			if res.total.answers != 2000 || res.total.statuses[c.status] != 2000 || res.connects < c.connects {
				t.Errorf("%.80s: %d answers, %d of status %d, %d connects", c.args, res.total.answers, res.total.statuses[c.status], c.status, res.connects)
			}
			wantErrors(t, res, nil)
		}
	})
}
