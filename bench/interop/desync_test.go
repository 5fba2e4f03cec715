// The unfixed desync of fasthttp with StreamRequestBody: a handler does not read the
// body, the server answers, and the rest of the body is taken for the next request. The
// same bytes go to both servers; fasthttp's reaction shows that they trigger the desync.

package interop

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/engine/nethttp"
)

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

// desyncs are uploads whose bodies are requests, some of which arrive only after the
// answer, of many sizes around what servers read ahead and drain.
func desyncs() map[string][2]string {
	all := map[string][2]string{}
	for _, size := range []int{1, 100, 4 << 10, 8 << 10, 64 << 10, 200 << 10, 300 << 10, 1 << 20} {
		body := strings.Repeat(smuggled, size/len(smuggled)+1)
		for _, early := range []int{0, 1, len(body) / 2, len(body)} {
			head := fmt.Sprintf("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(body))
			all[fmt.Sprintf("counted, %d of %d", early, len(body))] = [2]string{head + body[:early], body[early:]}
			chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
			head = "POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			all[fmt.Sprintf("chunked, %d of %d", early, len(body))] = [2]string{head + chunk[:early], chunk[early:]}
			all[fmt.Sprintf("expecting, %d of %d", early, len(body))] = [2]string{
				fmt.Sprintf("POST /ignore HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:early]),
				body[early:],
			}
		}
	}
	return all
}

// desynced sends an upload in two parts, followed by a request, and returns the bodies of
// all answers.
func desynced(t *testing.T, addr string, parts [2]string) []string {
	t.Helper()
	c := dial(t, addr)
	sent := make(chan struct{})
	in := bufio.NewReader(c)
	var answers []string
	read := func() bool {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return false
		}
		body, err := io.ReadAll(res.Body)
		answers = append(answers, string(body))
		return err == nil
	}
	go func() {
		defer close(sent)
		if _, err := io.WriteString(c, parts[0]); err != nil {
			return // the answer has come, and the connection was closed
		}
		_, _ = io.WriteString(c, parts[1]+"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	for read() {
	}
	_ = c.Close()
	<-sent
	return answers
}

func TestDesync(t *testing.T) {
	native := func(req *engine.Request, res *engine.Response) { _ = res.EndString(string(req.URL())) }
	bridged := nethttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }))
	servers := map[string]string{
		"native":   start(t, &engine.Server{Handler: native}),
		"bridged":  start(t, &engine.Server{Handler: bridged}),
		"portable": start(t, &engine.Server{Handler: native, Portable: true}),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fast := &fasthttp.Server{
		StreamRequestBody: true,
		Handler:           func(ctx *fasthttp.RequestCtx) { ctx.SetBody(ctx.Path()) },
		Logger:            log.New(io.Discard, "", 0),
	}
	go func() { _ = fast.Serve(l) }()
	defer func() { _ = fast.Shutdown() }()

	fooled := 0
	for name, parts := range desyncs() {
		for _, answer := range desynced(t, l.Addr().String(), parts) {
			if answer == "/smuggled" {
				fooled++
				break
			}
		}
		for which, addr := range servers {
			answers := desynced(t, addr, parts)
			switch strings.Join(answers, " ") {
			case "/ignore", "/ignore /next":
			default:
				t.Errorf("%s, %s: %.300q", which, name, answers)
			}
		}
	}
	t.Logf("of %d uploads, fasthttp took the body of %d for requests", len(desyncs()), fooled)
}
