// Forwarding a response, from the server's bytes to the client's.

package agent_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// forwarded returns what a client receives when a handler that has set some fields before
// forwards the response.
func forwarded(t *testing.T, answer string, set ...string) string {
	t.Helper()
	back := script(t, func(c net.Conn) {
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, answer)
	})
	a := newAgent(t, new(agent.Agent))
	front := &engine.Server{Loops: 1, Handler: func(in *engine.Request, out *engine.Response) {
		var res agent.Response
		defer res.Close()
		if err := a.Do(in.Context(), &agent.Request{URL: back}, &res); err != nil {
			t.Error(err)
			return
		}
		for i := 0; i < len(set); i += 2 {
			if err := out.SetHeader(set[i], set[i+1]); err != nil {
				t.Error(err)
			}
		}
		if err := out.Forward(&res); err != nil {
			t.Error(err)
		}
	}}
	if err := front.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	c, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	got, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	return string(got)
}

func TestForwardKeepsTheReasonPhrase(t *testing.T) {
	for _, line := range []string{"200 Fine by me", "404 Not Found", "299 Odd", "200 Sch\xf6n"} {
		for _, framing := range []string{"Content-Length: 2\r\n\r\nok", "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"} {
			got := forwarded(t, "HTTP/1.1 "+line+"\r\n"+framing)
			if !strings.HasPrefix(got, "HTTP/1.1 "+line+"\r\n") || !strings.Contains(got, "ok") {
				t.Errorf("%q has become %q", line, got)
			}
		}
	}
	// The previous response must not affect the next one.
	if got := forwarded(t, "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("no reason phrase has become %q", got)
	}
}

// A field that the handler has set stays where only one is allowed, and is kept beside the
// server's where several are.
func TestForwardDoublesNothing(t *testing.T) {
	got := forwarded(t, "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain\r\nServer: back\r\nETag: \"b\"\r\nVary: b\r\nSet-Cookie: b=1\r\nX-B: b\r\nContent-Length: 2\r\n\r\nok",
		"Content-Type", "text/html", "Server", "front", "Vary", "f", "Set-Cookie", "f=1", "Date", "Fri, 27 Nov 2026 08:00:00 GMT")
	for _, want := range []string{"Content-Type: text/html\r\n", "Server: front\r\n", "Date: Fri, 27 Nov 2026 08:00:00 GMT\r\n", "Vary: f\r\n", "Vary: b\r\n", "Set-Cookie: f=1\r\n", "Set-Cookie: b=1\r\n", "ETag: \"b\"\r\n", "X-B: b\r\n", "\r\n\r\nok"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q is not there once in %q", want, got)
		}
	}
	for _, not := range []string{"text/plain", "Server: back", "1970"} {
		if strings.Contains(got, not) {
			t.Errorf("%q is in %q", not, got)
		}
	}
}
