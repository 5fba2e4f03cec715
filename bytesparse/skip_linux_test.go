//go:build !purego && (amd64 || arm64)

package bytesparse

import (
	"math/rand/v2"
	"testing"
)

// The kernel of searches for one of two bytes, on its own; either_test.go tests the
// functions built on it.

// TestSkipEither compares skipEither with the rule, for each byte at each position, up to the end
// of a page.
func TestSkipEither(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		page := guarded(t)
		rnd := rand.New(rand.NewPCG(7, 8))
		for n := 0; n <= 330; n += 1 + n/66*11 {
			for _, b := range [][]byte{page[:n:n], page[len(page)-n:]} {
				x, y := byte(rnd.Uint32()), byte(rnd.Uint32())
				for i := range b {
					for b[i] = x; b[i] == x || b[i] == y; {
						b[i] = byte(rnd.Uint32())
					}
				}
				check := func(i int) { // i is where the first of the two stands
					t.Helper()
					want := i &^ 63
					if !skips() {
						want = 0
					}
					if got := skipEither(b, x, y); got != want {
						t.Fatalf("%q, %q or %q at %d: skipped %d", b, x, y, i, got)
					}
				}
				check(n)
				for i, c := range b {
					for _, b[i] = range []byte{x, y} {
						check(i)
					}
					b[i] = c
				}
			}
		}
	})
}
