// Which failures Events.ClientError is called for.

package engine_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
)

// A client that closes a connection at rest has done nothing wrong: Events.ClientError is not
// called for it, but for one that leaves in the middle of a head.
func TestCleanCloseIsNoClientError(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		told := make(chan error, 8)
		s := prepare(t, d, hello)
		s.On.ClientError = func(err error, socket *engine.Socket) { told <- err; _ = socket.Close() }
		s.listen()
		for _, sent := range []string{"", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hel"} {
			c, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, sent)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.ReadAll(c) // until the server has closed it, too
			_ = c.Close()
		}
		if err := <-told; err == nil || strings.Contains(err.Error(), "EOF") {
			t.Errorf("told of %v", err)
		}
		if len(told) > 0 {
			t.Errorf("told of %v as well", <-told)
		}
	})
}
