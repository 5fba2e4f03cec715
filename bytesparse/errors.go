package bytesparse

import "strconv"

// Errors say what was wrong and where, as briefly as a log line can and still be
// understood. Each is allocated: an error ends the connection anyway.

// Reason says what was wrong with a message.
type Reason uint8

// The reasons. Error.Offset is that of the first offending byte.
const (
	ReasonNone             Reason = iota
	ReasonBareLF                  // LF without CR before it (RFC 9112 §2.2)
	ReasonBareCR                  // CR without LF after it (RFC 9112 §2.2)
	ReasonStartLine               // the start line does not have three parts separated by single SPs (RFC 9112 §3, §4)
	ReasonMethod                  // the method is empty or has a byte that is not a token byte (RFC 9110 §9.1)
	ReasonTarget                  // the target has a byte outside the URI set (RFC 9112 §3.2)
	ReasonTargetTooLong           // the target is longer than Limits.Target
	ReasonVersion                 // HTTP, but not HTTP/1.x (RFC 9110 §2.5)
	ReasonStatus                  // the status is not three digits, 100–999 (RFC 9110 §15)
	ReasonFieldName               // a byte that is not a token byte in a field name, or no colon after it (RFC 9110 §5.1)
	ReasonEmptyName               // a field line that begins with its colon (RFC 9110 §5.1)
	ReasonSpaceBeforeColon        // blank between a field name and its colon (RFC 9112 §5.1)
	ReasonFieldValue              // NUL or another control byte in a field value or reason phrase (RFC 9110 §5.5)
	ReasonObsFold                 // a line that begins with a blank (RFC 9112 §2.2, §5.2)
	ReasonTooManyFields           // more field lines than Limits.Fields
	ReasonChunkSize               // a chunk size that is not plain hex digits (RFC 9112 §7.1)
	ReasonChunkOverflow           // a chunk size that does not fit an int64
	ReasonChunkExt                // a chunk extension outside its grammar (RFC 9112 §7.1.1)
	ReasonChunkTooLong            // a chunk line longer than its bound
	ReasonChunkEnd                // a chunk's data that is not followed by CRLF (RFC 9112 §7.1)
	ReasonChunkOverhead           // more framing than ChunkLimits.Overhead allows for so little data
	ReasonBodyTooLong             // more data than ChunkLimits.Body
	ReasonEscape                  // "%" without two hex digits after it (RFC 3986 §2.1)
	numReasons
)

var reasonText = [numReasons]string{
	ReasonNone:             "no error",
	ReasonBareLF:           "LF without CR",
	ReasonBareCR:           "CR without LF",
	ReasonStartLine:        "malformed start line",
	ReasonMethod:           "invalid byte in method",
	ReasonTarget:           "invalid byte in request target",
	ReasonTargetTooLong:    "request target too long",
	ReasonVersion:          "unsupported HTTP version",
	ReasonStatus:           "invalid status code",
	ReasonFieldName:        "invalid field name",
	ReasonEmptyName:        "empty field name",
	ReasonSpaceBeforeColon: "blank before colon",
	ReasonFieldValue:       "invalid byte in field value",
	ReasonObsFold:          "folded line",
	ReasonTooManyFields:    "too many fields",
	ReasonChunkSize:        "invalid chunk size",
	ReasonChunkOverflow:    "chunk size too large",
	ReasonChunkExt:         "invalid chunk extension",
	ReasonChunkTooLong:     "chunk line too long",
	ReasonChunkEnd:         "missing CRLF behind a chunk",
	ReasonChunkOverhead:    "too much chunk framing",
	ReasonBodyTooLong:      "body too long",
	ReasonEscape:           "invalid percent-encoding",
}

// String returns the reason in a few lower-case words. It does not allocate.
func (r Reason) String() string {
	if r >= numReasons {
		return "unknown reason"
	}
	return reasonText[r]
}

// Error is the only error type of this package, always returned as *Error. It belongs
// to the caller that received it, and the package does not modify it afterwards.
type Error struct {
	Reason Reason // what was wrong
	Offset int    // index of the first offending byte in the slice that was parsed
}

// Error says what was wrong and where.
func (e *Error) Error() string {
	return "bytesparse: " + e.Reason.String() + " at byte " + strconv.Itoa(e.Offset)
}
