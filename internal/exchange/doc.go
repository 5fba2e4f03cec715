// Package exchange is one message exchange over a stream: a message coming in,
// whose body waits for its bytes, and a message going out, which waits for a slow
// peer. It stands on internal/h1, which knows the protocol and does no I/O, and
// internal/loop, which does I/O and knows no protocol; engine and agent stand on
// it from their two sides.
//
// # Memory
//
// Reading and writing go through buffers of the worker that runs the exchange,
// not of the connection. The head stays where it was read until the exchange is
// over, body bytes pass behind it, and a body read into a large slice does not
// pass through the buffer at all:
//
//	buf  | head ........ | unread: body, next messages ... |  free  |
//	     0               start                             end      cap
//
// A worker that waits keeps its buffers; nothing is copied when it does.
package exchange
