package writer

// The chunked transfer coding (RFC 9112 §7.1), without chunk extensions. A chunk of
// no bytes would end the body, so none is ever written by accident.

const (
	// ChunkEnd ends a chunk whose size line was written with AppendChunkHead.
	ChunkEnd = "\r\n"
	// LastChunk ends a chunked body without trailers.
	LastChunk = "0\r\n\r\n"
)

// AppendChunk appends p as one chunk: size, data and both line ends. An empty
// p appends nothing.
func AppendChunk(dst, p []byte) []byte {
	if len(p) == 0 {
		return dst
	}
	dst = AppendChunkHead(dst, int64(len(p)))
	dst = append(dst, p...)
	return append(dst, ChunkEnd...)
}

// AppendChunkHead appends the size line of a chunk of n bytes, for a caller
// that sends the data by other means and ChunkEnd after it. It panics if n is not
// positive: zero would end the body.
func AppendChunkHead(dst []byte, n int64) []byte {
	if n <= 0 {
		panic("writer: AppendChunkHead: size not positive")
	}
	dst = AppendHex(dst, uint64(n))
	return append(dst, "\r\n"...)
}

// AppendLastChunk ends a chunked body: the last chunk, the trailer section
// (RFC 9112 §7.1.2) and the closing empty line. trailers may be nil or empty. The
// caller must ensure that they are fields allowed in trailers (RFC 9110 §6.5.1).
func AppendLastChunk(dst []byte, trailers *Headers) []byte {
	if trailers == nil || trailers.Len() == 0 {
		return append(dst, LastChunk...)
	}
	dst = append(dst, "0\r\n"...)
	dst = trailers.Append(dst)
	return append(dst, "\r\n"...)
}
