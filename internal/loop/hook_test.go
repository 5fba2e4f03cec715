// Everyone who hangs at a seat is told, and nobody else.

package loop

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// note is an Ender that notes what it is told.
type note struct {
	hook Hook
	told chan uint64
}

func newNote() *note { return &note{told: make(chan uint64, 64)} }

func (n *note) Ended(use uint64) { n.told <- use }

// newSeat returns the seat of a context, and the function that ends that context.
func newSeat(t *testing.T) (*Seat, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	seat := new(Seat)
	seat.Init(new(Stream), ctx, nil)
	return seat, cancel
}

// After any steps, exactly the hooks in the list are told, each with the number it was hung with
// last.
func TestHooks(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		seat, cancel := newSeat(t)
		notes, hung := make([]*note, 6), make([]uint64, 6) // 0: does not hang
		for i := range notes {
			notes[i] = newNote()
		}
		for step := range uint64(random.IntN(60)) {
			switch i := random.IntN(len(notes)); {
			case random.IntN(8) == 0:
				seat.Vacate()
			case hung[i] != 0:
				notes[i].hook.Unhang()
				notes[i].hook.Unhang() // does no harm
				hung[i] = 0
			default:
				hung[i] = step + 1
				seat.Hang(&notes[i].hook, notes[i], hung[i])
			}
		}
		cancel()
		for i, n := range notes {
			if hung[i] != 0 {
				if use := simnet.Receive(t, n.told, "the end"); use != hung[i] {
					t.Fatalf("seed %d: told %d, hung with %d", seed, use, hung[i])
				}
			}
		}
		seat.hooks.mu.Lock()
		if seat.hooks.ended && seat.hooks.first != nil {
			t.Fatalf("seed %d: somebody still hangs there", seed)
		}
		seat.hooks.mu.Unlock()
		for i, n := range notes {
			n.hook.Unhang()
			if len(n.told) > 0 {
				t.Fatalf("seed %d: %d was told and did not hang", seed, i)
			}
		}
		if !slices.ContainsFunc(hung, func(use uint64) bool { return use != 0 }) {
			continue
		}
		late := newNote() // the context is known to have ended
		seat.Hang(&late.hook, late, 7)
		if len(late.told) != 1 {
			t.Fatalf("seed %d: who comes too late is not told at once", seed)
		}
	}
}

// Hooks are hung and taken down while the context ends. A hook that hangs is told with its present
// number, though perhaps with an earlier one, too, and with none twice.
func TestHooksMeetTheEnd(t *testing.T) {
	const uses = 20
	for range 200 {
		seat, cancel := newSeat(t)
		var all sync.WaitGroup
		var hangs atomic.Int32
		for range 4 {
			all.Go(func() {
				n := newNote()
				for use := uint64(1); use < uses; use++ {
					seat.Hang(&n.hook, n, use)
					hangs.Add(1)
					n.hook.Unhang()
				}
				seat.Hang(&n.hook, n, uses)
				hangs.Add(1)
				for told := make(map[uint64]bool); !told[uses]; {
					use := simnet.Receive(t, n.told, "the end")
					if use == 0 || use > uses || told[use] {
						t.Errorf("told %d after %v", use, told)
						return
					}
					told[use] = true
				}
			})
		}
		for hangs.Load() < 2*uses {
			runtime.Gosched()
		}
		cancel()
		all.Wait()
	}
}
