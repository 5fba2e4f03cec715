// Streaming in both directions through the proxy.

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// A conversation: what the client sends next depends on what the server has sent.
func TestConversation(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		_ = rc.Flush()
		for in := bufio.NewReader(r.Body); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(w, "re: "+line)
			_ = rc.Flush()
		}
	}))
	defer back.Close()
	url := front(t, back.URL, &agent.Agent{KeepAlive: true})
	for range 3 {
		read, write := io.Pipe()
		req, _ := http.NewRequest("POST", url, read)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(res.Body)
		for range 50 {
			if _, err := io.WriteString(write, "hello\n"); err != nil {
				t.Fatal(err)
			}
			if line, err := lines.ReadString('\n'); line != "re: hello\n" {
				t.Fatalf("%q, %v", line, err)
			}
		}
		_ = write.Close()
		if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
		_ = res.Body.Close()
	}
}

// If a server refuses a body before it has seen it, the client learns this at once.
func TestEarlyRefusal(t *testing.T) {
	url := front(t, "http://"+simnet.Serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nno!")
		_, _ = io.Copy(io.Discard, c)
	}), &agent.Agent{KeepAlive: true})
	for range 3 {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nwhat there is of it")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); res.StatusCode != 413 || string(body) != "no!" || err != nil {
			t.Errorf("%d %q, %v", res.StatusCode, body, err)
		}
		_ = c.Close()
	}
}
