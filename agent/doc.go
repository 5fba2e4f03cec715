// Package agent is gale's HTTP/1.x client: the Agent, ClientRequest and IncomingMessage
// of the io.js http module, on the loops of internal/loop.
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
// Do is plain blocking code. Called by a handler of package engine with the handler's
// own context, or one derived from it, the socket to the server lives on the handler's
// own loop, and waiting suspends the handler: a loop event, no goroutine switch. Called
// by any other goroutine it parks that, and a loop of the agent's own wakes it. A
// handler that has lost its loop, because it blocked, is such a goroutine.
//
// # Who owns a socket
//
//   - In use by a handler: the handler's worker; it is one of the worker's own streams,
//     and becomes an orphan with it when the loop is taken away.
//   - In use by any other goroutine: that goroutine. The loop tells it what happens on
//     the socket, and closes nothing.
//   - At rest on a loop's lane: the loop. Only callers on that loop find it, without an
//     atomic operation on shared memory.
//   - On the origin's shelf: whoever wins one CAS, a caller or, when anything happens on
//     it, its loop. It stays registered with its loop all the time.
//
// A socket goes to the lane of its loop unless a finite MaxSockets, or somebody who
// waits, says that everybody must find it: then it goes to the shelf.
//
// When a caller takes a socket off the shelf that belongs to another loop, it depends on
// the caller. An ordinary goroutine uses it where it is. A handler takes it to its own
// loop: it removes the descriptor from the other loop's epoll set and adds it to its
// own. What had happened on the socket and nobody had seen is an event again in the new
// set, and events of the old one that are on their way find a stream that was given up.
//
// A FIN, a reset or any byte on a socket on the shelf makes its loop claim it (idle to
// dead) and close it at once. Its place on the shelf is a tombstone until it comes up:
// then the claim of the caller fails, the index is free again, and the caller takes the
// next. A FIN that comes after the claim is found by the request itself, which is sent
// once more on a fresh socket when that is safe (Retry).
//
// # Waiting for a socket
//
// With MaxSockets in use, calls wait in order of arrival (queue.go says how, and why no
// wake-up is lost). Nobody barges past them.
//
// # Where an answer ends
//
// A body with a length or in chunks ends where it says. One without either ends as the
// connection does, and is whole when that has ended in good order: over TCP with a FIN, over
// TLS with a close_notify as well (RFC 9112 §9.8). Any other end is an error behind what has
// come, which was handed out: ErrNoCloseNotify where TLS has not told it, as when somebody on
// the way has cut the connection, and the network's where it was reset. Node and net/http take
// an end without close_notify for that of the body; who must do so because a server never says
// it can, where errors.Is(err, ErrNoCloseNotify). Over a *tls.Conn of Agent.Dial, crypto/tls
// decides.
//
// # Cancellation
//
// When a call's context ends, the call ends with the context's error, whatever it was
// waiting for, and its socket is closed, never kept. A handler's own context costs
// nothing, on the loop and off it, nor does one under which the socket was used twice in a row
// before; any other that can end costs a context.AfterFunc a call.
//
// # Code of the user's
//
// Dial, the functions of a tls.Config, traces and a Source may block, lock their thread and never
// return: that is the call's own affair, which ends with its context or its timeouts. A panic in them, or
// runtime.Goexit, fails the call where a goroutine of the agent's calls them, as it nearly always does;
// events are called by the caller, who gets the panic, and whose socket is closed.
package agent
