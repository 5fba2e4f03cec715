// Command parse compares bytesparse with other parsers of heads and chunked
// bodies, on the same bytes and in one run:
//
//	go run ./parse              with the kernels that this machine supports
//	go run -tags purego ./parse without assembly
//
// On a machine with other load, a time says little, but the ratio of two times taken
// in immediate succession says much more. So all candidates take turns, half a
// millisecond each, every turn is related to the yardstick's turn of the same round,
// and the median over all rounds is printed. The yardstick W of a head is a walk over its
// lines with bytes.IndexByte, which validates nothing; that of a chunked body is copying
// its payload.
package main

import (
	"flag"
	"fmt"
	"slices"
	"time"

	"github.com/gale-http/gale/bench/internal/cli"
)

// candidate is one way to do the work; run does it for the i-th input.
type candidate struct {
	name string
	run  func(i int)
}

// contest is one kind of input. The first candidate is the yardstick.
type contest struct {
	name       string
	candidates []candidate
}

func main() {
	spend := flag.Duration("d", time.Second, "time for each kind of input")
	cli.Parse("")
	cli.Positive("d", *spend)
	for _, c := range append(headContests(), chunkContests()...) {
		report(c, compare(c.candidates, *spend))
	}
}

// result has the medians of a candidate's turns.
type result struct {
	ratio float64       // to the yardstick of the same round
	took  time.Duration // for one input
}

// turn is how long a candidate runs before the next one: long enough for the processor to
// learn its branches, and short enough that the turns of a round see the same machine.
const turn = 500 * time.Microsecond

// compare lets the candidates take turns for the given time.
func compare(candidates []candidate, spend time.Duration) []result {
	calls := make([]int, len(candidates))
	for k, c := range candidates {
		calls[k] = 1
		for {
			took := measure(c, 0, calls[k])
			if took >= turn {
				break
			}
			calls[k] = max(calls[k]+1, int(float64(calls[k])*min(8, float64(turn)*1.2/float64(max(took, 1)))))
		}
	}
	ratios, took := make([][]float64, len(candidates)), make([][]float64, len(candidates))
	at := make([]int, len(candidates)) // each candidate gets every input, in order
	for begun := time.Now(); time.Since(begun) < spend || len(ratios[0]) < 5; {
		var base float64
		for k, c := range candidates {
			each := float64(measure(c, at[k], calls[k])) / float64(calls[k])
			at[k] += calls[k]
			if k == 0 {
				base = each
			}
			ratios[k] = append(ratios[k], each/base)
			took[k] = append(took[k], each)
		}
	}
	results := make([]result, len(candidates))
	for k := range candidates {
		results[k] = result{median(ratios[k]), time.Duration(median(took[k]))}
	}
	return results
}

func measure(c candidate, from, calls int) time.Duration {
	begun := time.Now()
	for i := range calls {
		c.run(from + i)
	}
	return time.Since(begun)
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func report(c contest, results []result) {
	fmt.Printf("%s\n", c.name)
	for k, r := range results {
		fmt.Printf("  %-28s %8.2f  %10v\n", c.candidates[k].name, r.ratio, r.took)
	}
}
