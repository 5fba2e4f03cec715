// Command nethttp is the peer built on the standard library's net/http: a plain
// handler on a plain server, field values set once per answer.
package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"

	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/bench/internal/store"
)

// Shared values: net/http sends a header's slices and does not change them.
var (
	serverField = []string{peer.Name}
	typeField   = []string{peer.ContentType}
	greeting    = []byte(peer.Greeting)
)

type handler struct {
	proxy *httputil.ReverseProxy
	db    *store.DB
}

func main() {
	o := peer.Parse()
	h := handler{db: store.Open(o.Upstream), proxy: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.URL.Path = "http", o.Upstream, "/"
		},
		Transport: &http.Transport{MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096, DisableCompression: true},
	}}
	s := &http.Server{Handler: h, TLSConfig: o.TLS()}
	l, err := net.Listen("tcp4", o.Addr)
	if err != nil {
		peer.Fail(err)
	}
	if s.TLSConfig != nil {
		peer.Run(func() error { return s.ServeTLS(l, "", "") })
	}
	peer.Run(func() error { return s.Serve(l) })
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fields := w.Header()
	fields["Server"] = serverField
	fields["Content-Type"] = typeField
	body := greeting
	switch r.URL.Path {
	case "/":
	case "/echo":
		// The body has to be read before the first write: net/http discards the rest.
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
	case "/upload":
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		body = strconv.AppendInt(nil, n, 10)
	case "/download":
		fields["Content-Length"] = []string{strconv.Itoa(peer.DownloadSize)}
		body = peer.Download
	case "/stream":
		stream(w)
		return
	case "/block":
		time.Sleep(peer.BlockTime)
	case "/slow":
		time.Sleep(peer.SlowTime)
	case "/mixed":
		if r.URL.RawQuery == "slow" {
			time.Sleep(peer.SlowTime)
		}
	case "/compute":
		peer.Compute()
	case "/query":
		text, err := h.db.Greeting()
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
		}
		body = []byte(text)
	case "/proxy":
		clear(fields)
		h.proxy.ServeHTTP(w, r)
		return
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = w.Write(body) // the driver counts what does not arrive
}

func stream(w http.ResponseWriter) {
	flusher := w.(http.Flusher)
	for range peer.StreamChunks {
		if _, err := w.Write(peer.Chunk); err != nil {
			return
		}
		flusher.Flush()
	}
}
