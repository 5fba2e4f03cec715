// Connections that linger after their last answer.

package engine_test

import (
	"fmt"
	"testing"

	"github.com/gale-http/gale/engine"
)

// TestRefusalsAreReadBehindTheBody: a client that sends its whole request before it reads gets the
// response even if the body was refused or left unread: no reset destroys it.
func TestRefusalsAreReadBehindTheBody(t *testing.T) {
	const size = 16 << 20
	body := make([]byte, size)
	eachDriver(t, func(t *testing.T, d driver) {
		for _, way := range ways(d) {
			dial := listenAs(t, d, way, func(s *server) { s.Limits.Body = 2 * size }, func(_ *engine.Request, res *engine.Response) {
				_ = res.SetStatus(401)
				_ = res.EndString("who are you?")
			})
			for _, c := range []struct {
				head   string
				status int
				body   string
			}{
				{fmt.Sprintf("Content-Length: %d\r\n\r\n", size), 401, "who are you?"},
				{fmt.Sprintf("Content-Length: %d\r\n\r\n", 4*size), 413, ""},
				{"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400, ""},
				{"Transfer-Encoding: chunked\r\n\r\n", 401, "who are you?"},
			} {
				client, _ := dial()
				client.send("POST / HTTP/1.1\r\nHost: a\r\n" + c.head)
				if _, err := client.Write(body); err != nil {
					t.Errorf("%s, %q: %v", way, c.head, err)
					continue
				}
				client.expect(c.status, c.body)
				_ = client.Close()
			}
		}
	})
}
