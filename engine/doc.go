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
// # What runs where
//
//	                      ┌─ returns without a wait: the loop goes on with it, no switch at all
//	event ▸ head ▸ Handler┼─ waits for its peer (Read, Write, a call of the agent): suspends, 60 ns;
//	        │             │  the loop serves others and resumes it
//	        │             └─ blocks or computes: after about 1 ms the loop goes on without it, and
//	        │                the handler is an ordinary goroutine from then on
//	        └─ expected to block ▸ Handler on a pooled goroutine, for the price of one wake-up
//
// Which requests are expected to block, a server finds out by itself (Auto): it counts
// takeovers by method and first path segment, and hands off what was taken over twice
// within a second, until that has become quick again. The counting costs nothing
// until the first takeover. All stalls of a loop together are kept to about 1.5 % of
// its time; beyond that, what is not known to be quick is handed off as well.
//
// Nothing has to be said for that. What can be said:
//
//   - Request.Block leaves the loop at once, which spares it the millisecond: for a
//     handler that knows that it is about to query a database, say.
//   - Dispatch: Goroutine hands every request off. It suits servers where nearly every
//     handler blocks or computes for long; the wake-up of a goroutine is the price of
//     each request, and no handler ever stalls a loop.
//   - Dispatch: Inline never hands off. It suits those whose handlers never block. One
//     that does still loses its loop, after a stall each time.
//
// Stats counts what ran where. With GOMAXPROCS=1 a handler that computes is found out
// by the runtime only, after 10 ms.
//
// A handler may do what a goroutine may: start others, and have them read the body and
// write the answer, one on each side, until it returns (afterwards they get ErrOver);
// panic (500, and a word in the log; ErrAbort cuts the connection without either);
// call runtime.Goexit; lock its OS thread, for as long as it runs: what it leaves
// locked is unlocked when it returns.
//
// # Bytes
//
// A []byte that a request or response hands out is a view, valid until the handler
// returns; a string may be kept for ever. Build with -tags galedebug and released
// memory is overwritten, so that a view kept too long shows at once; a request or
// response used when its handler has returned panics then, and says so.
package engine
