// Forwarded fields, against the model.

package writer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/pool"
)

// received parses lines as those of a request.
func received(t testing.TB, lines string) (*bytesparse.Head, []byte) {
	t.Helper()
	b := []byte("GET / HTTP/1.1\r\n" + lines + "\r\n")
	h := new(bytesparse.Head)
	if n, err := h.ParseRequest(b, nil); n != len(b) || err != nil {
		t.Fatalf("%q: %d, %v", lines, n, err)
	}
	return h, b
}

func TestAddFields(t *testing.T) {
	lines := "Host: a\r\nx-One:1\r\nConnection: close\r\nX-Two:  2 \t\r\nAccept: */*\r\nX-Three:\r\nX-Four: 4\r\nVia: v\r\n"
	head, b := received(t, lines)
	cases := []struct {
		drop uint64
		want string
	}{
		{0, "Host: a\r\nx-One: 1\r\nConnection: close\r\nX-Two: 2\r\nAccept: */*\r\nX-Three: \r\nX-Four: 4\r\nVia: v\r\n"},
		{1 << bytesparse.FieldConnection, "Host: a\r\nx-One: 1\r\nX-Two: 2\r\nAccept: */*\r\nX-Three: \r\nX-Four: 4\r\nVia: v\r\n"},
		{1<<bytesparse.FieldHost | 1<<bytesparse.FieldVia | 1<<bytesparse.FieldOther, "x-One: 1\r\nConnection: close\r\nX-Two: 2\r\nAccept: */*\r\nX-Three: \r\nX-Four: 4\r\n"},
	}
	for _, c := range cases {
		var h Headers
		for range 3 {
			h.Reset()
			if err := h.AddFields(head, b, c.drop); err != nil || text(&h) != c.want {
				t.Errorf("%v, %q", err, text(&h))
			}
		}
	}
}

// AddFields among other operations, against the model; and State means what it says.
func TestAddFieldsModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	names := []string{"Host", "Server", "Set-Cookie", "X-A", "X-B", "Date", "Via"}
	lists := []string{"", "Host: a\r\n", "X-A: 1\r\nX-B: 2\r\n", "X-A: 1\r\nX-B: 3\r\n", "Date: d\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-A: 1\r\n",
		"X-B:1\r\nHost: a\r\nServer:  s \r\n", strings.Repeat("X-B: "+strings.Repeat("b", 300)+"\r\n", 20)}
	drops := []uint64{0, 1 << bytesparse.FieldHost, 1<<bytesparse.FieldDate | 1<<bytesparse.FieldSetCookie}
	type state struct {
		edits uint64
		lines int
	}
	var h Headers
	var m model
	said := map[state]string{}
	for step := range 30_000 {
		n := names[rng.IntN(len(names))]
		v := fmt.Sprint(rng.IntN(3))
		switch op := rng.IntN(100); {
		case op < 40:
			if op < 25 {
				h.Reset()
				m = nil
			}
			head, b := received(t, lists[rng.IntN(len(lists))])
			drop := drops[rng.IntN(len(drops))]
			if err := h.AddFields(head, b, drop); err != nil {
				t.Fatal(err)
			}
			for _, f := range head.Fields {
				if drop>>f.ID&1 == 0 {
					m = append(m, modelField{string(f.NameOf(b)), string(f.ValueOf(b))})
				}
			}
			clear(b)
		case op < 70:
			_ = h.Add(n, v)
			m = append(m, modelField{n, v})
		case op < 80:
			_ = h.Set(n, v)
			m.set(n, []string{v})
		case op < 90:
			behind := rng.IntN(len(m) + 1)
			id := bytesparse.LookupField(n)
			h.RemoveNamed(behind, 1<<id, func(name []byte) bool { return id == 0 && bytesparse.EqualFold(name, n) })
			rest := append(model(nil), m[behind:]...)
			rest.remove(n)
			m = append(m[:behind:behind], rest...)
		case op < 95 && len(m) > 0:
			keep := rng.IntN(len(m))
			h.Truncate(keep)
			m = m[:keep]
		}
		checkModel(t, step, &h, m, names)
		is := state{h.State(), h.Len()}
		if before, ok := said[is]; ok && before != text(&h) {
			t.Fatalf("step %d: State %v stood for\n%s\nand for\n%s", step, is, before, text(&h))
		}
		said[is] = text(&h)
	}
}

func TestAddFieldsAllocations(t *testing.T) {
	if pool.Debug {
		t.Skip("galedebug gives up memory")
	}
	var h Headers
	head, b := received(t, "Host: a\r\nX-Count: 0\r\nAccept: */*\r\nX-Odd:1\r\n")
	at := bytes.IndexByte(b, '0')
	if n := testing.AllocsPerRun(100, func() {
		b[at]++
		h.Reset()
		_ = h.AddFields(head, b, 0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
