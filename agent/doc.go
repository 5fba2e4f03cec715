// Package agent is gale's HTTP/1.x client: the Agent, ClientRequest and IncomingMessage
// of the io.js http module, on the event loops of internal/loop.
//
//	var req agent.Request
//	var res agent.Response
//	req.URL = "http://localhost:8080/"
//	if err := agent.Default.Do(ctx, &req, &res); err != nil { … }
//	defer res.Close()
//	io.Copy(os.Stdout, &res)
//
// # On the loop or off it
//
// Do is plain blocking code. When a handler of package engine calls it with the handler's
// own context, or one derived from it, the socket to the server lives on the handler's
// own loop, and waiting suspends the handler: this costs a loop event and no goroutine
// switch. When any other goroutine calls it, that goroutine parks, and one of the agent's
// own loops wakes it. A handler that blocked, and so lost its loop, counts as such a
// goroutine.
//
// # Who owns a socket
//
//   - In use by a handler: the handler's worker owns it. It is one of the worker's own
//     streams, and becomes an orphan with the worker when the loop is taken over.
//   - In use by any other goroutine: that goroutine owns it. The loop reports events on
//     the socket to it, and never closes the socket.
//   - At rest on a loop's lane: the loop owns it. Only callers on that loop find it,
//     without an atomic operation on shared memory.
//   - On the origin's shelf: it belongs to whoever wins one CAS, either a caller or, on
//     any event, its loop. It stays registered with its loop all the time.
//
// An idle socket rests on the lane of its loop, unless MaxSockets is set or a request is
// queued for the origin. It then goes to the shelf, where every caller can find it.
//
// A socket taken off the shelf may belong to another loop than the caller's. An ordinary
// goroutine uses it where it is. A handler moves it to its own loop: the descriptor is
// removed from the other loop's epoll set and added to that of the handler's loop. Events
// that nobody has seen yet are reported again by the new set; events of the old set that
// are still in flight find a stream that was given up, and do nothing.
//
// On a FIN, a reset or any byte for a socket on the shelf, its loop claims it (idle to
// dead) and closes it at once. Its place on the shelf stays as a tombstone until it is
// popped: the caller's claim then fails, the index is free again, and the caller tries the
// next socket. A FIN that arrives after the claim is found by the request itself, which is
// sent once more on a fresh socket when that is safe (Retry).
//
// # Waiting for a socket
//
// When MaxSockets sockets are in use, calls wait in order of arrival, and no later call
// overtakes them. queue.go says how, and why no wake-up is lost.
//
// # Where a response ends
//
// A body that has a length or is chunked ends where its framing says. One that is
// delimited by the end of the connection is complete only when the connection ends in good
// order: over TCP with a FIN, over TLS with a close_notify as well (RFC 9112 §9.8). Any
// other end is an error after the bytes that were received and handed out:
// ErrNoCloseNotify when TLS was closed without a close_notify, as it is when somebody on
// the path cuts the connection, and the network's error after a reset. Node and net/http
// accept an end without close_notify as the end of the body; a caller that must do so,
// because a server never sends one, can test errors.Is(err, ErrNoCloseNotify). Over a
// *tls.Conn returned by Agent.Dial, crypto/tls decides.
//
// # Cancellation
//
// When a call's context ends, the call ends with the context's error, whatever it was
// waiting for, and its socket is closed, never kept. A handler's own context costs
// nothing, on the loop or off it. Neither does a context under which the socket's previous
// two requests were made. Any other context that can end costs one context.AfterFunc per
// call.
//
// # User code
//
// Dial, the functions of a tls.Config, traces and a Source may block, lock their thread, or
// never return: this affects only the call in question, which ends with its context or its
// timeouts. If they panic or call runtime.Goexit on one of the agent's goroutines, where
// they nearly always run, the call fails, for a panic with a *PanicError, which has the
// stack. Events are called by the caller: a panic in one reaches the caller, and the socket
// is closed.
package agent
