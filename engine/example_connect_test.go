// The seed's tunnelling proxy (http.ClientRequest, event 'connect'): it answers ordinary requests,
// and CONNECT with a tunnel to the address that the target names.

package engine_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/gale-http/gale/engine"
)

// tunnel connects the client with the origin that it names, and passes bytes both
// ways until both ends have closed.
func tunnel(req *engine.Request, client *engine.Socket, head []byte) {
	defer client.Close()
	origin, err := net.Dial("tcp", string(req.URL()))
	if err != nil {
		_, _ = io.WriteString(client, "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n")
		return
	}
	defer origin.Close()
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection Established\r\nProxy-agent: gale-Proxy\r\n\r\n")
	_, _ = origin.Write(head)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(origin, client)
		_ = origin.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, origin)
	_ = client.CloseWrite()
	<-done
}

// tunnellingProxy is the seed's example.
func tunnellingProxy() *engine.Server {
	return &engine.Server{
		Handler: func(_ *engine.Request, res *engine.Response) {
			_ = res.WriteHead(200, "", "Content-Type", "text/plain")
			_ = res.EndString("okay")
		},
		On: engine.Events{Connect: tunnel},
	}
}

func Example_connect() {
	origin := &engine.Server{Handler: func(_ *engine.Request, res *engine.Response) { _ = res.EndString("the origin") }}
	if err := origin.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	defer origin.Close()
	proxy := tunnellingProxy()
	if err := proxy.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	defer proxy.Close()

	// A request to the tunnelling proxy, and another over the tunnel.
	c, err := net.Dial("tcp", proxy.Addr().String())
	if err != nil {
		panic(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", origin.Addr())
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, &http.Request{Method: "CONNECT"})
	if err != nil {
		panic(err)
	}
	fmt.Println(res.Status)
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: origin\r\nConnection: close\r\n\r\n")
	if res, err = http.ReadResponse(in, nil); err != nil {
		panic(err)
	}
	body, _ := io.ReadAll(res.Body)
	fmt.Println(string(body))
	// Output:
	// 200 Connection Established
	// the origin
}
