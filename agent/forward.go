// Passing a request on.

package agent

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
)

// Message is a request that was received and may be passed on: an *engine.Request.
type Message interface {
	Received() *exchange.Incoming // as gale's own packages see it
	URL() []byte                  // the request target
	io.Reader
}

// Forward makes q ask what m asks, as an intermediary does (RFC 9110 §7.6): with its method,
// its target, its end-to-end fields, its body, as it comes, and its trailers, in place of
// what q had of those. Where it goes is for q to say: the authority of a target in
// absolute-form becomes its Host (RFC 9112 §3.2.2). It allocates only for a method that is
// not well-known.
func (q *Request) Forward(m Message) error {
	in := m.Received()
	q.ClearHeaders()
	if method := in.Head.Method; method != bytesparse.MethodOther {
		q.Method = method.String()
	} else {
		q.Method = string(in.Head.Name.Of(in.HeadBytes()))
	}
	path, drop := m.URL(), uint64(0)
	if len(path) > 0 && path[0] != '/' {
		var authority []byte
		if authority, path = split(path); authority != nil {
			switch {
			case len(path) > 0:
			case in.Head.Method == bytesparse.MethodOptions:
				path = []byte("*") // RFC 9112 §3.2.4
			default:
				path = []byte("/")
			}
			drop = 1 << bytesparse.FieldHost
			if err := q.out.Headers.AddBytes(hostName, authority); err != nil {
				return err
			}
		}
	}
	if in.Head.Has(bytesparse.FieldMaxForwards) && (in.Head.Method == bytesparse.MethodOptions || in.Head.Method == bytesparse.MethodTrace) {
		n, ok := bytesparse.ParseUint(in.Head.Value(in.HeadBytes(), bytesparse.FieldMaxForwards))
		if ok && n == 0 {
			return ErrMaxForwards
		}
		if ok {
			drop |= 1 << bytesparse.FieldMaxForwards
			if err := q.out.Headers.Add("Max-Forwards", strconv.FormatInt(n-1, 10)); err != nil {
				return err
			}
		}
	}
	q.SetPath(path)
	q.Body, q.Source = nil, Source{}
	if !in.Done() {
		q.Source.Reader, q.Source.Length = m, in.Declared()
	}
	return in.EndToEnd(&q.out.Headers, drop)
}

// ErrMaxForwards is what Forward says of a TRACE or OPTIONS that must not go further: whoever
// has got it answers it (RFC 9110 §7.6.2).
var ErrMaxForwards = errors.New("the request may not be forwarded: its Max-Forwards is 0")

var hostName = []byte("Host")

// split divides a target in absolute-form; of any other form all is the path.
func split(target []byte) (authority, path []byte) {
	at := bytes.Index(target, []byte("://"))
	if at <= 0 || target[0] == '*' {
		return nil, target
	}
	rest := target[at+3:]
	switch end := bytes.IndexAny(rest, "/?"); {
	case end < 0:
		return rest, nil
	case rest[end] == '?':
		return rest[:end], append([]byte("/"), rest[end:]...)
	default:
		return rest[:end], rest[end:]
	}
}

// takeTrailers has the trailers of a message that is passed on follow its body, those
// that may.
func (q *Request) takeTrailers(from io.Reader) error {
	if m, ok := from.(interface{ Received() *exchange.Incoming }); ok && !m.Received().HasTrailers() {
		return nil
	}
	if m, ok := from.(trailing); ok {
		return q.addTrailers(m)
	}
	return nil
}

// trailing is a message with trailers, once it has been read.
type trailing interface {
	RawTrailers() iter.Seq2[[]byte, []byte]
}

func (q *Request) addTrailers(of trailing) error {
	for name, value := range of.RawTrailers() {
		if !exchange.MayTrail(name) {
			continue
		}
		if err := q.out.Trailers.AddBytes(name, value); err != nil {
			return err
		}
	}
	return nil
}
