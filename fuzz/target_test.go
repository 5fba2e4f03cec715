// Targets that the parser accepts, split, decoded, and compared with net/url's results.

package fuzz

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

// FuzzTarget sends a target through a request and checks its parts.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{
		"/", "/a/b?c=d&e=%20f+g&h", "*", "http://h:80/p?q", "http://u@h/", "a:1", "[::1]:443", "/%", "/%zz?%", "/?a=b=c&&=d&", "//h/p", "/..//x;y=z?;", "http://", "http://[::1%25x]/",
		"/?a=%26&b=%3D", "/a%2Fb", "/?" + strings.Repeat("n=v&", 40), "http:///x", "HTTP://H", "x://h?q", "/a?b?c", "/%00%0d%0a",
	} {
		f.Add([]byte(s), "h")
	}
	f.Add([]byte("/"), "[::ffff:1.2.3.4]:65535")
	f.Add([]byte("/"), "a%41:0")
	f.Add([]byte("/"), "[v1.x]")
	f.Fuzz(func(t *testing.T, target []byte, host string) {
		var c h1.Conn
		var h bytesparse.Head
		b := append(append([]byte("GET "), target...), " HTTP/1.1\r\nHost: "+host+"\r\n\r\n"...)
		n, _, err := c.NextHead(b, true, &h, nil)
		if n != len(b) || err != nil {
			return
		}
		target = h.Target.Of(b)
		path, query := bytesparse.CutQuery(target)
		before, after, found := strings.Cut(string(target), "?")
		if string(path) != before || string(query) != after || found != (query != nil) {
			t.Fatalf("%q: path %q, query %q", target, path, query)
		}
		if !bytesparse.ValidHost(h1.Authority(b, &h)) {
			t.Fatalf("%q: authority %q", b, h1.Authority(b, &h))
		}
		if u, err := url.ParseRequestURI(string(target)); err == nil && u.Host != "" && target[0] != '/' && u.Host != string(h1.Authority(b, &h)) && !strings.Contains(u.Host, "%") {
			// net/url decodes escapes in a host.
			if dec, err := bytesparse.AppendUnescaped(nil, h1.Authority(b, &h)); err != nil || string(dec) != u.Host {
				t.Fatalf("%q: authority %q, net/url says %q", target, h1.Authority(b, &h), u.Host)
			}
		}
		checkQuery(t, query)
	})
}

// checkQuery compares the pairs of a query with those of net/url, which refuses ";".
func checkQuery(t *testing.T, query []byte) {
	got := url.Values{}
	for name, value := range bytesparse.QueryPairs(query) {
		n, err1 := bytesparse.AppendFormUnescaped(nil, name)
		v, err2 := bytesparse.AppendFormUnescaped(nil, value)
		if bytes.ContainsAny(name, "&=") || bytes.Contains(value, []byte("&")) {
			t.Fatalf("%q: pair %q=%q", query, name, value)
		}
		if err1 == nil && err2 == nil && !bytes.ContainsAny(name, ";") && !bytes.ContainsAny(value, ";") {
			got.Add(string(n), string(v))
		}
	}
	want, _ := url.ParseQuery(string(query)) // it leaves out invalid pairs
	if got.Encode() != want.Encode() {
		t.Fatalf("%q: %v, net/url says %v", query, got, want)
	}
}

// FuzzList splits lists with parameters; each part must be a view of its place in the input,
// and joining the parts and splitting the result must change nothing.
func FuzzList(f *testing.F) {
	for _, s := range []string{"a, b;q=1", `a;x="b,c;d\"";y, "e,f";g`, ",, ;=;, a;b=", "\"", "a;\"", "\\\",", "gzip;q=0.123 , *;q=0"} {
		f.Add([]byte(s))
	}
	flatten := func(list []byte) (flat []string, again []byte) {
		for item, params := range bytesparse.ListItems(list) {
			if len(again) > 0 {
				again = append(again, ',')
			}
			flat = append(flat, string(item))
			if again = append(again, item...); params != nil {
				again = append(again, ';')
			}
			for name, value := range bytesparse.Params(params) {
				flat = append(flat, string(name)+"="+string(value))
				if again = append(append(again, ';'), name...); value != nil {
					again = append(append(again, '='), value...)
				}
			}
			if w, ok := bytesparse.ParseQuality(params); ok && (w < 0 || w > 1000) {
				panic("weight out of range")
			}
		}
		return flat, again
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		flat, again := flatten(list)
		if bytes.ContainsAny(list, "\"\\") {
			return // a string that is not closed changes what follows it
		}
		if twice, _ := flatten(again); strings.Join(twice, "|") != strings.Join(flat, "|") {
			t.Fatalf("%q is %q; %q is %q", list, flat, again, twice)
		}
	})
}
