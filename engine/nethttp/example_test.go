// A program written for net/http, on gale.

package nethttp_test

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/engine/nethttp"
)

func ExampleHandler() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s", r.PathValue("name"))
	})
	server := &engine.Server{Handler: nethttp.Handler(mux)}
	if err := server.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	defer server.Close()

	res, err := http.Get("http://" + server.Addr().String() + "/hello/gale")
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Println(string(body))
	// Output: Hello, gale
}

func ExampleNewServer() {
	s := &http.Server{
		Handler:           http.NotFoundHandler(),
		ReadHeaderTimeout: 5 * time.Second,
	}
	server, err := nethttp.NewServer(s)
	if err != nil {
		panic(err)
	}
	if err := server.Listen("tcp", "127.0.0.1:0"); err != nil { // s.Addr, in a program
		panic(err)
	}
	defer server.Close() // server.Wait(), in a program

	res, err := http.Get("http://" + server.Addr().String())
	if err != nil {
		panic(err)
	}
	_ = res.Body.Close()
	fmt.Println(res.Status)
	// Output: 404 Not Found
}
