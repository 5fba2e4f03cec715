// Outgoing decisions: every combination of what they depend on, judged twice:
// by the rules, and by our own machine at the other end.

package h1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

var outMethods = []bytesparse.Method{bytesparse.MethodGet, bytesparse.MethodHead, bytesparse.MethodPost, bytesparse.MethodConnect, bytesparse.MethodOther}

// everyReply calls f with every combination.
func everyReply(f func(to ReplyTo, r Reply)) {
	bools := []bool{false, true}
	for _, m := range outMethods {
		for minor := range uint8(2) {
			for _, keep := range bools {
				for _, done := range bools {
					to := ReplyTo{m, minor, keep, done}
					everyBody(func(r Reply) {
						for _, r.Status = range []int{100, 101, 102, 103, 199, 200, 201, 204, 205, 206, 299, 300, 304, 404, 417, 500, 999} {
							f(to, r)
						}
					})
				}
			}
		}
	}
}

func everyBody(f func(Reply)) {
	for _, length := range []int64{Unknown, 0, 5} {
		for _, body := range []int64{Unknown, 0, 5} {
			for coding := range 3 {
				for opts := range ConnectionOptions(16) { // the bit beyond them is for Trailer
					f(Reply{Length: length, Body: body, HasCoding: coding > 0, Chunked: coding > 1, Trailer: opts > 7, Connection: opts & 7})
				}
			}
		}
	}
}

// wire is what a plan makes of the fields that decide framing and persistence.
type wire struct{ length, coding, close, keepAlive bool }

func wired(p Plan, r Reply) wire {
	return wire{
		length:    p.AddLength || r.Length >= 0 && !p.DropLength,
		coding:    p.AddChunked || r.HasCoding && !p.DropCoding,
		close:     p.AddClose || r.Connection&OptionClose != 0 && !p.DropConnection,
		keepAlive: p.AddKeepAlive || r.Connection&OptionKeepAlive != 0 && !p.DropConnection,
	}
}

// TestPlanResponseRules states the rules one by one.
func TestPlanResponseRules(t *testing.T) {
	n := 0
	everyReply(func(to ReplyTo, r Reply) {
		n++
		p := PlanResponse(to, r)
		w := wired(p, r)
		connect := to.Method == bytesparse.MethodConnect && r.Status/100 == 2
		interim := r.Status < 200 && r.Status != 101
		final := !interim && !connect && r.Status != 101
		for _, rule := range []struct {
			name   string
			broken bool
		}{
			{"never both lengths (RFC 9112 §6.2)", w.length && w.coding},
			{"neither on 1xx and 204 (§6.1, RFC 9110 §8.6)", (r.Status < 200 || r.Status == 204) && (w.length || w.coding)},
			{"neither on 2xx to CONNECT", connect && (w.length || w.coding)},
			{"no coding for HTTP/1.0 (§6.1)", to.Minor == 0 && w.coding},
			{"no unknown coding", w.coding && !p.AddChunked && !r.Chunked},
			{"no body by status (§6.3)", p.Body && (r.Status < 200 || r.Status == 204 || r.Status == 205 || r.Status == 304)},
			{"no body to HEAD, nor in a tunnel", p.Body && (to.Method == bytesparse.MethodHead || connect)},
			{"a body otherwise", !p.Body && BodyAllowed(r.Status, to.Method)},
			{"BodyAllowed agrees", p.Body != BodyAllowed(r.Status, to.Method)},
			{"no body, no framing", !p.Body && p.Framing != None},
			{"a body is framed", p.Body && p.Framing == None},
			{"counted is announced", p.Framing == Length && !w.length},
			{"chunked is announced", p.Framing == Chunked && !w.coding},
			{"a declared length is sent", p.Framing == Length && r.Length >= 0 && p.Length != r.Length},
			{"a known length is sent", p.Framing == Length && r.Length < 0 && (p.Length != r.Body || p.AddedLength != r.Body)},
			{"trailers that were announced can follow", r.Trailer && p.Framing == Length && r.Length < 0 && to.Minor > 0},
			{"until close closes", p.Framing == UntilClose && p.KeepAlive},
			{"until close only for HTTP/1.0", p.Framing == UntilClose && to.Minor > 0},
			{"one length at most", p.AddLength && r.Length >= 0 && !p.DropLength},
			{"one coding at most", p.AddChunked && r.HasCoding && !p.DropCoding},
			{"closing is said", final && w.close == p.KeepAlive},
			{"keep-alive is not said when closing", final && !p.KeepAlive && w.keepAlive && r.Connection&OptionClose == 0},
			{"keep-alive is answered to HTTP/1.0", final && p.KeepAlive && to.Minor == 0 && !w.keepAlive},
			{"keep-alive is not added to HTTP/1.1", p.AddKeepAlive && to.Minor > 0},
			{"what is unread closes", final && p.KeepAlive && !(to.KeepAlive && to.BodyDone)},
			{"the application may close", final && p.KeepAlive && r.Connection&OptionClose != 0},
			{"tunnels", p.Tunnel != (connect || r.Status == 101) || p.Tunnel && p.KeepAlive},
			{"interim responses decide nothing", interim && (p.KeepAlive != to.KeepAlive || p.AddClose || p.AddKeepAlive)},
			{"no 1xx to HTTP/1.0 (RFC 9110 §15.2)", p.Suppress != (r.Status < 200 && to.Minor == 0)},
			{"205 is empty (RFC 9110 §15.3.6)", r.Status == 205 && !connect && (!p.AddLength || p.AddedLength != 0)},
			{"304 gets no length of ours", r.Status == 304 && p.AddLength},
			{"HEAD never invents a length", to.Method == bytesparse.MethodHead && r.Status != 205 && p.AddLength && p.AddedLength != r.Body},
			{"HEAD never says 0 for a body not written", to.Method == bytesparse.MethodHead && r.Status != 205 && p.AddLength && p.AddedLength == 0},
		} {
			if rule.broken {
				t.Errorf("%s:\n%+v\n%+v\n%+v", rule.name, to, r, p)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	})
	if n < 10000 {
		t.Errorf("only %d combinations", n)
	}
}

// TestPlanResponseIsReadRight sends each planned head to our own client.
func TestPlanResponseIsReadRight(t *testing.T) {
	everyReply(func(to ReplyTo, r Reply) {
		p := PlanResponse(to, r)
		var c Conn
		var h bytesparse.Head
		c.Reset(Client)
		c.SetRequest(to.Method)
		data := []byte(fmt.Sprintf("HTTP/1.1 %d x\r\n", r.Status) + fieldsOf(p, r) + "\r\n")
		n, ev, err := c.NextHead(data, false, &h, nil)
		if n != len(data) || ev != HeadDone || err != nil {
			t.Fatalf("%+v\n%+v\n%+v\n%q: %v %v", to, r, p, data, ev, err)
		}
		read := c.Framing()
		if read == Length && c.Remaining() == 0 && !p.Body {
			read = None // 205 says that nothing follows
		}
		if read != p.Framing || p.Framing == Length && c.Remaining() != p.Length || c.Tunnel() != p.Tunnel {
			t.Fatalf("%+v\n%+v\n%+v\nread as %v, %d left: %q", to, r, p, c.Framing(), c.Remaining(), data)
		}
		if !p.Tunnel && !c.Interim() && c.KeepAlive() != p.KeepAlive {
			t.Fatalf("%+v\n%+v\n%+v\nkeep-alive is read as %v: %q", to, r, p, c.KeepAlive(), data)
		}
	})
}

// TestPlanRequestIsReadRight sends each planned request to our own server.
func TestPlanRequestIsReadRight(t *testing.T) {
	for _, m := range outMethods {
		for _, keep := range []bool{false, true} {
			everyBody(func(r Reply) {
				p := PlanRequest(m, keep, r)
				name, target := m.String(), "/"
				if m == bytesparse.MethodConnect {
					target = "a:1"
				}
				if m == bytesparse.MethodOther {
					name = "ODD"
				}
				var c Conn
				var h bytesparse.Head
				data := []byte(name + " " + target + " HTTP/1.1\r\nHost: a\r\n" + fieldsOf(p, r) + "\r\n")
				n, ev, err := c.NextHead(data, false, &h, nil)
				if n != len(data) || ev != HeadDone || err != nil {
					t.Fatalf("%v %+v\n%+v\n%q: %v %v", m, r, p, data, ev, err)
				}
				if c.Framing() != p.Framing || p.Framing == Length && c.Remaining() != p.Length || p.Body != (p.Framing != None) {
					t.Fatalf("%v %+v\n%+v\nread as %v, %d left: %q", m, r, p, c.Framing(), c.Remaining(), data)
				}
				if c.KeepAlive() != p.KeepAlive || c.Tunnel() != p.Tunnel || p.KeepAlive && !keep {
					t.Fatalf("%v %+v\n%+v\nkeep-alive is read as %v: %q", m, r, p, c.KeepAlive(), data)
				}
			})
		}
	}
}

func fieldsOf(p Plan, r Reply) string {
	var b strings.Builder
	if r.Length >= 0 && !p.DropLength {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", r.Length)
	}
	if p.AddLength {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", p.AddedLength)
	}
	if r.HasCoding && !p.DropCoding {
		b.WriteString("Transfer-Encoding: " + map[bool]string{true: "chunked", false: "odd"}[r.Chunked] + "\r\n")
	}
	if p.AddChunked {
		b.WriteString("Transfer-Encoding: chunked\r\n")
	}
	if !p.DropConnection {
		for opt, word := range map[ConnectionOptions]string{OptionClose: "close", OptionKeepAlive: "keep-alive", OptionUpgrade: "upgrade"} {
			if r.Connection&opt != 0 {
				b.WriteString("Connection: " + word + "\r\n")
			}
		}
	}
	if p.AddClose {
		b.WriteString("Connection: close\r\n")
	}
	if p.AddKeepAlive {
		b.WriteString("Connection: keep-alive\r\n")
	}
	return b.String()
}

// TestPlanResponseRows shows the common cases, to be read.
func TestPlanResponseRows(t *testing.T) {
	get11 := ReplyTo{bytesparse.MethodGet, 1, true, true}
	get10 := ReplyTo{bytesparse.MethodGet, 0, false, true}
	get10keep := ReplyTo{bytesparse.MethodGet, 0, true, true}
	head11 := ReplyTo{bytesparse.MethodHead, 1, true, true}
	unread := ReplyTo{bytesparse.MethodPost, 1, true, false}
	connect := ReplyTo{bytesparse.MethodConnect, 1, false, true}
	for _, row := range []struct {
		name string
		to   ReplyTo
		r    Reply
		want Plan
	}{
		{"a body at hand", get11, Reply{Status: 200, Length: Unknown, Body: 5},
			Plan{Framing: Length, Length: 5, Body: true, AddLength: true, AddedLength: 5, KeepAlive: true}},
		{"no body", get11, Reply{Status: 200, Length: Unknown, Body: 0},
			Plan{Framing: Length, Body: true, AddLength: true, KeepAlive: true}},
		{"a body at hand, with trailers to follow", get11, Reply{Status: 200, Length: Unknown, Body: 5, Trailer: true},
			Plan{Framing: Chunked, Body: true, AddChunked: true, KeepAlive: true}},
		{"a declared length, which no trailers can follow", get11, Reply{Status: 200, Length: 5, Body: 5, Trailer: true},
			Plan{Framing: Length, Length: 5, Body: true, KeepAlive: true}},
		{"a stream", get11, Reply{Status: 200, Length: Unknown, Body: Unknown},
			Plan{Framing: Chunked, Body: true, AddChunked: true, KeepAlive: true}},
		{"a stream of declared length", get11, Reply{Status: 200, Length: 7, Body: Unknown},
			Plan{Framing: Length, Length: 7, Body: true, KeepAlive: true}},
		{"the application chunks", get11, Reply{Status: 200, Length: 7, Body: 7, HasCoding: true, Chunked: true},
			Plan{Framing: Chunked, Body: true, DropLength: true, KeepAlive: true}},
		{"the application closes", get11, Reply{Status: 200, Length: Unknown, Body: 5, Connection: OptionClose},
			Plan{Framing: Length, Length: 5, Body: true, AddLength: true, AddedLength: 5}},
		{"an unread body", unread, Reply{Status: 413, Length: Unknown, Body: 5, Connection: OptionKeepAlive},
			Plan{Framing: Length, Length: 5, Body: true, AddLength: true, AddedLength: 5, AddClose: true, DropConnection: true}},
		{"1.0, a stream", get10keep, Reply{Status: 200, Length: Unknown, Body: Unknown},
			Plan{Framing: UntilClose, Body: true, AddClose: true}},
		{"1.0, a body at hand", get10, Reply{Status: 200, Length: Unknown, Body: 5},
			Plan{Framing: Length, Length: 5, Body: true, AddLength: true, AddedLength: 5, AddClose: true}},
		{"1.0 that asked", get10keep, Reply{Status: 200, Length: Unknown, Body: 5},
			Plan{Framing: Length, Length: 5, Body: true, AddLength: true, AddedLength: 5, AddKeepAlive: true, KeepAlive: true}},
		{"1.0, the application chunks", get10keep, Reply{Status: 200, Length: Unknown, Body: Unknown, HasCoding: true, Chunked: true},
			Plan{Framing: UntilClose, Body: true, DropCoding: true, AddClose: true}},
		{"HEAD, as GET", head11, Reply{Status: 200, Length: Unknown, Body: 5}, Plan{AddLength: true, AddedLength: 5, KeepAlive: true}},
		{"1.0, a body at hand, with trailers", get10keep, Reply{Status: 200, Length: Unknown, Body: 5, Trailer: true},
			Plan{Framing: Length, Length: 5, Body: true, AddLength: true, AddedLength: 5, AddKeepAlive: true, KeepAlive: true}},
		{"HEAD, as GET with trailers", head11, Reply{Status: 200, Length: Unknown, Body: 5, Trailer: true}, Plan{KeepAlive: true}},
		{"HEAD, nothing written", head11, Reply{Status: 200, Length: Unknown, Body: 0}, Plan{KeepAlive: true}},
		{"HEAD, declared", head11, Reply{Status: 200, Length: 9, Body: 0}, Plan{KeepAlive: true}},
		{"HEAD, a stream", head11, Reply{Status: 200, Length: Unknown, Body: Unknown}, Plan{KeepAlive: true}},
		{"204", get11, Reply{Status: 204, Length: 5, Body: 5}, Plan{DropLength: true, DropCoding: true, KeepAlive: true}},
		{"304", get11, Reply{Status: 304, Length: 5, Body: 0}, Plan{KeepAlive: true}},
		{"100", get11, Reply{Status: 100, Length: Unknown, Body: 0}, Plan{DropLength: true, DropCoding: true, KeepAlive: true}},
		{"100 to 1.0", get10, Reply{Status: 100, Length: Unknown, Body: 0}, Plan{DropLength: true, DropCoding: true, Suppress: true}},
		{"101", get11, Reply{Status: 101, Length: Unknown, Body: 0, Connection: OptionUpgrade}, Plan{DropLength: true, DropCoding: true, Tunnel: true}},
		{"CONNECT", connect, Reply{Status: 200, Length: Unknown, Body: 0}, Plan{DropLength: true, DropCoding: true, Tunnel: true}},
		{"CONNECT refused", connect, Reply{Status: 403, Length: Unknown, Body: 2},
			Plan{Framing: Length, Length: 2, Body: true, AddLength: true, AddedLength: 2, AddClose: true}},
	} {
		if got := PlanResponse(row.to, row.r); got != row.want {
			t.Errorf("%s:\n%+v, want\n%+v", row.name, got, row.want)
		}
	}
}

// TestPlanRequestRows, likewise.
func TestPlanRequestRows(t *testing.T) {
	for _, row := range []struct {
		name string
		m    bytesparse.Method
		keep bool
		r    Reply
		want Plan
	}{
		{"GET", bytesparse.MethodGet, true, Reply{Length: Unknown}, Plan{KeepAlive: true}},
		{"GET that closes", bytesparse.MethodGet, false, Reply{Length: Unknown}, Plan{AddClose: true}},
		{"GET with a body", bytesparse.MethodGet, true, Reply{Length: Unknown, Body: 3}, Plan{Framing: Length, Length: 3, Body: true, AddLength: true, AddedLength: 3, KeepAlive: true}},
		{"POST without a body", bytesparse.MethodPost, true, Reply{Length: Unknown}, Plan{Framing: Length, Body: true, AddLength: true, KeepAlive: true}},
		{"POST, a stream", bytesparse.MethodPost, true, Reply{Length: Unknown, Body: Unknown}, Plan{Framing: Chunked, Body: true, AddChunked: true, KeepAlive: true}},
		{"POST, declared", bytesparse.MethodPost, true, Reply{Length: 4, Body: Unknown}, Plan{Framing: Length, Length: 4, Body: true, KeepAlive: true}},
		{"POST of a body at hand, with trailers to follow", bytesparse.MethodPost, true, Reply{Length: Unknown, Body: 4, Trailer: true}, Plan{Framing: Chunked, Body: true, AddChunked: true, KeepAlive: true}},
		{"GET without a body, nor trailers", bytesparse.MethodGet, true, Reply{Length: Unknown, Trailer: true}, Plan{KeepAlive: true}},
		{"POST, both set", bytesparse.MethodPost, true, Reply{Length: 4, Body: 4, HasCoding: true, Chunked: true}, Plan{Framing: Chunked, Body: true, DropLength: true, KeepAlive: true}},
		{"CONNECT", bytesparse.MethodConnect, true, Reply{Length: 4, Body: 4}, Plan{DropLength: true, DropCoding: true, Tunnel: true}},
	} {
		if got := PlanRequest(row.m, row.keep, row.r); got != row.want {
			t.Errorf("%s:\n%+v, want\n%+v", row.name, got, row.want)
		}
	}
}

func TestParseConnection(t *testing.T) {
	for value, want := range map[string]ConnectionOptions{
		"": 0, "close": OptionClose, "Keep-Alive": OptionKeepAlive, "upgrade,close": OptionUpgrade | OptionClose,
		" , ,CLOSE\t,": OptionClose, "closer, xclose, close x": 0, "TE, keep-alive , Upgrade": OptionKeepAlive | OptionUpgrade,
	} {
		if got := ParseConnection([]byte(value)); got != want {
			t.Errorf("%q: %b, want %b", value, got, want)
		}
	}
}

func TestPlansDoNotAllocate(t *testing.T) {
	to, r := ReplyTo{bytesparse.MethodGet, 1, true, true}, Reply{Status: 200, Length: Unknown, Body: 5}
	value := []byte("keep-alive, upgrade")
	var p Plan
	if n := testing.AllocsPerRun(100, func() {
		r.Connection = ParseConnection(value)
		p = PlanResponse(to, r)
		p = PlanRequest(to.Method, true, r)
	}); n != 0 {
		t.Errorf("%v allocations (%v)", n, p.Body)
	}
}
