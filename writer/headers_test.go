package writer

// The header set by the seed's headings, what it refuses, and its limits. The long random
// run is in model_test.go.

import (
	"errors"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

func text(h *Headers) string { return string(h.Append(nil)) }

func mustSet(t *testing.T, h *Headers, name string, values ...string) {
	t.Helper()
	if err := h.Set(name, values...); err != nil {
		t.Fatalf("Set(%q, %q): %v", name, values, err)
	}
}

func TestHeadersSeedSetHeader(t *testing.T) {
	var h Headers
	mustSet(t, &h, "Content-Type", "text/html")
	mustSet(t, &h, "Set-Cookie", "type=ninja", "language=javascript")
	if got, want := text(&h), "Content-Type: text/html\r\nSet-Cookie: type=ninja\r\nSet-Cookie: language=javascript\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// A value that was there is replaced, in its place, whatever the case.
	mustSet(t, &h, "content-type", "text/plain; charset=utf-8")
	mustSet(t, &h, "X-Mine", "1")
	mustSet(t, &h, "set-cookie", "only=one")
	mustSet(t, &h, "x-mINE", "2", "3")
	if got, want := text(&h), "content-type: text/plain; charset=utf-8\r\nset-cookie: only=one\r\nx-mINE: 2\r\nx-mINE: 3\r\n"; got != want {
		t.Errorf("after replacing: %q, want %q", got, want)
	}
	mustSet(t, &h, "CONTENT-TYPE", "a")
	mustSet(t, &h, "X-MINE")
	if got, want := text(&h), "CONTENT-TYPE: a\r\nset-cookie: only=one\r\n"; got != want {
		t.Errorf("after shrinking: %q, want %q", got, want)
	}
	if h.Len() != 2 || h.Size() != len(text(&h)) {
		t.Errorf("Len() = %d, Size() = %d", h.Len(), h.Size())
	}
}

func TestHeadersSeedGetHeader(t *testing.T) {
	var h Headers
	if h.Get("content-type") != nil || h.Get("x-none") != nil || h.Value(bytesparse.FieldHost) != nil {
		t.Errorf("Get from an empty set is not nil")
	}
	h.Add("Content-Type", "text/html")
	h.Add("Vary", "Accept")
	h.Add("X-Empty", "")
	h.Add("Set-Cookie", "a=1")
	h.Add("vary", "Origin")
	h.Add("Cookie", "c=1")
	h.Add("Set-Cookie", "b=2")
	h.Add("cookie", "d=2")
	h.Add("VARY", "")
	for name, want := range map[string]string{
		"content-type": "text/html",
		"vary":         "Accept, Origin, ",
		"set-cookie":   "a=1",
		"Cookie":       "c=1; d=2",
		"x-empty":      "",
	} {
		if got := h.Get(name); got == nil || string(got) != want {
			t.Errorf("Get(%q) = %q (nil: %v), want %q", name, got, got == nil, want)
		}
	}
	if h.Get("x-emptyy") != nil || h.Get("x-empt") != nil || h.Get("host") != nil {
		t.Errorf("Get finds a name that is not there")
	}
	if got := string(h.Value(bytesparse.FieldVary)); got != "Accept" {
		t.Errorf("Value(FieldVary) = %q, want the first", got)
	}
	if h.Only(bytesparse.FieldVary) != nil || h.Only(bytesparse.FieldHost) != nil || h.Only(bytesparse.FieldOther) != nil {
		t.Errorf("Only finds one value of a field that has several, or none")
	}
	if h.Value(bytesparse.FieldOther) != nil {
		t.Errorf("Value(FieldOther) is not nil")
	}
	var all []string
	for v := range h.Values("Vary") {
		all = append(all, string(v))
	}
	if got := strings.Join(all, "|"); got != "Accept|Origin|" {
		t.Errorf("Values = %q", got)
	}
	for v := range h.Values("Vary") { // may be left early
		if string(v) != "Accept" {
			t.Errorf("first value is %q", v)
		}
		break
	}
	for name := range h.All() {
		if string(name) != "Content-Type" {
			t.Errorf("first name is %q", name)
		}
		break
	}
}

// A view cannot be appended to over what follows it in the arena.
func TestHeadersViewsAreClipped(t *testing.T) {
	var h Headers
	h.Add("Server", "gale")
	h.Add("X-Next", "untouched")
	before := text(&h)
	for _, v := range [][]byte{h.Get("Server"), h.Value(bytesparse.FieldServer)} {
		_ = append(v, "OVERWRITTEN"...)
	}
	for n, v := range h.All() {
		_, _ = append(n, '!'), append(v, '!')
	}
	if text(&h) != before {
		t.Errorf("appending to a view changed the set: %q", text(&h))
	}
}

func TestHeadersSeedRemoveHeader(t *testing.T) {
	var h Headers
	for _, n := range []string{"A", "Date", "b", "Host", "B", "date", "c"} {
		h.Add(n, "v"+n)
	}
	h.Remove("DATE")
	h.Remove("B")
	h.Remove("nothing")
	h.Remove("Server")
	if got, want := text(&h), "A: vA\r\nHost: vHost\r\nc: vc\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if h.Has(bytesparse.FieldDate) || !h.Has(bytesparse.FieldHost) || !h.Has(bytesparse.FieldOther) {
		t.Errorf("Has is wrong after Remove")
	}
	h.Remove("a")
	h.Remove("C")
	if h.Has(bytesparse.FieldOther) || text(&h) != "Host: vHost\r\n" {
		t.Errorf("after removing the rest: %q", text(&h))
	}
	h.Remove("host")
	if h.Len() != 0 || h.Size() != 0 || h.Has(bytesparse.FieldHost) {
		t.Errorf("not empty: %q", text(&h))
	}
}

// RFC 9110 §5.1: every byte that is not a token byte is refused in a name, at any
// position; nothing changes.
func TestHeadersRefusesNamesRFC9110Section5_1(t *testing.T) {
	const tchar = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var h Headers
	h.Add("Before", "1")
	before := text(&h)
	for c := range 256 {
		for at := range 12 {
			name := []byte("Content-Type")
			name[at] = byte(c)
			ok := strings.IndexByte(tchar, byte(c)) >= 0
			for kind, err := range map[string]error{"Set": h.Set(string(name), "v"), "Add": h.Add(string(name), "v")} {
				var fe *FieldError
				if ok != (err == nil) {
					t.Fatalf("%s(%q): %v", kind, name, err)
				}
				if ok {
					continue
				}
				if !errors.As(err, &fe) || *fe != (FieldError{string(name), FieldNameByte, at, byte(c)}) {
					t.Fatalf("%s(%q): %#v", kind, name, err)
				}
			}
			if ok {
				h.Remove(string(name))
			}
			if text(&h) != before {
				t.Fatalf("%q left %q", name, text(&h))
			}
		}
	}
	var fe *FieldError
	if err := h.Set("", "v"); !errors.As(err, &fe) || fe.Fault != FieldNameEmpty {
		t.Errorf("an empty name: %v", err)
	}
}

// RFC 9110 §5.5: CR, LF, NUL and every other control byte but HTAB is refused in a
// value, at every position of every length; nothing changes.
func TestHeadersRefusesValuesRFC9110Section5_5(t *testing.T) {
	for n := range 35 {
		for at := range n {
			for c := range 256 {
				// The bytes around it are the ones next to the limits.
				b := []byte(strings.Repeat("~\x80\xff \t!", 7)[:n])
				b[at] = byte(c)
				want := -1
				if c < 0x20 && c != '\t' || c == 0x7f {
					want = at
				}
				if got := bytesparse.IndexControl(string(b)); got != want {
					t.Fatalf("IndexControl(%q) = %d, want %d", b, got, want)
				}
				if ok := bytesparse.IsFieldValue(b); ok != (want < 0) {
					t.Fatalf("bytesparse disagrees about %q: %v", b, ok)
				}
			}
		}
	}
	var h Headers
	h.Add("Server", "gale")
	before := text(&h)
	for _, err := range []error{
		h.Set("Server", "ok", "fine\r\nInjected: yes"),
		h.Set("Location", "/\r\n\r\nbody"),
		h.Set("X-Other", "nul\x00"),
		h.Add("Server", "del\x7f"),
		h.Add("X-Other", "\n"),
	} {
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Fault != FieldValueByte {
			t.Errorf("error is %#v", err)
		}
	}
	if text(&h) != before || h.Has(bytesparse.FieldLocation) || h.Has(bytesparse.FieldOther) {
		t.Errorf("a refused value left %q", text(&h))
	}
	if err := h.Set("X-Bytes", "caf\xc3\xa9\t\xff"); err != nil {
		t.Errorf("obs-text and HTAB were refused: %v", err)
	}
}

func TestFieldErrorText(t *testing.T) {
	var h Headers
	for _, c := range []struct {
		name, value, want string
	}{
		{"", "", `writer: field "": the name is empty`},
		{"a b", "", `writer: field "a b": the name has byte 0x20 at offset 1`},
		{"Ok", "x\r\ny", `writer: field "Ok": the value has byte 0xd at offset 1`},
		{strings.Repeat("n", 100) + ":", "", `writer: field "` + strings.Repeat("n", 64) + `…": the name has byte 0x3a at offset 100`},
	} {
		if err := h.Set(c.name, c.value); err == nil || err.Error() != c.want {
			t.Errorf("Set(%q, %q): %v, want %s", c.name, c.value, err, c.want)
		}
	}
	if got := tooLong("X").Error(); got != `writer: field "X": too long` {
		t.Errorf("too long: %s", got)
	}
}

// The arena's bound is checked before anything is written.
func TestHeadersTooLong(t *testing.T) {
	var h Headers
	if !h.fits(maxArena) {
		t.Errorf("an empty set: bound is off")
	}
	h.Add("A", "b")
	if h.fits(maxArena-5) || !h.fits(maxArena-6) {
		t.Errorf("a set of 6 bytes: bound is off")
	}
}

// Long messages followed by short ones: nothing of the earlier is left, and
// exceptional memory is let go.
func TestHeadersReset(t *testing.T) {
	var h Headers
	for i := range 2000 {
		h.Add("X-Long", strings.Repeat("v", i%200))
	}
	h.Add("Date", "x")
	h.Get("X-Long")
	h.Reset()
	if h.Len() != 0 || h.Size() != 0 || h.Has(bytesparse.FieldDate) || h.Has(bytesparse.FieldOther) || h.Get("X-Long") != nil {
		t.Errorf("Reset left %q", text(&h))
	}
	if cap(h.arena) > keptArena || cap(h.lines) > keptLines || cap(h.joined) > keptArena {
		t.Errorf("Reset kept %d bytes, %d lines, %d joined", cap(h.arena), cap(h.lines), cap(h.joined))
	}
	mustSet(t, &h, "Server", "gale")
	kept := cap(h.arena)
	h.Reset()
	if cap(h.arena) != kept {
		t.Errorf("Reset let go of a small arena")
	}
}
