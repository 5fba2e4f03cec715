// Misuse that galedebug detects: every method of a request and a response called after the handler
// has returned, and every view that they have handed out.

package engine_test

import (
	"bytes"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/pool"
)

// TestEveryMethodTooLate calls whatever methods there are, so that a new one cannot be
// forgotten: on a goroutine, and from the handler of another request.
func TestEveryMethodTooLate(t *testing.T) {
	if !pool.Debug {
		t.Skip("without galedebug nobody looks")
	}
	eachDriver(t, func(t *testing.T, d driver) {
		type pair struct {
			req *engine.Request
			res *engine.Response
		}
		kept := make(chan pair, 1)
		again := make(chan pair, 1)
		s := start(t, d, routes(map[string]engine.Handler{
			"/keep": func(req *engine.Request, res *engine.Response) {
				kept <- pair{req, res}
				echo(req, res)
			},
			"/use": func(_ *engine.Request, res *engine.Response) {
				p := <-again
				tooLate(t, p.req, p.res)
				_ = res.EndString("used")
			},
		}))
		c := s.dial()
		c.send(post("/keep", "body"))
		c.expect(200, "body")
		c.get("/", "hello") // the one before is over by now
		p := simnet.Receive(t, kept, "the request")
		tooLate(t, p.req, p.res)
		again <- p
		c.get("/use", "used")
	})
}

// tooLate calls every method of what is given, and wants each to panic with its name.
func tooLate(t *testing.T, kept ...any) {
	for _, of := range kept {
		v := reflect.ValueOf(of)
		if v.NumMethod() < 15 {
			t.Errorf("%T has %d methods", of, v.NumMethod())
		}
		for i := range v.NumMethod() {
			name := v.Type().Method(i).Name
			if said := panicOf(func() { callWithAnything(v.Method(i)) }); !strings.HasPrefix(said, "gale: "+name+" of a request whose handler has returned") {
				t.Errorf("%T.%s, too late, says %q", of, name, said)
			}
		}
	}
}

// panicOf returns what the panic says that do ends with; "" when there is none.
func panicOf(do func()) (said string) {
	defer func() {
		if v := recover(); v != nil {
			said = fmt.Sprint(v)
		}
	}()
	do()
	return ""
}

// callWithAnything calls a method with zero values.
func callWithAnything(method reflect.Value) {
	var args []reflect.Value
	for i := range method.Type().NumIn() {
		if i == method.Type().NumIn()-1 && method.Type().IsVariadic() {
			break
		}
		args = append(args, reflect.Zero(method.Type().In(i)))
	}
	method.Call(args)
}

// TestViewsTooLate: what was handed out and kept is poison when the handler has
// returned, and iterators say so.
func TestViewsTooLate(t *testing.T) {
	if !pool.Debug {
		t.Skip("without galedebug nothing is poisoned")
	}
	eachDriver(t, func(t *testing.T, d driver) {
		views := make(map[string][]byte)
		walks := make(map[string]iter.Seq2[[]byte, []byte])
		var values iter.Seq[[]byte]
		s := start(t, d, routes(map[string]engine.Handler{"/keep": func(req *engine.Request, res *engine.Response) {
			if _, err := readAll(req); err != nil {
				t.Error(err)
			}
			views["URL"] = req.URL()
			views["Header"] = req.Header("X-One")
			views["Header, joined"] = req.Header("X-Two")
			for name, value := range req.Headers() {
				views["Headers, name of "+string(name)], views["Headers, value of "+string(name)] = name, value
			}
			for name, value := range req.RawHeaders() {
				views["RawHeaders, name of "+string(name)], views["RawHeaders, value of "+string(name)] = name, value
			}
			for name, value := range req.Trailers() {
				views["Trailers, name of "+string(name)], views["Trailers, value of "+string(name)] = name, value
			}
			for name, value := range req.RawTrailers() {
				views["RawTrailers, name of "+string(name)], views["RawTrailers, value of "+string(name)] = name, value
			}
			_ = res.SetHeader("X-Three", "a", "b")
			_ = res.SetHeader("X-Four", "c")
			views["GetHeader, joined"], views["GetHeader"] = res.GetHeader("X-Three"), res.GetHeader("X-Four")
			for value := range res.HeaderValues("X-Three") {
				views["HeaderValues, "+string(value)] = value
			}
			walks["Headers"], walks["RawHeaders"] = req.Headers(), req.RawHeaders()
			walks["Trailers"], walks["RawTrailers"] = req.Trailers(), req.RawTrailers()
			values = res.HeaderValues("X-Three")
			_ = res.EndString("kept")
		}}))
		c := s.dial()
		c.send("POST /keep HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-two: 2\r\nX-Two: 3\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"4\r\nbody\r\n0\r\nX-Five: 5\r\n\r\n")
		c.expect(200, "kept")
		c.get("/", "hello") // the one before is over by now
		if len(views) < 25 {
			t.Errorf("%d views were kept", len(views))
		}
		for of, view := range views {
			if len(view) == 0 || len(bytes.Trim(view, "\xDB")) > 0 {
				t.Errorf("%s: the view, kept too long, says %q", of, view)
			}
		}
		for name, walk := range walks {
			if said := panicOf(func() {
				for range walk {
					t.Errorf("%s goes on", name)
				}
			}); !strings.Contains(said, name+" of a request whose handler has returned") {
				t.Errorf("%s, walked too late, says %q", name, said)
			}
		}
		if said := panicOf(func() {
			for range values {
				t.Error("HeaderValues goes on")
			}
		}); !strings.Contains(said, "HeaderValues of a request whose handler has returned") {
			t.Errorf("HeaderValues, walked too late, says %q", said)
		}
	})
}
