package writer

// Fields, numbers and chunks against the grammar and against other decoders.

import (
	"io"
	"math"
	"net/http/httputil"
	"strconv"
	"strings"
	"testing"
)

// RFC 9112 §5: field-name ":" OWS field-value OWS CRLF.
func TestAppendFieldRFC9112Section5(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"Server", "gale", "Server: gale\r\n"},
		{"x", "", "x: \r\n"},
		{"Accept", "a, b\tc", "Accept: a, b\tc\r\n"},
	} {
		if got := string(AppendField([]byte("|"), c.name, c.value)); got != "|"+c.want {
			t.Errorf("AppendField(%q, %q) = %q, want %q", c.name, c.value, got, c.want)
		}
	}
}

// Every length of number, its smallest and largest.
func TestAppendUintAppendHex(t *testing.T) {
	numbers := []uint64{0, 1, 9, 10, math.MaxUint64}
	for bit := range 64 {
		numbers = append(numbers, 1<<bit-1, 1<<bit, 1<<bit+1)
	}
	for ten := uint64(10); ten < math.MaxUint64/10; ten *= 10 {
		numbers = append(numbers, ten-1, ten)
	}
	for _, n := range numbers {
		if got, want := string(AppendUint([]byte("|"), n)), "|"+strconv.FormatUint(n, 10); got != want {
			t.Errorf("AppendUint(%d) = %q", n, got)
		}
		if got, want := string(AppendHex([]byte("|"), n)), "|"+strconv.FormatUint(n, 16); got != want {
			t.Errorf("AppendHex(%#x) = %q", n, got)
		}
	}
}

// RFC 9112 §7.1: chunks of every shape come out of another decoder whole.
func TestAppendChunkRFC9112Section7_1(t *testing.T) {
	var wire, want []byte
	for i, n := range []int{1, 9, 10, 15, 16, 17, 255, 256, 0, 4095, 4096, 70_000} {
		p := []byte(strings.Repeat(string(rune('a'+i)), n))
		if i%2 == 0 {
			wire = AppendChunk(wire, p)
		} else if n > 0 {
			wire = AppendChunkHead(wire, int64(n))
			wire = append(wire, p...)
			wire = append(wire, ChunkEnd...)
		}
		want = append(want, p...)
	}
	wire = append(wire, LastChunk...)
	got, err := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(string(wire))))
	if err != nil || string(got) != string(want) {
		t.Errorf("decoded %d bytes, %v, want %d", len(got), err, len(want))
	}
	if got := string(AppendChunk([]byte("|"), []byte("hello, chunked world"))); got != "|14\r\nhello, chunked world\r\n" {
		t.Errorf("AppendChunk = %q", got)
	}
}

// RFC 9112 §7.1: a chunk of size zero is the last one, so an empty write must not
// make one.
func TestAppendChunkNeverEndsBody(t *testing.T) {
	if got := AppendChunk([]byte("|"), nil); string(got) != "|" {
		t.Errorf("AppendChunk of nothing = %q, want nothing", got)
	}
	for _, n := range []int{0, -1, math.MinInt} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("AppendChunkHead(%d) did not panic", n)
				}
			}()
			AppendChunkHead(nil, int64(n))
		}()
	}
}

// RFC 9112 §7.1.2 and seed response.addTrailers.
func TestAppendLastChunkRFC9112Section7_1_2(t *testing.T) {
	var trailers Headers
	for range 2 {
		for _, h := range []*Headers{nil, &trailers} {
			if got := string(AppendLastChunk([]byte("|"), h)); got != "|0\r\n\r\n" {
				t.Errorf("without trailers: %q", got)
			}
		}
		trailers.Set("Content-MD5", "7895bf4b8828b55ceaf47747b4bca667")
		trailers.Add("X-Took", "3 ms")
		want := "|0\r\nContent-MD5: 7895bf4b8828b55ceaf47747b4bca667\r\nX-Took: 3 ms\r\n\r\n"
		if got := string(AppendLastChunk([]byte("|"), &trailers)); got != want {
			t.Errorf("with trailers: %q, want %q", got, want)
		}
		trailers.Reset()
	}
}
