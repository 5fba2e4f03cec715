// Command agent makes requests with gale's agent from ordinary goroutines, reusing request
// and response values.
package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/bench/internal/asker"
	"github.com/gale-http/gale/bench/internal/peer"
)

func main() { asker.Main(newAsk) }

// exchange holds the values of one request.
type exchange struct {
	req agent.Request
	res agent.Response
	buf [64]byte
}

func newAsk(o asker.Options) func() error {
	client := &agent.Agent{KeepAlive: true, MaxFreeSockets: max(256, o.Conns)}
	target := "http://" + o.Addr + "/"
	kept := sync.Pool{New: func() any {
		x := new(exchange)
		x.req.URL = target
		return x
	}}
	return func() error {
		x := kept.Get().(*exchange)
		defer kept.Put(x)
		if err := client.Do(context.Background(), &x.req, &x.res); err != nil {
			return err
		}
		n, err := io.ReadFull(&x.res, x.buf[:len(peer.Greeting)])
		if err != nil {
			return err
		}
		if x.res.StatusCode() != 200 || string(x.buf[:n]) != peer.Greeting {
			return errors.New("a wrong answer")
		}
		return x.res.Close()
	}
}
