// Attributing instructions to functions.

package stepped

import (
	"debug/elf"
	"fmt"
	"sort"

	"github.com/gale-http/gale/bench/internal/steps"
)

// Share is one function's part of the instructions.
type Share struct {
	Function   string
	PerRequest float64 // instructions
}

// shares sums the executions in many, less those in few, by the functions of the process's
// program, which must be loaded at the addresses in its file. The rest, the vDSO and
// libraries, is called "elsewhere".
func shares(pid int, many, few steps.Profile, requests int) ([]Share, error) {
	file, err := elf.Open(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		return nil, fmt.Errorf("a profile needs symbols: %w", err)
	}
	functions := symbols[:0]
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Size > 0 {
			functions = append(functions, s)
		}
	}
	sort.Slice(functions, func(i, j int) bool { return functions[i].Value < functions[j].Value })
	sums := map[string]float64{}
	add := func(profile steps.Profile, sign float64) {
		for addr, n := range profile {
			i := sort.Search(len(functions), func(i int) bool { return functions[i].Value > addr }) - 1
			name := "elsewhere"
			if i >= 0 && addr < functions[i].Value+functions[i].Size {
				name = functions[i].Name
			}
			sums[name] += sign * float64(n)
		}
	}
	add(many, 1)
	add(few, -1)
	list := make([]Share, 0, len(sums))
	for name, n := range sums {
		list = append(list, Share{name, n / float64(requests)})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].PerRequest > list[j].PerRequest })
	return list, nil
}
