// The group: handing out loops.

package loop

import (
	"math"
	"testing"
)

// The counter of Next wraps.
func TestNextGoesRoundForEver(t *testing.T) {
	g := &Group{loops: make([]*Loop, 3)}
	for i := range g.loops {
		g.loops[i] = &Loop{}
	}
	for _, from := range []uint32{0, math.MaxInt32 - 1, math.MaxUint32 - 3} {
		g.next.Store(from)
		seen := map[*Loop]int{}
		for range 6 {
			seen[g.Next()]++
		}
		if len(seen) != 3 {
			t.Errorf("from %d on, 6 calls gave %d loops", from, len(seen))
		}
	}
}
