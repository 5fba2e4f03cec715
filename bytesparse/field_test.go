package bytesparse

import (
	"slices"
	"sort"
	"strings"
	"testing"
)

// Names: every well-known one in every single-byte disguise, found through the
// exported look-ups and through a head.

// headID is the id that parsing a head gives to a field of that name, with as
// much of the head before and behind it as asked for.
func headID(t *testing.T, h *Head, name string, before, behind int) FieldID {
	t.Helper()
	b := []byte(name + ":" + strings.Repeat("v", behind) + "\r\n\r\n")
	at := 0
	if before >= 0 {
		b = append([]byte("A"+strings.Repeat("a", before)+":\r\n"), b...)
		at = 1
	}
	n, err := h.ParseTrailers(slices.Clip(b), nil)
	if n != len(b) {
		t.Fatalf("%q: %v", b, err)
	}
	return h.Fields[at].ID
}

func TestLookupFieldKnowsItsNames(t *testing.T) {
	var h Head
	for id := FieldHost; id < numFieldIDs; id++ {
		name := id.String()
		if name == "" || strings.ToLower(name) != name || len(name) > maxKnown || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Fatalf("name of id %d: %q", id, name)
		}
		for _, n := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			if got := LookupField(n); got != id {
				t.Errorf("%q: id %d, want %d", n, got, id)
			}
			if got := LookupField([]byte(n)); got != id {
				t.Errorf("%q as bytes: id %d, want %d", n, got, id)
			}
			for _, before := range []int{-1, 0, 10} {
				for _, behind := range []int{0, 1, 20} {
					if got := headID(t, &h, n, before, behind); got != id {
						t.Errorf("%q in a head, %d bytes before and %d behind: id %d, want %d", n, before, behind, got, id)
					}
				}
			}
		}
	}
	if FieldOther.String() != "" || numFieldIDs.String() != "" || LookupField("") != FieldOther {
		t.Error("FieldOther has a name")
	}
}

// disguises calls f with every string that differs from name in one byte, and
// with longer and shorter ones.
func disguises(name string, f func(s string)) {
	b := []byte(name)
	for i, old := range b {
		for c := range 256 {
			if b[i] = byte(c); b[i] != old {
				f(string(b))
			}
		}
		b[i] = old
	}
	for i := range name {
		f(name[:i])
		f(name[:i] + name[i+1:])
		f(name[:i] + "-" + name[i:])
	}
	f(name + "s")
	f(name + "-")
	f(name + "\x00")
	f(name + " ")
}

func TestLookupFieldIsExact(t *testing.T) {
	var h Head
	known := map[string]FieldID{}
	for id := FieldHost; id < numFieldIDs; id++ {
		known[id.String()] = id
	}
	for id := FieldHost; id < numFieldIDs; id++ {
		disguises(id.String(), func(s string) {
			want := known[asciiLower(s)]
			if got := LookupField(s); got != want {
				t.Fatalf("%q: id %d (%v), want %d", s, got, got, want)
			}
			if !IsToken(s) {
				return
			}
			for _, before := range []int{-1, 10} {
				if got := headID(t, &h, s, before, 10); got != want {
					t.Fatalf("%q in a head: id %d (%v), want %d", s, got, got, want)
				}
			}
		})
	}
}

// asciiLower is strings.ToLower without the rest of Unicode.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.Map(func(r rune) rune { return r }, latin1(s)))
}

// latin1 makes each byte a rune, so that none is lost as invalid UTF-8.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

func TestFieldHash(t *testing.T) {
	slots := map[FieldID]int{}
	for _, id := range names.slots {
		slots[id]++
	}
	for id := FieldHost; id < numFieldIDs; id++ {
		if slots[id] != 1 {
			t.Errorf("%v has %d slots: find another fieldMult", id, slots[id])
		}
	}
}

func TestShortNames(t *testing.T) {
	slots := map[FieldID]int{}
	for _, name := range shortNames {
		slots[name.id]++
	}
	for id := FieldHost; id < numFieldIDs; id++ {
		if short := len(id.String()) < 16; slots[id] != 1 && short || slots[id] != 0 && !short {
			t.Errorf("%v has %d slots: find another shortMult", id, slots[id])
		}
	}
}

func TestMethodWords(t *testing.T) {
	for m := range numMethods {
		for _, behind := range []string{" / HTTP/1", "\xa1 / HTTP", "X / HTTP"} {
			want := m
			if len(m.String()) > 7 || behind[0] == 'X' {
				want = MethodOther
			}
			if got, n := methodWord(word(m.String()+behind, 0)); got != want || want != MethodOther && n != len(m.String()) {
				t.Errorf("%s%s: %v of %d bytes", m, behind, got, n)
			}
		}
	}
}

func TestMethodHash(t *testing.T) {
	slots := map[Method]int{}
	for _, m := range methodSlots {
		slots[m]++
	}
	for m := MethodGet; m < numMethods; m++ {
		if slots[m] != 1 {
			t.Errorf("%v has %d slots: find another methodMult", m, slots[m])
		}
	}
}

func TestEqualFoldEveryPairOfBytes(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			x, y := string([]byte{'-', byte(a)}), string([]byte{'-', byte(b)})
			want := asciiLower(x) == asciiLower(y)
			if EqualFold(x, y) != want || EqualFold([]byte(x), y) != want || EqualFold(x, []byte(y)) != want {
				t.Errorf("EqualFold(%q, %q) is not %v", x, y, want)
			}
		}
	}
	if EqualFold("a", "ab") || EqualFold("ab", "a") || !EqualFold("", []byte(nil)) || EqualFold("K", "\u212a") {
		t.Error("EqualFold and lengths")
	}
}

func TestMethods(t *testing.T) {
	names := Methods()
	if !sort.StringsAreSorted(names) || len(names) != int(numMethods)-1 {
		t.Errorf("Methods: %v", names)
	}
	names[0] = "x"
	if Methods()[0] == "x" {
		t.Error("Methods shares its slice")
	}
	var h Head
	known := map[string]Method{}
	for m := MethodGet; m < numMethods; m++ {
		known[m.String()] = m
	}
	if len(known) != len(names) {
		t.Fatal("a name twice")
	}
	for m := MethodGet; m < numMethods; m++ {
		all := func(s string) {
			if got := LookupMethod([]byte(s)); got != known[s] {
				t.Fatalf("%q: method %d (%v), want %d", s, got, got, known[s])
			}
			if !IsToken(s) {
				return
			}
			b := []byte(s + " / HTTP/1.1\r\n\r\n")
			if n, err := h.ParseRequest(b, nil); n != len(b) || h.Method != known[s] || string(h.Name.Of(b)) != s {
				t.Fatalf("%q in a head: method %d, %v", s, h.Method, err)
			}
		}
		all(m.String())
		all(strings.ToLower(m.String()))
		disguises(m.String(), all)
	}
	if MethodOther.String() != "" || numMethods.String() != "" {
		t.Error("MethodOther has a name")
	}
}
