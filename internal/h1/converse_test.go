// converse drives a Conn as engine and agent do, and writes down what it says.
// How the bytes are cut must not show in what is written down.

package h1

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

// talk is one conversation going on. Like a connection it may be used again,
// machine, heads and all.
type talk struct {
	t       testing.TB
	s       *script
	c       Conn
	head    bytesparse.Head
	trail   bytesparse.Head
	pending []byte // received, not consumed
	inBody  bool
	over    bool // an error, or the end
	answers int  // final responses seen
	body    []byte
	hasBody bool
	events  []string
}

// converse offers s.input cut at the given offsets, with more behind it when
// more is not nil, and returns the events.
func converse(t testing.TB, s *script, more []byte, cuts ...int) []string {
	k := &talk{t: t}
	return k.run(s, more, cuts...)
}

// run is converse on a talk that may have had others. A conversation that
// neither failed nor ended closes with "waiting" (between messages) or
// "incomplete".
func (k *talk) run(s *script, more []byte, cuts ...int) []string {
	k.c.Reset(s.role)
	*k = talk{t: k.t, s: s, c: k.c, head: k.head, trail: k.trail}
	input := append(bytes.Clone(s.input), more...)
	from := 0
	for _, to := range append(cuts, len(input)) {
		k.pending = append(k.pending, input[from:to]...)
		from = to
		last := to == len(input)
		for !k.over && k.step(s.eof && last) {
		}
	}
	k.flush()
	switch {
	case k.over:
	case k.c.Done() && len(k.pending) == 0 && !k.inBody && !k.c.Interim():
		k.say("waiting")
	default:
		k.say("incomplete")
	}
	if n := len(k.events); k.over && k.events[n-1] == "closed" && len(k.pending) > 0 && more == nil {
		k.events[n-1] = fmt.Sprintf("closed before %q", k.pending)
	}
	return k.events
}

func (k *talk) say(format string, args ...any) {
	k.events = append(k.events, fmt.Sprintf(format, args...))
}

// flush reports the body seen so far as one event.
func (k *talk) flush() {
	if k.hasBody {
		k.say("data %s", quote(k.body))
		k.body, k.hasBody = nil, false
	}
}

func quote(b []byte) string {
	if len(b) > 60 {
		return fmt.Sprintf("%d bytes", len(b))
	}
	return fmt.Sprintf("%q", b)
}

// step makes one call and reports whether to make another on the same bytes.
func (k *talk) step(eof bool) bool {
	data := bytes.Clone(k.pending) // what is not ours must not be kept, and may move
	var n int
	var ev Event
	var err error
	if k.inBody {
		n, ev, err = k.c.Next(data, eof, &k.trail, &k.s.limits)
	} else {
		if k.s.role == Client {
			k.c.SetRequest(k.asked())
		}
		n, ev, err = k.c.NextHead(data, eof, &k.head, &k.s.limits)
	}
	if n < 0 || n > len(data) {
		k.t.Fatalf("%s: consumed %d of %d bytes", k.s.name, n, len(data))
	}
	k.pending = k.pending[n:]
	if ev != Data && (ev != Framing && ev != NeedMore || err != nil) {
		k.flush()
	}
	if err != nil && err != ErrExpectation {
		k.failed(n, ev, err)
		return false
	}
	return k.event(data[:n], ev, err)
}

// asked returns the method that the next response answers: GET where the
// transcript does not say.
func (k *talk) asked() bytesparse.Method {
	if k.answers < len(k.s.methods) {
		return k.s.methods[k.answers]
	}
	return bytesparse.MethodGet
}

func (k *talk) event(b []byte, ev Event, err error) bool {
	switch ev {
	case NeedMore:
		return len(b) > 0
	case Framing, Data:
		if len(b) == 0 || !k.inBody {
			k.t.Fatalf("%s: %v of %d bytes", k.s.name, ev, len(b))
		}
		if ev == Data {
			k.body, k.hasBody = append(k.body, b...), true
			if k.c.BodyRead() < int64(len(k.body)) {
				k.t.Fatalf("%s: BodyRead %d after %d bytes", k.s.name, k.c.BodyRead(), len(k.body))
			}
		}
	case HeadDone:
		k.say("%s", describe(&k.c, b, &k.head))
		if k.s.fields {
			k.fields("field", b, &k.head)
		}
		if err != nil {
			k.say("refused %d", err.(*Error).Status)
		}
		k.inBody = true
	case Trailers:
		k.fields("trailer", b, &k.trail)
		if !k.c.Done() || len(k.trail.Fields) == 0 {
			k.t.Fatalf("%s: %d trailers, done %v", k.s.name, len(k.trail.Fields), k.c.Done())
		}
	case End:
		if !k.inBody {
			k.say("closed")
			k.over = true
			return false
		}
		if !k.c.Done() || k.c.Remaining() != 0 {
			k.t.Fatalf("%s: end while not done", k.s.name)
		}
		k.inBody = false
		if k.c.Interim() {
			break
		}
		k.answers++
		k.say("end")
	}
	return true
}

func (k *talk) fields(word string, b []byte, h *bytesparse.Head) {
	for _, f := range h.Fields {
		k.say("%s %s: %s", word, f.NameOf(b), f.ValueOf(b))
	}
}

// failed reports an error and makes sure that it is final.
func (k *talk) failed(n int, ev Event, err error) {
	var e *Error
	if !errors.As(err, &e) || n != 0 || ev != NeedMore {
		k.t.Fatalf("%s: %d, %v with error %v", k.s.name, n, ev, err)
	}
	k.say("error %d %s", e.Status, e.Msg)
	k.over = true
	if k.c.KeepAlive() || k.c.Done() {
		k.t.Errorf("%s: KeepAlive %v, Done %v after an error", k.s.name, k.c.KeepAlive(), k.c.Done())
	}
	again := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, _, err := k.c.NextHead(again, false, &k.head, nil); err != ErrFailed {
		k.t.Errorf("%s: NextHead after an error: %v", k.s.name, err)
	}
	if _, _, err := k.c.Next(again, false, &k.trail, nil); err != ErrFailed {
		k.t.Errorf("%s: Next after an error: %v", k.s.name, err)
	}
}

// describe says what the accessors know of a head.
func describe(c *Conn, b []byte, h *bytesparse.Head) string {
	var w strings.Builder
	if c.role == Client {
		fmt.Fprintf(&w, "%d", c.Status())
	} else {
		fmt.Fprintf(&w, "%s %s", h.Name.Of(b), h.Target.Of(b))
		if c.Method() != h.Method {
			w.WriteString(" (method lost)")
		}
	}
	fmt.Fprintf(&w, " 1.%d %v", c.Minor(), c.Framing())
	if c.Framing() == Length {
		fmt.Fprintf(&w, " %d", c.Remaining())
	}
	for _, is := range []struct {
		set  bool
		word string
	}{
		{!c.KeepAlive(), "close"}, {c.ExpectContinue(), "expect"}, {c.Upgrade(), "upgrade"},
		{c.Interim(), "interim"}, {c.Tunnel(), "tunnel"},
	} {
		if is.set {
			w.WriteString(", " + is.word)
		}
	}
	return w.String()
}
