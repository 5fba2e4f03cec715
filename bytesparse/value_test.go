package bytesparse

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Numbers, tokens, lists and hosts.

func TestParseUint(t *testing.T) {
	for _, c := range []struct {
		in string
		n  int64
		ok bool
	}{
		{"0", 0, true},
		{"7", 7, true},
		{"007", 7, true},
		{"1234567890", 1234567890, true},
		{"9223372036854775807", math.MaxInt64, true},
		{"00000000000000000000009223372036854775807", math.MaxInt64, true},
		{"9223372036854775808", 0, false},
		{"9223372036854775810", 0, false},
		{"18446744073709551616", 0, false},
		{"18446744073709551617", 0, false},
		{"99999999999999999999999", 0, false},
		{"", 0, false},
		{"-1", 0, false},
		{"+1", 0, false},
		{" 1", 0, false},
		{"1 ", 0, false},
		{"1 2", 0, false},
		{"1,1", 0, false},
		{"0x1", 0, false},
		{"1e3", 0, false},
		{"1_0", 0, false},
		{"\u0661", 0, false},
	} {
		if n, ok := ParseUint([]byte(c.in)); ok != c.ok || ok && n != c.n {
			t.Errorf("%q: %d, %v", c.in, n, ok)
		}
	}
	for c := range 256 {
		if _, ok := ParseUint([]byte{'1', byte(c)}); ok != (c >= '0' && c <= '9') {
			t.Errorf("byte %#x as a digit: %v", c, ok)
		}
	}
}

func TestByteClasses(t *testing.T) {
	for c := range 256 {
		s := string([]byte{'a', byte(c)})
		token := strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		value := c == '\t' || c >= 0x20 && c != 0x7f
		target := c > 0x20 && c < 0x7f && !strings.ContainsRune("\"#<>\\^`{|}", rune(c))
		if IsToken(s) != token || IsToken([]byte(s)) != token {
			t.Errorf("byte %#x: IsToken is not %v", c, token)
		}
		if IsFieldValue(s) != value || IsFieldValue([]byte(s)) != value {
			t.Errorf("byte %#x: IsFieldValue is not %v", c, value)
		}
		if IsTarget(s) != target || IsTarget([]byte(s)) != target {
			t.Errorf("byte %#x: IsTarget is not %v", c, target)
		}
	}
	if IsToken("") || IsTarget("") || !IsFieldValue("") {
		t.Error("nothing at all: no token, no target, but a value")
	}
}

func TestNextToken(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{" \t", nil},
		{",,\t, ,", nil},
		{"a", []string{"a"}},
		{" a ", []string{"a"}},
		{"a,b", []string{"a", "b"}},
		{"a, b ,\tc\t", []string{"a", "b", "c"}},
		{",a,,b,", []string{"a", "b"}},
		{"keep-alive, Upgrade", []string{"keep-alive", "Upgrade"}},
		{"a b, c", []string{"a b", "c"}},
		{"a;q=1, b", []string{"a;q=1", "b"}},
		{"\va", []string{"\va"}},
		{"a\u00a0,b", []string{"a\u00a0", "b"}},
		{`"a,b", c`, []string{`"a,b"`, "c"}},
		{`x="a\",b", c`, []string{`x="a\",b"`, "c"}},
		{`"a, close`, []string{`"a, close`}},
		{`"a\`, []string{`"a\`}},
		{`a\, b`, []string{`a\`, "b"}},
	} {
		var got []string
		for list := []byte(c.in); ; {
			token, rest, ok := NextToken(list)
			if !ok {
				break
			}
			got = append(got, string(token))
			list = rest
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestContainsToken(t *testing.T) {
	for _, c := range []struct {
		list, token string
		want        bool
	}{
		{"close", "close", true},
		{"Keep-Alive, CLOSE", "close", true},
		{"a,close,b", "close", true},
		{"closed", "close", false},
		{"xclose", "close", false},
		{"clos", "close", false},
		{"not close", "close", false},
		{"close;x", "close", false},
		{`"close"`, "close", false},
		{`"a, close, b"`, "close", false},
		{"", "close", false},
		{",", "", false},
	} {
		if got := ContainsToken([]byte(c.list), c.token); got != c.want {
			t.Errorf("ContainsToken(%q, %q) = %v", c.list, c.token, got)
		}
	}
}

func TestRFC9110_7_2_ValidHost(t *testing.T) {
	good := []string{
		"", ":", ":80", "a", "a:", "a:80", "a:0", "a:65535", "a:00080", "example.com", "EXAMPLE.com.", "a_b", "1.2.3.4",
		"1.2.3.4:8080", "a-._~!$&'()*+,;=b", "%41%zZ"[:3], "%c3%A9", "[::]", "[::1]", "[::1]:443", "[1::]", "[1:2:3:4:5:6:7:8]",
		"[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]", "[fe80::1:2]", "[::ffff:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5::1.2.3.4]",
		"[abcd:EF01::]", "[v1.a:b]", "[VF.~!$&'()*+,;=]", "300.1.1.1", "[::0.0.0.0]", "[::255.255.255.255]",
	}
	bad := []string{
		"a b", " a", "a ", "a/b", "a?b", "a#b", "a@b", "user:pw@a", "a\x00", "a\xc3\xa9", "a\tb", "a<b", `a"b`, "a\\b", "a^b", "a`b", "a{b", "a|b",
		"a:b", "a:80:80", "a:-1", "a:+1", "a: 80", "a:65536", "a:99999999999999999999", "::1", "a,b:c", "%", "a%4", "a%4g", "%%41",
		"[", "]", "[]", "[:]", "[:::]", "[1]", "[1:2]", "[::1", "::1]", "[::1]x", "[::1]:x", "[::1]:65536", "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7:8::]",
		"[::1:2:3:4:5:6:7:8]", "[1::2::3]", "[12345::]", "[g::]", "[1:]", "[:1]", "[1:2:3:4:5:6:7:]", "[::1%25eth0]", "[::1%eth0]", "[::1 ]",
		"[::1.2.3]", "[::1.2.3.4.5]", "[::1.2.3.256]", "[::01.2.3.4]", "[::1.2.3.]", "[::1.2.3.4:5]", "[1.2.3.4]", "[1:2:3:4:5:6:7:1.2.3.4]",
		"[1:2:3:4:5:6::1.2.3.4]", "[::.1.2.3]", "[v.a]", "[v1.]", "[v1a]", "[vg.a]", "[v1.a/b]", "[v]", "[[::1]]", "a[::1]",
	}
	for _, s := range good {
		if !ValidHost([]byte(s)) {
			t.Errorf("%q refused", s)
		}
	}
	for _, s := range bad {
		if ValidHost([]byte(s)) {
			t.Errorf("%q accepted", s)
		}
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	seen := map[string]bool{}
	for r := ReasonNone; r < numReasons; r++ {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d: %q", r, r)
		}
		seen[r.String()] = true
	}
	if numReasons.String() != "unknown reason" {
		t.Error(numReasons.String())
	}
	var err error = &Error{ReasonBareLF, 17}
	if err.Error() != "bytesparse: "+ReasonBareLF.String()+" at byte "+strconv.Itoa(17) {
		t.Error(err)
	}
}
