// Package engine is an HTTP/1.x server: the behaviour of the io.js http module,
// in Go, on event loops.
//
// A handler is ordinary blocking code. It is called straight from an event loop,
// as a coroutine of it: reading a body that has not arrived, or writing to a slow
// peer, suspends the handler and not the loop. A handler that blocks in another
// way (a lock, a database, a long computation) loses the loop after about a
// millisecond, and goes on as an ordinary goroutine; the loop's other connections
// do not notice.
//
//	engine.Server ── loop 0 ── worker: recv ▸ parse ▸ Handler ▸ send, next event …
//	              └─ loop 1 ── …
//
// # Bytes
//
// A []byte that a request or response hands out is a view, valid until the handler
// returns; a string may be kept for ever. Build with -tags galedebug and released
// memory is overwritten, so that a view kept too long shows at once.
package engine
