//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// TLS over streams with a descriptor, against crypto/tls as the peer.

package loop

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// configs returns what a server and a client need to trust each other.
func configs(t *testing.T) (server, client *tls.Config) {
	a := simnet.NewAuthority(t)
	return &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "gale.test")}},
		&tls.Config{RootCAs: a.Pool, ServerName: "gale.test"}
}

// secured opens a stream that answers its first event with a handshake, and each later one with
// serve. It returns the client's end, before its handshake.
func secured(t *testing.T, l *Loop, timeout int64, serve func(w *Worker, k *task)) (*tls.Conn, <-chan error) {
	t.Helper()
	server, client := configs(t)
	shaken := make(chan error, 1)
	k := &task{}
	k.serve = func(w *Worker) {
		if !k.Raw() {
			serve(w, k)
			return
		}
		w.Begin(&k.Stream)
		err := k.Handshake(tls.Server, server, timeout)
		if !w.End() {
			k.giveBack(func(Task) { k.Rest(0, true) })
			shaken <- err
			return
		}
		if err != nil {
			k.Close()
		} else {
			k.Rest(0, true)
		}
		shaken <- err
	}
	peer := open(t, l, k)
	_ = peer.SetDeadline(time.Now().Add(simnet.Patience))
	return tls.Client(peer, client), shaken
}

// echoing writes back what it reads until there is nothing more.
func echoing(b []byte) func(w *Worker, k *task) {
	return func(_ *Worker, k *task) {
		for k.Ready() {
			n, err := k.TryRead(b)
			if n > 0 {
				_, err = k.Write(b[:n])
			}
			if err != nil {
				k.Close()
				return
			}
			if n == 0 {
				break
			}
		}
		k.Rest(0, false)
	}
}

func TestTLSReadsAndWrites(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	for _, room := range []int{1, 100, 64 << 10} {
		c, shaken := secured(t, g.Next(), 0, echoing(make([]byte, room)))
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if err := simnet.Receive(t, shaken, "the handshake"); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 2, 100, 1000, 1025, 5000, 16 << 10, 16<<10 + 1, 300 << 10} {
			if room == 1 && size > 5000 {
				continue
			}
			want := bytes.Repeat([]byte("0123456789abcdefg"), size/17+1)[:size]
			go func() { _, _ = c.Write(want) }()
			got := make([]byte, size)
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes through a buffer of %d: %v", size, room, err)
			}
		}
		rests(t, g.Next())
		_ = c.Close()
	}
}

// rests requires a loop on which nothing is suspended.
func rests(t *testing.T, l *Loop) {
	t.Helper()
	simnet.Eventually(t, "the loop to rest", func() bool {
		return onLoop(t, l, func(l *Loop) bool { return l.suspended == 0 && l.spareCount+1 >= l.workers })
	})
}

// A record that arrives a byte at a time must not keep a worker.
func TestTLSRestsWithinARecord(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	got := make(chan string, 1)
	c, shaken := secured(t, l, 0, func(_ *Worker, k *task) {
		var b [64]byte
		n, err := k.TryRead(b[:])
		if err != nil {
			k.Close()
			return
		}
		if n > 0 {
			got <- string(b[:n])
		}
		k.Rest(0, n > 0)
	})
	slow := &trickle{Conn: c.NetConn()}
	_, client := configs(t)
	client.InsecureSkipVerify = true
	c = tls.Client(slow, client)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := simnet.Receive(t, shaken, "the handshake"); err != nil {
		t.Fatal(err)
	}
	slow.each = func() { rests(t, l) }
	if _, err := c.Write([]byte("little by little")); err != nil {
		t.Fatal(err)
	}
	if text := simnet.Receive(t, got, "the text"); text != "little by little" {
		t.Errorf("got %q", text)
	}
	_ = c.Close()
}

// trickle writes a byte at a time and, when each is set, calls it after every byte.
type trickle struct {
	net.Conn
	each func()
}

func (c *trickle) Write(p []byte) (int, error) {
	if c.each == nil {
		return c.Conn.Write(p)
	}
	for i := range p {
		if _, err := c.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
		c.each()
	}
	return len(p), nil
}

// TryWrite must never wait, and what it did not report must come once all the same.
func TestTLSTryWrite(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	want := bytes.Repeat([]byte("try and try again"), 100_000)
	full, goOn := make(chan struct{}), make(chan struct{})
	c, _ := secured(t, g.Next(), 0, func(w *Worker, k *task) {
		var b [1]byte
		if n, _ := k.TryRead(b[:]); n == 0 {
			k.Rest(0, false)
			return
		}
		w.Begin(&k.Stream)
		tried, left := 0, want
		for len(left) > len(want)/2 {
			n, err := k.TryWrite(left)
			if err != nil {
				t.Error(err)
				break
			}
			if left = left[n:]; n > 0 {
				continue
			}
			if tried++; tried == 1 {
				close(full)
				<-goOn
			}
			var pause Stream
			if !w.Lost() {
				w.End()
				_ = pause.Sleep(w, 1)
				w.Begin(&k.Stream)
				continue
			}
			time.Sleep(time.Millisecond) // sleep: what makes room for a TryWrite tells only who waits
		}
		if _, err := k.Write(left); err != nil {
			t.Error(err)
		}
		if w.End() {
			k.Close()
		} else {
			k.giveBack(func(Task) { k.Close() })
		}
	})
	if _, err := c.Write([]byte("!")); err != nil {
		t.Fatal(err)
	}
	simnet.Receive(t, full, "the peer's buffer to be full")
	close(goOn)
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came, want %d; %v", len(got), len(want), err)
	}
}

func TestTLSHandshakeFails(t *testing.T) {
	never := func(*Worker, *task) { t.Error("served after a failed handshake") }
	for name, do := range map[string]func(net.Conn){
		"silence":      func(c net.Conn) { _, _ = c.Write([]byte{22, 3, 1}) },
		"hang-up":      func(c net.Conn) { _, _ = c.Write([]byte{22, 3, 1}); _ = c.Close() },
		"plain text":   func(c net.Conn) { _, _ = c.Write([]byte("GET / HTTP/1.1\r\n\r\n")) },
		"wrong secret": func(c net.Conn) { _ = tls.Client(c, &tls.Config{ServerName: "other"}).Handshake() },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1})
			c, shaken := secured(t, g.Next(), 50, never)
			do(c.NetConn())
			err := simnet.Receive(t, shaken, "the handshake to fail")
			var header tls.RecordHeaderError
			switch {
			case err == nil:
				t.Error("it did not")
			case name == "silence" && !errors.Is(err, ErrTimeout), name == "plain text" && !errors.As(err, &header):
				t.Errorf("it failed with %v", err)
			}
			rests(t, g.Next())
		})
	}
}

// A timeout of a read does no harm to what comes after it.
func TestTLSReadTimesOut(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	timedOut := make(chan error, 1)
	c, _ := secured(t, g.Next(), 0, func(_ *Worker, k *task) {
		var b [8]byte
		k.ReadTimeout = 1
		n, err := k.Read(b[:1])
		for ; err == nil; n, err = k.Read(b[:1]) {
		}
		timedOut <- err
		k.ReadTimeout = 0
		if n, err = k.Read(b[:]); err != nil {
			t.Error(err)
		}
		_, _ = k.Write(b[:n])
		k.Close()
	})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := simnet.Receive(t, timedOut, "the timeout"); !errors.Is(err, ErrTimeout) {
		t.Errorf("the read ended with %v", err)
	}
	_, _ = c.Write([]byte("late"))
	if got, err := io.ReadAll(c); err != nil || string(got) != "late" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Close sends a close_notify, so that nobody can cut a message short unnoticed.
func TestTLSClosesWithAnAlert(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	for name, end := range map[string]func(k *task){
		"close":      func(k *task) { k.Close() },
		"half-close": func(k *task) { k.HalfClose(); k.Strip(); k.Rest(0, false) },
	} {
		c, shaken := secured(t, g.Next(), 0, func(_ *Worker, k *task) {
			var b [8]byte
			switch n, err := k.TryRead(b[:]); {
			case err != nil:
				k.Close()
			case n > 0:
				end(k)
			default:
				k.Rest(0, false)
			}
		})
		tap := &tap{Conn: c.NetConn()}
		_, client := configs(t)
		client.InsecureSkipVerify, client.MaxVersion = true, tls.VersionTLS12
		c = tls.Client(tap, client)
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if err := simnet.Receive(t, shaken, "the handshake"); err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("x"))
		tap.got.Reset()
		_, err := c.Read(make([]byte, 8))
		if alert := tap.got.Bytes(); err != io.EOF || len(alert) == 0 || alert[0] != 21 {
			t.Errorf("%s: %v, % x", name, err, alert)
		}
		_ = c.NetConn().Close()
	}
}

// tap keeps what is read through it.
type tap struct {
	net.Conn
	got bytes.Buffer
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.got.Write(p[:n])
	return n, err
}

// A handler's goroutine may write while the handler reads, and both may be waiting.
func TestTLSBothSidesAtOnce(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	want := bytes.Repeat([]byte("to and fro "), 200_000)
	c, _ := secured(t, g.Next(), 0, func(w *Worker, k *task) {
		w.Begin(&k.Stream)
		written := make(chan error, 1)
		go func() {
			_, err := k.Write(want)
			written <- err
		}()
		got := make([]byte, len(want))
		for n := 0; n < len(got); {
			m, err := k.Read(got[n:])
			if n += m; err != nil {
				t.Error(err)
				break
			}
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got, want) {
			t.Error("what was read is not what was sent")
		}
		if w.End() {
			k.Close()
		} else {
			k.giveBack(func(Task) { k.Close() })
		}
	})
	go func() { _, _ = c.Write(want) }()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came, want %d; %v", len(got), len(want), err)
	}
}

// A stream with TLS that was taken away from its loop still speaks TLS.
func TestTLSTaken(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	given := make(chan *Conn, 1)
	c, _ := secured(t, g.Next(), 0, func(w *Worker, k *task) {
		w.Begin(&k.Stream)
		conn := NewConn(&k.Stream)
		if err := conn.Take(); err != nil {
			t.Error(err)
		}
		conn.Leave()
		w.End()
		given <- conn
	})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	conn := simnet.Receive(t, given, "the connection")
	_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	var b [16]byte
	if _, err := conn.Read(b[:]); !errors.Is(err, ErrTimeout) {
		t.Errorf("the read ended with %v", err)
	}
	_ = conn.SetReadDeadline(time.Time{})
	go func() { _, _ = c.Write([]byte("still there?")) }()
	n, err := conn.Read(b[:])
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = conn.Write(b[:n])
		_ = conn.CloseWrite()
	}()
	if got, err := io.ReadAll(c); err != nil || string(got) != "still there?" {
		t.Errorf("got %q, %v", got, err)
	}
	_ = conn.Close()
}

// A goroutine that is left behind in the middle of a long message is sent away, even though its
// peer takes everything as fast as it comes.
func TestTLSBarredWriterNeverWaits(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	long := make([]byte, 2*gatherSize) // that much any socket takes
	written := make(chan error, 1)
	c, _ := secured(t, g.Next(), 0, func(w *Worker, k *task) {
		w.Begin(&k.Stream)
		k.Bar()
		_, err := k.Write(long)
		written <- err
		k.Unbar()
		if w.End() {
			k.Close()
		} else {
			k.giveBack(func(Task) { k.Close() })
		}
	})
	go func() { _, _ = c.Write([]byte("x")) }()
	if got, _ := io.ReadAll(c); len(got) >= len(long) {
		t.Errorf("all of it has come, %d bytes", len(got))
	}
	if err := simnet.Receive(t, written, "the writer"); err != ErrOver {
		t.Errorf("it was told %v", err)
	}
}
