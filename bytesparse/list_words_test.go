package bytesparse

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Lists and comparisons read by words, against the same byte by byte.

// listEnd is the rule: an element ends at the first comma outside quotes.
func listEnd(b []byte) int {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == ',' && !quoted:
			return i
		}
	}
	return len(b)
}

func TestNextTokenAtRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	const alphabet = "aaaaaa-, \t\"\\;=,!#+-.\xac\xa2"
	for range 200_000 {
		b := make([]byte, rnd.IntN(30))
		for i := range b {
			b[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		var want [][]byte
		for rest := b; len(rest) > 0; {
			end := listEnd(rest)
			if token := bytes.Trim(rest[:end], " \t"); len(token) > 0 {
				want = append(want, token)
			}
			rest = rest[min(end+1, len(rest)):]
		}
		rest := b
		for i := 0; ; i++ {
			var token []byte
			var ok bool
			if token, rest, ok = NextToken(rest); ok != (i < len(want)) {
				t.Fatalf("%q: %d elements, want %d", b, i, len(want))
			} else if !ok {
				break
			}
			if !bytes.Equal(token, want[i]) {
				t.Fatalf("%q: element %d is %q, want %q", b, i, token, want[i])
			}
		}
	}
}

func TestEqualFoldWords(t *testing.T) {
	for n := 1; n <= 26; n++ {
		a, b := bytes.Repeat([]byte("a"), n), bytes.Repeat([]byte("A"), n)
		for i := range n {
			for x := range 256 {
				for _, y := range []int{x, x ^ 0x20, x ^ 0x80, x ^ 0xa0, x ^ 1, 'a'} {
					a[i], b[i] = byte(x), byte(y)
					want := x == y || x^y == 0x20 && (x|0x20) >= 'a' && (x|0x20) <= 'z'
					if EqualFold(a, b) != want || EqualFold(string(a), b) != want {
						t.Fatalf("EqualFold(%q, %q) is not %v", a, b, want)
					}
				}
			}
			a[i], b[i] = 'a', 'A'
		}
	}
}
