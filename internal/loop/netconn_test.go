// Conn: what net.Conn promises, for a Conn that was taken and for one that is lent, on a loop and
// in the portable driver.

package loop

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// eachTaken runs a test with a Conn that was taken, and its peer.
func eachTaken(t *testing.T, test func(t *testing.T, g *Group, c *Conn, peer net.Conn)) {
	for _, portable := range []bool{false, true} {
		name := "loop"
		if portable {
			name = "portable"
		} else if !HavePoller {
			continue
		}
		t.Run(name, func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1, Portable: portable})
			c, peer := takenConn(t, g)
			test(t, g, c, peer)
		})
	}
}

// takenConn returns a Conn whose handler has returned.
func takenConn(t *testing.T, g *Group) (*Conn, net.Conn) {
	t.Helper()
	conns := make(chan *Conn, 1)
	peer := serve(t, g, func(s *Stream) {
		c := NewConn(s)
		if err := c.Take(); err != nil {
			t.Error(err)
		}
		c.Leave()
		conns <- c
	})
	return simnet.Receive(t, conns, "the Conn"), peer
}

// echo sends back what comes, without the pipes that package net would keep for
// splicing.
func echo(c net.Conn) { _, _ = io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}) }

// pastTime has passed long ago.
var pastTime = time.Unix(1, 0)

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout() && errors.Is(err, os.ErrDeadlineExceeded)
}

func TestTakenConnMovesBytes(t *testing.T) {
	eachTaken(t, func(t *testing.T, g *Group, c *Conn, peer net.Conn) {
		sent := make([]byte, 8<<20)
		rand.New(rand.NewSource(1)).Read(sent)
		go func() { // an echo
			echo(peer)
			_ = peer.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got := make(chan []byte)
		go func() {
			b, err := io.ReadAll(c)
			if err != nil {
				t.Error(err)
			}
			got <- b
		}()
		if n, err := c.Write(sent); n != len(sent) || err != nil {
			t.Fatal(n, err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(simnet.Receive(t, got, "the echo"), sent) {
			t.Error("what came back is not what was sent")
		}
		if c.LocalAddr() == nil || c.RemoteAddr() == nil || c.LocalAddr().Network() != peer.RemoteAddr().Network() {
			t.Error("the addresses are", c.LocalAddr(), c.RemoteAddr())
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Every method fails, with an error of package net, once the Conn is closed; the addresses stay.
func TestClosedConn(t *testing.T) {
	eachTaken(t, func(t *testing.T, g *Group, c *Conn, peer net.Conn) {
		local := c.LocalAddr().String()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("the peer read %d, %v", n, err)
		}
		_, readErr := c.Read(make([]byte, 1))
		_, writeErr := c.Write(make([]byte, 1))
		for i, err := range []error{readErr, writeErr, c.CloseWrite(), c.SetDeadline(pastTime), c.Take(), c.Close()} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("call %d returned %v", i+1, err)
			}
		}
		if got := c.LocalAddr().String(); got != local {
			t.Errorf("the address was %s and is %s", local, got)
		}
	})
}

// Close ends the calls that are under way, and closes the connection once they have returned.
func TestCloseWakesTheConn(t *testing.T) {
	eachTaken(t, func(t *testing.T, g *Group, c *Conn, peer net.Conn) {
		errs := make(chan error)
		for range 3 {
			go func() {
				_, err := c.Read(make([]byte, 1))
				errs <- err
			}()
		}
		go func() {
			var err error
			for big := make([]byte, 1<<20); err == nil; {
				_, err = c.Write(big) // until the peer's buffer is full
			}
			errs <- err
		}()
		untilBusy(t, c)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if err := simnet.Receive(t, errs, "the waits to end"); !errors.Is(err, net.ErrClosed) {
				t.Errorf("a wait ended with %v", err)
			}
		}
	})
}

// untilBusy returns when something waits on each side of c; in the portable driver, when a method
// is being called.
func untilBusy(t *testing.T, c *Conn) {
	t.Helper()
	s := c.stream.Load()
	simnet.Eventually(t, "the waits", func() bool {
		if s.portable {
			return c.users.Load() > 4
		}
		in, out := s.input.Load(), s.output.Load()
		return in != nil && in != ready && out != nil && out != ready
	})
}

// The end of the group ends what was taken and not closed, and leaves no descriptor
// behind: newGroup looks.
func TestGroupEndsTheConn(t *testing.T) {
	eachTaken(t, func(t *testing.T, g *Group, c *Conn, peer net.Conn) {
		err := make(chan error)
		go func() {
			_, e := c.Read(make([]byte, 1))
			err <- e
		}()
		stopGroup(t, g)
		if e := simnet.Receive(t, err, "the wait to end"); !errors.Is(e, net.ErrClosed) {
			t.Errorf("the wait ended with %v", e)
		}
		if _, e := peer.Read(make([]byte, 1)); e != io.EOF {
			t.Errorf("the peer read %v", e)
		}
		if _, e := c.Write(make([]byte, 1)); !errors.Is(e, net.ErrClosed) {
			t.Errorf("a write afterwards returned %v", e)
		}
		_ = c.Close()
	})
}

func TestConnDeadlines(t *testing.T) {
	eachTaken(t, func(t *testing.T, g *Group, c *Conn, peer net.Conn) {
		one := make([]byte, 1)
		send(t, peer, "a")
		_ = c.SetDeadline(pastTime)
		if _, err := c.Read(one); !isTimeout(err) {
			t.Errorf("a read behind its deadline returned %v", err)
		}
		if _, err := c.Write(one); !isTimeout(err) {
			t.Errorf("a write behind its deadline returned %v", err)
		}
		_ = c.SetReadDeadline(time.Time{})
		if n, err := c.Read(one); n != 1 || err != nil {
			t.Errorf("a read without deadline returned %d, %v", n, err)
		}
		if _, err := c.Write(one); !isTimeout(err) {
			t.Errorf("a write behind its deadline returned %v", err)
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := c.Read(one); !isTimeout(err) {
			t.Errorf("a read until its deadline returned %v", err)
		}
		_ = c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		var err error
		for big := make([]byte, 1<<20); err == nil; {
			_, err = c.Write(big)
		}
		if !isTimeout(err) {
			t.Errorf("writes until their deadline ended with %v", err)
		}
		_ = c.Close()
	})
}

// A deadline that is set while a wait is under way applies to that wait, be it nearer or farther.
func TestDeadlineOfAWaitUnderWay(t *testing.T) {
	eachTaken(t, func(t *testing.T, g *Group, c *Conn, peer net.Conn) {
		read := func() chan error {
			err := make(chan error, 1)
			go func() {
				_, e := c.Read(make([]byte, 1))
				err <- e
			}()
			return err
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Hour))
		err := read()
		_ = c.SetReadDeadline(pastTime)
		if e := simnet.Receive(t, err, "the wait to end"); !isTimeout(e) {
			t.Errorf("the wait ended with %v", e)
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Hour))
		err = read()
		_ = c.SetReadDeadline(time.Time{})
		send(t, peer, "a")
		if e := simnet.Receive(t, err, "the wait to end"); e != nil {
			t.Errorf("the wait ended with %v", e)
		}
		_ = c.Close()
	})
}

// Reads by many goroutines share the bytes, writes by many are whole, whatever else
// goes on.
func TestManyUseAConn(t *testing.T) {
	eachTaken(t, func(t *testing.T, g *Group, c *Conn, peer net.Conn) {
		const each, users = 200, 8
		word := bytes.Repeat([]byte("x"), 100)
		var all sync.WaitGroup
		for i := range users {
			all.Add(2)
			go func() {
				defer all.Done()
				for range each {
					if _, err := c.Write(bytes.Repeat([]byte{byte('a' + i)}, 100)); err != nil {
						t.Error(err)
						return
					}
					_ = c.SetWriteDeadline(time.Now().Add(time.Hour))
				}
			}()
			go func() {
				defer all.Done()
				for range each {
					if _, err := io.ReadFull(c, make([]byte, 100)); err != nil {
						t.Error(err)
						return
					}
					_ = c.SetReadDeadline(time.Now().Add(time.Hour))
				}
			}()
		}
		go func() {
			for range each * users {
				_, _ = peer.Write(word)
			}
		}()
		b := make([]byte, 100)
		for range each * users {
			if _, err := io.ReadFull(peer, b); err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(b, b[:1]); n != 100 {
				t.Fatalf("a write was torn: %q", b)
			}
		}
		all.Wait()
		_ = c.Close()
	})
}

// Closing while others read, write, set deadlines and close.
func TestConnIsClosedInTheMiddle(t *testing.T) {
	for range 50 {
		eachTaken(t, func(t *testing.T, g *Group, c *Conn, peer net.Conn) {
			go echo(peer)
			var all sync.WaitGroup
			use := func(fn func() error) {
				all.Add(1)
				go func() {
					defer all.Done()
					for fn() == nil {
					}
				}()
			}
			use(func() error { _, err := c.Read(make([]byte, 100)); return err })
			use(func() error { _, err := c.Read(make([]byte, 100)); return err })
			use(func() error { _, err := c.Write(make([]byte, 1000)); return err })
			use(func() error { return c.SetDeadline(time.Now().Add(time.Hour)) })
			use(func() error { _ = c.RemoteAddr(); return c.Close() })
			all.Wait()
		})
	}
}
