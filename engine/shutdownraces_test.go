// Shutdown and Close against what happens at the same moment: requests that have just been read,
// handlers that are late, sockets that were kept, events that let connections live.

package engine_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestShutdownAnswersWhatIsHandled: a request that has reached its handler is answered, whatever
// state its connection was in a moment before.
func TestShutdownAnswersWhatIsHandled(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for range 5 {
			var handled [20_000]atomic.Bool
			var n, answered atomic.Int64
			s := start(t, d, func(req *engine.Request, res *engine.Response) {
				i, _ := strconv.Atoi(string(req.URL()[1:]))
				handled[i].Store(true)
				_ = res.EndString("hello")
			})
			var all sync.WaitGroup
			for range 12 {
				c := s.dial()
				all.Go(func() {
					defer c.Close()
					for {
						i := int(n.Add(1))
						if i >= len(handled) {
							return
						}
						if _, err := io.WriteString(c, request(fmt.Sprintf("/%d", i))); err != nil {
							return
						}
						a, err := c.try("")
						if err != nil {
							if handled[i].Load() {
								t.Errorf("request %d was handled, and its answer is lost: %v", i, err)
							}
							return
						}
						if answered.Add(1); a.Close {
							return
						}
					}
				})
			}
			if !simnet.Becomes(func() bool { return answered.Load() > 100 }) {
				t.Error("nothing is answered")
			}
			if err := s.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
			all.Wait()
		}
	})
}

// pausing is a connection whose reader is slow to notice what it has read.
type pausing struct {
	net.Conn
	armed         atomic.Bool
	read, touched chan struct{}
}

func (p *pausing) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if n > 0 && p.armed.CompareAndSwap(true, false) {
		close(p.read)
		<-p.touched
	}
	return n, err
}

func (p *pausing) SetReadDeadline(t time.Time) error {
	err := p.Conn.SetReadDeadline(t)
	p.touch()
	return err
}

func (p *pausing) Close() error {
	err := p.Conn.Close()
	p.touch()
	return err
}

// touch lets the reader go on, once it is there.
func (p *pausing) touch() {
	select {
	case <-p.read:
		select {
		case <-p.touched:
		default:
			close(p.touched)
		}
	default:
	}
}

// only is a listener that accepts one connection.
type only struct {
	net.Listener
	conn chan net.Conn
	once sync.Once
}

func (l *only) Accept() (net.Conn, error) {
	if c, ok := <-l.conn; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *only) Close() error {
	l.once.Do(func() { close(l.conn) })
	return l.Listener.Close()
}

// TestShutdownAnswersWhatHasJustBeenRead: on the portable driver, Shutdown may find a connection
// idle whose request has been read and not noted yet.
func TestShutdownAnswersWhatHasJustBeenRead(t *testing.T) {
	s := prepare(t, driver{loops: 1}, hello)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &only{Listener: inner, conn: make(chan net.Conn, 1)}
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	outside, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	inside, err := inner.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := &pausing{Conn: inside, read: make(chan struct{}), touched: make(chan struct{})}
	l.conn <- p
	c := newClient(t, outside)
	c.get("/", "hello")
	p.armed.Store(true)
	c.send(request("/"))
	simnet.Receive(t, p.read, "the request to be read")
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(context.Background()) }()
	c.expect(200, "hello")
	_ = c.Close()
	if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
		t.Error(err)
	}
	if err := simnet.Receive(t, served, "Serve"); err != nil {
		t.Error(err)
	}
}

// TestShutdownWithATimeoutEvent: Events.Timeout may keep an idle connection, but not from
// Shutdown.
func TestShutdownWithATimeoutEvent(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		s.On.Timeout = func(*engine.Socket) {}
		s.listen()
		fresh, used := s.dial(), s.dial()
		used.get("/", "hello")
		if !simnet.Becomes(func() bool { return s.Connections() == 2 }) {
			t.Error("two connections should be open")
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(context.Background()) }()
		if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
			t.Error(err)
		}
		for _, c := range []*client{fresh, used} {
			if got := c.cut(); got != "" {
				t.Errorf("got %q", got)
			}
		}
	})
}

// TestSocketKeptBeyondTheLoop: the holder of a request's Socket closes it while the late handler of
// that request finds that its loop has ended, and closes the descriptor. The race detector checks
// that the two are synchronised.
func TestSocketKeptBeyondTheLoop(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for range 10 {
			kept, proceed := make(chan *engine.Socket, 1), make(chan struct{})
			s := start(t, d, func(req *engine.Request, _ *engine.Response) {
				req.Block()
				kept <- req.Socket()
				<-proceed
			})
			s.dial().send(request("/"))
			socket := simnet.Receive(t, kept, "the socket")
			s.closeNow()
			close(proceed)
			for end := time.Now().Add(time.Millisecond); time.Now().Before(end); {
				_ = socket.SetDeadline(time.Time{})
				_ = socket.LocalAddr()
			}
			_ = socket.Close()
			if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
				t.Error("the connection is left")
			}
		}
	})
}

// TestShutdownAnswersWhatHasComeMeanwhile: a request that arrived while the previous answer waited
// for its peer is answered too, and does not cost that answer its end.
func TestShutdownAnswersWhatHasComeMeanwhile(t *testing.T) {
	const size = 32 << 20
	eachDriver(t, func(t *testing.T, d driver) {
		asked := make(chan struct{})
		s := start(t, d, routes(map[string]engine.Handler{
			"/hello": hello,
			"/large": func(_ *engine.Request, res *engine.Response) {
				_ = res.SetHeader("Content-Length", strconv.Itoa(size))
				_ = res.Flush() // a head that left later would say that it is the last
				asked <- struct{}{}
				_ = pattern(res, size)
			},
		}))
		c := s.dial()
		c.send(request("/large"))
		simnet.Receive(t, asked, "the large request")
		c.send(request("/hello"))
		for range 2 * max(d.loops, 1) { // every loop has turned
			s.dial().get("/hello", "hello")
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(context.Background()) }()
		if !simnet.Becomes(func() bool {
			c, err := tryDial(s.Server)
			if err == nil {
				_ = c.Close()
			}
			return err != nil
		}) {
			t.Fatal("the server goes on listening")
		}
		if a := c.next(""); len(a.body) != size {
			t.Fatalf("%d bytes of the first answer", len(a.body))
		}
		if a := c.expect(200, "hello"); !a.Close {
			t.Errorf("the last answer does not say so: %v", a.Header)
		}
		c.ended()
		_ = c.Close() // the server reads on until then
		if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
			t.Error(err)
		}
	})
}

// tardyConn is a connection whose next Read with a near deadline, once it is armed, begins after that.
type tardyConn struct {
	net.Conn
	armed    *atomic.Bool
	deadline *atomic.Int64 // in nanoseconds
}

func (c tardyConn) SetReadDeadline(at time.Time) error {
	c.deadline.Store(at.UnixNano())
	return c.Conn.SetReadDeadline(at)
}

func (c tardyConn) Read(p []byte) (int, error) {
	if left := time.Until(time.Unix(0, c.deadline.Load())); left > 0 && left < time.Second && c.armed.Swap(false) {
		time.Sleep(left + time.Millisecond) // sleep: a machine that stands still meanwhile is the subject
	}
	return c.Conn.Read(p)
}

// TestShutdownReadsOnceMore: a request that has arrived is answered although the deadline for a last
// look had passed before the portable driver came to read.
func TestShutdownReadsOnceMore(t *testing.T) {
	here, release := make(chan struct{}), make(chan struct{})
	s := prepare(t, driver{portable: true}, routes(map[string]engine.Handler{
		"/hello": hello,
		"/slow": func(_ *engine.Request, res *engine.Response) {
			_ = res.SetHeader("Content-Length", "4")
			_ = res.Flush() // a head that left later would say that it is the last
			close(here)
			<-release
			_ = res.EndString("slow")
		},
	}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var armed atomic.Bool
	closing := make(chan struct{})
	go func() {
		_ = s.Serve(userListener{Listener: l, close: sync.OnceFunc(func() { close(closing) }), conn: func(c net.Conn) net.Conn {
			return tardyConn{c, &armed, new(atomic.Int64)}
		}})
	}()
	c := dialTo(t, "tcp", l.Addr().String())
	c.send(request("/slow"))
	simnet.Receive(t, here, "the handler")
	c.send(request("/hello"))
	armed.Store(true)
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(context.Background()) }()
	simnet.Receive(t, closing, "Shutdown to close the listener")
	close(release)
	c.expect(200, "slow")
	c.expect(200, "hello")
	if armed.Load() {
		t.Error("no deadline has passed")
	}
	_ = c.Close() // the server reads on until then
	if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
		t.Error(err)
	}
}
