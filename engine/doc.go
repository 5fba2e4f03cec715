// Package engine is an HTTP/1.x server on event loops. It behaves as the io.js http module
// does, in idiomatic Go.
//
// A handler is ordinary blocking code. The event loop calls it directly, as a coroutine: when
// it reads a body that has not arrived yet, or writes to a slow peer, the handler is suspended
// and the loop goes on. A handler that blocks in any other way (on a lock, a database, a long
// computation) loses the loop within two to three milliseconds and continues as an ordinary
// goroutine, so the loop's other connections are hardly delayed. Handlers that each block for
// less than that are detected just as fast when there are many of them.
//
//	engine.Server ── loop 0 ── worker: recv ▸ parse ▸ Handler ▸ send, next event …
//	              └─ loop 1 ── …
//
// # What runs where
//
//	                      ┌─ returns without waiting: the loop goes on, no switch at all
//	event ▸ head ▸ Handler┼─ waits for its peer (Read, Write, a call of the agent): suspends, 60 ns;
//	        │             │  the loop serves others and resumes it
//	        │             └─ blocks (detected within 1.8 ms) or computes (3.2 ms): the loop goes on
//	        │                without it, and the handler is an ordinary goroutine from then on
//	        └─ expected to block ▸ Handler on a pooled goroutine, at the price of one wake-up
//
// A watchdog looks at every busy loop each 1.6 ms, which takes less than half a percent of a
// core. A handler that it finds waiting (for a lock, a timer or a socket) loses the loop at
// once or, where waiting handlers are rare, if it is still waiting 150 µs later. A handler that
// it finds running loses the loop if the next look finds the same one running. What is detected
// is therefore whatever takes the loop's time, be it one long wait or a short one in each of
// many requests.
//
// With Auto, the server learns which requests to expect to block. It records takeovers by
// method and first path segment. After one takeover, all requests of that kind are handed off,
// until 1024 more of them have been quick than are needed to offset those that were not: one
// that took 50 µs cancels 16 quick ones, one that took 2.4 ms or longer cancels 800. The next
// one is then tried on the loop. Each time the kind soon blocks the loop again, the number of
// quick ones required doubles, up to 256 × 1024. The bookkeeping starts with a loop's first
// takeover, and costs nothing before that. The stalls of a loop are kept to half a percent of its
// time; beyond that budget, kinds not known to be quick are handed off as well, and beyond twice
// the budget everything is.
//
// None of this needs configuration. What can be configured:
//
//   - Request.Block leaves the loop at once and so spares it the time until detection. It is
//     for a handler that knows it is about to block, such as one that queries a database.
//   - Dispatch: Goroutine hands off every request. It suits servers where nearly every handler
//     blocks or computes for long: each request costs the wake-up of a goroutine, and no
//     handler ever stalls a loop.
//   - Dispatch: Inline never hands off. It suits servers whose handlers never block. One that
//     does still loses its loop, after a stall each time, unless it waits for less than 150 µs.
//
// Stats counts what ran where. TLS handshakes are subject to the same rules, as one kind.
//
// The loops are goroutines among others. A busy loop yields every 200 µs, and every 500 µs it
// makes the runtime poll the sockets of package net, which would otherwise happen only every
// 10 ms while all loops are saturated. So the rest of the program (goroutines, timers, database
// connections) runs within a millisecond or so; PERF.md has the figures. With GOMAXPROCS=1 only
// the runtime can preempt a handler that computes, after 10 ms; from then on it and the loop
// take turns of up to 10 ms, as any two goroutines do. A program that computes for long beside
// short requests should have one processor more.
//
// What each way of running costs the other connections of the loop, and the handler itself:
//
//	inline       its running time, about three milliseconds at most; nothing itself
//	suspended    nothing; two switches of 60 ns per wait, and its stack and buffers, 8 KiB a
//	             side, while it waits (Limits.Suspended bounds the number of such handlers)
//	taken over   the time until it is detected; a new goroutine for the loop
//	Block        nothing; a new goroutine for the loop
//	handed off   nothing; the wake-up of a pooled goroutine, and its buffers
//
// The portable driver (Server.Portable, net.Conns that are not plain sockets, systems without
// epoll and kqueue) runs one goroutine per connection. There every request counts as handed
// off, and Block does nothing.
//
// Events run like handlers, under the same rules, and so do the functions of a tls.Config.
// The ErrorLog's writer runs on a goroutine of its own, which the logging goroutine waits for.
//
// # What a handler may do
//
// A handler may do whatever a goroutine may:
//
//   - Block in any way, in C code and system calls too, and recurse deeply.
//   - Panic. The panic is logged and the client gets a 500; once part of the response has been
//     sent, the connection is cut instead, so that the response does not look complete.
//     ErrAbort as the panic value cuts the connection without a log entry.
//   - Call runtime.Goexit, which has the effect of a panic.
//   - Lock its OS thread. While it is locked, a wait leaves the loop and parks the goroutine.
//     A thread still locked when the handler returns is unlocked.
//   - Never return. Shutdown then ends by its deadline, and Close at once, without the handler;
//     whatever it does with its request afterwards fails with ErrClosed.
//
// The same holds for events, hooks, the functions of a tls.Config and the log. Close waits up
// to a second for Events.Close and for listeners that the user supplied, and for connections
// until none has ended for a second; those that are stuck are left behind.
//
// A response that is cut (by its handler, a timeout, Close of its Socket or the end of the
// server) can be told from a complete one by its length or its chunks. Where only the end of
// the connection marks the end of the body (HTTP/1.0), a TCP connection is reset. Over TLS a
// response that was cut is never followed by a close_notify (RFC 9112 §9.8). When a handler
// returns, its response is taken to be complete, unless Close is ending the server; a handler
// that gives up should panic(ErrAbort).
//
// A handler may start goroutines and let them read the body and write the response, one
// goroutine for each side. It must wait for them before it returns, because request and
// response are then reused for another client. A goroutine that is inside a method at that
// moment gets ErrOver. On amd64 and arm64, so does every later call by a goroutine that used
// the same request before. A goroutine whose first call comes after the return is not
// recognised: it is taken for one of the next handler's, and would read another client's
// body or write into another client's response. The methods that only get or set a value are
// not guarded; a late call of one acts on another request. Tests built with -tags galedebug
// find all of these.
//
// # Bytes
//
// A []byte that a request or response hands out is a view, valid until the handler returns; a
// string may be kept for ever. With -tags galedebug, released memory is overwritten, so that a
// view kept too long shows at once, and any use of a request or response after its handler has
// returned panics with a message that says so, whichever method and whichever goroutine it is.
// In such a build no request reuses the memory of another: it is for tests.
package engine
