// What the two filters of a kqueue say about a socket, in the terms of epoll.

package sys

// readiness translates an event of the input filter, or the output filter. eof is
// EV_EOF, failed a pending error of the socket.
//
// At EV_EOF the input filter means that the peer will send no more: because of its FIN, or of a
// reset, which is an error as well; what has arrived can still be read. The output filter means
// that nothing can be sent any more, which is also so when our own side was shut down. It says
// nothing about the peer: whoever waits to write is woken and finds out.
func readiness(output, eof, failed bool) uint32 {
	bits := uint32(In)
	if output {
		bits = Out
	}
	if eof && failed {
		bits |= Err
	}
	if eof && !output {
		bits |= PeerGone
	}
	return bits
}
