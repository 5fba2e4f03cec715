// Package peer is what every benchmarked server has in common: its command
// line, the bytes it answers with, and the paths it answers on, so that what is
// compared differs in the engine alone.
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
//	/query     what the store behind the upstream's address answers (package store)
//	/proxy     what the upstream's / answers
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
	Name        = "bench" // the Server field; as long as "nginx", which cannot be told to say anything else

	DownloadSize = 1 << 20
	StreamChunks = 100
	StreamChunk  = 1 << 10

	BlockTime = 5 * time.Millisecond  // what a handler on /block sleeps
	SlowTime  = 10 * time.Millisecond // and one on /slow
)

// Download is the body of /download. Nobody may change it.
var Download = pattern(DownloadSize)

// Chunk is one piece of /stream. Nobody may change it.
var Chunk = pattern(StreamChunk)

// computeSteps of Compute take about 20 ms on a core of 3 GHz. They are counted, not timed:
// a server that is kept from computing has as much left to do.
const computeSteps = 10_000_000

// Compute is what a handler on /compute does first. Nothing in it waits or allocates.
func Compute() {
	x := uint64(computeSteps)
	for range computeSteps {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	computed.Store(x)
}

// computed keeps the compiler from leaving the computing out.
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
	Workload string // what is about to be measured, for peers that are set up differently for it
	Upstream string // host:port behind /proxy and /query
	Cert     string // PEM files; both given: serve TLS
	Key      string
}

// Parse reads the command line. It ends the process, with one line on standard
// error, when that is wrong.
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

// TLS loads the certificate; nil when the peer is to serve in plain.
func (o *Options) TLS() *tls.Config {
	if o.Cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		Fail(err)
	}
	// The OpenSSL of nginx and h2o may know nothing of ML-KEM, which crypto/tls would do besides.
	curves := []tls.CurveID{tls.X25519}
	return &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}, CurvePreferences: curves}
}

// Fail ends the process with status 2 and one line that says why.
func Fail(err error) { cli.Fail(err) }

// Run calls serve and waits for it or for a signal to end; either ends the
// process.
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
