// Command hertz is the peer built on github.com/cloudwego/hertz, configured as its
// documentation advises for speed: server.New without middleware, the netpoll
// transport, no logging; the standard transport where netpoll cannot be used (TLS).
package main

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/client"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/config"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/network/standard"
	"github.com/cloudwego/hertz/pkg/protocol/http1/resp"

	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/bench/internal/store"
)

func main() {
	o := peer.Parse()
	hlog.SetLevel(hlog.LevelFatal)
	options := []config.Option{
		server.WithHostPorts(o.Addr),
		server.WithNetwork("tcp4"),
		server.WithDisablePrintRoute(true),
		server.WithMaxRequestBodySize(1 << 30),
		server.WithStreamBody(o.Workload == "upload"),
	}
	if cfg := o.TLS(); cfg != nil {
		options = append(options, server.WithTLS(cfg), server.WithTransport(standard.NewTransporter))
	}
	h := server.New(options...)
	h.Name = peer.Name
	routes(h, o.Upstream)
	peer.Run(h.Run)
}

func routes(h *server.Hertz, upstream string) {
	h.GET("/", func(_ context.Context, c *app.RequestContext) { greet(c) })
	h.GET("/block", func(_ context.Context, c *app.RequestContext) {
		time.Sleep(peer.BlockTime)
		greet(c)
	})
	h.GET("/slow", func(_ context.Context, c *app.RequestContext) {
		time.Sleep(peer.SlowTime)
		greet(c)
	})
	h.GET("/mixed", func(_ context.Context, c *app.RequestContext) {
		if string(c.URI().QueryString()) == "slow" {
			time.Sleep(peer.SlowTime)
		}
		greet(c)
	})
	h.GET("/compute", func(_ context.Context, c *app.RequestContext) {
		peer.Compute()
		greet(c)
	})
	db := store.Open(upstream)
	h.GET("/query", func(_ context.Context, c *app.RequestContext) {
		text, err := db.Greeting()
		if err != nil {
			c.SetStatusCode(502)
		}
		c.Response.Header.SetContentType(peer.ContentType)
		c.Response.SetBodyString(text)
	})
	h.POST("/echo", func(_ context.Context, c *app.RequestContext) {
		c.Response.Header.SetContentType(peer.ContentType)
		c.Response.SetBody(c.Request.Body())
	})
	h.POST("/upload", upload)
	h.GET("/download", func(_ context.Context, c *app.RequestContext) {
		c.Response.Header.SetContentType(peer.ContentType)
		c.Response.SetBodyRaw(peer.Download)
	})
	h.GET("/stream", stream)
	if upstream != "" {
		h.GET("/proxy", proxy("http://"+upstream+"/"))
	}
}

func greet(c *app.RequestContext) {
	c.Response.Header.SetContentType(peer.ContentType)
	c.Response.SetBodyString(peer.Greeting)
}

func upload(_ context.Context, c *app.RequestContext) {
	n, err := io.Copy(io.Discard, c.RequestBodyStream())
	if err != nil {
		c.SetConnectionClose()
	}
	c.Response.Header.SetContentType(peer.ContentType)
	c.Response.SetBodyString(strconv.FormatInt(n, 10))
}

func stream(_ context.Context, c *app.RequestContext) {
	c.Response.Header.SetContentType(peer.ContentType)
	c.Response.HijackWriter(resp.NewChunkedBodyWriter(&c.Response, c.GetWriter()))
	for range peer.StreamChunks {
		if _, err := c.Write(peer.Chunk); err != nil {
			return
		}
		if err := c.Flush(); err != nil {
			return
		}
	}
}

func proxy(target string) app.HandlerFunc {
	upstream, err := client.NewClient(client.WithMaxConnsPerHost(4096))
	if err != nil {
		peer.Fail(err)
	}
	return func(ctx context.Context, c *app.RequestContext) {
		c.Request.SetRequestURI(target)
		if err := upstream.Do(ctx, &c.Request, &c.Response); err != nil {
			c.String(502, err.Error())
		}
	}
}
