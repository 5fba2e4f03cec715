// Command cgo has handlers of the engine block in C until other requests were served, on
// each driver.
package main

/*
#include <unistd.h>

static int await(int fd) {
	char c = 0;
	return read(fd, &c, 1) == 1 ? c : -1;
}
*/
import "C"

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
	"strings"

	"github.com/gale-http/gale/engine"
)

func main() {
	for _, s := range []*engine.Server{
		{Loops: 1},
		{Loops: 2, Dispatch: engine.Inline},
		{Loops: 1, Dispatch: engine.Goroutine},
		{Portable: true},
	} {
		serve(s)
	}
	fmt.Println("served meanwhile")
}

func serve(s *engine.Server) {
	r, w, err := os.Pipe()
	check(err)
	defer r.Close()
	defer w.Close()
	fd := C.int(r.Fd())
	blocked := make(chan struct{})
	s.Handler = func(req *engine.Request, res *engine.Response) {
		if string(req.URL()) == "/c" {
			blocked <- struct{}{}
			_ = res.EndString(string(rune(C.await(fd))))
			return
		}
		_ = res.EndString("hello")
	}
	check(s.Listen("tcp", "127.0.0.1:0"))
	late, n := make(chan string), 2*runtime.GOMAXPROCS(0)+2
	for range n {
		go func() { late <- get(s, "/c") }()
		<-blocked
		if got := get(s, "/"); got != "hello" {
			log.Fatalf("got %q", got)
		}
	}
	_, err = w.WriteString(strings.Repeat("x", n))
	check(err)
	for range n {
		if got := <-late; got != "x" {
			log.Fatalf("got %q", got)
		}
	}
	check(s.Close())
}

func get(s *engine.Server, path string) string {
	res, err := http.Get("http://" + s.Addr().String() + path)
	check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	check(err)
	return string(body)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
