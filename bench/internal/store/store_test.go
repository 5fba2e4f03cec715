// The driver under the pool of database/sql, against a store that answers in pieces.

package store

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/bench/internal/peer"
)

// answering returns the address of a store that answers each query with text, in two pieces,
// and counts its connections.
func answering(t *testing.T, text string) (addr string, conns *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // ends the goroutine below
	conns = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					for _, piece := range []string{text[:len(text)/2], text[len(text)/2:]} {
						if _, err := c.Write([]byte(piece)); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return l.Addr().String(), conns
}

func TestGreeting(t *testing.T) {
	addr, conns := answering(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(peer.Greeting), peer.Greeting))
	db := Open(addr)
	defer db.Close()
	var group sync.WaitGroup
	for range 2 * Conns {
		group.Go(func() {
			for range 50 {
				if text, err := db.Greeting(); err != nil || text != peer.Greeting {
					t.Errorf("%q, %v", text, err)
				}
			}
		})
	}
	group.Wait()
	if n := conns.Load(); n < 1 || n > Conns {
		t.Errorf("%d connections, %d are allowed", n, Conns)
	}
}

func TestFailing(t *testing.T) {
	addr, _ := answering(t, fmt.Sprintf("HTTP/1.1 200 OK\r\n\r\n%5000d", 1))
	long := Open(addr)
	defer long.Close()
	if text, err := long.Greeting(); err == nil {
		t.Errorf("took %q for a greeting", text)
	}
	nobody := Open("127.0.0.1:1")
	defer nobody.Close()
	if text, err := nobody.Greeting(); err == nil {
		t.Errorf("nobody has greeted with %q", text)
	}
}
