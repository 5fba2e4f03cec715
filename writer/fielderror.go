package writer

// What Headers refuses, and how it reports it. A field that could end its line, or
// the head, is never written (setters given CR, LF, NUL or a non-token name).

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
	FieldNameByte                        // the name has a byte that is not allowed in a token (RFC 9110 §5.6.2)
	FieldValueByte                       // the value has CR, LF, NUL or another control byte (RFC 9110 §5.5)
	FieldTooLong                         // all fields together would exceed 2 GiB
)

// FieldError is the error for a field name or value that must not be sent.
type FieldError struct {
	Name   string     // the field's name, as it was given
	Fault  FieldFault // what is wrong
	Offset int        // index of the offending byte in the name or value; FieldNameByte and FieldValueByte only
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

// The constructors clone the name: if the argument escaped into the error, callers could
// not keep the strings they pass on their stacks.

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
