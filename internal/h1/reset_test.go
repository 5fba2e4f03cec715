// Reused memory is a risk: what one message leaves behind must not show in the
// next one, on the same connection or on the next.

package h1

import (
	"bytes"
	"slices"
	"testing"
)

// TestNothingIsLeftBetweenMessages puts every two conversations behind one
// another on one connection, with the same machine and the same heads.
func TestNothingIsLeftBetweenMessages(t *testing.T) {
	pairs := 0
	for _, role := range []Role{Server, Client} {
		var whole []*script
		for _, scripts := range allScripts(t) {
			for _, s := range scripts {
				if s.role == role && !s.eof && s.limits == (Limits{}) && s.methods == nil && s.want[len(s.want)-1] == "waiting" {
					whole = append(whole, s)
				}
			}
		}
		k := &talk{t: t}
		for _, a := range whole {
			for _, b := range whole {
				both := &script{name: a.name + ", then " + b.name, role: role, input: slices.Concat(a.input, b.input)}
				want := slices.Concat(withoutFields(a)[:len(withoutFields(a))-1], withoutFields(b))
				if got := k.run(both, nil); !slices.Equal(got, want) {
					t.Fatalf("%s:\n%q\nwant\n%q", both.name, got, want)
				}
				pairs++
			}
		}
	}
	if pairs < 1000 {
		t.Errorf("only %d pairs", pairs)
	}
}

// withoutFields returns what s expects when field lines are not shown.
func withoutFields(s *script) []string {
	return slices.DeleteFunc(slices.Clone(s.want), func(e string) bool { return len(e) > 6 && e[:6] == "field " })
}

// TestNothingIsLeftBetweenConnections runs every two conversations one after
// the other on a machine that is Reset between them.
func TestNothingIsLeftBetweenConnections(t *testing.T) {
	var all []*script
	for _, scripts := range allScripts(t) {
		all = append(all, scripts...)
	}
	k := &talk{t: t}
	for _, a := range all {
		for i, b := range all {
			if i%3 != len(a.input)%3 { // a third of the pairs is plenty
				continue
			}
			k.run(a, nil)
			if got := k.run(b, nil); !slices.EqualFunc(got, b.want, meets) {
				t.Fatalf("%s, behind %s:\n%q\nwant\n%q", b.name, a.name, got, b.want)
			}
		}
	}
}

// TestAccessorsAfterAMessage looks at each accessor behind a message that sets
// it, and behind the plain one that follows.
func TestAccessorsAfterAMessage(t *testing.T) {
	var c Conn
	rich := "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
	plain := "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	var k talk
	if _, ev, err := c.NextHead([]byte(rich), false, &k.head, nil); ev != HeadDone || err != nil {
		t.Fatal(ev, err)
	}
	if c.KeepAlive() || !c.Upgrade() || !c.ExpectContinue() || c.Framing() != Length || c.Remaining() != 9 || c.Done() {
		t.Errorf("rich: %+v", c)
	}
	if n, ev, _ := c.Next([]byte("12345"), false, nil, nil); n != 5 || ev != Data || c.BodyRead() != 5 || c.Remaining() != 4 {
		t.Errorf("body: %d %v %+v", n, ev, c)
	}
	c.Reset(Server)
	if c != (Conn{}) {
		t.Errorf("Reset leaves %+v", c)
	}
	if _, ev, err := c.NextHead(bytes.Clone([]byte(plain)), false, &k.head, nil); ev != HeadDone || err != nil {
		t.Fatal(ev, err)
	}
	if !c.KeepAlive() || c.Upgrade() || c.ExpectContinue() || c.Framing() != None || c.Remaining() != 0 || c.BodyRead() != 0 || !c.Done() {
		t.Errorf("plain: %+v", c)
	}
	c.Reset(Client)
	if c.role != Client || c.KeepAlive() {
		t.Errorf("Reset(Client): %+v", c)
	}
}
