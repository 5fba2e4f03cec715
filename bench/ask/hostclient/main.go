// Command hostclient makes requests with fasthttp's HostClient, reusing request and
// response values as its documentation recommends.
package main

import (
	"errors"

	"github.com/gale-http/gale/bench/internal/asker"
	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/valyala/fasthttp"
)

func main() { asker.Main(newAsk) }

func newAsk(o asker.Options) func() error {
	client := &fasthttp.HostClient{Addr: o.Addr, MaxConns: o.Conns}
	target := "http://" + o.Addr + "/"
	return func() error {
		req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(req)
		defer fasthttp.ReleaseResponse(res)
		req.SetRequestURI(target)
		if err := client.Do(req, res); err != nil {
			return err
		}
		if res.StatusCode() != fasthttp.StatusOK || string(res.Body()) != peer.Greeting {
			return errors.New("a wrong answer")
		}
		return nil
	}
}
