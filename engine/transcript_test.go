// The conversations of testdata, played on every driver, over every transport, cut
// in every way: whole, byte by byte, and in two at every place. The answers must be
// the same to the byte.

package engine_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// epilogue proves that a connection is still good for a request.
var epilogue = []simnet.Step{
	{Action: simnet.Send, Bytes: []byte("GET /epilogue HTTP/1.1\r\nHost: a\r\n\r\n")},
	{Action: simnet.Expect, Bytes: []byte("HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 10\r\n\r\nstill here")},
}

// pages are what the conversations ask for.
var pages = map[string]engine.Handler{
	"/epilogue": func(_ *engine.Request, res *engine.Response) { _ = res.EndString("still here") },
	"/hello":    hello,
	"/nothing":  func(*engine.Request, *engine.Response) {},
	"/ignore":   func(_ *engine.Request, res *engine.Response) { _ = res.EndString("ignored") },
	"/echo": func(req *engine.Request, res *engine.Response) {
		if body, err := readAll(req); err == nil {
			_ = res.End(body)
		}
	},
	"/half": func(req *engine.Request, res *engine.Response) {
		var four [4]byte
		_, _ = io.ReadFull(req, four[:])
		_ = res.End(four[:])
	},
	"/early": func(req *engine.Request, res *engine.Response) {
		_, _ = res.WriteString("early")
		body, err := readAll(req)
		if err != nil {
			body = []byte("error")
		}
		_ = res.End(body)
	},
	"/verdict": func(req *engine.Request, res *engine.Response) {
		if _, err := readAll(req); err != nil {
			_ = res.SetStatus(422)
			_ = res.EndString("sigh")
		}
	},
	"/silent-verdict": func(req *engine.Request, res *engine.Response) {
		if _, err := readAll(req); err != nil {
			_ = res.SetStatus(422)
		}
	},
	"/refuse": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetStatus(403)
		_ = res.EndString("no")
	},
	"/continue": func(req *engine.Request, res *engine.Response) {
		_ = res.WriteContinue()
		body, _ := readAll(req)
		_ = res.End(body)
	},
	"/stream": func(_ *engine.Request, res *engine.Response) {
		_, _ = res.Write([]byte("one"))
		_, _ = res.WriteString("two")
	},
	"/stream-end": func(_ *engine.Request, res *engine.Response) {
		_, _ = res.Write([]byte("one"))
		_ = res.EndString("two")
	},
	"/large": func(_ *engine.Request, res *engine.Response) {
		_, _ = res.WriteString(strings.Repeat("01234", 1000))
		_ = res.EndString(strings.Repeat("01234", 1000))
	},
	"/large-end": func(_ *engine.Request, res *engine.Response) {
		_ = res.EndString(strings.Repeat("01234", 1000))
	},
	"/length": length,
	"/flush": func(_ *engine.Request, res *engine.Response) {
		_ = res.Flush()
		_ = res.EndString("ok")
	},
	"/head": func(_ *engine.Request, res *engine.Response) {
		_ = res.WriteHead(404, "Nothing Here", "X-One", "1", "X-Two", "2")
		_ = res.EndString("no")
	},
	"/close": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Connection", "close")
		_ = res.EndString("bye")
	},
	"/keep": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Connection", "keep-alive")
		_ = res.EndString("kept")
	},
	"/hops": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Connection", "X-Hop, Keep-Alive", "keep-alive", "Upgrade")
		_ = res.SetHeader("X-Hop", "1")
	},
	"/fields": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Set-Cookie", "type=ninja", "language=javascript")
		_ = res.SetHeader("X-Gone", "1")
		_ = res.SetHeader("x-list", "old")
		_ = res.SetHeader("X-List", "one, 1", "two")
		res.RemoveHeader("x-gone")
		seen := fmt.Sprintf("%s; %s", res.GetHeader("X-LIST"), res.GetHeader("set-cookie"))
		if res.GetHeader("X-Gone") != nil {
			seen += "; a ghost"
		}
		_ = res.SetHeader("X-Seen", seen)
	},
	"/dateless": func(_ *engine.Request, res *engine.Response) { res.SetSendDate(false) },
	"/own-date": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
	},
	"/with-trailers": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Trailer", "X-Sum")
		_, _ = res.WriteString("data")
		_ = res.AddTrailers("X-Sum", "7", "X-Sum", "8")
	},
	"/lost-trailers": func(_ *engine.Request, res *engine.Response) {
		_ = res.AddTrailers("X-Sum", "7")
		_ = res.EndString("data")
	},
	"/announced-trailers": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("trailer", "X-Sum")
		_ = res.AddTrailers("X-Sum", "7")
		_ = res.EndString("data")
	},
	"/announced-length": func(_ *engine.Request, res *engine.Response) {
		_ = res.WriteHead(200, "", "Trailer", "X-Sum", "Content-Length", "4")
		_ = res.AddTrailers("X-Sum", "7")
		_ = res.EndString("data")
	},
	"/announced-end": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Trailer", "X-Sum")
		_ = res.AddTrailers("X-Sum", "7")
	},
	"/head-lines": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Set-Cookie", "old", "older")
		_ = res.SetHeader("X-Kept", "1")
		_ = res.WriteHead(201, "", "Set-Cookie", "a=1", "X-One", "1", "set-cookie", "b=2", "SET-COOKIE", "c=3")
	},
	"/reason": func(_ *engine.Request, res *engine.Response) {
		seen := res.StatusMessage()
		_ = res.SetStatus(404)
		seen += "; " + res.StatusMessage()
		_ = res.SetStatusMessage("Nothing Here")
		_ = res.SetHeader("X-Seen", seen+"; "+res.StatusMessage())
		_, _ = res.WriteString(res.StatusMessage())
		_ = res.EndString(res.StatusMessage())
	},
	"/both": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Content-Length", "5")
		_ = res.SetHeader("Transfer-Encoding", "chunked")
		_ = res.EndString("hello")
	},
	"/codings": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Transfer-Encoding", "chunked", "gzip")
		_ = res.EndString("hello")
	},
	"/refused": func(_ *engine.Request, res *engine.Response) {
		_ = res.SetHeader("X-Good", "1")
		_ = res.SetHeader("X-Good", "2\r\nX-Evil: 1")
		_ = res.SetHeader("X-Evil\r\n", "1")
		_ = res.SetStatusMessage("OK\r\nX-Evil: 1")
		_ = res.SetStatus(99)
	},
	"/hints": func(_ *engine.Request, res *engine.Response) {
		_ = res.WriteInterim(103, "Link", "</a.css>; rel=preload", "Link", "</b.js>; rel=preload", "Content-Length", "5")
		_ = res.WriteInterim(102)
		_ = res.SetHeader("Content-Length", "4")
		refused := res.WriteInterim(103, "Bad\r\n", "1") != nil && res.WriteInterim(103, "Odd") != nil &&
			res.WriteInterim(101) != nil && res.WriteInterim(200) != nil
		_ = res.Flush()
		refused = refused && res.WriteInterim(103) == engine.ErrHeadSent
		_ = res.EndString(fmt.Sprint(refused))
	},
	"/hijack": func(req *engine.Request, res *engine.Response) { echoHijacked(res) },
	"/hijack-late": func(req *engine.Request, res *engine.Response) {
		_ = res.SetHeader("Content-Length", "9")
		_, _ = res.WriteString("first")
		socket, _, _ := res.Hijack()
		defer socket.Close()
		_, err := res.WriteString("lost")
		_, err2 := req.Read(make([]byte, 1))
		if errors.Is(err, engine.ErrHijacked) && errors.Is(err2, engine.ErrHijacked) && res.End(nil) != nil {
			_, _ = io.WriteString(socket, "then")
		}
	},
	"/trailers": func(req *engine.Request, res *engine.Response) {
		_, _ = readAll(req)
		text := fmt.Sprintf("host %s;", req.Header("Host"))
		for name, value := range req.Trailers() {
			text += fmt.Sprintf(" %s: %s;", name, value)
		}
		_ = res.EndString(text)
	},
	"/request": func(req *engine.Request, res *engine.Response) {
		text := fmt.Sprintf("%s %s %s", req.Method(), req.URL(), req.HTTPVersion())
		for name, value := range req.Headers() {
			text += fmt.Sprintf("\n%s: %s", name, value)
		}
		_ = res.EndString(text)
	},
	"/raw": func(req *engine.Request, res *engine.Response) {
		text := ""
		for name, value := range req.RawHeaders() {
			text += fmt.Sprintf("%s: %s\n", name, value)
		}
		_ = res.EndString(text)
	},
}

func length(_ *engine.Request, res *engine.Response) {
	_ = res.SetHeader("Content-Length", "5")
	_, _ = res.WriteString("he")
	_, _ = res.WriteString("llo")
}

// page answers with what a conversation asked for.
func page(req *engine.Request, res *engine.Response) {
	path, _, _ := strings.Cut(string(req.URL()), "?")
	if _, rest, ok := strings.Cut(path, "://"); ok { // absolute-form
		path = rest[strings.IndexByte(rest, '/'):]
	}
	first, code, ok := strings.Cut(path[1:], "/")
	if status, err := strconv.Atoi(code); ok && err == nil {
		_ = res.SetStatus(status)
		if first == "length" {
			length(req, res)
		} else {
			_ = res.EndString("body")
		}
		return
	}
	if h := pages[path]; h != nil {
		h(req, res)
		return
	}
	panic("no conversation may get " + path)
}

// events turns the option listen of a conversation into those of a server.
func events(t *testing.T, names string) (on engine.Events) {
	for name := range strings.SplitSeq(names, ",") {
		switch name {
		case "":
		case "connect":
			on.Connect = func(req *engine.Request, socket *engine.Socket, head []byte) {
				defer socket.Close()
				_, _ = fmt.Fprintf(socket, "HTTP/1.1 200 Tunnel to %s\r\n\r\n", req.URL())
				echoAll(socket, head)
			}
		case "connect-request":
			on.ConnectRequest = func(req *engine.Request, res *engine.Response) {
				if string(req.URL()) == "hijack:1" {
					echoHijacked(res)
					return
				}
				_ = res.SetStatus(405)
				_ = res.EndString("no tunnels here")
			}
		case "upgrade":
			on.Upgrade = func(req *engine.Request, socket *engine.Socket, head []byte) {
				defer socket.Close()
				_, _ = fmt.Fprintf(socket, "HTTP/1.1 101 Over\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", req.Header("upgrade"))
				echoAll(socket, head)
			}
		case "continue":
			on.CheckContinue = checkContinue
		case "error":
			on.ClientError = func(err error, socket *engine.Socket) {
				var bad *engine.ProtocolError
				if errors.As(err, &bad) {
					_, _ = fmt.Fprintf(socket, "HTTP/1.1 %d Mine\r\nConnection: close\r\n\r\n%s", bad.Status, bad.Msg)
				}
			}
		default:
			t.Fatalf("unknown listener %q", name)
		}
	}
	return on
}

// echoAll sends head back, and then what comes, until the client sends no more.
func echoAll(socket net.Conn, head []byte) {
	_, _ = socket.Write(head)
	_, _ = io.Copy(socket, socket)
}

func echoHijacked(res *engine.Response) {
	socket, head, err := res.Hijack()
	if err != nil {
		return
	}
	defer socket.Close()
	_, _ = io.WriteString(socket, "HTTP/1.1 200 Hijacked\r\n\r\n")
	echoAll(socket, head)
}

func checkContinue(req *engine.Request, res *engine.Response) {
	if string(req.URL()) == "/no" {
		_ = res.SetStatus(403)
		return
	}
	if string(req.URL()) == "/yes" {
		_ = res.WriteContinue()
	}
	body, _ := readAll(req)
	_ = res.End(append([]byte("checked "), body...))
}

// limits turns the options of a conversation into those of a server.
func limits(t *testing.T, options map[string]string) (l engine.Limits) {
	for name, value := range options {
		if name == "cuts" || name == "listen" {
			continue // the player's, and listeners'
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case "head":
			l.Head = n
		case "fields":
			l.Fields = n
		case "target":
			l.Target = n
		case "chunkline":
			l.ChunkLine = n
		case "overhead":
			l.ChunkOverhead = n
		case "trailers":
			l.Trailers = n
		case "body":
			l.Body = int64(n)
		case "drain":
			l.Drain = int64(n)
		default:
			t.Fatalf("unknown option %q", name)
		}
	}
	return l
}

// TestTranscripts plays every conversation of testdata. Which cuts go over which
// transport: the pieces of a Pipe and, on Linux, of a unix socket arrive as they
// were sent, so those take the fine cuts.
func TestTranscripts(t *testing.T) {
	groups := readGroups(t)
	allDrivers(t, func(t *testing.T, d driver) {
		for _, g := range groups {
			playGroup(t, d, g)
		}
	})
}

// group is the conversations that one server can serve.
type group struct {
	options map[string]string
	scripts []*simnet.Script
}

func readGroups(t *testing.T) []*group {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts: ", err)
	}
	byKey := map[string]*group{}
	for _, file := range files {
		scripts, err := simnet.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scripts {
			key := fmt.Sprint(s.Options)
			if byKey[key] == nil {
				byKey[key] = &group{options: s.Options}
			}
			byKey[key].scripts = append(byKey[key].scripts, s)
		}
	}
	keys := make([]string, 0, len(byKey))
	for key := range byKey {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	groups := make([]*group, 0, len(keys))
	for _, key := range keys {
		groups = append(groups, byKey[key])
	}
	return groups
}

func playGroup(t *testing.T, d driver, g *group) {
	t.Run(strings.Trim(fmt.Sprint(g.options), "map[]"), func(t *testing.T) {
		s := prepare(t, d, page)
		s.Limits = limits(t, g.options)
		s.On = events(t, g.options["listen"])
		s.listen()
		path := filepath.Join(t.TempDir(), "socket")
		if err := s.Listen("unix", path); err != nil {
			t.Fatal(err)
		}
		pipes := simnet.Listen()
		served := make(chan error, 1)
		go func() { served <- s.Serve(pipes) }()
		tcp := func() (net.Conn, error) { return net.Dial("tcp", s.Addr().String()) }
		unix := func() (net.Conn, error) { return net.Dial("unix", path) }
		for _, script := range g.scripts {
			play(t, "tcp, whole", tcp, simnet.Whole, script)
			play(t, "pipe, whole", pipes.Dial, simnet.Whole, script)
			if g.options["cuts"] == "whole" {
				continue // its client breaks the rules, and is served nevertheless if it is in time
			}
			little := simnet.Bytes
			if script.Sent() > 3000 {
				little = simnet.Every(11) // TestHundredRequests has as many bytes one by one
			}
			play(t, "tcp, little by little", tcp, little, script)
			play(t, "pipe, little by little", pipes.Dial, little, script)
			play(t, "unix, little by little", unix, little, script)
			fine := unix
			if d.portable {
				fine = pipes.Dial
			}
			for i := 1; i < script.Sent(); i += stride(script, d) {
				play(t, "cut at "+strconv.Itoa(i), fine, simnet.At(i), script)
			}
		}
		_ = s.Close()
		if err := simnet.Receive(t, served, "Serve to return"); err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
}

// stride is how far apart the places are at which a conversation is cut: one,
// where that does not take too long.
func stride(s *simnet.Script, d driver) int {
	n := 1 + s.Sent()/250
	if d.loops > 1 || raceEnabled {
		n *= 7
	}
	return n
}

func play(t *testing.T, how string, dial func() (net.Conn, error), cut simnet.Cut, s *simnet.Script) {
	t.Helper()
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	p := simnet.Player{Cut: cut, Epilogue: epilogue}
	if err := p.Play(c, s); err != nil {
		t.Fatalf("%s: %v", how, err)
	}
}
