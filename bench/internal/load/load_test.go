// The client against a server that answers correctly until it is told otherwise.

package load

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/bench/internal/work"
)

func TestRun(t *testing.T) {
	var served, wrongFrom atomic.Int64
	wrongFrom.Store(1 << 40)
	stuck := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch n := served.Add(1); {
		case n >= wrongFrom.Load()*2:
			<-stuck
		case n >= wrongFrom.Load():
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = io.WriteString(w, "twelve bytes") // the client is the one to find out
	}))
	defer server.Close()
	defer close(stuck)
	addr := strings.TrimPrefix(server.URL, "http://")

	client, err := Dial(work.Find("hello"), addr, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	last := 0
	err = client.Run(t.Context(), func(done int) bool {
		if done != last+1 {
			t.Errorf("%d answers follow %d", done, last)
		}
		last = done
		return done < 50
	})
	if err != nil || last != 50 || served.Load() < 54 || served.Load() > 58 {
		t.Errorf("%d answers seen, %d given, %v", last, served.Load(), err)
	}
	wrongFrom.Store(served.Load() + 10)
	if err := client.Run(t.Context(), Until(1000)); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("a wrong answer: %v", err)
	}
}

func TestRunObeysItsContext(t *testing.T) {
	stuck, asked := make(chan struct{}), make(chan struct{}, 8)
	first := atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if first.Swap(true) {
			asked <- struct{}{}
			<-stuck
		}
	}))
	defer server.Close()
	defer close(stuck)
	client, err := Dial(work.Find("hello"), strings.TrimPrefix(server.URL, "http://"), 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if err := client.Run(ctx, Until(10)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want it canceled", err)
	}
}

func TestBursts(t *testing.T) {
	var served, conns atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = io.WriteString(w, "twelve bytes") // the client is the one to find out
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	client, err := Dial(work.Find("pipeline16"), addr, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	served.Store(0)
	if n, err := client.Burst(t.Context(), 3); n != 48 || err != nil || served.Load() != 48 {
		t.Errorf("%d requests, %d served, %v", n, served.Load(), err)
	}
	if err := client.One(t.Context()); err != nil || served.Load() != 49 {
		t.Errorf("%d served, %v", served.Load(), err)
	}
	served.Store(0)
	conns.Store(0)
	if n, err := Fresh(t.Context(), work.Find("churn10"), addr, 3); n != 30 || err != nil || served.Load() != 30 || conns.Load() != 3 {
		t.Errorf("%d requests on %d connections, %d served, %v", n, conns.Load(), served.Load(), err)
	}
}
