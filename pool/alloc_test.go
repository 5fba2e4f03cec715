//go:build !race && !galedebug

package pool

// Allocation counts mean nothing under the race detector (its sync.Pool forgets
// on purpose) or with the debug register.

import "testing"

func TestSteadyStateAllocatesNothing(t *testing.T) {
	s := &Shared{}
	l := Local{Shared: s, Keep: 4096}
	var bufs [8][]byte
	data := make([]byte, 3000)
	st := NewStack(8)
	st.Push(1)
	for name, f := range map[string]func(){
		"Local": func() {
			b := l.Get(4000)
			l.Put(b)
		},
		"Local spilling": func() {
			for i := range bufs {
				bufs[i] = l.Get(1 << (9 + i))
			}
			for i := range bufs {
				l.Put(bufs[i])
			}
		},
		"Shared": func() { s.Put(s.Get(2000)) },
		"Stack": func() {
			i, _ := st.Pop()
			st.Push(i)
		},
		"Body": func() {
			b := GetBody()
			b.Write(data)
			b.Release()
		},
	} {
		f()
		if n := testing.AllocsPerRun(500, f); n != 0 {
			t.Errorf("%s: %v allocations per run, want 0", name, n)
		}
	}
}
