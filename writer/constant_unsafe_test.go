// What a setter remembers of its arguments: the addresses of constants, and of no other
// strings.

package writer

import (
	"testing"
	"unsafe"
)

// A setter copies its arguments, even if a string is made of memory that is later reused for
// another.
func TestSetLooksAtStringsThatMayChange(t *testing.T) {
	var h Headers
	name, value := []byte("X-Name-1"), []byte("first value")
	set := func() string {
		h.Reset()
		// SAFETY: the test is what happens when they are changed later.
		if err := h.Set(unsafe.String(&name[0], len(name)), unsafe.String(&value[0], len(value))); err != nil {
			t.Fatal(err)
		}
		if err := h.Set("Server", "constant"); err != nil {
			t.Fatal(err)
		}
		return string(h.Append(nil))
	}
	if got, want := set(), "X-Name-1: first value\r\nServer: constant\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	copy(value, "other")
	if got, want := set(), "X-Name-1: other value\r\nServer: constant\r\n"; got != want {
		t.Errorf("with another value: %q, want %q", got, want)
	}
	name[7] = '2'
	if got, want := set(), "X-Name-2: other value\r\nServer: constant\r\n"; got != want {
		t.Errorf("with another name: %q, want %q", got, want)
	}
}

// Substrings of one constant are distinguished.
func TestSetTellsConstantsApart(t *testing.T) {
	const text = "abcabcabc"
	var h Headers
	for _, value := range []string{text, text[:3], text[3:6], text[:6], text[1:4], text[1:4], "", text} {
		h.Reset()
		for _, name := range []string{text, text[:4]} {
			if err := h.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := string(h.Append(nil)), text+": "+value+"\r\nabca: "+value+"\r\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
