// Names and values as the seed has them, compared with the plainest way to merge them, for few
// lines and for thousands.

package exchange

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

// received makes an Incoming whose head is a GET with the given field lines.
func received(t testing.TB, fields [][2]string) *Incoming {
	t.Helper()
	var text bytes.Buffer
	text.WriteString("GET / HTTP/1.1\r\n")
	for _, f := range fields {
		fmt.Fprintf(&text, "%s: %s\r\n", f[0], f[1])
	}
	text.WriteString("\r\n")
	in := new(Incoming)
	n, err := in.Head.ParseRequest(text.Bytes(), &bytesparse.Limits{Fields: -1})
	if err != nil || n != text.Len() {
		t.Fatalf("parsed %d of %d bytes: %v", n, text.Len(), err)
	}
	in.head = text.Bytes()
	return in
}

// merged is the model: message.headers of the seed.
func merged(fields [][2]string) (all [][2]string) {
	at := make(map[string]int)
	for _, f := range fields {
		name := strings.ToLower(f[0])
		i, have := at[name]
		switch {
		case name == "cookie" || name == "set-cookie":
			all = append(all, [2]string{name, f[1]})
		case !have:
			at[name] = len(all)
			all = append(all, [2]string{name, f[1]})
		case name != "user-agent" && name != "content-type":
			all[i][1] += ", " + f[1]
		}
	}
	return all
}

func collect(in *Incoming) (all [][2]string) {
	for name, value := range in.Headers() {
		all = append(all, [2]string{string(name), string(value)})
	}
	return all
}

// collectAround is collect with a nested iteration over as many trailers, all of one name.
func collectAround(t *testing.T, in *Incoming) (all [][2]string) {
	in.section = []byte(strings.Repeat("X-T: 1\r\n", max(len(in.Head.Fields), 1)) + "\r\n")
	if _, err := in.trailers.ParseTrailers(in.section, &bytesparse.Limits{Fields: -1}); err != nil {
		t.Fatal(err)
	}
	for name, value := range in.Headers() {
		if all = append(all, [2]string{string(name), string(value)}); len(all) == 2 {
			for range in.Trailers() {
			}
		}
	}
	return all
}

func TestHeadersMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	known := []string{"Accept", "User-Agent", "Cookie", "Set-Cookie", "Content-Type", "via"}
	for _, size := range []int{0, 1, 5, fewNames, fewNames + 1, 200, 3000, keptNames + 10} {
		for _, distinct := range []int{1, 3, size/2 + 1, 4*size + 1} {
			fields := make([][2]string, size)
			for i := range fields {
				name := fmt.Sprintf("x-%d", rng.IntN(distinct))
				if rng.IntN(5) == 0 {
					name = known[rng.IntN(len(known))]
				}
				if rng.IntN(2) == 0 {
					name = strings.ToUpper(name)
				}
				fields[i] = [2]string{name, fmt.Sprint("v", i)}
			}
			in := received(t, fields)
			want := fmt.Sprint(merged(fields))
			for range 2 { // the second time on what the first left
				if got := fmt.Sprint(collect(in)); got != want {
					t.Fatalf("%d lines, %d names:\n%s, want\n%s", size, distinct, got, want)
				}
			}
			if got := fmt.Sprint(collectAround(t, in)); got != want {
				t.Fatalf("%d lines, with another iteration within:\n%s, want\n%s", size, got, want)
			}
			for _, f := range merged(fields)[:min(5, len(merged(fields)))] {
				if got := string(in.Header(strings.ToUpper(f[0]))); f[0] != "cookie" && f[0] != "set-cookie" && got != f[1] {
					t.Fatalf("%s is %q, want %q", f[0], got, f[1])
				}
			}
		}
	}
}

// BenchmarkHeadersOfManyNames shows that a line costs the same among many as among
// few.
func BenchmarkHeadersOfManyNames(b *testing.B) {
	for _, size := range []int{16, 100, 1000, 10000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			fields := make([][2]string, size)
			for i := range fields {
				fields[i] = [2]string{fmt.Sprint("X-", i), "v"}
			}
			in := received(b, fields)
			b.ReportAllocs()
			for b.Loop() {
				for name := range in.Headers() {
					_ = name
				}
				in.arena = in.arena[:0]
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/line")
		})
	}
}
