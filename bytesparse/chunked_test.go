// Whole chunked bodies: the two ways of reading one, wherever it is cut.

package bytesparse

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// readChunked reads a body step by step with Next, offering what has arrived up
// to each of the cuts.
func readChunked(body []byte, lim *ChunkLimits, cuts ...int) (data []byte, used int, err error) {
	var c Chunked
	for _, cut := range append(cuts, len(body)) {
		for {
			n, ev, err := c.Next(body[used:cut:cut], lim)
			if err != nil {
				err.(*Error).Offset += used
				return data, used, err
			}
			if ev == ChunkData {
				data = append(data, body[used:used+n]...)
			}
			used += n
			if ev == ChunkMore || ev == ChunkLast {
				break
			}
		}
	}
	if int64(len(data)) != c.Read {
		return nil, 0, fmt.Errorf("read %d bytes, says %d", len(data), c.Read)
	}
	return data, used, nil
}

// decodeChunked does it with Decode, room bytes at a time, in place if room is 0.
func decodeChunked(body []byte, lim *ChunkLimits, room int, cuts ...int) (data []byte, used int, err error) {
	var c Chunked
	own := bytes.Clone(body)
	for _, cut := range append(cuts, len(body)) {
		for {
			src := own[used:cut:cut]
			dst := src
			if room > 0 {
				dst = make([]byte, room)
			}
			k, n, err := c.Decode(dst, src, lim)
			if err != nil {
				err.(*Error).Offset += used
				if k != 0 {
					return nil, 0, fmt.Errorf("%d bytes and %w", k, err)
				}
				return data, used + n, err
			}
			if data = append(data, dst[:k]...); k+n == 0 {
				break
			}
			if !bytes.Equal(own[used+n:], body[used+n:]) {
				return nil, 0, errors.New("what was not consumed has changed")
			}
			used += n
		}
	}
	if int64(len(data)) != c.Read {
		return nil, 0, fmt.Errorf("decoded %d bytes, says %d", len(data), c.Read)
	}
	return data, used, nil
}

// chunkedBodies are bodies of all kinds, most of them in order.
func chunkedBodies() []string {
	rnd := rand.New(rand.NewPCG(7, 7))
	bodies := []string{
		"0\r\n\r\n", "1\r\na\r\n0\r\n", "5;x=y\r\nhello\r\n0;last\r\nT: v\r\n\r\n", "", "5", "5\r\nhello", "5\r\nhello\r", "5\r\nhello\n",
		"5\r\nhelloX\r\n", "5\r\nhello\r\rx", "5\r\nhello\r\ng\r\n", "5\r\nhello\r\n5 \r\nhello\r\n", "000005\r\nhello\r\n0000005\r\nhello\r\n00000005\r\nhello\r\n0\r\n",
		"ffffffffffffffff\r\n", "7fffffffffffffff\r\nabc", "100000\r\nabc", "8\r\n01234567\r\n8\r\n01234567\r8\r\n",
	}
	for _, size := range []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 4096} {
		bodies = append(bodies, strings.Repeat(fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("abcdefghijklm", size)[:size]), 5)+"0\r\n\r\n")
	}
	for range 30 {
		var s strings.Builder
		for range 1 + rnd.IntN(12) {
			size := 1 + rnd.IntN(1<<rnd.IntN(8))
			fmt.Fprintf(&s, "%s%s\r\n", strings.Repeat("0", rnd.IntN(3)*rnd.IntN(2)), fmt.Sprintf([]string{"%x", "%X"}[rnd.IntN(2)], size))
			for range size {
				s.WriteByte("0123456789abcdef\r\n"[rnd.IntN(18)])
			}
			s.WriteString("\r\n")
		}
		b := []byte(s.String() + "0\r\n\r\nGET / HTTP/1.1\r\n")
		if rnd.IntN(3) == 0 {
			b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		}
		bodies = append(bodies, string(b))
	}
	return bodies
}

func TestChunkedAnySplit(t *testing.T) {
	for _, body := range chunkedBodies() {
		b := []byte(body)
		for _, lim := range []*ChunkLimits{nil, {Body: 40}, {Line: 4}, {Overhead: 20}, {Line: -1, Overhead: -1, Body: -1}} {
			want, wantUsed, wantErr := readChunked(b, lim)
			check := func(how string, data []byte, used int, err error) {
				t.Helper()
				if !bytes.Equal(data, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && used != wantUsed {
					t.Fatalf("%q, %+v, %s: %q, %d, %v; want %q, %d, %v", body, lim, how, data, used, err, want, wantUsed, wantErr)
				}
			}
			for _, room := range []int{0, 1, 3, 8, 16, 64, 8192} {
				data, used, err := decodeChunked(b, lim, room)
				check(fmt.Sprint("room ", room), data, used, err)
			}
			for cut := 0; cut < len(b); cut += 1 + len(b)/97 {
				data, used, err := readChunked(b, lim, cut)
				check(fmt.Sprint("cut at ", cut), data, used, err)
				for _, room := range []int{0, 5, 8192} {
					data, used, err = decodeChunked(b, lim, room, cut)
					check(fmt.Sprint("room ", room, " cut at ", cut), data, used, err)
				}
			}
		}
	}
}

// TestChunkedBytewise offers one byte more at a time.
func TestChunkedBytewise(t *testing.T) {
	for _, body := range chunkedBodies() {
		if len(body) > 2000 {
			continue
		}
		cuts := make([]int, len(body))
		for i := range cuts {
			cuts[i] = i
		}
		want, wantUsed, wantErr := readChunked([]byte(body), nil)
		for _, room := range []int{0, 64} {
			data, used, err := decodeChunked([]byte(body), nil, room, cuts...)
			if !bytes.Equal(data, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && used != wantUsed {
				t.Fatalf("%q: %q, %d, %v; want %q, %d, %v", body, data, used, err, want, wantUsed, wantErr)
			}
		}
	}
}

func TestChunkedErrors(t *testing.T) {
	for _, c := range []struct {
		in     string
		lim    ChunkLimits
		reason Reason
		at     int
	}{
		{"1\r\nab\r\n", ChunkLimits{}, ReasonChunkEnd, 4},
		{"1\r\na\rb", ChunkLimits{}, ReasonChunkEnd, 5},
		{"1\r\na\nb", ChunkLimits{}, ReasonChunkEnd, 4},
		{"1\r\na\r\ng\r\n", ChunkLimits{}, ReasonChunkSize, 6},
		{"10\r\n0123456789abcdef\r\n11\r\n", ChunkLimits{Body: 32}, ReasonBodyTooLong, 22},
		{"1;a=bcdefghijklmnop\r\n", ChunkLimits{Overhead: 3}, ReasonChunkOverhead, 21},
		{"1;a=b\r\n", ChunkLimits{Line: 6}, ReasonChunkTooLong, 6},
	} {
		for room := range 2 {
			_, _, err := decodeChunked([]byte(c.in), &c.lim, 64*room)
			var e *Error
			if !errors.As(err, &e) || e.Reason != c.reason || e.Offset != c.at {
				t.Errorf("%q: %v, want %v at byte %d", c.in, err, c.reason, c.at)
			}
		}
	}
}

// TestChunkOverheadWithoutLimit checks that no limit means none, even after 2 GiB of framing.
func TestChunkOverheadWithoutLimit(t *testing.T) {
	c := Chunked{debt: maxDebt}
	if !c.charge(200, 1, -1) {
		t.Error("no limit was reached")
	}
	if c.charge(200, 1, maxDebt-1) {
		t.Error("a large limit was not")
	}
}

// TestChunkDebtIsTheSame checks that the debt does not depend on how the chunks were read.
func TestChunkDebtIsTheSame(t *testing.T) {
	body := []byte(strings.Repeat("1;"+strings.Repeat("a", 70)+"\r\nx\r\n"+strings.Repeat("2\r\nab\r\n", 2), 9))
	var step, whole Chunked
	for p := 0; p < len(body); {
		n, _, err := step.Next(body[p:], nil)
		if p += n; err != nil || n == 0 {
			t.Fatal(p, n, err)
		}
	}
	dst := make([]byte, len(body))
	for p := 0; p < len(body); {
		_, n, err := whole.Decode(dst, body[p:], nil)
		if p += n; err != nil || n == 0 {
			t.Fatal(p, n, err)
		}
	}
	if step != whole || step.debt == 0 {
		t.Errorf("%+v and %+v", step, whole)
	}
}

func TestChunkedDoesNotAllocate(t *testing.T) {
	body := []byte(strings.Repeat("5\r\nhello\r\n", 40) + "0\r\n\r\n")
	dst := make([]byte, 1000)
	if n := testing.AllocsPerRun(100, func() {
		var c Chunked
		for p := 0; !c.Done(); {
			_, n, _ := c.Decode(dst, body[p:], nil)
			p += n
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkChunked(b *testing.B) {
	for _, size := range []int{16, 256, 4096} {
		body := []byte(strings.Repeat(fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("x", size)), 65536/size) + "0\r\n\r\n")
		dst := make([]byte, 65536)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(len(dst)))
			for b.Loop() {
				var c Chunked
				for p, q := 0, 0; !c.Done(); {
					k, n, err := c.Decode(dst[q:], body[p:], nil)
					if err != nil || k+n == 0 {
						b.Fatal(k, n, err)
					}
					p, q = p+n, q+k
				}
			}
		})
	}
}
