// Slots: the table that turns the 64 bits the kernel keeps for a descriptor back into a stream. A
// slot's generation advances when its stream is closed, so that an event already fetched for that
// stream finds nothing.

package loop

// ownership says who owns a stream. Only the owner closes the descriptor.
type ownership uint8

const (
	closed   ownership = iota // nobody: there is no descriptor
	atRest                    // the loop
	running                   // its worker, on the loop, perhaps suspended
	detached                  // the goroutine of its handler, which runs without the loop
	taken                     // a Conn, which may outlive handler and loop
	shared                    // its user while busy, the loop while idle (shared.go)
)

type slot struct {
	stream *Stream
	gen    uint32
}

// table hands out slots from pages that never move: a single growing slice would leave several
// times its size behind for the garbage collector. Only the loop uses it.
type table struct {
	pages []*[slotsPerPage]slot
	made  uint32 // how many slots were ever handed out
	free  []uint32
	used  int
}

const (
	pageShift    = 9
	slotsPerPage = 1 << pageShift
)

// at returns the slot of an index below made.
func (t *table) at(i uint32) *slot { return &t.pages[i>>pageShift][i&(slotsPerPage-1)] }

// add gives s a slot and returns the token to register with the kernel.
func (t *table) add(s *Stream) uint64 {
	var i uint32
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		if i = t.made; i>>pageShift == uint32(len(t.pages)) {
			t.pages = append(t.pages, new([slotsPerPage]slot))
		}
		t.made++
	}
	at := t.at(i)
	at.stream = s
	s.index, s.gen = i, at.gen
	t.used++
	return s.token()
}

func (t *table) remove(s *Stream) {
	at := t.at(s.index)
	at.stream = nil
	at.gen++
	t.free = append(t.free, s.index)
	t.used--
}

// find returns the stream an event is for, or nil when it is gone.
func (t *table) find(index, gen uint32) *Stream {
	page := index >> pageShift
	if int(page) >= len(t.pages) {
		return nil
	}
	if at := &t.pages[page][index&(slotsPerPage-1)]; at.gen == gen {
		return at.stream
	}
	return nil
}
