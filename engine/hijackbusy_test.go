// Taking over a connection that is in use.

package engine_test

import (
	"errors"
	"io"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestHijackUnderAReader: nobody takes the connection over while the body is read, by
// the handler or beside it; when the reader is done, it can be.
func TestHijackUnderAReader(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, path := range []string{"/beside", "/handler"} {
			s := start(t, d, func(req *engine.Request, res *engine.Response) {
				read := func() {
					p := make([]byte, 4)
					_, err := io.ReadFull(req, p)
					for errors.Is(err, engine.ErrBusy) { // it was asked whether anyone reads
						_, err = io.ReadFull(req, p)
					}
					if err != nil || string(p) != "body" {
						t.Errorf("%s: read %q, %v", path, p, err)
					}
				}
				take := func() {
					// The reader is waiting for what the client sends when it has seen this.
					if !simnet.Becomes(func() bool {
						_, err := req.Read(nil)
						return errors.Is(err, engine.ErrBusy)
					}) {
						t.Errorf("%s: nobody reads", path)
					}
					if _, _, err := res.Hijack(); !errors.Is(err, engine.ErrBusy) {
						t.Errorf("%s: hijacked under the reader: %v", path, err)
					}
					_, _ = res.WriteString("busy")
				}
				first, second := read, take
				if string(req.URL()) == "/beside" {
					first, second = take, read
				}
				done := make(chan struct{})
				go func() { second(); close(done) }()
				first()
				<-done
				socket, head, err := res.Hijack()
				if err != nil || string(head) != "rest" {
					t.Errorf("%s: hijacked %q, %v", path, head, err)
					return
				}
				if _, err := req.Read(make([]byte, 1)); !errors.Is(err, engine.ErrHijacked) {
					t.Errorf("%s: read behind Hijack: %v", path, err)
				}
				_, _ = socket.Write([]byte("mine"))
				_ = socket.Close()
			})
			c := s.dial()
			c.send("POST " + path + " HTTP/1.0\r\nHost: a\r\nContent-Length: 8\r\n\r\n")
			for got := ""; len(got) < 4 || got[len(got)-4:] != "busy"; {
				got += c.readN(1)
			}
			c.send("bodyrest")
			if rest := c.ended(); rest != "mine" {
				t.Errorf("%s: got %q", path, rest)
			}
			_ = s.Close()
		}
	})
}
