// CONNECT requests that are refused before Events.Connect is called.

package engine_test

import (
	"testing"

	"github.com/gale-http/gale/engine"
)

// TestConnectWithExpectations: an expectation that cannot be met opens no tunnel (RFC 9110
// §10.1.1), whichever events are set.
func TestConnectWithExpectations(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, who := range []string{"Connect", "ConnectRequest"} {
			s := prepare(t, d, hello)
			if who == "Connect" {
				s.On.Connect = func(_ *engine.Request, socket *engine.Socket, _ []byte) {
					t.Error("a tunnel was opened")
					_ = socket.Close()
				}
			} else {
				s.On.ConnectRequest = func(*engine.Request, *engine.Response) { t.Error("somebody was asked") }
			}
			s.listen()
			c := s.dial()
			c.send("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nExpect: nonsense\r\n\r\n")
			if a := c.next(""); a.StatusCode != 417 {
				t.Errorf("%s: got %d", who, a.StatusCode)
			}
			c.cut()
			_ = s.Close()
		}
	})
}
