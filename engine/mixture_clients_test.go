// The clients of the mixture: conversations that a server must carry on, whatever its
// handlers do, and what may be asserted of the answers.

package engine_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// talk is one connection of a client.
type talk struct {
	*era
	rand *rand.Rand
	tcp  *net.TCPConn
	conn net.Conn // tcp, or TLS over it
	in   *bufio.Reader
	sent chan struct{} // closed when what is being sent has been, or cannot be; nil: nothing is
	said []*ask        // requests that were answered before
	last bool          // an answer has said that it is the last
	shut atomic.Bool   // sending met a reset, which consumed the error: later reads find only the end of the stream, except under TLS
}

// ordinary are the ways that any client may ask for.
var ordinary = []string{"plain", "plain", "ignore", "lock", "sleep", "after", "spin", "block", "beside", "thread", "context", "copy",
	"both", "stream", "try", "file", "from", "interim", "trailers", "simnet.Patience", "deadline", "leave-reader"}

// last are the ways that end the connection, well or not.
var last = []string{"panic", "panic-resumed", "panic-late", "panic-midst", "goexit", "goexit-resumed", "goexit-late", "goexit-midst", "close-midst",
	"abort", "abort-late", "abort-midst", "leave-writer"}

// converse is one conversation, from dialling on.
func (k *talk) converse() {
	if k.dial() != nil {
		return
	}
	switch n := k.rand.IntN(100); {
	case n < 50:
		k.series()
	case n < 65:
		k.pipeline()
	case n < 75:
		k.takeOver()
	case n < 95 || !k.strict:
		k.disturb()
	default:
		k.stall()
	}
}

func (k *talk) dial() error {
	conn, err := net.Dial("tcp", k.era.server.Addr().String())
	if err != nil {
		if k.ending.Load() == notEnding {
			k.t.Errorf("dial: %v", err)
		}
		k.refused.Add(1)
		return err
	}
	k.tcp, k.conn = conn.(*net.TCPConn), conn
	_ = conn.SetDeadline(time.Now().Add(2 * simnet.Patience))
	if k.client != nil {
		over := tls.Client(&endings{Conn: conn, secure: true}, k.client)
		if err := over.Handshake(); err != nil {
			if !k.mayFail() && k.ending.Load() == notEnding {
				k.t.Errorf("handshake: %v", err)
			}
			return err
		}
		k.conn = over
	}
	k.in = bufio.NewReader(k.conn)
	return nil
}

// leave ends the connection, if there is one.
func (k *talk) leave() {
	if k.tcp != nil {
		_ = k.tcp.Close()
	}
	k.await()
}

// ask makes up a request, which is not sent yet.
func (k *talk) ask(way string) *ask {
	a := &ask{number: k.numbers.Add(1), way: way, method: "POST"}
	if k.rand.IntN(3) > 0 {
		a.in = k.size()
	}
	a.out = 1 + k.size()
	if k.rand.IntN(500) == 0 {
		a.out = 1 << 20
	}
	if way == "file" {
		a.out = min(a.out, contentSize)
	}
	a.chunked = k.rand.IntN(3) == 0
	a.closes = k.rand.IntN(20) == 0
	a.expects = k.rand.IntN(12) == 0 && a.in > 0 && way != "both" // which might answer first, and wait for what is held back then
	if a.old = k.rand.IntN(12) == 0; a.old {
		a.chunked, a.expects = false, false
	}
	if a.in == 0 && !a.chunked && k.rand.IntN(2) == 0 {
		a.method = "GET"
	}
	a.expectTrailer = a.chunked && way == "trailers"
	return a
}

// size is how long a body is: mostly it is short, the race detector being slow with each byte.
func (k *talk) size() int {
	if k.rand.IntN(16) > 0 {
		return k.rand.IntN(3 << k.rand.IntN(11))
	}
	return k.rand.IntN(3 << k.rand.IntN(16))
}

// head returns the head that is sent for a, which does not change any more.
func (k *talk) head(a *ask) string {
	k.mixture.sent.Add(1)
	k.asked.Store(a.number, a)
	var b strings.Builder
	version := "1.1"
	if a.old {
		version = "1.0"
	}
	fmt.Fprintf(&b, "%s /%s/%d/%d HTTP/%s\r\nHost: a\r\n", a.method, a.way, a.number, a.out, version)
	switch {
	case a.closes:
		b.WriteString("Connection: close\r\n")
	case a.old:
		b.WriteString("Connection: keep-alive\r\n")
	}
	switch {
	case a.chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	case a.method != "GET":
		fmt.Fprintf(&b, "Content-Length: %d\r\n", a.in)
	}
	if a.expects {
		b.WriteString("Expect: 100-continue\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// body returns the body that is sent for a.
func (a *ask) body(random *rand.Rand) string {
	whole := bodyOf(a.number+1, a.in)
	if !a.chunked {
		return whole
	}
	var b strings.Builder
	for most := 1 + random.IntN(20000); len(whole) > 0; {
		n := min(len(whole), 1+random.IntN(most))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, whole[:n])
		whole = whole[n:]
	}
	b.WriteString("0\r\n")
	if a.expectTrailer {
		fmt.Fprintf(&b, "X-Number: %d\r\n", a.number)
	}
	b.WriteString("\r\n")
	return b.String()
}

// send begins to send text, in pieces, as long as the server takes it.
func (k *talk) send(text string) {
	k.await()
	k.sent = make(chan struct{})
	random := rand.New(rand.NewPCG(k.rand.Uint64(), 0))
	go func() {
		defer close(k.sent)
		for text != "" {
			n := len(text)
			if random.IntN(2) == 0 {
				n = 1 + random.IntN(n)
			}
			if _, err := io.WriteString(k.conn, text[:n]); err != nil {
				k.shut.Store(true)
				return
			}
			if text = text[n:]; text != "" && random.IntN(2) == 0 {
				time.Sleep(300 * time.Microsecond) // sleep: the client under test is slow
			}
		}
	}()
}

// await waits until what is being sent has been.
func (k *talk) await() {
	if k.sent != nil {
		<-k.sent
		k.sent = nil
	}
}

// way chooses one of the ways.
func (k *talk) way(endsToo bool) string {
	if endsToo && k.rand.IntN(4) == 0 {
		return last[k.rand.IntN(len(last))]
	}
	return ordinary[k.rand.IntN(len(ordinary))]
}

// series asks for one thing after another.
func (k *talk) series() {
	for n := 1 + k.rand.IntN(6); n > 0; n-- {
		a := k.ask(k.way(n == 1))
		switch k.rand.IntN(4) {
		case 0, 1:
			if a.expects {
				if !k.sendExpecting(a) {
					return
				}
				break
			}
			fallthrough
		case 2:
			k.send(k.head(a) + a.body(k.rand))
		case 3:
			k.sendHalves(a)
		}
		if !k.answer(a) {
			k.rest()
			return
		}
	}
	k.end()
}

// sendExpecting sends the head of a, and its body when it has been told to; it reports
// false when it was not, and the conversation is over.
func (k *talk) sendExpecting(a *ask) (goesOn bool) {
	k.send(k.head(a))
	k.await()
	for {
		line, err := k.in.Peek(12)
		switch {
		case err != nil:
			k.lost(a, err)
			return false
		case string(line) != "HTTP/1.1 100" && string(line) != "HTTP/1.1 103":
			k.answer(a)
			return false
		}
		if _, err := http.ReadResponse(k.in, nil); err != nil {
			k.lost(a, err)
			return false
		}
		if string(line) == "HTTP/1.1 103" {
			continue
		}
		k.send(a.body(k.rand))
		return true
	}
}

// sendHalves holds a part of a back until its handler is waiting for it, or slow to begin.
func (k *talk) sendHalves(a *ask) {
	a.begun = make(chan struct{})
	head, body := k.head(a), a.body(k.rand)
	half := k.rand.IntN(len(body) + 1)
	k.send(head + body[:half])
	select {
	case <-a.begun:
	case <-time.After(soon):
	}
	k.send(body[half:])
}

// pipeline asks for many things at once.
func (k *talk) pipeline() {
	var all []*ask
	var text strings.Builder
	for n := 2 + k.rand.IntN(8); n > 0; n-- {
		way := k.way(n == 1)
		if way == "close-midst" {
			way = "abort-midst" // with the socket, what has not left of the answers before is lost as well
		}
		a := k.ask(way)
		a.in, a.old = min(a.in, 20000), false // the reset that cuts an answer of HTTP/1.0 would cut those before it
		text.WriteString(k.head(a) + a.body(k.rand))
		all = append(all, a)
	}
	k.send(text.String())
	if k.rand.IntN(4) == 0 {
		k.await()
		k.closeWrite()
	}
	for i, a := range all {
		if !k.answer(a) {
			if k.rest(); k.last {
				k.markUnserved(all[i+1:])
			}
			return
		}
	}
	k.end()
}

func (k *talk) closeWrite() { _ = k.conn.(interface{ CloseWrite() error }).CloseWrite() }

// end ends a connection that has nothing to answer any more.
func (k *talk) end() {
	if k.await(); k.rand.IntN(3) > 0 {
		k.closeWrite()
		k.rest()
	}
}

// markUnserved notes that no handler may see the given requests: they follow an answer that closes.
func (k *talk) markUnserved(all []*ask) {
	for _, a := range all {
		a.never.Store(true)
	}
}

// rest reads to the end of the connection, where there must be nothing more: the server
// has to end it now.
func (k *talk) rest() {
	more, err := io.ReadAll(k.in)
	if len(more) > 0 {
		k.t.Errorf("behind the last answer there is %q", more[:min(len(more), 300)])
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		k.t.Errorf("the server does not end a connection\n%s", simnet.Stacks())
	}
}

// excused tells whether the answer to a may be missing.
func (k *talk) excused(a *ask) bool {
	impatient := func(a *ask) bool { return a.way == "simnet.Patience" } // it closes, then or a little later
	return k.mayFail() || k.ending.Load() == inPeace && a.handled.Load() == 0 ||
		impatient(a) || slices.ContainsFunc(k.said, impatient) || a.way == "abort" || a.way == "abort-late"
}

// lost deals with an answer that does not come, or not whole.
func (k *talk) lost(a *ask, err error) {
	k.cut.Add(1)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		k.t.Errorf("%v waits in vain\n%s", a, simnet.Stacks())
		return
	}
	if !k.excused(a) {
		k.t.Errorf("the answer to %v is lost: %v (%d handled it, %d returned, it failed: %v; ending: %d), behind %v",
			a, err, a.handled.Load(), a.returned.Load(), a.failed.Load(), k.ending.Load(), k.said)
	}
}

// answer reads the answer to a and judges it. It reports whether there may be another.
func (k *talk) answer(a *ask) (more bool) {
	var res *http.Response
	for {
		var err error
		if res, err = http.ReadResponse(k.in, &http.Request{Method: a.method}); err != nil {
			k.lost(a, err)
			return false
		}
		if res.StatusCode >= 200 {
			break
		}
	}
	body := &checker{number: a.number}
	if a.way == "copy" {
		body.number++
	}
	err := body.read(res.Body)
	k.judge(a, res, body, err)
	k.said, k.last = append(k.said, a), err == nil && res.Close
	return err == nil && !res.Close
}

func (k *talk) judge(a *ask, res *http.Response, body *checker, err error) {
	want, wanted := a.out, 200
	switch a.way {
	case "copy":
		want = a.in
	case "panic", "panic-resumed", "panic-late", "goexit", "goexit-resumed", "goexit-late":
		want, wanted = 0, 500
	}
	about := res.Header.Get("X-Number")
	switch {
	case about != "" && about != strconv.FormatUint(a.number, 10):
		k.t.Errorf("%v got the answer to %s", a, about)
	case about == "" && wanted != 500 && res.StatusCode == 200:
		k.t.Errorf("%v got an answer that nobody has given: %v", a, res)
	case res.StatusCode == 200 && body.wrong:
		k.t.Errorf("%v got an answer of %d bytes that is not its own", a, body.n)
	case strings.HasSuffix(a.way, "-midst") && res.StatusCode == 200 || a.way == "leave-writer" && err != nil:
		if k.await(); err == nil && !(a.old && k.client == nil && k.shut.Load()) {
			k.t.Errorf("the answer to %v was cut and looks whole (ending: %d), behind %v", a, k.ending.Load(), k.said)
		}
		k.cut.Add(1)
	case strings.HasPrefix(a.way, "abort") && res.StatusCode == 200:
		k.t.Errorf("%v was answered with %d", a, res.StatusCode)
	case err != nil:
		k.lost(a, err)
	case a.way == "leave-writer":
		k.whole.Add(1)
	case res.StatusCode == wanted && body.n == want:
		if a.way == "trailers" && !a.old && res.Trailer.Get("X-Sum") != strconv.FormatUint(a.number, 10) {
			k.t.Errorf("the answer to %v has the trailers %v", a, res.Trailer)
		}
		k.whole.Add(1)
	case k.mayFail() && (res.StatusCode != 200 || a.old), a.way == "simnet.Patience", a.way == "deadline" && res.StatusCode == 599:
		k.cut.Add(1) // it was told 408, 599 or the like
	default:
		k.t.Errorf("%v was answered with %d and %d bytes (short timeouts: %v, ending: %d, %v)", a, res.StatusCode, body.n, k.strict, k.ending.Load(), res)
	}
}
