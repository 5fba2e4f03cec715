package writer

// Fields of a message that was received, for who passes messages on: their lines are
// copied as they came, many at a time, and those that are what they were in the last
// message are not even that.

import (
	"bytes"

	"github.com/gale-http/gale/bytesparse"
)

// forwarded is what AddFields did last: the lines are in the arena still as long as
// nothing was written over them.
type forwarded struct {
	from   []byte // the lines as they came
	drop   uint64
	arena  int // where in the arena they begin and end
	end    int
	lines  int // and in lines
	last   int
	stands bool
}

// keptForwarded is how much of lines as they came is kept for comparing.
const keptForwarded = 4 << 10

// AddFields appends the fields of head, which was parsed from b, but for those in drop, a
// bit for each well-known name, in order and as they were spelled. They are valid since
// they were parsed. It does not allocate but to grow.
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

// copyFields does it, run by run of lines that are kept.
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
				break // white space that lines here do not have
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

// copyField appends one line in our layout.
func (h *Headers) copyField(f *bytesparse.Field, b []byte) {
	off := int32(len(h.arena))
	h.arena = append(append(append(append(h.arena, f.NameOf(b)...), ": "...), f.ValueOf(b)...), "\r\n"...)
	h.append(line{off: off, end: int32(len(h.arena)), name: int(f.NameLen), value: int(f.ValueLen), id: f.ID, only: !h.Has(f.ID)})
}
