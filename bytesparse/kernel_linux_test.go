//go:build !purego && (amd64 || arm64)

package bytesparse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Every kernel against the table of classes, and every test of the parser with
// every kernel that this machine has.

func TestEveryLevel(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"EveryByteEverywhere":         TestEveryByteEverywhere,
		"EveryByteInsertedAndDropped": TestEveryByteInsertedAndDropped,
		"ScanWindows":                 TestScanWindows,
		"ScanStopsBehindAHead":        TestScanStopsBehindAHead,
		"NothingIsAllocated":          TestNothingIsAllocated,
		"PrefixInPlace":               TestPrefixInPlace,
		"NamesOfEveryLength":          TestNamesOfEveryLength,
		"ObsFold":                     TestRFC9112_5_2_ObsFold,
		"ScanStepsAreLinear":          TestScanStepsAreLinear,
		"ByteByByteStepsAreLinear":    TestByteByByteStepsAreLinear,
	} {
		t.Run(name, func(t *testing.T) { eachLevel(t, test) })
	}
}

// checkKernel compares the marks that a kernel makes of b, which is not empty, with the
// table.
func checkKernel(t *testing.T, b []byte, scan func(b []byte, m *masks) int) {
	t.Helper()
	var m masks
	for i := range m.v {
		m.v[i] = 0xa5a5a5a5a5a5a5a5
	}
	blocks := scan(b, &m)
	var before uint64
	ended := 0
	for k := range blocks {
		var v uint64
		for i, c := range b[64*k : min(len(b), 64*k+64)] {
			if c < ' ' || c == 0x7f {
				v |= 1 << i
			}
		}
		if m.v[k] != v {
			t.Fatalf("%q: block %d: %x, want %x", b, k, m.v[k], v)
		}
		if ended == 0 && v&(v<<2|before>>62) != 0 {
			ended = k + 1
		}
		before = v
	}
	want := min(windowBlocks, (len(b)+63)/64)
	if ended > 0 {
		want = ended
	}
	if blocks != want {
		t.Fatalf("%q: %d blocks marked, want %d", b, blocks, want)
	}
}

func TestKernelEveryByteEverywhere(t *testing.T) {
	for name, scan := range exactScans() {
		t.Run(name, func(t *testing.T) {
			page := guarded(t)
			for n := 1; n <= 200; n++ {
				for _, b := range [][]byte{page[:n:n], page[len(page)-n:]} {
					for i := range b {
						b[i] = 'a'
					}
					for i := range b {
						for c := range 256 {
							if n > 64 && c%64 != n%64 {
								continue
							}
							b[i] = byte(c)
							checkKernel(t, b, scan)
						}
						b[i] = 'a'
					}
				}
			}
		})
	}
}

func TestKernelWindow(t *testing.T) {
	for name, scan := range exactScans() {
		t.Run(name, func(t *testing.T) {
			b := bytes.Repeat([]byte("v"), 64*windowBlocks+70)
			for i := range b {
				for _, c := range []byte("\r \x00\x7f\xff#") {
					b[i] = c
					checkKernel(t, b, scan)
				}
				b[i] = 'v'
			}
			for at := range 200 { // two controls, and two at distance two
				for d := 1; d < 4; d++ {
					b[at], b[at+d] = '\n', '\r'
					checkKernel(t, b, scan)
					b[at], b[at+d] = 'v', 'v'
				}
			}
		})
	}
}

// TestNames compares the ids of names that are well-known, or nearly so, with LookupField, at
// every position of a block and near the end of a page.
func TestNames(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		h := Head{Fields: make([]Field, 0, 8)}
		page := guarded(t)
		try := func(b []byte, name string) {
			t.Helper()
			if n, err := h.ParseRequest(b, nil); n != len(b) {
				t.Fatalf("%q: %d, %v", b, n, err)
			}
			last := h.Fields[len(h.Fields)-1]
			if got, want := last.ID, LookupField(name); got != want || string(last.NameOf(b)) != name || h.Value(b, want) == nil {
				t.Fatalf("%q: %q is %v, want %v", b, last.NameOf(b), got, want)
			}
		}
		for _, name := range fieldNames[1:] {
			for at := range 66 {
				head := fmt.Sprintf("GET /%s HTTP/1.1\r\n", bytes.Repeat([]byte("x"), at))
				for _, tail := range []string{":\r\n\r\n", ": v\r\n\r\n"} {
					n := len(head) + len(name) + len(tail)
					b := page[len(page)-n:]
					if at%3 != 0 {
						b = page[at:][:n] // with room behind it
					}
					copy(b, head)
					copy(b[len(head)+len(name):], tail)
					in := b[len(head) : len(head)+len(name)]
					copy(in, name)
					try(b, name)
					for i := range in {
						in[i] ^= 0x20 // '-' becomes CR
						if name[i] != '-' {
							try(b, string(in))
						}
						in[i] = 'q' // one letter wrong
						try(b, string(in))
						for bit := 0; bit < 8 && at%22 == 0; bit++ { // and one bit
							if in[i] = name[i] ^ 1<<bit; class[in[i]]&classToken != 0 {
								try(b, string(in))
							}
						}
						in[i] = name[i]
					}
				}
			}
		}
	})
}

// TestWalkEndsAnywhere places heads and prefixes of heads so that the fast walk may just read
// past them, and so that it may not, with everything that could be there.
func TestWalkEndsAnywhere(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		page := guarded(t)
		h := Head{Fields: make([]Field, 0, 32)}
		want := Head{Fields: make([]Field, 0, 32)}
		for _, m := range []string{browserHead, apiHead, string(filled(40, 'N')) + ": v\r\n"} {
			if m[0] == 'N' {
				m = "GET / HTTP/1.1\r\n" + m + string(filled(63, 'N')) + ":\r\n" + string(filled(64, 'N')) + ":\r\nA: b\r\n\r\n"
			}
			for _, n := range []int{len(m), len(m) - 1, len(m) - 2, len(m) / 2, 70, 20, 14} {
				for _, fill := range []byte("\n\r\x7fa") {
					wantN, wantErr := want.ParseRequest([]byte(m[:n]), nil)
					for back := range 140 {
						room := page[len(page)-n-back:]
						for i := range room {
							room[i] = fill
						}
						copy(room, m[:n])
						for _, b := range [][]byte{room[:n], room[:n:n]} {
							gotN, err := h.ParseRequest(b, nil)
							if gotN != wantN || fmt.Sprint(err) != fmt.Sprint(wantErr) || !slices.Equal(h.Fields, want.Fields) || h.seen != want.seen || h.dup != want.dup {
								t.Fatalf("%q, %d bytes in front of a page's end, behind it %q: %d, %v, %+v", b, back, fill, gotN, err, h.Fields)
							}
						}
					}
				}
			}
		}
	})
}

// TestWalkGoesOn puts the end of a line at every position around the end of the list of blocks,
// followed by fields that are left to the walk in Go.
func TestWalkGoesOn(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		h := Head{Fields: make([]Field, 0, 8)}
		for pad := range 300 {
			n := 64*headBlocks - 200 + pad
			b := []byte("GET / HTTP/1.1\r\nCookie: " + string(filled(n, 'x')) + "\r\nHost: h\r\nB: " + string(filled(90, 'y')) + " \r\nHost:\r\n\r\n")
			got, err := h.ParseRequest(b, nil)
			if got != len(b) || len(h.Fields) != 4 || !h.Dup(FieldHost) || h.Dup(FieldCookie) || h.Index(FieldHost) != 1 ||
				string(h.Fields[1].ValueOf(b)) != "h" || len(h.Fields[2].ValueOf(b)) != 90 || len(h.Fields[3].ValueOf(b)) != 0 {
				t.Fatalf("a value of %d bytes: %d, %v, %+v", n, got, err, h.Fields)
			}
		}
	})
}

// TestWalkRefusesEverywhere puts each kind of byte at each position of heads of several blocks,
// with room after them, so that the fast walk has to detect it.
func TestWalkRefusesEverywhere(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		h := Head{Fields: make([]Field, 0, 32)}
		for k, m := range map[kind]string{request: browserHead, response: responseHead} {
			room := bytes.Repeat([]byte("x"), 2048)
			n := copy(room, m)
			for at := range 2 * n { // once with as much behind it that its end is in a full block
				b, i := room[:n+at/n*100], at%n
				old := b[i]
				for _, c := range []byte("\x00\t\n\r\x1f :\x7f\x80\xff") {
					b[i] = c
					want := judge(k, string(b))
					n, err := 0, error(nil)
					if in := bytes.Clone(b); k == request {
						n, err = h.ParseRequest(b, nil)
					} else {
						n, err = h.ParseResponse(b, nil)
						copy(b, in) // it unfolds
					}
					if n != want.n || (err != nil) != want.refused {
						t.Fatalf("%q: %d, %v; the rules say %d, refused %v", b, n, err, want.n, want.refused)
					}
				}
				b[i] = old
			}
		}
	})
}

// TestHashEnds: each name is found by its ends.
func TestHashEnds(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		h := Head{Fields: make([]Field, 0, 32)}
		room := make([]byte, 200)
		for id := FieldHost; id < numFieldIDs; id++ {
			b := room[:copy(room, "GET / HTTP/1.1\r\n"+id.String()+": v\r\n\r\n")]
			if n, err := h.ParseRequest(b, nil); n != len(b) || h.Fields[0].ID != id {
				t.Errorf("%v: %d, %v, %v: find another endsMask", id, n, err, h.Fields)
			}
		}
	})
}

// TestFieldLimits checks that the fast walk respects the limit and the room for fields.
func TestFieldLimits(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for room := range 8 {
			for limit := 1; limit < 8; limit++ {
				h := Head{Fields: make([]Field, 0, room)}
				b := []byte("GET / HTTP/1.1\r\nA: 1\r\nHost: 2\r\nB: 3\r\nHost: 4\r\nC: 5\r\n\r\n")
				n, err := h.ParseRequest(b, &Limits{Fields: limit})
				if limit < 5 {
					if e, ok := err.(*Error); !ok || e.Reason != ReasonTooManyFields {
						t.Fatalf("limit %d: %d, %v", limit, n, err)
					}
					continue
				}
				if n != len(b) || len(h.Fields) != 5 || h.Index(FieldHost) != 1 || h.NextIndex(FieldHost, 1) != 3 || !h.Dup(FieldHost) ||
					!h.Dup(FieldOther) || h.Index(FieldOther) != 0 || h.Dup(FieldCookie) || h.Has(FieldCookie) {
					t.Fatalf("room %d, limit %d: %d, %v, %+v", room, limit, n, err, h)
				}
			}
		}
	})
}

// TestTargetLimit checks the limit with targets of every length, and methods that are looked up
// in different ways.
func TestTargetLimit(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		h := Head{Fields: make([]Field, 0, 8)}
		for n := 1; n < 100; n++ {
			for _, method := range []string{"GET", "POST", "PROPFIND", "BREW"} {
				b := []byte(method + " /" + string(filled(n-1, 't')) + " HTTP/1.1\r\nHost: h\r\n\r\n")
				if got, err := h.ParseRequest(b, &Limits{Target: n}); got != len(b) || err != nil {
					t.Fatalf("%q, at most %d: %d, %v", b, n, got, err)
				}
				got, err := h.ParseRequest(b, &Limits{Target: max(1, n-1)})
				if e, ok := err.(*Error); n > 1 && (!ok || e.Reason != ReasonTargetTooLong || e.Offset != len(method)+n) {
					t.Fatalf("%q, at most %d: %d, %v", b, n-1, got, err)
				}
			}
		}
	})
}

// TestSkipGoesAllTheWay checks that the first control byte ends a skip, and that nothing else
// does, whatever the text consists of.
func TestSkipGoesAllTheWay(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		if !skips() {
			return
		}
		rnd := rand.New(rand.NewPCG(5, 6))
		text := func() byte {
			for {
				if c := byte(rnd.Uint32()); isText(c) && c != '\t' {
					return c
				}
			}
		}
		page := guarded(t)
		for round := range 4000 {
			b := page[len(page)-1-rnd.IntN(1000):]
			c := byte(round)
			for i := range b {
				if b[i] = c; round >= 256 || c < ' ' || c == 0x7f {
					b[i] = text()
				}
			}
			if got := skip(b); got != len(b)&^63 {
				t.Fatalf("%q: skipped %d", b, got)
			}
			i := rnd.IntN(len(b))
			if b[i] = byte(rnd.IntN(' ')); round%8 == 0 {
				b[i] = 0x7f
			}
			if got := skip(b); got != i&^63 {
				t.Fatalf("%q: %#x at %d, skipped %d", b, b[i], i, got)
			}
		}
	})
}

func TestSkipEveryByteEverywhere(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		page := guarded(t)
		for n := 0; n <= 700; n += 1 + n/66*23 {
			for _, b := range [][]byte{page[:n:n], page[len(page)-n:]} {
				for i := range b {
					b[i] = ' '
				}
				check := func(i int) { // i is where the first control byte stands
					t.Helper()
					want := i &^ 63
					if !skips() {
						want = 0
					}
					if got := skip(b); got != want {
						t.Fatalf("%d bytes, %#x at %d: skipped %d", n, b[min(i, n-1)], i, got)
					}
				}
				check(n)
				for i := range b {
					for c := range 256 {
						if n > 66 && c%32 != 31 && c != 0 {
							continue
						}
						b[i] = byte(c)
						if c < ' ' || c == 0x7f {
							check(i)
						} else {
							check(n)
						}
					}
					b[i] = ' '
				}
			}
		}
	})
}
