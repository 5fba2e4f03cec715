// Command agentloop makes requests with gale's agent from handlers of an engine, on their
// loops: one handler per connection, each making requests until the time is over.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/bench/internal/asker"
	"github.com/gale-http/gale/bench/internal/cli"
	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/engine"
)

func main() {
	var (
		addr  = flag.String("addr", "127.0.0.1:8080", "server")
		conns = flag.Int("c", 64, "handlers")
		span  = flag.Duration("d", 2*time.Second, "span of the load")
	)
	cli.Parse("")
	cli.Least("c", *conns, 1)
	cli.Positive("d", *span)
	f, err := run("http://"+*addr+"/", *conns, *span)
	if err == nil && f.Requests == 0 {
		err = errors.New("no answer")
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "agentloop:", err)
		os.Exit(1)
	}
}

// load is the state shared by the handlers.
type load struct {
	target       string
	client       *agent.Agent
	over         atomic.Bool
	good, failed atomic.Int64
}

func run(target string, conns int, span time.Duration) (asker.Figures, error) {
	l := &load{target: target, client: &agent.Agent{KeepAlive: true}}
	s := &engine.Server{Handler: l.serve, Dispatch: engine.Inline}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		return asker.Figures{}, err
	}
	var group sync.WaitGroup
	for range conns {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			return asker.Figures{}, err
		}
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: gale\r\nConnection: close\r\n\r\n"); err != nil {
			return asker.Figures{}, err
		}
		group.Go(func() {
			_, _ = io.Copy(io.Discard, c) // until the handler has returned
			_ = c.Close()
		})
	}
	time.Sleep(span) // sleep: the span of the load
	l.over.Store(true)
	group.Wait()
	l.client.Destroy()
	return asker.Figures{Requests: l.good.Load(), Errors: l.failed.Load()}, s.Close()
}

func (l *load) serve(in *engine.Request, _ *engine.Response) {
	var (
		req agent.Request
		res agent.Response
		buf [64]byte
	)
	req.URL = l.target
	for ctx := in.Context(); !l.over.Load(); {
		if err := l.client.Do(ctx, &req, &res); err != nil {
			l.failed.Add(1)
			continue
		}
		n, _ := io.ReadFull(&res, buf[:len(peer.Greeting)])
		if res.StatusCode() != 200 || string(buf[:n]) != peer.Greeting {
			l.failed.Add(1)
			continue
		}
		l.good.Add(1)
	}
}
