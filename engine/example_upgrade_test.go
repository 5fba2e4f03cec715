// The seed's upgrade (http.ClientRequest, event 'upgrade'): ordinary requests get an
// answer, one that asks for another protocol gets a socket that echoes.

package engine_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/gale-http/gale/engine"
)

// upgradeEcho is the seed's example.
func upgradeEcho() *engine.Server {
	return &engine.Server{
		Handler: func(_ *engine.Request, res *engine.Response) {
			_ = res.WriteHead(200, "", "Content-Type", "text/plain")
			_ = res.EndString("okay")
		},
		On: engine.Events{Upgrade: func(_ *engine.Request, socket *engine.Socket, head []byte) {
			defer socket.Close()
			_, _ = io.WriteString(socket, "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n")
			_, _ = socket.Write(head)
			_, _ = io.Copy(socket, socket) // echo back
		}},
	}
}

func Example_upgrade() {
	server := upgradeEcho()
	if err := server.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	defer server.Close()

	c, err := net.Dial("tcp", server.Addr().String())
	if err != nil {
		panic(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		panic(err)
	}
	echo := make([]byte, 5)
	_, _ = io.ReadFull(in, echo)
	fmt.Println(res.Status, string(echo))
	// Output: 101 Web Socket Protocol Handshake hello
}
