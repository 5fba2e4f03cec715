// Command netclient makes requests with net/http's client, configured to keep as many
// idle connections as it uses.
package main

import (
	"errors"
	"io"
	"net/http"

	"github.com/gale-http/gale/bench/internal/asker"
	"github.com/gale-http/gale/bench/internal/peer"
)

func main() { asker.Main(newAsk) }

func newAsk(o asker.Options) func() error {
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConns: o.Conns, MaxIdleConnsPerHost: o.Conns, MaxConnsPerHost: o.Conns, DisableCompression: true}}
	target := "http://" + o.Addr + "/"
	return func() error {
		res, err := client.Get(target)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK || string(body) != peer.Greeting {
			return errors.New("a wrong answer")
		}
		return nil
	}
}
