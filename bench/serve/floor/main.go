// Command floor is the limit that an HTTP server on this machine can reach: one raw
// loop in Go that knows no HTTP. It waits with nested epoll sets exactly as gale's loop
// does, receives, counts the empty lines, and sends as many prepared answers. Whatever a
// real server spends beyond this is its own cost.
//
// It answers every request on every path with the greeting. For the churn workload it
// closes the connection after an answer.
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/internal/sys"
)

const (
	maxBatch  = 512     // answers sent at once, at most
	spinTurns = 16      // empty polls before the loop parks
	readSize  = 1 << 16 // one receive
	dateForm  = "Mon, 02 Jan 2006 15:04:05 GMT"
	dateSize  = len(dateForm)
)

var headEnd = []byte("\r\n\r\n")

// loop is the whole server: a set of connections, a gate through which the
// runtime's poller sees the set while the loop is parked, and the answers.
type loop struct {
	set, gate int
	parked    waiter
	file      *os.File // holds the listener open
	listener  int
	perClose  bool   // close after the first answer
	answers   []byte // maxBatch copies of the answer
	size      int    // of one answer
	dateAt    int    // offset of its date
	date      [dateSize]byte
	fresh     int // copies that carry the current date
	second    int64
	in        []byte
	matched   map[int]int // by descriptor: bytes of an incomplete empty line at the end of the last receive
}

func main() {
	o := peer.Parse()
	if o.Cert != "" {
		peer.Fail(fmt.Errorf("the floor does not speak TLS"))
	}
	l, err := newLoop(o)
	if err != nil {
		peer.Fail(err)
	}
	peer.Run(l.run)
}

func newLoop(o *peer.Options) (*loop, error) {
	l := &loop{in: make([]byte, readSize), matched: map[int]int{}, perClose: strings.HasPrefix(o.Workload, "churn")}
	l.render()
	ln, err := net.Listen("tcp4", o.Addr)
	if err != nil {
		return nil, err
	}
	file, err := ln.(*net.TCPListener).File() // a descriptor of our own; the runtime's is closed
	if err != nil {
		return nil, err
	}
	l.file, l.listener = file, int(file.Fd())
	if err := sys.SetNonblock(l.listener); err != nil {
		return nil, err
	}
	if err := ln.Close(); err != nil {
		return nil, err
	}
	if l.set, err = sys.EpollCreate(); err != nil {
		return nil, err
	}
	if l.gate, err = sys.EpollCreate(); err != nil {
		return nil, err
	}
	if e := sys.EpollAdd(l.set, l.listener, sys.In, uint64(l.listener)); e != 0 {
		return nil, e
	}
	if e := sys.EpollAdd(l.gate, l.set, sys.In|sys.OneShot, 0); e != 0 {
		return nil, e
	}
	l.parked, err = newWaiter(l.gate)
	return l, err
}

func (l *loop) run() error {
	events := make([]sys.EpollEvent, maxBatch)
	idle := 0
	for {
		n, e := sys.EpollWait(l.set, events)
		if e != 0 && e != sys.EINTR {
			return e
		}
		if n > 0 {
			idle = 0
			l.refresh(time.Now().Unix())
			for i := range events[:n] {
				l.serve(int(events[i].Lo))
			}
			continue
		}
		if idle++; idle < spinTurns {
			continue
		}
		idle = 0
		if e := sys.EpollMod(l.gate, l.set, sys.In|sys.OneShot, 0); e != 0 {
			return e
		}
		if err := l.parked.wait(); err != nil {
			return err
		}
	}
}

// render prepares the answers, without a date.
func (l *loop) render() {
	connection := ""
	if l.perClose {
		connection = "Connection: close\r\n"
	}
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: %s\r\nDate: ", peer.Name)
	one := fmt.Sprintf("%s%s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s", head, dateForm,
		peer.ContentType, len(peer.Greeting), connection, peer.Greeting)
	l.size, l.dateAt = len(one), len(head)
	l.answers = []byte(strings.Repeat(one, maxBatch))
}

// refresh records the time; each copy of the answer gets the new date when it is next
// used.
func (l *loop) refresh(now int64) {
	if now != l.second {
		l.second, l.fresh = now, 0
		time.Unix(now, 0).UTC().AppendFormat(l.date[:0], dateForm)
	}
}

// batch returns k answers with the current date.
func (l *loop) batch(k int) []byte {
	for ; l.fresh < k; l.fresh++ {
		copy(l.answers[l.fresh*l.size+l.dateAt:], l.date[:])
	}
	return l.answers[:k*l.size]
}

func (l *loop) serve(fd int) {
	if fd == l.listener {
		l.accept()
		return
	}
	n, e := sys.Recv(fd, l.in)
	if e == sys.EAGAIN {
		return
	}
	if n <= 0 || e != 0 {
		l.drop(fd)
		return
	}
	k := l.count(fd, l.in[:n])
	for k > 0 {
		batch := l.batch(min(k, maxBatch))
		if sent, e := sys.Send(fd, batch); e != 0 || sent < len(batch) { // a client that does not read is dropped
			l.drop(fd)
			return
		}
		if l.perClose {
			l.drop(fd)
			return
		}
		k -= min(k, maxBatch)
	}
}

func (l *loop) drop(fd int) {
	delete(l.matched, fd)
	sys.Close(fd)
}

func (l *loop) accept() {
	for {
		fd, e := sys.Accept(l.listener)
		if e != 0 {
			return
		}
		sys.SetNoDelay(fd)
		if e := sys.EpollAdd(l.set, fd, sys.In|sys.PeerGone|sys.Edge, uint64(fd)); e != 0 {
			sys.Close(fd)
		}
	}
}

// count returns the number of requests that end in b, even if b begins or ends within an
// empty line.
func (l *loop) count(fd int, b []byte) int {
	k := 0
	var carry []byte // the part of an empty line that came before b
	if len(l.matched) > 0 {
		carry = headEnd[:l.matched[fd]]
		delete(l.matched, fd)
	}
	if len(carry) > 0 {
		joined := append(bytes.Clone(carry), b[:min(len(b), len(headEnd)-1)]...)
		if at := bytes.Index(joined, headEnd); at >= 0 {
			k++
			b, carry = b[at+len(headEnd)-len(carry):], nil
		}
	}
	for at := bytes.Index(b, headEnd); at >= 0; at = bytes.Index(b, headEnd) {
		k++
		b, carry = b[at+len(headEnd):], nil
	}
	if len(b) == 0 && len(carry) == 0 {
		return k
	}
	if len(b) < len(headEnd)-1 {
		b = append(bytes.Clone(carry), b...)
	}
	for have := len(headEnd) - 1; have > 0; have-- {
		if bytes.HasSuffix(b, headEnd[:have]) {
			l.matched[fd] = have
			break
		}
	}
	return k
}
