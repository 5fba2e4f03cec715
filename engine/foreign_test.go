// Goroutines that a handler starts: they may read the body and write the answer in its place while
// it waits for them, one at a time on each side.

package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestForeignReader: io.Copy from the request on another goroutine, while the body
// comes slowly, and others are served.
func TestForeignReader(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		reading := make(chan struct{}, 1)
		s := start(t, d, routes(map[string]engine.Handler{"/copy": func(req *engine.Request, res *engine.Response) {
			var dst bytes.Buffer
			done := make(chan error)
			go func() {
				reading <- struct{}{}
				_, err := io.Copy(&dst, req)
				done <- err
			}()
			if err := <-done; err != nil {
				t.Error(err)
			}
			_ = res.End(dst.Bytes())
		}}))
		c, other := s.dial(), s.dial()
		for range 3 {
			c.send(headOf("/copy", 10))
			simnet.Receive(t, reading, "the goroutine to read")
			for _, b := range "0123456789" {
				other.get("/", "hello")
				c.send(string(b))
			}
			c.expect(200, "0123456789")
		}
		c.send("POST /copy HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		simnet.Receive(t, reading, "the goroutine to read")
		if got := c.readN(25); got != "HTTP/1.1 100 Continue\r\n\r\n" {
			t.Errorf("got %q", got)
		}
		c.send("body")
		c.expect(200, "body")
	})
}

// TestForeignWriter: the answer is written by another goroutine, under back-pressure.
func TestForeignWriter(t *testing.T) {
	const size = 16 << 20
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, routes(map[string]engine.Handler{"/write": func(_ *engine.Request, res *engine.Response) {
			done := make(chan error)
			go func() { done <- pattern(res, size) }()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}}))
		c, other := s.dial(), s.dial()
		c.send(request("/write") + request("/"))
		for range 20 {
			other.get("/", "hello")
		}
		var want strings.Builder
		_ = pattern(&want, size)
		if a := c.next(""); a.body != want.String() {
			t.Errorf("the body came damaged: %d bytes", len(a.body))
		}
		c.expect(200, "hello")
	})
}

// TestFullDuplex: one goroutine reads while the handler writes, both wait, and the
// peer plays them against each other.
func TestFullDuplex(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		const n = 200
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			bytesRead := make(chan byte, n)
			go func() {
				defer close(bytesRead)
				var one [1]byte
				for {
					if _, err := req.Read(one[:]); err != nil {
						return
					}
					bytesRead <- one[0]
				}
			}()
			_ = res.Flush()
			for b := range bytesRead {
				if _, err := res.Write(bytes.Repeat([]byte{b}, 5000)); err != nil {
					t.Error(err)
				}
			}
		})
		c := s.dial()
		go func() {
			_, _ = io.WriteString(c, headOf("/", n))
			for i := range n {
				_, _ = fmt.Fprintf(c, "%c", 'a'+i%26)
			}
		}()
		var want strings.Builder
		for i := range n {
			want.WriteString(strings.Repeat(string(rune('a'+i%26)), 5000))
		}
		if a := c.next(""); a.body != want.String() {
			t.Errorf("got %d bytes", len(a.body))
		}
	})
}

// TestBothSidesElsewhere: a reader and a writer goroutine, the handler waits for both.
func TestBothSidesElsewhere(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			r, w := io.Pipe()
			done := make(chan struct{}, 2)
			go func() {
				_, err := io.Copy(w, req)
				_ = w.CloseWithError(err)
				done <- struct{}{}
			}()
			go func() {
				_, _ = io.Copy(res, r)
				done <- struct{}{}
			}()
			<-done
			<-done
		})
		c := s.dial()
		for _, size := range []int{1, 100, 1 << 20} {
			var body strings.Builder
			_ = pattern(&body, size)
			go func() { _, _ = io.WriteString(c, post("/", body.String())) }()
			if a := c.next(""); a.body != body.String() {
				t.Errorf("%d bytes went, %d came", size, len(a.body))
			}
		}
	})
}
