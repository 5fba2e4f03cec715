// Command proxy is a reverse proxy: engine in front, agent behind, everything streamed.
//
//	go run ./examples/proxy -listen 127.0.0.1:8080 -to http://127.0.0.1:9000
//
// Each handler is plain blocking code; it and its socket to the server are on one event loop.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"sync"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	listen := flags.String("listen", "127.0.0.1:8080", "address to serve")
	to := flags.String("to", "http://127.0.0.1:9000", "server to pass requests to")
	loops := flags.Int("loops", 0, "event loops; 0 is one for each core")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	p := newProxy(*to)
	defer p.agent.Destroy()
	if _, err := p.agent.GetName(&agent.Request{URL: *to}); err != nil {
		return fmt.Errorf("-to: %w", err)
	}
	if u, _ := url.Parse(*to); u.RequestURI() != "/" || u.Fragment != "" {
		return fmt.Errorf("-to %s: only a server can be named, not a path: requests keep their own", u.Redacted())
	}
	if *loops < 0 {
		return fmt.Errorf("-loops %d: there cannot be fewer than none", *loops)
	}
	s := &engine.Server{Handler: p.serve, Loops: *loops}
	if err := s.Listen("tcp", *listen); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	return s.Close()
}

// exchange is the state of one request to the server; it is reused.
type exchange struct {
	req agent.Request
	res agent.Response
	out *engine.Response // the client's

	socket net.Conn // the server's, after a switch of protocols,
	ahead  []byte   // and what the server has sent after it
}

func newExchange(to string) *exchange {
	x := &exchange{req: agent.Request{URL: to}}
	x.req.On.Information, x.req.On.Upgrade = x.inform, x.switchOver
	return x
}

type proxy struct {
	agent     *agent.Agent
	exchanges sync.Pool
}

func newProxy(to string) *proxy {
	p := &proxy{agent: &agent.Agent{KeepAlive: true}}
	p.exchanges.New = func() any { return newExchange(to) }
	return p
}

func (p *proxy) serve(in *engine.Request, out *engine.Response) {
	x := p.exchanges.Get().(*exchange)
	defer p.exchanges.Put(x)
	defer x.res.Close()
	x.out = out
	if err := x.ask(p.agent, in); err != nil {
		refuse(out, err)
		return
	}
	if x.socket != nil {
		if x.req.GetHeader("Upgrade") == nil { // the client did not ask for it (RFC 9110 §7.8)
			_ = x.socket.Close()
			x.socket, x.ahead = nil, nil
			refuse(out, agent.ErrTunnel)
			return
		}
		x.tunnel()
		return
	}
	if err := out.Forward(&x.res); err != nil {
		panic(engine.ErrAbort) // so that the client does not take a partial response for a complete one
	}
}

// ask forwards the request.
func (x *exchange) ask(a *agent.Agent, in *engine.Request) error {
	if err := x.req.Forward(in); err != nil {
		return err
	}
	via := "1.1 gale"
	if in.HTTPVersionMinor() == 0 {
		via = "1.0 gale"
	}
	if err := x.req.AddHeader("Via", via); err != nil {
		return err
	}
	return a.Do(in.Context(), &x.req, &x.res)
}

// refuse responds in place of a server that did not, without saying which server it is, or to
// a client whose own body is broken.
func refuse(out *engine.Response, err error) {
	status, text := 502, "The server has not answered.\n"
	var e *agent.Error
	var bad *engine.ProtocolError
	switch {
	case errors.Is(err, agent.ErrMaxForwards):
		status, text = 200, "" // it asks for the last hop, which is this proxy
	case errors.Is(err, agent.ErrSource) && errors.As(err, &bad) && bad.Status >= 400:
		status, text = bad.Status, "The request is broken.\n"
	case errors.Is(err, agent.ErrSource) && errors.Is(err, os.ErrDeadlineExceeded):
		status, text = 408, "The request takes too long.\n"
	case errors.Is(err, agent.ErrSource), errors.Is(err, context.Canceled):
		panic(engine.ErrAbort) // the client is gone, or has hung up
	case errors.As(err, &e) && e.Timeout():
		status, text = 504, "The server takes too long.\n"
	}
	_ = out.SetStatus(status)
	_ = out.EndString(text)
}
