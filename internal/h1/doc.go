// Package h1 is the HTTP/1.x message machine of gale: bytes in, events out
// (RFC 9110, RFC 9112). It knows no socket, no clock and no buffer, and is the
// same machine for servers and clients; only what a head means depends on the
// Role. All the strictness of gale that concerns messages is here, once.
//
// # States of a Conn
//
//	Reset
//	  │   ┌───────────────────────────────────────────────────┐
//	  ▼   ▼                                                   │ KeepAlive
//	  idle ── NextHead: HeadDone ─┬─ no body ───────────────▶ │
//	   │ ▲                        │                           │
//	   │ └─────── interim 1xx ────┤                           │
//	   │                          ├─ length: Data … ────────▶ │
//	   │ NextHead: eof            │                           │ complete: End
//	   │                          ├─ chunked:                 │
//	   │                          │   chunk line ◀─┐          │
//	   │                          │    │ │ size>0  │ CRLF     │
//	   │                          │    │ └▶ Data …─┘          │
//	   │                          │    └─ 0 ▶ Trailers ─────▶ │
//	   │                          │                           │ not KeepAlive, CONNECT,
//	   │                          └─ until close: Data … ─┐   │ 101, 2xx to CONNECT
//	   │                                              eof │   │
//	   └──────────────▶ stopped ◀─────────────────────────┴───┘
//	                    NextHead answers End; nothing more is parsed
//
//	any state ── error ──▶ failed: NextHead and Next answer ErrFailed
//
// A step takes what is there, says how much of it is consumed and what it was. What it says does
// not depend on how the bytes were cut; only Data comes in as many pieces as there were segments. A
// caller's loop:
//
//	n, ev, err := c.NextHead(data, eof, &head, &limits)
//	… n, ev, err = c.Next(data[n:], eof, &trailers, &limits) … until End
//	… NextHead again, with what is left: the next request of a pipeline
//
// The positions in a Head are relative to the data of the call that reported
// it. Nothing is retained: the caller may move or release its buffer between
// calls, as long as bytes that were not consumed come again.
//
// # What is attacked here, and what stops it
//
//   - Request smuggling by two lengths: Content-Length with Transfer-Encoding, two
//     Content-Lengths, a list of them, "+5", "0x5", "5 5", an overflowing number:
//     framing refuses all of them.
//   - By a coding that one party knows and the other does not: "xchunked",
//     "chunked, identity", ",chunked", two lines, a parameter, an obs-folded or
//     otherwise hidden value: only the one word "chunked" is ever decoded.
//   - By a version: Transfer-Encoding in HTTP/1.0 is refused, not ignored.
//   - By a method: framing never looks at it. GET, HEAD, DELETE have bodies when
//     their heads say so; CONNECT with a body is refused, and nothing behind a
//     CONNECT is ever parsed as a request.
//   - By an unread body: NextHead refuses with ErrBodyUnread until End was seen. After
//     Connection: close or an error, NextHead parses nothing.
//   - By line breaks: bare CR, bare LF, a second empty line, a missing CRLF behind a
//     chunk, blanks around a chunk size: all refused.
//   - By the end of the connection: an incomplete head is never acted on, a body cut
//     short is an error, also one that only the end of TLS would have ended (Truncated).
//   - Routing by disagreement: several Hosts, an invalid one, user information, a target
//     whose form does not suit the method.
//   - Trailers that pose as headers: kept in a Head of their own.
//   - Response splitting on the client side: a body where none can be is not read as one;
//     more than 64 interim responses are refused, and so is a switch to a protocol that was
//     not asked for (CheckSwitch).
//   - Endless heads, fields, targets, chunk lines, trailers: Limits. The search for the end of a
//     head goes on where it stopped, so one byte at a time costs a constant each.
//   - Chunk framing that dwarfs its data (one-byte chunks with long extensions): the
//     debt that bytesparse.Chunked keeps.
//   - Numbers near 2⁶³: lengths are compared by subtraction from what is left.
package h1
