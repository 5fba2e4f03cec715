// Clients of the mixture that do harm: they leave in the middle of a message, fall silent, or send
// garbage.

package engine_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// disturb is a conversation that its client breaks off, after a part that is in order.
func (k *talk) disturb() {
	for range k.rand.IntN(3) {
		a := k.ask(k.way(false))
		a.expects = false
		if k.send(k.head(a) + a.body(k.rand)); !k.answer(a) {
			k.rest()
			return
		}
	}
	a := k.ask(k.way(true))
	a.expects = false
	head, body := k.head(a), a.body(k.rand)
	text := head + body
	switch k.rand.IntN(8) {
	case 0: // in the midst of the head
		k.send(head[:k.rand.IntN(len(head))])
	case 1: // in the midst of the body
		k.send(head + body[:k.rand.IntN(len(body)+1)])
	case 2: // before the answer
		k.send(text)
	case 3: // in the midst of the answer
		k.send(text)
		if _, err := io.CopyN(io.Discard, k.in, int64(1+k.rand.IntN(50+max(0, min(a.in, a.out)-50)))); errors.Is(err, os.ErrDeadlineExceeded) {
			k.t.Errorf("%v is not answered\n%s", a, simnet.Stacks())
		}
	case 4: // says that this was all, and waits for the answer
		k.send(text)
		k.await()
		k.closeWrite()
		k.answer(a)
		k.rest()
		return
	case 5: // says in the midst that this was all
		k.send(text[:k.rand.IntN(len(text))])
		k.await()
		k.closeWrite()
		k.broken(a)
		return
	case 6:
		k.nonsense(a)
		return
	case 7: // its handler waits for its going
		a.way = "wait"
		k.send(k.head(a) + body)
	}
	k.hangUp()
}

// hangUp goes without waiting for anything: in order, or with a reset.
func (k *talk) hangUp() {
	k.cut.Add(1)
	if k.rand.IntN(2) == 0 {
		k.await()
	}
	if k.rand.IntN(2) == 0 {
		_ = k.tcp.SetLinger(0)
	}
}

// broken reads what there is after a request that was not whole: whatever comes, the
// server ends the connection.
func (k *talk) broken(a *ask) {
	k.cut.Add(1)
	if _, err := io.ReadAll(k.in); errors.Is(err, os.ErrDeadlineExceeded) {
		k.t.Errorf("%v, broken off, does not end\n%s", a, simnet.Stacks())
	}
}

// nonsense sends an invalid request after a valid one.
func (k *talk) nonsense(a *ask) {
	bad := []string{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "\x00\x01\x02", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n"}
	i := k.rand.IntN(len(bad) - 1) // the last one would reach a handler
	k.send(k.head(a) + a.body(k.rand) + bad[i])
	if !k.answer(a) {
		k.rest()
		return
	}
	text, err := io.ReadAll(k.in)
	if (!strings.HasPrefix(string(text), "HTTP/1.1 400") || strings.Count(string(text), "HTTP/1.1") != 1) && !k.mayFail() && k.ending.Load() == notEnding {
		k.t.Errorf("%q was answered with %q, %v", bad[i], text, err)
	}
}

// stall is a conversation in which the client does nothing at last: a server with
// short timeouts ends it.
func (k *talk) stall() {
	for range k.rand.IntN(2) {
		a := k.ask("plain")
		a.expects = false
		if k.send(k.head(a) + a.body(k.rand)); !k.answer(a) {
			return
		}
	}
	a := k.ask("plain")
	a.expects, a.in = false, max(a.in, 10)
	a.method = "POST"
	switch k.rand.IntN(6) {
	case 0: // idle
	case 1: // a head that does not end
		head := k.head(a)
		k.send(head[:1+k.rand.IntN(len(head)-1)])
	case 2: // a body that does not end
		body := a.body(k.rand)
		k.send(k.head(a) + body[:k.rand.IntN(len(body))])
	case 3: // the same, and its handler has its own simnet.Patience
		a.way = []string{"simnet.Patience", "deadline", "beside", "both", "copy", "block", "leave-reader"}[k.rand.IntN(7)]
		body := a.body(k.rand)
		k.send(k.head(a) + body[:k.rand.IntN(len(body))])
	case 4: // an answer that is not taken
		a.way, a.out = []string{"stream", "beside", "both", "from", "block"}[k.rand.IntN(5)], 12<<20
		_ = k.tcp.SetReadBuffer(128 << 10) // with much less, the kernel would take long to bring the rest
		k.send(k.head(a) + a.body(k.rand))
		begun := time.Now()
		if !simnet.Becomes(func() bool {
			return a.returned.Load() > 0 || k.ending.Load() != notEnding || a.handled.Load() == 0 && time.Since(begun) > 20*soon
		}) {
			k.t.Errorf("the handler of %v writes for ever\n%s", a, simnet.Stacks())
		}
	case 5: // a handler that waits for something else, until it has been long enough
		if k.driver.portable || k.client != nil {
			return // inactivity is not checked (Timeouts.Inactive)
		}
		a.way = "wait"
		k.send(k.head(a) + a.body(k.rand))
	}
	k.cut.Add(1)
	if _, err := io.ReadAll(k.in); errors.Is(err, os.ErrDeadlineExceeded) {
		k.t.Errorf("a connection that does nothing (%v) is not ended\n%s", a, simnet.Stacks())
	}
}
