// URLs: the name that is looked up, the Host field, and the request target.

package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestTargets(t *testing.T) {
	cases := map[string]target{
		"http://example.org":                {name: "example.org", port: 80, host: "example.org", path: "/"},
		"http://example.org:80/":            {name: "example.org", port: 80, host: "example.org", path: "/"},
		"HTTP://Example.org:8080/a/b?c=d#e": {name: "Example.org", port: 8080, host: "Example.org:8080", path: "/a/b?c=d"},
		"http://example.org?q":              {name: "example.org", port: 80, host: "example.org", path: "/?q"},
		"http://h/a b":                      {name: "h", port: 80, host: "h", path: "/a%20b"},
		"http://h/%2f":                      {name: "h", port: 80, host: "h", path: "/%2f"},
		"localhost:8080":                    {name: "localhost", port: 8080, host: "localhost:8080", path: "/"},
		"127.0.0.1:8080/x":                  {name: "127.0.0.1", port: 8080, host: "127.0.0.1:8080", path: "/x"},
		"http://[::1]:8080/":                {name: "::1", port: 8080, host: "[::1]:8080", path: "/"},
		"http://[fe80::1%25eth0]/":          {name: "fe80::1%eth0", port: 80, host: "[fe80::1]", path: "/"},
		"http://me:pass@h/":                 {name: "h", port: 80, host: "h", path: "/", auth: "Basic bWU6cGFzcw=="},
		"unix:/run/s":                       {unix: "/run/s", host: "localhost", path: "/"},
		"unix:///run/s:/x?y":                {unix: "/run/s", host: "localhost", path: "/x?y"},
		"unix:relative":                     {unix: "relative", host: "localhost", path: "/"},
	}
	for url, want := range cases {
		want.url = strings.Replace(url, "me:pass@", "", 1)
		got, err := parseTarget(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		} else if *got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", url, *got, want)
		}
	}
}

func TestRequests(t *testing.T) {
	cases := []struct{ args, want string }{
		{"http://h/x", "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"-m POST http://h/", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
		{"-m PUT http://h/", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
		{"-m DELETE http://h/", "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"-b abc http://h/", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
		{"-H host:\tother -H A:b -H A: http://h/", "GET / HTTP/1.1\r\nhost: other\r\nA: b\r\nA: \r\n\r\n"},
		{"http://u@h/", "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic dTo=\r\n\r\n"},
		{"-H authorization:x http://u@h/", "GET / HTTP/1.1\r\nHost: h\r\nauthorization: x\r\n\r\n"},
	}
	for _, c := range cases {
		opt, err := parseFlags(strings.Split(c.args, " "))
		if err != nil {
			t.Fatal(err)
		}
		target, err := parseTarget(opt.urls[0])
		if err != nil {
			t.Fatal(err)
		}
		if got, closes, err := encodeRequest(opt, target); string(got) != c.want || closes || err != nil {
			t.Errorf("%s: %q, %v, %v; want %q", c.args, got, closes, err, c.want)
		}
	}
}

func TestTheAddressThatAnswers(t *testing.T) {
	// localhost may have two addresses; the server listens on only one of them.
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := netip.MustParseAddrPort(l.Addr().String())
	target := &target{url: "http://localhost/", name: "localhost", port: want.Port()}
	for _, ips := range [][]netip.Addr{{netip.IPv6Loopback(), want.Addr()}, {want.Addr(), netip.IPv6Loopback()}} {
		addr, err := target.firstReachable(t.Context(), ips, nil)
		if err != nil || addr.IP != want {
			t.Errorf("of %v reached %v, %v", ips, addr.IP, err)
		}
	}
	if addr, err := target.reach(t.Context(), 5*time.Second, nil); err != nil || addr.IP != want {
		t.Errorf("reached %v, %v", addr.IP, err)
	}
}

func TestTargetThatDoesNotAnswerInTime(t *testing.T) {
	target := &target{url: "http://x/", name: "127.0.0.1", port: 1}
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if _, err := target.reach(ctx, time.Second, nil); err == nil || err.Error() != "cannot reach http://x/: no answer in time" {
		t.Errorf("%v", err)
	}
}

// Neither reports nor errors quote a password.
func TestTargetKeepsSecrets(t *testing.T) {
	for _, text := range []string{"http://me:secret@h/", "me:secret@h/", "http://me:secret@h:port/", "http://me:sec%zzret@h/", "ftp://me:secret@h/",
		"http://me:secret@h:0/", "http://me:secret@/", "http://me:secret@a b/"} {
		switch got, err := parseTarget(text); {
		case err != nil && (strings.Contains(err.Error(), "sec") || strings.Contains(err.Error(), "ret")):
			t.Errorf("%s: %v", text, err)
		case err == nil && strings.Contains(got.url, "secret"):
			t.Errorf("%s is shown as %s", text, got.url)
		}
	}
	if got, err := parseTarget("http://h/a@b"); err != nil || got.url != "http://h/a@b" {
		t.Errorf("%v, %v", got, err)
	}
}
