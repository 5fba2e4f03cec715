// Bounded memory with large numbers of clients: a server in a process of its own, and the
// peak of its memory according to Linux.

package interop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30
	// residentBound is how much memory a server may take, whatever its clients do.
	residentBound = 128 * mebibyte
)

func init() {
	children["crowd"] = func() *engine.Server {
		crowd := newCrowd()
		return &engine.Server{Handler: crowd.serve}
	}
	children["impatient"] = func() *engine.Server {
		return &engine.Server{
			Handler:  func(_ *engine.Request, res *engine.Response) { _ = res.EndString("hello") },
			Timeouts: engine.Timeouts{Head: headTimeout},
		}
	}
}

// crowd is a handler for /upload, which reads a first mebibyte and then nothing until there
// is a request for /go; /download, which is a gibibyte; and /arrived, which returns how many
// requests are in the first two.
type crowd struct {
	arrived atomic.Int64
	free    chan struct{}
	once    sync.Once
}

func newCrowd() *crowd { return &crowd{free: make(chan struct{})} }

func (c *crowd) serve(req *engine.Request, res *engine.Response) {
	switch string(req.URL()) {
	case "/upload":
		first, err := io.CopyN(io.Discard, req, mebibyte)
		c.arrived.Add(1)
		if err == nil {
			<-c.free
		}
		rest, err := io.Copy(io.Discard, req)
		if err == nil {
			_ = res.EndString(strconv.FormatInt(first+rest, 10))
		}
	case "/download":
		piece := make([]byte, 64<<10)
		_ = res.SetHeader("Content-Length", strconv.Itoa(gibibyte))
		for i := range gibibyte / len(piece) {
			if _, err := res.Write(piece); err != nil {
				return
			}
			if i == 0 {
				c.arrived.Add(1)
			}
		}
	case "/arrived":
		_ = res.EndString(strconv.FormatInt(c.arrived.Load(), 10))
	case "/go":
		c.once.Do(func() { close(c.free) })
		_ = res.EndString("went")
	}
}

// ask sends a GET on a connection of its own and returns the body.
func ask(t testing.TB, addr, path string) string {
	t.Helper()
	c := dial(t, addr)
	defer c.Close()
	return askOn(t, c, path)
}

func askOn(t testing.TB, c net.Conn, path string) string {
	t.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// peak returns the peak of a process's resident memory.
func peak(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.TrimSpace(rest[:max(0, strings.Index(rest, "kB"))]))
	if !found || err != nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	return kib << 10
}

func checkPeak(t *testing.T, c simnet.Child) {
	t.Helper()
	held := peak(t, c.PID)
	t.Logf("at most %.1f MiB resident", float64(held)/mebibyte)
	if held > residentBound {
		t.Errorf("the server held %d MiB, more than %d", held/mebibyte, residentBound/mebibyte)
	}
}

// needDescriptors raises the limit on open files as far as permitted, and skips the test if
// that is not enough.
func needDescriptors(t *testing.T, n int) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < uint64(n) {
		t.Skipf("this process may only open %d descriptors", limit.Max)
	}
}

// TestUploads makes 256 uploads at the same time, of 64 MiB each, to a handler that makes all
// of them wait in the middle.
func TestUploads(t *testing.T) {
	const clients, size = 256, 64 * mebibyte
	srv := spawn(t, "crowd")
	block := make([]byte, mebibyte)
	results := make(chan error, clients)
	for range clients {
		c := dial(t, srv.Addr)
		_ = c.SetDeadline(time.Now().Add(5 * simnet.Patience))
		go func() { results <- upload(c, block, size) }()
	}
	if !simnet.Becomes(func() bool { return ask(t, srv.Addr, "/arrived") == strconv.Itoa(clients) }) {
		t.Fatalf("only %s uploads have begun", ask(t, srv.Addr, "/arrived"))
	}
	checkPeak(t, srv)
	if got := ask(t, srv.Addr, "/go"); got != "went" {
		t.Fatalf("got %q", got)
	}
	for range clients {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	checkPeak(t, srv)
}

func upload(c net.Conn, block []byte, size int) error {
	if _, err := fmt.Fprintf(c, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size); err != nil {
		return err
	}
	for range size / len(block) {
		if _, err := c.Write(block); err != nil {
			return err
		}
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != strconv.Itoa(size) {
		return fmt.Errorf("got %q, %v", body, err)
	}
	return nil
}

// TestSlowReaders has a thousand clients that request 1 GiB each and read next to nothing of
// it, while one reads all of it.
func TestSlowReaders(t *testing.T) {
	const clients = 1000
	needDescriptors(t, clients+100)
	srv := spawn(t, "crowd")
	for range clients {
		c := dial(t, srv.Addr)
		if _, err := io.WriteString(c, "GET /download HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	if !simnet.Becomes(func() bool { return ask(t, srv.Addr, "/arrived") == strconv.Itoa(clients) }) {
		t.Fatalf("only %s answers have begun", ask(t, srv.Addr, "/arrived"))
	}
	c := dial(t, srv.Addr)
	if _, err := io.WriteString(c, "GET /download HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, res.Body); n != gibibyte || err != nil {
		t.Errorf("the client that reads got %d bytes, %v", n, err)
	}
	checkPeak(t, srv)
}

// headTimeout stands for the default of a minute, so that the test ends in seconds.
const headTimeout = 3 * time.Second

// TestSlowSenders has ten thousand clients that send a byte of their head each second. All of
// them are told so and cut off when the time for heads is over; meanwhile another client is
// served.
func TestSlowSenders(t *testing.T) {
	const clients = 10_000
	needDescriptors(t, clients+100)
	srv := spawn(t, "impatient")
	good := dial(t, srv.Addr)
	conns := make([]net.Conn, clients)
	for i := range conns {
		c, err := net.Dial("tcp", srv.Addr)
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = c
		_ = c.SetDeadline(time.Now().Add(simnet.Patience))
		_ = c.(*net.TCPConn).SetLinger(0) // so many ports must not wait for their end
		defer c.Close()
	}
	stop, served := make(chan struct{}), make(chan int, 1)
	go func() {
		n := 0
		defer func() { served <- n }()
		for in := bufio.NewReader(good); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = good.SetDeadline(time.Now().Add(simnet.Patience))
			if _, err := io.WriteString(good, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
				t.Errorf("the good client, after %d answers: %v", n, err)
				return
			}
			res, err := http.ReadResponse(in, nil)
			if err != nil || res.StatusCode != 200 {
				t.Errorf("the good client, after %d answers: %v, %v", n, res, err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
		}
	}()
	begun := time.Now()
	const slow = "GET / HTTP/1.1\r\nHost: a\r\n"
	for i := 0; i < len(slow) && time.Since(begun) < headTimeout; i++ {
		for _, c := range conns {
			_, _ = io.WriteString(c, slow[i:i+1]) // some may be cut already
		}
		time.Sleep(time.Second) // sleep: clients that send a byte a second are the subject
	}
	cut, told := 0, 0
	for _, c := range conns {
		text, err := io.ReadAll(c)
		if err == nil || errors.Is(err, syscall.ECONNRESET) {
			cut++
		}
		if strings.HasPrefix(string(text), "HTTP/1.1 408 ") {
			told++
		}
	}
	took := time.Since(begun)
	close(stop)
	n := <-served
	t.Logf("%d of %d were cut, %d told why, within %v; the good client got %d answers", cut, clients, told, took.Round(time.Millisecond), n)
	if cut < clients || told < clients*99/100 {
		t.Errorf("only %d of %d were cut, and %d told why", cut, clients, told)
	}
	if n == 0 {
		t.Error("the good client was not served")
	}
	checkPeak(t, srv)
}
