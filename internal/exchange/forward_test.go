// What Connection names, compared with the plainest way to leave it out.

package exchange

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/writer"
)

// endToEnd returns the lines that go on behind those in h.
func endToEnd(t *testing.T, fields [][2]string, h *writer.Headers) string {
	t.Helper()
	in := received(t, fields)
	in.Conn = new(h1.Conn)
	if err := in.EndToEnd(h, 0); err != nil {
		t.Fatal(err)
	}
	return string(h.Append(nil))
}

func TestConnectionNames(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	names := []string{"Via", "Accept", "Link", "X-A", "X-B", "x-c", "X-D", "X-E", "X-F", "X-G", "X-H", "X-I", "Another-Name", "Content-Type"}
	for range 3000 {
		var fields [][2]string
		var options []string
		for range rng.IntN(30) {
			fields = append(fields, [2]string{names[rng.IntN(len(names))], "v"})
		}
		for range rng.IntN(30) {
			option := append(names, "close", "keep-alive", "X-None", "Host", "X-None-Either", `"odd"`)[rng.IntN(len(names)+6)]
			if rng.IntN(2) == 0 {
				option = strings.ToUpper(option)
			}
			options = append(options, option)
		}
		cut := rng.IntN(len(options) + 1)
		all := append([][2]string{{"Host", "a"}, {"Connection", strings.Join(options[:cut], ", ")}}, fields...)
		all = append(all, [2]string{"connection", strings.Join(options[cut:], ",")})

		var h writer.Headers
		want := "X-A: ours\r\nVia: ours\r\nHost: a\r\n"
		_, _ = h.Add("X-A", "ours"), h.Add("Via", "ours")
		for _, f := range fields {
			if !slices.ContainsFunc(options, func(o string) bool { return strings.EqualFold(o, f[0]) }) {
				want += f[0] + ": v\r\n"
			}
		}
		if got := endToEnd(t, all, &h); got != want {
			t.Fatalf("of %q went on\n%s\nand not\n%s", all, got, want)
		}
	}
}

// However much Connection names, the fields are gone over a few times, and not once for each name.
func TestConnectionNamesAreTakenOutTogether(t *testing.T) {
	var fields [][2]string
	var options strings.Builder
	for i := range 900 {
		fields = append(fields, [2]string{fmt.Sprint("x-", i), "v"})
		fmt.Fprintf(&options, "x-%d,x-none-%d,", i, i)
	}
	var h writer.Headers
	before := h.State()
	if got := endToEnd(t, append(fields, [2]string{"Connection", options.String()}), &h); got != "" {
		t.Errorf("%q went on", got)
	}
	if n := h.State() - before; n > 2*fewNames {
		t.Errorf("the fields were changed %d times", n)
	}
}
