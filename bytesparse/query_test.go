// Targets and lists: held against net/url and against rules written out plainly.

package bytesparse

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestQueryPairs(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"a=1&b=2":             "a=1 b=2",
		"a&b=&=c&&=":          "a b= =c =",
		"a=b=c&&&d":           "a=b=c d",
		"&":                   "",
		"a%26b=%3D&long-name": "a%26b=%3D long-name",
	} {
		var got []string
		for name, value := range QueryPairs([]byte(in)) {
			s := string(name)
			if value != nil {
				s += "=" + string(value)
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %q, want %q", in, s, want)
		}
	}
	for range QueryPairs([]byte("a=1&b=2")) {
		break // and nothing happens
	}
}

func TestCutQuery(t *testing.T) {
	for in, want := range map[string][2]string{
		"/": {"/"}, "/a?": {"/a", ""}, "/a?b?c": {"/a", "b?c"}, "*": {"*"}, "http://h/p/long/path?q": {"http://h/p/long/path", "q"},
	} {
		path, query := CutQuery([]byte(in))
		if string(path) != want[0] || string(query) != want[1] || (query == nil) == strings.Contains(in, "?") {
			t.Errorf("%q: %q, %q", in, path, query)
		}
	}
}

func TestCutTarget(t *testing.T) {
	for in, want := range map[string]string{
		"":                    `"" "" "" ""`,
		"/":                   `"" "" "/" ""`,
		"/a//b?c=http://d/?e": `"" "" "/a//b" "c=http://d/?e"`,
		"//host/a":            `"" "" "//host/a" ""`,
		"*":                   `"" "" "*" ""`,
		"http://h":            `"http" "h" "/" ""`,
		"http://h/":           `"http" "h" "/" ""`,
		"http://h?":           `"http" "h" "/" ""`,
		"http://h?a/b":        `"http" "h" "/" "a/b"`,
		"HTTPS://[::1]:8/a?b": `"HTTPS" "[::1]:8" "/a" "b"`,
		"a+b.1-c:///x":        `"a+b.1-c" "" "/x" ""`,
		"host:80":             `"" "host:80" "" ""`,
		"[::1]:80":            `"" "[::1]:80" "" ""`,
		"http:/h":             `"" "http:/h" "" ""`,
		"://h/":               `"" "://h/" "" ""`,
		"1a://h/":             `"" "1a://h/" "" ""`,
		"*?":                  `"" "*?" "" ""`,
		"a/b?c":               `"" "a/b?c" "" ""`,
	} {
		b := []byte(in)
		scheme, authority, path, query := CutTarget(b)
		if got := fmt.Sprintf("%q %q %q %q", scheme, authority, path, query); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		if (scheme == nil) != strings.HasPrefix(want, `"" `) {
			t.Errorf("%q: scheme is nil: %v", in, scheme == nil)
		}
		if (query != nil) != (path != nil && strings.Contains(in, "?")) {
			t.Errorf("%q: query is nil: %v", in, query == nil)
		}
		for _, view := range [][]byte{scheme, authority, path} {
			_ = append(view, '!') // must not reach what is behind it
		}
		if string(b) != in {
			t.Errorf("%q became %q", in, b)
		}
	}
}

// FuzzUnescape compares decoding with net/url.
func FuzzUnescape(f *testing.F) {
	for _, s := range []string{"", "a%20b+c", "%", "%4", "%4g", "%00%ff%0D%0a", strings.Repeat("+%2b", 9)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []struct {
			decode func(dst, b []byte) ([]byte, error)
			want   func(string) (string, error)
		}{{AppendUnescaped, url.PathUnescape}, {AppendFormUnescaped, url.QueryUnescape}} {
			want, wantErr := c.want(s)
			got, err := c.decode([]byte("in front"), []byte(s))
			if (err == nil) != (wantErr == nil) || err == nil && string(got) != "in front"+want {
				t.Fatalf("%q: %q, %v; net/url says %q, %v", s, got, err, want, wantErr)
			}
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Reason != ReasonEscape || s[e.Offset] != '%' || string(got) != "in front" {
					t.Fatalf("%q: %q, %v", s, got, err)
				}
				continue
			}
			inPlace := []byte(s)
			if got, _ = c.decode(inPlace[:0], inPlace); string(got) != want {
				t.Fatalf("%q in place: %q, want %q", s, got, want)
			}
			if IndexEscape([]byte(s)) < 0 && want != s {
				t.Fatalf("%q: says that there is nothing to decode", s)
			}
		}
	})
}

func TestListItems(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "",
		"gzip, br;q=0.5 ,, *;q=0":              "gzip|br[q=0.5]|*[q=0]",
		`a;x="b;c, \"d";y , e`:                 `a[x="b;c, \"d"][y]|e`,
		`text/html;level=1; q = 0.4`:           "text/html[level=1][q=0.4]",
		"a;;b=;=c;":                            "a[b=][=c]",
		`for="[::1]:80";proto=https, for=_hid`: `for="[::1]:80"[proto=https]|for=_hid`,
	} {
		var items []string
		for item, params := range ListItems([]byte(in)) {
			s := string(item)
			for name, value := range Params(params) {
				if s += "[" + string(name); value != nil {
					s += "=" + string(value)
				}
				s += "]"
			}
			items = append(items, s)
		}
		if s := strings.Join(items, "|"); s != want {
			t.Errorf("%q: %q, want %q", in, s, want)
		}
	}
	for range ListItems([]byte("a;b, c")) {
		break
	}
	for range Params([]byte("a;b")) {
		break
	}
}

func TestAppendUnquoted(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "a", `""`: "", `"a\"b\\"`: `a"b\`, `a"`: `a"`} {
		if got, ok := AppendUnquoted([]byte("x"), []byte(in)); !ok || string(got) != "x"+want {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{`"`, `"a`, `"a\"`, `"a\`, `"a"b`} {
		if got, ok := AppendUnquoted([]byte("x"), []byte(in)); ok || string(got) != "x" {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestParseQuality(t *testing.T) {
	for in, want := range map[string]int{
		"": 1000, "level=1": 1000, "q=1": 1000, "q=0": 0, "Q=0.5": 500, "a=b;q=0.123": 123, "q=1.000": 1000, "q=0.": 0, "q=1.": 1000,
		"q": -1, "q=": -1, "q=2": -1, "q=1.001": -1, "q=0.1234": -1, "q=.5": -1, "q=0,5": -1, "q=-1": -1, "q=0.x": -1, `q="1"`: -1,
	} {
		if got, ok := ParseQuality([]byte(in)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %v, want %d", in, got, ok, want)
		}
	}
}

// TestChecksEveryByteEverywhere compares the checks that setters make with the classes, for
// strings and slices of every length.
func TestChecksEveryByteEverywhere(t *testing.T) {
	for _, n := range slices.Concat([]int{126, 127, 128, 129, 191, 192, 193, 200, 300}, lengths(40)) {
		b := bytes.Repeat([]byte("a"), n)
		for i := range b {
			for c := range 256 {
				if n > 40 && c%8 != i%8 && c != 0x7f {
					continue
				}
				b[i] = byte(c)
				bad := -1
				if class[c]&classValue == 0 {
					bad = i
				}
				if got := IndexControl(b); got != bad || IndexControl(string(b)) != bad || IsFieldValue(b) != (bad < 0) {
					t.Fatalf("IndexControl(%q) = %d", b, got)
				}
				if got := IsToken(b); got != (class[c]&classToken != 0) || got != IsToken(string(b)) {
					t.Fatalf("IsToken(%q) = %v", b, got)
				}
				if got := IsTarget(b); got != (class[c]&classTarget != 0) || got != IsTarget(string(b)) {
					t.Fatalf("IsTarget(%q) = %v", b, got)
				}
			}
			b[i] = 'a'
		}
		for i := 1; i < n; i++ { // the first counts, and what does not is skipped
			b[i-1], b[i] = '\t', 0
			if IndexControl(b) != i {
				t.Fatalf("IndexControl(%q) = %d", b, IndexControl(b))
			}
			b[i-1], b[i] = 'a', 'a'
		}
	}
	if IsToken("") || IsTarget("") || !IsFieldValue("") {
		t.Error("nothing is a value, and neither token nor target")
	}
}

func lengths(n int) (all []int) {
	for i := 1; i <= n; i++ {
		all = append(all, i)
	}
	return all
}

func TestIterationDoesNotAllocate(t *testing.T) {
	query, list, dst := []byte("a=1&b=%20&c"), []byte(`a, b;q=0.5;x="y", c`), make([]byte, 0, 64)
	long := strings.Repeat("value ", 100)
	if n := testing.AllocsPerRun(100, func() {
		dst = dst[:0]
		for name, value := range QueryPairs(query) {
			dst = append(dst, name...)
			dst, _ = AppendFormUnescaped(dst, value)
		}
		for item, params := range ListItems(list) {
			dst = append(dst, item...)
			for _, value := range Params(params) {
				dst, _ = AppendUnquoted(dst, value)
			}
			must(t, len(params) == 0 || first2(ParseQuality(params)) == 500)
		}
		must(t, IsFieldValue(long) && string(dst) == "a1b cab0.5yc")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func first2(n int, _ bool) int { return n }
