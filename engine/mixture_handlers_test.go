// The handlers of the mixture: whatever a handler may do with a request and to its
// goroutine. The first segment of a path is the way in which it is handled, the second
// its number, the third how long the answer is to be.

package engine_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/engine"
)

// ask is a request of the mixture, from both ends.
type ask struct {
	number  uint64
	way     string
	in, out int // bytes of its body, and of the answer's

	method        string
	chunked       bool
	old           bool // HTTP/1.0
	closes        bool // Connection: close
	expects       bool
	expectTrailer bool
	begun         chan struct{} // if not nil: closed when it is handled

	handled  atomic.Int32 // how often
	returned atomic.Int32
	hooked   atomic.Bool // OnFinish and OnClose are to be told, one of them once
	finished atomic.Int32
	closed   atomic.Int32
	failed   atomic.Bool // its handler could not read, or not write
	never    atomic.Bool // no handler may see it
}

func (a *ask) String() string {
	said := ""
	for what, is := range map[string]bool{" chunked": a.chunked, " HTTP/1.0": a.old, " expects": a.expects, " closes": a.closes} {
		if is {
			said += what
		}
	}
	return fmt.Sprintf("/%s/%d (%d bytes in, %d out%s)", a.way, a.number, a.in, a.out, said)
}

// ended tells whether all is over with a request, and complains of what must not be.
func (a *ask) ended() bool {
	return a.handled.Load() == a.returned.Load() && (!a.hooked.Load() || a.finished.Load()+a.closed.Load() == 1)
}

// turn is one call of a handler.
type turn struct {
	*era
	*ask
	req *engine.Request
	res *engine.Response
}

// handle is the handler of all servers.
func (e *era) handle(req *engine.Request, res *engine.Response) {
	t, ok := e.admit(req)
	if !ok {
		return
	}
	e.handlers.Add(1)
	defer func() {
		t.returned.Add(1)
		e.handlers.Add(-1)
	}()
	t.res = res
	_ = res.SetHeader("X-Number", strconv.FormatUint(t.number, 10))
	if t.number%4 == 0 && !strings.HasPrefix(t.way, "hijack") {
		t.hooked.Store(true)
		res.OnFinish(func() { t.finished.Add(1) })
		res.OnClose(func() { t.ask.closed.Add(1) })
	}
	waysToHandle[t.way](t)
}

// admit finds out what was asked, and that it is the first time.
func (e *era) admit(req *engine.Request) (*turn, bool) {
	words := strings.Split(string(req.URL()), "/")
	if req.Method() == "CONNECT" {
		words = strings.Split(string(req.Header("X-Asks")), "/")
	}
	if len(words) != 4 {
		e.t.Errorf("a request for %q", words)
		return nil, false
	}
	number, _ := strconv.ParseUint(words[2], 10, 64)
	found, ok := e.asked.Load(number)
	if !ok {
		e.t.Errorf("nobody has asked for %q", words)
		return nil, false
	}
	a := found.(*ask)
	if n := a.handled.Add(1); n != 1 || a.way != words[1] || strconv.Itoa(a.out) != words[3] {
		e.t.Errorf("%v was handled %d times, now as %q", a, n, words)
		return nil, false
	}
	e.used()
	if a.begun != nil {
		close(a.begun)
	}
	return &turn{era: e, ask: a, req: req}, true
}

// take reads the body and reports whether it came whole; otherwise the answer says so.
func (t *turn) take() bool {
	body := checker{number: t.number + 1}
	var err error
	switch t.number % 4 {
	case 0: // in pieces that grow
		var whole []byte
		whole, err = io.ReadAll(struct{ io.Reader }{t.req})
		_, _ = body.Write(whole)
	case 1: // by WriteTo
		_, err = io.Copy(&body, t.req)
	default:
		err = body.read(t.req)
	}
	if body.wrong || err == nil && body.n != t.in {
		t.t.Errorf("the handler of %v has read something else: %d bytes, %v", t.ask, body.n, err)
	}
	if err != nil {
		t.failed.Store(true)
		_ = t.res.SetStatus(599)
		_ = t.res.EndString("")
	}
	return err == nil
}

// give answers, whole or in pieces.
func (t *turn) give(piece int) {
	if piece >= t.out {
		t.note(t.res.EndString(bodyOf(t.number, t.out)))
		return
	}
	t.pour(t.res, piece)
}

// pour writes the answer's body to w in pieces.
func (t *turn) pour(w io.Writer, piece int) {
	for done := 0; done < t.out; {
		p := contentOf(t.number, done, min(piece, t.out-done))
		if _, err := io.WriteString(w, p); err != nil {
			t.note(err)
			return
		}
		done += len(p)
	}
}

// note keeps in mind that something could not be sent.
func (t *turn) note(err error) {
	if err != nil {
		t.failed.Store(true)
	}
}

// aside runs do on a goroutine that is counted.
func (t *turn) aside(do func()) {
	t.others.Add(1)
	go func() {
		defer t.others.Add(-1)
		do()
	}()
}

// beside runs do on a goroutine and waits for it.
func (t *turn) beside(do func()) {
	done := make(chan struct{})
	t.aside(func() {
		defer close(done)
		do()
	})
	<-done
}

// takeAndGive reads the body and answers; most ways end with it.
func (t *turn) takeAndGive() {
	if t.take() {
		t.give(t.out)
	}
}

func (t *turn) nap() { time.Sleep(1500 * time.Microsecond) } // sleep: the handler under test blocks

func (t *turn) spin() {
	for end := time.Now().Add(1500 * time.Microsecond); time.Now().Before(end); {
	}
}

// waysToHandle are the ways in which requests are handled, by name.
var waysToHandle = map[string]func(*turn){
	"plain":  (*turn).takeAndGive,
	"ignore": func(t *turn) { t.give(t.out) },
	"lock": func(t *turn) {
		t.lock.Lock()
		defer t.lock.Unlock()
		t.takeAndGive()
	},
	"sleep": func(t *turn) { t.nap(); t.takeAndGive() },
	"after": func(t *turn) {
		if t.take() {
			t.nap()
			t.give(t.out)
		}
	},
	"spin":   func(t *turn) { t.spin(); t.takeAndGive() },
	"block":  func(t *turn) { t.req.Block(); t.takeAndGive() },
	"beside": func(t *turn) { t.beside(t.takeAndGive) },
	"thread": func(t *turn) {
		runtime.LockOSThread()
		if t.number%3 > 0 {
			defer runtime.UnlockOSThread()
		}
		t.takeAndGive()
	},
	"context": func(t *turn) { _ = t.req.Context().Err(); t.takeAndGive() },
	"copy": func(t *turn) { // answers with what was asked
		var err error
		t.beside(func() { _, err = io.Copy(t.res, t.req) })
		if t.note(err); err != nil && t.res.SetStatus(599) != nil {
			panic(engine.ErrAbort) // the head has gone: the answer must not look whole
		}
	},
	"both":            (*turn).bothSides,
	"stream":          func(t *turn) { t.stream() },
	"try":             func(t *turn) { t.try() },
	"file":            func(t *turn) { t.sendFile() },
	"from":            func(t *turn) { t.from() },
	"interim":         func(t *turn) { t.note(t.res.WriteInterim(103, "Link", "</x>")); t.takeAndGive() },
	"trailers":        func(t *turn) { t.trailers() },
	"simnet.Patience": func(t *turn) { t.patience() },
	"deadline": func(t *turn) {
		t.req.SetReadDeadline(time.Now().Add(soon / 3))
		t.res.SetWriteDeadline(time.Now().Add(100 * time.Hour))
		t.takeAndGive()
	},
	"wait": func(t *turn) {
		if t.take() {
			<-t.req.Context().Done()
			t.give(t.out)
		}
	},
	"leave-reader": (*turn).leaveReader,
	"leave-writer": (*turn).leaveWriter,
	"hijack":       func(t *turn) { t.hijack(false) },
	"hijack-kept":  func(t *turn) { t.hijack(true) },

	"panic":          func(t *turn) { panic("mixture") },
	"panic-resumed":  func(t *turn) { t.take(); panic("mixture") },
	"panic-late":     func(t *turn) { t.nap(); panic("mixture") },
	"panic-midst":    func(t *turn) { t.begin(); panic("mixture") },
	"goexit-midst":   func(t *turn) { t.begin(); runtime.Goexit() },
	"close-midst":    func(t *turn) { t.begin(); t.note(t.req.Socket().Close()) },
	"goexit":         func(t *turn) { runtime.Goexit() },
	"goexit-resumed": func(t *turn) { t.take(); runtime.Goexit() },
	"goexit-late":    func(t *turn) { t.nap(); runtime.Goexit() },
	"abort":          func(t *turn) { panic(engine.ErrAbort) },
	"abort-late":     func(t *turn) { t.nap(); panic(engine.ErrAbort) },
	"abort-midst":    func(t *turn) { t.begin(); panic(engine.ErrAbort) },
}

// begin answers, and does not end.
func (t *turn) begin() {
	t.pour(t.res, t.out)
	t.note(t.res.Flush())
}

// bothSides has one goroutine read and one write.
func (t *turn) bothSides() {
	read := make(chan bool, 1)
	t.aside(func() {
		body, err := io.ReadAll(t.req)
		if !isContent(t.number+1, 0, body) {
			t.t.Errorf("a goroutine has read something else than %v has sent", t.ask)
		}
		t.note(err)
		read <- err == nil
	})
	t.beside(func() { t.pour(t.res, 3000) })
	<-read
}

func (t *turn) stream() {
	if t.take() {
		_ = t.res.Flush()
		t.give(1 + int(t.number%7000))
	}
}

// try writes without waiting, as far as that goes.
func (t *turn) try() {
	if !t.take() {
		return
	}
	drained := make(chan struct{}, 1)
	t.res.OnDrain(func() {
		select {
		case drained <- struct{}{}:
		default:
		}
	})
	for done := 0; done < t.out; {
		p := contentOf(t.number, done, min(9000, t.out-done))
		_, err := t.res.TryWrite([]byte(p))
		if errors.Is(err, engine.ErrFull) {
			_, err = t.res.WriteString(p)
		}
		if err != nil {
			t.note(err)
			return
		}
		done += len(p)
	}
}

func (t *turn) sendFile() {
	if !t.take() {
		return
	}
	from := int64(t.number * 31337 % contentSize)
	n := int64(min(t.out, contentSize))
	_, err := t.res.SendFile(t.file, from, n)
	t.note(err)
}

func (t *turn) from() {
	if t.take() {
		_, err := io.Copy(t.res, strings.NewReader(bodyOf(t.number, t.out)))
		t.note(err)
	}
}

func (t *turn) trailers() {
	if !t.take() {
		return
	}
	if t.expectTrailer {
		got := ""
		for name, value := range t.req.Trailers() {
			got += string(name) + string(value)
		}
		if want := fmt.Sprint("x-number", t.number); got != want {
			t.t.Errorf("the trailers of %v are %q", t.ask, got)
		}
	}
	t.note(t.res.AddTrailers("X-Sum", strconv.FormatUint(t.number, 10)))
	t.pour(t.res, 5000)
}

// patience lets a function of its own decide when the connection has been inactive for too long.
func (t *turn) patience() {
	socket, times := t.req.Socket(), atomic.Int32{}
	t.res.SetTimeout(soon/2, func() {
		if times.Add(1) > 2 {
			_ = socket.Close()
		}
	})
	t.takeAndGive()
}

// leaveReader answers while a goroutine that began to read before is still reading.
func (t *turn) leaveReader() {
	if !fastG {
		t.takeAndGive() // the engine could not tell that another goroutine is there
		return
	}
	inside := make(chan struct{})
	t.aside(func() {
		var one [1]byte
		n, err := t.req.Read(one[:])
		close(inside)
		if err == nil && isContent(t.number+1, 0, one[:n]) {
			_ = orPanics(func() error { _, err := io.Copy(io.Discard, t.req); return err })
		}
		t.insist("read", func() (int, error) { return t.req.Read(one[:]) })
	})
	<-inside
	t.give(t.out)
}

// leaveWriter returns while a goroutine is still answering.
func (t *turn) leaveWriter() {
	if !fastG {
		t.takeAndGive()
		return
	}
	inside := make(chan struct{})
	t.aside(func() {
		for done := 0; ; {
			p := contentOf(t.number, done, 2000)
			n := 0
			err := orPanics(func() (err error) { n, err = t.res.WriteString(p); return err })
			if done == 0 {
				close(inside)
			}
			if done += n; err != nil {
				break
			}
		}
		t.insist("write", func() (int, error) { return t.res.WriteString("x") })
	})
	<-inside
}

// insist makes a goroutine whose call has failed, because the request or its body has ended, try
// again and again: it must not read or write anything of a later request.
func (t *turn) insist(what string, try func() (int, error)) {
	for range 4 {
		if err := orPanics(func() error {
			n, err := try()
			if n > 0 || err == nil {
				t.t.Errorf("a goroutine of %v goes on to %s: %d, %v", t.ask, what, n, err)
			}
			return err
		}); err == nil {
			return
		}
		t.nap()
	}
}
