// The short path of an answer that is complete at once sends what the general path sends, which an
// explicit reason phrase forces.

package engine_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
)

// clock is a Date line as the engine makes it.
var clock = regexp.MustCompile(`Date: [A-Z][a-z]{2}, [^\r]*`)

func TestBothWaysOfEndSendTheSame(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 4095, 4096, 4097, 20000} {
		for _, fields := range []string{"", "X-One", "Date", "Connection", "Content-Length"} {
			for _, ask := range []string{
				"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
				"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
				"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
				"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
				"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
			} {
				var sent [2]string
				for way := range sent {
					s := start(t, drivers[0], func(_ *engine.Request, res *engine.Response) {
						if way == 1 {
							_ = res.SetStatusMessage("OK")
						}
						switch fields {
						case "":
						case "Content-Length":
							_ = res.SetHeader(fields, "7")
						default:
							_ = res.SetHeader(fields, "close")
						}
						_ = res.End(make([]byte, n))
					})
					c := s.dial()
					c.send(ask)
					c.halfClose()
					sent[way] = clock.ReplaceAllString(c.ended(), "Date: now")
					_ = c.Close()
					_ = s.Close()
				}
				if sent[0] != sent[1] {
					t.Errorf("%d bytes, %s, %q:\n%q, the long way\n%q", n, fields, ask, head(sent[0]), head(sent[1]))
				}
			}
		}
	}
}

func head(message string) string {
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	return head + " and " + strings.Repeat("x", min(len(body), 20))
}

// A kept head of a last answer must not be reused for one that is not the last, nor the other way
// round.
func TestWholeAnswersSayWhetherTheyAreTheLast(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(_ *engine.Request, res *engine.Response) { _ = res.EndString("hello") })
		for range 3 {
			c := s.dial()
			c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			first, second, _ := strings.Cut(c.ended(), "hello")
			if strings.Contains(first, "Connection") || !strings.Contains(second, "\r\nConnection: close\r\n\r\nhello") {
				t.Errorf("first %q, last %q", first, second)
			}
		}
	})
}
