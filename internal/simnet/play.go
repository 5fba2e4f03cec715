// Playing: one conversation over one connection. What comes back is read as it
// comes and compared at once, so that a wrong byte fails without waiting for the
// rest.

package simnet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Cut returns the length of the next piece that the client sends at once: off is where the piece
// begins in all that the client sends, n how much there is to send now.
type Cut func(off, n int) int

// Whole sends everything there is at once.
func Whole(_, n int) int { return n }

// Bytes sends one byte at a time.
func Bytes(_, n int) int { return min(n, 1) }

// Every sends pieces of k bytes.
func Every(k int) Cut { return func(_, n int) int { return min(n, k) } }

// At cuts once, before byte i of all that the client sends.
func At(i int) Cut {
	return func(off, n int) int {
		if off < i && i < off+n {
			return i - off
		}
		return n
	}
}

// Player plays conversations. Its zero value sends Whole, and does not test connections that stay
// open.
type Player struct {
	Cut      Cut
	Epilogue []Step // played on connections that the conversation leaves open
}

// Play plays s over c and closes c. The error says which step went wrong, and how.
func (p *Player) Play(c net.Conn, s *Script) error {
	defer c.Close()
	cut := p.Cut
	if cut == nil {
		cut = Whole
	}
	run := &run{conn: c, cut: cut}
	run.news.L = &run.mu
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		run.receive()
	}()
	err := p.steps(run, s)
	_ = c.Close()
	<-reading
	return err
}

func (p *Player) steps(run *run, s *Script) error {
	steps := s.Steps
	if !s.Closes() {
		steps = append(steps[:len(steps):len(steps)], p.Epilogue...)
	}
	for i, step := range steps {
		if err := run.step(step); err != nil {
			return fmt.Errorf("%s: %s: step %d: %w", s.Place, s.Name, i+1, err)
		}
	}
	if more := run.left(); len(more) > 0 {
		return fmt.Errorf("%s: %s: the server sent more than it should: %q", s.Place, s.Name, more)
	}
	return nil
}

// run is a conversation being played. What the server sends is received on a goroutine of its own:
// over a Pipe, a server that answers while the client still sends would otherwise wait for ever.
type run struct {
	conn net.Conn
	cut  Cut
	sent int

	mu   sync.Mutex
	news sync.Cond
	got  []byte // received, and not matched yet
	err  error  // why no more will come
}

func (r *run) receive() {
	var buf [4096]byte
	for {
		n, err := r.conn.Read(buf[:])
		r.mu.Lock()
		r.got = append(r.got, buf[:n]...)
		r.err = err
		r.mu.Unlock()
		r.news.Signal()
		if err != nil {
			return
		}
	}
}

func (r *run) left() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

func (r *run) step(step Step) error {
	r.patient()
	switch step.Action {
	case Send:
		r.send(step.Bytes)
		return nil
	case Expect:
		return r.expect(step.Bytes)
	case HalfClose:
		half, ok := r.conn.(interface{ CloseWrite() error })
		if !ok {
			return errors.New("this transport cannot be closed by halves")
		}
		return half.CloseWrite()
	}
	return r.closed()
}

// patient gives the next step its time. An error shows in the step itself.
func (r *run) patient() { _ = r.conn.SetDeadline(time.Now().Add(Patience)) }

// send sends p in pieces. It is no error here that the server closes before it has got all of it:
// its answer is judged, and so is its closing.
func (r *run) send(p []byte) {
	for len(p) > 0 {
		n := max(1, r.cut(r.sent, len(p)))
		r.sent += n
		r.patient()
		if _, err := r.conn.Write(p[:n]); err != nil {
			return
		}
		if p = p[n:]; len(p) > 0 {
			settle(r.conn)
		}
	}
}

func (r *run) expect(want []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		n, state := match(r.got, want)
		switch {
		case state == matched:
			r.got = r.got[n:]
			return nil
		case state == differs:
			return fmt.Errorf("got\n%q\ninstead of\n%q", r.got, want)
		case r.err != nil:
			return fmt.Errorf("got\n%q\nand %v, instead of\n%q", r.got, r.err, want)
		}
		r.news.Wait()
	}
}

func (r *run) closed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case len(r.got) > 0:
			return fmt.Errorf("the server sent %q instead of closing", r.got)
		case r.err == io.EOF:
			return nil
		case r.err != nil:
			return fmt.Errorf("%w instead of a close", r.err)
		}
		r.news.Wait()
	}
}

const (
	short   = iota // all of it agrees, and more is wanted
	matched        // n bytes are what was wanted
	differs
)

var (
	anyDate  = []byte("Date: *\r\n")
	someDate = []byte("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
)

// match compares what was received with what was expected; the wildcard of Date stands for any date
// of the last minutes.
func match(got, want []byte) (n, state int) {
	for {
		i := bytes.Index(want, anyDate)
		plain := want
		if i >= 0 {
			plain = want[:i]
		}
		k := min(len(plain), len(got)-n)
		switch {
		case !bytes.Equal(got[n:n+k], plain[:k]):
			return n, differs
		case k < len(plain):
			return n, short
		case i < 0:
			return n + k, matched
		}
		n += k
		if len(got)-n < len(someDate) {
			return n, short
		}
		if !recent(got[n : n+len(someDate)]) {
			return n, differs
		}
		n += len(someDate)
		want = want[i+len(anyDate):]
	}
}

// recent reports whether line is a Date field (RFC 9110 §5.6.7) that is not far from now.
func recent(line []byte) bool {
	t, err := time.Parse("Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n", string(line))
	return err == nil && time.Since(t).Abs() < 10*time.Minute
}
