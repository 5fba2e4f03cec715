// Command gale is gale's own server, with its defaults. The proxy workload uses
// examples/proxy instead.
package main

import (
	"io"
	"strconv"
	"time"

	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/bench/internal/store"
	"github.com/gale-http/gale/engine"
)

// db is the store that /query queries.
var db *store.DB

func main() {
	o := peer.Parse()
	db = store.Open(o.Upstream)
	s := &engine.Server{Handler: handle, TLS: o.TLS()}
	if err := s.Listen("tcp4", o.Addr); err != nil {
		peer.Fail(err)
	}
	peer.Run(s.Wait)
}

// handle ignores write errors: the driver counts what does not arrive.
func handle(req *engine.Request, res *engine.Response) {
	_ = res.SetHeader("Server", peer.Name)
	_ = res.SetHeader("Content-Type", peer.ContentType)
	switch string(req.URL()) {
	case "/":
		_ = res.EndString(peer.Greeting)
	case "/echo":
		echo(req, res)
	case "/upload":
		n, err := io.Copy(io.Discard, req)
		if err != nil {
			return
		}
		_ = res.EndString(strconv.FormatInt(n, 10))
	case "/download":
		_ = res.End(peer.Download)
	case "/stream":
		for range peer.StreamChunks {
			if _, err := res.Write(peer.Chunk); err != nil {
				return
			}
			if err := res.Flush(); err != nil {
				return
			}
		}
	case "/block":
		time.Sleep(peer.BlockTime)
		_ = res.EndString(peer.Greeting)
	case "/slow", "/mixed?slow":
		time.Sleep(peer.SlowTime)
		_ = res.EndString(peer.Greeting)
	case "/mixed":
		_ = res.EndString(peer.Greeting)
	case "/compute":
		peer.Compute()
		_ = res.EndString(peer.Greeting)
	case "/query":
		text, err := db.Greeting()
		if err != nil {
			_ = res.SetStatus(502)
		}
		_ = res.EndString(text)
	default:
		_ = res.SetStatus(404)
	}
}

// echo answers with the request's body.
func echo(req *engine.Request, res *engine.Response) {
	_ = res.SetHeader("Content-Length", string(req.Header("content-length")))
	_, _ = io.Copy(res, req)
}
