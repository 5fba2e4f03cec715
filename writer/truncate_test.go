// What remains after Truncate.

package writer_test

import (
	"testing"

	"github.com/gale-http/gale/writer"
)

func TestTruncate(t *testing.T) {
	var h writer.Headers
	for range 2 {
		for _, name := range []string{"A", "Host", "B", "Date"} {
			if err := h.Add(name, "1"); err != nil {
				t.Fatal(err)
			}
		}
		h.Truncate(5)
		h.Truncate(2)
		if got := string(h.Append(nil)); got != "A: 1\r\nHost: 1\r\n" || h.Len() != 2 || h.Get("Date") != nil || h.Get("B") != nil || h.Get("Host") == nil {
			t.Errorf("%q", got)
		}
		if err := h.Set("Date", "2"); err != nil || string(h.Get("Date")) != "2" {
			t.Error(err)
		}
		h.Truncate(0)
		if h.Len() != 0 || h.Get("A") != nil {
			t.Error("something is left")
		}
	}
}
