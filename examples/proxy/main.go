// Command proxy is a reverse proxy: engine in front, agent behind, everything streamed.
//
//	go run ./examples/proxy -listen 127.0.0.1:8080 -to http://127.0.0.1:9000
//
// Each handler is plain blocking code on one event loop with its socket to the server.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/engine"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve")
	to := flag.String("to", "http://127.0.0.1:9000", "server to pass requests to")
	loops := flag.Int("loops", 0, "event loops; 0 is one for each core")
	flag.Parse()
	p := &proxy{agent: &agent.Agent{KeepAlive: true}}
	p.exchanges.New = func() any { return &exchange{req: agent.Request{URL: *to}} }
	s := &engine.Server{Handler: p.serve, Loops: *loops}
	if err := s.Listen("tcp", *listen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	_ = s.Close()
	p.agent.Destroy()
}

// exchange is what one request to the server needs; it is used again and again.
type exchange struct {
	req agent.Request
	res agent.Response
}

type proxy struct {
	agent     *agent.Agent
	exchanges sync.Pool
}

func (p *proxy) serve(in *engine.Request, out *engine.Response) {
	x := p.exchanges.Get().(*exchange)
	defer p.exchanges.Put(x)
	defer x.res.Close()
	if err := x.ask(p.agent, in); err != nil {
		refuse(out, err)
		return
	}
	if err := x.answer(out); err != nil {
		panic(engine.ErrAbort) // a client must not take half an answer for a whole one
	}
}

// ask passes the request on.
func (x *exchange) ask(a *agent.Agent, in *engine.Request) error {
	q := &x.req
	q.ClearHeaders()
	q.Method = in.Method()
	authority, path := split(in.URL())
	q.SetPath(path)
	if authority != nil { // it stands in for Host (RFC 9112 §3.2.2)
		if err := q.AddHeaderBytes([]byte("Host"), authority); err != nil {
			return err
		}
	}
	connection := in.Header("Connection")
	for name, value := range in.RawHeaders() {
		if hopByHop(name, connection) || authority != nil && bytesparse.LookupField(name) == bytesparse.FieldHost {
			continue
		}
		if err := q.AddHeaderBytes(name, value); err != nil {
			return err
		}
	}
	if err := q.AddHeader("Via", "1.1 gale"); err != nil {
		return err
	}
	q.Source = agent.Source{}
	if n := in.ContentLength(); n != 0 {
		q.Source = agent.Source{Reader: in, Length: n}
	}
	return a.Do(in.Context(), q, &x.res)
}

// answer passes the answer on: head, body as it comes, trailers.
func (x *exchange) answer(out *engine.Response) error {
	res := &x.res
	if err := out.SetStatus(res.StatusCode()); err != nil {
		return err
	}
	connection := res.Header("Connection")
	for name, value := range res.RawHeaders() {
		if hopByHop(name, connection) {
			continue
		}
		if err := out.AddHeaderBytes(name, value); err != nil {
			return err
		}
	}
	if _, err := io.Copy(out, res); err != nil {
		return err
	}
	for name, value := range res.RawTrailers() {
		if err := out.AddTrailers(string(name), string(value)); err != nil && !errors.Is(err, engine.ErrTrailer) {
			return err
		}
	}
	return out.End(nil)
}

// hopByHop tells whether a field is for this connection only (RFC 9110 §7.6.1), or ours
// to say.
func hopByHop(name, connection []byte) bool {
	switch bytesparse.LookupField(name) {
	case bytesparse.FieldConnection, bytesparse.FieldKeepAlive, bytesparse.FieldTransferEncoding, bytesparse.FieldUpgrade,
		bytesparse.FieldTE, bytesparse.FieldProxyAuthorization, bytesparse.FieldProxyAuthenticate,
		bytesparse.FieldProxyConnection, bytesparse.FieldExpect:
		return true
	}
	for option, rest, ok := bytesparse.NextToken(connection); ok; option, rest, ok = bytesparse.NextToken(rest) {
		if bytesparse.EqualFold(option, name) {
			return true
		}
	}
	return false
}

// split divides a target in absolute-form (RFC 9112 §3.2.2); of any other form all is
// the path.
func split(target []byte) (authority, path []byte) {
	at := bytes.Index(target, []byte("://"))
	if at <= 0 || target[0] == '/' || target[0] == '*' {
		return nil, target
	}
	rest := target[at+3:]
	switch end := bytes.IndexAny(rest, "/?"); {
	case end < 0:
		return rest, []byte("/")
	case rest[end] == '?':
		return rest[:end], append([]byte("/"), rest[end:]...)
	default:
		return rest[:end], rest[end:]
	}
}

// refuse answers for a server that did not, and does not tell who that is, or to a client
// whose own body is broken.
func refuse(out *engine.Response, err error) {
	status, text := 502, "The server has not answered.\n"
	var e *agent.Error
	var bad *engine.ProtocolError
	switch {
	case errors.Is(err, agent.ErrSource) && errors.As(err, &bad) && bad.Status >= 400:
		status, text = bad.Status, "The request is broken.\n"
	case errors.Is(err, agent.ErrSource) && errors.Is(err, os.ErrDeadlineExceeded):
		status, text = 408, "The request takes too long.\n"
	case errors.Is(err, agent.ErrSource):
		panic(engine.ErrAbort) // the client is gone
	case errors.As(err, &e) && e.Timeout():
		status, text = 504, "The server takes too long.\n"
	}
	_ = out.SetStatus(status)
	_ = out.EndString(text)
}
