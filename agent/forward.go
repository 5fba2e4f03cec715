// Forwarding a received request.

package agent

import (
	"errors"
	"io"
	"iter"
	"strconv"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
)

// Message is a received request that can be forwarded: an *engine.Request.
type Message interface {
	Received() *exchange.Incoming // for gale's own packages
	URL() []byte                  // the request target
	io.Reader
}

// Forward turns q into a request that passes m on, as an intermediary does (RFC 9110 §7.6):
// it takes over the method, the target, the end-to-end fields, the body as it arrives, and
// the trailers, replacing those of q. The server to send it to is the one that q's other
// fields name; only the authority of an absolute-form target becomes the Host field (RFC
// 9112 §3.2.2). A client that waits for a 100 Continue gets it once the server has sent one
// or Timeouts.Continue has passed (RFC 9110 §10.1.1). Via (§7.6.3), Forwarded and
// X-Forwarded-For are left to the caller. If On.Upgrade is set, a request for another
// protocol is forwarded as well (§7.8), and On.Upgrade must then relay the bytes between
// the two sockets. Forward allocates only for a method that is not well-known, an
// absolute-form target without a path, and a Max-Forwards above 100.
func (q *Request) Forward(m Message) error {
	in := m.Received()
	q.ClearHeaders()
	if method := in.Head.Method; method != bytesparse.MethodOther {
		q.Method = method.String()
	} else {
		q.Method = string(in.Head.Name.Of(in.HeadBytes()))
	}
	path, drop := m.URL(), uint64(0)
	if scheme, authority, _, _ := bytesparse.CutTarget(path); scheme != nil {
		path = path[len(scheme)+len("://")+len(authority):]
		switch {
		case len(path) == 0 && in.Head.Method == bytesparse.MethodOptions:
			path = []byte("*") // RFC 9112 §3.2.4
		case len(path) == 0 || path[0] == '?':
			path = append([]byte("/"), path...)
		}
		drop = 1 << bytesparse.FieldHost
		if err := q.out.Headers.AddBytes(hostName, authority); err != nil {
			return err
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
		if in.Withheld() {
			if err := q.out.Headers.Add("Expect", "100-continue"); err != nil {
				return err
			}
		}
	}
	if err := in.EndToEnd(&q.out.Headers, drop); err != nil || q.On.Upgrade == nil || !in.Conn.Upgrade() {
		return err
	}
	if err := q.out.Headers.Set("Connection", "Upgrade"); err != nil {
		return err
	}
	for i := -1; ; {
		if i = in.Head.NextIndex(bytesparse.FieldUpgrade, i); i < 0 {
			return nil
		}
		f := &in.Head.Fields[i]
		if err := q.out.Headers.AddBytes(f.NameOf(in.HeadBytes()), f.ValueOf(in.HeadBytes())); err != nil {
			return err
		}
	}
}

// ErrMaxForwards is returned by Forward for a TRACE or OPTIONS whose Max-Forwards is 0: its
// recipient must not forward it but respond itself (RFC 9110 §7.6.2).
var ErrMaxForwards = errors.New("the request may not be forwarded: its Max-Forwards is 0")

var hostName = []byte("Host")

// takeTrailers makes those trailers of a forwarded message that are allowed as trailers
// follow its body.
func (q *Request) takeTrailers(from io.Reader) error {
	if m, ok := from.(interface{ Received() *exchange.Incoming }); ok && !m.Received().HasTrailers() {
		return nil
	}
	if m, ok := from.(trailing); ok {
		return q.addTrailers(m)
	}
	return nil
}

// trailing is a message that has trailers once it has been read.
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
