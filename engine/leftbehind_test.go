// Goroutines that a handler has started, on every transport that HTTP runs on: they use the request
// in the handler's place, and some still do so when the handler returns.

package engine_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// wire is a way for a client and a server to talk.
type wire struct {
	name    string
	version string // of HTTP
	secure  bool
}

var wires = []wire{{"HTTP/1.1", "1.1", false}, {"HTTP/1.0", "1.0", false}, {"TLS", "1.1", true}}

// eachWire runs a test on every driver, over every wire. dial connects to what was started.
func eachWire(t *testing.T, test func(t *testing.T, d driver, w wire, begin func(h engine.Handler) (dial func() *client))) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, w := range wires {
			t.Run(w.name, func(t *testing.T) {
				test(t, d, w, func(h engine.Handler) func() *client {
					if w.secure {
						s := startTLS(t, d, h)
						return func() *client { return s.dialTLS(nil) }
					}
					return start(t, d, h).dial
				})
			})
		}
	})
}

// head is the head of a POST with a body of n bytes that keeps the connection.
func (w wire) head(path string, n int) string {
	head := headOf(path, n)
	if w.version == "1.0" {
		head = strings.Replace(head, "HTTP/1.1\r\n", "HTTP/1.0\r\nConnection: keep-alive\r\n", 1)
	}
	return head
}

// TestForeignSides: one goroutine reads, one writes and flushes, one waits for the client
// to go, all at once, while the handler waits for them.
func TestForeignSides(t *testing.T) {
	eachWire(t, func(t *testing.T, d driver, w wire, begin func(engine.Handler) func() *client) {
		over := make(chan struct{}, 1) // the handler's part, which may be later than the answer's last byte
		dial := begin(routes(map[string]engine.Handler{"/sides": func(req *engine.Request, res *engine.Response) {
			defer func() { over <- struct{}{} }()
			_ = res.SetHeader("Content-Length", string(req.Header("Content-Length"))) // so that HTTP/1.0 goes on, too
			pieces, ended := make(chan []byte, 1), make(chan struct{})
			var readAndWrite, watch sync.WaitGroup
			readAndWrite.Go(func() {
				defer close(pieces)
				for {
					p := make([]byte, 5000)
					n, err := req.Read(p)
					pieces <- p[:n]
					if err != nil {
						if err != io.EOF {
							t.Error(err)
						}
						return
					}
				}
			})
			readAndWrite.Go(func() {
				for p := range pieces {
					if _, err := res.Write(p); err != nil {
						t.Error(err)
					}
					if err := res.Flush(); err != nil {
						t.Error(err)
					}
				}
			})
			watch.Go(func() {
				select {
				case <-req.Context().Done():
					t.Error("the client has gone")
				case <-ended:
				}
			})
			readAndWrite.Wait()
			close(ended)
			watch.Wait()
		}}))
		c := dial()
		for _, size := range []int{1, 30_000, 30_000, 3_000_000} {
			var body strings.Builder
			_ = pattern(&body, size)
			c.send(w.head("/sides", size))
			go func() { _, _ = io.WriteString(c, body.String()) }()
			a := c.next("POST")
			simnet.Receive(t, over, "the handler")
			if a.StatusCode != 200 || a.body != body.String() {
				t.Errorf("got %d and %d bytes", a.StatusCode, len(a.body))
			} else if a.Close { // more unread body than is drained
				c = dial()
			}
		}
		c.get("/", "hello")
	})
}

// sides are what goroutines are in the midst of when their handler returns. Each returns
// the error that it has ended with.
var sides = map[string]func(req *engine.Request, res *engine.Response) error{
	"Read": func(req *engine.Request, _ *engine.Response) error {
		_, err := io.ReadAll(struct{ io.Reader }{req})
		return err
	},
	"WriteTo": func(req *engine.Request, _ *engine.Response) error {
		_, err := io.Copy(io.Discard, req)
		return err
	},
	"Write": func(_ *engine.Request, res *engine.Response) error {
		_, err := res.WriteString(tooMuch)
		return err
	},
	"ReadFrom": func(_ *engine.Request, res *engine.Response) error {
		_, err := res.ReadFrom(endless{})
		return err
	},
	"Flush": func(_ *engine.Request, res *engine.Response) error {
		for { // the rest is kept, and waited for, unless the kernel finds room for it all the same
			sent, err := res.TryWrite([]byte(tooMuch[:64<<10]))
			if err == nil && !sent {
				err = res.Flush()
			}
			if err != nil {
				return err
			}
		}
	},
}

// tooMuch is more than a socket takes.
var tooMuch = strings.Repeat("x", 12<<20)

// within reports whether a goroutine is inside a method of the side, tried from a goroutine of its
// own.
func within(try func() error) bool {
	return simnet.Becomes(func() bool {
		said := make(chan error)
		go func() { said <- try() }()
		return errors.Is(<-said, engine.ErrBusy)
	})
}

// TestSidesLeftBehind: a goroutine that is inside a method of a side when the handler returns gets
// an error, and has no part in the next request, whose answer is its own, where the connection goes
// on. An answer that such a goroutine was writing is cut.
func TestSidesLeftBehind(t *testing.T) {
	file := fileOf(t, []byte(tooMuch))
	all := map[string][]string{"Read and Write": {"Read", "Write"}, "WriteTo and SendFile": {"WriteTo", "SendFile"},
		"SendFile": {"SendFile"}, "Read": {"Read"}, "WriteTo": {"WriteTo"}, "Write": {"Write"},
		"WriteTo and Flush": {"WriteTo", "Flush"}, "Flush": {"Flush"}, "ReadFrom": {"ReadFrom"}}
	eachWire(t, func(t *testing.T, d driver, w wire, begin func(engine.Handler) func() *client) {
		left := make(chan error, 2)
		handlers := map[string]engine.Handler{"/echo": echo}
		for name, ways := range all {
			handlers["/"+strings.ReplaceAll(name, " ", "-")] = func(req *engine.Request, res *engine.Response) {
				writes := false
				for _, way := range ways {
					do, reads := sides[way], way == "Read" || way == "WriteTo"
					if way == "SendFile" {
						do = func(_ *engine.Request, res *engine.Response) error {
							_, err := res.SendFile(file, 0, -1)
							return err
						}
					}
					go func() {
						err := engine.ErrBusy // ErrBusy: within's probe was inside
						for errors.Is(err, engine.ErrBusy) {
							err = orPanics(func() error { return do(req, res) })
						}
						left <- err
					}()
					try := func() error { _, err := req.Read(nil); return err }
					if !reads {
						try = func() error { _, err := res.TryWrite(nil); return err }
						writes = true
					}
					if !within(try) {
						t.Errorf("nobody is in %s", way)
					}
				}
				if !writes {
					_ = res.EndString("left")
				}
			}
		}
		dial := begin(routes(handlers))
		for name, ways := range all {
			c := dial()
			c.send(w.head("/"+strings.ReplaceAll(name, " ", "-"), 8) + "0123")
			for _, way := range ways {
				if err := simnet.Receive(t, left, way); !errors.Is(err, engine.ErrOver) {
					t.Errorf("%s: who was left behind in %s got %v", name, way, err)
				}
			}
			switch way := ways[len(ways)-1]; way {
			case "Write", "SendFile", "ReadFrom", "Flush":
				// The latter two may have been between two pieces.
				if a, err := c.try("POST"); err == nil && (way == "Write" || way == "SendFile") || strings.Trim(a.body, "x") != "" {
					t.Errorf("%s: the answer looks whole: %d bytes", name, len(a.body))
				}
				continue
			}
			if a := c.next("POST"); a.StatusCode != 200 || a.body != "left" {
				t.Errorf("%s: got %d %q", name, a.StatusCode, a.body)
			}
			c.send("4567" + w.head("/echo", 4))
			c.send("body")
			c.expect(200, "body")
		}
		dial().get("/", "hello")
	})
}

// TestSocketSidesLeftBehind: goroutines that use either side of a connection that was taken over go
// on undisturbed after the handler has returned.
func TestSocketSidesLeftBehind(t *testing.T) {
	const size = 3 << 20
	eachWire(t, func(t *testing.T, d driver, w wire, begin func(engine.Handler) func() *client) {
		returned, done := make(chan struct{}, 1), make(chan struct{}, 1)
		dial := begin(func(_ *engine.Request, res *engine.Response) {
			defer func() { returned <- struct{}{} }()
			socket, head, err := res.Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			started := make(chan struct{}, 2)
			go func() {
				var both sync.WaitGroup
				both.Go(func() {
					started <- struct{}{}
					got, err := io.ReadAll(io.MultiReader(strings.NewReader(string(head)), socket))
					if string(got) != "0123later" || err != nil {
						t.Errorf("read %q, %v", got, err)
					}
				})
				both.Go(func() {
					started <- struct{}{}
					if err := pattern(socket, size); err != nil {
						t.Error(err)
					}
					if err := socket.CloseWrite(); err != nil {
						t.Error(err)
					}
				})
				both.Wait()
				_ = socket.Close()
				done <- struct{}{}
			}()
			<-started
			<-started
		})
		for range 3 {
			c := dial()
			c.send(w.head("/", 0) + "0123")
			simnet.Receive(t, returned, "the handler to return")
			c.send("later")
			if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			var want strings.Builder
			_ = pattern(&want, size)
			if got := c.ended(); got != want.String() {
				t.Errorf("got %d bytes", len(got))
			}
			simnet.Receive(t, done, "the goroutines")
		}
	})
}

// TestContextOutlivesItsHandler: a goroutine that waits for the context's end is left alone
// when the handler returns, and hears of the connection's.
func TestContextOutlivesItsHandler(t *testing.T) {
	eachWire(t, func(t *testing.T, d driver, w wire, begin func(engine.Handler) func() *client) {
		ended := make(chan struct{}, 1)
		dial := begin(routes(map[string]engine.Handler{"/watch": func(req *engine.Request, res *engine.Response) {
			watching := make(chan struct{})
			go func() {
				done := req.Context().Done()
				close(watching)
				<-done
				ended <- struct{}{}
			}()
			<-watching
			echo(req, res)
		}}))
		c := dial()
		c.send(w.head("/watch", 4) + "body")
		c.expect(200, "body")
		c.send(w.head("/none", 0))
		c.expect(200, "hello")
		if len(ended) > 0 {
			t.Error("the context has ended with the handler")
		}
		_ = c.Close()
		simnet.Receive(t, ended, "the context to end")
	})
}
