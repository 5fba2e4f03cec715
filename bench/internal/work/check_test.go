// Check against a correct server and against servers that are each wrong in one way.

package work

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/peer"
)

// serve answers each request on each connection with what answer returns; n counts the
// requests of a connection, and answer also returns whether the connection continues.
func serve(t *testing.T, answer func(n int) (string, bool)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // ends the goroutine below
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for n := 1; ; n++ {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					text, more := answer(n)
					if _, err := conn.Write([]byte(text)); err != nil || !more {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func right() string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: bench\r\nDate: %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!",
		time.Now().UTC().Format(http.TimeFormat))
}

// streamed is the answer of stream in chunks of those sizes, over and over.
func streamed(sizes ...int) string {
	head, _, _ := strings.Cut(right(), "Content-Length")
	text, body := head+"Transfer-Encoding: chunked\r\n\r\n", Find("stream").Want.Body
	for i := 0; len(body) > 0; i++ {
		n := min(sizes[i%len(sizes)], len(body))
		text += fmt.Sprintf("%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return text + "0\r\n\r\n"
}

func always(text string) func(int) (string, bool) {
	return func(int) (string, bool) { return text, true }
}

func TestCheckAccepts(t *testing.T) {
	for _, name := range []string{"hello", "browser", "pipeline16"} {
		if err := Find(name).Check(serve(t, always(right()))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Find("stream").Check(serve(t, always(streamed(peer.StreamChunk)))); err != nil {
		t.Error(err)
	}
	for name, per := range map[string]int{"churn": 1, "churn10": 10} {
		closing := func(n int) (string, bool) { return right(), n < per }
		if err := Find(name).Check(serve(t, closing)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckRejects(t *testing.T) {
	// Each case has the current date: on a slow machine the last one runs late.
	edit := func(old, new string) func(int) (string, bool) {
		return func(int) (string, bool) { return strings.Replace(right(), old, new, 1), true }
	}
	pieces := func(sizes ...int) func(int) (string, bool) {
		return func(int) (string, bool) { return streamed(sizes...), true }
	}
	for name, c := range map[string]struct {
		workload string
		answer   func(int) (string, bool)
		want     string
	}{
		"gathered":     {"stream", pieces(peer.StreamChunk, 2*peer.StreamChunk), "chunk 2 has 2048 bytes"},
		"cut up":       {"stream", pieces(peer.StreamChunk / 2), "chunk 1 has 512 bytes"},
		"status":       {"hello", edit("200", "203"), "status 203"},
		"short length": {"hello", edit("Length: 13", "Length: 12"), "12 bytes"},
		"long length":  {"hello", edit("Length: 13", "Length: 14"), "timeout"},
		"body":         {"hello", edit("World", "world"), "not the one"},
		"no server":    {"hello", edit("Server: bench\r\n", ""), "no Server"},
		"type":         {"hello", edit("text/plain", "text/html"), "Content-Type"},
		"chunked": {"hello", edit("Content-Length: 13\r\n\r\nHello, World!", "Transfer-Encoding: chunked\r\n\r\nd\r\nHello, World!\r\n0\r\n\r\n"),
			"chunked"},
		"old date": {"hello", edit(time.Now().UTC().Format("2006"), "1999"), "Date"},
		"stale":    {"hello", func(n int) (string, bool) { return right(), n < 2 }, "EOF"},
		"stays":    {"churn", edit("", ""), "not closed"},
		"stays on": {"churn10", edit("", ""), "not closed"},
		"early":    {"churn10", func(n int) (string, bool) { return right(), n < 7 }, "EOF"},
		"slow one": {"mixed", func(n int) (string, bool) {
			if n == 2 {
				return strings.Replace(right(), "200", "503", 1), true
			}
			return right(), true
		}, "status 503"},
	} {
		w := *Find(c.workload)
		limit := patience
		if c.want == "timeout" || c.want == "not closed" { // who waits in vain
			limit = 300 * time.Millisecond
		}
		err := w.check(serve(t, c.answer), limit)
		cut := c.want == "EOF" && errors.Is(err, syscall.ECONNRESET) // the server closed with a request unread
		if err == nil || !strings.Contains(err.Error(), c.want) && !cut {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestRequests(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range All() {
		if seen[w.Name] || w.About == "" {
			t.Errorf("%s: twice, or without a word", w.Name)
		}
		seen[w.Name] = true
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(w.Request("127.0.0.1:80")))))
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
			continue
		}
		if req.ContentLength != int64(w.Body) || req.Host != "127.0.0.1:80" || req.Method != w.Method {
			t.Errorf("%s: %+v", w.Name, req)
		}
	}
	if n := len(Find("browser").Request("127.0.0.1:8080")); n < 650 || n > 750 {
		t.Errorf("the browser's request has %d bytes, want about 700", n)
	}
}
