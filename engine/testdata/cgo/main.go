// Command cgo has a handler of the engine block in C until another request was served.
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

	"github.com/gale-http/gale/engine"
)

func main() {
	r, w, err := os.Pipe()
	check(err)
	fd := C.int(r.Fd())
	blocked := make(chan struct{})
	s := &engine.Server{Loops: 1, Handler: func(req *engine.Request, res *engine.Response) {
		if string(req.URL()) == "/c" {
			close(blocked)
			_ = res.EndString(string(rune(C.await(fd))))
			return
		}
		_ = res.EndString("hello")
	}}
	check(s.Listen("tcp", "127.0.0.1:0"))
	late := make(chan string, 1)
	go func() { late <- get(s, "/c") }()
	<-blocked
	for range 5 {
		if got := get(s, "/"); got != "hello" {
			log.Fatalf("got %q", got)
		}
	}
	_, err = w.WriteString("x")
	check(err)
	if got := <-late; got != "x" {
		log.Fatalf("got %q", got)
	}
	check(s.Close())
	fmt.Println("served meanwhile")
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
