// Interim responses, and switching to another protocol such as WebSocket.

package main

import (
	"io"
	"net"
	"slices"
	"strings"

	"github.com/gale-http/gale/agent"
)

// inform forwards an interim response, such as 103, without the fields that belong to the
// connection (RFC 9110 §7.6.1).
func (x *exchange) inform(res *agent.Response) {
	own := append(strings.Split(string(res.Header("Connection")), ","), "Connection")
	var fields []string
	for name, value := range res.RawHeaders() {
		is := func(option string) bool { return strings.EqualFold(strings.TrimSpace(option), string(name)) }
		if !slices.ContainsFunc(own, is) {
			fields = append(fields, string(name), string(value))
		}
	}
	_ = x.out.WriteInterim(res.StatusCode(), fields...) // if the client is gone, the final response will fail
}

// switchOver records that the server has switched to the protocol that the client asked for.
func (x *exchange) switchOver(_ *agent.Response, socket net.Conn, head []byte) {
	x.socket, x.ahead = socket, head
}

// tunnel tells the client that the server has switched protocols, and relays bytes in both
// directions until both sides have ended.
func (x *exchange) tunnel() {
	server, ahead := x.socket, x.ahead
	x.socket, x.ahead = nil, nil
	defer server.Close()
	client, said, err := x.out.Hijack()
	if err != nil {
		return // the client is gone
	}
	defer client.Close()
	if _, err := client.Write(append(x.switched(), ahead...)); err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		pass(client, server)
	}()
	if _, err := server.Write(said); err == nil {
		pass(server, client)
	} else {
		_ = client.Close()
	}
	<-done
}

// switched returns the head of the server's 101 as it was received.
func (x *exchange) switched() []byte {
	head := []byte("HTTP/1.1 101 Switching Protocols\r\n")
	for name, value := range x.res.RawHeaders() {
		head = append(append(append(head, name...), ": "...), value...)
		head = append(head, "\r\n"...)
	}
	return append(head, "\r\n"...)
}

// pass copies until from ends, and then half-closes to; if either fails, it closes both.
func pass(to, from net.Conn) {
	if _, err := io.Copy(to, from); err == nil {
		if end, ok := to.(interface{ CloseWrite() error }); ok && end.CloseWrite() == nil {
			return
		}
	}
	_ = to.Close()
	_ = from.Close()
}
