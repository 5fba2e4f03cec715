// What leaves together: the first body bytes with the head, an answer that is whole
// at once in one piece, and each further Write by itself (seed: response.write).

package engine_test

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// recorder is a listener whose connections note what each Write of the server sent.
type recorder struct {
	net.Listener
	mu     sync.Mutex
	pieces []string
}

type recorded struct {
	net.Conn
	r *recorder
}

func (r *recorder) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recorded{c, r}, nil
}

func (c *recorded) Write(p []byte) (int, error) {
	c.r.mu.Lock()
	c.r.pieces = append(c.r.pieces, string(p))
	c.r.mu.Unlock()
	return c.Conn.Write(p)
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	pieces := r.pieces
	r.pieces = nil
	return pieces
}

func TestFirstBytesLeaveWithTheHead(t *testing.T) {
	s := prepare(t, driver{name: "portable", loops: 1, portable: true}, routes(map[string]engine.Handler{
		"/two": func(_ *engine.Request, res *engine.Response) {
			_, _ = res.WriteString("one")
			_, _ = res.WriteString("two")
		},
	}))
	pipes := simnet.Listen()
	r := &recorder{Listener: pipes}
	served := make(chan error, 1)
	go func() { served <- s.Serve(r) }()
	conn, err := pipes.Dial()
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, conn)
	for path, want := range map[string][]string{
		"/":    {"\r\n\r\nhello"},
		"/two": {"\r\n\r\n3\r\none\r\n", "3\r\ntwo\r\n", "0\r\n\r\n"},
	} {
		c.send(request(path))
		_ = c.next("")
		pieces := r.take()
		if !slices.EqualFunc(pieces, want, strings.HasSuffix) {
			t.Errorf("%s: the pieces are %q, want the ends %q", path, pieces, want)
		}
	}
	_ = s.Close()
	if err := simnet.Receive(t, served, "Serve to return"); err != nil {
		t.Error(err)
	}
}
