// Successive answers that are nearly the same: what the engine keeps of the last head must never
// show in the next.

package engine_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
)

var dateField = regexp.MustCompile(`Date: [^\r]*\r\n`)

func TestNearlyTheSameHeads(t *testing.T) {
	names := []string{"Server", "X-One", "X-Two", "Set-Cookie"}
	values := []string{"", "gale", "galf", "text/plain; charset=utf-8"}
	eachDriver(t, func(t *testing.T, d driver) {
		type script struct {
			fields       [][2]string
			body         string
			drop, pieces bool
		}
		scripts := make(chan script, 1)
		s := start(t, d, func(_ *engine.Request, res *engine.Response) {
			now := <-scripts
			for _, f := range now.fields {
				_ = res.SetHeader(f[0], f[1])
			}
			if now.drop {
				res.RemoveHeader(names[0])
			}
			if now.pieces {
				_, _ = res.WriteString(now.body)
				return
			}
			_ = res.EndString(now.body)
		})
		c, rng := s.dial(), rand.New(rand.NewPCG(5, 6))
		now := script{fields: make([][2]string, len(names))}
		for i := range now.fields {
			now.fields[i] = [2]string{names[i], values[0]}
		}
		for round := range 2000 {
			now.fields = slices.Clone(now.fields[:len(names)])
			if rng.IntN(3) == 0 {
				now.fields[rng.IntN(len(names))][1] = values[rng.IntN(len(values))]
			}
			if rng.IntN(8) == 0 {
				now.body = strings.Repeat("b", rng.IntN(12))
			}
			now.drop, now.pieces = rng.IntN(16) == 0, rng.IntN(16) == 0
			if rng.IntN(4) == 0 {
				now.fields = now.fields[:rng.IntN(len(names))]
			}
			var want strings.Builder
			want.WriteString("HTTP/1.1 200 OK\r\n")
			for _, f := range now.fields {
				if f[0] != names[0] || !now.drop {
					fmt.Fprintf(&want, "%s: %s\r\n", f[0], f[1])
				}
			}
			if now.pieces {
				want.WriteString("Transfer-Encoding: chunked\r\n\r\n")
				if now.body != "" {
					fmt.Fprintf(&want, "%x\r\n%s\r\n", len(now.body), now.body)
				}
				want.WriteString("0\r\n\r\n")
			} else {
				fmt.Fprintf(&want, "Content-Length: %d\r\n\r\n%s", len(now.body), now.body)
			}
			scripts <- now
			c.send(request("/"))
			got := c.readN(want.Len() + len("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"))
			if got = dateField.ReplaceAllString(got, ""); got != want.String() {
				t.Fatalf("round %d: %q, want %q", round, got, want.String())
			}
		}
	})
}
