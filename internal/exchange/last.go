// The head that repeats itself: a server's answers are often the same byte by byte, until
// the second is over and their date changes.

package exchange

import "github.com/gale-http/gale/internal/h1"

// Last is the last head of an answer that came in, with what the machine made of it. The Head of the
// Incoming must be of it: whoever has another one parsed calls Forget first.
type Last struct {
	bytes  []byte
	after  h1.Conn
	limits *h1.Limits
}

// lastLimit is how long a head may be that is kept.
const lastLimit = 1 << 10

// Forget has nothing be taken for the last head.
func (l *Last) Forget() { l.bytes = l.bytes[:0] }

// Note notes the head that in has just found, the first one since its machine was reset.
func (l *Last) Note(in *Incoming) {
	if len(in.head) <= lastLimit {
		l.bytes, l.after, l.limits = append(l.bytes[:0], in.head...), *in.Conn, in.Limits
	}
}

// Repeated is Next for a Client that was just reset, where the head that comes is the last
// one again: what is known of that is true of it. Otherwise it reports false and has done
// nothing.
func (l *Last) Repeated(in *Incoming) bool {
	n, b := len(l.bytes), in.buf[in.start:in.end]
	if n == 0 || len(b) < n || l.limits != in.Limits || l.after.Method() != in.Conn.Method() || string(b[:n]) != string(l.bytes) {
		return false
	}
	*in.Conn = l.after
	in.found(n)
	return true
}
