// Package bytesparse parses HTTP/1.x heads, chunk lines and field values in
// byte slices: bytes in, positions out.
//
// Parsing a valid message does not copy it, and allocates only to grow the caller's
// slices. The package has no state of its own and starts no goroutines. A [Head]
// holds offsets into the buffer it was parsed from, so the buffer may be moved or
// grown as long as its bytes stay the same.
//
// # Overview
//
//   - [Head.ParseRequest], [Head.ParseResponse] and [Head.ParseTrailers] take
//     what has arrived so far. They return the size of the head, or 0 while it
//     is incomplete.
//   - [IndexHeadEnd] is a resumable search for the end of a head. Call it until it
//     finds the end, and then parse once: a head that arrives byte by byte then costs
//     a constant per byte.
//   - [Chunked] decodes a chunked body, either in place, one piece at a time, or many
//     chunks at once into a slice.
//   - [CutTarget] splits a request target of any form. [QueryPairs] and [ListItems]
//     iterate over a query and over the elements of a list without copying; decoding
//     is left to the caller ([AppendUnescaped], [AppendUnquoted]).
//   - The other functions ([NextChunkLine], [NextToken], [ParseUint], …) read a
//     single value.
//
// # Strictness
//
// Input whose lenient parsing has ever been a smuggling bug is refused: bare LF,
// bare CR, NUL and other control bytes, folded lines (in requests and trailers),
// blanks before the colon, names that are not tokens, targets with bytes outside the
// URI set, versions other than HTTP/1.x. There is no lenient mode.
//
// # What is left to the caller
//
// Fields are located, not interpreted. Before acting on a head, the caller must
// decide, with the functions of this package, how long the body is (see the example
// "body" of [Head.ParseRequest]), whether there is exactly one Host and it is valid
// ([Head.ValidHost]), and whether the form of the target suits the method
// ([CutTarget]).
//
// # Segment boundaries do not matter
//
// The outcome never depends on how the input was split into segments. A head is
// judged when it is complete, or as soon as it holds a byte that makes it invalid
// whatever follows: a control byte other than HTAB, a bare CR or a bare LF. The
// error reported is the first one in byte order.
//
// The functions of this package may be called concurrently as long as no two calls
// share a Head (or, for [Head.ParseResponse], a buffer).
package bytesparse
