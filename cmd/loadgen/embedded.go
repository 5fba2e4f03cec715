// What the embedded server serves: a minimal page.

package main

import "github.com/gale-http/gale/engine"

const greeting = "Hello, World!\n"

// listen starts the server on a free port of the loopback interface and returns
// its URL.
func listen(loops int) (string, error) {
	s := &engine.Server{
		Loops: loops,
		Handler: func(_ *engine.Request, res *engine.Response) {
			_ = res.SetHeader("Content-Type", "text/plain; charset=utf-8")
			_ = res.EndString(greeting)
		},
	}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		return "", err
	}
	return "http://" + s.Addr().String() + "/", nil
}
