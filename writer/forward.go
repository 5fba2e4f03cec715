package writer

// Forwarding the fields of a received message: their lines are copied as received, many
// at a time; if they equal those of the previous message, they are not even copied.

import (
	"bytes"

	"github.com/gale-http/gale/bytesparse"
)

// forwarded records what AddFields did last. Its lines are still in the arena as long as
// nothing has been written over them.
type forwarded struct {
	from   []byte // the lines as received
	drop   uint64
	arena  int  // where they begin in the arena
	end    int  // and end there
	lines  int  // where they begin in Headers.lines
	last   int  // and end there
	stands bool // the lines are still there
}

// keptForwarded bounds forwarded.from, in bytes; longer fields are copied each time.
const keptForwarded = 4 << 10

// AddFields appends the fields of head, which was parsed from b, in order and as they were
// spelled, except those in drop, which has a bit for each well-known name. Parsing has
// validated them. The error is a *FieldError if the fields become too long. It allocates
// only to grow.
func (h *Headers) AddFields(head *bytesparse.Head, b []byte, drop uint64) error {
	if len(head.Fields) == 0 {
		return nil
	}
	from := b[head.Fields[0].NameOff:head.Size]
	if !h.fits(len(from) + 2*len(head.Fields)) {
		return tooLong("")
	}
	f := &h.forwarded
	if f.stands && f.arena == h.Size() && f.lines == h.n && f.drop == drop && bytes.Equal(f.from, from) {
		h.arena, h.lines = h.arena[:max(len(h.arena), f.end)], h.lines[:max(len(h.lines), f.last)]
		h.n = f.last
		return nil
	}
	h.forget()
	if h.arena == nil {
		h.arena, h.lines = make([]byte, 0, firstArena), make([]line, 0, firstLines)
	}
	before := forwarded{from: f.from[:0], drop: drop, arena: len(h.arena), lines: h.n}
	h.copyFields(head, b, drop)
	*f = before
	f.end, f.last = len(h.arena), h.n
	if f.stands = len(from) <= keptForwarded; f.stands {
		f.from = append(f.from, from...)
	}
	return nil
}

// copyFields is AddFields without the shortcut: it copies one run of kept lines at a time.
func (h *Headers) copyFields(head *bytesparse.Head, b []byte, drop uint64) {
	fields, seen := head.Fields, h.seen()
	for i := 0; i < len(fields); {
		f := &fields[i]
		if drop>>(f.ID&63)&1 != 0 && f.ID != bytesparse.FieldOther {
			i++
			continue
		}
		start := f.NameOff
		shift := int32(len(h.arena)) - int32(start)
		for {
			name, value := f.NameOff+uint32(f.NameLen), f.ValueOff+f.ValueLen
			if f.ValueOff != name+2 || b[name+1] != ' ' || b[value] != '\r' {
				break // other white space than the lines here have
			}
			bit := uint64(1) << (f.ID & 63)
			h.lines = append(h.lines, line{off: int32(f.NameOff) + shift, end: int32(value) + 2 + shift, name: int(f.NameLen), value: int(f.ValueLen),
				id: f.ID, only: seen&bit == 0, seen: seen | bit})
			seen |= bit
			start = value + 2
			if i++; i == len(fields) {
				break
			}
			f = &fields[i]
			if f.NameOff != start || drop>>(f.ID&63)&1 != 0 && f.ID != bytesparse.FieldOther {
				break
			}
		}
		if first := uint32(int32(len(h.arena)) - shift); first != start {
			h.arena, h.n = append(h.arena, b[first:start]...), len(h.lines)
			continue
		}
		h.copyField(f, b)
		seen = h.seen()
		i++
	}
}

// copyField appends one line in the layout of the arena.
func (h *Headers) copyField(f *bytesparse.Field, b []byte) {
	off := int32(len(h.arena))
	h.arena = append(append(append(append(h.arena, f.NameOf(b)...), ": "...), f.ValueOf(b)...), "\r\n"...)
	h.append(line{off: off, end: int32(len(h.arena)), name: int(f.NameLen), value: int(f.ValueLen), id: f.ID, only: !h.Has(f.ID)})
}
