// Interim responses and other protocols through the proxy.

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// shouts is a server that switches to a protocol of its own when asked to: it sends a word at once,
// echoes what it receives, and has the last word.
func shouts(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "shout" || r.Header.Get("Connection") != "Upgrade" {
			w.WriteHeader(http.StatusUpgradeRequired)
			fmt.Fprintf(w, "%q", r.Header.Get("Upgrade"))
			return
		}
		c, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\nX-Key: "+r.Header.Get("X-Key")+"\r\n\r\nhello ")
		_, _ = io.Copy(c, buf)
		_, _ = io.WriteString(c, " bye")
	}
}

func TestPassesUpgradesOn(t *testing.T) {
	back := httptest.NewServer(shouts(t))
	defer back.Close()
	addr := strings.TrimPrefix(front(t, back.URL, &agent.Agent{KeepAlive: true}), "http://")
	big := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	for _, connection := range []string{"Upgrade", "keep-alive, upgrade"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		// First an ordinary request on the same connection.
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgraded\r\nUpgrade: shout\r\n\r\n")
		in := bufio.NewReader(c)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); res.StatusCode != 426 || string(body) != `""` || err != nil {
			t.Errorf("%s %q, %v", res.Status, body, err)
		}
		fmt.Fprintf(c, "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: %s\r\nUpgrade: shout\r\nX-Key: k\r\n\r\nearly ", connection)
		if res, err = http.ReadResponse(in, nil); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 101 || res.Header.Get("X-Key") != "k" || res.Header.Get("Upgrade") != "shout" || res.Header.Get("Connection") != "Upgrade" {
			t.Fatalf("%s %v", res.Status, res.Header)
		}
		go func() {
			_, _ = c.Write(big)
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		if got, err := io.ReadAll(in); err != nil || string(got) != "hello early "+string(big)+" bye" {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
}

// When either side disconnects, so does the other.
func TestEndsTunnels(t *testing.T) {
	ended := make(chan error, 1)
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		_, err = io.Copy(io.Discard, c)
		ended <- err
	}))
	defer back.Close()
	addr := strings.TrimPrefix(front(t, back.URL, &agent.Agent{KeepAlive: true}), "http://")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 101 {
		t.Fatal(res, err)
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	<-ended
}

func TestPassesInterimResponsesOn(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.Header().Set("X-Own", "the connection's")
		w.Header().Set("Connection", "x-own, Other")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("X-Own")
		w.Header().Del("Connection")
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer back.Close()
	url := front(t, back.URL, &agent.Agent{KeepAlive: true})
	for i := range 4 {
		var heard string
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			heard += fmt.Sprint(code, " ", header.Get("Link"), header.Get("X-Own"), header.Get("Connection"))
			return nil
		}}
		body := strings.Repeat("x", i*9000)
		req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "PUT", url, strings.NewReader(body))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(got) != body || heard != "103 </a.css>; rel=preload" {
			t.Errorf("%d bytes, %v, heard %q", len(got), err, heard)
		}
	}
}

// A server that switches protocols unasked is not connected to the client.
func TestRefusesSwitchesUnasked(t *testing.T) {
	back := simnet.Serve(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 101 So what\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\nhello")
		_, _ = io.Copy(io.Discard, c)
	})
	url := front(t, "http://"+back, &agent.Agent{KeepAlive: true})
	for _, fields := range []string{"", "Upgrade: shout\r\n"} { // without Connection it is no wish
		if res, body := say(t, url, "GET / HTTP/1.1\r\nHost: a\r\n"+fields+"\r\n"); res.StatusCode != 502 || !strings.Contains(body, "server") {
			t.Errorf("%q: %d %q", fields, res.StatusCode, body)
		}
	}
}
