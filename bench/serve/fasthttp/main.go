// Command fasthttp is the peer built on github.com/valyala/fasthttp, configured as
// its README advises for speed: one process per core, no logging, response bodies set
// as bytes, large bodies streamed.
package main

import (
	"io"
	"net"
	"strconv"
	"time"

	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/bench/internal/store"
	"github.com/valyala/fasthttp"
)

func main() {
	o := peer.Parse()
	s := &fasthttp.Server{
		Name:               peer.Name,
		StreamRequestBody:  o.Workload == "upload",
		MaxRequestBodySize: 1 << 30,
		TLSConfig:          o.TLS(),
	}
	upstream := &fasthttp.HostClient{Addr: o.Upstream, MaxConns: 4096}
	db := store.Open(o.Upstream)
	s.Handler = func(ctx *fasthttp.RequestCtx) { handle(ctx, upstream, db) }
	l, err := net.Listen("tcp4", o.Addr)
	if err != nil {
		peer.Fail(err)
	}
	if s.TLSConfig != nil {
		peer.Run(func() error { return s.ServeTLS(l, "", "") })
	}
	peer.Run(func() error { return s.Serve(l) })
}

func handle(ctx *fasthttp.RequestCtx, upstream *fasthttp.HostClient, db *store.DB) {
	switch string(ctx.Path()) {
	case "/":
		ctx.SetBodyString(peer.Greeting)
	case "/echo":
		ctx.SetBody(ctx.PostBody())
	case "/upload":
		upload(ctx)
	case "/download":
		ctx.Response.SetBodyRaw(peer.Download)
	case "/stream":
		ctx.SetBodyStream(new(stream), -1)
	case "/block":
		time.Sleep(peer.BlockTime)
		ctx.SetBodyString(peer.Greeting)
	case "/slow":
		time.Sleep(peer.SlowTime)
		ctx.SetBodyString(peer.Greeting)
	case "/mixed":
		if string(ctx.URI().QueryString()) == "slow" {
			time.Sleep(peer.SlowTime)
		}
		ctx.SetBodyString(peer.Greeting)
	case "/compute":
		peer.Compute()
		ctx.SetBodyString(peer.Greeting)
	case "/query":
		text, err := db.Greeting()
		if err != nil {
			ctx.SetStatusCode(fasthttp.StatusBadGateway)
		}
		ctx.SetBodyString(text)
	case "/proxy":
		proxy(ctx, upstream)
	default:
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}

// upload reads the body as it arrives, which the server's configuration allows. (PostBody
// would collect all of it first.)
func upload(ctx *fasthttp.RequestCtx) {
	n, err := io.Copy(io.Discard, ctx.RequestBodyStream())
	if err != nil {
		ctx.SetConnectionClose()
	}
	ctx.SetBodyString(strconv.FormatInt(n, 10))
}

// stream returns one chunk per read, and fasthttp flushes each. With SetBodyStreamWriter,
// whose writer has a Flush, it does not: that Flush only passes data to a pipe, whose
// contents are then sent together, in half as many chunks.
type stream int

func (s *stream) Read(p []byte) (int, error) {
	if *s == peer.StreamChunks {
		return 0, io.EOF
	}
	*s++
	return copy(p, peer.Chunk), nil
}

func proxy(ctx *fasthttp.RequestCtx, upstream *fasthttp.HostClient) {
	ctx.Request.SetRequestURI("/")
	if err := upstream.Do(&ctx.Request, &ctx.Response); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadGateway)
	}
}
