// Slots: the table that turns the 64 bits the kernel keeps for a descriptor
// back into a stream. A slot's generation moves on when its stream is closed,
// so that an event already harvested for it finds nothing.

package loop

// Ownership of a stream. Only the owner closes the descriptor.
type ownership uint8

const (
	closed   ownership = iota // no descriptor
	atRest                    // the loop's
	running                   // its worker's, on the loop, perhaps suspended
	detached                  // the goroutine's of a handler that lost the loop
	taken                     // a Conn's, which may outlive handler and loop
	shared                    // its user's while busy, the loop's while idle (shared.go)
)

type slot struct {
	stream *Stream
	gen    uint32
}

// table hands out slots. It may move when it grows: only the loop looks at it.
type table struct {
	slots []slot
	free  []uint32
	used  int
}

// add gives s a slot and returns the token to register with the kernel.
func (t *table) add(s *Stream) uint64 {
	var i uint32
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = uint32(len(t.slots))
		t.slots = append(t.slots, slot{})
	}
	t.slots[i].stream = s
	s.index, s.gen = i, t.slots[i].gen
	t.used++
	return s.token()
}

func (t *table) remove(s *Stream) {
	t.slots[s.index].stream = nil
	t.slots[s.index].gen++
	t.free = append(t.free, s.index)
	t.used--
}

// find returns the stream an event is for, or nil when it is gone.
func (t *table) find(index, gen uint32) *Stream {
	if int(index) >= len(t.slots) || t.slots[index].gen != gen {
		return nil
	}
	return t.slots[index].stream
}
