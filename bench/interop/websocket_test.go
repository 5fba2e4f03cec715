// WebSockets: the servers of two libraries over gale's sockets, and a library's client. One
// server is written for net/http and hijacks the connection, the other gets the upgraded
// socket from gale's own event.

package interop

import (
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/engine/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

// echoHijacked is github.com/coder/websocket's server as an http.Handler.
func echoHijacked(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(1 << 20)
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if err := c.Write(r.Context(), kind, message); err != nil {
			return
		}
	}
}

// echoUpgraded is github.com/gobwas/ws's server over the socket of gale's event.
func echoUpgraded(req *engine.Request, socket *engine.Socket, head []byte) {
	defer socket.Close()
	accept := sha1.Sum(append(bytes.Clone(req.Header("Sec-WebSocket-Key")), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	_, err := fmt.Fprintf(socket, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(accept[:]))
	if err != nil {
		return
	}
	conn := &withHead{socket, io.MultiReader(bytes.NewReader(head), socket)}
	for {
		message, kind, err := wsutil.ReadClientData(conn)
		if err != nil || kind == ws.OpClose {
			return
		}
		if err := wsutil.WriteServerMessage(conn, kind, message); err != nil {
			return
		}
	}
}

// withHead first reads the bytes that came with the request.
type withHead struct {
	net.Conn
	in io.Reader
}

func (c *withHead) Read(p []byte) (int, error) { return c.in.Read(p) }

// sockets returns the servers, by the library they use.
func sockets(portable bool) map[string]*engine.Server {
	return map[string]*engine.Server{
		"coder/websocket, hijacked": {Handler: nethttp.Handler(http.HandlerFunc(echoHijacked)), Portable: portable},
		"gobwas/ws, upgraded": {
			Handler:  func(_ *engine.Request, res *engine.Response) { _ = res.SetStatus(http.StatusUpgradeRequired) },
			On:       engine.Events{Upgrade: echoUpgraded},
			Portable: portable,
		},
	}
}

// TestWebSockets: many clients, messages from nothing to more than any buffer.
func TestWebSockets(t *testing.T) {
	authority := simnet.NewAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, "localhost")}}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool}}}
	for i := range 4 {
		portable, secure := i&1 != 0, i&2 != 0
		for name, s := range sockets(portable) {
			t.Run(fmt.Sprintf("%s, portable %v, TLS %v", name, portable, secure), func(t *testing.T) {
				scheme := "ws://"
				if secure {
					s.TLS, scheme = config, "wss://"
				}
				url := scheme + start(t, s)
				var all sync.WaitGroup
				for k := range 32 {
					all.Go(func() { talk(t, client, url, k) })
				}
				all.Wait()
			})
		}
	}
}

func talk(t *testing.T, client *http.Client, url string, k int) {
	ctx := within(t)
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(1 << 20)
	for i := range 40 {
		size := i * k * 11
		if i == 39 {
			size = 1 << 19
		}
		message := bytes.Repeat([]byte{byte('a' + k%26)}, size)
		if err := c.Write(ctx, websocket.MessageText, message); err != nil {
			t.Error(err)
			return
		}
		kind, got, err := c.Read(ctx)
		if err != nil || kind != websocket.MessageText || !bytes.Equal(got, message) {
			t.Errorf("message %d of client %d: %v, %d bytes for %d, %v", i, k, kind, len(got), size, err)
			return
		}
	}
	if err := c.Ping(c.CloseRead(ctx)); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil && !strings.Contains(err.Error(), "EOF") {
		t.Errorf("close: %v", err)
	}
}
