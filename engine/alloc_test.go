//go:build !galedebug

// Allocations: none in the steady state, whatever a request does that belongs to the steady state.
// The client is a bare connection that does not allocate either, so that every allocation counted
// in the process is the server's. (With galedebug each request has a responder of its own.)

package engine_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
)

// browserRequest is a GET with ten fields.
const browserRequest = "GET /search?q=gale&hl=en HTTP/1.1\r\n" +
	"Host: www.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
	"Accept-Language: en-US,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Referer: https://www.example.com/\r\n" +
	"Cookie: session=0123456789abcdef; theme=dark\r\n" +
	"Connection: keep-alive\r\n" +
	"X-Requested-With: XMLHttpRequest\r\n" +
	"Cache-Control: max-age=0\r\n\r\n"

var kibibyte = []byte(strings.Repeat("x", 1024))

// lookUp uses most of what a request and a response have.
func lookUp(req *engine.Request, res *engine.Response) {
	n := len(req.Method()) + len(req.URL()) + len(req.HTTPVersion())
	n += len(req.Header("host")) + len(req.Header("User-Agent")) + len(req.Header("X-Requested-With")) + len(req.Header("absent"))
	for name, value := range req.Headers() {
		n += len(name) + len(value)
	}
	for name, value := range req.RawHeaders() {
		n += len(name) + len(value)
	}
	_ = res.SetHeader("Content-Type", "text/html; charset=utf-8")
	_ = res.SetHeader("X-Count", "1", "2")
	n += len(res.GetHeader("x-count"))
	res.RemoveHeader("X-Count")
	if n == 0 {
		_ = res.SetStatus(500)
	}
	_ = res.End(kibibyte)
}

// otherAccessors uses what lookUp does not.
func otherAccessors(req *engine.Request, res *engine.Response) {
	n := req.HTTPVersionMajor() + req.HTTPVersionMinor() + int(req.ContentLength())
	for name, value := range req.Trailers() {
		n += len(name) + len(value)
	}
	for name, value := range req.RawTrailers() {
		n += len(name) + len(value)
	}
	if req.Socket().TLS() != nil {
		n = 0
	}
	_ = res.WriteHead(200, "Fine", "X-One", "1", "X-Two", "2")
	for value := range res.HeaderValues("x-one") {
		n += len(value)
	}
	res.SetSendDate(true)
	if n += res.Status(); n == 0 || res.HeadersSent() {
		_ = res.SetStatus(500)
	}
	_ = res.SetStatusMessage("Quite fine")
	_ = res.Flush()
	_, _ = res.Write(kibibyte)
	_ = res.EndString("end")
}

// bodyBuffer is for one handler at a time; a slice of the stack would move to the heap,
// as it does with any io.Reader.
var bodyBuffer [2048]byte

func drainBody(req *engine.Request) (total int, err error) {
	for {
		n, err := req.Read(bodyBuffer[:])
		total += n
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func readBody(req *engine.Request, res *engine.Response) {
	if n, err := drainBody(req); n == len(kibibyte) && err == nil {
		_ = res.EndString("hello")
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	big := strings.Repeat(browserRequest, 16)
	counted := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n"
	chunked := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunk := "400\r\n" + string(kibibyte) + "\r\n0\r\n\r\n"
	file := fileOf(t, kibibyte)
	long := make([]byte, 16<<10)
	for _, c := range []struct {
		name   string
		pieces []string // each is sent when what is before it has been taken
		h      engine.Handler
	}{
		{"ten fields, look-ups, 1 KiB", []string{browserRequest}, lookUp},
		{"in two pieces", []string{browserRequest[:100], browserRequest[100:]}, lookUp},
		{"sixteen at once", []string{big}, lookUp},
		{"streamed", []string{browserRequest}, func(_ *engine.Request, res *engine.Response) {
			for range 4 {
				_, _ = res.Write(kibibyte)
			}
		}},
		{"a file", []string{browserRequest}, func(_ *engine.Request, res *engine.Response) {
			_, _ = res.SendFile(file, 0, -1)
		}},
		{"the other accessors", []string{browserRequest}, otherAccessors},
		{"the context", []string{browserRequest}, func(req *engine.Request, res *engine.Response) {
			if req.Context().Err() == nil {
				_ = res.End(kibibyte)
			}
		}},
		{"tried", []string{browserRequest}, func(_ *engine.Request, res *engine.Response) {
			for range 2 {
				_, _ = res.TryWrite(kibibyte)
			}
		}},
		{"tried, long", []string{browserRequest}, func(_ *engine.Request, res *engine.Response) {
			_, _ = res.TryWrite(long)
		}},
		{"trailers", []string{browserRequest}, func(_ *engine.Request, res *engine.Response) {
			_, _ = res.Write(kibibyte)
			_ = res.AddTrailers("X-Sum", "7")
		}},
		{"body", []string{counted + string(kibibyte)}, readBody},
		{"body that is waited for", []string{counted, string(kibibyte)}, readBody},
		{"chunked body that is waited for", []string{chunked, chunk[:500], chunk[500:]}, readBody},
		{"body that is not read", []string{counted, string(kibibyte)}, hello},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				if d.portable && c.name == "the context" {
					return // a goroutine listens for the hang-up
				}
				if d.portable && c.name == "tried, long" {
					return // net.Buffers does
				}
				testAllocations(t, d, c.pieces, c.h)
			})
		})
	}
}

func testAllocations(t *testing.T, d driver, pieces []string, h engine.Handler) {
	var taken chan struct{}
	handler := h
	if len(pieces) > 1 && strings.HasPrefix(pieces[0], "POST") {
		// The handler says that it runs, so that the body is sent to one that waits.
		taken = make(chan struct{}, 1)
		handler = func(req *engine.Request, res *engine.Response) {
			taken <- struct{}{}
			h(req, res)
		}
	}
	c := start(t, d, handler).dial()
	var send [][]byte
	for _, piece := range pieces {
		send = append(send, []byte(piece))
	}
	exchange := func(answer []byte) int {
		for i, piece := range send {
			if i == 1 && taken != nil {
				<-taken
			}
			if _, err := c.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		n, err := io.ReadFull(c, answer)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	answer := make([]byte, answerLength(t, c.Conn, send, taken))
	for range 100 {
		exchange(answer)
	}
	if n := testing.AllocsPerRun(1000, func() { exchange(answer) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// answerLength makes one exchange and returns the length of its answer, which is the same for all
// the requests that are sent.
func answerLength(t *testing.T, c net.Conn, send [][]byte, taken <-chan struct{}) int {
	t.Helper()
	requests := 0
	for i, piece := range send {
		requests += strings.Count(string(piece), " HTTP/1.1\r\n")
		if i == 1 && taken != nil {
			<-taken
		}
		if _, err := c.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	size := &sizeReader{Reader: c}
	in := newClient(t, fakeConn{c, size})
	for range max(1, requests) {
		if a := in.next(""); a.StatusCode != 200 || a.body == "" {
			t.Fatalf("got %d %q", a.StatusCode, a.body)
		}
	}
	return size.n
}

// sizeReader counts what is read through it.
type sizeReader struct {
	io.Reader
	n int
}

func (r *sizeReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += n
	return n, err
}

// fakeConn is a connection read through something else.
type fakeConn struct {
	net.Conn
	in io.Reader
}

func (c fakeConn) Read(p []byte) (int, error) { return c.in.Read(p) }
