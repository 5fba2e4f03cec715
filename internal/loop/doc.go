// Package loop runs blocking code on an event loop.
//
// A Group has one Loop per core. A Loop owns a poller (epoll, or kqueue), a table of streams
// (sockets), a timing wheel, and workers: coroutines that run it in turn.
//
//	             root goroutine            for { worker = next runnable; switch to it }
//	                  │ ▲
//	      switch 60ns │ │ yield
//	                  ▼ │
//	worker: for { s = next ready stream; serve s }     state of the loop is in Loop, not on this stack
//	                         │
//	                         ├─ never waits: no switch at all
//	                         └─ waits: the stream remembers the worker, the worker yields; the root
//	                            takes the next event and gives it to a spare worker, or resumes the
//	                            worker that was waiting for it
//
// Code of the user runs under a lease (lease.go). A handler that keeps it too
// long loses the loop to a new root (watchdog.go) and ends as an ordinary
// goroutine: whatever it calls here from then on parks it like any other.
//
// # Who may touch what
//
// The loop's own state (table, wheel, queues, free lists) belongs to whoever
// holds the lease. A stream belongs, at rest, to the loop; while it is served,
// to its worker; and while its worker is detached, to that goroutine. Only the
// owner closes. Others use the atomic words of the stream, shutdown(2), and the
// inbox.
package loop
