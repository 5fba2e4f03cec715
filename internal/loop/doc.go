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
//
// # What a handler calls, under the lease
//
//	call                               while it holds the lease              once it is lost
//	Stream.Read, Write, SendFile …     own socket only; a wait enters        parks
//	  giving way after 256 KiB         enters                                nothing
//	Stream.Connect, Take, Rest, Close  only between Enter and Leave          by Post, Return
//	  of another stream
//	Stream.Handshake                   as Read and Write                     parks
//	Stream.SetReadDeadline and such    atomics; whoever waits is told        the same
//	Gate.Wait                          enters                                parks
//	Conn.Take                          enters                                by Post
//	Worker.Unix                        an atomic of the loop's               the clock
//	Stream.Watch                       enters                                by Post
//	Stream.Forgive, Alert              atomics                               the same
//	Stream.HungUp, Broken, Failed …    atomics                               the same
//	Stream.LookHungUp                  a system call on its own socket       an atomic
//	Stream.Unended, Mute               atomics                               the same
//	Stream.HalfClose                   a system call on its own socket       the same
//	Stream.Farewell                    as Write                              parks
//	Stream.Offer, Claim, Untroubled    atomics; reads of the socket in use   the same
//	Stream.Hand, Return                –                                     by Post
//	Seat.Set, Gate.Open, Cancel        atomics, Post                         the same
//	Worker.GiveUp                      enters, and leaves the loop for good  nothing
//	ClaimEarly                         a CAS; a wait enters                  parks
//	Worker.End                         enters, for good                      tells so
//	any of them on another goroutine   never enters: atomics, locks, Post    the same
//	Tick, Nanos, Expect, HandOff, Rest, Open, Close, Take, Move, Reclaim, Share, Fail, Stir,
//	  Unheard, PeerGone, Follow …      never: the loop is held, or entered   never
//
// The methods of engine and agent are made of these: in both, TestEveryCallIsAudited
// has a row for each, and TestEveryCallEverywhere makes them all.
//
// Entering fails when the lease is gone, and when the handler has locked its OS
// thread, which must not be switched away from: the lease is given up then.
package loop
