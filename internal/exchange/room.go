// Rooms: large buffers to read much of a body at once. Where many megabytes come, their cost
// depends on how many are read at a time: with each read the kernel looks for a window to open,
// tells the sender, and, on the same machine, sends on for it. But not every message can have so
// much memory: rooms are lent for as long as what was read is being written, and never while there
// is nothing to read. A message that gets none reads into memory of its own, which is smaller.

package exchange

import (
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/pool"
)

const (
	// roomSize is the size of a room.
	roomSize = 256 << 10
	// largeSize is how much of a large body a message reads at once into memory of its own.
	largeSize = 4 * BufferSize
)

type room [roomSize]byte

var (
	rooms     = sync.Pool{New: func() any { return new(room) }}
	roomsLent atomic.Int32
	// roomsMost is how many rooms there are: more than loops, because slow writers keep some.
	roomsMost = int32(4 * runtime.GOMAXPROCS(0))
)

// takeRoom returns a room, nil when all are lent.
func takeRoom() *room {
	if roomsLent.Add(1) > roomsMost {
		roomsLent.Add(-1)
		return nil
	}
	return rooms.Get().(*room)
}

func (r *room) giveBack() {
	if r == nil {
		return
	}
	pool.Poison(r[:])
	rooms.Put(r)
	roomsLent.Add(-1)
}

// roomy reports whether enough of the body is certain to come next for a room to be worth while.
func (in *Incoming) roomy() bool {
	return in.start == in.end && in.pending == 0 && in.Conn.Remaining() > largeSize && in.err == nil && !in.eof && in.Stream.Raw()
}

// writeRooms writes the body to w as long as it is roomy and there are rooms. The error is w's; one
// of the reading shows when the body is read on.
func (in *Incoming) writeRooms(w io.Writer) (total int64, err error) {
	var r *room
	defer func() { r.giveBack() }() // w may panic
	for in.roomy() {
		if r = takeRoom(); r == nil {
			return total, nil
		}
		n, _ := in.readDirect(r[:], false)
		in.note()
		if n > 0 {
			written, failed := w.Write(r[:n])
			total, err = total+int64(written), failed
		}
		r.giveBack()
		r = nil
		switch {
		case err != nil:
			return total, err
		case n > 0:
			in.Stream.HasRead(n)
		case in.err == nil:
			in.err = in.Stream.WaitInput()
		}
	}
	return total, nil
}
