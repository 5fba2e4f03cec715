// Fields in numbers.

package nethttp_test

import (
	"bufio"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// Each field costs the same, however many there are: if each was compared with all before it, these
// would take minutes.
func TestManyFields(t *testing.T) {
	const many = 50_000
	s, _ := serve(t, drivers[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range many {
			w.Header()[fmt.Sprintf("X-%05d", i)] = []string{"v"}
		}
	}))
	c := dial(t, s.Addr().String())
	send(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(simnet.Patience))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(res.Header); n < many {
		t.Errorf("%d fields came", n)
	}
}
