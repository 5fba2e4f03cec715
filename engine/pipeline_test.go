// Pipelining in bulk: a hundred requests in one segment, byte by byte, and by every
// size of piece; answers come in order, each to its request.

package engine_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// hundred is a hundred requests of several kinds, and the answers to them; filler
// makes each request longer.
func hundred(filler string) *simnet.Script {
	var requests, answers strings.Builder
	for i := range 100 {
		switch i % 5 {
		case 0:
			requests.WriteString(request("/hello"))
			answers.WriteString("HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 5\r\n\r\nhello")
		case 1:
			body := fmt.Sprintf("body %d", i)
			requests.WriteString(post("/echo", body))
			fmt.Fprintf(&answers, "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		case 2:
			fmt.Fprintf(&requests, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n%x\r\n%s\r\n0\r\nX: y\r\n\r\n", i, strings.Repeat("c", i))
			fmt.Fprintf(&answers, "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: %d\r\n\r\nab%s", i+2, strings.Repeat("c", i))
		case 3:
			requests.WriteString("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n")
			answers.WriteString("HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 5\r\n\r\n")
		case 4:
			requests.WriteString(request("/stream"))
			answers.WriteString("HTTP/1.1 200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
		}
	}
	sent := strings.ReplaceAll(requests.String(), "Host: a\r\n", "Host: a\r\nX-Filler: "+filler+"\r\n")
	return &simnet.Script{Place: "pipeline_test.go", Name: "a hundred requests", Steps: []simnet.Step{
		{Action: simnet.Send, Bytes: []byte(sent)},
		{Action: simnet.Expect, Bytes: []byte(answers.String())},
	}}
}

func TestHundredRequests(t *testing.T) {
	// The long ones together are several times what is read at once.
	short, long := hundred(""), hundred(strings.Repeat("filler", 17))
	allDrivers(t, func(t *testing.T, d driver) {
		s := start(t, d, page)
		path := filepath.Join(t.TempDir(), "socket")
		if err := s.Listen("unix", path); err != nil {
			t.Fatal(err)
		}
		tcp := func() (net.Conn, error) { return net.Dial("tcp", s.Addr().String()) }
		unix := func() (net.Conn, error) { return net.Dial("unix", path) }
		for _, script := range []*simnet.Script{short, long} {
			play(t, "one segment", tcp, simnet.Whole, script)
			play(t, "one segment, unix", unix, simnet.Whole, script)
			for k := 40; k < script.Sent(); k += 1 + k {
				play(t, fmt.Sprintf("pieces of %d", k), unix, simnet.Every(k), script)
			}
		}
		play(t, "byte by byte", unix, simnet.Bytes, short)
	})
}

// TestDeepPipeline: far more requests than any buffer holds, while nobody reads the
// answers: the server waits for the client, not the other way round.
func TestDeepPipeline(t *testing.T) {
	const n = 20_000
	answer := strings.Repeat("x", 1000)
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, routes(map[string]engine.Handler{"/deep": func(_ *engine.Request, res *engine.Response) {
			_ = res.EndString(answer)
		}}))
		c, other := s.dial(), s.dial()
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(c, strings.Repeat(request("/deep"), n))
			sent <- err
		}()
		for range 20 {
			other.get("/", "hello")
		}
		for range n {
			c.expect(200, answer)
		}
		if err := simnet.Receive(t, sent, "the client to have sent"); err != nil {
			t.Error(err)
		}
	})
}
