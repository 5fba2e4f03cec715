// The player itself: that it accepts what a transcript says and nothing else, in
// every cut; and the pipes. The server here answers from a list.

package simnet

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const someHour = "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n"

// answer serves one connection: for each line that comes, one of the answers.
func answer(c net.Conn, answers ...string) {
	defer c.Close()
	lines := bufio.NewReader(c)
	for _, a := range answers {
		if _, err := lines.ReadString('\n'); err != nil {
			return
		}
		if _, err := io.WriteString(c, a); err != nil {
			return
		}
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		return
	}
}

func parse(t *testing.T, text string) *Script {
	t.Helper()
	all, err := Parse("test.txt", "== case\n"+text)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

func TestPlayJudges(t *testing.T) {
	now := time.Now().UTC().Format("Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n")
	cases := []struct {
		name, script string
		answers      []string
		epilogue     []Step
		want         string // in the error; empty for none
	}{
		{"what was wanted", "> hello\n< there\n> again\n<| x", []string{"there\r\n", "x"}, nil, ""},
		{"a date", "> hello\n< Date: *\n< x", []string{now + "x\r\n"}, nil, ""},
		{"a date of long ago", "> hello\n< Date: *\n< x", []string{someHour + "x\r\n"}, nil, "instead of"},
		{"a date that is none", "> hello\n< Date: *", []string{strings.Repeat("x", len(someHour))}, nil, "instead of"},
		{"another byte", "> hello\n< there", []string{"thera\r\n"}, nil, "instead of"},
		{"too little, then the end", "> hello\n< there\n> x\n! half-close\n<| more", []string{"there\r\n"}, nil, "and EOF"},
		{"too much", "> hello\n<| the", []string{"there"}, []Step{{Send, []byte("x\n")}, {Expect, []byte("y")}}, "instead of"},
		{"too much at the end", "> hello\n<| the", []string{"there"}, nil, "more than it should"},
		{"the epilogue", "> hello\n<| the", []string{"the", "y"}, []Step{{Send, []byte("x\n")}, {Expect, []byte("y")}}, ""},
		{"closed", "> hello\n<| the\n! half-close\n! closed", []string{"the"}, []Step{{Expect, []byte("never")}}, ""},
		{"more instead of closed", "> hello\n! half-close\n! closed", []string{"the"}, nil, "instead of closing"},
	}
	for _, c := range cases {
		s := parse(t, c.script)
		for _, cut := range []Cut{Whole, Bytes, At(3), Every(2)} {
			client, server := Pipe()
			go answer(server, c.answers...)
			p := Player{Cut: cut, Epilogue: c.epilogue}
			err := p.Play(client, s)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: %v, want %q", c.name, err, c.want)
			}
		}
	}
}

// TestCuts: the peer of a Pipe, and of a unix socket on Linux, sees the pieces.
func TestCuts(t *testing.T) {
	s := parse(t, "> abcd\n! half-close\n<| x\n! closed")
	for name, want := range map[string]string{"whole": "[abcd\r\n]", "bytes": "[a b c d \r \n]", "at": "[ab cd\r\n]", "every": "[abcd \r\n]"} {
		cut := map[string]Cut{"whole": Whole, "bytes": Bytes, "at": At(2), "every": Every(4)}[name]
		for _, network := range []string{"pipe", "unix"} {
			got := playCut(t, network, cut, s)
			// The kernel counts a piece as read a moment before the read returns: what is sent in that
			// moment is joined to it. That does not happen time and again.
			for try := 0; network == "unix" && got != want && try < 4; try++ {
				got = playCut(t, network, cut, s)
			}
			if got != want && (network == "pipe" || settles) {
				t.Errorf("%s over %s: the server saw %q, want %q", name, network, got, want)
			}
		}
	}
}

// playCut plays s over a connection and returns what each read of the server has brought.
func playCut(t *testing.T, network string, cut Cut, s *Script) string {
	client, server := connect(t, network)
	seen := make(chan string, 1)
	go func() {
		var pieces []string
		buf := make([]byte, 100)
		for {
			n, err := server.Read(buf)
			if err != nil {
				break
			}
			pieces = append(pieces, string(buf[:n]))
		}
		_, _ = io.WriteString(server, "x")
		_ = server.Close()
		seen <- fmt.Sprint(pieces)
	}()
	if err := (&Player{Cut: cut}).Play(client, s); err != nil {
		t.Errorf("over %s: %v", network, err)
	}
	return <-seen
}

func connect(t *testing.T, network string) (client, server net.Conn) {
	t.Helper()
	if network == "pipe" {
		return Pipe()
	}
	dir, err := os.MkdirTemp("", "gale")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen(network, filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestParse(t *testing.T) {
	all, err := Parse("f", "# note\n\n== one\nwith a=1 b=x\nwith c=2\n> GET\n>| a\\x41\\r\\n\\t\\0\\\\{{ab*3}}\n< OK\n<| x\n! half-close\n! closed\n== two\n>\n")
	if err != nil || len(all) != 2 {
		t.Fatal(err, len(all))
	}
	one := all[0]
	if one.Name != "one" || one.Place != "f:3" || fmt.Sprint(one.Options) != "map[a:1 b:x c:2]" {
		t.Errorf("%+v", one)
	}
	want := []Step{{Send, []byte("GET\r\naA\r\n\t\x00\\ababab")}, {Expect, []byte("OK\r\nx")}, {HalfClose, nil}, {Closed, nil}}
	if fmt.Sprint(one.Steps) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", one.Steps, want)
	}
	if !one.Closes() || !one.HalfCloses() || all[1].Closes() || all[1].HalfCloses() || one.Sent() != 18 || all[1].Sent() != 2 {
		t.Errorf("%v %v %d %d", one.Closes(), one.HalfCloses(), one.Sent(), all[1].Sent())
	}
	for _, bad := range []string{"> early", "== x\nwhat", "== x\n! open", "== x\n>| \\q", "== x\n>| \\", "== x\n>| \\x4", "== x\n>| \\xzz", "== x\n! closed\n> more"} {
		if _, err := Parse("f", bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestListener(t *testing.T) {
	l := Listen()
	got := make(chan string)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			close(got)
			return
		}
		b, _ := io.ReadAll(c)
		_, _ = c.Write(b)
		_ = c.Close()
		got <- string(b)
	}()
	c, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "there")
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); string(b) != "there" || err != nil {
		t.Errorf("%q, %v came back", b, err)
	}
	if s := <-got; s != "there" {
		t.Errorf("the server read %q", s)
	}
	_ = l.Close()
	_ = l.Close()
	if _, err := l.Dial(); err == nil {
		t.Error("a closed listener was dialled")
	}
	if _, err := l.Accept(); err == nil {
		t.Error("a closed listener accepts")
	}
}
