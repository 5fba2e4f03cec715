// A message in and a message out over a stream, without an engine or an agent around
// them: what Incoming and Outgoing promise by themselves.

package exchange

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/writer"
)

// over runs fn with a stream, and returns what its peer received. The peer first sends text in
// pieces.
func over(t *testing.T, fn func(s *loop.Stream), pieces ...string) string {
	t.Helper()
	g, err := loop.NewGroup(loop.Config{Loops: 1, Portable: true})
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	defer g.Stop()
	mine, peer := simnet.Pipe()
	go func() {
		for _, piece := range pieces {
			_, _ = io.WriteString(peer, piece)
		}
		_ = peer.(interface{ CloseWrite() error }).CloseWrite()
	}()
	served := g.Next().Go(func(w *loop.Worker) {
		var s loop.Stream
		s.OpenConn(w, mine, nil)
		defer s.Close()
		fn(&s)
	})
	if !served {
		t.Fatal("the group takes no functions")
	}
	got, err := io.ReadAll(peer)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	return string(got)
}

// outgoing returns a 200 that answers a GET in HTTP/1.1, without a date.
func outgoing(s *loop.Stream) *Outgoing {
	out := &Outgoing{}
	out.Start = func(dst []byte) []byte { return writer.AppendStatusLine(dst, 200, "") }
	out.Plan = func(r *h1.Reply, p *h1.Plan) error {
		r.Status = 200
		*p = h1.PlanResponse(h1.ReplyTo{Minor: 1, KeepAlive: true, BodyDone: true}, *r)
		return nil
	}
	out.Attach(s)
	out.Reset()
	out.NoDate = true
	return out
}

func TestOutgoing(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		name string
		send func(t *testing.T, out *Outgoing)
		want string
	}{
		{"whole", func(t *testing.T, out *Outgoing) { is(t, out.End([]byte("all")), nil) },
			head + "Content-Length: 3\r\n\r\nall"},
		{"in pieces", func(t *testing.T, out *Outgoing) {
			wrote(t, out, "one", nil)
			wrote(t, out, "", nil)
			wrote(t, out, strings.Repeat("x", 5000), nil)
			is(t, out.Trailers.Add("X-Sum", "7"), nil)
			is(t, out.End([]byte("end")), nil)
			is(t, out.End(nil), ErrEnded)
			wrote(t, out, "more", ErrEnded)
		}, head + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n1388\r\n" + strings.Repeat("x", 5000) +
			"\r\n3\r\nend\r\n0\r\nX-Sum: 7\r\n\r\n"},
		{"too long", func(t *testing.T, out *Outgoing) {
			is(t, out.Headers.Set("Content-Length", "4"), nil)
			wrote(t, out, "123", nil)
			wrote(t, out, "45", ErrTooLong)
			is(t, out.End(nil), ErrTooLong)
		}, head + "Content-Length: 4\r\n\r\n123"},
		{"too short", func(t *testing.T, out *Outgoing) {
			is(t, out.Headers.Set("Content-Length", "4"), nil)
			wrote(t, out, "123", nil)
			is(t, out.End(nil), ErrTooShort)
			is(t, out.Err(), ErrTooShort)
		}, head + "Content-Length: 4\r\n\r\n123"},
		{"no number", func(t *testing.T, out *Outgoing) {
			is(t, out.Headers.Set("Content-Length", "four"), nil)
			is(t, out.End(nil), ErrBadLength)
			out.Headers.Remove("Content-Length")
			is(t, out.End(nil), nil)
		}, head + "Content-Length: 0\r\n\r\n"},
		{"interim", func(t *testing.T, out *Outgoing) {
			is(t, out.Interim(103, []string{"Link", "</a>", "Content-Length", "9"}, true), nil)
			is(t, out.Interim(103, []string{"Link", "</b>"}, false), nil)
			var bad *writer.FieldError
			if err := out.Interim(103, []string{"Li nk", "x"}, true); !errors.As(err, &bad) {
				t.Error(err)
			}
			is(t, out.FlushHead(), nil)
			is(t, out.Interim(103, nil, true), ErrHeadSent)
			is(t, out.End(nil), nil)
		}, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"taken back", func(t *testing.T, out *Outgoing) {
			is(t, out.End([]byte("first thought")), nil)
			if !out.Recall() {
				t.Error("what nobody has got could not be taken back")
			}
			out.NoDate = true
			is(t, out.End([]byte("second")), nil)
			is(t, out.Flush(), nil)
			if out.Recall() {
				t.Error("what was sent was taken back")
			}
		}, head + "Content-Length: 6\r\n\r\nsecond"},
		{"tried", func(t *testing.T, out *Outgoing) {
			for _, p := range []string{"one", "two"} {
				if sent, err := out.TryWrite([]byte(p)); !sent || err != nil {
					t.Error(sent, err)
				}
			}
			is(t, out.End(nil), nil)
			_, err := out.TryWrite(nil)
			is(t, err, ErrEnded)
		}, head + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"},
		{"broken", func(t *testing.T, out *Outgoing) {
			wrote(t, out, "one", nil)
			boom := errors.New("boom")
			out.Break(boom)
			wrote(t, out, "two", boom)
			_, err := out.TryWrite([]byte("three"))
			is(t, err, boom)
		}, head + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := over(t, func(s *loop.Stream) {
				out := outgoing(s)
				c.send(t, out)
				is(t, out.FlushLast(false), nil)
			})
			if got != c.want {
				t.Errorf("sent\n%q\ninstead of\n%q", got, c.want)
			}
		})
	}
}

func is(t *testing.T, got, want error) {
	t.Helper()
	if got != want {
		t.Errorf("got error %v, not %v", got, want)
	}
}

func wrote(t *testing.T, out *Outgoing, p string, want error) {
	t.Helper()
	if n, err := out.Write([]byte(p)); err != want || err == nil && n != len(p) {
		t.Errorf("wrote %d of %d, %v", n, len(p), err)
	}
}

// incoming reads a head from s.
func incoming(t *testing.T, s *loop.Stream, c *h1.Conn) *Incoming {
	in := &Incoming{Limits: &h1.Limits{}}
	in.Attach(s, c, nil)
	for {
		ev, err := in.Next()
		if err != nil {
			t.Error(err)
		}
		if ev == h1.HeadDone || err != nil {
			return in
		}
		if _, err := in.Fill(); err != nil {
			t.Error(err)
			return in
		}
	}
}

const (
	countedHead = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
	chunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
)

func TestIncomingBody(t *testing.T) {
	for _, pieces := range [][]string{
		{countedHead + "0123456789" + "GET"},
		{countedHead[:20], countedHead[20:], "01234", "56789", "GET"},
		{chunkedHead + "4\r\n0123\r\n6\r\n456789\r\n0\r\nX-Sum: 7\r\n\r\nGET"},
		{chunkedHead, "4\r", "\n01", "23\r\n6\r\n456789\r\n", "0\r\n", "X-Sum: 7\r\n\r\nGET"},
	} {
		over(t, func(s *loop.Stream) {
			var c h1.Conn
			in := incoming(t, s, &c)
			body, err := io.ReadAll(in)
			if string(body) != "0123456789" || err != nil || !in.Done() || in.Left() != 0 {
				t.Errorf("%q: read %q, %v, done %v, %d left", pieces, body, err, in.Done(), in.Left())
			}
			sum := ""
			for name, value := range in.Trailers() {
				sum += string(name) + string(value)
			}
			if want := map[bool]string{true: "x-sum7"}[strings.Contains(pieces[0], "chunked")]; sum != want {
				t.Errorf("%q: trailers %q", pieces, sum)
			}
			for in.Unread() < 3 {
				if _, err := in.Fill(); err != nil {
					t.Error(err)
					return
				}
			}
			if rest := in.Abandon(io.ErrClosedPipe); string(rest) != "GET" {
				t.Errorf("%q: %q was left", pieces, rest)
			}
			_, err = in.Read(make([]byte, 1))
			is(t, err, io.ErrClosedPipe)
			in.Discard()
		}, pieces...)
	}
}

// Drain drops a body within its bound only, and a body that ends early is an error.
func TestIncomingDrains(t *testing.T) {
	for _, c := range []struct {
		limit int64
		body  string
		done  bool
	}{{10, "0123456789", true}, {9, "0123456789", false}, {100, "012345", false}} {
		over(t, func(s *loop.Stream) {
			var conn h1.Conn
			in := incoming(t, s, &conn)
			if done := in.Drain(c.limit, true); done != c.done {
				t.Errorf("limit %d, body %q: drained %v, %v", c.limit, c.body, done, in.Err())
			}
			if len(c.body) < 10 && in.Err() != h1.ErrUnexpectedEOF {
				t.Errorf("body %q: %v", c.body, in.Err())
			}
			in.Discard()
		}, countedHead+c.body)
	}
}

// What someone else has read from the stream is read next.
func TestIncomingPut(t *testing.T) {
	over(t, func(s *loop.Stream) {
		var c h1.Conn
		in := incoming(t, s, &c)
		_, _ = io.ReadAll(in)
		in.Release()
		in.Put([]byte("GET /put HTTP/1.1\r\nHost: a\r\n\r\n"))
		ev, err := in.Next()
		if target := in.Head.Target.Of(in.HeadBytes()); ev != h1.HeadDone || err != nil || string(target) != "/put" {
			t.Errorf("%v, %v, %q", ev, err, target)
		}
		in.Discard()
	}, countedHead+"0123456789")
}
