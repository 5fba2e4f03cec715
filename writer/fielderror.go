package writer

// The rule of this file: what Headers refuses, and how it says so. A field that
// could end its line, or the head, is never written (design: setters given CR,
// LF, NUL or a non-token name).

import (
	"strconv"
	"strings"

	"github.com/gale-http/gale/bytesparse"
)

// FieldFault says what is wrong with a field that [Headers] refused.
type FieldFault uint8

// What may be wrong with a field.
const (
	FieldNameEmpty FieldFault = iota + 1 // the name is empty
	FieldNameByte                        // the name has a byte that no token has (RFC 9110 §5.6.2)
	FieldValueByte                       // the value has CR, LF, NUL or another control byte (RFC 9110 §5.5)
	FieldTooLong                         // all fields together would pass 2 GiB
)

// FieldError is the error for a field name or value that must not be sent.
type FieldError struct {
	Name   string     // the field's name, as it was given
	Fault  FieldFault // what is wrong
	Offset int        // where the offending byte is in the name or value; FieldNameByte and FieldValueByte only
	Byte   byte       // the offending byte; likewise
}

// Error says which field, what is wrong, and where.
func (e *FieldError) Error() string {
	name := e.Name
	if len(name) > 64 {
		name = name[:64] + "…"
	}
	msg := "writer: field " + strconv.Quote(name) + ": "
	switch e.Fault {
	case FieldNameEmpty:
		return msg + "the name is empty"
	case FieldNameByte:
		msg += "the name"
	case FieldValueByte:
		msg += "the value"
	default:
		return msg + "too long"
	}
	return msg + " has byte 0x" + string(AppendHex(nil, uint64(e.Byte))) + " at offset " + strconv.Itoa(e.Offset)
}

// The constructors clone the name: were the caller's string to escape into the
// error, a caller could not build it on its stack.

func badName(name string) error {
	for i := range len(name) {
		if !bytesparse.IsToken(name[i : i+1]) {
			return &FieldError{Name: strings.Clone(name), Fault: FieldNameByte, Offset: i, Byte: name[i]}
		}
	}
	return &FieldError{Fault: FieldNameEmpty}
}

func badValue(name, value string, i int) error {
	return &FieldError{Name: strings.Clone(name), Fault: FieldValueByte, Offset: i, Byte: value[i]}
}

func tooLong(name string) error {
	return &FieldError{Name: strings.Clone(name), Fault: FieldTooLong}
}

// indexBadValue returns the index of the first byte of s that a field value must
// not have, -1 when there is none. It looks at whole words, the last of which
// overlaps the one before, and only when there is any control byte does it look
// for which, since HTAB is fine.
func indexBadValue(s string) int {
	n := len(s)
	if n < 8 {
		if n < 4 || controls(load32(s)|load32(s[n-4:])<<32) != 0 {
			return indexControl(s)
		}
		return -1
	}
	found := controls(load64(s[n-8:]))
	for i := 0; i < n-8; i += 8 {
		found |= controls(load64(s[i:]))
	}
	if found != 0 {
		return indexControl(s)
	}
	return -1
}

// controls returns the top bit of each byte of w that is below 0x20 or is 0x7f.
func controls(w uint64) uint64 {
	const ones = 0x0101010101010101
	low := w & (0x7f * ones) // so that no sum below carries into the next byte
	return (^(low + 0x60*ones) | (low + ones)) &^ w & (0x80 * ones)
}

// indexControl is indexBadValue byte by byte.
func indexControl(s string) int {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return i
		}
	}
	return -1
}

// load64 and load32 read the first bytes of s, the first one lowest; the
// compiler makes a single load of each.

func load64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load32(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}
