// Connections of the mixture that are taken over: by Hijack, Upgrade and CONNECT. What
// is spoken then is an echo.

package engine_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gale-http/gale/engine"
)

// hijack takes the connection over; kept, it lives on when the handler has returned.
func (t *turn) hijack(kept bool) {
	if !t.take() {
		return
	}
	socket, head, err := t.res.Hijack()
	if err != nil {
		if !t.mayFail() && t.ending.Load() == notEnding {
			t.t.Errorf("Hijack in %v: %v", t.ask, err)
		}
		t.failed.Store(true)
		return
	}
	if _, err := t.res.WriteString("x"); !errors.Is(err, engine.ErrHijacked) {
		t.t.Errorf("Write after Hijack: %v", err)
	}
	if kept {
		t.aside(func() { t.echo(socket, head) })
		return
	}
	t.echo(socket, head)
}

// upgrade is Events.Upgrade and Events.Connect.
func (e *era) upgrade(req *engine.Request, socket *engine.Socket, head []byte) {
	t, ok := e.admit(req)
	if !ok {
		_ = socket.Close()
		return
	}
	e.handlers.Add(1)
	defer func() {
		t.returned.Add(1)
		e.handlers.Add(-1)
	}()
	if t.number%2 == 0 {
		t.aside(func() { t.echo(socket, head) })
		return
	}
	t.echo(socket, head)
}

// echo says that the connection is another one now, and repeats what it hears until its
// end.
func (t *turn) echo(socket *engine.Socket, head []byte) {
	defer socket.Close()
	if t.number%5 == 0 && len(head) == 0 {
		t.nap()
	}
	if _, err := fmt.Fprintf(socket, "HTTP/1.1 101 Switching Protocols\r\nX-Number: %d\r\n\r\n%s", t.number, head); err != nil {
		return
	}
	var p [4000]byte
	for {
		n, err := socket.Read(p[:])
		if _, failed := socket.Write(p[:n]); err != nil || failed != nil {
			return
		}
	}
}

// takeOver is a conversation that becomes another one.
func (k *talk) takeOver() {
	way := []string{"hijack", "hijack-kept", "upgrade", "connect"}[k.rand.IntN(4)]
	a := k.ask(way)
	a.in, a.chunked, a.old, a.expects, a.method = 0, false, false, false, "GET"
	_ = k.head(a)
	text := fmt.Sprintf("GET /%s/%d/%d HTTP/1.1\r\nHost: a\r\n\r\n", way, a.number, a.out)
	switch way {
	case "upgrade":
		text = strings.Replace(text, "\r\n\r\n", "\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n", 1)
	case "connect":
		text = fmt.Sprintf("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nX-Asks: /%s/%d/%d\r\n\r\n", way, a.number, a.out)
	}
	first := bodyOf(a.number+2, k.rand.IntN(3)*k.rand.IntN(3000)) // right behind the request
	k.send(text + first)
	head, err := k.in.Peek(12)
	if err != nil || string(head) != "HTTP/1.1 101" {
		if !k.excused(a) && k.ending.Load() == notEnding { // Shutdown does not wait for what was taken over
			k.t.Errorf("%v was answered with %q, %v", a, head, err)
		}
		return
	}
	for line := ""; line != "\r\n"; {
		if line, err = k.in.ReadString('\n'); err != nil {
			k.lost(a, err)
			return
		}
		if number, ok := strings.CutPrefix(line, "X-Number: "); ok && strings.TrimSpace(number) != fmt.Sprint(a.number) {
			k.t.Errorf("%v was answered by %s", a, number)
		}
	}
	k.whole.Add(1)
	k.listenTo(a, first)
}

// listenTo reads the echo of what was said, and says more.
func (k *talk) listenTo(a *ask, said string) {
	for range k.rand.IntN(4) + 1 {
		heard := make([]byte, len(said))
		if _, err := io.ReadFull(k.in, heard); err != nil {
			if k.mustGoOn() {
				k.t.Errorf("the echo of %v has ended: %v", a, err)
			}
			return
		}
		if string(heard) != said {
			k.t.Errorf("the echo of %v says something else", a)
			return
		}
		said = bodyOf(a.number+3, 1+k.rand.IntN(5000))
		if _, err := io.WriteString(k.conn, said); err != nil && k.mustGoOn() {
			k.t.Errorf("the echo of %v has ended: %v", a, err)
		}
	}
	if k.rand.IntN(2) == 0 {
		_ = k.conn.(interface{ CloseWrite() error }).CloseWrite()
		if rest, err := io.ReadAll(k.in); (err != nil || string(rest) != said) && k.mustGoOn() {
			k.t.Errorf("the echo of %v ends with %d bytes instead of %d, %v", a, len(rest), len(said), err)
		}
	}
}

// mustGoOn tells whether a connection that was taken over has to last. No timeout is for
// it, but Events.Timeout may have been told just before; and Shutdown does not wait for it.
func (k *talk) mustGoOn() bool { return k.ending.Load() == notEnding && !k.strict }
