// The server that a stepped client asks: right answers, each one counted.

package stepped

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/gale-http/gale/bench/internal/peer"
)

func TestCanned(t *testing.T) {
	c, err := NewCanned()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	watched := make(chan error, 1)
	last := 0
	started := make(chan bool)
	go func() {
		watched <- c.watch(t.Context(), func(done int) bool {
			if last++; done != last {
				t.Errorf("%d after %d", done, last-1)
			}
			if done == 1 {
				close(started)
			}
			return done < 5
		})
	}()
	for asked := 0; len(watched) == 0; asked++ { // the first ones may come before the watch begins
		res, err := http.Get("http://" + c.Addr() + "/")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil || string(body) != peer.Greeting || res.Header.Get("Date") == "" {
			t.Fatalf("%q, %v, %v", body, res.Header, err)
		}
		if asked > 100000 {
			t.Fatal("it does not count")
		}
	}
	<-started
	if err := <-watched; err != nil || last != 5 {
		t.Errorf("%d seen, %v", last, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.watch(ctx, func(int) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c.Close()
	if _, err := http.Get("http://" + c.Addr() + "/"); err == nil {
		t.Error("it answers after its end")
	}
}
