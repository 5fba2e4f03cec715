// Package work defines the workloads: each one's requests as they go over the wire, the
// number of connections that carry them, and the right answer.
package work

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gale-http/gale/bench/internal/peer"
)

// Kind says how a workload is driven and what is measured.
type Kind uint8

// The kinds.
const (
	Requests   Kind = iota // closed loop: a connection sends the next request when it has its answer
	Half                   // open loop at half the rate that the same peer reached in a closed one
	Idle                   // memory of connections at rest
	Handshakes             // TLS handshakes, with one request each
)

// Workload is one task that servers are compared at.
type Workload struct {
	Name   string
	About  string // a short description, for the tables
	Kind   Kind
	Conns  int
	Depth  int // requests sent at once on a connection
	Per    int // requests on a connection before it is closed; 0: no limit
	TLS    bool
	Method string
	Path   string
	Slow   string  // one in SlowEvery requests is for this path instead; each round is also run without them
	Rate   float64 // requests due per second (open loop); 0: each is sent when the previous one is answered
	Fields []string
	Body   int  // bytes of request body
	Store  bool // the server needs an upstream: the floor
	Tail   bool // its figure is the 99th percentile of the latency, not the cost of a request
	Want   Answer
}

// SlowEvery is the number of requests of which one is for the slow path, if there is one.
const SlowEvery = 100

// Answer is the right answer to a workload's request.
type Answer struct {
	Body   string
	Chunks int // the number of chunks, all of one size; 0: it has a Content-Length
}

// browserFields are nine of the ten that a browser sends; Host is the tenth.
var browserFields = []string{
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
	"Accept-Language: en-US,en;q=0.9,de;q=0.8",
	"Accept-Encoding: gzip, deflate, br, zstd",
	"Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; _ga=GA1.2.1234567890.1700000000; _gid=GA1.2.987654321.1700000000; consent=yes",
	"Referer: http://127.0.0.1/some/page?with=query",
	"Cache-Control: max-age=0",
	"Upgrade-Insecure-Requests: 1",
	"Connection: keep-alive",
}

var (
	greeting = Answer{Body: peer.Greeting}
	kilobyte = string(peer.Chunk)
)

// All lists the workloads in the order of the tables.
func All() []*Workload {
	list := []*Workload{
		{Name: "hello", About: "13 bytes, 64 connections"},
		{Name: "hello1", About: "13 bytes, 1 connection", Conns: 1},
		{Name: "hello8000", About: "13 bytes, 8 000 connections, making them included", Conns: 8000},
		{Name: "hellohalf", About: "13 bytes, 64 connections, half load", Kind: Half},
		{Name: "browser", About: "ten browser-like fields", Fields: browserFields},
		{Name: "pipeline16", About: "16 requests at once", Depth: 16},
		{Name: "churn", About: "one request per connection", Per: 1},
		{Name: "churn10", About: "ten requests per connection", Per: 10},
		{Name: "post1k", About: "POST of 1 KiB, echoed", Method: "POST", Path: "/echo", Body: 1 << 10, Want: Answer{Body: kilobyte}},
		{Name: "upload", About: "POST of 64 MiB, read and counted", Conns: 8, Method: "POST", Path: "/upload", Body: 64 << 20,
			Want: Answer{Body: fmt.Sprint(64 << 20)}},
		{Name: "download", About: "answers of 1 MiB", Path: "/download", Want: Answer{Body: string(peer.Download)}},
		{Name: "stream", About: "100 chunks of 1 KiB, each flushed", Path: "/stream",
			Want: Answer{Body: strings.Repeat(kilobyte, peer.StreamChunks), Chunks: peer.StreamChunks}},
		{Name: "idle", About: "10 000 connections at rest", Kind: Idle, Conns: 10000},
		{Name: "block", About: "every handler sleeps 5 ms, 1 000 connections", Conns: 1000, Path: "/block"},
		{Name: "mixed", About: "1 in 100 sleeps 10 ms, on a path of its own; latency of the others", Slow: "/slow", Tail: true},
		{Name: "mixedsame", About: "1 in 100 sleeps 10 ms, on the same path; latency of the others", Path: "/mixed", Slow: "/mixed?slow", Tail: true},
		{Name: "mixedhalf", About: "as mixedsame, at half load", Kind: Half, Path: "/mixed", Slow: "/mixed?slow", Tail: true},
		{Name: "compute", About: "2 000 due per second, 1 in 100 computes for 20 ms; latency of the others", Slow: "/compute", Rate: 2000, Tail: true},
		{Name: "query", About: "every handler asks another process, over database/sql", Path: "/query", Store: true, Tail: true},
		{Name: "proxy", About: "server, client, upstream", Path: "/proxy", Store: true},
		{Name: "tls", About: "13 bytes over TLS, 64 connections", TLS: true},
		{Name: "tlsnew", About: "TLS handshakes", Kind: Handshakes, TLS: true, Per: 1},
	}
	for _, w := range list {
		w.fill()
	}
	return list
}

// fill sets the fields that were left out to their usual values.
func (w *Workload) fill() {
	if w.Conns == 0 {
		w.Conns = 64
	}
	if w.Depth == 0 {
		w.Depth = 1
	}
	if w.Method == "" {
		w.Method = "GET"
	}
	if w.Path == "" {
		w.Path = "/"
	}
	if w.Want.Body == "" {
		w.Want = greeting
	}
}

// CanStep reports whether the workload is worth stepping through: its requests are small,
// do not depend on the clock, and are not also those of another workload.
func (w *Workload) CanStep() bool {
	byClock := w.Slow != "" || w.Path == "/block" || w.Path == "/query" // which handlers lose their loop depends on the time
	sameAsHello := w.Name == "hello1" || w.Name == "hello8000" || w.Per > 1
	return w.Kind == Requests && !byClock && !sameAsHello && w.Body+len(w.Want.Body) <= 1<<14
}

// WithoutSlow returns the workload with an ordinary request in place of each deliberately slow
// one.
func (w *Workload) WithoutSlow() *Workload {
	calm := *w
	calm.Slow = ""
	return &calm
}

// Find returns the workload of that name, nil if there is none.
func Find(name string) *Workload {
	for _, w := range All() {
		if w.Name == name {
			return w
		}
	}
	return nil
}

// Request returns the bytes of an ordinary request to host.
func (w *Workload) Request(host string) []byte { return w.request(host, w.Path, w.Fields) }

// Last returns the bytes of a request that is the last of its connection.
func (w *Workload) Last(host string) []byte {
	return w.request(host, w.Path, append(slices.Clone(w.Fields), "Connection: close"))
}

func (w *Workload) request(host, path string, fields []string) []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", w.Method, path, host)
	for _, field := range fields {
		b = append(append(b, field...), "\r\n"...)
	}
	if w.Body > 0 {
		b = fmt.Appendf(b, "Content-Length: %d\r\n", w.Body)
	}
	b = append(b, "\r\n"...)
	for n := w.Body; n > 0; n -= min(n, len(kilobyte)) {
		b = append(b, kilobyte[:min(n, len(kilobyte))]...)
	}
	return b
}
