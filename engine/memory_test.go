// Memory, seen from outside: a server in a process of its own, and what Linux says it uses, during
// uploads and answers of 1 GiB and with ten thousand idle connections.

package engine_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

const (
	gibibyte = 1 << 30
	// residentBound is how much memory a server may take while a gibibyte passes.
	residentBound = 64 << 20
	// idleBound is how much memory an idle connection may take: 350 bytes or so, and what the process
	// happens to hold besides.
	idleBound = 600
	// idleTLSBound is that over TLS.
	idleTLSBound = 14 << 10
)

// needMeasurable skips what cannot be measured.
func needMeasurable(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("the memory would be the race detector's")
	}
	if _, _, err := memory(os.Getpid()); err != nil {
		t.Skipf("memory cannot be measured here: %v", err)
	}
}

// checkPeak wants the child's memory within the bound.
func checkPeak(t *testing.T, c *child) {
	t.Helper()
	_, peak, err := memory(c.PID)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("at most %.1f MiB resident", float64(peak)/(1<<20))
	if peak > residentBound {
		t.Errorf("the server held %d MiB, more than %d", peak>>20, residentBound>>20)
	}
}

// eachChild runs a test against a server with loops and one without.
func eachChild(t *testing.T, test func(t *testing.T, c *child)) {
	for _, name := range []string{"epoll", "portable"} {
		if name == "portable" || havePoller {
			t.Run(name, func(t *testing.T) { test(t, spawn(t, name)) })
		}
	}
}

// TestGibibyteUpload: two bodies of 1 GiB on one connection, one counted and one
// chunked.
func TestGibibyteUpload(t *testing.T) {
	needMeasurable(t)
	eachChild(t, func(t *testing.T, srv *child) {
		c, other := srv.dial(t), srv.dial(t)
		block := make([]byte, 1<<20)
		deadline(t, c, other)
		c.send(headOf("/count", gibibyte))
		for range gibibyte / len(block) {
			if _, err := c.Write(block); err != nil {
				t.Fatal(err)
			}
		}
		c.expect(200, strconv.Itoa(gibibyte))
		c.send("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
		chunk := append([]byte("fffe\r\n"), append(block[:0xfffe:0xfffe], "\r\n"...)...)
		for range gibibyte / 0xfffe {
			if _, err := c.Write(chunk); err != nil {
				t.Fatal(err)
			}
		}
		c.send("0\r\n\r\n")
		c.expect(200, strconv.Itoa(gibibyte/0xfffe*0xfffe))
		other.get("/", "hello")
		checkPeak(t, srv)
	})
}

// deadline gives clients the time that a gibibyte may take.
func deadline(t *testing.T, clients ...*client) {
	t.Helper()
	for _, c := range clients {
		if err := c.SetDeadline(time.Now().Add(10 * simnet.Patience)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGibibyteAnswer: a client takes an answer of 1 GiB in fits and pauses.
func TestGibibyteAnswer(t *testing.T) {
	needMeasurable(t)
	eachChild(t, func(t *testing.T, srv *child) {
		c, other := srv.dial(t), srv.dial(t)
		deadline(t, c, other)
		c.send(request(fmt.Sprintf("/stream/%d", gibibyte)) + request("/"))
		res, err := http.ReadResponse(c.in, nil)
		if err != nil {
			t.Fatal(err)
		}
		var period bytes.Buffer
		_ = pattern(&period, 10007)
		buf := make([]byte, 10007)
		for left := gibibyte; left > 0; {
			k := min(left, len(buf))
			if _, err := io.ReadFull(res.Body, buf[:k]); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(buf[:k], period.Bytes()[:k]) {
				t.Fatalf("the answer is damaged %d bytes before its end", left)
			}
			if left -= k; left/k%5000 == 0 {
				other.get("/", "hello")
				time.Sleep(20 * time.Millisecond) // sleep: a client that pauses is the subject
			}
		}
		if n, err := res.Body.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("behind the answer: %d, %v", n, err)
		}
		c.expect(200, "hello")
		checkPeak(t, srv)
	})
}

// TestIdleConnections: ten thousand that have been served a request each.
func TestIdleConnections(t *testing.T) {
	needMeasurable(t)
	if !havePoller {
		t.Skip("without a poller every connection has a goroutine")
	}
	const n = 10_000
	if most := mayOpen(); most < n+1000 {
		t.Skipf("this process may only open %d descriptors", most)
	}
	srv := spawn(t, "epoll")
	control := srv.dial(t)
	connectMany(t, srv, 200, plain) // what the first connections take is not theirs alone
	goroutines, before := measure(t, srv, control)
	idle := connectMany(t, srv, n, plain)
	goroutinesNow, after := measure(t, srv, control)
	each := float64(after-before) / n
	t.Logf("%.0f bytes resident and %.4f goroutines for each idle connection", each, float64(goroutinesNow-goroutines)/n)
	if each > idleBound {
		t.Errorf("an idle connection takes %.0f bytes, more than %d", each, idleBound)
	}
	if goroutinesNow > goroutines+10 {
		t.Errorf("%d goroutines have become %d", goroutines, goroutinesNow)
	}
	for _, c := range idle[:100] {
		if _, err := io.WriteString(c, request("/")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(helloAnswer))); err != nil {
			t.Fatal(err)
		}
	}
}

const helloAnswer = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\r\nhello"

// TestIdleTLSConnections: what crypto/tls holds is most of it.
func TestIdleTLSConnections(t *testing.T) {
	needMeasurable(t)
	if !havePoller {
		t.Skip("without a poller every connection has a goroutine")
	}
	const n = 2_000
	if most := mayOpen(); most < n+1000 {
		t.Skipf("this process may only open %d descriptors", most)
	}
	srv := spawn(t, "tls")
	secured := func(c net.Conn) net.Conn {
		return tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // trust is not the subject
	}
	first := srv.dial(t)
	control := newClient(t, secured(first.Conn))
	connectMany(t, srv, 200, secured)
	goroutines, before := measure(t, srv, control)
	idle := connectMany(t, srv, n, secured)
	goroutinesNow, after := measure(t, srv, control)
	each := float64(after-before) / n
	t.Logf("%.0f bytes resident and %.4f goroutines for each idle connection", each, float64(goroutinesNow-goroutines)/n)
	if each > idleTLSBound {
		t.Errorf("an idle connection takes %.0f bytes, more than %d", each, idleTLSBound)
	}
	if goroutinesNow > goroutines+n/20 { // the pool's, for handshakes that were under way together, go a while later
		t.Errorf("%d goroutines have become %d", goroutines, goroutinesNow)
	}
	for _, c := range idle[:100] {
		if _, err := io.WriteString(c, request("/")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(helloAnswer))); err != nil {
			t.Fatal(err)
		}
	}
}

// measure returns the child's goroutines, and its memory after a collection.
func measure(t *testing.T, srv *child, control *client) (goroutines int, resident int64) {
	t.Helper()
	control.send(request("/collect"))
	goroutines, err := strconv.Atoi(control.next("").body)
	if err != nil {
		t.Fatal(err)
	}
	resident, _, err = memory(srv.PID)
	if err != nil {
		t.Fatal(err)
	}
	return goroutines, resident
}

// plain begins a connection without TLS.
func plain(c net.Conn) net.Conn { return c }

// connectMany opens n connections, makes a request on each, and leaves them open until the test
// ends.
func connectMany(t *testing.T, srv *child, n int, begin func(net.Conn) net.Conn) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	errs := make(chan error, 1)
	var all sync.WaitGroup
	const gang = 8
	for g := range gang {
		all.Go(func() {
			answer := make([]byte, len(helloAnswer))
			for i := g; i < n; i += gang {
				c, err := net.Dial("tcp", srv.Addr)
				if err == nil {
					_ = c.SetDeadline(time.Now().Add(simnet.Patience))
					_ = c.(*net.TCPConn).SetLinger(0) // so many ports must not wait for their end
					c = begin(c)
					conns[i] = c
					if _, err = io.WriteString(c, request("/")); err == nil {
						_, err = io.ReadFull(c, answer)
					}
				}
				if err == nil && !strings.HasSuffix(string(answer), "hello") {
					err = fmt.Errorf("got %q", answer)
				}
				if err != nil {
					select {
					case errs <- err:
					default:
					}
					return
				}
			}
		})
	}
	all.Wait()
	t.Cleanup(func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	})
	select {
	case err := <-errs:
		t.Fatal(err)
	default:
	}
	return conns
}
