// Slow and greedy peers: answers that are not taken, bodies that are not read, peers that go on
// sending after the end. The memory held for them is bounded, and they still get what they may rely
// on.

package engine_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// pattern writes n bytes that do not repeat in step with any buffer's size.
func pattern(w io.Writer, n int) error {
	var block [10007]byte
	for i := range block {
		block[i] = byte(i * i >> 3)
	}
	for n > 0 {
		k := min(n, len(block))
		if _, err := w.Write(block[:k]); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

func sum(n int) string {
	h := sha256.New()
	_ = pattern(h, n)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// TestBackPressure: a handler that writes more than is taken waits, in bounded memory, and delays
// nobody else; when the peer reads at last, it gets everything.
func TestBackPressure(t *testing.T) {
	const size = 64 << 20
	want := sum(size)
	for how, h := range map[string]func(written *atomic.Int64) engine.Handler{
		"chunked": func(written *atomic.Int64) engine.Handler {
			return func(_ *engine.Request, res *engine.Response) { _ = pattern(counter{res, written}, size) }
		},
		"in small pieces": func(written *atomic.Int64) engine.Handler {
			return func(_ *engine.Request, res *engine.Response) { _ = pattern(pieces{counter{res, written}}, size) }
		},
		"with a length": func(written *atomic.Int64) engine.Handler {
			return func(_ *engine.Request, res *engine.Response) {
				_ = res.SetHeader("Content-Length", fmt.Sprint(size))
				_ = pattern(counter{res, written}, size)
			}
		},
	} {
		t.Run(how, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				var written atomic.Int64
				s := start(t, d, routes(map[string]engine.Handler{"/big": h(&written)}))
				slow, other := s.dial(), s.dial()
				slow.send(request("/big") + request("/"))
				for range 50 {
					other.get("/", "hello")
				}
				slow.readN(100_000)
				for range 50 {
					other.get("/", "hello")
				}
				if n := written.Load(); n >= size {
					t.Fatalf("the handler has written all %d bytes to a peer that does not read", n)
				}
				again := s.dial()
				again.send(request("/big") + request("/"))
				res, err := http.ReadResponse(again.in, nil)
				if err != nil {
					t.Fatal(err)
				}
				h := sha256.New()
				if _, err := io.Copy(h, res.Body); err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
					t.Error("the body came damaged")
				}
				again.expect(200, "hello")
			})
		})
	}
}

// pieces writes what it gets in pieces that are copied behind their chunk-size line.
type pieces struct{ to io.Writer }

func (w pieces) Write(p []byte) (int, error) {
	for n := 0; n < len(p); {
		k, err := w.to.Write(p[n:min(n+3000, len(p))])
		if n += k; err != nil {
			return n, err
		}
	}
	return len(p), nil
}

type counter struct {
	to io.Writer
	n  *atomic.Int64
}

func (c counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n.Add(int64(n))
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// TestLargePieces: pieces around the sizes at which they are sent in another way,
// through Write and End, to a peer that takes little at a time.
func TestLargePieces(t *testing.T) {
	sizes := []int{0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 1 << 16, 1 << 20}
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			var write, end int
			_, _ = fmt.Sscanf(string(req.URL()), "/%d/%d", &write, &end)
			if n, err := res.WriteString(strings.Repeat("w", write)); n != write || err != nil {
				t.Errorf("Write took %d of %d: %v", n, write, err)
			}
			if err := res.EndString(strings.Repeat("e", end)); err != nil {
				t.Error(err)
			}
		})
		c := s.dial()
		if err := c.Conn.(*net.TCPConn).SetReadBuffer(32 << 10); err != nil {
			t.Fatal(err)
		}
		for _, write := range sizes {
			for _, end := range sizes {
				c.send(request(fmt.Sprintf("/%d/%d", write, end)))
				if a := c.next(""); a.body != strings.Repeat("w", write)+strings.Repeat("e", end) {
					t.Errorf("%d, %d: got %d bytes", write, end, len(a.body))
				}
			}
		}
	})
}

// TestUploadInPieces: bodies of sizes around the read buffer's, read in pieces of
// sizes around it or (0) by WriteTo, arrive undamaged, and so does the request behind
// them.
func TestUploadInPieces(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, routes(map[string]engine.Handler{"/sum": func(req *engine.Request, res *engine.Response) {
			var size int
			_, _ = fmt.Sscan(string(req.Header("X-Read")), &size)
			h := sha256.New()
			var err error
			if size == 0 {
				_, err = req.WriteTo(h)
			} else {
				_, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{req}, make([]byte, size))
			}
			if err != nil {
				t.Error(err)
			}
			_ = res.EndString(fmt.Sprintf("%x", h.Sum(nil)))
		}}))
		c := s.dial()
		for _, size := range []int{1, 1023, 1024, 7000, 8191, 8192, 8193, 100_000, 3 << 20} {
			for _, read := range []int{0, 7, 1023, 1024, 8192, 1 << 20} {
				var body strings.Builder
				_ = pattern(&body, size)
				go func() {
					_, _ = fmt.Fprintf(c, "POST /sum HTTP/1.1\r\nHost: a\r\nX-Read: %d\r\nContent-Length: %d\r\n\r\n%s", read, size, body.String())
					_, _ = fmt.Fprintf(c, "POST /sum HTTP/1.1\r\nHost: a\r\nX-Read: %d\r\nTransfer-Encoding: chunked\r\n\r\n", read)
					for text := body.String(); text != ""; {
						k := min(len(text), 1+size/7)
						_, _ = fmt.Fprintf(c, "%x\r\n%s\r\n", k, text[:k])
						text = text[k:]
					}
					_, _ = io.WriteString(c, "0\r\n\r\n"+request("/"))
				}()
				c.expect(200, sum(size))
				c.expect(200, sum(size))
				c.expect(200, "hello")
				if t.Failed() {
					t.Fatalf("%d bytes, read by %d", size, read)
				}
			}
		}
	})
}

// TestUnreadBodyIsDrained: up to the bound, the connection goes on.
func TestUnreadBodyIsDrained(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, hello)
		c := s.dial()
		c.send(headOf("/", 200<<10))
		c.expect(200, "hello") // before the body, which the server then waits for
		body := strings.Repeat("GET /x HTTP/1.1\n", 200<<10/16)
		c.send(body)
		c.get("/", "hello")
		c.send(post("/", body) + request("/"))
		c.expect(200, "hello")
		c.expect(200, "hello")
	})
}

// TestUnreadBodyIsNotARequest: beyond the bound the connection closes. The answer arrives although
// the client goes on sending, and nothing of the body is taken for a request.
func TestUnreadBodyIsNotARequest(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		var requests atomic.Int32
		s := start(t, d, func(_ *engine.Request, res *engine.Response) {
			requests.Add(1)
			_ = res.EndString("hello")
		})
		c := s.dial()
		c.send(headOf("/", 1<<20))
		c.send(strings.Repeat(request("/"), 2000))
		a := c.expect(200, "hello")
		if !a.Close {
			t.Error("the answer does not say that the connection closes")
		}
		if rest := c.ended(); rest != "" {
			t.Errorf("more came: %q", rest)
		}
		if n := requests.Load(); n != 1 {
			t.Errorf("%d requests were served", n)
		}
	})
}

// TestEarlyAnswerArrives: a client that is still sending can read why it should stop, as long as it
// sends no more than the server reads on for that purpose; then it is cut.
func TestEarlyAnswerArrives(t *testing.T) {
	requests := map[string]string{
		"413": headOf("/", 2<<20),
		"400": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
		"505": "POST / HTTP/3.0\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
		"431": "POST / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 100_000) + "\r\n\r\n",
	}
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		s.Limits.Body = 1 << 20
		s.listen()
		for code, head := range requests {
			c := s.dial()
			c.send(head)
			c.send(strings.Repeat("x", 100_000))
			if got := c.ended(); statusOf(got) != code || !strings.HasSuffix(got, "Connection: close\r\n\r\n") {
				t.Errorf("%s: got %q", code, got)
			}
			_ = c.Close()
		}
	})
}

// TestEndlessSenderIsCut: one that does not listen and goes on sending.
func TestEndlessSenderIsCut(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, hello)
		c := s.dial()
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
		c.sendUntilCut(256 << 20) // far more than the kernel and the bound hold
		s.dial().get("/", "hello")
	})
}

// TestTurnedAwaySenderIsCut: one that is turned away is not read from for long.
func TestTurnedAwaySenderIsCut(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		s.Limits.Connections = 1
		s.listen()
		first := s.dial()
		first.get("/", "hello")
		s.dial().sendUntilCut(32 << 20) // more than the kernel and the bound hold
		first.get("/", "hello")
	})
}

// sendUntilCut sends until the server cuts the connection, which it must do before it has taken most
// bytes.
func (c *client) sendUntilCut(most int) {
	c.t.Helper()
	block := []byte(strings.Repeat("x", 1<<16))
	for sent := 0; ; sent += len(block) {
		if sent > most {
			c.t.Fatalf("the server has taken %d bytes", sent)
		}
		_, err := c.Write(block)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			c.t.Fatal("the server neither reads nor closes")
		}
		if err != nil {
			return
		}
	}
}

// TestSilentPeerIsDropped: one that got its error and neither closes nor sends is
// dropped too, after a while.
func TestSilentPeerIsDropped(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		t.Parallel()
		s := start(t, d, hello)
		c := s.dial()
		c.send("bad\r\n\r\n")
		if got := c.ended(); statusOf(got) != "400" {
			t.Errorf("got %q", got)
		}
		if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
			t.Error("the connection is still open")
		}
	})
}
