// Package peer is what all benchmarked servers have in common: the command line, the
// bytes they answer with, and the paths they answer on, so that they differ only in
// their engines.
//
// A peer answers on these paths, as far as it can:
//
//	/          the greeting
//	/echo      the body of a POST
//	/upload    the number of bytes in the body of a POST, in decimal
//	/download  1 MiB
//	/stream    100 chunks of 1 KiB, each flushed
//	/block     the greeting, after 5 ms of sleep
//	/slow      the greeting, after 10 ms of sleep
//	/mixed     the greeting, after 10 ms of sleep when the query is "slow"
//	/compute   the greeting, after about 20 ms of computing (Compute)
//	/query     the answer of the store at the upstream's address (package store)
//	/proxy     the answer of the upstream's /
//
// Every answer has the fields Server, Date, Content-Type and, unless it is
// chunked, Content-Length, with the current date.
package peer

import (
	"crypto/tls"
	"flag"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gale-http/gale/bench/internal/cli"
)

// The answers of every peer.
const (
	Greeting    = "Hello, World!"
	ContentType = "text/plain; charset=utf-8"
	Name        = "bench" // the Server field; as long as "nginx", whose own cannot be changed

	DownloadSize = 1 << 20
	StreamChunks = 100
	StreamChunk  = 1 << 10

	BlockTime = 5 * time.Millisecond  // how long a handler on /block sleeps
	SlowTime  = 10 * time.Millisecond // how long one on /slow or /mixed?slow does
)

// Download is the body of /download. It must not be modified.
var Download = pattern(DownloadSize)

// Chunk is one piece of /stream. It must not be modified.
var Chunk = pattern(StreamChunk)

// computeSteps is the number of steps of Compute, about 20 ms on a core of 3 GHz. It is a
// count and not a time, so that a server that is interrupted has to do just as much.
const computeSteps = 10_000_000

// Compute is what a handler on /compute does first. It neither waits nor allocates.
func Compute() {
	x := uint64(computeSteps)
	for range computeSteps {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	computed.Store(x)
}

// computed keeps the compiler from removing the computation.
var computed atomic.Uint64

func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = "0123456789abcdefghijklmnopqrstuvwxyz\n"[i%37]
	}
	return p
}

// Options is a peer's command line.
type Options struct {
	Addr     string // where to listen: host:port
	Workload string // what is about to be measured, for peers whose configuration depends on it
	Upstream string // host:port behind /proxy and /query
	Cert     string // PEM files; both given: serve TLS
	Key      string
}

// Parse parses the command line. If that is wrong, it ends the process with one line on
// standard error.
func Parse() *Options {
	o := new(Options)
	flag.StringVar(&o.Addr, "addr", "127.0.0.1:8080", "`host:port` to listen on")
	flag.StringVar(&o.Workload, "workload", "hello", "the `name` of the workload to be set up for")
	flag.StringVar(&o.Upstream, "upstream", "", "`host:port` that /proxy and /query ask")
	flag.StringVar(&o.Cert, "cert", "", "certificate `file`: serve TLS")
	flag.StringVar(&o.Key, "key", "", "key `file` of the certificate")
	cli.Parse("")
	return o
}

// TLS loads the certificate; it returns nil if the peer is to serve without TLS.
func (o *Options) TLS() *tls.Config {
	if o.Cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		Fail(err)
	}
	// The OpenSSL of nginx and h2o may not support ML-KEM, which crypto/tls would use in addition.
	curves := []tls.CurveID{tls.X25519}
	return &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}, CurvePreferences: curves}
}

// Fail ends the process with status 2 and one line that says why.
func Fail(err error) { cli.Fail(err) }

// Run calls serve and ends the process when serve returns or a signal arrives.
func Run(serve func() error) {
	done := make(chan error, 1)
	go func() { done <- serve() }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	select {
	case err := <-done:
		Fail(err)
	case <-stop:
		os.Exit(0)
	}
}
