// The seed's 100-continue (http.Server, event 'checkContinue'): a client that asks before it sends
// its body is told to go on, or is refused.

package engine_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/gale-http/gale/engine"
)

// doorkeeper takes bodies of at most a hundred bytes, and says so before the body if it is asked
// first.
func doorkeeper() *engine.Server {
	take := func(req *engine.Request, res *engine.Response) {
		body, err := io.ReadAll(req)
		if err != nil {
			return
		}
		_ = res.EndString(fmt.Sprintf("took %d", len(body)))
	}
	return &engine.Server{
		Handler: take,
		On: engine.Events{CheckContinue: func(req *engine.Request, res *engine.Response) {
			if n := req.ContentLength(); n < 0 || n > 100 {
				_ = res.SetStatus(413)
				_ = res.EndString("too large")
				return
			}
			_ = res.WriteContinue()
			take(req, res)
		}},
	}
}

func Example_checkContinue() {
	server := doorkeeper()
	if err := server.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	defer server.Close()

	for _, length := range []int{5, 5000} {
		c, err := net.Dial("tcp", server.Addr().String())
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", length)
		in := bufio.NewReader(c)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			panic(err)
		}
		fmt.Println(res.Status)
		if res.StatusCode == http.StatusContinue {
			_, _ = io.WriteString(c, "hello")
			if res, err = http.ReadResponse(in, nil); err != nil {
				panic(err)
			}
			body, _ := io.ReadAll(res.Body)
			fmt.Println(string(body))
		}
		_ = c.Close()
	}
	// Output:
	// 100 Continue
	// took 5
	// 413 Content Too Large
}
