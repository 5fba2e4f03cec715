// Headers reused for the same fields, nearly the same, and others: they send what a fresh
// set would send.

package writer_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gale-http/gale/writer"
)

func TestHeadersAfterReset(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	names := []string{"Server", "server", "Content-Type", "X-One", "X-Two", "Set-Cookie"}
	values := []string{"", "gale", "galf", "text/plain", "a longer value, of some words"}
	var reused writer.Headers
	script := make([][2]string, 5)
	for round := range 20000 {
		for i := range script {
			if round == 0 || rng.IntN(8) == 0 { // mostly as in the round before
				script[i] = [2]string{names[rng.IntN(len(names))], values[rng.IntN(len(values))]}
			}
		}
		var fresh writer.Headers
		for _, h := range []*writer.Headers{&reused, &fresh} {
			for i, field := range script[:1+round%len(script)] {
				if round%7 == 3 && i == 2 {
					h.Remove(script[0][0])
				}
				set := h.Set(field[0], field[1])
				if round%5 == 2 {
					set = h.Add(field[0], field[1])
				}
				if set != nil {
					t.Fatal(set)
				}
			}
		}
		if got, want := string(reused.Append(nil)), string(fresh.Append(nil)); got != want {
			t.Fatalf("round %d, %q:\n%q, want\n%q", round, script, got, want)
		}
		for _, name := range names {
			if got, want := string(reused.Get(name)), string(fresh.Get(name)); got != want {
				t.Fatalf("round %d: %s is %q, want %q", round, name, got, want)
			}
		}
		reused.Reset()
	}
}
