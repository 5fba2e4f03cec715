// G: equal within a goroutine, different between any two that live at once.

package sys

import (
	"iter"
	"testing"
)

func TestGTellsGoroutinesApart(t *testing.T) {
	mine := G()
	if mine == 0 || mine != G() {
		t.Fatal("two calls on one goroutine must agree")
	}
	other := make(chan uintptr)
	go func() { other <- G() }()
	if <-other == mine {
		t.Fatal("another live goroutine must differ")
	}
	next, stop := iter.Pull(func(yield func(uintptr) bool) { yield(G()) })
	defer stop()
	if g, _ := next(); g == mine {
		t.Fatal("a coroutine must differ from the goroutine that resumes it")
	}
	grow := func() uintptr {
		var page [1 << 16]byte
		page[len(page)-1] = 1
		_ = page
		return G()
	}
	if grow() != mine {
		t.Fatal("the identity must outlive a stack that moves")
	}
}
