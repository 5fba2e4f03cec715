// Package loop runs blocking code on an event loop.
//
// A Group has one Loop per core. A Loop owns a poller (epoll or kqueue), a table of streams
// (sockets), a timing wheel, and workers: coroutines that take turns at running it.
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
// User code runs under a lease (lease.go). A handler that keeps the loop too long loses it to a new
// root (watchdog.go) and finishes as an ordinary goroutine: from then on, whatever it calls here
// parks it like any other goroutine.
//
// # Who may touch what
//
// The loop's own state (table, wheel, queues, free lists) belongs to whoever holds the lease. A
// stream belongs to the loop while it is at rest, to its worker while it is served, and to the
// goroutine of its handler once that has lost the loop (slot.go lists all states). Only the owner
// closes it. Everyone else uses the stream's atomic words, shutdown(2) and the inbox.
//
// # What a handler may call under the lease
//
//	call                               while it holds the lease              once it has lost it
//	Stream.Read, Write, SendFile …     own socket only; a wait enters        parks
//	  giving way after 256 KiB         enters                                does nothing
//	Stream.Connect, Take, Rest, Close  only between Enter and Leave          by Post, Return
//	  of another stream
//	Stream.Handshake                   as Read and Write                     parks
//	Stream.SetReadDeadline and such    atomics; wakes the waiter             the same
//	Gate.Wait                          enters                                parks
//	Conn.Take                          enters                                by Post
//	Worker.Unix                        an atomic of the loop                 reads the clock
//	Stream.Watch                       enters                                by Post
//	Stream.Forgive, Alert              atomics                               the same
//	Stream.HungUp, Broken, Failed …    atomics                               the same
//	Stream.LookHungUp                  a system call on its own socket       an atomic
//	Stream.SetIncomplete               atomics                               the same
//	Stream.SuppressCloseNotify         atomics                               the same
//	Stream.HalfClose                   a system call on its own socket       the same
//	Stream.FinishUntilClose            as Write                              parks
//	Stream.Offer, Claim, NoInputNoted  atomics; reads of the socket in use   the same
//	Stream.Hand, Return                –                                     by Post
//	Seat.Set, Gate.Open, Cancel        atomics, Post                         the same
//	Worker.GiveUp                      enters, and leaves the loop for good  does nothing
//	ClaimEarly                         a CAS; a wait enters                  parks
//	Worker.End                         enters, for good                      reports the loss
//	any of them on another goroutine   never enters: atomics, locks, Post    the same
//	Tick, Expect, HandOff, Rest, Open, Close, Take, Move, Reclaim, Share, Fail, WakeSleeper,
//	  Unheard, PeerGone, Follow …      never: the loop is held, or entered   never
//
// The methods of engine and agent are made of these: in both, TestEveryCallIsAudited has a row for
// each, and TestEveryCallEverywhere makes them all.
//
// Entering fails when the lease is gone. It also fails when the handler has locked its OS thread,
// because a coroutine locked to a thread must not be switched away from: the lease is given up
// then.
package loop
