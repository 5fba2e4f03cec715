// The machine itself: size, allocations, order of calls, default limits.

package h1

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

const hello = "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"

func TestConnIsSmall(t *testing.T) {
	typ := reflect.TypeFor[Conn]()
	if typ.Size() > 64 {
		t.Errorf("Conn takes %d bytes, a connection at rest has 64 for it", typ.Size())
	}
	plain(t, typ)
}

func plain(t *testing.T, typ reflect.Type) {
	for i := range typ.NumField() {
		switch f := typ.Field(i); f.Type.Kind() {
		case reflect.Struct:
			plain(t, f.Type)
		case reflect.Pointer, reflect.Slice, reflect.String, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
			t.Errorf("field %s is a %v: the collector would have to look at every connection", f.Name, f.Type)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	chunked := []byte("POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n" +
		strings.Repeat("5;x=y\r\nhello\r\n", 10) + "0\r\nX: y\r\n\r\n")
	refused := []byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
	response := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nab")
	partial := []byte(hello[:20])
	var head, trail bytesparse.Head
	lim := &Limits{BodyBytes: 1000}
	for _, c := range []struct {
		name string
		role Role
		data []byte
	}{{"hello", Server, []byte(hello)}, {"chunked", Server, chunked}, {"refused", Server, refused}, {"response", Client, response}, {"partial", Server, partial}} {
		var conn Conn
		run := func() {
			conn.Reset(c.role)
			data := c.data
			n, ev, _ := conn.NextHead(data, false, &head, lim)
			for data = data[n:]; ev != End && ev != NeedMore; data = data[n:] {
				n, ev, _ = conn.Next(data, false, &trail, lim)
			}
		}
		run() // the heads' arrays grow once
		if got := testing.AllocsPerRun(100, run); got != 0 {
			t.Errorf("%s: %v allocations", c.name, got)
		}
	}
}

// TestBodyUnread: the bytes of a body are never parsed as a head.
func TestBodyUnread(t *testing.T) {
	for _, head := range []string{"Content-Length: 28", "Transfer-Encoding: chunked"} {
		var c Conn
		var h bytesparse.Head
		data := []byte("POST / HTTP/1.1\r\nHost: a\r\n" + head + "\r\n\r\n")
		n, ev, err := c.NextHead(data, false, &h, nil)
		if n != len(data) || ev != HeadDone || err != nil {
			t.Fatal(n, ev, err)
		}
		if n, ev, err := c.NextHead([]byte(hello), false, &h, nil); n != 0 || ev != NeedMore || err != ErrBodyUnread {
			t.Errorf("%s: NextHead before End: %d %v %v", head, n, ev, err)
		}
		if c.Done() || !c.KeepAlive() {
			t.Errorf("%s: the mistake has changed the machine", head)
		}
	}
}

// TestEndIsSticky: a reader may ask again, as of an io.Reader.
func TestEndIsSticky(t *testing.T) {
	var c Conn
	var h bytesparse.Head
	c.NextHead([]byte(hello), false, &h, nil)
	for range 3 {
		if n, ev, err := c.Next([]byte(hello), false, nil, nil); n != 0 || ev != End || err != nil {
			t.Fatal(n, ev, err)
		}
	}
	if n, ev, err := c.NextHead([]byte(hello), false, &h, nil); n != len(hello) || ev != HeadDone || err != nil {
		t.Fatal(n, ev, err)
	}
}

// TestRFC9110Section15_2InterimLimit: 64 interim responses and no more, to each request.
func TestRFC9110Section15_2InterimLimit(t *testing.T) {
	interim, final := []byte("HTTP/1.1 100 Continue\r\n\r\n"), []byte("HTTP/1.1 204 No Content\r\n\r\n")
	var c Conn
	var h bytesparse.Head
	c.Reset(Client)
	for range 2 {
		for i := range 64 {
			if _, ev, err := c.NextHead(interim, false, &h, nil); ev != HeadDone || err != nil || !c.Interim() || !c.Done() {
				t.Fatal(i, ev, err)
			}
		}
		if _, ev, err := c.NextHead(final, false, &h, nil); ev != HeadDone || err != nil || c.Interim() {
			t.Fatal(ev, err)
		}
	}
	for range 64 {
		c.NextHead(interim, false, &h, nil)
	}
	if _, _, err := c.NextHead(interim, false, &h, nil); err != ErrTooManyInterim {
		t.Error(err)
	}
}

// TestSetRequestHolds: the method is asked for once and remembered.
func TestSetRequestHolds(t *testing.T) {
	var c Conn
	var h bytesparse.Head
	c.Reset(Client)
	c.SetRequest(bytesparse.MethodHead)
	response := []byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
	for range 2 {
		if _, ev, err := c.NextHead(response, false, &h, nil); ev != HeadDone || err != nil || c.Framing() != None || c.Status() != 200 {
			t.Fatal(ev, err, c.Framing())
		}
	}
	c.SetRequest(bytesparse.MethodGet)
	if c.NextHead(response, false, &h, nil); c.Framing() != Length {
		t.Error(c.Framing())
	}
}

func head(fields string) string { return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" }

// outcome offers data at once and returns the error, if any.
func outcome(data string, lim *Limits) error {
	var c Conn
	var h, trail bytesparse.Head
	b := []byte(data)
	n, ev, err := c.NextHead(b, false, &h, lim)
	for err == nil && ev != End && (n > 0 || ev == HeadDone) {
		b = b[n:]
		n, ev, err = c.Next(b, false, &trail, lim)
	}
	return err
}

// TestDefaultLimits: exactly at the default it passes, one more does not.
func TestDefaultLimits(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked\r\n"
	pad := func(total int, around string) string { return strings.Repeat("x", total-len(around)) }
	bare := head("X: \r\n")
	line := "1;=\r\n"
	trailer := "X: \r\n\r\n"
	target := func(n int) string { return "GET /" + strings.Repeat("x", n-1) + " HTTP/1.1\r\nHost: a\r\n\r\n" }
	for _, c := range []struct {
		name string
		ok   string
		over string
		want error
	}{
		{"head", head("X: " + pad(64<<10, bare) + "\r\n"), head("X: x" + pad(64<<10, bare) + "\r\n"), ErrHeadTooLarge},
		{"fields", head(strings.Repeat("X: y\r\n", 999)), head(strings.Repeat("X: y\r\n", 1000)), ErrTooManyFields},
		{"target", target(16 << 10), target(16<<10 + 1), ErrTargetTooLong},
		{"huge target", target(16 << 10), target(100 << 10), ErrTargetTooLong},
		{"chunk line", head(chunked) + "1;x=" + pad(256, line+"x") + "\r\nx\r\n0\r\n\r\n", head(chunked) + "1;x=x" + pad(256, line+"x") + "\r\nx\r\n0\r\n\r\n", errChunkLong},
		{"trailers", head(chunked) + "0\r\nX: " + pad(8<<10, trailer) + "\r\n\r\n", head(chunked) + "0\r\nX: x" + pad(8<<10, trailer) + "\r\n\r\n", ErrTrailersTooLarge},
		{"trailer fields", head(chunked) + "0\r\n" + strings.Repeat("X: y\r\n", 1000) + "\r\n", head(chunked) + "0\r\n" + strings.Repeat("X: y\r\n", 1001) + "\r\n", ErrTooManyFields},
	} {
		for _, lim := range []*Limits{nil, {}} {
			if err := outcome(c.ok, lim); err != nil {
				t.Errorf("%s at the limit: %v", c.name, err)
			}
			if err := outcome(c.over, lim); err != c.want {
				t.Errorf("%s over the limit: %v, want %v", c.name, err, c.want)
			}
		}
		if err := outcome(c.over, &Limits{-1, bytesparse.Limits{Fields: -1, Target: -1}, -1, -1, -1, -1}); err != nil {
			t.Errorf("%s without limit: %v", c.name, err)
		}
	}
	if err := outcome(head("Content-Length: 9223372036854775807\r\n"), nil); err != nil {
		t.Errorf("a body has no limit by default: %v", err)
	}
}

// TestRFC9112Section7_1ChunkOverhead: one-byte chunks with long extensions end
// soon, whatever their shape; plain small chunks never do.
func TestRFC9112Section7_1ChunkOverhead(t *testing.T) {
	for ext := 17; ext < 250; ext += 7 {
		chunk := "1;" + strings.Repeat("x", ext) + "\r\nx\r\n"
		body := head("Transfer-Encoding: chunked\r\n") + strings.Repeat(chunk, 1<<20/len(chunk)) + "0\r\n\r\n"
		if err := outcome(body, nil); err != errChunkTooMuch {
			t.Errorf("%d bytes of extension for each byte: %v", ext, err)
		}
	}
	zeros := "0000000000000000000000000000000000000001\r\nx\r\n"
	if err := outcome(head("Transfer-Encoding: chunked\r\n")+strings.Repeat(zeros, 10000)+"0\r\n\r\n", nil); err != errChunkTooMuch {
		t.Errorf("zeros: %v", err)
	}
	for _, chunk := range []string{"1\r\nx\r\n", "00000001\r\nx\r\n", "1;a=bcd\r\nx\r\n", "10;signature=0123456789\r\n0123456789abcdef\r\n"} {
		if err := outcome(head("Transfer-Encoding: chunked\r\n")+strings.Repeat(chunk, 100000)+"0\r\n\r\n", nil); err != nil {
			t.Errorf("%q: %v", chunk, err)
		}
	}
}

// TestDecode: in large steps or small ones, the body is the same, and so is the rest of the
// message.
func TestDecode(t *testing.T) {
	for _, body := range []string{
		strings.Repeat("10\r\n0123456789abcdef\r\n", 20) + "0\r\n\r\nGET", "0\r\nT: v\r\n\r\n", "5\r\nhello\r\n5;x\r\nworld\r\n0\r\n\r\n",
		"5\r\nhello\r\n5\r\nworldX", "5\r\nhello\r\ng\r\n", strings.Repeat("5\r\nhello\r\n", 11), "5\r\nhel",
	} {
		data := []byte(head("Transfer-Encoding: chunked\r\n") + body)
		run := func(room, cut int) (read string, used int, err error) {
			var c Conn
			var h, trailers bytesparse.Head
			lim := &Limits{BodyBytes: 50}
			used, _, err = c.NextHead(data, false, &h, lim)
			for _, end := range []int{max(used, cut), len(data)} {
				for err == nil && !c.Done() {
					dst := make([]byte, room)
					k, n := 0, 0
					if room > 0 {
						k, n, err = c.Decode(dst, data[used:end], lim)
					}
					read += string(dst[:k])
					if used += n; k+n > 0 || err != nil {
						continue
					}
					var ev Event
					if n, ev, err = c.Next(data[used:end], end == len(data), &trailers, lim); ev == Data {
						read += string(data[used : used+n])
					}
					if used += n; ev == NeedMore {
						break
					}
				}
			}
			return read + " trailers " + string(trailers.Value(data, bytesparse.FieldOther)), used, err
		}
		want, wantUsed, wantErr := run(0, 0)
		msg := func(err error) string { // without the offset, which is that of a step
			msg, _, _ := strings.Cut(fmt.Sprint(err), " at byte")
			return msg
		}
		for _, room := range []int{1, 7, 16, 1000} {
			for cut := range len(data) {
				if read, used, err := run(room, cut); read != want || msg(err) != msg(wantErr) || err == nil && used != wantUsed {
					t.Fatalf("%q cut at %d, room for %d: %q, %d, %v; want %q, %d, %v", body, cut, room, read, used, err, want, wantUsed, wantErr)
				}
			}
		}
	}
}

// TestErrors: what a caller can get out of an error.
func TestErrors(t *testing.T) {
	err := outcome("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", nil)
	var e *Error
	var pe *bytesparse.Error
	if !errors.As(err, &e) || !errors.As(err, &pe) || e.Status != 400 || e.Offset != pe.Offset || e.Offset < 25 || !strings.Contains(err.Error(), "at byte") {
		t.Errorf("%#v", err)
	}
	if err := ErrHeadTooLarge.Error(); err != "http: head too large" {
		t.Error(err)
	}
	if fromParser(errors.New("not the parser's")) != errBadHead {
		t.Error("a foreign error must still refuse the message")
	}
	for e := range Event(8) {
		if e.String() == "" || e == End+1 && e.String() != "unknown" {
			t.Error(int(e), e.String())
		}
	}
	if BodyFraming(9).String() != "unknown" || UntilClose.String() != "until close" {
		t.Error("framing names")
	}
}

// TestRFC9112Section3_2_2Authority: the target's authority overrides Host.
func TestRFC9112Section3_2_2Authority(t *testing.T) {
	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a:1\r\n\r\n":                    "a:1",
		"GET http://b:2/x HTTP/1.1\r\nHost: a:1\r\n\r\n":         "b:2",
		"GET https://b?x=http://c HTTP/1.1\r\nHost: a\r\n\r\n":   "b",
		"GET /http://b/ HTTP/1.1\r\nHost: a\r\n\r\n":             "a",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n":                  "a",
		"CONNECT c:3 HTTP/1.1\r\nHost: a\r\n\r\n":                "c:3",
		"GET / HTTP/1.0\r\n\r\n":                                 "",
		"GET / HTTP/1.1\r\nHost:\r\n\r\n":                        "",
		"CONNECT [::1]:3 HTTP/1.1\r\nHost: a\r\n\r\n":            "[::1]:3",
		"GET http://[::1]:3/x:y@z HTTP/1.1\r\nHost: a:1\r\n\r\n": "[::1]:3",
	} {
		var c Conn
		var h bytesparse.Head
		if _, ev, err := c.NextHead([]byte(request), false, &h, nil); ev != HeadDone || err != nil {
			t.Errorf("%q: %v %v", request, ev, err)
			continue
		}
		got := Authority([]byte(request), &h)
		if string(got) != want || (got == nil) != !strings.Contains(request, "Host") {
			t.Errorf("%q: %q, want %q", request, got, want)
		}
	}
}

// TestTrailersWithoutAHead: a caller that does not want trailers passes no Head for them, and they
// are judged all the same.
func TestTrailersWithoutAHead(t *testing.T) {
	for trailers, ok := range map[string]bool{"": true, "X: y\r\n": true, "X y\r\n": false} {
		var c Conn
		var h bytesparse.Head
		c.NextHead([]byte(head("Transfer-Encoding: chunked\r\n")), false, &h, nil)
		data := []byte("1\r\nx\r\n0\r\n" + trailers + "\r\n")
		var err error
		for n, ev := 0, Data; ev != End && err == nil; data = data[n:] {
			n, ev, err = c.Next(data, false, nil, nil)
		}
		if (err == nil) != ok || ok && len(data) != 0 {
			t.Errorf("%q: %v, %d bytes left", trailers, err, len(data))
		}
	}
}

// TestSlowHead: a head that comes byte by byte is searched once, not once per
// byte. The search may go over a few bytes again, not over the head.
func TestSlowHead(t *testing.T) {
	var c Conn
	var h bytesparse.Head
	data := []byte(head("X: " + strings.Repeat("y", 10000) + "\r\n"))
	for i := 1; i < len(data)-4; i++ {
		if _, ev, err := c.NextHead(data[:i], false, &h, nil); ev != NeedMore || err != nil {
			t.Fatal(i, ev, err)
		}
		if i > 1 && h.Size != -1 {
			t.Fatalf("with %d bytes the head was parsed again", i)
		}
		h.Size = -1 // a parse would forget it
		if i-int(c.scan) > 4 {
			t.Fatalf("with %d bytes the search would go on at %d", i, c.scan)
		}
	}
	if n, ev, err := c.NextHead(data, false, &h, nil); n != len(data) || ev != HeadDone || err != nil {
		t.Fatal(n, ev, err)
	}
}

// TestUnfoldingStaysInTheHead: a Client's data may be changed, but only where
// a fold is, and not behind the head.
func TestUnfoldingStaysInTheHead(t *testing.T) {
	text := []byte("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 9\r\n\r\nX: a\r\n b\r\n")
	for first := range len(text) {
		data := bytes.Clone(text)
		var c Conn
		var h bytesparse.Head
		c.Reset(Client)
		n, ev, err := c.NextHead(data[:first], false, &h, nil)
		if ev == NeedMore {
			n, _, err = c.NextHead(data, false, &h, nil)
		}
		if want := bytes.Replace(text[:n], []byte("\r\n b"), []byte("   b"), 1); err != nil || !bytes.Equal(data[:n], want) || !bytes.Equal(data[n:], text[n:]) {
			t.Errorf("cut at %d: %v: %q", first, err, data)
		}
	}
}

// A body that only the end of the connection ends is incomplete when the end is truncated; other bodies
// have ends of their own.
func TestTruncated(t *testing.T) {
	for _, c := range []struct {
		head, body string
		want       error
	}{
		{"HTTP/1.1 200 OK\r\n\r\n", "part", ErrNoCloseNotify},
		{"HTTP/1.0 200 OK\r\n\r\n", "", ErrNoCloseNotify},
		{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "part", nil},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "part", ErrUnexpectedEOF},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n", nil},
		{"HTTP/1.1 204 No\r\n\r\n", "", nil},
	} {
		for _, torn := range []bool{true, false} {
			var conn Conn
			var head bytesparse.Head
			conn.Reset(Client)
			if _, ev, err := conn.NextHead([]byte(c.head), false, &head, nil); ev != HeadDone || err != nil {
				t.Fatalf("%q: %v, %v", c.head, ev, err)
			}
			conn.Truncated = torn
			want, data := c.want, []byte(c.body)
			if !torn && want == ErrNoCloseNotify {
				want = nil
			}
			var err error
			for n, ev := 0, NeedMore; ev != End && err == nil; data = data[n:] {
				n, ev, err = conn.Next(data, true, &head, nil)
			}
			if err != want || (want == ErrNoCloseNotify) && !errors.Is(err, ErrUnexpectedEOF) {
				t.Errorf("%q, torn: %v: %v", c.head, torn, err)
			}
		}
	}
}
