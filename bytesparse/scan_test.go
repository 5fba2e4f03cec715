package bytesparse

import (
	"bytes"
	"testing"
)

// The scan and the word-wise checks against the table of classes, which
// defines them: every byte value at every position of every length.

// checkScan holds the marks that scan makes of b against the class table.
func checkScan(t *testing.T, b []byte) {
	t.Helper()
	for off := 0; off < len(b); {
		var m masks
		v := &m.v
		for i := range v {
			v[i] = 0xa5a5a5a5a5a5a5a5 // left by an earlier window
		}
		blocks := scan(b, off, &m)
		if blocks < 1 || blocks > windowBlocks {
			t.Fatalf("%q from %d: %d blocks", b, off, blocks)
		}
		for k := range 64 * blocks {
			i := off + k
			marked := v[k/64]>>(k%64)&1 != 0
			if i >= len(b) {
				if marked {
					t.Fatalf("%q: a mark behind the end, at %d", b, i)
				}
				continue
			}
			control := b[i] < ' ' || b[i] == 0x7f
			// scanGeneric may also mark an SP after a control byte, and 0xff and
			// the byte it carries into.
			if marked != control && !(marked && (b[i] == ' ' && i > 0 && b[i-1] <= ' ' || b[i] >= 0xfe)) {
				t.Fatalf("%q: byte %#x at %d: marked %v", b, b[i], i, marked)
			}
		}
		off += 64 * blocks
	}
}

func TestScanEveryByteEverywhere(t *testing.T) {
	for n := 1; n <= 132; n++ {
		if n == 72 {
			n = 126 // the next border between blocks
		}
		for _, fill := range []string{"a", "\xc3", " ", "\r\n"} {
			b := bytes.Repeat([]byte(fill), n)[:n]
			for i, old := range b {
				for c := range 256 {
					if fill != "a" && c%16 != 0 && c != 0x7f {
						continue
					}
					b[i] = byte(c)
					checkScan(t, b)
				}
				b[i] = old
			}
		}
	}
}

func TestScanWindows(t *testing.T) {
	b := bytes.Repeat([]byte("v"), 64*windowBlocks*3+17)
	for i := range b {
		b[i] = '\r'
		var m masks
		if got := m.indexV(b, 0); got != i {
			t.Fatalf("indexV found %d, want %d", got, i)
		}
		if got := m.indexV(b, i+1); got != len(b) {
			t.Fatalf("indexV found %d behind %d", got, i)
		}
		b[i] = 'v'
	}
}

func TestScanStopsBehindAHead(t *testing.T) {
	b := append([]byte("GET / HTTP/1.1\r\nA: b\r\n\r\n"), bytes.Repeat([]byte("x"), 600)...)
	var m masks
	if n := scan(b, 0, &m); n != 1 {
		t.Errorf("%d blocks scanned for a head in the first", n)
	}
	for at := range 64 { // the empty line across the border of two blocks
		b = append(bytes.Repeat([]byte("h"), at+62), "\r\n\r\n"...)
		b = append(b, bytes.Repeat([]byte("x"), 600)...)
		if n, want := scan(b, 0, &m), (at+64)/64+1; n != want {
			t.Errorf("empty line at %d: %d blocks, want %d", at+62, n, want)
		}
	}
}

func TestWordChecksEveryByteEverywhere(t *testing.T) {
	for n := 1; n <= 40; n++ {
		b := bytes.Repeat([]byte("a"), n)
		for i := range b {
			for c := range 256 {
				b[i] = byte(c)
				if got, want := tokenBytes(b), class[c]&classToken != 0; got != want {
					t.Fatalf("tokenBytes(%q) = %v", b, got)
				}
				if got, want := targetBytes(b), class[c]&classTarget != 0; got != want {
					t.Fatalf("targetBytes(%q) = %v", b, got)
				}
				if got, want := indexColon(b, 0), bytes.IndexByte(b, ':'); got != want && !(want < 0 && got == n) {
					t.Fatalf("indexColon(%q) = %d", b, got)
				}
				// Bytes before a range must not count.
				if got, want := indexColon(b, i), bytes.IndexByte(b[i:], ':'); got != want+i && !(want < 0 && got == n) {
					t.Fatalf("indexColon(%q, %d) = %d", b, i, got)
				}
			}
			b[i] = 'a'
		}
	}
	if !tokenBytes(nil) || !targetBytes("") {
		t.Error("nothing offends in nothing")
	}
}

// FuzzScan compares the scan and the word checks with the class table on
// arbitrary bytes, where marks and borrows meet.
func FuzzScan(f *testing.F) {
	f.Add([]byte("a\x00  b\x1f \x7f\x80 \xff\x00   "))
	f.Add([]byte(browserHead))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkScan(t, b)
		if got, want := tokenBytes(b), indexNot(b, classToken) < 0; got != want {
			t.Errorf("tokenBytes(%q) = %v", b, got)
		}
		if got, want := targetBytes(b), indexNot(b, classTarget) < 0; got != want {
			t.Errorf("targetBytes(%q) = %v", b, got)
		}
	})
}
