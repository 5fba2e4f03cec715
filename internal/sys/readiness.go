// What the two filters of a kqueue say of a socket, in the words of epoll.

package sys

// readiness translates an event of the input filter, or the output filter. eof is
// EV_EOF, failed a pending error of the socket.
//
// At EV_EOF the input filter means that the peer will send no more: by its FIN, or
// by a reset, which is an error as well; what has arrived can still be read. The
// output filter means that nothing can be sent, our own end of sending included. It
// says nothing of the peer: whoever waits to write is woken and finds out.
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
