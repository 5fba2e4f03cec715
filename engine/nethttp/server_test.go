// From an http.Server to a gale server.

package nethttp_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/engine/nethttp"
)

func TestNewServer(t *testing.T) {
	var words logBuffer
	s := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Method+" "+r.Context().Value(http.ServerContextKey).(*http.Server).Addr)
		}),
		Addr:                         "the one",
		ReadHeaderTimeout:            time.Second,
		ReadTimeout:                  2 * time.Second,
		WriteTimeout:                 3 * time.Second,
		MaxHeaderBytes:               1000,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(&words, "", 0),
	}
	g, err := nethttp.NewServer(s)
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Timeouts{Head: time.Second, Idle: 2 * time.Second, Body: 2 * time.Second, Write: 3 * time.Second, Inactive: -1}
	if g.Timeouts != want || g.ErrorLog != s.ErrorLog {
		t.Errorf("timeouts %+v, want %+v", g.Timeouts, want)
	}
	if err := g.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for text, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                                         "GET the one",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n":                                     "OPTIONS the one",
		"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n":                               "",
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 1000) + "\r\n\r\n": "431 ",
	} {
		method, _, _ := strings.Cut(text, " ")
		if got := converse(t, g.Addr().String(), text, method); !strings.Contains(got, want) || !strings.HasPrefix(want, "4") && !strings.HasPrefix(got, "200 ") {
			t.Errorf("%.20q: got %q, want %q", text, got, want)
		}
	}
}

// TestNewServerRefuses: settings that have no counterpart are not silently ignored.
func TestNewServerRefuses(t *testing.T) {
	for _, s := range []*http.Server{
		{BaseContext: func(net.Listener) context.Context { return context.Background() }},
		{ConnContext: func(ctx context.Context, _ net.Conn) context.Context { return ctx }},
		{ConnState: func(net.Conn, http.ConnState) {}},
	} {
		if _, err := nethttp.NewServer(s); err == nil {
			t.Errorf("%+v was taken over", s)
		}
	}
}
