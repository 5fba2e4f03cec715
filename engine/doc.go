// Package engine is an HTTP/1.x server: the behaviour of the io.js http module,
// in Go, on event loops.
//
// A handler is ordinary blocking code. It is called straight from an event loop,
// as a coroutine of it: reading a body that has not arrived, or writing to a slow
// peer, suspends the handler and not the loop. A handler that blocks in another
// way (a lock, a database, a long computation) loses the loop within two to three
// milliseconds, and goes on as an ordinary goroutine; the loop's other connections
// hardly notice. Of waits that are shorter, but many, the same is found out in the same time.
//
//	engine.Server ── loop 0 ── worker: recv ▸ parse ▸ Handler ▸ send, next event …
//	              └─ loop 1 ── …
//
// # What runs where
//
//	                      ┌─ returns without a wait: the loop goes on with it, no switch at all
//	event ▸ head ▸ Handler┼─ waits for its peer (Read, Write, a call of the agent): suspends, 60 ns;
//	        │             │  the loop serves others and resumes it
//	        │             └─ blocks (found out within 1.8 ms) or computes (3.2 ms): the loop goes on
//	        │                without it, and the handler is an ordinary goroutine from then on
//	        └─ expected to block ▸ Handler on a pooled goroutine, for the price of one wake-up
//
// A watchdog looks at each busy loop every 1.6 ms, which takes less than half a percent of a
// core. A handler that it finds waiting, for a lock, a timer or a socket, loses the loop there
// and then, or, where few wait, when it still does a moment later; one that it finds running,
// when it finds it a second time. So what is found is what takes the loop's time, be it one
// long wait or one in each of many requests.
//
// Which requests are expected to block, a server finds out by itself (Auto): by method and
// first path segment it notes what was taken over, and hands all of the kind off from then
// on, until a thousand more of them have been quick than is to be set against those that
// have blocked meanwhile; if the next one then blocks the loop again, until twice as
// many have, and so on. The noting costs nothing until the first takeover. All stalls of a loop
// together are kept to half a percent of its time; beyond that, what is not known to be quick
// is handed off as well, and beyond twice that everything.
//
// Nothing has to be said for that. What can be said:
//
//   - Request.Block leaves the loop at once, which spares it that time: for a
//     handler that knows that it is about to query a database, say.
//   - Dispatch: Goroutine hands every request off. It suits servers where nearly every
//     handler blocks or computes for long; the wake-up of a goroutine is the price of
//     each request, and no handler ever stalls a loop.
//   - Dispatch: Inline never hands off. It suits those whose handlers never block. One
//     that does still loses its loop, after a stall each time, unless it was for less than
//     150 µs.
//
// Stats counts what ran where. Handshakes of TLS are expected to take long by the same
// rules, as one kind.
//
// The loops are goroutines among others. A busy one yields every 200 µs, and twice a
// millisecond it has the runtime look for sockets of package net that are ready, which
// would otherwise be done every 10 ms while every loop is saturated. So the rest of a program
// (goroutines, timers, a database's connections) runs within a millisecond or so: PERF.md
// has the figures. With GOMAXPROCS=1 a handler that computes is parted from its loop by the
// runtime only, after 10 ms, and from then on takes turns of up to 10 ms with it, as it
// would with any goroutine: whoever computes for long beside short requests wants a
// processor more.
//
// What each costs the others on its loop, and itself:
//
//	inline       as long as it runs, three milliseconds or so at most; nothing itself
//	suspended    nothing; two switches of 60 ns a wait, and its stack and buffers, 8 KiB a
//	             side, while it waits (Limits.Suspended bounds how many do)
//	taken over   that time, until it is found out; a new goroutine for the loop
//	Block        nothing; the same goroutine
//	handed off   nothing; the wake-up of a pooled goroutine, and its buffers
//
// The driver without loops (Portable, foreign net.Conns, systems without epoll or kqueue)
// has a goroutine a connection: there everything is handed off, and Block does nothing.
//
// Events run as handlers do, with all of this; so do the functions of a tls.Config, and
// whoever writes to ErrorLog, on a goroutine that is waited for.
//
// # What a handler may do
//
// What a goroutine may: block in whatever way, C and system calls included; recurse
// deeply; panic (500, and a word in the log; ErrAbort cuts the connection without
// either; once some of the answer has left, the connection is cut, so that it does not
// look whole: see below); call runtime.Goexit
// (the same as a panic); lock its OS thread, for as long as it runs: what it leaves locked
// is unlocked when it returns, and its waits take the goroutine's way. It may even never
// return: Shutdown ends by its deadline and Close at once, without it, and what it does
// with its request from then on fails with ErrClosed. All of that goes for events, hooks, the
// functions of a tls.Config and the log as well; for Events.Close, Close waits a second, and for
// the Close of listeners and connections that are the user's as long as they take.
//
// An answer that is cut, by its handler, a timeout, Close of its Socket or the end of the server,
// can be told from a whole one: by its length or its chunks, and where only the end of the
// connection would have told (HTTP/1.0) that is a reset, on TCP. Over TLS no cut answer ends with
// a close_notify (RFC 9112 §9.8). A handler that returns has said all, unless Close is ending
// the server: one that gives up should panic(ErrAbort).
//
// It may start goroutines, and have them read the body and write the answer, one on each
// side, but has to wait for them before it returns: request and response are used
// again then, for another client. Who is in the midst of a method is sent away with
// ErrOver, and so is, on amd64 and arm64, whoever was in one before. A goroutine whose first call
// comes after the return is not: it is taken for one of the next handler's, and would
// read what another client sends, or write into another's answer. The methods that tell
// or set things guard nothing; what they say too late is another request's. Tests with
// -tags galedebug find all of that.
//
// # Bytes
//
// A []byte that a request or response hands out is a view, valid until the handler
// returns; a string may be kept for ever. Build with -tags galedebug and released
// memory is overwritten, so that a view kept too long shows at once; a request or
// response used when its handler has returned panics then, whichever method it is and
// whoever calls it, and says so. No request is answered with the memory of another in
// such a build: it is for tests.
package engine
