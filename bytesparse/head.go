package bytesparse

// A parsed head holds positions, not slices: there is no pointer for the garbage
// collector to follow, and the buffer may move. The walk over the head records which
// well-known fields occur, one bit each, because every message is asked about them.

// Field is one field line of a head: the positions of its name and its value in
// the buffer the head was parsed from, and the id of its name. It takes sixteen bytes
// and holds no pointer, so that a head costs the garbage collector nothing.
type Field struct {
	NameOff  uint32
	ValueOff uint32
	ValueLen uint32
	ID       FieldID
	NameLen  uint16
}

// NameOf returns the field's name as received, a view into b, which must be
// the buffer the head was parsed from or a copy of it.
func (f Field) NameOf(b []byte) []byte {
	return b[f.NameOff : uint(f.NameOff)+uint(f.NameLen)]
}

// ValueOf returns the field's value without the white space around it, a view
// into b, which must be the buffer the head was parsed from or a copy of it.
// It is never nil.
func (f Field) ValueOf(b []byte) []byte {
	return b[f.ValueOff : uint(f.ValueOff)+uint(f.ValueLen)]
}

// Span is a run of bytes in the buffer a head was parsed from.
type Span struct{ Off, Len uint32 }

// Of returns the span's bytes, a view into b, which must be the buffer the
// head was parsed from or a copy of it.
func (s Span) Of(b []byte) []byte { return b[s.Off : uint(s.Off)+uint(s.Len)] }

// Head is a parsed start line and its fields, as positions in the buffer it
// was parsed from. The caller owns both. The zero Head is ready for use. A reused
// Head keeps the backing array of Fields, so that parsing allocates only when a head
// has more fields than any before it; a caller may also supply the array:
// h.Fields = inline[:0].
//
// The contents are valid from a parse that returned n > 0 until the next parse.
type Head struct {
	Fields []Field // in order of arrival; the backing array is kept between parses and holds no pointer

	Size   int    // bytes of the head, its closing empty line included
	Method Method // requests: the method's id; MethodOther for one that is not well-known
	Minor  uint8  // minor HTTP version: 0 or 1
	Status uint16 // responses: 100–999
	Name   Span   // requests: the method
	Target Span   // requests: the request target, as received
	Reason Span   // responses: the reason phrase, may be empty

	// The assembly depends on the order of Method to Reason: it stores several of them at once.
	seen uint64 // bit id: this field occurs
	dup  uint64 // bit id: it occurs more than once
	m    masks  // scratch space of a parse; here rather than on the stack, where it would be zeroed each time

	listed bool                // first has been filled in for this head
	first  [numFieldIDs]uint16 // index in Fields of the first one, valid if listed and seen; otherwise of an earlier head
	host   knownHost           // the last Host found to be valid
}

// Limits bounds a head. In each field, zero means the default and a negative number
// no limit.
type Limits struct {
	Fields int // field lines; 1000 by default, never more than 65535
	Target int // bytes of the request target; 16384 by default
}

const (
	defaultFields = 1000
	defaultTarget = 16 << 10
	maxFields     = 1<<16 - 1 // what Head.first can index
)

func (l *Limits) fields() int {
	switch {
	case l == nil || l.Fields == 0:
		return defaultFields
	case l.Fields < 0:
		return maxFields
	}
	return min(l.Fields, maxFields)
}

func (l *Limits) target() int {
	switch {
	case l == nil || l.Target == 0:
		return defaultTarget
	case l.Target < 0:
		return 1<<31 - 1
	}
	return l.Target
}

// permitShort reports whether every head of fewer than shortHead bytes is within the limits.
func (l *Limits) permitShort() bool {
	return uint(l.Fields-1) >= uint(shortFields-1) && uint(l.Target-1) >= uint(shortHead-1)
}

// Reset discards the message. The backing array of Fields is kept.
func (h *Head) Reset() {
	h.Fields = h.Fields[:0]
	h.Size = 0
	h.Method, h.Minor, h.Status = 0, 0, 0
	h.Name, h.Target, h.Reason = Span{}, Span{}, Span{}
	h.seen, h.dup, h.listed = 0, 0, false
}

// Has reports whether a field with that id occurs; for FieldOther, whether any
// field that is not well-known does.
func (h *Head) Has(id FieldID) bool { return h.seen>>(id&63)&1 != 0 }

// HasAny reports whether any of several fields occurs: set has the bit 1<<id of each.
func (h *Head) HasAny(set uint64) bool { return h.seen&set != 0 }

// Dup reports whether a field with that id occurs on more than one line.
func (h *Head) Dup(id FieldID) bool { return h.dup>>(id&63)&1 != 0 }

// Index returns the index in Fields of the first field with that id, -1 when
// there is none. The first call for a field that occurs indexes all fields of the
// head; later calls need no search. (Indexing during the walk costs more: the address
// of such a store depends on the preceding look-ups, and holds up the loads that
// follow.) It must not be called concurrently on the same Head.
func (h *Head) Index(id FieldID) int {
	if id >= numFieldIDs || !h.Has(id) {
		return -1
	}
	if !h.listed {
		h.list()
	}
	return int(h.first[id])
}

// Find is Index for callers that need only one or a few fields of a head: it first tries the
// position the field had in the previous head, where it usually is.
func (h *Head) Find(id FieldID) int {
	if i := int(h.first[id&63]); i < len(h.Fields) && h.Fields[i].ID == id && !h.Dup(id) {
		return i
	}
	return h.Index(id)
}

func (h *Head) list() {
	for i := len(h.Fields) - 1; i >= 0; i-- {
		h.first[h.Fields[i].ID] = uint16(i)
	}
	h.listed = true
}

// NextIndex returns the index in Fields of the next field with that id after
// index i, -1 when there is none. With i = -1 it finds the first.
func (h *Head) NextIndex(id FieldID, i int) int {
	for i++; i < len(h.Fields); i++ {
		if h.Fields[i].ID == id {
			return i
		}
	}
	return -1
}

// Value returns the value of the first field with that id, nil when there is
// none; an empty value is not nil. It is a view into b, which must be the
// buffer the head was parsed from or a copy of it.
func (h *Head) Value(b []byte, id FieldID) []byte {
	i := h.Find(id)
	if i < 0 {
		return nil
	}
	return h.Fields[i].ValueOf(b)
}

// ValueNamed is Value for a field of any name, compared without regard to case. A name that
// is not well-known is searched for field by field. It does not allocate.
func (h *Head) ValueNamed(b []byte, name string) []byte {
	if id := LookupField(name); id != FieldOther {
		return h.Value(b, id)
	}
	if i := h.NextNamed(b, name, -1); i >= 0 {
		return h.Fields[i].ValueOf(b)
	}
	return nil
}

// NextNamed is NextIndex for a field of any name, compared without regard to case: it returns
// the index in Fields of the next field called name after index i, -1 when there is none. b
// must be the buffer the head was parsed from or a copy of it. It does not allocate.
func (h *Head) NextNamed(b []byte, name string, i int) int {
	id := LookupField(name)
	for i = h.NextIndex(id, i); i >= 0; i = h.NextIndex(id, i) {
		if f := h.Fields[i]; id != FieldOther || int(f.NameLen) == len(name) && EqualFold(f.NameOf(b), name) {
			break
		}
	}
	return i
}
