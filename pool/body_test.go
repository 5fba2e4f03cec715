package pool

// A Body is empty when it is handed out, whoever had it before.

import (
	"bytes"
	"strings"
	"testing"
)

func TestBody(t *testing.T) {
	b := GetBody()
	if b.Len() != 0 {
		t.Fatalf("GetBody returned %d bytes", b.Len())
	}
	n, err := b.Write([]byte("hello, "))
	if n != 7 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	if n, err = b.WriteString("world"); n != 5 || err != nil {
		t.Errorf("WriteString = %d, %v", n, err)
	}
	if got := string(b.Bytes()); got != "hello, world" || b.Len() != 12 {
		t.Errorf("Bytes() = %q, Len() = %d", got, b.Len())
	}
	b.Reset()
	if b.Len() != 0 || len(b.Bytes()) != 0 {
		t.Errorf("after Reset: %q", b.Bytes())
	}
	b.B = append(b.B, "through the field"...)
	if string(b.Bytes()) != "through the field" {
		t.Errorf("Bytes() = %q", b.Bytes())
	}
	b.Release()
}

// Long bodies followed by short ones: nothing of the earlier shows.
func TestBodyReuseIsEmpty(t *testing.T) {
	for i := range 300 {
		b := GetBody()
		if b.Len() != 0 {
			t.Fatalf("round %d: body begins with %d bytes", i, b.Len())
		}
		want := strings.Repeat("x", 1+i*37%5000)
		b.WriteString(want)
		if !bytes.Equal(b.Bytes(), []byte(want)) {
			t.Fatalf("round %d: wrong contents", i)
		}
		b.Release()
	}
}
