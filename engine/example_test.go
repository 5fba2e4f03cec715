// The first server, as the README shows it, and a handler that streams.

package engine_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gale-http/gale/engine"
)

func Example() {
	server := &engine.Server{Handler: func(req *engine.Request, res *engine.Response) {
		res.SetHeader("Content-Type", "text/plain")
		res.EndString("Hello, " + string(req.URL()) + "\n")
	}}
	if err := server.Listen("tcp", "127.0.0.1:0"); err != nil { // a port that is free
		panic(err)
	}
	defer server.Close() // a program would go on with server.Wait()

	res, err := http.Get("http://" + server.Addr().String() + "/world")
	if err != nil {
		panic(err)
	}
	body, _ := io.ReadAll(res.Body)
	fmt.Println(res.Status, res.Header.Get("Content-Type"))
	fmt.Print(string(body))
	// Output:
	// 200 OK text/plain
	// Hello, /world
}

// A request is an io.Reader that waits and a response an io.Writer that waits, so that
// bodies of any size pass through in bounded memory; others are served meanwhile.
func Example_streaming() {
	server := &engine.Server{Handler: func(req *engine.Request, res *engine.Response) {
		_, _ = io.Copy(res, req)
	}}
	if err := server.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	defer server.Close()

	url := "http://" + server.Addr().String()
	res, err := http.Post(url, "text/plain", io.LimitReader(endless{}, 1<<20))
	if err != nil {
		panic(err)
	}
	body, _ := io.ReadAll(res.Body)
	fmt.Println(len(body), strings.Count(string(body), "x"))
	// Output: 1048576 1048576
}

// endless reads as x for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
