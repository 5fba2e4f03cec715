// Package bytesparse reads HTTP/1.x heads, chunk lines and field values out of
// byte slices: bytes in, positions out.
//
// It never copies, never allocates on the way of a good message, keeps no
// state but the caller's and starts nothing. A [Head] holds offsets into the
// buffer it was parsed from, so the buffer may be moved or grown as long as
// its bytes stay the same.
//
// # Ways to call it
//
//   - [Head.ParseRequest], [Head.ParseResponse] and [Head.ParseTrailers] take
//     what has arrived so far. They return the size of the head, or 0 when it
//     is not complete yet.
//   - [IndexHeadEnd] is the resumable search to use between two such calls, so
//     that a head that arrives byte by byte costs a constant per byte.
//   - [Chunked] reads a chunked body, step by step where it lies or many chunks
//     at a time into one slice.
//   - [CutTarget] parts a target of any form; [QueryPairs] and [ListItems] iterate over
//     its query and over the elements of a list, without copying; what is encoded is
//     decoded on demand.
//   - Everything else ([NextChunkLine], [NextToken], [ParseUint], …) reads one
//     value and returns.
//
// # Strictness
//
// Where leniency has ever been a smuggling bug, the message is refused: bare
// LF, bare CR, NUL and other control bytes, folded lines (in requests and
// trailers), blanks before the colon, names that are not tokens, targets with
// bytes outside the URI set, versions other than HTTP/1.x. There is no lenient
// mode.
//
// # What is left to the caller
//
// Fields are found, not interpreted. What must be judged of a whole head before anybody
// acts on it is the caller's to judge, with what is here: how long the body is (the example
// body of [Head.ParseRequest]), whether there is one Host and it is valid
// ([Head.ValidHost]), whether the form of the target suits the method ([CutTarget]).
//
// # The same input, the same answer
//
// The outcome never depends on where the segments of a connection end. A head
// is judged when it is complete, or when a byte has been seen that no further
// byte can make good: a control byte other than HTAB, or a CR and LF that do
// not belong together. The first offence in the order of the bytes is the one
// reported.
//
// Functions of this package may be called concurrently as long as no two calls
// share a Head (or, for [Head.ParseResponse], a buffer).
package bytesparse
