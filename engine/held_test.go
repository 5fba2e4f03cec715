// Slots and buffers: connections that rest with the beginning of a head hold one of each, and
// release both however they go on.

package engine_test

import (
	"math"
	"runtime"
	"strconv"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

func TestSlotsAndBuffersComeBack(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if d.portable {
			return // it has neither: a connection is a goroutine, with a buffer of its own
		}
		s := start(t, d, hello)
		before, _ := s.Held()
		const n = 30
		clients := make([]*client, n)
		for i := range clients {
			clients[i] = s.dial()
			clients[i].send(request("/") + "GET / HT") // an answer proves that the rest was read too
			clients[i].expect(200, "hello")
		}
		if !simnet.Becomes(func() bool { slots, buffers := s.Held(); return slots == before+n && buffers == n }) {
			slots, buffers := s.Held()
			t.Errorf("%d slots, %d buffers for %d heads that have begun", slots-before, buffers, n)
		}
		for i, c := range clients {
			switch i % 3 {
			case 0: // goes on
				c.send("TP/1.1\r\nHost: a\r\n\r\n")
				c.expect(200, "hello")
			case 1: // goes wrong
				c.send("\n\n\n")
				c.expect(400, "")
			} // or just goes
			_ = c.Close()
		}
		if !simnet.Becomes(func() bool { slots, buffers := s.Held(); return slots == before && buffers == 0 }) {
			slots, buffers := s.Held()
			t.Errorf("%d slots and %d buffers are left", slots-before, buffers)
		}
	})
}

// A connection at rest is a slot of at most 256 bytes, and the page that the runtime allocates is
// hardly larger than its slots.
func TestSlotSize(t *testing.T) {
	if engine.SlotSize > 256 {
		t.Errorf("a slot has %d bytes", engine.SlotSize)
	}
	if strconv.IntSize == 32 {
		return // no header of the runtime's, and smaller slots
	}
	const pages = 100
	least := math.Inf(1) // others may allocate meanwhile
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range pages {
			engine.NewPage()
		}
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.TotalAlloc-before.TotalAlloc)/pages/engine.SlotsPerPage)
	}
	if least > float64(engine.SlotSize)*1.05 {
		t.Errorf("%.1f bytes are allocated for each slot of %d", least, engine.SlotSize)
	}
}
