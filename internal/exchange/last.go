// The head that repeats itself: the heads of a server's answers are often the same byte for byte,
// until the second is over and the date changes.

package exchange

import "github.com/gale-http/gale/internal/h1"

// Last is the head of the last answer that came in, with the machine as it was after that. The Head
// of the Incoming must be that head's: whoever has another one parsed calls Forget first.
type Last struct {
	bytes  []byte
	after  h1.Conn
	limits *h1.Limits
}

// lastLimit is the longest head that is kept.
const lastLimit = 1 << 10

// Forget forgets the last head.
func (l *Last) Forget() { l.bytes = l.bytes[:0] }

// Note records the head that in has just found, the first one since its machine was reset.
func (l *Last) Note(in *Incoming) {
	if len(in.head) <= lastLimit {
		l.bytes, l.after, l.limits = append(l.bytes[:0], in.head...), *in.Conn, in.Limits
	}
}

// Match is Next for a client's machine that was just reset, when the next head is the last one
// again: then what is known of that holds for it. Otherwise it reports false and has done nothing.
func (l *Last) Match(in *Incoming) bool {
	n, b := len(l.bytes), in.buf[in.start:in.end]
	if n == 0 || len(b) < n || l.limits != in.Limits || l.after.Method() != in.Conn.Method() || string(b[:n]) != string(l.bytes) {
		return false
	}
	*in.Conn = l.after
	in.found(n)
	return true
}
