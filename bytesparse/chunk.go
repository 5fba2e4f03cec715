package bytesparse

// Chunk lines: chunk-size [ chunk-ext ] CRLF (RFC 9112 §7.1). Nearly all consist
// of a few hex digits and CRLF. Extensions are checked against their grammar by a
// small state machine and otherwise ignored. The error reported is the first one in
// byte order, so that it does not matter where b was cut.

// defaultChunkLine bounds a chunk line, in bytes, unless the caller sets a limit.
const defaultChunkLine = 256

// NextChunkLine reads the chunk-size line at the start of b (RFC 9112 §7.1,
// §7.1.1). n is the length of the line including its CRLF, size the chunk's size in
// bytes; n == 0 with a nil error means that the line is incomplete: call again with
// more bytes. The size must consist of hex digits only; extensions must follow their
// grammar and are ignored.
//
// lim bounds n, in bytes; 0 means 256 and a negative number no limit. The error is
// an *Error and does not depend on where b was cut. It allocates only on error.
func NextChunkLine(b []byte, lim int) (n int, size int64, err error) {
	if lim == 0 {
		lim = defaultChunkLine
	}
	bounded := lim > 0 && len(b) >= lim
	if bounded {
		b = b[:lim]
	}
	i := 0
	for ; i < len(b) && class[b[i]]&classHex != 0; i++ {
		if size>>59 != 0 {
			return 0, 0, &Error{ReasonChunkOverflow, i}
		}
		size = size<<4 | int64(unhex(b[i]))
	}
	if i == 0 && len(b) > 0 && b[0] != '\r' { // a CR may turn out to be a bare CR: judged below
		return 0, 0, badChunk(b, 0, ReasonChunkSize)
	}
	if i > 0 && isLineEnd(b, i) {
		return i + 2, size, nil
	}
	empty := i == 0
	i, r := chunkExt(b, i)
	switch {
	case empty && i+1 < len(b):
		return 0, 0, badChunk(b, i, ReasonChunkSize)
	case r != ReasonNone:
		return 0, 0, badChunk(b, i, r)
	case i+1 < len(b):
		return i + 2, size, nil
	case bounded:
		return 0, 0, &Error{ReasonChunkTooLong, lim}
	}
	return 0, 0, nil
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}

// badChunk returns the error for the byte at b[i], which is not allowed there.
func badChunk(b []byte, i int, r Reason) error {
	switch {
	case b[i] == '\n':
		r = ReasonBareLF
	case b[i] == '\r' && i+1 < len(b) && b[i+1] != '\n':
		r = ReasonBareCR
	}
	return &Error{r, i}
}

// The states of chunkExt. Each is named after what precedes the next byte; the comment
// says what may stand there.
const (
	afterSize   = iota // blanks before ";"
	afterSemi          // blanks before a name
	inName             // a name
	afterName          // blanks before "=" or ";"
	afterEqual         // blanks before a value
	inValue            // a token as value
	inQuoted           // a quoted string
	afterEscape        // a backslash in a quoted string
	afterValue         // blanks before ";"
)

// chunkExt checks the extensions of a chunk line from b[i] on, directly after the
// size: *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ). It returns
// the index of the CR that ends the line; while the line is incomplete, len(b), or
// the index of a CR that is the last byte; on error, the index of the offending byte
// and the reason.
func chunkExt(b []byte, i int) (int, Reason) {
	bare, state := true, afterSize // bare: the previous byte is no blank
	for ; i < len(b); i++ {
		c := b[i]
		if c == '\r' {
			if i+1 == len(b) {
				return i, ReasonNone
			}
			if b[i+1] == '\n' && bare && (state == afterSize || state == inName || state == inValue || state == afterValue) {
				return i, ReasonNone
			}
			return i, unlessSize(state)
		}
		next := nextExtState(state, c)
		if next < 0 {
			return i, unlessSize(state)
		}
		bare = !isOWS(c)
		state = next
	}
	return i, ReasonNone
}

// unlessSize returns the reason for a byte that is not allowed in that state.
func unlessSize(state int) Reason {
	if state == afterSize {
		return ReasonChunkSize
	}
	return ReasonChunkExt
}

// nextExtState returns the state that byte c leads to, -1 if c is not allowed in
// that state.
func nextExtState(state int, c byte) int {
	token := class[c]&classToken != 0
	switch state {
	case inQuoted:
		switch {
		case c == '"':
			return afterValue
		case c == '\\':
			return afterEscape
		case class[c]&classQuoted != 0:
			return inQuoted
		}
		return -1
	case afterEscape:
		if class[c]&classValue != 0 {
			return inQuoted
		}
		return -1
	}
	switch {
	case isOWS(c):
		switch state {
		case inName:
			return afterName
		case inValue:
			return afterValue
		}
		return state
	case c == ';' && state != afterSemi && state != afterEqual:
		return afterSemi
	case c == '=' && (state == inName || state == afterName):
		return afterEqual
	case token && (state == afterSemi || state == inName):
		return inName
	case token && (state == afterEqual || state == inValue):
		return inValue
	case c == '"' && state == afterEqual:
		return inQuoted
	}
	return -1
}
