// Every call that a handler can make on its request, its response and their socket, everywhere it
// can make it: on the loop, after losing the loop without knowing it, after leaving the loop, and
// on another goroutine. Meanwhile the loop serves others, so that the race detector sees any access
// to what the call does not own.

package engine_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// What a call does under the lease (see internal/loop: a handler may lose the loop at any
// moment, so whatever needs that enters first).
const (
	ownMemory = "touches the memory of its request alone"
	atomics   = "uses atomics, locks that nobody waits under, and messages to the loop"
	reads     = "reads its own socket; a wait enters, or parks once the loop is lost"
	sends     = "writes to its own socket; a wait enters, or parks once the loop is lost"
	enters    = "enters, or sends a message once the loop is lost"
	leaves    = "enters, and leaves the loop for good"
)

// audited is one call: its way, and the call itself.
type audited struct {
	way string
	do  func(req *engine.Request, res *engine.Response) error
}

// quiet is a call that cannot fail.
func quiet(f func(req *engine.Request, res *engine.Response)) func(*engine.Request, *engine.Response) error {
	return func(req *engine.Request, res *engine.Response) error {
		f(req, res)
		return nil
	}
}

// socketDo makes a call on the socket, as it is the server's.
func socketDo(f func(s *engine.Socket) error) func(*engine.Request, *engine.Response) error {
	return func(req *engine.Request, _ *engine.Response) error { return f(req.Socket()) }
}

// takenDo makes a call on the socket taken over.
func takenDo(f func(s *engine.Socket) error) func(*engine.Request, *engine.Response) error {
	return func(_ *engine.Request, res *engine.Response) error {
		s, _, err := res.Hijack()
		if err != nil {
			return err
		}
		defer s.Close()
		return f(s)
	}
}

var requestCalls = map[string]audited{
	"Block":            {leaves, quiet(func(req *engine.Request, _ *engine.Response) { req.Block() })},
	"ContentLength":    {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.ContentLength() })},
	"Context":          {atomics, func(req *engine.Request, _ *engine.Response) error { return req.Context().Err() }},
	"HTTPVersion":      {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.HTTPVersion() })},
	"HTTPVersionMajor": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.HTTPVersionMajor() })},
	"HTTPVersionMinor": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.HTTPVersionMinor() })},
	"Header":           {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.Header("x-joined") })},
	"Headers": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) {
		for range req.Headers() {
		}
	})},
	"LoopIndex": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.LoopIndex() })}, // of these tests
	"Method":    {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.Method() })},
	"OnClose":   {atomics, quiet(func(req *engine.Request, _ *engine.Response) { req.OnClose(func() {}) })},
	"Path":      {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.Path() })},
	"Query":     {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.Query() })},
	"RawHeaders": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) {
		for range req.RawHeaders() {
		}
	})},
	"RawTrailers": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) {
		for range req.RawTrailers() {
		}
	})},
	"Read":     {reads, func(req *engine.Request, _ *engine.Response) error { return ignoreEOF(req.Read(make([]byte, 3))) }},
	"Received": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.Received().Lend() })},
	"SetReadDeadline": {atomics, quiet(func(req *engine.Request, _ *engine.Response) {
		req.SetReadDeadline(time.Now().Add(simnet.Patience))
	})},
	"SetTimeout": {enters, quiet(func(req *engine.Request, _ *engine.Response) { req.SetTimeout(simnet.Patience, func() {}) })},
	"Socket":     {atomics, quiet(func(req *engine.Request, _ *engine.Response) { req.Socket() })},
	"Trailers": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) {
		for range req.Trailers() {
		}
	})},
	"URL": {ownMemory, quiet(func(req *engine.Request, _ *engine.Response) { req.URL() })},
	"WriteTo": {reads, func(req *engine.Request, _ *engine.Response) error {
		_, err := req.WriteTo(io.Discard)
		return err
	}},
}

// ignoreEOF gives the error of a Read, if it is one.
func ignoreEOF(_ int, err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

var responseCalls = map[string]audited{
	"AddHeader": {ownMemory, func(_ *engine.Request, res *engine.Response) error { return res.AddHeader("X", "y") }},
	"AddHeaderBytes": {ownMemory, func(_ *engine.Request, res *engine.Response) error {
		return res.AddHeaderBytes([]byte("X"), []byte("y"))
	}},
	"AddTrailers": {ownMemory, func(_ *engine.Request, res *engine.Response) error { return res.AddTrailers("X", "y") }},
	"End":         {sends, func(_ *engine.Request, res *engine.Response) error { return res.End([]byte("end")) }},
	"EndString":   {sends, func(_ *engine.Request, res *engine.Response) error { return res.EndString("end") }},
	"Flush":       {sends, func(_ *engine.Request, res *engine.Response) error { return res.Flush() }},
	"Forward":     {sends, func(req *engine.Request, res *engine.Response) error { return res.Forward(mirror{req}) }},
	"GetHeader":   {ownMemory, quiet(func(_ *engine.Request, res *engine.Response) { res.GetHeader("X") })},
	"HeaderValues": {ownMemory, quiet(func(_ *engine.Request, res *engine.Response) {
		for range res.HeaderValues("X") {
		}
	})},
	"HeadersSent": {ownMemory, quiet(func(_ *engine.Request, res *engine.Response) { res.HeadersSent() })},
	"Hijack":      {enters, takenDo(func(*engine.Socket) error { return nil })},
	"OnClose":     {atomics, quiet(func(_ *engine.Request, res *engine.Response) { res.OnClose(func() {}) })},
	"OnDrain":     {atomics, quiet(func(_ *engine.Request, res *engine.Response) { res.OnDrain(func() {}) })},
	"OnFinish":    {atomics, quiet(func(_ *engine.Request, res *engine.Response) { res.OnFinish(func() {}) })},
	"ReadFrom": {sends, func(_ *engine.Request, res *engine.Response) error {
		_, err := res.ReadFrom(strings.NewReader("all of it"))
		return err
	}},
	"RemoveHeader": {ownMemory, quiet(func(_ *engine.Request, res *engine.Response) { res.RemoveHeader("X") })},
	"SendFile": {sends, func(_ *engine.Request, res *engine.Response) error {
		f, err := os.Open("calls_test.go")
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = res.SendFile(f, 0, -1)
		return err
	}},
	"SetHeader":        {ownMemory, func(_ *engine.Request, res *engine.Response) error { return res.SetHeader("X", "y") }},
	"SetSendDate":      {ownMemory, quiet(func(_ *engine.Request, res *engine.Response) { res.SetSendDate(false) })},
	"SetStatus":        {ownMemory, func(_ *engine.Request, res *engine.Response) error { return res.SetStatus(201) }},
	"SetStatusMessage": {ownMemory, func(_ *engine.Request, res *engine.Response) error { return res.SetStatusMessage("Fine") }},
	"SetTimeout":       {enters, quiet(func(_ *engine.Request, res *engine.Response) { res.SetTimeout(simnet.Patience, func() {}) })},
	"SetWriteDeadline": {atomics, quiet(func(_ *engine.Request, res *engine.Response) {
		res.SetWriteDeadline(time.Now().Add(simnet.Patience))
	})},
	"Status":        {ownMemory, quiet(func(_ *engine.Request, res *engine.Response) { res.Status() })},
	"StatusMessage": {ownMemory, quiet(func(_ *engine.Request, res *engine.Response) { res.StatusMessage() })},
	"TryWrite": {sends, func(_ *engine.Request, res *engine.Response) error { // what is left a message has sent
		_, err := res.TryWrite(make([]byte, 1<<19))
		return err
	}},
	"Write": {sends, func(_ *engine.Request, res *engine.Response) error {
		_, err := res.Write(make([]byte, 4<<20)) // it waits
		return err
	}},
	"WriteContinue": {sends, func(_ *engine.Request, res *engine.Response) error { return res.WriteContinue() }},
	"WriteHead":     {ownMemory, func(_ *engine.Request, res *engine.Response) error { return res.WriteHead(202, "", "X", "y") }},
	"WriteInterim":  {sends, func(_ *engine.Request, res *engine.Response) error { return res.WriteInterim(103, "X", "y") }},
	"WriteString": {sends, func(_ *engine.Request, res *engine.Response) error {
		_, err := res.WriteString("some of it")
		return err
	}},
}

// mirror is a request that is passed on as if it were an answer.
type mirror struct{ *engine.Request }

func (mirror) StatusCode() int { return 200 }

var socketCalls = map[string]audited{
	"Close":      {atomics, socketDo((*engine.Socket).Close)},
	"CloseWrite": {sends, takenDo((*engine.Socket).CloseWrite)},
	"LocalAddr":  {ownMemory, socketDo(func(s *engine.Socket) error { return known(s.LocalAddr()) })},
	"Read": {reads, takenDo(func(s *engine.Socket) error { // what was sent of the body is head's
		_ = s.SetReadDeadline(time.Now().Add(-time.Second))
		if _, err := s.Read(make([]byte, 1)); !os.IsTimeout(err) {
			return fmt.Errorf("it has read, and %w", err)
		}
		return nil
	})},
	"RemoteAddr":       {ownMemory, socketDo(func(s *engine.Socket) error { return known(s.RemoteAddr()) })},
	"SetDeadline":      {atomics, socketDo(func(s *engine.Socket) error { return s.SetDeadline(time.Now().Add(simnet.Patience)) })},
	"SetReadDeadline":  {atomics, socketDo(func(s *engine.Socket) error { return s.SetReadDeadline(time.Time{}) })},
	"SetWriteDeadline": {atomics, socketDo(func(s *engine.Socket) error { return s.SetWriteDeadline(time.Time{}) })},
	"TLS":              {ownMemory, socketDo(func(s *engine.Socket) error { s.TLS(); return nil })},
	"Write": {sends, takenDo(func(s *engine.Socket) error {
		_, err := s.Write(make([]byte, 4<<20)) // it waits
		return err
	})},
}

// known gives an error where there is no address.
func known(a net.Addr) error {
	if a == nil || a.String() == "" {
		return fmt.Errorf("no address: %v", a)
	}
	return nil
}

var calls = map[string]map[string]audited{"Request": requestCalls, "Response": responseCalls, "Socket": socketCalls}

// Whoever adds a method has to audit it, by a row here.
func TestEveryCallIsAudited(t *testing.T) {
	ways := []string{ownMemory, atomics, reads, sends, enters, leaves}
	for _, of := range []any{(*engine.Request)(nil), (*engine.Response)(nil), (*engine.Socket)(nil)} {
		its := reflect.TypeOf(of)
		rows := calls[its.Elem().Name()]
		for i := range its.NumMethod() {
			name := its.Method(i).Name
			if row, ok := rows[name]; !ok || row.do == nil || !slices.Contains(ways, row.way) {
				t.Errorf("%v: nobody has said what %s does under the lease", its, name)
			}
		}
		if len(rows) != its.NumMethod() {
			t.Errorf("%v has %d methods, and %d rows", its, its.NumMethod(), len(rows))
		}
	}
}

// TestEveryCallEverywhere makes all of them.
func TestEveryCallEverywhere(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		began, goOn := make(chan struct{}), make(chan struct{})
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			way := strings.Split(string(req.URL()), "/") // "", type, method, place
			if len(way) < 4 {
				hello(req, res)
				return
			}
			do, err := calls[way[1]][way[2]].do, error(nil)
			switch way[3] {
			case "taken":
				began <- struct{}{}
				<-goOn
				err = do(req, res)
			case "left":
				req.Block()
				err = do(req, res)
			case "elsewhere":
				done := make(chan error)
				go func() { done <- do(req, res) }()
				err = <-done
			default:
				err = do(req, res)
			}
			if err != nil {
				t.Errorf("%s: %v", strings.Join(way, "/"), err)
			}
		})
		other := s.dial()
		for kind, rows := range calls {
			for name := range rows {
				for _, place := range []string{"inline", "taken", "left", "elsewhere"} {
					c := s.dial()
					c.send("POST /" + kind + "/" + name + "/" + place + " HTTP/1.1\r\nHost: a\r\nX-Joined: 1\r\nX-Joined: 2\r\nContent-Length: 4\r\n\r\nbody")
					if place == "taken" {
						simnet.Receive(t, began, "the handler")
						other.get("/", "hello") // by now the loop is another's
						goOn <- struct{}{}
					}
					other.get("/", "hello")
					c.answered(kind, name)
					_ = c.Close()
				}
			}
		}
	})
}

// answered reads what follows a call: an answer, or the end of a connection that was taken
// over or cut.
func (c *client) answered(kind, name string) {
	c.t.Helper()
	if name == "Hijack" || kind == "Socket" && slices.Contains([]string{"Close", "CloseWrite", "Read", "Write"}, name) {
		_, _ = io.Copy(io.Discard, c.in)
		return
	}
	for {
		if c.next("POST").StatusCode >= 200 {
			return
		}
	}
}
