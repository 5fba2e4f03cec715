// Peers that are not written in Go, with the configuration that each one's
// documentation recommends for speed: one worker, no access log, connections
// that are never closed for having served too many requests.

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/bench/internal/work"
)

// static returns the reason why a server without custom handlers cannot do a workload.
func static(name string) func(*work.Workload) string {
	return func(w *work.Workload) string {
		switch {
		case w.Path == "/" && w.Slow == "", w.Path == "/download", w.Path == "/proxy":
			return ""
		}
		return name + " runs no handler of ours"
	}
}

func nginxPeer() *peerKind {
	return &peerKind{name: "nginx", forks: true, cannot: static("nginx"), command: func(s *site, o launch, dir string) ([]string, error) {
		listen := o.addr + " backlog=4096"
		tls := ""
		if o.workload.TLS {
			listen += " ssl"
			tls = fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;", s.cert, s.key)
		}
		upstream := o.upstream
		if upstream == "" {
			upstream = "127.0.0.1:1"
		}
		text := fmt.Sprintf(`daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr crit;
pid %[1]s/pid;
events { worker_connections 20000; multi_accept on; }
http {
	access_log off;
	server_tokens off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	keepalive_timeout 600s;
	types {}
	default_type "%[2]s";
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	upstream behind { server %[3]s; keepalive 1024; keepalive_requests 1000000000; }
	server {
		listen %[4]s;
		%[5]s
		location = / { return 200 "%[6]s"; }
		location = /download { root %[7]s; }
		location = /proxy { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://behind/; }
	}
}
`, dir, peer.ContentType, upstream, listen, tls, peer.Greeting, s.dir)
		file := filepath.Join(dir, "nginx.conf")
		return []string{"nginx", "-p", dir, "-e", "stderr", "-c", file}, os.WriteFile(file, []byte(text), 0o644)
	}}
}

func h2oPeer() *peerKind {
	return &peerKind{name: "h2o", cannot: static("h2o"), command: func(s *site, o launch, dir string) ([]string, error) {
		host, port, err := net.SplitHostPort(o.addr)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, "index"), []byte(peer.Greeting), 0o644); err != nil {
			return nil, err
		}
		tls := ""
		if o.workload.TLS {
			tls = fmt.Sprintf("\n  ssl:\n    certificate-file: %s\n    key-file: %s", s.cert, s.key)
		}
		proxy := ""
		if o.upstream != "" {
			proxy = fmt.Sprintf("\n      \"/proxy\":\n        proxy.reverse.url: \"http://%s/\"", o.upstream)
		}
		text := fmt.Sprintf(`num-threads: 1
max-connections: 20000
http1-request-timeout: 600
server-name: bench
listen:
  host: %s
  port: %s%s
file.mime.setdefaulttype: "%s"
hosts:
  default:
    paths:
      "/":
        file.file: %s
      "/download":
        file.file: %s%s
`, host, port, tls, peer.ContentType, filepath.Join(dir, "index"), filepath.Join(s.dir, "download"), proxy)
		file := filepath.Join(dir, "h2o.conf")
		return []string{"h2o", "-c", file}, os.WriteFile(file, []byte(text), 0o644)
	}}
}

// nodeScript is a server for Node, whose http module descends from the seed.
const nodeScript = `'use strict';
const http = require(process.env.CERT ? 'https' : 'http'), fs = require('fs');
const [greeting, type, download, upstream] = [process.env.GREETING, process.env.TYPE, fs.readFileSync(process.env.DOWNLOAD), process.env.UPSTREAM];
const chunk = download.subarray(0, 1024);
const agent = new (require('http').Agent)({ keepAlive: true, maxSockets: 4096 });
const send = (res, body) => res.writeHead(200, { 'Server': 'bench', 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
const paths = {
  '/': (req, res) => send(res, greeting),
  '/echo': (req, res) => { const all = []; req.on('data', (b) => all.push(b)).on('end', () => send(res, Buffer.concat(all))); },
  '/upload': (req, res) => { let n = 0; req.on('data', (b) => { n += b.length; }).on('end', () => send(res, String(n))); },
  '/download': (req, res) => send(res, download),
  '/stream': (req, res) => {
    res.writeHead(200, { 'Server': 'bench', 'Content-Type': type });
    let i = 0;
    const more = () => { while (i++ < 100) if (!res.write(chunk)) return res.once('drain', more); res.end(); };
    more();
  },
  '/block': (req, res) => setTimeout(() => send(res, greeting), 5),
  '/slow': (req, res) => setTimeout(() => send(res, greeting), 10),
  '/mixed': (req, res) => send(res, greeting),
  '/mixed?slow': (req, res) => setTimeout(() => send(res, greeting), 10),
  '/proxy': (req, res) => require('http').get({ host: upstream.split(':')[0], port: upstream.split(':')[1], path: '/', agent }, (up) => {
    res.writeHead(up.statusCode, up.headers);
    up.pipe(res);
  }),
};
const tls = process.env.CERT ? { cert: fs.readFileSync(process.env.CERT), key: fs.readFileSync(process.env.KEY), ALPNProtocols: ['http/1.1'] } : {};
const server = http.createServer({ keepAliveTimeout: 600000, ...tls }, (req, res) => (paths[req.url] || ((_, r) => r.writeHead(404).end()))(req, res));
server.maxRequestsPerSocket = 0;
server.listen({ host: process.env.HOST, port: +process.env.PORT, backlog: 4096 });
`

func nodePeer() *peerKind {
	cannot := func(w *work.Workload) string {
		if w.Path == "/query" || w.Slow == "/compute" {
			return "what its handler does is written in Go"
		}
		return ""
	}
	return &peerKind{name: "node", cannot: cannot,
		command: func(s *site, o launch, dir string) ([]string, error) {
			host, port, err := net.SplitHostPort(o.addr)
			if err != nil {
				return nil, err
			}
			file := filepath.Join(dir, "server.js")
			args := []string{"env", "HOST=" + host, "PORT=" + port, "GREETING=" + peer.Greeting, "TYPE=" + peer.ContentType,
				"DOWNLOAD=" + filepath.Join(s.dir, "download"), "UPSTREAM=" + o.upstream}
			if o.workload.TLS {
				args = append(args, "CERT="+s.cert, "KEY="+s.key)
			}
			return append(args, "node", file), os.WriteFile(file, []byte(nodeScript), 0o644)
		}}
}

// programVersion asks an installed program for its version; the floor is part of this tree.
func programVersion(name string) string {
	if name == "floor" {
		return "this tree"
	}
	out, err := exec.Command(name, "-v").CombinedOutput()
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimPrefix(first, "nginx version: ")
}
