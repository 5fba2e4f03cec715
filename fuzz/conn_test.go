// Whole conversations: the result of internal/h1 must not depend on where a connection's
// bytes are cut, and whatever the bytes are, it must keep its own rules.

package fuzz

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

// conversations are the seeds: ordinary traffic, and shapes that have been used for request
// smuggling.
var conversations = []string{
	"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /3",
	"\r\nPOST /x?y HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello\r\nGET / HTTP/1.0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d\\\"\"\r\nhello\r\n00\r\nX: y\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\nContent-Length : 4\r\n\r\n1\r\nZ\r\nQ",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx00\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET http://b/ HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x/1\r\n\r\nCONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n\x16\x03",
	"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 9\r\n\r\n",
	"GET / HTTP/1.1\rHost: a\r\n\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 204\r\nContent-Length: 9\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nHTTP/1.0 200 \xe4\r\n\r\nuntil the end",
	"HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw",
}

var fuzzLimits = []*h1.Limits{
	nil,
	{HeadBytes: 64, Parse: bytesparse.Limits{Fields: 4, Target: 8}, ChunkLineBytes: 12, ChunkOverhead: 8, TrailerBytes: 24, BodyBytes: 10},
	{HeadBytes: -1, Parse: bytesparse.Limits{Fields: -1, Target: -1}, ChunkLineBytes: -1, ChunkOverhead: -1, TrailerBytes: -1, BodyBytes: -1},
}

var fuzzMethods = []bytesparse.Method{bytesparse.MethodGet, bytesparse.MethodHead, bytesparse.MethodConnect}

// FuzzConversation offers the same bytes whole and in another way, byte by byte or cut at
// random, to a Server or a Client that reads bodies in steps or decodes them, and requires
// the same events. The bits of how: role, limits (2), the request's method (2), whether the
// peer closes at the end (128).
func FuzzConversation(f *testing.F) {
	for way := range uint64(len(ways)) {
		for _, c := range conversations {
			for role := range uint8(2) {
				for limits := range uint8(3) {
					f.Add([]byte(c), role|limits<<1, way)
					f.Add([]byte(c), role|limits<<1|128, way)
				}
			}
		}
		for _, c := range smuggled {
			f.Add([]byte(c), uint8(128), way)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, how uint8, cuts uint64) {
		if len(data) > 2048 {
			return // byte by byte is quadratic here
		}
		run := func(segment func() int, decode *rand.Rand) []string {
			s := session{t: t, decode: decode, lim: fuzzLimits[how>>1&3%3], method: fuzzMethods[how>>3&3%3], eof: how&128 != 0}
			s.conn.Reset(h1.Role(how & 1))
			return s.play(data, segment)
		}
		all := func() int { return len(data) + 1 }
		one := func() int { return 1 }
		random := rand.New(rand.NewPCG(cuts, 0))
		some := func() int { return 1 + random.IntN(40) }
		way := ways[cuts%uint64(len(ways))]
		segment := map[string]func() int{"whole": all, "byte by byte": one, "cut at random": some}[way.cut]
		var decode *rand.Rand
		if way.decode {
			decode = random
		}
		if whole, got := run(all, nil), run(segment, decode); !slices.Equal(whole, got) {
			t.Fatalf("whole:\n%q\n%+v:\n%q", whole, way, got)
		}
	})
}

// ways are the ways to read a conversation; the fuzzer chooses one for each execution.
var ways = []struct {
	cut    string
	decode bool
}{{"byte by byte", false}, {"cut at random", false}, {"whole", true}, {"cut at random", true}, {"byte by byte", true}}

// session is one connection of a run.
type session struct {
	t       *testing.T
	conn    h1.Conn
	heads   [2]bytesparse.Head // a message's, its trailers'
	lim     *h1.Limits
	method  bytesparse.Method
	eof     bool
	body    bool       // the next step is Next
	decode  *rand.Rand // or Decode, when that has anything to say, with room by chance
	log     []string
	content []byte
}

// play offers data in segments and returns what happened.
func (s *session) play(data []byte, segment func() int) []string {
	var have []byte
	for goOn := true; goOn; {
		n := min(segment(), len(data))
		have, data = append(have, data[:n]...), data[n:]
		goOn = len(data) > 0
		for {
			used, again := s.step(bytes.Clone(have), s.eof && len(data) == 0)
			have = have[used:]
			if !again {
				break
			}
		}
	}
	return append(s.log, fmt.Sprintf("content %q, done %v", s.content, s.conn.Done()))
}

// step makes one call, checks that its result is permitted, and reports whether to make
// another on the same bytes.
func (s *session) step(b []byte, eof bool) (int, bool) {
	var n int
	var ev h1.Event
	var err error
	if s.body && s.decode != nil {
		dst := b // in place
		if s.decode.IntN(2) == 0 {
			dst = make([]byte, 1+s.decode.IntN(60))
		}
		written := 0
		if written, n, err = s.conn.Decode(dst, b, s.lim); err != nil {
			s.log = append(s.log, message(err))
			return 0, false
		}
		s.content = append(s.content, dst[:written]...)
		if written+n > 0 {
			return n, true
		}
	}
	if s.body {
		n, ev, err = s.conn.Next(b, eof, &s.heads[1], s.lim)
	} else {
		s.conn.SetRequest(s.method)
		n, ev, err = s.conn.NextHead(b, eof, &s.heads[0], s.lim)
	}
	switch {
	case n < 0 || n > len(b),
		err != nil && err != h1.ErrExpectation && (n != 0 || ev != h1.NeedMore),
		(ev == h1.Data || ev == h1.Framing || ev == h1.HeadDone || ev == h1.Trailers) && n == 0,
		s.conn.Remaining() < 0:
		s.t.Fatalf("%d of %d bytes, %v, %v", n, len(b), ev, err)
	}
	switch {
	case err != nil && err != h1.ErrExpectation:
		if err != h1.ErrFailed { // the first one is the event, the rest is what must follow
			s.log = append(s.log, message(err))
		}
		return n, false
	case ev == h1.NeedMore:
		return n, n > 0
	case ev == h1.Data:
		s.content = append(s.content, b[:n]...)
	case ev == h1.HeadDone, ev == h1.Trailers:
		s.report(b[:n], ev, err)
		s.body = true
	case ev == h1.End:
		if !s.body {
			return n, false
		}
		s.log = append(s.log, fmt.Sprintf("end behind %d", s.conn.BodyRead()))
		s.body = false
	}
	return n, true
}

// message is an error without its offset, which counts from where a step began.
func message(err error) string {
	text, _, _ := strings.Cut(err.Error(), " at byte")
	return text
}

func (s *session) report(b []byte, ev h1.Event, err error) {
	c, h := &s.conn, &s.heads[0]
	if ev == h1.Trailers {
		h = &s.heads[1]
	}
	line := fmt.Sprintf("%v %q %v %v %d %v %v %v %v", ev, b, err, c.Framing(), c.Remaining(), c.KeepAlive(), c.Upgrade(), c.Tunnel(), c.Interim())
	for _, f := range h.Fields {
		line += fmt.Sprintf(" %q=%q", f.NameOf(b), f.ValueOf(b))
	}
	s.log = append(s.log, line)
}
