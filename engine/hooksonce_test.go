// The end of an exchange, as its hooks see it.

package engine

import (
	"sync"
	"testing"
)

// TestHooksAreToldOnce: if the end of an exchange and the failure of its connection coincide,
// exactly one of them is reported.
func TestHooksAreToldOnce(t *testing.T) {
	for _, whole := range []bool{true, false} {
		for _, failsFirst := range []bool{true, false} {
			var told sync.WaitGroup
			got := make(chan string, 4)
			h := &hooks{finish: func() { got <- "finish" }, responseClose: func() { got <- "close"; told.Done() }}
			end := func() {
				finish, closes := h.end(whole)
				for _, fn := range append(closes[:], finish) {
					if fn != nil {
						fn()
					}
				}
				if h.finish != nil || h.responseClose != nil {
					t.Error("a function is left, for whoever comes later")
				}
			}
			want := "finish"
			if failsFirst || !whole {
				want = "close"
				told.Add(1)
			}
			if failsFirst {
				h.broken(new(Server))
				end()
			} else {
				end()
				h.broken(new(Server))
			}
			told.Wait()
			if len(got) != 1 {
				t.Fatalf("%d were told (whole: %v, fails first: %v)", len(got), whole, failsFirst)
			}
			if how := <-got; how != want {
				t.Errorf("told %q, not %q", how, want)
			}
		}
	}
}
