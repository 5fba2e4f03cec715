//go:build (!amd64 && !arm64) || purego

// The identity of a goroutine where no assembly may read it.

package sys

// G returns zero: this platform cannot tell goroutines apart.
func G() uintptr { return 0 }

// HasG tells whether G works on this platform. Where it does not, G returns
// zero and a wait always takes the goroutine's way.
const HasG = false
